//! Functions that the stdlib has in Python: the same parameters and error messages.
//!
//! This module binds the arguments of a correct call. For a wrong call it calls an empty Python function with the same signature, so that
//! the interpreter itself raises the error.

use pyo3::exceptions::PyAssertionError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::arguments::Keywords;
use super::make::IntoObject;
use super::text::utf8;
use super::{ObjectResult, make, owned};
use crate::error::{Error, Result};
use crate::name;

/// The parameters of a Python function, or of a method without its `self`.
#[derive(Clone, Copy, Debug)]
pub struct Signature<const N: usize> {
    /// The function's qualified name.
    pub qualified_name: &'static str,
    /// Its parameters as in the `def` statement, a method's `self` first.
    pub declaration: &'static str,
    /// The parameters' names, without `self`.
    pub names: [&'static str; N],
    /// How many of them may be given by position.
    pub positional: usize,
    /// How many of them must be given.
    pub required: usize,
}

/// One value for each parameter; `None` if it was not given.
pub type BoundArguments<'py, const N: usize> = [Option<Bound<'py, PyAny>>; N];

impl<const N: usize> Signature<N> {
    /// Binds a call's arguments to the parameters. The error is the interpreter's own, for which a method passes `this`, its `self`.
    pub fn bind<'py>(
        &self,
        this: Option<&Bound<'py, PyAny>>,
        arguments: Keywords<'_, 'py>,
    ) -> Result<BoundArguments<'py, N>> {
        let positional = arguments.positional;
        if arguments.only_positional().is_some() && (self.required..=self.positional.min(N)).contains(&positional.len())
        {
            return Ok(std::array::from_fn(|index| positional.get(index).map(pyo3::Borrowed::to_owned)));
        }
        let named = if arguments.only_positional().is_some() { None } else { Some(arguments.dict()?) };
        self.bind_tuple(this, &positional.tuple()?, named.as_ref())
    }

    /// Binds a tuple and a dict, as `__init__` gets them.
    pub fn bind_tuple<'py>(
        &self,
        this: Option<&Bound<'py, PyAny>>,
        positional: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> Result<BoundArguments<'py, N>> {
        match self.try_bind(positional, named) {
            Some(values) => Ok(values),
            None => Err(self.refuse(this, positional, named)),
        }
    }

    fn try_bind<'py>(
        &self,
        positional: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> Option<BoundArguments<'py, N>> {
        let mut values = [const { None }; N];
        if positional.len() > self.positional {
            return None;
        }
        for (value, given) in values.iter_mut().zip(positional) {
            *value = Some(given);
        }
        if let Some(named) = named {
            for (name, given) in named.iter() {
                let place = name
                    .cast::<PyString>()
                    .ok()
                    .and_then(|name| self.names.iter().position(|known| utf8(name).is_some_and(|name| name == *known)));
                match place {
                    Some(place) if values[place].is_none() => values[place] = Some(given),
                    _ => return None,
                }
            }
        }
        let complete = values[..self.required].iter().all(Option::is_some);
        complete.then_some(values)
    }

    /// The interpreter's own error for a wrong call.
    fn refuse<'py>(
        &self,
        this: Option<&Bound<'py, PyAny>>,
        positional: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> Error {
        let refusal = self.function(positional.py()).and_then(|function| {
            let arguments = match this {
                Some(this) => with_first(this, positional)?,
                None => positional.clone(),
            };
            Ok(function.call(arguments, named)?)
        });
        match refusal {
            // The code of the function, if it runs.
            Err(Error::Python(error)) if error.is_instance_of::<PyAssertionError>(positional.py()) => {
                Error::type_error(format_args!("{}() takes other arguments", self.qualified_name))
            }
            Err(error) => error,
            Ok(_) => Error::type_error(format_args!("{}() takes other arguments", self.qualified_name)),
        }
    }

    /// A function with these parameters. Its code is made of an empty one: to compile would take longer, and the interpreter's compiler
    /// crashes where there is no memory.
    fn function<'py>(&self, py: Python<'py>) -> ObjectResult<'py> {
        let parameters = Parameters::of(py, self.declaration)?;
        let replaced = make::dict(py)?;
        let all = parameters.positional.len() + parameters.named_only.len() + parameters.more.len();
        replaced.set_item(name!(py, "co_argcount")?, parameters.positional.len().into_object(py)?)?;
        replaced.set_item(name!(py, "co_kwonlyargcount")?, parameters.named_only.len().into_object(py)?)?;
        replaced.set_item(name!(py, "co_nlocals")?, all.into_object(py)?)?;
        replaced.set_item(name!(py, "co_flags")?, parameters.flags().into_object(py)?)?;
        replaced.set_item(name!(py, "co_varnames")?, parameters.names(py)?)?;
        // SAFETY: both are C strings. The call returns an owned reference, or null with an exception set.
        let code = unsafe {
            owned(py, ffi::PyCode_NewEmpty(c"<oxisocket>".as_ptr(), c"function".as_ptr(), 1).cast::<ffi::PyObject>())?
        };
        let replace = code.getattr(name!(py, "replace")?)?;
        let code = replace.call(make::tuple(py, [])?, Some(&replaced))?;
        let globals = make::dict(py)?;
        // SAFETY: a code object, and a dict for its globals. The call returns an owned reference, or null with an exception set.
        let function = unsafe { owned(py, ffi::PyFunction_New(code.as_ptr(), globals.as_ptr()))? };
        function.setattr(name!(py, "__qualname__")?, make::text(py, self.qualified_name)?)?;
        function.setattr(name!(py, "__defaults__")?, parameters.defaults(py)?)?;
        function.setattr(name!(py, "__kwdefaults__")?, parameters.named_defaults)?;
        Ok(function)
    }
}

