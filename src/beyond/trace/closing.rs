//! A socket that gives its descriptor up, as a line of JSON or text.

use std::time::Instant;

use super::clock;
use super::event::{Style, Thread};
use super::line::Line;
use super::socket_facts::Facts;

/// A socket gives its descriptor up.
#[derive(Clone, Copy, Debug)]
pub struct Closing<'a> {
    /// `close`, `detach` or `finalizer`.
    pub by: &'static str,
    pub thread: Thread<'a>,
    pub caller: Option<&'a str>,
    /// Whether a line of text about the call tells it already.
    pub is_told: bool,
}

impl Closing<'_> {
    pub fn write_json(&self, line: &mut Line, facts: &Facts) {
        let t = clock::nanoseconds(Instant::now());
        line.format(format_args!(
            "{{\"event\":\"close\",\"t\":{t},\"thread\":{},\"socket\":{},\"fd\":{},\"by\":\"{}\"",
            self.thread.id, facts.number, facts.fd, self.by
        ));
        if let Some(caller) = self.caller {
            line.push(",\"caller\":");
            line.json_text(caller);
        }
        line.push("}\n");
    }

    pub fn write_text(&self, line: &mut Line, facts: &Facts, style: Style) {
        style.begin_line(line, Instant::now(), Some(self.thread.name), Some(facts.fd));
        match (self.by, &facts.opened) {
            ("finalizer", Some(opened)) => {
                line.harmless(format_args!("✗ nobody closed this socket, which was opened at {opened}"));
            }
            ("finalizer", None) => line.push("✗ nobody closed this socket"),
            (by, _) => line.push(by),
        }
        line.push("\n");
    }
}
