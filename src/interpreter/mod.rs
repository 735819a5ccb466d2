//! How the interpreter and Rust meet: functions, their arguments, classes, audit events and signals.
//!
//! PyO3's `#[pyclass]` and `#[pymethods]` are not used for the socket class, and `docs/architecture.md` says why: the
//! layout is read by `_ssl`, the finalizer must see the whole object, and a wrong call must fail with the very
//! words the interpreter's own `socket` has. What they would do is done here, in one place.

pub mod arguments;
pub mod audit;
pub mod class;
pub mod function;
pub mod signals;
pub mod signature;
