//! The state of a socket, which its calls read and write.
//!
//! `socket::object` has the class whose instances hold this state.

use std::ffi::c_int;
use std::io;
use std::mem::offset_of;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use super::attempts::{self, Directions};
use super::deadline::Deadline;
use super::descriptor::Descriptor;
use super::predictor::Predictor;
use super::scope;
use super::spec::Spec;
use super::timeout::{Timeout, TimeoutField};
use super::turnaround::Turnaround;
use crate::sys::wait::Direction;

/// A socket's state. Any thread can read and write all of it.
///
/// The fields up to `timeout` are laid out as in CPython's `PySocketSockObject`, because `_ssl` reads them.
#[repr(C)]
#[derive(Debug)]
pub struct Socket {
    descriptor: Descriptor,
    family: AtomicI32,
    kind: AtomicI32,
    proto: AtomicI32,
    error_handler: unsafe extern "C" fn() -> *mut ffi::PyObject,
    timeout: TimeoutField,
    io_refs: AtomicI32,
    deferred_error: AtomicI32,
    readable: Predictor,
    writable: Predictor,
    marked_closed: AtomicBool,
    bulk: AtomicBool,
    /// The [`Mark`]s, and above them the directions without attempts: another byte would make each socket 16 bytes larger.
    marks: AtomicU8,
    turnaround: Turnaround,
}

/// The start of CPython's `PySocketSockObject` after its head, with the types that C gives it. (loom's atomics have other sizes.)
#[cfg(not(loom))]
#[repr(C)]
#[allow(dead_code, reason = "only the offsets are used")]
struct Original {
    fd: c_int,
    family: c_int,
    kind: c_int,
    proto: c_int,
    error_handler: unsafe extern "C" fn() -> *mut ffi::PyObject,
    timeout: i64,
}

#[cfg(not(loom))]
const _: () = {
    assert!(offset_of!(Socket, descriptor) == offset_of!(Original, fd));
    assert!(offset_of!(Socket, error_handler) == offset_of!(Original, error_handler));
    assert!(offset_of!(Socket, timeout) == offset_of!(Original, timeout));
};

/// The bits of the marks, and how far above them the directions are.
const MARKS: u8 = 0x0f;
const DIRECTIONS: u32 = 4;

/// Who has written something down about a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mark {
    /// Where in the program the socket was bound.
    Bound = 1,
    /// What a trace knows of it.
    Traced = 2,
}

/// Raises `OSError` from `errno`, for `_ssl`.
unsafe extern "C" fn raise_errno() -> *mut ffi::PyObject {
    // SAFETY: the thread is attached: `_ssl` calls this as it calls CPython's own error handler.
    unsafe { ffi::PyErr_SetFromErrno(ffi::PyExc_OSError) }
}

impl Default for Socket {
    /// The state of a socket whose `__init__` has not run: closed, and safe to use.
    fn default() -> Self {
        Socket {
            descriptor: Descriptor::closed(),
            family: AtomicI32::new(0),
            kind: AtomicI32::new(0),
            proto: AtomicI32::new(0),
            error_handler: raise_errno,
            timeout: TimeoutField::new(Timeout::NONE),
            io_refs: AtomicI32::new(0),
            deferred_error: AtomicI32::new(0),
            readable: Predictor::default(),
            writable: Predictor::default(),
            marked_closed: AtomicBool::new(false),
            bulk: AtomicBool::new(false),
            marks: AtomicU8::new(0),
            turnaround: Turnaround::default(),
        }
    }
}

impl Socket {
    /// The offset of the family in this struct, in bytes, for the attribute that reads it.
    pub const FAMILY: usize = offset_of!(Socket, family);
    /// The offset of the type, in bytes.
    pub const KIND: usize = offset_of!(Socket, kind);
    /// The offset of the protocol, in bytes.
    pub const PROTO: usize = offset_of!(Socket, proto);

    /// The descriptor.
    #[inline]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Takes over a descriptor with this spec. `excluded` are the directions in which the descriptor's options allow no first attempt;
    /// `None` if nobody has asked for the options.
    pub fn begin(&self, spec: Spec, timeout: Timeout, excluded: Option<Directions>, fd: OwnedFd) {
        let kind = spec.plain_kind();
        self.family.store(spec.family, Ordering::Relaxed);
        self.kind.store(kind, Ordering::Relaxed);
        self.proto.store(spec.proto, Ordering::Relaxed);
        self.set_timeout(timeout);
        let by_kind = attempts::excluded_by_kind(spec.family, kind, spec.proto);
        self.marks.fetch_and(MARKS, Ordering::Relaxed);
        self.marks.fetch_or((by_kind | excluded.unwrap_or(0)) << DIRECTIONS, Ordering::Relaxed);
        self.clear_deferred_error();
        if excluded.is_none() {
            self.predictors().for_each(Predictor::suspend);
        }
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
        self.timeout.get()
    }

    /// Sets the timeout. The caller must set or clear `O_NONBLOCK` accordingly.
    pub fn set_timeout(&self, timeout: Timeout) {
        self.timeout.set(timeout);
    }

