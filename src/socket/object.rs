//! An instance of the class, and how methods get at its state.

use std::hint;

use pyo3::ffi;
use pyo3::prelude::*;

use super::peer::PeerCache;
use crate::address::context::{Context, Origin};
use crate::call::socket::Socket;
use crate::interpreter::function::Receiver;

/// A socket as the interpreter sees it. `_ssl` reads `fd` and `timeout` straight from this memory, where CPython's C struct has them,
/// and calls `error_handler`; the rest is ours.
#[repr(C)]
pub struct Object {
    _head: ffi::PyObject,
    pub(super) socket: Socket,
    pub(super) peer: PeerCache,
    /// The list of weak references. Only the public class has one: the base class, like CPython's, is not weakly referenceable.
    pub(crate) weak_references: *mut ffi::PyObject,
}

/// The socket a method is called on.
#[derive(Clone, Copy)]
pub struct SocketRef<'a, 'py> {
    object: Borrowed<'a, 'py, PyAny>,
}

impl<'py> Receiver<'_, 'py> for SocketRef<'_, 'py> {
    #[inline]
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: as the caller promises; a method of the class is only called on its instances.
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

    /// The state.
    #[inline]
    pub fn socket(&self) -> &'a Socket {
        // SAFETY: the object is an instance of a class made in this crate, whose instances begin with an `Object`, initialised by
        // their `__new__`; it lives for 'a.
        unsafe { &(*self.object.as_ptr().cast::<Object>()).socket }
    }

    /// The cache of the last peer's address.
    pub fn peer(&self) -> &'a PeerCache {
        // SAFETY: as in `socket`.
        unsafe { &(*self.object.as_ptr().cast::<Object>()).peer }
    }

    /// What an address given to `caller` is parsed for.
    pub fn address_context(&self, caller: &'static str) -> Context<'a> {
        let socket = self.socket();
        Context { family: socket.family(), proto: socket.proto(), descriptor: socket.descriptor(), caller }
    }

    /// What an address that came through this socket is decoded with.
    pub fn origin(&self) -> Origin<'a> {
        Origin { proto: self.socket().proto(), descriptor: self.socket().descriptor() }
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
