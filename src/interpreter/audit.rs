//! Audit events (PEP 578), with the names and arguments that CPython raises.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use pyo3::prelude::*;

use crate::error::{Error, Result};

unsafe extern "C" {
    /// Raises an audit event; negative if a hook refused it, with its exception set. Not in `pyo3-ffi`.
    ///
    /// It makes objects of the arguments only if there is a hook: without one the call costs three nanoseconds.
    fn PySys_Audit(event: *const c_char, format: *const c_char, ...) -> c_int;
}

/// Raises an audit event: `audit(py, c"socket.bind", (socket, address))?`. The error is the exception of a hook, which refuses the call.
#[inline(always)]
pub fn audit(_py: Python<'_>, event: &'static CStr, arguments: impl EventArguments) -> Result<()> {
    if arguments.raise(event.as_ptr()) < 0 { Err(Error::Raised) } else { Ok(()) }
}

/// The arguments of an event.
pub trait EventArguments {
    /// Calls `PySys_Audit`. The thread must be attached: [`audit`], the only caller, has a `Python` token.
    fn raise(self, event: *const c_char) -> c_int;
}

/// The C value that is passed for an argument of each kind.
macro_rules! pass {
    ($object:ident: &Bound) => {
        $object.as_ptr()
    };
    ($number:ident: c_int) => {
        $number
    };
    ($text:ident: Option) => {
        $text.map_or(ptr::null(), CStr::as_ptr)
    };
}

/// The tuples that events take, each with its format: `O` for an object, `i` for an int, `s` for text that may be missing.
macro_rules! events {
    ($($format:literal: ($($name:ident: $kind:tt $($bound:ident)?),*);)*) => {$(
        impl EventArguments for ($(events!(@type $kind $($bound)?),)*) {
            #[inline(always)]
            fn raise(self, event: *const c_char) -> c_int {
                let ($($name,)*) = self;
                // SAFETY: the thread is attached, because the only caller has a `Python` token. Each argument has the C type that its
                // letter names.
                unsafe { PySys_Audit(event, $format.as_ptr() $(, pass!($name: $kind $($bound)?))*) }
            }
        }
    )*};
    (@type & Bound) => { &Bound<'_, PyAny> };
    (@type c_int) => { c_int };
    (@type Option) => { Option<&CStr> };
}

events! {
    c"": ();
    c"(O)": (object: &Bound);
    c"OO": (first: &Bound, second: &Bound);
    c"Oiii": (object: &Bound, first: c_int, second: c_int, third: c_int);
    c"OOiii": (first: &Bound, second: &Bound, third: c_int, fourth: c_int, fifth: c_int);
    c"is": (number: c_int, text: Option);
    c"ss": (first: Option, second: Option);
}
