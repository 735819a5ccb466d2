//! The layout of an instance, and access to its state.

use std::hint;

use pyo3::ffi;
use pyo3::prelude::*;

use super::peer::PeerCache;
use crate::address::context::{Context, Origin};
use crate::call::socket::Socket;
use crate::interpreter::function::Receiver;

/// The memory of an instance. `_ssl` reads `fd` and `timeout` directly, at the offsets that they have in CPython's C struct, and calls
/// `error_handler`. The other fields are private to this crate.
#[repr(C)]
pub struct Object {
    _head: ffi::PyObject,
    pub(super) socket: Socket,
    pub(super) peer: PeerCache,
    /// The list of weak references. Only the public class has one: the base class, like CPython's, is not weakly referenceable.
    pub(crate) weak_references: *mut ffi::PyObject,
}

/// The socket that is the receiver of a method.
#[derive(Clone, Copy)]
pub struct SocketRef<'a, 'py> {
    object: Borrowed<'a, 'py, PyAny>,
}

impl<'py> Receiver<'_, 'py> for SocketRef<'_, 'py> {
    #[inline]
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: the caller promises an instance that lives for 'a, and the pointer of an object is not null.
        unsafe {
            hint::assert_unchecked(!pointer.is_null());
            SocketRef { object: Borrowed::from_ptr(py, pointer) }
        }
    }
}

impl<'a, 'py> SocketRef<'a, 'py> {
    /// The attached interpreter.
    #[inline]
    pub fn py(&self) -> Python<'py> {
        self.object.py()
    }

    /// The state of the socket.
    #[inline]
    pub fn socket(&self) -> &'a Socket {
        // SAFETY: `from_interpreter` got an instance of the class or of a subclass. Its memory begins with an `Object`, whose `socket`
        // `__new__` has initialised, and it is borrowed for 'a.
        unsafe { &(*self.object.as_ptr().cast::<Object>()).socket }
    }

    /// The cache of the last peer's address.
    pub fn peer(&self) -> &'a PeerCache {
        // SAFETY: as in `socket`: `__new__` has also initialised `peer`.
        unsafe { &(*self.object.as_ptr().cast::<Object>()).peer }
    }

    /// The context in which `caller`, the name of a method, parses an address.
    pub fn address_context(&self, caller: &'static str) -> Context<'a> {
        let socket = self.socket();
        Context { family: socket.family(), proto: socket.proto(), descriptor: socket.descriptor(), caller }
    }

    /// What is needed to convert an address that this socket received or was asked for.
    pub fn origin(&self) -> Origin<'a> {
        Origin { proto: self.socket().proto(), descriptor: self.socket().descriptor() }
    }

    /// The Python object.
    #[inline]
    pub fn object(&self) -> Borrowed<'a, 'py, PyAny> {
        self.object
    }

    /// `None`, for methods that return nothing else.
    pub fn none(&self) -> Bound<'py, PyAny> {
        self.py().None().into_bound(self.py())
    }
}
