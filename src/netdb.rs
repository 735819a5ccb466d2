//! Services, protocols, network interfaces and the host's own name.

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::{io, ptr};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{Only, clinic_doc, parse_only};
use crate::error::{Error, Result};
use crate::interpreter::arguments::{Arguments, plain_long};
use crate::interpreter::function::{Returned, Table};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::owned;
use crate::{audit, convert, functions, memory, parse_tuple, sys};

macro_rules! table {
    ($only:ident) => {
        functions![
            noargs c"gethostname" => gethostname, c"The name of this machine; see gethostname(2).";
            function c"getprotobyname" => getprotobyname, c"getprotobyname($module, protocolname, /)\n--\n\n\
                The number of an Internet protocol, such as 6 for 'tcp'.\n\n\
                Raises OSError for a protocol that is not known. See getprotobyname(3) and protocols(5).";
            function c"getservbyname" => getservbyname, c"\
                The port of a service by its name and, optionally, the name of a protocol: 80 for 'http' and 'tcp'.\n\n\
                The protocol is 'tcp' or 'udp'; without one, any will do. Raises OSError for a service that is not known.\n\
                See getservbyname(3) and services(5).";
            function c"getservbyport" => getservbyport, c"\
                The name of the service on a port and, optionally, by a protocol's name: 'http' for 80 and 'tcp'.\n\n\
                The protocol is 'tcp' or 'udp'; without one, any will do. Raises OverflowError for a port that is not within\n\
                0 and 65535, and OSError for one that has no service. See getservbyport(3) and services(5).";
            object c"if_indextoname" => if_indextoname, clinic_doc!("", "if_indextoname($module, if_index, /)\n--\n\n",
                "The name of the network interface with this number.\n\nRaises OSError when there is none. See if_indextoname(3).");
            noargs c"if_nameindex" => if_nameindex, c"The network interfaces, as a list of (number, name).\n\n\
                Raises OSError; see if_nameindex(3).";
            $only c"if_nametoindex" => if_nametoindex, clinic_doc!("if_nametoindex($self, oname, /)\n--\n\n",
                "if_nametoindex($module, oname, /)\n--\n\n",
                "The number of the network interface with this name.\n\nRaises OSError when there is none. See if_nametoindex(3).");
            function c"sethostname" => sethostname, c"sethostname($module, name, /)\n--\n\n\
                Gives this machine another name, str or bytes.\n\n\
                Raises PermissionError without the privilege, and OSError for a name that is too long. See sethostname(2).";
        ]
    };
}

/// Functions of the module that ask the machine's tables.
#[cfg(Py_3_13)]
pub static FUNCTIONS: Table = table!(object);

/// Functions of the module that ask the machine's tables.
#[cfg(not(Py_3_13))]
pub static FUNCTIONS: Table = table!(function);

/// `gethostname()`.
pub fn gethostname(py: Python<'_>) -> Returned<'_> {
    audit!(py, c"socket.gethostname", c"")?;
    let name = py.detach(sys::database::gethostname)?;
    make::system_text(py, name.to_bytes())
}

fn sethostname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let name = host_name(py, arguments)?;
    audit!(py, c"socket.sethostname", c"(O)", name.as_ptr())?;
    sys::database::sethostname(name.as_bytes())?;
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
    parse_tuple!(&arguments.tuple()?, c"O&:sethostname", CONVERTER, &raw mut name)?;
    // SAFETY: the converter made it, for us to own.
    unsafe { owned_bytes(py, name) }
}

/// What a parser calls for an `O&` that stands for a name or path.
const CONVERTER: unsafe extern "C" fn(*mut ffi::PyObject, *mut std::ffi::c_void) -> c_int = ffi::PyUnicode_FSConverter;

