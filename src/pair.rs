//! `socketpair`: two sockets that are connected to each other.

use std::os::fd::OwnedFd;

use pyo3::prelude::*;

use crate::error::Result;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::function::{Returned, Table};
use crate::interpreter::make::IntoObject;
use crate::socket::class;
use crate::socket::lifecycle::{Recipe, put};
use crate::{functions, sys, timeout};

/// Functions of the module that make sockets, or decide how they begin.
pub static FUNCTIONS: Table = functions![
    noargs c"getdefaulttimeout" => timeout::getdefaulttimeout, c"getdefaulttimeout($module, /)\n--\n\n\
        The timeout of new sockets in seconds (a float), or None, which it is in the beginning.";
    object c"setdefaulttimeout" => timeout::setdefaulttimeout, c"Sets the timeout of new sockets in seconds (a float), or None for no timeout.\n\n\
        Raises ValueError for a negative number.";
    function c"socketpair" => socketpair, c"socketpair($module, family=AF_UNIX, type=SOCK_STREAM, proto=0, /)\n--\n\n\
        Two sockets of the base class that are connected to each other; see socketpair(2).";
];

fn socketpair<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let mut recipe = Recipe { family: libc::AF_UNIX, kind: libc::SOCK_STREAM, proto: 0 };
    crate::parse_tuple!(
        &arguments.tuple()?,
        c"|iii:socketpair",
        &raw mut recipe.family,
        &raw mut recipe.kind,
        &raw mut recipe.proto
    )?;
    let make = || sys::socket::socketpair(recipe.family, recipe.kind, recipe.proto);
    // For another family the kernel may have to load a module.
    let (one, other) = if recipe.family == libc::AF_UNIX { make()? } else { py.detach(make)? };
    (adopted(py, recipe, one)?, adopted(py, recipe, other)?).into_object(py)
}

fn adopted(py: Python<'_>, recipe: Recipe, fd: OwnedFd) -> Result<Bound<'_, PyAny>> {
    let socket = class::new_instance(py)?;
    // SAFETY: an instance of the class.
    let this = unsafe { class::this(&socket) };
    put(this.socket(), recipe, fd, 0)?;
    Ok(socket)
}
