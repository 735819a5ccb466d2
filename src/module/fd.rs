//! `close` and `dup` of a socket given as a file descriptor.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::function::Table;
use crate::interpreter::make::IntoObject;
use crate::interpreter::number;
use crate::{functions, sys};

/// Functions of the module that take a file descriptor.
pub static FUNCTIONS: Table = functions![
    object c"close" => close, c"Closes the socket with this descriptor, an integer.\n\n\
        Nothing may use the descriptor afterwards. Raises OSError, but not when the peer reset the connection; see close(2).";
    object c"dup" => dup, c"Another descriptor, an integer, for the socket with this one.\n\n\
        It is not inherited by programs that this one starts (PEP 446). Raises OSError; see dup(2).";
];

fn close<'py>(py: Python<'py>, fd: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let number = open_descriptor(fd)?;
    // SAFETY: the number is not -1. Not guaranteed: that it is open and that the caller owns it, who promises both by calling
    // `socket.close(fd)`.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    py.detach(|| sys::socket::close(fd))?;
    Ok(py.None().into_bound(py))
}

fn dup<'py>(py: Python<'py>, fd: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let number = open_descriptor(fd)?;
    // SAFETY: the number is not -1, and only this call uses the borrow. Not guaranteed: that it is open; then the call fails with EBADF.
    let fd = sys::socket::dup(unsafe { BorrowedFd::borrow_raw(number) })?;
    let number = fd.as_raw_fd().into_object(py)?;
    let _given_away = fd.into_raw_fd();
    Ok(number)
}

/// A number that may be an open descriptor. CPython passes a negative one to the system, which fails with EBADF; so does this.
fn open_descriptor(fd: &Bound<'_, PyAny>) -> Result<RawFd> {
    number::descriptor(fd)?.filter(|&number| number >= 0).ok_or_else(Error::closed)
}
