//! Files of the product that their own room keeps to itself, declared here a second time.

// What the rest of their room would use.
#![allow(dead_code)]

pub mod control;
pub mod trace;
