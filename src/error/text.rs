//! The text of an error, made without aborting when there is no memory.

use std::borrow::Cow;
use std::collections::TryReserveError;
use std::fmt;

use crate::sys::memory;

/// A value that the text of an error is made of. Use `format_args!` for a text with parts, not `format!`, which aborts the process when
/// there is no memory.
pub trait Text {
    /// The text. Fails if there is no memory for it.
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
