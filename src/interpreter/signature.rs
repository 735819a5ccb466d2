//! Functions that the stdlib has in Python: the same parameters and error messages.
//!
//! This module binds the arguments of a correct call. For a wrong call it calls an empty Python function with the same signature, so that
//! the interpreter itself raises the error.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::arguments::Keywords;
use super::text::utf8;
use super::{ObjectResult, make, owned};
use crate::error::{Error, Result};
use crate::name;
use crate::sys::memory;

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
            Err(error) => error,
            Ok(_) => Error::type_error(format_args!("{}() takes other arguments", self.qualified_name)),
        }
    }

    fn function<'py>(&self, py: Python<'py>) -> ObjectResult<'py> {
        let source = memory::try_format(format_args!("def function({}): pass\n", self.declaration))?;
        let source = memory::until_nul(source.as_bytes())?;
        // In a plain dict as its namespace: a module would replace a user's module of the same name in `sys.modules`.
        let names = make::dict(py)?;
        // SAFETY: the source is a C string, and the globals and the locals are one dict. The call returns an owned reference or null.
        let compiled = unsafe {
            let names = names.as_ptr();
            owned(py, ffi::PyRun_String(source.as_ptr(), ffi::Py_file_input, names, names))
        };
        match compiled {
            // Without memory, the compiler can return null without setting an exception.
            Err(Error::Raised) if !PyErr::occurred(py) => return Err(Error::NoMemory),
            compiled => compiled?,
        };
        let function = names.as_any().get_item(name!(py, "function")?)?;
        function.setattr(name!(py, "__qualname__")?, make::text(py, self.qualified_name)?)?;
        Ok(function)
    }
}

/// The positional arguments of a method, with its `self`.
fn with_first<'py>(first: &Bound<'py, PyAny>, rest: &Bound<'py, PyTuple>) -> Result<Bound<'py, PyTuple>> {
    let py = first.py();
    let first = make::tuple(py, [first.clone()])?;
    // SAFETY: both are tuples, so that the call returns an owned reference to a tuple, or null with an exception set.
    unsafe { Ok(owned(py, ffi::PySequence_Concat(first.as_ptr(), rest.as_ptr()))?.cast_into_unchecked()) }
}
