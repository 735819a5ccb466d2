//! What goes beyond CPython, and uses the rest as any program could.
//!
//! | file | contents |
//! | --- | --- |
//! | [`methods`] | the methods that the public class has in addition |
//! | [`exact`] | receives of exactly `n` bytes |
//! | [`errors`] | the exceptions that the Python package defines |

pub mod errors;
pub mod exact;
pub mod methods;
