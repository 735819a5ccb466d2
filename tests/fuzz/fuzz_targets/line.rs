#![cfg_attr(fuzzing, no_main)]
//! See `src/targets/line.rs`.

oxisocket_fuzz::fuzz!(line);
