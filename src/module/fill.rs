//! Adds the classes, functions and constants to the module.

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
use crate::names::lookup::forks;
use crate::public::{lifecycle, registry, sendfile};
use crate::{beyond, functions, public, resolve, socket};

/// Functions that only the Python package `oxisocket` uses.
static PRIVATE: Table = functions![
    positional c"_register" => registry::register, c"_register($module, AddressFamily, SocketKind, names, /)\n--\n\n\
        Registers the enumerations that the package made, and the dict of its globals. The last call wins.";
    positional c"_hand_over" => lifecycle::hand_over, c"_hand_over($module, class, family, type, proto, fileno, is_new, /)\n--\n\n\
        Calls class(family, type, proto, fileno) with a descriptor that has no other owner, and closes the descriptor if that fails\n\
        before a socket took it over. A descriptor that is_new has no options yet.";
];

/// Adds everything to the module. A program that removes it from `sys.modules` and imports it again gets a new module with the same
/// classes.
pub fn fill(module: &Bound<'_, PyModule>) -> Result<()> {
    let py = module.py();
    refuse_subinterpreters()?;
    function::prepare(py)?;
    descriptor::watch_forks()?;
    forks::watch_forks()?;
    ending::hang_threads_that_end();
    beyond::notes::begin();
    beyond::trace::begin(constants::name_of, public::file::socket_of_file);
    // The `__module__` of classes and functions is `_socket`, as in CPython, wherever the module is imported from.
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
    set(module, c"_Deadline", beyond::deadline::create(module)?)?;
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
    for &(name, text) in constants::TEXTS {
        set(module, name, text)?;
    }
    for constant in constants::TABLE {
        add_constant(module, constant)?;
    }
    #[cfg(not(Py_3_14))]
    for patched in constants::PATCHED.iter().filter(|patched| is_patched(py, patched.since)) {
        add_constant(module, &patched.constant)?;
    }
    Ok(())
}

fn set<'py>(module: &Bound<'py, PyModule>, name: &CStr, value: impl IntoObject<'py>) -> Result<()> {
    let value = value.into_object(module.py())?;
    // SAFETY: the thread is attached, because `module` is bound. The name is a C string and both objects are valid. The module takes a
    // reference of its own to the value.
    let refused = unsafe { ffi::PyObject_SetAttrString(module.as_ptr(), name.as_ptr(), value.as_ptr()) };
    if refused < 0 { Err(Error::Raised) } else { Ok(()) }
}

/// `ImportError` in a subinterpreter. The classes and caches are statics of the process: they must neither outlive the interpreter that
/// made them nor be shared by two.
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
        &beyond::deadline::FUNCTIONS,
        &beyond::interfaces::FUNCTIONS,
        &beyond::reader::FUNCTIONS,
        &beyond::notes::FUNCTIONS,
        &beyond::trace::functions::FUNCTIONS,
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
        // SAFETY: the thread is attached. Each table is static, ends with a null entry, and its functions expect a module as receiver.
        let refused = unsafe { ffi::PyModule_AddFunctions(module.as_ptr(), table.as_ptr()) };
        if refused < 0 {
            return Err(Error::Raised);
        }
    }
    Ok(())
}

/// Whether the interpreter is one of these releases, or a later patch release of the same version.
#[cfg(not(Py_3_14))]
fn is_patched(py: Python<'_>, since: &[(u8, u8, u8)]) -> bool {
    let running = py.version_info();
    since.iter().any(|&release| (running.major, running.minor) == (release.0, release.1) && running >= release)
}

fn add_constant(module: &Bound<'_, PyModule>, constant: &constants::Constant) -> Result<()> {
    // SAFETY: the thread is attached. The module is valid, and the name is a static C string.
    let refused = unsafe { ffi::PyModule_AddIntConstant(module.as_ptr(), constant.name.as_ptr(), constant.value as _) };
    if refused < 0 { Err(Error::Raised) } else { Ok(()) }
}
