//! Native TLS: `ssl.SSLSocket` is a class of the standard library whose methods have OpenSSL read and write. The package wraps them.

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::Result;
use crate::interpreter::later;
use crate::interpreter::observe::unobserved;
use crate::name;

/// Has the methods of native TLS traced, if a new socket is one of its class: `ssl` may have been imported after the trace began.
pub fn see(socket: &Bound<'_, PyAny>) {
    if !is_native_tls(socket) {
        return;
    }
    let py = socket.py();
    let wrapped: Result<_> = unobserved(|| {
        let module = py.import(name!(py, "oxisocket._beyond.tls")?)?;
        Ok(module.call_method0(name!(py, "tell_calls")?)?)
    });
    match wrapped {
        Ok(_) => {}
        Err(error) if error.is_no_memory(py) => error.discard(py),
        // The handler of a signal has raised it, for the program's own code.
        Err(error) => later::raise(py, error),
    }
}

/// Whether a class named `SSLSocket` is among the classes of an object.
fn is_native_tls(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: an object has a class, each class keeps its base alive, and their names are C strings.
    unsafe {
        let mut class = ffi::Py_TYPE(object.as_ptr());
        while !class.is_null() {
            if CStr::from_ptr((*class).tp_name) == c"SSLSocket" {
                return true;
            }
            class = (*class).tp_base;
        }
    }
    false
}
