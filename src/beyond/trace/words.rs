//! Python's objects in Python's words, without running any Python code: a trace must not change what it shows.

use std::ffi::CStr;
use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::attribute;
use super::data;
use super::line::Line;
use crate::interpreter::number::plain_long;
use crate::interpreter::owned;
use crate::interpreter::text::utf8;
use crate::interpreter::type_name::type_name;
use crate::name;

/// The most items of a tuple or list that are shown, and how deep they are shown.
pub const ITEMS: usize = 12;
const DEPTH: usize = 4;

/// The most characters of a text, and of that of an exception.
const CHARACTERS: usize = 200;
const LONG: usize = 1000;

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
    } else if let Ok(truth) = object.cast_exact::<PyBool>() {
        line.push(if truth.is_true() { "True" } else { "False" });
    } else if object.is_instance_of::<PyInt>() {
        of_int(line, object);
    } else if object.is_exact_instance_of::<PyFloat>() {
        of_repr(line, object);
    } else if let Some(length) = data::length_of_memory(object) {
        line.harmless(format_args!("<{} of {length} bytes>", type_name(object)));
    } else {
        other(line, object);
    }
}

/// An object of another class, by its class, and a socket by its number too.
fn other(line: &mut Line, object: &Bound<'_, PyAny>) {
    match crate::socket::class::as_socket(object) {
        Some(socket) => line.format(format_args!("<socket fd={}>", socket.socket().descriptor().number())),
        None => line.harmless(format_args!("<{}>", type_name(object))),
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

/// An int: a member of an enumeration by its name.
fn of_int(line: &mut Line, int: &Bound<'_, PyAny>) {
    if is_member(int) {
        let name = attribute::own(int, name!("_name_"));
        if let Some(name) = name.as_ref().and_then(|name| name.cast_exact::<PyString>().ok()) {
            return line.harmless(format_args!("{}", utf8(name).unwrap_or("?")));
        }
    }
    match plain_long(int) {
        Some(number) => line.format(format_args!("{number}")),
        None => line.push("<int>"),
    }
}

/// Whether an object is a member of an enumeration: its class is one.
fn is_member(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: an object has a class, and that has one too; the name of a class is a C string.
    let name = unsafe { CStr::from_ptr((*ffi::Py_TYPE(ffi::Py_TYPE(object.as_ptr()).cast())).tp_name) };
    name == c"EnumType" || name == c"EnumMeta"
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
            character => line.harmless(format_args!("{character}")),
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
    line.harmless(format_args!("{}", type_name(value)));
    if !is_shown_plainly(value) {
        return;
    }
    // SAFETY: the class's `str` is the interpreter's, and shows only objects whose own runs no Python code. The call returns an owned
    // reference, or null with an exception set.
    match unsafe { owned(py, ffi::PyObject_Str(value.as_ptr())) } {
        Ok(text) => {
            let text = text.cast::<PyString>().ok().and_then(utf8).unwrap_or("?");
            if !text.is_empty() {
                let end = text.char_indices().nth(LONG).map_or(text.len(), |(end, _)| end);
                line.harmless(format_args!(": {}{}", &text[..end], if end < text.len() { "…" } else { "" }));
            }
        }
        Err(error) => error.discard(py),
    }
}

/// Whether `str` of an exception runs no Python code: it is that of a class of the interpreter, and shows plain objects only.
fn is_shown_plainly(value: &Bound<'_, PyAny>) -> bool {
    let py = value.py();
    // SAFETY: these are objects of the interpreter, and the fields of a class do not change while it is in use. An instance of a class of
    // exceptions is laid out as that says; its fields are objects or null.
    unsafe {
        let shown = (*ffi::Py_TYPE(value.as_ptr())).tp_str.map(|function| function as usize);
        let is_of = |class: *mut ffi::PyObject| {
            (*class.cast::<ffi::PyTypeObject>()).tp_str.map(|function| function as usize) == shown
        };
        let is_plain = |object: *mut ffi::PyObject| {
            Bound::from_borrowed_ptr_or_opt(py, object).is_none_or(|object| is_plain(&object))
        };
        let is_error_of_system = ffi::PyObject_TypeCheck(value.as_ptr(), ffi::PyExc_OSError.cast()) != 0;
        if !(is_of(ffi::PyExc_BaseException) || (is_error_of_system && is_of(ffi::PyExc_OSError))) {
            return false;
        }
        if is_error_of_system {
            let error = &*value.as_ptr().cast::<ffi::PyOSErrorObject>();
            if ![error.myerrno, error.strerror, error.filename, error.filename2].into_iter().all(is_plain) {
                return false;
            }
        }
        let arguments = (*value.as_ptr().cast::<ffi::PyBaseExceptionObject>()).args;
        let Some(arguments) = Bound::from_borrowed_ptr_or_opt(py, arguments) else { return false };
        arguments
            .cast_exact::<PyTuple>()
            .is_ok_and(|arguments| arguments.iter().all(|argument| self::is_plain(&argument)))
    }
}

/// Whether the `str` and `repr` of an object run no Python code, for certain.
fn is_plain(object: &Bound<'_, PyAny>) -> bool {
    object.is_none()
        || object.is_exact_instance_of::<PyString>()
        || object.is_exact_instance_of::<PyBytes>()
        || object.is_exact_instance_of::<PyInt>()
        || object.is_exact_instance_of::<PyBool>()
        || object.is_exact_instance_of::<PyFloat>()
}

/// The number of an `OSError`.
pub fn errno(value: &Bound<'_, PyAny>) -> Option<i32> {
    // SAFETY: both are objects. An instance of the class is laid out as that says; its fields are objects or null.
    let errno = unsafe {
        if ffi::PyObject_TypeCheck(value.as_ptr(), ffi::PyExc_OSError.cast()) == 0 {
            return None;
        }
        let errno = (*value.as_ptr().cast::<ffi::PyOSErrorObject>()).myerrno;
        Bound::from_borrowed_ptr_or_opt(value.py(), errno)?
    };
    plain_long(&errno).and_then(|errno| i32::try_from(errno).ok())
}

/// The name of an entry of a table.
pub fn name_of(name: &CStr) -> &str {
    name.to_str().unwrap_or("?")
}
