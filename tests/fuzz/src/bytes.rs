//! Values out of the bytes that a target gets. Where there are none left, they are zeros.

/// What is left of the bytes.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.some(1).first().copied().unwrap_or(0)
    }

    /// The next bytes, `count` at most.
    pub fn some(&mut self, count: usize) -> &'a [u8] {
        let (some, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        some
    }

    /// The next eight bytes as a number.
    pub fn number(&mut self) -> u64 {
        self.some(8).iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    /// One of these.
    pub fn one_of<'b, T>(&mut self, items: &'b [T]) -> &'b T {
        &items[usize::from(self.byte()) % items.len()]
    }

    /// A short text: a byte tells how many bytes it takes. What is not UTF-8 in it is replaced.
    pub fn text(&mut self) -> String {
        let count = self.byte();
        String::from_utf8_lossy(self.some(count.into())).into_owned()
    }
}
