//! Fuzz targets for what comes from outside: bytes of the kernel, objects and texts of a program.
//!
//! The rooms of the product are private, and its crate is a `cdylib` that no other crate can use. So this crate declares the same rooms, by
//! the paths of their files: the product knows nothing of it, and every `crate::…` in them means the same thing here.
//!
//! | module | what |
//! | --- | --- |
//! | [`targets`] | the targets: what is done with the bytes, and what must hold |
//! | `kernel` | the system calls and look-ups that the targets play |
//! | `modules` | the stdlib's `_socket` and ours, for the same call on both |
//! | `bytes` | values out of the bytes that a target gets |
//! | `parts` | files of the product whose own room is closed to this crate |

#[path = "../../../src/address/mod.rs"]
mod address;
#[path = "../../../src/beyond/mod.rs"]
mod beyond;
#[path = "../../../src/call/mod.rs"]
mod call;
#[path = "../../../src/error/mod.rs"]
mod error;
#[path = "../../../src/interpreter/mod.rs"]
mod interpreter;
#[path = "../../../src/module/mod.rs"]
mod module;
#[path = "../../../src/names/mod.rs"]
mod names;
#[path = "../../../src/public/mod.rs"]
mod public;
#[path = "../../../src/resolve/mod.rs"]
mod resolve;
#[path = "../../../src/socket/mod.rs"]
mod socket;
#[path = "../../../src/sys/mod.rs"]
mod sys;

// The macros that the product's crate root declares.
pub(crate) use interpreter::class::initialiser;
pub(crate) use interpreter::function::{attribute_entry, attributes, function_entry, functions, only_entry};
pub(crate) use interpreter::make::name;
pub(crate) use sys::syscall;

mod bytes;
mod kernel;
mod modules;
mod parts;
pub mod targets;

/// The program of a target: with libFuzzer's `main`, or, without it, one that makes a single run with its standard input.
#[macro_export]
macro_rules! fuzz {
    ($target:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::targets::$target::run(bytes));

        #[cfg(not(fuzzing))]
        fn main() {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).expect("standard input can be read");
            $crate::targets::$target::run(&bytes);
        }
    };
}
