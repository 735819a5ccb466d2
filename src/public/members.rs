//! Converts families and types to members of `AddressFamily` and `SocketKind`, the enumerations that the Python package makes.

use std::ffi::c_int;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::package::registered;
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::make::IntoObject;
use crate::interpreter::slot::Slot;

/// The cache holds the members for numbers below this. Others are looked up each time.
const CACHE_SIZE: usize = 64;

/// An enumeration that the package made, and a cache of its members.
///
/// To look a member up runs Python code, and that may itself ask for a family, in a finalizer or a tracer. So no lock is held meanwhile.
/// Each caller that has found a member stores it in the cache, and two callers may store the same one.
struct Enumeration {
    class: Slot,
    members: [Slot; CACHE_SIZE],
}

static FAMILIES: Enumeration = Enumeration::empty();
static TYPES: Enumeration = Enumeration::empty();

/// Replaces both enumerations and returns the old references. The caller must drop these outside any change, because that may run Python
/// code.
pub fn replace<'py>(families: &Bound<'py, PyAny>, types: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    let mut old = FAMILIES.replace(families);
    old.extend(TYPES.replace(types));
    old
}

/// `AddressFamily(number)`, or the number if the enumeration has no such member.
pub fn family(py: Python<'_>, number: c_int) -> Result<Bound<'_, PyAny>> {
    FAMILIES.member(py, number)
}

/// `SocketKind(number)`, or the number if the enumeration has no such member.
pub fn kind(py: Python<'_>, number: c_int) -> Result<Bound<'_, PyAny>> {
    TYPES.member(py, number)
}

impl Enumeration {
    const fn empty() -> Self {
        Enumeration { class: Slot::empty(), members: [const { Slot::empty() }; CACHE_SIZE] }
    }

    /// Replaces the class, clears the cache, and returns the old references.
    fn replace<'py>(&self, class: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
        let py = class.py();
        // The class is replaced first. A caller that stores a member of the old class after the cache was cleared then sees, in `look_up`,
        // that the class has changed.
        let old = self.class.replace(py, Some(class.clone()));
        old.into_iter().chain(self.members.iter().filter_map(|member| member.replace(py, None))).collect()
    }

    fn member<'py>(&self, py: Python<'py>, number: c_int) -> ObjectResult<'py> {
        let cached = usize::try_from(number).ok().and_then(|number| self.members.get(number));
        match cached.and_then(|cached| cached.get(py)) {
            Some(member) => Ok(member),
            None => self.look_up(py, number, cached),
        }
    }

    #[cold]
    fn look_up<'py>(&self, py: Python<'py>, number: c_int, cached: Option<&Slot>) -> ObjectResult<'py> {
        let class = registered(py, &self.class)?;
        let member = match class.call1((number.into_object(py)?,)) {
            Err(error) if error.is_instance_of::<PyValueError>(py) => {
                Error::from(error).discard(py);
                number.into_object(py)?
            }
            found => found?,
        };
        if let Some(cached) = cached {
            drop(cached.replace(py, Some(member.clone())));
            // `replace` may have run meanwhile: the member is then of the old class.
            if !self.class.is(&class) {
                drop(cached.replace(py, None));
            }
        }
        Ok(member)
    }
}
