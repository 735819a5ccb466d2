//! Names and paths in quotes.

use std::fmt::{self, Display, Write};

/// Bytes as Python shows a `str`: in single quotes, with an escape for what cannot be printed, and for bytes that are not UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a [u8]);

impl Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_char('\'')?;
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\'' | '\\' => write!(formatter, "\\{character}")?,
                    '\0'..=' ' | '\x7f' if character != ' ' => write!(formatter, "\\x{:02x}", character as u32)?,
                    character if character.is_control() => write!(formatter, "{}", character.escape_unicode())?,
                    character => formatter.write_char(character)?,
                }
            }
            for byte in chunk.invalid() {
                write!(formatter, "\\x{byte:02x}")?;
            }
        }
        formatter.write_char('\'')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_printed_is_escaped() {
        let quoted = |bytes| Quoted(bytes).to_string();
        assert_eq!(quoted(b"/tmp/a b"), "'/tmp/a b'");
        assert_eq!(quoted("/tmp/ü".as_bytes()), "'/tmp/ü'");
        assert_eq!(quoted(b"it's\\"), r"'it\'s\\'");
        assert_eq!(quoted(b"\0name\n\xff"), r"'\x00name\x0a\xff'");
        assert_eq!(quoted("\u{85}".as_bytes()), r"'\u{85}'");
        assert_eq!(quoted(b""), "''");
    }
}
