#![cfg_attr(fuzzing, no_main)]
//! See `src/targets/idna.rs`.

oxisocket_fuzz::fuzz!(idna);
