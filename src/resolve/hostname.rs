//! The host name of this machine.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result};
use crate::functions;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::audit::audit;
use crate::interpreter::format::{Format, FsPath};
use crate::interpreter::function::Table;
use crate::interpreter::{ObjectResult, make};
use crate::sys::database;

/// The module's functions for this machine's host name.
pub static FUNCTIONS: Table = functions![
    noargs c"gethostname" => gethostname, c"The name of this machine; see gethostname(2).";
    function c"sethostname" => sethostname, c"sethostname($module, name, /)\n--\n\n\
        Sets the name of this machine, str or bytes.\n\n\
        Raises PermissionError without the privilege, and OSError for a name that is too long. See sethostname(2).";
];

/// `gethostname()`.
pub fn gethostname(py: Python<'_>) -> ObjectResult<'_> {
    audit(py, c"socket.gethostname", ())?;
    let name = database::gethostname()?;
    make::system_text(py, name.to_bytes())
}

fn sethostname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let name = host_name(arguments)?;
    audit(py, c"socket.sethostname", (name.as_any(),))?;
    database::sethostname(name.as_bytes())?;
    Ok(py.None().into_bound(py))
}

/// The argument of `sethostname`: bytes unchanged, or a `str` or a path in the file system's encoding.
fn host_name<'py>(arguments: Arguments<'_, 'py>) -> Result<Bound<'py, PyBytes>> {
    const FORMAT: Format<(FsPath,)> = Format::new(c"O&:sethostname");
    if arguments.len() == 1
        && let Some(name) = arguments.get(0)
        && let Ok(name) = name.cast::<PyBytes>()
    {
        return Ok(name.to_owned());
    }
    let (name,) = FORMAT.tuple(&arguments.tuple()?, (None,))?;
    name.ok_or_else(|| Error::type_error("a name is required"))
}
