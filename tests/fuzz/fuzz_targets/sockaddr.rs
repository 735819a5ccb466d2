#![cfg_attr(fuzzing, no_main)]
//! See `src/targets/sockaddr.rs`.

oxisocket_fuzz::fuzz!(sockaddr);
