//! The sizes of control messages: `cmsg(3)`.

use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::format::Format;
use crate::interpreter::function::Table;
use crate::interpreter::make::IntoObject;
use crate::sys::ancillary;

/// Functions of the module that compute the sizes of control messages.
pub static FUNCTIONS: Table = functions![
    function c"CMSG_LEN" => cmsg_len, c"CMSG_LEN($module, length, /)\n--\n\n\
        The length in bytes of a control message with length bytes of data, without the padding behind it.\n\n\
        Raises OverflowError when length is negative or too large. For the size of a buffer use CMSG_SPACE(). See cmsg(3), RFC 3542.";
    function c"CMSG_SPACE" => cmsg_space, c"CMSG_SPACE($module, length, /)\n--\n\n\
        The space in bytes that a control message with length bytes of data takes in the buffer of recvmsg().\n\n\
        For several messages, add the space of each. Raises OverflowError when length is negative or too large. See cmsg(3).";
];

fn cmsg_len<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    match data_length(arguments, const { Format::new(c"n:CMSG_LEN") })?.and_then(ancillary::length) {
        Some(length) => length.into_object(py),
        None => Err(Error::overflow("CMSG_LEN() argument out of range")),
    }
}

fn cmsg_space<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    match data_length(arguments, const { Format::new(c"n:CMSG_SPACE") })?.and_then(ancillary::space) {
        Some(space) => space.into_object(py),
        None => Err(Error::overflow("CMSG_SPACE() argument out of range")),
    }
}

/// The argument `length`, in bytes; `None` if it is negative.
fn data_length(arguments: Arguments<'_, '_>, format: Format<(isize,)>) -> Result<Option<usize>> {
    let (length,) = format.tuple(&arguments.tuple()?, (0,))?;
    Ok(usize::try_from(length).ok())
}
