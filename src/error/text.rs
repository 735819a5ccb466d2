//! The text of an error.

use std::borrow::Cow;
use std::collections::TryReserveError;
use std::fmt;

use crate::sys::memory;

/// What the text of an error is made of. Where it has parts, write them as `format_args!`, for which there may be no memory, and not as
/// `format!`, which ends the process then.
pub trait Text {
    /// The text, if there is memory for it.
    fn into_text(self) -> std::result::Result<Cow<'static, str>, TryReserveError>;
}

impl Text for &'static str {
    fn into_text(self) -> std::result::Result<Cow<'static, str>, TryReserveError> {
        Ok(Cow::Borrowed(self))
    }
}

impl Text for Cow<'static, str> {
    fn into_text(self) -> std::result::Result<Cow<'static, str>, TryReserveError> {
        Ok(self)
    }
}

impl Text for String {
    fn into_text(self) -> std::result::Result<Cow<'static, str>, TryReserveError> {
        Ok(Cow::Owned(self))
    }
}

impl Text for fmt::Arguments<'_> {
    fn into_text(self) -> std::result::Result<Cow<'static, str>, TryReserveError> {
        memory::try_format(self).map(Cow::Owned)
    }
}
