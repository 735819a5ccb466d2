//! The functions that the Python package calls: to begin and end a recording, to observe native TLS, to ask what is known of a socket.

use std::ffi::CString;
use std::os::fd::RawFd;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use super::event::Style;
use super::filter::Filter;
use super::observer;
use super::recording::Form;
use super::sink::{Output, file, record_on};
use super::socket_facts::key;
use super::state::{self, Ended, Plan, lock};
use crate::error::{Error, Result};
use crate::functions;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::function::Table;
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::number::plain_long;
use crate::interpreter::observe::{self, Call, Given};
use crate::interpreter::text::utf8;
use crate::interpreter::{ObjectResult, owned};
use crate::socket::class::as_socket;
use crate::sys::memory;

/// The functions.
pub static FUNCTIONS: Table = functions![
    positional c"_trace_begin" => begin,
        c"_trace_begin($module, target, path, form, bytes, filter, program, colour, callers, /)\n--\n\n\
        Begins a recording and returns its handle. target is a descriptor, which is duplicated, a function that takes a line, or None;\n\
        form is 'json' or 'text'. Raises ValueError for a filter that cannot be parsed.";
    object c"_trace_end" => end, c"_trace_end($module, handle, /)\n--\n\n\
        Ends a recording: how many events were lost, the errno of the last loss, and the path of the record. None for an unknown handle.";
    positional c"_trace_tls" => tls, c"_trace_tls($module, name, sock, method, arguments, keywords, /)\n--\n\n\
        Calls method(sock, *arguments, **keywords), a method of native TLS, and traces the call.";
    positional c"_trace_not" => not_told, c"_trace_not($module, function, /, *arguments)\n--\n\n\
        Calls function(*arguments), which a trace does not tell: this library does it for itself.";
    object c"_trace_facts" => facts, c"_trace_facts($module, sock, /)\n--\n\n\
        What a trace knows of a socket: (number, received, sent, calls, seconds waited, age in seconds, where it was opened), or None.";
];

fn begin<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const ROOM: usize = 64 * 1024;
    let wrong =
        || Error::type_error("_trace_begin() takes a target, a path, a form, a number, two texts and two truths");
    let argument = |index| arguments.get(index).map(Borrowed::to_owned).ok_or_else(wrong);
    let (target, path, limit) = (argument(0)?, argument(1)?, argument(3)?);
    let (form, filter, program) = (argument(2)?, argument(4)?, argument(5)?);
    let limit = plain_long(&limit).and_then(|limit| usize::try_from(limit).ok()).ok_or_else(wrong)?;
    let [form, filter, program] = [&form, &filter, &program].map(|text| text.cast::<PyString>().ok().and_then(utf8));
    let (Some(form), Some(filter), Some(program)) = (form, filter, program) else { return Err(wrong()) };
    // A filter has small parts, fewer than the characters of its text.
    if !memory::has_room(ROOM + program.len() + 64 * filter.len()) {
        return Err(Error::NoMemory);
    }
    let filter = Filter::parse(filter).map_err(|error| Error::value(format_args!("the filter: {error}")))?;
    let output = if target.is_none() {
        Output::Nothing
    } else if target.is_callable() {
        Output::Function(target.unbind())
    } else {
        let path = path.cast::<PyBytes>().ok().map(|path| CString::new(path.as_bytes()));
        let path = path.transpose().map_err(|_| Error::value("embedded null byte"))?;
        let number = plain_long(&target).and_then(|number| RawFd::try_from(number).ok()).filter(|number| *number >= 0);
        file(record_on(number.ok_or_else(wrong)?, path)?)
    };
    let form = match form {
        "json" => Form::Json,
        _ => Form::Text(Style { colour: argument(6)?.is_truthy()?, callers: argument(7)?.is_truthy()?, process: None }),
    };
    state::begin(py, Plan { output, form, limit, filter, program: program.to_owned() })?.into_object(py)
}

