//! The socket: its state, and how methods get at it.
//!
//! | file | what |
//! | --- | --- |
//! | [`class`] | the class `_socket.socket`: its table of methods and its slots |
//! | [`lifecycle`] | construction, close, detach, the finalizer, repr |
//! | [`connect`] | bind, listen, accept, connect, shutdown, the addresses of both ends |
//! | [`transfer`] | the recv and send families |
//! | [`message`] | recvmsg and sendmsg |
//! | [`attempts`] | on which sockets a transfer is tried before it waits |
//! | [`sender`] | who sent last |
//! | [`options`] | socket options, blocking mode and timeout |

pub mod attempts;
pub mod class;
pub mod connect;
pub mod lifecycle;
pub mod message;
pub mod options;
pub mod sender;
pub mod transfer;

use std::ffi::c_int;
use std::hint;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU8, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use self::lifecycle::Recipe;
use self::sender::Sender;
use crate::address::Context;
use crate::descriptor::Descriptor;
use crate::interpreter::function::Receiver;
use crate::readiness::Memory;
use crate::sys::wait::Direction;
use crate::timeout::{Patience, Timeout};

/// A socket as the interpreter sees it. `_ssl` reads `fd` and `timeout` straight from this memory, where CPython's C struct has them,
/// and calls `error_handler`; the rest is ours.
#[repr(C)]
pub struct Object {
    head: ffi::PyObject,
    socket: Socket,
    /// The list of weak references. Only the public class has one: the base class, like CPython's, is not weakly referenceable.
    pub(crate) weak_references: *mut ffi::PyObject,
}

/// A socket's state. All of it can be read and written by any thread.
#[repr(C)]
#[derive(Debug)]
pub struct Socket {
    descriptor: Descriptor,
    family: AtomicI32,
    kind: AtomicI32,
    proto: AtomicI32,
    error_handler: unsafe extern "C" fn() -> *mut ffi::PyObject,
    timeout: AtomicI64,
    files: AtomicI32,
    owed_error: AtomicI32,
    readable: Memory,
    writable: Memory,
    without_attempts: AtomicU8,
    marked_closed: AtomicBool,
    abundant: AtomicBool,
    sender: Sender,
}

/// Raises `OSError` from `errno`, for `_ssl`.
unsafe extern "C" fn raise_errno() -> *mut ffi::PyObject {
    // SAFETY: called attached, as C's own error handler is.
    unsafe { ffi::PyErr_SetFromErrno(ffi::PyExc_OSError) }
}

impl Default for Socket {
    /// A socket that was never initialised: closed, and safe to touch.
    fn default() -> Self {
        Socket {
            descriptor: Descriptor::closed(),
            family: AtomicI32::new(0),
            kind: AtomicI32::new(0),
            proto: AtomicI32::new(0),
            error_handler: raise_errno,
            timeout: AtomicI64::new(Timeout::NONE.nanoseconds()),
            files: AtomicI32::new(0),
            owed_error: AtomicI32::new(0),
            readable: Memory::default(),
            writable: Memory::default(),
            without_attempts: AtomicU8::new(0),
            marked_closed: AtomicBool::new(false),
            abundant: AtomicBool::new(false),
            sender: Sender::default(),
        }
    }
}

impl Socket {
    /// The descriptor.
    #[inline]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Begins anew, with a descriptor of this recipe. `closed` are the attempts that its options leave out.
    pub fn begin(&self, recipe: Recipe, timeout: Timeout, closed: attempts::Closed, fd: OwnedFd) {
        let kind = recipe.plain_kind();
        self.family.store(recipe.family, Ordering::Relaxed);
        self.kind.store(kind, Ordering::Relaxed);
        self.proto.store(recipe.proto, Ordering::Relaxed);
        self.set_timeout(timeout);
        self.without_attempts.store(attempts::of_kind(recipe.family, kind, recipe.proto) | closed, Ordering::Relaxed);
        self.settle_error();
        self.descriptor.put(fd);
    }

    /// The address family.
    pub fn family(&self) -> c_int {
        self.family.load(Ordering::Relaxed)
    }

