//! Fills the module.

use std::ffi::CStr;

use pyo3::exceptions::{PyOSError, PyTimeoutError};
use pyo3::ffi;
use pyo3::prelude::*;

use super::{byteorder, capi, cmsg, constants, default_timeout, exceptions, fd, inet, socketpair};
use crate::call::descriptor;
use crate::error::{Error, Result, resolver};
use crate::interpreter::ending;
use crate::interpreter::function::{self, Table};
use crate::interpreter::make::IntoObject;
use crate::public::{lifecycle, registry, sendfile};
use crate::{beyond, functions, public, resolve, socket};

/// What only the Python package `oxisocket` uses.
static PRIVATE: Table = functions![
    positional c"_register" => registry::register, c"_register($module, AddressFamily, SocketKind, names, /)\n--\n\n\
        Registers the enumerations that the package made, and the dict of its names. The last call counts.";
    positional c"_hand_over" => lifecycle::hand_over, c"_hand_over($module, class, family, type, proto, fileno, /)\n--\n\n\
        class(family, type, proto, fileno) for a descriptor that nobody else has: it is closed if that fails and no socket took it.";
];

/// Puts everything into the module. Who throws it out of `sys.modules` and imports it again gets another module; the classes are made once.
pub fn fill(module: &Bound<'_, PyModule>) -> Result<()> {
    let py = module.py();
    refuse_subinterpreters()?;
    function::prepare(py)?;
    descriptor::watch_forks();
    ending::hang_threads_that_end();
    // Classes and functions are the module `_socket`'s, as CPython's are, wherever it is imported from.
    set(module, c"__name__", "_socket")?;
    let base = socket::class::create(module)?;
    let class = public::class::create(module, &base)?;
    add_functions(module)?;
    set(module, c"__name__", "oxisocket._socket")?;

    set(module, c"CAPI", capi::capsule(&base)?)?;
    set(module, c"SocketType", &base)?;
    set(module, c"socket", base)?;
    set(module, c"Socket", class)?;
    set(module, c"RawSocketIO", public::file::create(module)?)?;
    set(module, c"_public_getaddrinfo", public::addrinfo::function(module)?)?;
    set(module, c"_GiveupOnSendfile", py.get_type::<sendfile::_GiveupOnSendfile>())?;

    set(module, c"error", py.get_type::<PyOSError>())?;
    if resolver::classes(py).is_none() {
        exceptions::find(py)?;
    }
    if let Some(classes) = resolver::classes(py) {
        set(module, c"gaierror", classes.gaierror.bind(py))?;
        set(module, c"herror", classes.herror.bind(py))?;
    }
    set(module, c"timeout", py.get_type::<PyTimeoutError>())?;

    set(module, c"__version__", env!("CARGO_PKG_VERSION"))?;
    set(module, c"has_ipv6", true)?;
    set(module, c"BDADDR_ANY", "00:00:00:00:00:00")?;
    set(module, c"BDADDR_LOCAL", "00:00:00:FF:FF:FF")?;
    for constant in constants::TABLE {
        add_constant(module, constant)?;
    }
    Ok(())
}

fn set<'py>(module: &Bound<'py, PyModule>, name: &CStr, value: impl IntoObject<'py>) -> Result<()> {
    let value = value.into_object(module.py())?;
    // SAFETY: a module, a string and an object, of which the module keeps a reference of its own.
    let refused = unsafe { ffi::PyObject_SetAttrString(module.as_ptr(), name.as_ptr(), value.as_ptr()) };
    if refused < 0 { Err(Error::Raised) } else { Ok(()) }
}

/// The module's classes and memories are the process's: they must not outlive the interpreter that made them, nor serve two.
fn refuse_subinterpreters() -> Result<()> {
    // SAFETY: the thread is attached, and the main interpreter lives as long as the process has any.
    let is_main = unsafe { ffi::PyInterpreterState_Get() == ffi::PyInterpreterState_Main() };
    if is_main {
        return Ok(());
    }
    Err(Error::import("module oxisocket._socket does not support loading in subinterpreters"))
}

fn add_functions(module: &Bound<'_, PyModule>) -> Result<()> {
    let tables = [
        &beyond::interfaces::FUNCTIONS,
        &byteorder::FUNCTIONS,
        &cmsg::FUNCTIONS,
        &default_timeout::FUNCTIONS,
        &fd::FUNCTIONS,
        &inet::FUNCTIONS,
        &resolve::addrinfo::FUNCTIONS,
        &resolve::hostname::FUNCTIONS,
        &resolve::hosts::FUNCTIONS,
        &resolve::interfaces::FUNCTIONS,
        &resolve::nameinfo::FUNCTIONS,
        &resolve::netdb::FUNCTIONS,
        &socketpair::FUNCTIONS,
        &PRIVATE,
    ];
    for table in tables {
        // SAFETY: each is a static table of functions that was made for a module.
        let refused = unsafe { ffi::PyModule_AddFunctions(module.as_ptr(), table.as_ptr()) };
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
