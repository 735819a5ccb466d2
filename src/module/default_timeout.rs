//! The default timeout, which new sockets get.

use pyo3::prelude::*;

use crate::call::timeout::{self, Timeout};
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::function::Table;

/// Functions of the module that read and set the default timeout.
pub static FUNCTIONS: Table = functions![
    noargs c"getdefaulttimeout" => getdefaulttimeout, c"getdefaulttimeout($module, /)\n--\n\n\
        The timeout of new sockets in seconds (a float), or None for no timeout, which is the initial value.";
    object c"setdefaulttimeout" => setdefaulttimeout, c"Sets the timeout of new sockets in seconds (a float), or None for no timeout.\n\n\
        Raises ValueError for a negative number.";
];

fn getdefaulttimeout(py: Python<'_>) -> ObjectResult<'_> {
    timeout::default().to_python(py)
}

fn setdefaulttimeout<'py>(py: Python<'py>, value: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    timeout::set_default(Timeout::from_python(value)?);
    Ok(py.None().into_bound(py))
}