    /// The type, without `SOCK_NONBLOCK` and `SOCK_CLOEXEC`.
    pub fn kind(&self) -> c_int {
        self.kind.load(Ordering::Relaxed)
    }

    /// The protocol.
    pub fn proto(&self) -> c_int {
        self.proto.load(Ordering::Relaxed)
    }

    /// The timeout.
    #[inline]
    pub fn timeout(&self) -> Timeout {
        Timeout::from_nanoseconds(self.timeout.load(Ordering::Relaxed))
    }

    fn set_timeout(&self, timeout: Timeout) {
        self.timeout.store(timeout.nanoseconds(), Ordering::Relaxed);
    }

    /// How long a call waits from now on.
    pub fn patience(&self) -> Patience {
        Patience::from_now(self.timeout())
    }

    /// The memory of how transfers in this direction went.
    #[inline]
    pub fn readiness(&self, direction: Direction) -> &Memory {
        match direction {
            Direction::Read => &self.readable,
            Direction::Write => &self.writable,
        }
    }

    /// How many file objects made by `makefile` are open on it.
    pub fn files(&self) -> &AtomicI32 {
        &self.files
    }

    /// Whether the public class's `close` was called.
    pub fn marked_closed(&self) -> &AtomicBool {
        &self.marked_closed
    }

    /// Whether the last transfer that asked for much got much.
    pub fn abundant(&self) -> &AtomicBool {
        &self.abundant
    }

    /// Who sent last.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// What an address given to `caller` is read with.
    pub fn address_context(&self, caller: &'static str) -> Context<'_> {
        Context { family: self.family(), proto: self.proto(), descriptor: &self.descriptor, caller }
    }

    /// Leaves an error to the next call, because the call that met it has succeeded in part. The kernel tells each error of a
    /// connection once; those that it would tell again, or that have passed by then, are not owed.
    pub fn owe(&self, error: &io::Error) {
        let errno = error.raw_os_error().unwrap_or(0);
        if matches!(errno, libc::ECONNRESET | libc::ETIMEDOUT | libc::EHOSTUNREACH | libc::ENETUNREACH) {
            self.owed_error.store(errno, Ordering::Relaxed);
            self.readable.close_to_attempts();
            self.writable.close_to_attempts();
        }
    }

    /// The error that is owed.
    pub fn owed_error(&self) -> Option<c_int> {
        let errno = self.owed_error.load(Ordering::Relaxed);
        (errno != 0).then_some(errno)
    }

    /// The error has been told.
    pub fn settle_error(&self) {
        self.owed_error.store(0, Ordering::Relaxed);
        for direction in [Direction::Read, Direction::Write] {
            self.readiness(direction).open_to_attempts();
        }
        self.leave_attempts_out(0);
    }
}

/// The socket a method is called on.
#[derive(Clone, Copy)]
pub struct This<'a, 'py> {
    object: Borrowed<'a, 'py, PyAny>,
}

impl<'py> Receiver<'_, 'py> for This<'_, 'py> {
    #[inline]
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: as the caller promises; a method of the class is only called on its instances.
        unsafe {
            hint::assert_unchecked(!pointer.is_null());
            This { object: Borrowed::from_ptr(py, pointer) }
        }
    }
}

impl<'a, 'py> This<'a, 'py> {
    /// The attached interpreter.
    #[inline]
    pub fn py(&self) -> Python<'py> {
        self.object.py()
    }

    /// The state.
    #[inline]
    pub fn socket(&self) -> &'a Socket {
        // SAFETY: the object is an instance of a class made in this crate, whose instances begin with an `Object`, initialised by
        // their `__new__`; it lives for 'a.
        unsafe { &(*self.object.as_ptr().cast::<Object>()).socket }
    }

    /// The Python object.
    #[inline]
    pub fn object(&self) -> Borrowed<'a, 'py, PyAny> {
        self.object
    }

    /// `None`, as a method that has nothing to say returns it.
    pub fn none(&self) -> Bound<'py, PyAny> {
        self.py().None().into_bound(self.py())
    }
}
