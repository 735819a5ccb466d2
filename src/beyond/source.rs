//! Where received bytes come from: a socket of this library, directly, or any other object by its method `recv`.
//!
//! The method counts, and not the class: `ssl.SSLSocket` is a subclass whose `recv` decrypts, and programs replace methods for a while. So a
//! socket is received from directly only if its `recv` is the one of this library.

use std::ffi::c_int;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::interpreter::buffer::Buffer;
use crate::interpreter::class;
use crate::interpreter::function::Receiver;
use crate::interpreter::make::IntoObject;
use crate::name;
use crate::socket::class::is_recv_of;
use crate::socket::object::SocketRef;
use crate::sys::receive::ReceiveBuffer;

/// Where bytes come from.
pub enum Source<'a, 'py> {
    /// A socket of this library.
    Socket(SocketRef<'a, 'py>),
    /// A method `recv`.
    Method(Bound<'py, PyAny>),
}

/// The version tag of a class whose instances all have the `recv` of this library: of the public class, unless a program has changed it.
static KNOWN: AtomicU32 = AtomicU32::new(0);

/// The most bytes that a method is asked for at once.
const BLOCK: usize = 64 * 1024;

impl<'a, 'py> Source<'a, 'py> {
    /// The source that an object is.
    #[inline]
    pub fn of(object: Borrowed<'a, 'py, PyAny>) -> Result<Self> {
        let version = class_version(object);
        if version == 0 || version != KNOWN.load(Ordering::Relaxed) {
            return Self::look_up(object, version);
        }
        // SAFETY: its class has the method of the class `socket`, as only subclasses of that can have.
        Ok(Source::Socket(unsafe { SocketRef::from_interpreter(object.py(), object.as_ptr()) }))
    }

    #[cold]
    fn look_up(object: Borrowed<'a, 'py, PyAny>, version: u32) -> Result<Self> {
        let py = object.py();
        let method = object.getattr(name!(py, "recv")?)?;
        if !is_recv_of(&method, &object) {
            return Ok(Source::Method(method));
        }
        // The version of before: one that has changed since does not come back.
        if class::decides_alone(object.get_type().as_borrowed()) {
            KNOWN.store(version, Ordering::Relaxed);
        }
        // SAFETY: the interpreter has bound the method of the class `socket` to the object, which is an instance therefore.
        Ok(Source::Socket(unsafe { SocketRef::from_interpreter(py, object.as_ptr()) }))
    }
}

/// Refuses a socket that receives messages, for what does not know how long they are. `what` is what the program has called.
pub fn check_kind(socket: SocketRef<'_, '_>, what: &str) -> Result<()> {
    if socket.socket().kind() == libc::SOCK_STREAM {
        return Ok(());
    }
    let text = "is for sockets of type SOCK_STREAM: the rest of a longer message would be lost";
    Err(Error::value(format_args!("{what}() {text}")))
}

#[inline]
fn class_version(object: Borrowed<'_, '_, PyAny>) -> u32 {
    // SAFETY: an object has a class, which lives as long as the object: it is borrowed for this call only.
    class::version(unsafe { Borrowed::from_ptr(object.py(), ffi::Py_TYPE(object.as_ptr()).cast()).cast_unchecked() })
}

/// Receives by a method `recv`, into the part of the buffer that is not filled, and returns the number of bytes.
pub fn receive_by(method: &Bound<'_, PyAny>, buffer: &mut ReceiveBuffer<'_>, flags: c_int) -> Result<usize> {
    let py = method.py();
    let asked = buffer.left().min(BLOCK);
    let size = asked.into_object(py)?;
    let received = match flags {
        0 => method.call1((size,))?,
        flags => method.call1((size, flags.into_object(py)?))?,
    };
    let received = Buffer::readable(&received)?;
    let count = received.len();
    if count > asked {
        return Err(Error::os(format_args!("recv() returned {count} bytes, and was asked for {asked} at most")));
    }
    buffer.append(received.bytes());
    Ok(count)
}
