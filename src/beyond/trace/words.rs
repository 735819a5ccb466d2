//! Python's objects in Python's words, without running any Python code: a trace must not change what it shows.

use std::ffi::CStr;
use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::data;
use super::line::Line;
use crate::error::clear;
use crate::interpreter::number::plain_long;
use crate::interpreter::owned;
use crate::interpreter::text::utf8;
use crate::interpreter::type_name::type_name;
use crate::name;

/// The most items of a tuple or list that are shown, the most characters of a text, and how deep tuples and lists are shown.
const ITEMS: usize = 12;
const CHARACTERS: usize = 200;
const DEPTH: usize = 4;

/// The name of the constant with this prefix and value, such as `AF_INET`.
pub type NameOf = fn(prefix: &str, value: i64) -> Option<&'static str>;

static NAME_OF: OnceLock<NameOf> = OnceLock::new();

/// Sets the function that knows the constants. Only the first call has an effect.
pub fn set_names(name_of: NameOf) {
    let _first_wins = NAME_OF.set(name_of);
}

/// The name of a constant.
pub fn constant(prefix: &str, value: i64) -> Option<&'static str> {
    NAME_OF.get().and_then(|name_of| name_of(prefix, value))
}

/// Writes an object. Of data, `limit` bytes are shown.
pub fn object(line: &mut Line, object: &Bound<'_, PyAny>, limit: usize) {
    nested(line, object, limit, 0);
}

fn nested(line: &mut Line, object: &Bound<'_, PyAny>, limit: usize, depth: usize) {
    if object.is_none() {
        line.push("None");
    } else if object.is_exact_instance_of::<PyBytes>() {
        data::with_bytes(object, |bytes| of_bytes(line, bytes, limit));
    } else if let Ok(text) = object.cast_exact::<PyString>() {
        of_text(line, text);
    } else if let Ok(tuple) = object.cast_exact::<PyTuple>() {
        let end = if tuple.len() == 1 { ",)" } else { ")" };
        items(line, ("(", end), tuple.iter(), limit, depth);
    } else if let Ok(list) = object.cast_exact::<PyList>() {
        items(line, ("[", "]"), list.iter(), limit, depth);
    } else if object.is_instance_of::<PyInt>() {
        of_int(line, object);
    } else if object.is_exact_instance_of::<PyFloat>() {
        of_repr(line, object);
    } else if let Some(length) = data::length_of_memory(object) {
        line.format(format_args!("<{} of {length} bytes>", type_name(object)));
    } else {
        other(line, object);
    }
}

/// An object of another class, by its class, and a socket by its number too.
fn other(line: &mut Line, object: &Bound<'_, PyAny>) {
    match crate::socket::class::as_socket(object) {
        Some(socket) => line.format(format_args!("<socket fd={}>", socket.socket().descriptor().number())),
        None => line.format(format_args!("<{}>", type_name(object))),
    }
}

fn items<'py>(
    line: &mut Line,
    (begin, end): (&str, &str),
    items: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
    limit: usize,
    depth: usize,
) {
    line.push(begin);
    let count = items.len();
    for (index, item) in items.enumerate() {
        if index > 0 {
            line.push(", ");
        }
        if index == ITEMS || depth == DEPTH {
            line.format(format_args!("… {} more", count - index));
            break;
        }
        nested(line, &item, limit, depth + 1);
    }
    line.push(end);
}

/// An int: a member of an enumeration by its name, which the enumeration keeps in an attribute.
fn of_int(line: &mut Line, int: &Bound<'_, PyAny>) {
    if !int.is_exact_instance_of::<PyInt>() {
        let member = name!(int.py(), "_name_").ok().and_then(|name| int.getattr_opt(name).ok().flatten());
        match member.as_ref().map(|name| name.cast_exact::<PyString>()) {
            Some(Ok(name)) => return line.push(utf8(name).unwrap_or("?")),
            _ => clear(int.py()),
        }
    }
    match plain_long(int) {
        Some(number) => line.format(format_args!("{number}")),
        None => line.push("<int>"),
    }
}

fn of_repr(line: &mut Line, object: &Bound<'_, PyAny>) {
    // SAFETY: the object is of a class of the interpreter, whose repr runs no other code; the call returns an owned reference, or null with
    // an exception set.
    match unsafe { owned(object.py(), ffi::PyObject_Repr(object.as_ptr())) } {
        Ok(text) => line.push(text.cast::<PyString>().ok().and_then(utf8).unwrap_or("?")),
        Err(error) => error.discard(object.py()),
    }
}

