#![cfg_attr(fuzzing, no_main)]
//! See `src/targets/inet.rs`.

oxisocket_fuzz::fuzz!(inet);
