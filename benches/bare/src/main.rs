//! `bare CASE [ARGUMENT]`: the system calls of one case of the benchmarks, with nothing around them.
//!
//! Each line of standard input is a number of rounds; the answer to each is a line with the nanoseconds they took.
//! `bare requests PORT NUMBER` adds those in which half of the requests and 99 of 100 were answered. `bare lines` is a server.

mod calls;
mod case;
mod cases;
mod lines;
mod requests;

use std::env;
use std::fmt::Display;
use std::io::{self, Write};

use requests::Clients;

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["echo"] => cases::echo(),
        ["lines"] => lines::serve(),
        ["requests", port, number] => {
            let number = number.parse().map_err(io::Error::other)?;
            let mut clients = Clients::connect(cases::server(port)?, number)?;
            answer_each(|count| clients.requests(count))
        }
        _ => {
            let mut case = cases::named(&words)?;
            answer_each(|count| Ok(case(count)?.as_nanos()))
        }
    }
}

fn answer_each<Answer: Display>(mut run: impl FnMut(u64) -> io::Result<Answer>) -> io::Result<()> {
    for line in io::stdin().lines() {
        let count = line?.trim().parse().map_err(io::Error::other)?;
        println!("{}", run(count)?);
        io::stdout().flush()?;
    }
    Ok(())
}
