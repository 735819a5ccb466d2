//! What the threads here are ordered by, and what they ask of the kernel.
//!
//! In the models of `make loom`, loom's locks and atomics stand for the former, and a model of the kernel for the latter.

#[cfg(not(loom))]
mod real {
    pub use std::sync::atomic::{AtomicI32, Ordering};
    pub use std::sync::{Mutex, MutexGuard};
    pub use std::thread::{Builder, Thread as Parked, park_timeout, sleep};

    pub use crate::sys::file::{Identity, identity};
    pub use crate::sys::socket::close;
    pub use crate::sys::wake::Thread;

    /// The time.
    pub fn now() -> std::time::Instant {
        std::time::Instant::now()
    }
}
#[cfg(not(loom))]
pub use real::*;

#[cfg(all(test, loom))]
mod modelled {
    pub use loom::sync::atomic::{AtomicI32, Ordering};
    pub use loom::sync::{Mutex, MutexGuard};
    pub use loom::thread::{Builder, Thread as Parked};

    pub use super::super::model::kernel::{Identity, Thread, close, identity, now, park_timeout, sleep};
}
#[cfg(all(test, loom))]
pub use modelled::*;

/// A static value, made when it is first used: loom's locks cannot be made in a constant, and each of its executions has its own.
#[cfg(loom)]
macro_rules! of_process {
    ($value:expr, $kind:ty) => {{
        loom::lazy_static! { static ref VALUE: $kind = $value; }
        &*VALUE
    }};
}
#[cfg(not(loom))]
macro_rules! of_process {
    ($value:expr, $kind:ty) => {{
        static VALUE: $kind = $value;
        &VALUE
    }};
}
pub(super) use of_process;
