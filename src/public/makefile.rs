//! `makefile`: a file object on a socket. Its raw layer is [`super::file`]; the other layers are those of Python's `io`.

use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use pyo3::types::{PyModule, PySet};

use super::borrowed::AnyObject;
use super::{io, package};
use crate::error::{Error, Exception, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Keywords;
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::signature::Signature;
use crate::name;

const MAKEFILE: Signature<5> = Signature {
    qualified_name: "socket.makefile",
    declaration: "self, mode='r', buffering=None, *, encoding=None, errors=None, newline=None",
    names: ["mode", "buffering", "encoding", "errors", "newline"],
    positional: 2,
    required: 0,
};

/// A parsed mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mode {
    reading: bool,
    writing: bool,
    binary: bool,
}

impl Mode {
    /// Parses a mode of `r`, `w` and `b` in any order. Without `w` the file is for reading.
    fn parse(mode: &Bound<'_, PyAny>) -> Result<Self> {
        let letters = PySet::empty(mode.py())?;
        for letter in mode.try_iter()? {
            letters.add(letter?)?;
        }
        let known = PySet::new(mode.py(), ["r", "w", "b"])?;
        if !letters.le(known)? {
            return Err(Error::about(Exception::Value, c"invalid mode ", mode, c" (only r, w, b allowed)"));
        }
        let writing = mode.contains("w")?;
        let reading = mode.contains("r")? || !writing;
        Ok(Mode { reading, writing, binary: mode.contains("b")? })
    }

    /// The mode of the raw layer.
    fn raw(self) -> &'static str {
        match (self.reading, self.writing) {
            (true, true) => "rw",
            (false, true) => "w",
            _ => "r",
        }
    }
}

/// `makefile(mode='r', buffering=None, *, encoding=None, errors=None, newline=None)`.
pub fn makefile<'py>(this: AnyObject<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let [given_mode, buffering, encoding, errors, newline] = MAKEFILE.bind(Some(&this.object()), arguments)?;
    let given_mode = given_mode.map_or_else(|| make::text(py, "r"), Ok)?;
    let mode = Mode::parse(&given_mode)?;
    let raw = package::global(py, name!(py, "SocketIO")?)?.call1((this.object(), make::text(py, mode.raw())?))?;
    match this.socket() {
        Some(this) => drop(this.socket().io_refs().fetch_add(1, Ordering::Relaxed)),
        None => this.set_io_refs(this.io_refs()?.add(1i32.into_object(py)?)?)?,
    }

    let io = io::module(py)?;
    let default_size = || Ok::<_, Error>(io.getattr(name!(py, "DEFAULT_BUFFER_SIZE")?)?);
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
    // The stack level is one less than in `socket.py`, where the method has a frame of its own. An EncodingWarning must name the caller's
    // line.
    let encoding = io.call_method1(name!(py, "text_encoding")?, (encoding, 1i32.into_object(py)?))?;
    let text = io.getattr(name!(py, "TextIOWrapper")?)?.call1((buffer, encoding, errors, newline))?;
    text.setattr(name!(py, "mode")?, given_mode)?;
    Ok(text)
}

fn buffered<'py>(
    io: &Bound<'py, PyModule>,
    mode: Mode,
    raw: Bound<'py, PyAny>,
    size: Bound<'py, PyAny>,
) -> ObjectResult<'py> {
    let py = io.py();
    let buffer = match (mode.reading, mode.writing) {
        (true, true) => io.getattr(name!(py, "BufferedRWPair")?)?.call1((&raw, &raw, size))?,
        (true, false) => io.getattr(name!(py, "BufferedReader")?)?.call1((raw, size))?,
        (false, _) => io.getattr(name!(py, "BufferedWriter")?)?.call1((raw, size))?,
    };
    Ok(buffer)
}
