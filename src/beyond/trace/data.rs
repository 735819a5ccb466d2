//! The bytes that a call has sent or received, where the program keeps them.

use std::slice;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyList, PyMemoryView, PyTuple};

use crate::interpreter::buffer::Buffer;

/// Calls a function with the bytes of an object; not at all for an object whose class might run Python code to give them.
pub fn with_bytes<T>(object: &Bound<'_, PyAny>, function: impl FnOnce(&[u8]) -> T) -> Option<T> {
    if object.is_exact_instance_of::<PyBytes>() {
        // SAFETY: a bytes object owns its memory, which is initialised, does not change, and lives as long as the object.
        let bytes = unsafe {
            let length = ffi::Py_SIZE(object.as_ptr()).cast_unsigned();
            slice::from_raw_parts(ffi::PyBytes_AS_STRING(object.as_ptr()).cast::<u8>(), length)
        };
        return Some(function(bytes));
    }
    if !is_memory(object) {
        return None;
    }
    match Buffer::readable(object) {
        Ok(buffer) => Some(function(buffer.bytes())),
        Err(error) => {
            error.discard(object.py());
            None
        }
    }
}

/// The length of a bytearray, memoryview or array in bytes; `None` for any other object.
pub fn length_of_memory(object: &Bound<'_, PyAny>) -> Option<usize> {
    if is_memory(object) { with_bytes(object, <[u8]>::len) } else { None }
}

/// Whether an object is of a class of the interpreter that gives its memory away without running Python code.
fn is_memory(object: &Bound<'_, PyAny>) -> bool {
    if object.is_exact_instance_of::<PyByteArray>() || object.is_exact_instance_of::<PyMemoryView>() {
        return true;
    }
    // A class that a program has made in Python, of the same name, is not immutable.
    // SAFETY: an object has a class, whose name is a C string.
    unsafe {
        let class = ffi::Py_TYPE(object.as_ptr());
        let is_immutable = ffi::PyType_HasFeature(class, ffi::Py_TPFLAGS_IMMUTABLETYPE) != 0;
        is_immutable && std::ffi::CStr::from_ptr((*class).tp_name) == c"array.array"
    }
}

/// Appends the bytes of several buffers, a list or tuple, `limit` bytes at most.
pub fn gather(buffers: &Bound<'_, PyAny>, limit: usize, into: &mut Vec<u8>) {
    let mut append = |buffer: Bound<'_, PyAny>| {
        with_bytes(&buffer, |bytes| {
            let bytes = &bytes[..bytes.len().min(limit.saturating_sub(into.len()))];
            if into.try_reserve(bytes.len()).is_ok() {
                into.extend_from_slice(bytes);
            }
        });
    };
    if let Ok(list) = buffers.cast_exact::<PyList>() {
        list.iter().for_each(&mut append);
    } else if let Ok(tuple) = buffers.cast_exact::<PyTuple>() {
        tuple.iter().for_each(&mut append);
    }
}

/// Copies bytes, `limit` at most.
pub fn copy(bytes: &[u8], limit: usize, into: &mut Vec<u8>) {
    let bytes = &bytes[..bytes.len().min(limit)];
    if into.try_reserve(bytes.len()).is_ok() {
        into.extend_from_slice(bytes);
    }
}
