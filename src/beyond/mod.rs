//! What goes beyond CPython, and uses the rest as any program could.
//!
//! | file | what |
//! | --- | --- |
//! | [`methods`] | the methods that the public class has in addition |
//! | [`deadline`] | one deadline for all calls of a thread |
//! | [`exact`] | receives of exactly `n` bytes |
//! | [`reader`] | the class `Reader` |
//! | [`read_ahead`] | its buffer |
//! | [`separator`] | what its `readuntil` looks for |
//! | [`source`] | where received bytes come from |
//! | [`errors`] | the exceptions that the Python package defines |

pub mod deadline;
pub mod errors;
pub mod exact;
pub mod methods;
mod read_ahead;
pub mod reader;
mod separator;
mod source;