/// The parameters of a `def` statement. What their defaults are is never asked: only which have one.
struct Parameters<'py> {
    positional: Bound<'py, PyList>,
    named_only: Bound<'py, PyList>,
    /// `*args`.
    more: Bound<'py, PyList>,
    /// How many of the positional ones have a default.
    defaults: usize,
    named_defaults: Bound<'py, PyDict>,
}

impl<'py> Parameters<'py> {
    fn of(py: Python<'py>, declaration: &str) -> Result<Self> {
        let [positional, named_only, more] = [make::list(py)?, make::list(py)?, make::list(py)?];
        let mut parameters = Parameters { positional, named_only, more, defaults: 0, named_defaults: make::dict(py)? };
        let mut is_named_only = false;
        for parameter in declaration.split(", ") {
            let (name, default) =
                parameter.split_once('=').map_or((parameter, None), |(name, text)| (name, Some(text)));
            match (name.strip_prefix('*'), is_named_only) {
                (Some(""), _) => is_named_only = true,
                (Some(name), _) => {
                    make::append(&parameters.more, name)?;
                    is_named_only = true;
                }
                (None, true) => {
                    make::append(&parameters.named_only, name)?;
                    if default.is_some() {
                        parameters.named_defaults.set_item(make::text(py, name)?, py.None())?;
                    }
                }
                (None, false) => {
                    make::append(&parameters.positional, name)?;
                    parameters.defaults += usize::from(default.is_some());
                }
            }
        }
        Ok(parameters)
    }

    /// `co_flags`; see the page of Python's module `inspect`.
    fn flags(&self) -> i32 {
        let more = if self.more.len() > 0 { ffi::CO_VARARGS } else { 0 };
        ffi::CO_OPTIMIZED | ffi::CO_NEWLOCALS | more
    }

    /// All names, in the order of a code object's variables.
    fn names(&self, py: Python<'py>) -> Result<Bound<'py, PyTuple>> {
        let all = make::list(py)?;
        for name in [&self.positional, &self.named_only, &self.more].into_iter().flat_map(PyListMethods::iter) {
            make::append(&all, name)?;
        }
        to_tuple(&all)
    }

    fn defaults(&self, py: Python<'py>) -> Result<Bound<'py, PyTuple>> {
        let all = make::list(py)?;
        for _ in 0..self.defaults {
            make::append(&all, py.None().into_bound(py))?;
        }
        to_tuple(&all)
    }
}

fn to_tuple<'py>(list: &Bound<'py, PyList>) -> Result<Bound<'py, PyTuple>> {
    // SAFETY: it is a list. The call returns an owned reference to a tuple, or null with an exception set.
    unsafe { Ok(owned(list.py(), ffi::PyList_AsTuple(list.as_ptr()))?.cast_into_unchecked()) }
}

/// The positional arguments of a method, with its `self`.
fn with_first<'py>(first: &Bound<'py, PyAny>, rest: &Bound<'py, PyTuple>) -> Result<Bound<'py, PyTuple>> {
    let py = first.py();
    let first = make::tuple(py, [first.clone()])?;
    // SAFETY: both are tuples, so that the call returns an owned reference to a tuple, or null with an exception set.
    unsafe { Ok(owned(py, ffi::PySequence_Concat(first.as_ptr(), rest.as_ptr()))?.cast_into_unchecked()) }
}
