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

/// Functions of the module that tell the sizes of control messages.
pub static FUNCTIONS: Table = functions![
    function c"CMSG_LEN" => cmsg_len, c"CMSG_LEN($module, length, /)\n--\n\n\
        The length in bytes of a control message with that many bytes of data, padding behind it not included.\n\n\
        Raises OverflowError when it is negative or more than fits. See cmsg(3) and RFC 3542; a buffer wants CMSG_SPACE().";
    function c"CMSG_SPACE" => cmsg_space, c"CMSG_SPACE($module, length, /)\n--\n\n\
        The room in bytes that a control message with that many bytes of data takes in recvmsg()'s buffer.\n\n\
        For several messages, add the room of each. Raises OverflowError when it is negative or more than fits. See cmsg(3).";
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

/// A length, `None` where it is negative.
fn data_length(arguments: Arguments<'_, '_>, format: Format<(isize,)>) -> Result<Option<usize>> {
    let (length,) = format.tuple(&arguments.tuple()?, (0,))?;
    Ok(usize::try_from(length).ok())
}
