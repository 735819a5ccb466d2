//! Names of hosts as they go over the wire.

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

/// The name of a host in the form that goes over the wire (RFC 3490), or the exception of the interpreter's `idna` codec.
pub fn idna(host: &Bound<'_, PyString>) -> Result<Vec<u8>> {
    match utf8(host) {
        Some(name) if is_wire_form(name) => Ok(memory::try_to_vec(name.as_bytes())?),
        _ => encode(host),
    }
}

/// Whether the codec would leave a name as it is.
pub fn is_wire_form(name: &str) -> bool {
    let mut labels = name.split('.').map(str::len).rev();
    let last = labels.next().unwrap_or(0);
    name.is_ascii() && last <= LONGEST_LABEL && labels.all(|length| (1..=LONGEST_LABEL).contains(&length))
}

/// The longest label of a name, in bytes of its wire form (RFC 1035).
const LONGEST_LABEL: usize = 63;

fn encode(host: &Bound<'_, PyString>) -> Result<Vec<u8>> {
    refuse_endless_label(host)?;
    Ok(memory::try_to_vec(codec(host)?.as_bytes())?)
}

fn codec<'py>(host: &Bound<'py, PyString>) -> Result<Bound<'py, PyBytes>> {
    // SAFETY: a str and a codec's name; null takes the strict error handler, the only one there is.
    let encoded = unsafe {
        let encoded = ffi::PyUnicode_AsEncodedString(host.as_ptr(), c"idna".as_ptr(), ptr::null());
        owned(host.py(), encoded)?
    };
    Ok(encoded.cast_into().map_err(PyErr::from)?)
}

/// A label of more characters than this is not given to the codec, which takes a time that grows with the square of its length
/// (CVE-2022-45061): a quarter of them, which is the least that normalisation leaves, would still be too long.
const ENDLESS: usize = 8 * (LONGEST_LABEL + 1);

/// Refuses a name with an endless label in the codec's own words, which it finds for a shorter name that is wrong in the same way.
pub fn refuse_endless_label(host: &Bound<'_, PyString>) -> Result<()> {
    // Nothing is normalised in a name that is ASCII already: the codec only measures its labels, and has words of its own for that.
    if host.len()? <= ENDLESS || utf8(host).is_some_and(str::is_ascii) {
        return Ok(());
    }
    let Some((start, end)) = endless_label(host)? else {
        return Ok(());
    };
    // SAFETY: a str, of which a part is asked for that it has.
    let before = unsafe { owned(host.py(), ffi::PyUnicode_Substring(host.as_ptr(), 0, start))? };
    let shorter = before.add(make::text(host.py(), &"é".repeat(LONGEST_LABEL + 1))?)?;
    match codec(&shorter.cast_into::<PyString>().map_err(PyErr::from)?) {
        Ok(_) => Err(Error::value("label too long")),
        Err(error) => Err(error_for(host, error.into_pyerr(host.py()), start, end)?.into()),
    }
}

/// Where in the name there is a label of more than [`ENDLESS`] characters, those not counted that normalisation drops.
fn endless_label(host: &Bound<'_, PyString>) -> Result<Option<(isize, isize)>> {
    let (mut start, mut length) = (0, 0);
    let mut found = false;
    // In four bytes a character, so that lone surrogates do not matter.
    // SAFETY: a str, and the names of a codec and of what it does with them.
    let encoded = unsafe {
        let (codec, errors) = (c"utf-32-le".as_ptr(), c"surrogatepass".as_ptr());
        owned(host.py(), ffi::PyUnicode_AsEncodedString(host.as_ptr(), codec, errors))?
    };
    let characters = encoded.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes().chunks_exact(4);
    let count = characters.len().cast_signed();
    for (place, character) in (0..).zip(characters) {
        match u32::from_le_bytes([character[0], character[1], character[2], character[3]]) {
            0x2e | 0x3002 | 0xff0e | 0xff61 if found => return Ok(Some((start, place))),
            0x2e | 0x3002 | 0xff0e | 0xff61 => (start, length) = (place + 1, 0),
            dropped if is_dropped(dropped) => {}
            _ => {
                length += 1;
                found |= length > ENDLESS;
            }
        }
    }
    Ok(found.then_some((start, count)))
}

/// Whether a character is mapped to nothing (RFC 3454, table B.1).
fn is_dropped(character: u32) -> bool {
    matches!(
        character,
        0xad | 0x34f | 0x1806 | 0x180b..=0x180d | 0x200b..=0x200d | 0x2060 | 0xfe00..=0xfe0f | 0xfeff
    )
}

/// Makes the refusal of the shorter name one of the name it stands for.
fn error_for(host: &Bound<'_, PyString>, error: PyErr, start: isize, end: isize) -> Result<PyErr> {
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
    fn what_the_codec_leaves_as_it_is() {
        let longest = "a".repeat(LONGEST_LABEL);
        for name in ["", "a", "a.", "a.b", "A.b.", "127.0.0.1", &longest, &format!("{longest}.{longest}")] {
            assert!(is_wire_form(name), "{name}");
        }
        let too_long = "a".repeat(LONGEST_LABEL + 1);
        for name in [".", ".a", "a..b", "a..", "é", &too_long, &format!("{too_long}.a"), &format!("a.{too_long}")] {
            assert!(!is_wire_form(name), "{name}");
        }
    }
}
