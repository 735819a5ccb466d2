#![cfg_attr(fuzzing, no_main)]
//! See `src/targets/control.rs`.

oxisocket_fuzz::fuzz!(control);
