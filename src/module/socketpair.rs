//! `socketpair`: two sockets that are connected to each other.

use std::ffi::c_int;
use std::os::fd::OwnedFd;

use pyo3::prelude::*;

use crate::call::spec::Spec;
use crate::error::Result;
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::format::Format;
use crate::interpreter::function::Table;
use crate::interpreter::make::IntoObject;
use crate::socket::class;
use crate::socket::lifecycle::adopt;
use crate::{functions, sys};

/// The function of the module that makes a pair of sockets.
pub static FUNCTIONS: Table = functions![
    function c"socketpair" => socketpair, c"socketpair($module, family=AF_UNIX, type=SOCK_STREAM, proto=0, /)\n--\n\n\
        Two sockets of the base class that are connected to each other; see socketpair(2).";
];

fn socketpair<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(c_int, c_int, c_int)> = Format::new(c"|iii:socketpair");
    let (family, kind, proto) = FORMAT.tuple(&arguments.tuple()?, (libc::AF_UNIX, libc::SOCK_STREAM, 0))?;
    let spec = Spec { family, kind, proto };
    let make = || sys::socket::socketpair(spec.family, spec.kind, spec.proto);
    // For other families the kernel may have to load a module, so the call is made detached.
    let (one, other) = if spec.family == libc::AF_UNIX { make()? } else { py.detach(make)? };
    (new_socket(py, spec, one)?, new_socket(py, spec, other)?).into_object(py)
}

fn new_socket(py: Python<'_>, spec: Spec, fd: OwnedFd) -> Result<Bound<'_, PyAny>> {
    let socket = class::new_instance(py)?;
    // SAFETY: `new_instance` returned an instance of the class.
    let this = unsafe { class::this(&socket) };
    adopt(this.socket(), spec, fd, Some(0))?;
    Ok(socket)
}
