//! What an address given by Python is parsed for: a socket, and a method of it.

use std::ffi::c_int;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::descriptor::Descriptor;
use crate::error::{Error, Result};
use crate::interpreter::type_name::type_name;

/// The socket that an address is for, and the method that it was given to.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The socket's family.
    pub family: c_int,
    /// The socket's protocol, which decides the form in AF_CAN and AF_BLUETOOTH.
    pub proto: c_int,
    /// The socket's descriptor, through which families that name interfaces ask for their numbers.
    pub descriptor: &'a Descriptor,
    /// The method, for error messages.
    pub caller: &'static str,
}

/// The socket that an address came from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Its protocol, which decides the form in AF_CAN and AF_BLUETOOTH.
    pub proto: c_int,
    /// Its descriptor, through which families that name interfaces ask for their names.
    pub descriptor: &'a Descriptor,
}

/// The tuple that an address of this family must be.
pub fn tuple<'a, 'py>(
    context: Context<'_>,
    family: &str,
    address: &'a Bound<'py, PyAny>,
) -> Result<&'a Bound<'py, PyTuple>> {
    address.cast::<PyTuple>().map_err(|_| {
        let caller = context.caller;
        let class = type_name(address);
        Error::type_error(format_args!("{caller}(): {family} address must be tuple, not {class}"))
    })
}
