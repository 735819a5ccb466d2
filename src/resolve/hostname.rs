//! The name of this machine.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::Result;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::function::Table;
use crate::interpreter::text::{FS_CONVERTER, converted};
use crate::interpreter::{ObjectResult, make};
use crate::sys::database;
use crate::{audit, functions, parse_tuple};

/// Functions of the module for this machine's name.
pub static FUNCTIONS: Table = functions![
    noargs c"gethostname" => gethostname, c"The name of this machine; see gethostname(2).";
    function c"sethostname" => sethostname, c"sethostname($module, name, /)\n--\n\n\
        Gives this machine another name, str or bytes.\n\n\
        Raises PermissionError without the privilege, and OSError for a name that is too long. See sethostname(2).";
];

/// `gethostname()`.
pub fn gethostname(py: Python<'_>) -> ObjectResult<'_> {
    audit!(py, c"socket.gethostname", c"")?;
    let name = py.detach(database::gethostname)?;
    make::system_text(py, name.to_bytes())
}

fn sethostname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let name = host_name(py, arguments)?;
    audit!(py, c"socket.sethostname", c"(O)", name.as_ptr())?;
    database::sethostname(name.as_bytes())?;
    Ok(py.None().into_bound(py))
}

/// Bytes as they are, or what the file system's encoding makes of a `str` or a path.
fn host_name<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Result<Bound<'py, PyBytes>> {
    if arguments.len() == 1
        && let Some(name) = arguments.get(0)
        && let Ok(name) = name.cast::<PyBytes>()
    {
        return Ok(name.to_owned());
    }
    let mut name: *mut ffi::PyObject = ptr::null_mut();
    parse_tuple!(&arguments.tuple()?, c"O&:sethostname", FS_CONVERTER, &raw mut name)?;
    // SAFETY: the converter made it, for us to own.
    unsafe { converted(py, name) }
}
