//! Addresses of a family that this library does not know.

use pyo3::prelude::*;
use socket2::SockAddr;

use super::sockaddr::{bytes_of, field};
use crate::error::Result;
use crate::interpreter::make::{self, IntoObject};

/// `(family, bytes)`, as in CPython: the bytes are the 14 of a `sockaddr`'s `sa_data`.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr) -> Result<Bound<'py, PyAny>> {
    (address.family(), make::bytes(py, &field::<14>(bytes_of(address), 2))?).into_object(py)
}
