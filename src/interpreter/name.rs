//! Names as the interpreter has them: interned, so that a look-up compares pointers.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

/// A name that is made once, when it is first asked for.
///
/// Under a name that is made for one look-up the interpreter finds nothing of what it remembers of earlier ones; it then remembers that
/// look-up too, and the name with it.
///
/// PyO3's `intern!` gives the interpreter to other threads inside its cell: a process forked at that point would wait for ever at the
/// same one. Here the name is made first, and then put into the cell, which takes no time; who comes second takes what is there.
pub struct Name {
    text: &'static str,
    object: PyOnceLock<Py<PyString>>,
}

impl Name {
    /// A name that is not made yet.
    pub const fn new(text: &'static str) -> Self {
        Name { text, object: PyOnceLock::new() }
    }

    /// The name.
    #[inline]
    pub fn get<'a, 'py>(&'a self, py: Python<'py>) -> &'a Bound<'py, PyString> {
        match self.object.get(py) {
            Some(name) => name.bind(py),
            None => self.make(py),
        }
    }

    #[cold]
    fn make<'a, 'py>(&'a self, py: Python<'py>) -> &'a Bound<'py, PyString> {
        let made = PyString::intern(py, self.text);
        if let Err(second) = self.object.set(py, made.unbind()) {
            drop(second.into_bound(py));
        }
        self.object.get(py).expect("one was put there").bind(py)
    }
}

/// An interned name: `name!(py, "close")`.
macro_rules! name {
    ($py:expr, $text:literal) => {{
        static NAME: $crate::interpreter::name::Name = $crate::interpreter::name::Name::new($text);
        NAME.get($py)
    }};
}
pub(crate) use name;