fn end<'py>(py: Python<'py>, handle: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let handle = plain_long(handle).and_then(|handle| u64::try_from(handle).ok());
    match handle.and_then(|handle| state::end(py, handle)) {
        Some(Ended { lost, errno, path }) => {
            let path = match path {
                Some(path) => make::bytes(py, path.to_bytes())?,
                None => py.None().into_bound(py),
            };
            (lost, errno, path).into_object(py)
        }
        None => Ok(py.None().into_bound(py)),
    }
}

fn tls<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let (Some(name), Some(sock), Some(method), Some(given), Some(keywords)) =
        (arguments.get(0), arguments.get(1), arguments.get(2), arguments.get(3), arguments.get(4))
    else {
        return Err(Error::type_error("_trace_tls() takes 5 arguments"));
    };
    let name = name.to_owned();
    let name = match name.cast::<PyString>().ok().and_then(utf8) {
        Some("do_handshake") => c"do_handshake",
        Some("read") => c"read",
        Some("send") => c"send",
        Some("unwrap") => c"unwrap",
        _ => c"write",
    };
    let given = given.cast::<PyTuple>()?;
    let keywords = keywords.cast::<PyDict>()?;
    let all = all_arguments(&sock, &given)?;
    // SAFETY: these are a function, a tuple and a dict. The call returns an owned reference, or null with an exception set.
    let mut make = || unsafe { ffi::PyObject_Call(method.as_ptr(), all.as_ptr(), keywords.as_ptr()) };
    let call = Call { name, receiver: sock, arguments: Given::Tuple(given, Some(keywords)) };
    let result = if crate::interpreter::watch::is_watched() { observer::observe_tls(call, &mut make) } else { make() };
    // SAFETY: as above.
    unsafe { owned(py, result) }
}

fn not_told<'py>(_: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let tuple = arguments.tuple()?;
    let Ok(function) = tuple.get_item(0) else {
        return Err(Error::type_error("_trace_not() takes a function"));
    };
    // SAFETY: this is a tuple. The call returns an owned reference to a part of it, or null with an exception set.
    let rest = unsafe { owned(tuple.py(), ffi::PyTuple_GetSlice(tuple.as_ptr(), 1, isize::MAX))? };
    // SAFETY: these are a function and a tuple. The call returns an owned reference, or null with an exception set.
    observe::unobserved(|| unsafe {
        owned(tuple.py(), ffi::PyObject_Call(function.as_ptr(), rest.as_ptr(), ptr::null_mut()))
    })
}

/// The receiver and the arguments in one tuple.
fn all_arguments<'py>(sock: &Bound<'py, PyAny>, given: &Bound<'py, PyTuple>) -> Result<Bound<'py, PyAny>> {
    let first = make::tuple(sock.py(), [sock.clone()])?;
    // SAFETY: both are tuples. The call returns an owned reference to their concatenation, or null with an exception set.
    unsafe { owned(sock.py(), ffi::PySequence_Concat(first.as_ptr(), given.as_ptr())) }
}

fn facts<'py>(py: Python<'py>, sock: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let known = as_socket(sock).and_then(|socket| {
        let mut locked = lock();
        let facts = locked.state().sockets.get(&key(socket.socket()))?;
        let opened = facts.opened.as_ref().and_then(|opened| memory::try_format(format_args!("{opened}")).ok());
        Some((facts.number, facts.counts, facts.began.elapsed(), opened))
    });
    let Some((number, counts, age, opened)) = known else {
        return Ok(py.None().into_bound(py));
    };
    let opened = match &opened {
        Some(opened) => opened.as_str().into_object(py)?,
        None => py.None().into_bound(py),
    };
    let times = (counts.waited.as_secs_f64(), age.as_secs_f64(), opened).into_object(py)?;
    (number, counts.received, counts.sent, counts.calls, times).into_object(py)
}
