#![cfg_attr(fuzzing, no_main)]
//! See `src/targets/filter.rs`.

oxisocket_fuzz::fuzz!(filter);
