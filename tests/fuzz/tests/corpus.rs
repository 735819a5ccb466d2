//! The corpus, replayed without libFuzzer: `cargo test` on stable Rust.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use oxisocket_fuzz::targets;

/// The interpreter and what it calls are played for one target at a time.
static TURN: Mutex<()> = Mutex::new(());

#[track_caller]
fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut count = 0;
    run(&[]);
    for entry in fs::read_dir(&folder).expect("each target has a corpus") {
        let path = entry.expect("the corpus can be read").path();
        let bytes = fs::read(&path).expect("the corpus can be read");
        println!("{}", path.display());
        run(&bytes);
        count += 1;
    }
    assert!(count > 0, "{} is empty", folder.display());
}

macro_rules! replay {
    ($($target:ident),*) => {
        $(
            #[test]
            fn $target() {
                replay(stringify!($target), targets::$target::run);
            }
        )*
    };
}

replay!(addresses, control, filter, idna, inet, line, sockaddr);
