//! `makefile`: a file object on a socket. Its raw layer is [`crate::file`]; the rest is Python's `io`.

use std::sync::atomic::Ordering;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyModule, PyString};

use super::kinds;
use crate::error::{Error, Result};
use crate::interpreter::arguments::Keywords;
use crate::interpreter::function::Returned;
use crate::interpreter::signature::Signature;
use crate::socket::This;

const MAKEFILE: Signature<5> = Signature {
    qualified_name: "socket.makefile",
    declaration: "self, mode='r', buffering=None, *, encoding=None, errors=None, newline=None",
    names: ["mode", "buffering", "encoding", "errors", "newline"],
    positional: 2,
    required: 0,
};

/// What a mode says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mode {
    reading: bool,
    writing: bool,
    binary: bool,
}

impl Mode {
    /// Parses a mode of `r`, `w` and `b` in any order; without `w` it reads. `None` where anything else is in it.
    fn parse(letters: &[String]) -> Option<Self> {
        let has = |letter| letters.iter().any(|given| given == letter);
        if !letters.iter().all(|letter| matches!(letter.as_str(), "r" | "w" | "b")) {
            return None;
        }
        let writing = has("w");
        Some(Mode { reading: has("r") || !writing, writing, binary: has("b") })
    }

    fn raw(self) -> &'static str {
        match (self.reading, self.writing) {
            (true, true) => "rw",
            (false, true) => "w",
            _ => "r",
        }
    }
}

/// `makefile(mode='r', buffering=None, *, encoding=None, errors=None, newline=None)`.
pub fn makefile<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    let py = this.py();
    let [given_mode, buffering, encoding, errors, newline] = MAKEFILE.bind(&this.object(), arguments)?;
    let given_mode = given_mode.unwrap_or_else(|| PyString::new(py, "r").into_any());
    let mode = parse_mode(&given_mode)?;
    let raw = kinds::file_class(py)?.call1((this.object(), mode.raw()))?;
    this.socket().files().fetch_add(1, Ordering::Relaxed);

    let io = py.import(intern!(py, "io"))?;
    let default_size = || io.getattr(intern!(py, "DEFAULT_BUFFER_SIZE"));
    let size = match buffering.filter(|buffering| !buffering.is_none()) {
        None => default_size()?,
        Some(size) if size.lt(0)? => default_size()?,
        Some(size) if size.eq(0)? && mode.binary => return Ok(raw),
        Some(size) if size.eq(0)? => return Err(Error::value("unbuffered streams must be binary")),
        Some(size) => size,
    };
    let buffer = buffered(&io, mode, raw, size)?;
    if mode.binary {
        return Ok(buffer);
    }
    let encoding = io.call_method1(intern!(py, "text_encoding"), (encoding,))?;
    let text = io
        .getattr(intern!(py, "TextIOWrapper"))?
        .call1((buffer, encoding, errors, newline))?;
    text.setattr(intern!(py, "mode"), given_mode)?;
    Ok(text)
}

fn parse_mode(given: &Bound<'_, PyAny>) -> Result<Mode> {
    let letters = given
        .try_iter()?
        .map(|letter| Ok(letter?.str()?.to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    Mode::parse(&letters).ok_or_else(|| {
        let given = given.repr().map_or_else(|_| String::new(), |given| given.to_string_lossy().into_owned());
        Error::value(format!("invalid mode {given} (only r, w, b allowed)"))
    })
}

fn buffered<'py>(
    io: &Bound<'py, PyModule>,
    mode: Mode,
    raw: Bound<'py, PyAny>,
    size: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = io.py();
    match (mode.reading, mode.writing) {
        (true, true) => io.getattr(intern!(py, "BufferedRWPair"))?.call1((&raw, &raw, size)),
        (true, false) => io.getattr(intern!(py, "BufferedReader"))?.call1((raw, size)),
        (false, _) => io.getattr(intern!(py, "BufferedWriter"))?.call1((raw, size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(mode: &str) -> Option<Mode> {
        Mode::parse(&mode.chars().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn modes() {
        assert_eq!(parse("").unwrap().raw(), "r");
        assert_eq!(parse("b").unwrap().raw(), "r");
        assert_eq!(parse("wb").unwrap().raw(), "w");
        assert_eq!(parse("bwr").unwrap().raw(), "rw");
        assert_eq!(parse("a"), None);
    }
}
