//! A line of a trace, as it is being written: text that has no memory is left out, and the line says so.

use std::fmt::{self, Write};

/// Text that grows as far as there is memory.
#[derive(Debug, Default)]
pub struct Line {
    text: String,
    is_incomplete: bool,
}

impl Line {
    /// The text; `None` if there was no memory for all of it.
    pub fn text(&self) -> Option<&str> {
        (!self.is_incomplete).then_some(self.text.as_str())
    }

    /// The number of bytes so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        if self.text.try_reserve(text.len()).is_ok() {
            self.text.push_str(text);
        } else {
            self.is_incomplete = true;
        }
    }

    /// Appends what `format_args!` has made.
    pub fn format(&mut self, text: fmt::Arguments<'_>) {
        // It fails only for lack of memory, which is noted.
        let _ = self.write_fmt(text);
    }

    /// Appends a text for people, without the power to move a terminal's cursor or to begin a line.
    pub fn harmless(&mut self, text: fmt::Arguments<'_>) {
        let _ = Harmless(self).write_fmt(text);
    }

    /// Appends a JSON text, with its quotes.
    pub fn json_text(&mut self, text: &str) {
        self.push("\"");
        self.escaped(text);
        self.push("\"");
    }

    /// Appends bytes as a JSON text, with U+FFFD for those that are not UTF-8.
    pub fn json_bytes(&mut self, bytes: &[u8]) {
        self.push("\"");
        for chunk in bytes.utf8_chunks() {
            self.escaped(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.push("\u{fffd}");
            }
        }
        self.push("\"");
    }

    fn escaped(&mut self, text: &str) {
        let mut rest = text;
        while let Some(index) = rest.find(|character: char| matches!(character, '"' | '\\' | '\0'..'\x20' | '\x7f')) {
            let (plain, special) = rest.split_at(index);
            self.push(plain);
            let mut characters = special.chars();
            match characters.next() {
                Some('\n') => self.push("\\n"),
                Some(character @ ('"' | '\\')) => self.format(format_args!("\\{character}")),
                Some(character) => self.format(format_args!("\\u{:04x}", u32::from(character))),
                None => {}
            }
            rest = characters.as_str();
        }
        self.push(rest);
    }

    /// Appends bytes in base64 (RFC 4648), with quotes.
    pub fn base64(&mut self, bytes: &[u8]) {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        self.push("\"");
        for group in bytes.chunks(3) {
            let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            let digit = |place: usize| char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]);
            let mut quantum = ['='; 4];
            for (place, character) in quantum.iter_mut().enumerate().take(group.len() + 1) {
                *character = digit(place);
            }
            for character in quantum {
                let _ = self.write_char(character);
            }
        }
        self.push("\"");
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        if self.is_incomplete { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Whether a character is shown by its number: one that a terminal acts on, or that changes the direction of the text around it.
pub fn is_control(character: char) -> bool {
    matches!(character, '\0'..'\x20' | '\x7f'..'\u{a0}' | '\u{61c}' | '\u{200b}'..'\u{2010}' | '\u{2028}'..'\u{202f}' | '\u{2066}'..'\u{206a}' | '\u{feff}')
}

/// Writes characters that control something by their numbers.
struct Harmless<'a>(&'a mut Line);

impl Write for Harmless<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match u32::from(character) {
                _ if !is_control(character) => self.0.write_char(character)?,
                number @ ..0x80 => write!(self.0, "\\x{number:02x}")?,
                number => write!(self.0, "\\u{number:04x}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(write: impl FnOnce(&mut Line)) -> String {
        let mut line = Line::default();
        write(&mut line);
        line.text().unwrap().to_owned()
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(line(|line| line.json_text("a\"b\\c\n\0\u{7f}é")), r#""a\"b\\c\n\u0000\u007fé""#);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(line(|line| line.json_bytes(b"/a\"\xff\xc3\xa9")), "\"/a\\\"\u{fffd}é\"");
    }

    #[test]
    fn controls_are_shown_by_their_numbers() {
        assert_eq!(
            line(|line| line.harmless(format_args!("é\x1b[2J\n\u{202e}\u{61c}{}", '\u{85}'))),
            "é\\x1b[2J\\x0a\\u202e\\u061c\\u0085"
        );
    }

    #[test]
    fn base64_is_padded() {
        for (bytes, text) in [(&b""[..], "\"\""), (b"f", "\"Zg==\""), (b"fo", "\"Zm8=\""), (b"foo", "\"Zm9v\"")] {
            assert_eq!(line(|line| line.base64(bytes)), text);
        }
    }
}
