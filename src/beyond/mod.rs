//! What goes beyond CPython, and uses the rest as any program could.
//!
//! | file | what |
//! | --- | --- |
//! | [`deadline`] | one deadline for all calls of a thread |

pub mod deadline;
