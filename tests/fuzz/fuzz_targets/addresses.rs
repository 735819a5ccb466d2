#![cfg_attr(fuzzing, no_main)]
//! See `src/targets/addresses.rs`.

oxisocket_fuzz::fuzz!(addresses);
