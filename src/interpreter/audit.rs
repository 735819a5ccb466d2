//! Audit events (PEP 578), with the names and arguments that CPython raises.

use std::ffi::{c_char, c_int};

unsafe extern "C" {
    /// Tells the audit hooks of an event; negative when one refused, with its exception set. Not in `pyo3-ffi`.
    ///
    /// The arguments are only turned into objects when there is a hook: without one this costs three nanoseconds.
    pub fn PySys_Audit(event: *const c_char, format: *const c_char, ...) -> c_int;
}

/// Tells the audit hooks of an event: `audit!(py, c"socket.bind", c"OO", socket_ptr, address_ptr)?`.
///
/// A format's letters are those of `Py_BuildValue`.
macro_rules! audit {
    ($py:expr, $event:literal, $format:literal $(, $argument:expr)* $(,)?) => {{
        let _attached: pyo3::Python<'_> = $py;
        // SAFETY: the thread is attached, and each argument is of the C type that its letter in the format names.
        let refused = unsafe {
            $crate::interpreter::audit::PySys_Audit($event.as_ptr(), $format.as_ptr() $(, $argument)*)
        };
        if refused < 0 { Err($crate::error::Error::Raised) } else { Ok(()) }
    }};
}
pub(crate) use audit;
