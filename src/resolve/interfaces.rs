//! Network interfaces by name and number.

use std::ffi::{CStr, c_uint};
use std::io;

use pyo3::prelude::*;

use crate::call::failure::{Failure, Question};
use crate::call::hooks;
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::clinic::{Only, clinic_doc, parsable, parse_only};
use crate::interpreter::format::{Format, FsPath};
use crate::interpreter::function::Table;
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::number::{self, plain_long};
use crate::sys::interface;
use crate::sys::memory;
use crate::{functions, sys};

/// The module's functions for network interfaces.
pub static FUNCTIONS: Table = functions![
    object c"if_indextoname" => if_indextoname, clinic_doc!("", "if_indextoname($module, if_index, /)\n--\n\n",
        "The name of the network interface with this number.\n\nRaises OSError when there is none. See if_indextoname(3).");
    noargs c"if_nameindex" => if_nameindex, c"The network interfaces, as a list of (number, name).\n\n\
        Raises OSError; see if_nameindex(3).";
    only c"if_nametoindex" => if_nametoindex, clinic_doc!("if_nametoindex($self, oname, /)\n--\n\n",
        "if_nametoindex($module, oname, /)\n--\n\n",
        "The number of the network interface with this name.\n\nRaises OSError when there is none. See if_nametoindex(3).");
];

fn if_nameindex(py: Python<'_>) -> ObjectResult<'_> {
    let interfaces = make::list(py)?;
    for (index, name) in interface::if_nameindex()? {
        make::append(&interfaces, (index, make::system_text(py, name.to_bytes())?))?;
    }
    Ok(interfaces.into_any())
}

fn if_nametoindex<'py>(py: Python<'py>, name: Only<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(FsPath,)> = Format::new(c"O&:if_nametoindex");
    let name = parse_only(FORMAT, &parsable(name)?, None)?;
    // Nothing is cut: the parser refuses a name with a NUL.
    let name = memory::until_nul(name.as_ref().map_or(&[], |name| name.as_bytes()))?;
    // If the C library refuses the name without a system call, this error is reported.
    sys::set_errno(libc::ENODEV);
    if let Some(index) = interface::if_nametoindex(&name) {
        return index.into_object(py);
    }
    let error =
        if cfg!(Py_3_14) { io::Error::last_os_error().into() } else { Error::os("no interface with this name") };
    Err(unknown(py, error, Question::Interface(&name)))
}

fn unknown(py: Python<'_>, error: Error, question: Question<&CStr>) -> Error {
    hooks::failed(py, error, Failure::look_up(question, None))
}

fn if_indextoname<'py>(py: Python<'py>, index: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let number = interface_number(index)?;
    let name = interface::if_indextoname(number)
        .map_err(|error| unknown(py, error.into(), Question::InterfaceNumber(number)))?;
    make::system_text(py, name.to_bytes())
}

fn interface_number(index: &Bound<'_, PyAny>) -> Result<c_uint> {
    match plain_long(index).and_then(|index| c_uint::try_from(index).ok()) {
        Some(index) => Ok(index),
        None if cfg!(Py_3_14) => number::unsigned(index, "unsigned int"),
        None => c_uint::try_from(number::unsigned_long(index)?).map_err(|_| no_such_interface()),
    }
}

/// The error for a number too large for an interface's. Before 3.13 CPython truncated it, so that 2³² + 1 was the first interface; here it
/// is an error.
fn no_such_interface() -> Error {
    if cfg!(Py_3_13) { Error::overflow("index is too large") } else { Error::errno(libc::ENXIO) }
}