    /// The deadline of a call that begins to wait now: the nearer one of the socket's timeout and of the thread.
    pub fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout()).within(scope::deadline())
    }

    /// The predictor for transfers in this direction.
    #[inline]
    pub fn predictor(&self, direction: Direction) -> &Predictor {
        match direction {
            Direction::Read => &self.readable,
            Direction::Write => &self.writable,
        }
    }

    fn predictors(&self) -> impl Iterator<Item = &Predictor> {
        [Direction::Read, Direction::Write].into_iter().map(|direction| self.predictor(direction))
    }

    /// How soon the peer answers.
    pub fn turnaround(&self) -> &Turnaround {
        &self.turnaround
    }

    /// Asks for the options of a descriptor that other code has made, unless that was done: see [`attempts::excluded_by_descriptor`]. Many a
    /// socket never transfers anything (a duplicate for another process, a listener), so this waits until somebody wants to know. Returns
    /// whether it was done now.
    #[inline]
    pub fn ask_for_options(&self, py: Python<'_>) -> bool {
        self.predictors().any(Predictor::is_suspended) && self.ask_now(py)
    }

    #[cold]
    fn ask_now(&self, py: Python<'_>) -> bool {
        let asked = |fd: BorrowedFd<'_>| Ok(attempts::excluded_by_descriptor(fd, self.family(), self.kind()));
        // A closed socket makes no attempts anyway.
        let Ok(excluded) = self.descriptor.attached(py, asked) else { return false };
        self.exclude_attempts(excluded);
        self.predictors().for_each(Predictor::resume);
        true
    }

    /// The directions in which no first attempt is made.
    pub fn without_attempts(&self, py: Python<'_>) -> Directions {
        self.ask_for_options(py);
        self.excluded()
    }

    /// The same as far as is known; `None` if nobody has asked for the options.
    pub fn known_without_attempts(&self) -> Option<Directions> {
        let is_known = !self.predictors().any(Predictor::is_suspended);
        is_known.then(|| self.excluded())
    }

    fn excluded(&self) -> Directions {
        self.marks.load(Ordering::Relaxed) >> DIRECTIONS
    }

    /// Makes no first attempts in these directions any more.
    pub fn exclude_attempts(&self, excluded: Directions) {
        let before = self.marks.fetch_or(excluded << DIRECTIONS, Ordering::Relaxed) >> DIRECTIONS;
        let excluded = before | excluded;
        for direction in [Direction::Read, Direction::Write] {
            if excluded & attempts::bit(direction) != 0 {
                self.predictor(direction).disable();
            }
        }
    }

    /// How many file objects made by `makefile` are open on the socket: `_io_refs` in Python.
    pub fn io_refs(&self) -> &AtomicI32 {
        &self.io_refs
    }

    /// Whether the public class's `close` was called: `_closed` in Python.
    pub fn marked_closed(&self) -> &AtomicBool {
        &self.marked_closed
    }

    /// Whether the peer sends in bulk: the last receive into a large buffer filled much of it.
    pub fn bulk(&self) -> &AtomicBool {
        &self.bulk
    }

    /// Who has written something down about the socket, and wants to know of its end: see [`hooks`](super::hooks).
    #[inline]
    pub fn has_mark(&self, mark: Mark) -> bool {
        self.marks.load(Ordering::Relaxed) & mark as u8 != 0
    }

    /// Whether anyone has.
    #[inline]
    pub fn is_marked(&self) -> bool {
        self.marks.load(Ordering::Relaxed) & MARKS != 0
    }

    /// Sets or removes a mark.
    pub fn set_mark(&self, mark: Mark, set: bool) {
        if set {
            self.marks.fetch_or(mark as u8, Ordering::Relaxed);
        } else {
            self.marks.fetch_and(!(mark as u8), Ordering::Relaxed);
        }
    }

    /// Defers an error to the next call, because the call that got the error has succeeded in part. Only the errors of a connection are
    /// deferred, since the kernel reports each of them once. Other errors are not: the kernel reports them again, or they no longer hold
    /// at the next call.
    pub fn defer_error(&self, error: &io::Error) {
        let errno = error.raw_os_error().unwrap_or(0);
        if matches!(
            errno,
            libc::ECONNABORTED | libc::ECONNRESET | libc::ETIMEDOUT | libc::EHOSTUNREACH | libc::ENETUNREACH
        ) {
            self.deferred_error.store(errno, Ordering::Relaxed);
            self.readable.disable();
            self.writable.disable();
        }
    }

    /// The errno that was deferred to the next call, if any.
    pub fn deferred_error(&self) -> Option<c_int> {
        let errno = self.deferred_error.load(Ordering::Relaxed);
        (errno != 0).then_some(errno)
    }

    /// Clears the deferred error, after it was reported. First attempts are made again in the directions that are not excluded.
    pub fn clear_deferred_error(&self) {
        self.deferred_error.store(0, Ordering::Relaxed);
        self.predictors().for_each(Predictor::reset);
        self.exclude_attempts(0);
    }
}
