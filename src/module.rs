//! What the module exports.

use pyo3::exceptions::{PyImportError, PyOSError, PyTimeoutError};
use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::interpreter::ending;
use crate::interpreter::function::Table;
use crate::public::{kinds, sendfile};
use crate::{capi, constants, convert, descriptor, file, functions, netdb, pair, public, resolve, socket};

/// What only the Python package `oxisocket` uses.
static PRIVATE: Table = functions![
    positional c"_adopt" => kinds::adopt, c"_adopt($module, AddressFamily, SocketKind, names, /)\n--\n\n\
        Hands over the enumerations that the package made, and the dict of its names. Only the first call counts.";
];

/// Puts everything into the module.
pub fn fill(module: &Bound<'_, PyModule>) -> Result<()> {
    let py = module.py();
    refuse_subinterpreters()?;
    // PyO3 makes this class when it first takes an exception, inside a cell. Where the class cannot be made then, with the stack used up or
    // without memory, that is an exception to take, and the thread waits for itself.
    py.get_type::<PanicException>();
    descriptor::watch_forks();
    ending::hang_threads_that_end();
    // Classes and functions are the module `_socket`'s, as CPython's are, wherever it is imported from.
    module.setattr("__name__", "_socket")?;
    let base = socket::class::create(module)?;
    let class = public::class::create(module, &base)?;
    add_functions(module)?;
    module.setattr("__name__", "oxisocket._socket")?;

    module.setattr("CAPI", capi::capsule(&base)?)?;
    module.setattr("SocketType", &base)?;
    module.setattr("socket", base)?;
    module.setattr("Socket", class)?;
    module.setattr("RawSocketIO", file::create(module)?)?;
    module.setattr("_public_getaddrinfo", resolve::public_getaddrinfo(module)?)?;
    module.setattr("_GiveupOnSendfile", py.get_type::<sendfile::_GiveupOnSendfile>())?;

    let (gaierror, herror) = resolve::errors::classes(py)?;
    module.setattr("error", py.get_type::<PyOSError>())?;
    module.setattr("gaierror", gaierror)?;
    module.setattr("herror", herror)?;
    module.setattr("timeout", py.get_type::<PyTimeoutError>())?;

    module.setattr("__version__", env!("CARGO_PKG_VERSION"))?;
    module.setattr("has_ipv6", true)?;
    module.setattr("BDADDR_ANY", "00:00:00:00:00:00")?;
    module.setattr("BDADDR_LOCAL", "00:00:00:FF:FF:FF")?;
    for constant in constants::TABLE {
        add_constant(module, constant)?;
    }
    Ok(())
}

/// The module's classes and memories are the process's: they must not outlive the interpreter that made them, nor serve two.
fn refuse_subinterpreters() -> Result<()> {
    // SAFETY: the thread is attached, and the main interpreter lives as long as the process has any.
    let is_main = unsafe { ffi::PyInterpreterState_Get() == ffi::PyInterpreterState_Main() };
    if is_main {
        return Ok(());
    }
    Err(PyImportError::new_err("module oxisocket._socket does not support loading in subinterpreters").into())
}

fn add_functions(module: &Bound<'_, PyModule>) -> Result<()> {
    let tables = [
        convert::FUNCTIONS.as_ptr(),
        netdb::FUNCTIONS.as_ptr(),
        pair::FUNCTIONS.as_ptr(),
        resolve::FUNCTIONS.as_ptr(),
        PRIVATE.as_ptr(),
    ];
    for table in tables {
        // SAFETY: each is a static table of functions that was made for a module.
        let refused = unsafe { ffi::PyModule_AddFunctions(module.as_ptr(), table) };
        if refused < 0 {
            return Err(Error::Raised);
        }
    }
    Ok(())
}

fn add_constant(module: &Bound<'_, PyModule>, constant: &constants::Constant) -> Result<()> {
    // SAFETY: a module, and a name that is static.
    let refused = unsafe { ffi::PyModule_AddIntConstant(module.as_ptr(), constant.name.as_ptr(), constant.value as _) };
    if refused < 0 { Err(Error::Raised) } else { Ok(()) }
}
