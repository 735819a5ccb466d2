//! `bare CASE [ARGUMENT]`: the system calls of one case of the benchmarks, with nothing around them.
//!
//! Each line of standard input is a number of rounds; the answer to each is a line with the nanoseconds they took.

mod calls;
mod cases;
mod clients;

use std::env;
use std::io::{self, Write};

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words == ["echo"] {
        return cases::echo();
    }
    let mut case = cases::named(&words)?;
    for line in io::stdin().lines() {
        let count = line?.trim().parse().map_err(io::Error::other)?;
        println!("{}", case(count)?.as_nanos());
        io::stdout().flush()?;
    }
    Ok(())
}
