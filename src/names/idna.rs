//! Host names in the form that goes over the wire (IDNA).

use std::ptr;

use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::error::{Error, Result};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::owned;
use crate::interpreter::text::utf8;
use crate::name;
use crate::sys::memory;

/// A host name in the form that goes over the wire (RFC 3490). The error is the exception of the interpreter's `idna` codec.
pub fn idna(host: &Bound<'_, PyString>) -> Result<Vec<u8>> {
    match utf8(host) {
        Some(name) if is_wire_form(name) => Ok(memory::try_to_vec(name.as_bytes())?),
        _ => encode(host),
    }
}

/// Whether the codec would return a name unchanged.
pub fn is_wire_form(name: &str) -> bool {
    let mut labels = name.split('.').map(str::len).rev();
    let last = labels.next().unwrap_or(0);
    name.is_ascii() && last <= MAX_LABEL && labels.all(|length| (1..=MAX_LABEL).contains(&length))
}

/// The longest label of a name, in bytes of its wire form (RFC 1035).
const MAX_LABEL: usize = 63;

fn encode(host: &Bound<'_, PyString>) -> Result<Vec<u8>> {
    refuse_too_long_label(host)?;
    Ok(memory::try_to_vec(codec(host)?.as_bytes())?)
}

fn codec<'py>(host: &Bound<'py, PyString>) -> Result<Bound<'py, PyBytes>> {
    // SAFETY: these are a str and a C string. Null means the strict error handler, the only one that the codec has.
    let encoded = unsafe {
        let encoded = ffi::PyUnicode_AsEncodedString(host.as_ptr(), c"idna".as_ptr(), ptr::null());
        owned(host.py(), encoded)?
    };
    Ok(encoded.cast_into().map_err(PyErr::from)?)
}

/// The longest label, in characters, that is passed to the codec, whose time grows with the square of the label's length (CVE-2022-45061).
/// A longer one is too long in any case: normalisation leaves at least a quarter of its characters, which is still more than a label may
/// have.
const CODEC_LIMIT: usize = 8 * (MAX_LABEL + 1);

/// Refuses a name that has a label of more than [`CODEC_LIMIT`] characters. The error is the codec's own, for a shorter name that is wrong
/// in the same way.
pub fn refuse_too_long_label(host: &Bound<'_, PyString>) -> Result<()> {
    // The codec does not normalise a name that is already ASCII: it only measures the labels, in linear time, and raises its own error.
    if host.len()? <= CODEC_LIMIT || utf8(host).is_some_and(str::is_ascii) {
        return Ok(());
    }
    let Some((start, end)) = too_long_label(host)? else {
        return Ok(());
    };
    // SAFETY: this is a str, and `start` is at most its length.
    let before = unsafe { owned(host.py(), ffi::PyUnicode_Substring(host.as_ptr(), 0, start))? };
    let shorter =
        before.add(make::text(host.py(), &memory::try_format(format_args!("{:é>1$}", "", MAX_LABEL + 1))?)?)?;
    match codec(&shorter.cast_into::<PyString>().map_err(PyErr::from)?) {
        Ok(_) => Err(Error::value("label too long")),
        Err(error) => Err(as_error_for(host, error.into_pyerr(host.py()), start, end)?.into()),
    }
}

/// The start and the end of the first label with more than [`CODEC_LIMIT`] characters, not counting those that normalisation drops.
fn too_long_label(host: &Bound<'_, PyString>) -> Result<Option<(isize, isize)>> {
    let (mut start, mut length) = (0, 0);
    let mut found = false;
    // Four bytes for each character, a lone surrogate included.
    // SAFETY: these are a str, and the names of a codec and an error handler as C strings.
    let encoded = unsafe {
        let (codec, errors) = (c"utf-32-le".as_ptr(), c"surrogatepass".as_ptr());
        owned(host.py(), ffi::PyUnicode_AsEncodedString(host.as_ptr(), codec, errors))?
    };
    let characters = encoded.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes().chunks_exact(4);
    let count = characters.len().cast_signed();
    for (index, character) in (0..).zip(characters) {
        match u32::from_le_bytes([character[0], character[1], character[2], character[3]]) {
            0x2e | 0x3002 | 0xff0e | 0xff61 if found => return Ok(Some((start, index))),
            0x2e | 0x3002 | 0xff0e | 0xff61 => (start, length) = (index + 1, 0),
            dropped if is_dropped(dropped) => {}
            _ => {
                length += 1;
                found |= length > CODEC_LIMIT;
            }
        }
    }
    Ok(found.then_some((start, count)))
}

/// Whether normalisation maps a character to nothing (RFC 3454, table B.1).
fn is_dropped(character: u32) -> bool {
    matches!(
        character,
        0xad | 0x34f | 0x1806 | 0x180b..=0x180d | 0x200b..=0x200d | 0x2060 | 0xfe00..=0xfe0f | 0xfeff
    )
}

/// Changes the codec's error for the shorter name to one for `host`, whose too long label is from `start` to `end`.
fn as_error_for(host: &Bound<'_, PyString>, error: PyErr, start: isize, end: isize) -> Result<PyErr> {
    let py = host.py();
    let value = error.value(py);
    if value.is_instance_of::<PyUnicodeEncodeError>() {
        let (at_start, at_end) = (name!(py, "start")?, name!(py, "end")?);
        value.setattr(name!(py, "object")?, host)?;
        if value.getattr(at_start)?.extract::<isize>()? == start {
            value.setattr(at_end, end.into_object(py)?)?;
        }
        let encoding = value.getattr(name!(py, "encoding")?)?;
        let (start, end) = (value.getattr(at_start)?, value.getattr(at_end)?);
        let reason = value.getattr(name!(py, "reason")?)?;
        let arguments = make::tuple(py, [encoding, host.as_any().clone(), start, end, reason])?;
        value.setattr(name!(py, "args")?, arguments)?;
    }
    Ok(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_wire_form_is_recognised() {
        let longest = "a".repeat(MAX_LABEL);
        for name in ["", "a", "a.", "a.b", "A.b.", "127.0.0.1", &longest, &format!("{longest}.{longest}")] {
            assert!(is_wire_form(name), "{name}");
        }
        let too_long = "a".repeat(MAX_LABEL + 1);
        for name in [".", ".a", "a..b", "a..", "é", &too_long, &format!("{too_long}.a"), &format!("a.{too_long}")] {
            assert!(!is_wire_form(name), "{name}");
        }
    }
}
