//! A line of a trace: with any texts and bytes in it, it is one line of JSON that says what it was made of, and one line of harmless text.

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::with_python;
use crate::bytes::Bytes;
use crate::modules::parsed;
use crate::parts::trace::event::{Event, Outcome, Style, Thread, Transfer};
use crate::parts::trace::line::Line;

/// The bytes are the numbers, texts and data of a call.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let flags = bytes.byte();
    let flag = |bit: u8| flags >> bit & 1 == 1;
    let (number, limit) = (bytes.number(), usize::from(bytes.byte()));
    let texts: [String; 4] = std::array::from_fn(|_| bytes.text());
    let [name, arguments, answer, caller] = texts.each_ref().map(String::as_str);
    let data = bytes.0;
    let new = [number, number >> 8];
    let outcome = Outcome {
        answer: if flag(0) { Ok(answer) } else { Err(answer) },
        errno: flag(1).then_some(number as i32),
        took: Duration::from_nanos(number),
        waited: Duration::from_nanos(number >> 16),
        transfer: Transfer {
            received: flag(2).then_some(number),
            sent: flag(3).then_some(number),
            peeked: flag(4).then_some(number),
            is_eof: flag(5),
        },
        data,
        address: if flag(6) { "[\"::1\",0,0,0]" } else { "" },
        new: if flag(7) { &new } else { &[] },
        rights: limit % 3,
    };
    let event = Event {
        began: Instant::now(),
        thread: Thread { id: number as i32, name },
        socket: flag(1).then_some(number),
        fd: flag(2).then_some(number as i32),
        call: "recv",
        arguments,
        caller: flag(3).then_some(caller),
        is_tls: flag(4),
        outcome: (number % 5 != 0).then_some(outcome),
    };
    json(&event, limit);
    text(&event);
}

fn json(event: &Event<'_>, limit: usize) {
    let mut line = Line::default();
    event.write_json(&mut line, limit);
    let line = line.text().expect("there is memory");
    assert_eq!(line.find('\n'), Some(line.len() - 1), "{line:?} is not one line");
    assert!(!line.trim_end().contains(|character: char| character.is_ascii_control()), "{line:?}");
    with_python(|py| {
        let read = parsed(py, line);
        let read = read.cast::<PyDict>().expect("an event is an object");
        let text = |name: &str| Some(read.get_item(name).expect("a dict")?.to_string());
        assert_eq!(text("arguments").as_deref(), Some(event.arguments));
        assert_eq!(text("caller").as_deref(), event.caller);
        let Some(outcome) = &event.outcome else { return };
        assert_eq!(text(if outcome.answer.is_ok() { "result" } else { "error" }).as_deref(), Some(answer(outcome)));
        assert_eq!(text("took"), Some(outcome.took.as_nanos().to_string()));
        let kept = &outcome.data[..outcome.data.len().min(limit)];
        let decoded = text("data").map(|data| {
            let decode =
                py.import("base64").and_then(|base64| base64.call_method("b64decode", (data, py.None(), true), None));
            decode.and_then(|bytes| bytes.extract::<Vec<u8>>()).expect("data is base64")
        });
        assert_eq!(decoded.unwrap_or_default(), kept);
    });
}

fn answer<'a>(outcome: &Outcome<'a>) -> &'a str {
    outcome.answer.unwrap_or_else(|error| error)
}

/// The texts of arguments and answers are made harmless where they are made; here they are as they come.
fn text(event: &Event<'_>) {
    let harmless = Event {
        arguments: "1024",
        outcome: event.outcome.map(|outcome| Outcome { answer: Ok("1"), ..outcome }),
        ..*event
    };
    let mut line = Line::default();
    harmless.write_text(&mut line, Style { colour: false, callers: true, process: None });
    let line = line.text().expect("there is memory");
    assert_eq!(line.find('\n'), Some(line.len() - 1), "{line:?} is not one line");
    assert!(
        !line.trim_end_matches('\n').contains(|character: char| character.is_control() || turns(character)),
        "{line:?}"
    );
}

/// Whether a character changes the direction of the text around it (Unicode's `Bidi_Control`).
fn turns(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