/// What [`CONVERTER`] made.
///
/// # Safety
///
/// `object` is an object, and nobody else will release it.
unsafe fn owned_bytes(py: Python<'_>, object: *mut ffi::PyObject) -> Result<Bound<'_, PyBytes>> {
    // SAFETY: as the caller promises.
    let object = unsafe { owned(py, object)? };
    Ok(object.cast_into::<PyBytes>().map_err(PyErr::from)?)
}

fn getservbyname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let tuple = arguments.tuple()?;
    let (mut name, mut protocol): (*const c_char, *const c_char) = (ptr::null(), ptr::null());
    parse_tuple!(&tuple, c"s|s:getservbyname", &raw mut name, &raw mut protocol)?;
    audit!(py, c"socket.getservbyname", c"ss", name, protocol)?;
    // SAFETY: a string and, where it was given, another, which the tuple holds.
    let (name, protocol) = unsafe { (CStr::from_ptr(name), given(protocol)) };
    match py.detach(|| sys::database::getservbyname(name, protocol))? {
        Some(port) => port.into_object(py),
        None => Err(Error::os("service/proto not found")),
    }
}

fn getservbyport<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let tuple = arguments.tuple()?;
    let (mut number, mut protocol): (c_int, *const c_char) = (0, ptr::null());
    parse_tuple!(&tuple, c"i|s:getservbyport", &raw mut number, &raw mut protocol)?;
    let port = u16::try_from(number).map_err(|_| Error::overflow("getservbyport: port must be 0-65535."))?;
    audit!(py, c"socket.getservbyport", c"is", number, protocol)?;
    // SAFETY: a string that the tuple holds, where it was given.
    let protocol = unsafe { given(protocol) };
    match py.detach(|| sys::database::getservbyport(port, protocol))? {
        Some(name) => make::utf8(py, name.to_bytes()),
        None => Err(Error::os("port/proto not found")),
    }
}

fn getprotobyname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let tuple = arguments.tuple()?;
    let mut name: *const c_char = ptr::null();
    parse_tuple!(&tuple, c"s:getprotobyname", &raw mut name)?;
    // SAFETY: a string that the tuple holds.
    let name = unsafe { CStr::from_ptr(name) };
    match py.detach(|| sys::database::getprotobyname(name))? {
        Some(number) => number.into_object(py),
        None => Err(Error::os("protocol not found")),
    }
}

/// An optional argument that a parser left null when it was not given.
///
/// # Safety
///
/// `string` is null, or a string that lives for `'a`.
unsafe fn given<'a>(string: *const c_char) -> Option<&'a CStr> {
    // SAFETY: as the caller promises.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) })
}

fn if_nameindex(py: Python<'_>) -> Returned<'_> {
    let interfaces = make::list(py)?;
    for (index, name) in sys::interface::if_nameindex()? {
        make::append(&interfaces, (index, make::system_text(py, name.to_bytes())?))?;
    }
    Ok(interfaces.into_any())
}

fn if_nametoindex<'py>(py: Python<'py>, name: Only<'_, 'py>) -> Returned<'py> {
    let mut converted: *mut ffi::PyObject = ptr::null_mut();
    parse_only!(name, c"O&:if_nametoindex", CONVERTER, &raw mut converted)?;
    // SAFETY: the converter made it, for us to own.
    let name = unsafe { owned_bytes(py, converted)? };
    // The parser refuses NUL in it.
    let name = memory::till_nul(name.as_bytes())?;
    // For a name that the C library refuses without asking.
    sys::set_errno(libc::ENODEV);
    match sys::interface::if_nametoindex(&name) {
        Some(index) => index.into_object(py),
        None if cfg!(Py_3_14) => Err(io::Error::last_os_error().into()),
        None => Err(Error::os("no interface with this name")),
    }
}

fn if_indextoname<'py>(py: Python<'py>, index: &Bound<'py, PyAny>) -> Returned<'py> {
    let name = sys::interface::if_indextoname(interface_number(index)?)?;
    make::system_text(py, name.to_bytes())
}

fn interface_number(index: &Bound<'_, PyAny>) -> Result<c_uint> {
    match plain_long(index).and_then(|index| c_uint::try_from(index).ok()) {
        Some(index) => Ok(index),
        None if cfg!(Py_3_14) => convert::unsigned(index, "unsigned int"),
        None => c_uint::try_from(convert::unsigned_long(index)?).map_err(|_| no_such_interface()),
    }
}

/// What is too large for a number of an interface. Before 3.13 it was cut, so that 2³² + 1 was the first interface; here it is none.
fn no_such_interface() -> Error {
    if cfg!(Py_3_13) { Error::overflow("index is too large") } else { Error::errno(libc::ENXIO) }
}
