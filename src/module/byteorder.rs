//! Conversions of the byte order: `htons(3)` and its family.

use std::ffi::c_int;

use pyo3::prelude::*;

#[cfg(not(Py_3_14))]
use crate::error::Error;
use crate::error::Result;
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::clinic::{Only, alone, clinic_doc};
#[cfg(not(Py_3_13))]
use crate::interpreter::clinic::{parsable, parse_only};
use crate::interpreter::format::Format;
use crate::interpreter::function::Table;
use crate::interpreter::make::IntoObject;
use crate::interpreter::number::{self, plain_long};

/// Functions of the module that convert the byte order.
pub static FUNCTIONS: Table = functions![
    object c"htonl" => htonl, clinic_doc!("", "htonl($module, integer, /)\n--\n\n",
        "A 32-bit number in network byte order, given in the machine's.\n\nRaises OverflowError when it does not fit. See byteorder(3).");
    only c"htons" => htons, clinic_doc!("htons($self, x, /)\n--\n\n", "htons($module, integer, /)\n--\n\n",
        "A 16-bit number in network byte order, given in the machine's.\n\nRaises OverflowError when it does not fit. See byteorder(3).");
    object c"ntohl" => ntohl, clinic_doc!("", "ntohl($module, integer, /)\n--\n\n",
        "A 32-bit number in the machine's byte order, given in network byte order.\n\n\
        Raises OverflowError when it does not fit. See byteorder(3).");
    only c"ntohs" => ntohs, clinic_doc!("ntohs($self, x, /)\n--\n\n", "ntohs($module, integer, /)\n--\n\n",
        "A 16-bit number in the machine's byte order, given in network byte order.\n\n\
        Raises OverflowError when it does not fit. See byteorder(3).");
];

fn htons<'py>(py: Python<'py>, number: Only<'_, 'py>) -> ObjectResult<'py> {
    let number = uint16(number, "htons", const { Format::new(c"i:htons") })?;
    number.to_be().into_object(py)
}

fn ntohs<'py>(py: Python<'py>, number: Only<'_, 'py>) -> ObjectResult<'py> {
    let number = uint16(number, "ntohs", const { Format::new(c"i:ntohs") })?;
    u16::from_be(number).into_object(py)
}

fn htonl<'py>(py: Python<'py>, number: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    uint32(number)?.to_be().into_object(py)
}

fn ntohl<'py>(py: Python<'py>, number: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    u32::from_be(uint32(number)?).into_object(py)
}

fn uint16(number: Only<'_, '_>, name: &str, format: Format<(c_int,)>) -> Result<u16> {
    let plain = alone(number).and_then(|number| plain_long(&number));
    match plain.and_then(|number| u16::try_from(number).ok()) {
        Some(number) => Ok(number),
        None => uint16_not_plain(number, name, format),
    }
}

#[cfg(Py_3_14)]
fn uint16_not_plain(number: Only<'_, '_>, _name: &str, _format: Format<(c_int,)>) -> Result<u16> {
    number::unsigned(number, "uint16_t")
}

#[cfg(not(Py_3_14))]
fn uint16_not_plain(number: Only<'_, '_>, name: &str, format: Format<(c_int,)>) -> Result<u16> {
    let number = int(number, format)?;
    u16::try_from(number).map_err(|_| {
        let what = if number < 0 { "can't convert negative Python int" } else { "Python int too large to convert" };
        Error::overflow(format_args!("{name}: {what} to C 16-bit unsigned integer"))
    })
}

#[cfg(all(Py_3_13, not(Py_3_14)))]
fn int(number: Only<'_, '_>, _format: Format<(c_int,)>) -> Result<c_int> {
    plain_long(&number::index(number)?)
        .and_then(|number| c_int::try_from(number).ok())
        .ok_or_else(|| Error::overflow("Python int too large to convert to C int"))
}

#[cfg(not(Py_3_13))]
fn int(number: Only<'_, '_>, format: Format<(c_int,)>) -> Result<c_int> {
    parse_only(format, &parsable(number)?, 0)
}

fn uint32(number: &Bound<'_, PyAny>) -> Result<u32> {
    match plain_long(number).and_then(|number| u32::try_from(number).ok()) {
        Some(number) => Ok(number),
        None => uint32_not_plain(number),
    }
}

#[cfg(Py_3_14)]
fn uint32_not_plain(number: &Bound<'_, PyAny>) -> Result<u32> {
    number::unsigned(number, "uint32_t")
}

#[cfg(not(Py_3_14))]
fn uint32_not_plain(number: &Bound<'_, PyAny>) -> Result<u32> {
    if !number.is_instance_of::<pyo3::types::PyInt>() {
        let class = crate::interpreter::type_name::type_name(number);
        return Err(Error::type_error(format_args!("expected int, {class} found")));
    }
    u32::try_from(number::unsigned_long(number)?).map_err(|_| Error::overflow("int larger than 32 bits"))
}