/// A text as `repr` writes it, cut if it is long.
pub fn of_text(line: &mut Line, text: &Bound<'_, PyString>) {
    let Some(text) = utf8(text) else {
        return line.push("<str with a lone surrogate>");
    };
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    line.format(format_args!("{quote}"));
    for character in text.chars().take(CHARACTERS) {
        match character {
            '\n' => line.push("\\n"),
            '\r' => line.push("\\r"),
            '\t' => line.push("\\t"),
            '\\' => line.push("\\\\"),
            character if character == quote => line.format(format_args!("\\{quote}")),
            '\0'..'\x20' | '\x7f' => line.format(format_args!("\\x{:02x}", u32::from(character))),
            '\u{80}'..'\u{a0}'
            | '\u{200b}'..'\u{2010}'
            | '\u{2028}'..'\u{202f}'
            | '\u{2066}'..'\u{206a}'
            | '\u{feff}' => {
                line.format(format_args!("\\u{:04x}", u32::from(character)));
            }
            character => line.format(format_args!("{character}")),
        }
    }
    line.format(format_args!("{quote}"));
    if text.chars().nth(CHARACTERS).is_some() {
        line.push("…");
    }
}

/// Bytes as `repr` writes them, cut after `limit`.
pub fn of_bytes(line: &mut Line, bytes: &[u8], limit: usize) {
    if limit == 0 && !bytes.is_empty() {
        return line.format(format_args!("<{} bytes>", bytes.len()));
    }
    let shown = bytes.get(..limit).unwrap_or(bytes);
    let quote = if shown.contains(&b'\'') && !shown.contains(&b'"') { b'"' } else { b'\'' };
    line.format(format_args!("b{}", char::from(quote)));
    for byte in shown {
        match byte {
            b'\n' => line.push("\\n"),
            b'\r' => line.push("\\r"),
            b'\t' => line.push("\\t"),
            b'\\' => line.push("\\\\"),
            byte if *byte == quote => line.format(format_args!("\\{}", char::from(quote))),
            b' '..=b'~' => line.format(format_args!("{}", char::from(*byte))),
            byte => line.format(format_args!("\\x{byte:02x}")),
        }
    }
    line.format(format_args!("{}", char::from(quote)));
    if shown.len() < bytes.len() {
        line.format(format_args!("… ({} bytes)", bytes.len()));
    }
}

/// An argument that is a number with a name: by the names of constants that begin with one of the prefixes, or as any object.
pub fn named(line: &mut Line, value: &Bound<'_, PyAny>, prefixes: &[&str]) {
    if value.is_exact_instance_of::<PyInt>()
        && let Some(number) = plain_long(value)
        && let Some(name) = prefixes.iter().find_map(|prefix| constant(prefix, number))
    {
        return line.push(name);
    }
    object(line, value, 0);
}

/// Flags, by the names of their bits.
pub fn flags(line: &mut Line, value: &Bound<'_, PyAny>, prefix: &str) {
    let Some(number) = plain_long(value).filter(|number| *number != 0) else {
        return object(line, value, 0);
    };
    let mut rest = number;
    let mut separator = "";
    for bit in (0..63).map(|shift| 1_i64 << shift).filter(|bit| number & bit != 0) {
        if let Some(name) = constant(prefix, bit) {
            line.format(format_args!("{separator}{name}"));
            separator = "|";
            rest &= !bit;
        }
    }
    if rest != 0 {
        line.format(format_args!("{separator}{rest:#x}"));
    }
}

/// The text of an exception as a traceback shows it: `ConnectionResetError: [Errno 104] …`.
pub fn exception(line: &mut Line, value: &Bound<'_, PyAny>) {
    let py = value.py();
    line.format(format_args!("{}", type_name(value)));
    // SAFETY: these are objects of the interpreter, and the fields of a class do not change while it is in use. `str` of the classes of
    // the interpreter shows the arguments.
    let text = unsafe {
        let shown = (*ffi::Py_TYPE(value.as_ptr())).tp_str.map(|function| function as usize);
        let known = [ffi::PyExc_OSError, ffi::PyExc_BaseException];
        let known = known.map(|class| (*class.cast::<ffi::PyTypeObject>()).tp_str.map(|function| function as usize));
        if !known.contains(&shown) {
            return;
        }
        owned(py, ffi::PyObject_Str(value.as_ptr()))
    };
    match text {
        Ok(text) => {
            let text = text.cast::<PyString>().ok().and_then(utf8).unwrap_or("?");
            if !text.is_empty() {
                line.format(format_args!(": {text}"));
            }
        }
        Err(error) => error.discard(py),
    }
}

/// The name of an entry of a table.
pub fn name_of(name: &CStr) -> &str {
    name.to_str().unwrap_or("?")
}
