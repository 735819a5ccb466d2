//! The stdlib's `_socket` and ours in one interpreter, and the outcome of the same call on both.

use std::collections::HashMap;
use std::ffi::c_int;
use std::sync::{LazyLock, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyTuple};
use pyo3::wrap_pymodule;

use crate::interpreter::function::enter_module;
use crate::module::fill;

/// Our module, as the product makes it.
#[pymodule(gil_used = false)]
fn oxisocket_fuzzed(module: &Bound<'_, PyModule>) -> PyResult<()> {
    enter_module(module.py(), || fill::fill(module))
}

/// Both modules, and the texts of the warnings since they were last looked at.
pub struct Modules {
    /// The stdlib's.
    pub stdlib: Py<PyModule>,
    /// Ours.
    pub ours: Py<PyModule>,
    warnings: Py<PyList>,
}

/// The modules.
pub fn modules(py: Python<'_>) -> &'static Modules {
    static MODULES: PyOnceLock<Modules> = PyOnceLock::new();
    MODULES.get_or_init(py, || load(py).expect("the modules can be loaded"))
}

fn load(py: Python<'_>) -> PyResult<Modules> {
    let warnings = PyList::empty(py);
    let names = pyo3::types::PyDict::new(py);
    names.set_item("seen", &warnings)?;
    py.run(
        c"import warnings; warnings.simplefilter('always'); warnings.showwarning = lambda text, *rest: seen.append(str(text))",
        Some(&names),
        None,
    )?;
    Ok(Modules {
        stdlib: py.import("_socket")?.unbind(),
        ours: wrap_pymodule!(oxisocket_fuzzed)(py).into_bound(py).cast_into::<PyModule>()?.unbind(),
        warnings: warnings.unbind(),
    })
}

/// All that a program can learn from a call: its result or its exception, and the warnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `repr` of the result, or the class, the text and the arguments of the exception.
    pub answer: Result<String, String>,
    /// The texts of the warnings.
    pub warnings: Vec<String>,
}

/// The outcome of a call.
pub fn outcome(py: Python<'_>, call: impl FnOnce() -> PyResult<Py<PyAny>>) -> Outcome {
    let answer = match call() {
        Ok(result) => Ok(text_of(result.bind(py))),
        Err(error) => Err(described(py, &error)),
    };
    let warnings = modules(py).warnings.bind(py);
    let texts = warnings.extract().unwrap_or_default();
    if !warnings.is_empty() {
        warnings.call_method0("clear").expect("a list can be cleared");
    }
    Outcome { answer, warnings: texts }
}

/// `repr` of an object, with the surrogates that it may show.
fn text_of(object: &Bound<'_, PyAny>) -> String {
    object.repr().map_or_else(|_| "no repr".to_owned(), |text| text.to_string_lossy().into_owned())
}

/// An exception in one line. A panic is none that may be compared.
fn described(py: Python<'_>, error: &PyErr) -> String {
    let class = error.get_type(py).to_string();
    assert!(!class.contains("PanicException"), "{error}");
    let value = error.value(py);
    let text = value.str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
    let arguments = value.getattr("args").map_or_else(|_| String::new(), |arguments| text_of(&arguments));
    format!("{class}: {text} {arguments}")
}

/// A socket of either implementation that says of itself to have this family and protocol. Its descriptor is that of a UDP socket.
pub fn sockets(py: Python<'_>, family: c_int, proto: c_int) -> [Py<PyAny>; 2] {
    type Known = HashMap<(c_int, c_int), [Py<PyAny>; 2]>;
    static SOCKETS: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut sockets = SOCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    let [one, other] = sockets.entry((family, proto)).or_insert_with(|| {
        let Modules { stdlib, ours, .. } = modules(py);
        [stdlib, ours].map(|module| claim(module.bind(py), family, proto).expect("a socket can be made"))
    });
    [one.clone_ref(py), other.clone_ref(py)]
}

fn claim(module: &Bound<'_, PyModule>, family: c_int, proto: c_int) -> PyResult<Py<PyAny>> {
    let class = module.getattr("socket")?;
    let number = class.call1((libc::AF_INET, libc::SOCK_DGRAM))?.call_method0("detach")?;
    Ok(class.call1((family, libc::SOCK_DGRAM, proto, number))?.unbind())
}

/// A tuple of objects.
pub fn tuple<'py>(py: Python<'py>, items: Vec<Bound<'py, PyAny>>) -> Bound<'py, PyAny> {
    PyTuple::new(py, items).expect("a tuple can be made").into_any()
}

/// What the interpreter reads out of JSON. A text that is none ends the run.
pub fn parsed<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyAny> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let loads = LOADS.import(py, "json", "loads").expect("the interpreter has json");
    loads.call1((text,)).unwrap_or_else(|error| panic!("{text:?} is not JSON: {error}"))
}
