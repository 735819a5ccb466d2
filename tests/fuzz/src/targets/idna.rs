//! A host's name in the form of the wire: what the interpreter's `idna` codec says, for any text.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::with_python;
use crate::modules::outcome;
use crate::names::idna;

/// The codec's time grows with the square of a label's length.
const LONGEST: usize = 1200;

/// The bytes are UTF-8, or else UTF-32 with lone surrogates.
pub fn run(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    with_python(|py| {
        let Some(host) = text(py, bytes) else { return };
        let actual = outcome(py, || match idna::idna(&host) {
            Ok(bytes) => Ok(PyBytes::new(py, &bytes).into_any().unbind()),
            Err(error) => Err(error.into_pyerr(py)),
        });
        let expected = outcome(py, || Ok(host.call_method1("encode", ("idna",))?.unbind()));
        // Of a label that is much too long the text and the place are the codec's of that version.
        let is_long =
            host.len().is_ok_and(|length| length > 8 * 64) && expected.answer.is_err() && actual.answer.is_err();
        assert!(expected == actual || is_long, "{host:?}:\ncodec     {expected:?}\noxisocket {actual:?}");
    });
}

/// A text with any characters, lone surrogates too.
fn text<'py>(py: Python<'py>, bytes: &[u8]) -> Option<Bound<'py, PyString>> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(PyString::new(py, text));
    }
    let whole = PyBytes::new(py, &bytes[..bytes.len() / 4 * 4]);
    whole.call_method1("decode", ("utf-32-le", "surrogatepass")).ok()?.cast_into().ok()
}
