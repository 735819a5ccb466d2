//! What `readuntil` looks for: one separator, or the first of several.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::{Error, Result};
use crate::interpreter::buffer::Buffer;
use crate::sys::{memory, search};

/// Where a separator was found: its first byte, and the one behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
}

impl Place {
    /// The place, where the content in which it was found begins at `offset`.
    pub fn behind(self, offset: usize) -> Self {
        Place { start: self.start + offset, end: self.end + offset }
    }
}

/// Bytes to look for.
pub trait Separator {
    /// The length of the longest, at least 1.
    fn longest(&self) -> usize;

    /// The place that ends first.
    fn find(&self, content: &[u8]) -> Option<Place>;
}

/// The end of a line.
pub struct Newline;

impl Separator for Newline {
    #[inline]
    fn longest(&self) -> usize {
        1
    }

    #[inline]
    fn find(&self, content: &[u8]) -> Option<Place> {
        search::find(content, b"\n").map(|start| Place { start, end: start + 1 })
    }
}

/// The separators of a call.
pub struct Separators<'py>(Vec<Buffer<'py>>);

impl<'py> Separators<'py> {
    /// From a bytes-like object, or a tuple of these.
    pub fn from_python(separator: &Bound<'py, PyAny>) -> Result<Self> {
        let separators = match separator.cast::<PyTuple>() {
            Ok(several) => memory::try_collect_results(several.iter().map(|each| Buffer::readable(&each)))?,
            Err(_) => memory::try_collect_results([Buffer::readable(separator)])?,
        };
        if separators.is_empty() {
            return Err(Error::value("a tuple of separators must not be empty"));
        }
        if separators.iter().any(|each| each.len() == 0) {
            return Err(Error::value("a separator must not be empty"));
        }
        Ok(Separators(separators))
    }
}

impl Separator for Separators<'_> {
    fn longest(&self) -> usize {
        self.0.iter().map(Buffer::len).max().unwrap_or(1)
    }

    fn find(&self, content: &[u8]) -> Option<Place> {
        let place = |separator: &Buffer<'_>| {
            let start = search::find(content, separator.bytes())?;
            Some(Place { start, end: start + separator.len() })
        };
        // Of several that end at the same place, the shortest comes last in the order of their starts.
        self.0.iter().filter_map(place).min_by_key(|place| (place.end, std::cmp::Reverse(place.start)))
    }
}
