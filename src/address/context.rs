//! The socket and the method that an address is parsed for, or came from.

use std::ffi::c_int;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::descriptor::Descriptor;
use crate::error::{Error, Result};
use crate::interpreter::type_name::type_name;

/// The socket that an address from Python is for, and the method that got it.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The socket's family.
    pub family: c_int,
    /// The socket's protocol, which determines the form in `AF_CAN` and `AF_BLUETOOTH`.
    pub proto: c_int,
    /// The socket's file descriptor, with which some families look up the number of an interface.
    pub descriptor: &'a Descriptor,
    /// The method's name, for error messages.
    pub caller: &'static str,
}

/// The socket that the kernel returned an address for.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The socket's protocol, which determines the form in `AF_CAN` and `AF_BLUETOOTH`.
    pub proto: c_int,
    /// The socket's file descriptor, with which some families look up the name of an interface.
    #[cfg_attr(target_os = "macos", expect(dead_code, reason = "only families of Linux do"))]
    pub descriptor: &'a Descriptor,
}

/// Casts an address to a tuple; `TypeError` for any other object. `family` is the family's name, for the message.
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
