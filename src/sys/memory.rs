//! Fallible allocation of Rust's own memory.
//!
//! For every allocation whose size comes from outside. When there is no memory these functions return an error; Rust's usual ones abort
//! the process.

use std::alloc::{self, Layout};
use std::collections::TryReserveError;
use std::ffi::CString;
use std::fmt::{self, Write};

/// An empty vector with room for `count` items.
pub fn try_with_capacity<T>(count: usize) -> Result<Vec<T>, TryReserveError> {
    let mut items = Vec::new();
    items.try_reserve_exact(count)?;
    Ok(items)
}

/// Whether there is memory for so many bytes just now. For code that makes many small things which nobody else can make fail: with room for
/// all of them, none of them aborts the process.
pub fn has_room(bytes: usize) -> bool {
    try_with_capacity::<u8>(bytes).is_ok_and(|room| std::hint::black_box(room).capacity() >= bytes)
}

/// `count` zero bytes; `None` if there is no memory. The allocator gets zeroed pages from the system, so that only the pages that are
/// written to take memory.
#[expect(clippy::same_length_and_capacity, reason = "the memory was allocated with exactly this size")]
pub fn try_zeroed(count: usize) -> Option<Vec<u8>> {
    if count == 0 {
        return Some(Vec::new());
    }
    let layout = Layout::array::<u8>(count).ok()?;
    // SAFETY: the layout is not empty. If the pointer is not null, the memory has this layout, is initialised, and has no other owner.
    unsafe {
        let memory = alloc::alloc_zeroed(layout);
        (!memory.is_null()).then(|| Vec::from_raw_parts(memory, count, count))
    }
}

/// A box of a value; or the value itself, if there is no memory for the box. (`Box::new` aborts the process then.)
pub fn try_box<T>(value: T) -> Result<Box<T>, T> {
    let Ok(mut one) = try_with_capacity(1) else {
        return Err(value);
    };
    one.push(value);
    let slice = Box::into_raw(one.into_boxed_slice());
    // SAFETY: a slice of one value has the layout of the value, which is also the layout that its memory was allocated with. `into_raw`
    // ended the former ownership.
    Ok(unsafe { Box::from_raw(slice.cast()) })
}

/// A copy of the items.
pub fn try_to_vec<T: Copy>(items: &[T]) -> Result<Vec<T>, TryReserveError> {
    let mut copy = try_with_capacity(items.len())?;
    copy.extend_from_slice(items);
    Ok(copy)
}

/// A copy of a text.
pub fn try_to_string(text: &str) -> Result<String, TryReserveError> {
    let mut copy = String::new();
    copy.try_reserve_exact(text.len())?;
    copy.push_str(text);
    Ok(copy)
}

/// Collects the items, or returns the first error among them.
pub fn try_collect_results<T, E: From<TryReserveError>>(
    items: impl IntoIterator<Item = Result<T, E>>,
) -> Result<Vec<T>, E> {
    let items = items.into_iter();
    let mut collected = try_with_capacity(items.size_hint().0)?;
    for item in items {
        if collected.len() == collected.capacity() {
            collected.try_reserve(1)?;
        }
        collected.push(item?);
    }
    Ok(collected)
}

/// Collects the items.
pub fn try_collect<T>(items: impl IntoIterator<Item = T>) -> Result<Vec<T>, TryReserveError> {
    try_collect_results(items.into_iter().map(Ok))
}

/// Formats a text, as `format!` does.
pub fn try_format(text: fmt::Arguments<'_>) -> Result<String, TryReserveError> {
    let mut growing = GrowingText { text: String::new(), refused: None };
    // A failure to allocate is in `refused`. Any other error is ignored: what was written stays.
    let _ = growing.write_fmt(text);
    growing.refused.map_or(Ok(growing.text), Err)
}

/// A string that grows as it is written, until memory is refused.
struct GrowingText {
    text: String,
    refused: Option<TryReserveError>,
}

impl fmt::Write for GrowingText {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if let Err(refused) = self.text.try_reserve(part.len()) {
            self.refused = Some(refused);
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}

/// The bytes before the first NUL, as a C string: the part of `bytes` that the C library would read.
pub fn until_nul(bytes: &[u8]) -> Result<CString, TryReserveError> {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let mut string = try_with_capacity(end + 1)?;
    string.extend_from_slice(&bytes[..end]);
    string.push(0);
    // The string ends with its only NUL, so that the conversion succeeds, and fills its capacity, so that nothing is reallocated.
    Ok(CString::from_vec_with_nul(string).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeroed_memory_is_all_zeros() {
        assert_eq!(try_zeroed(3).as_deref(), Some(&[0; 3][..]));
        assert_eq!(try_zeroed(0).as_deref(), Some(&[][..]));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri aborts when there is no memory")]
    fn too_much_is_an_error() {
        assert!(try_with_capacity::<u64>(usize::MAX / 8).is_err());
        assert_eq!(try_zeroed(usize::MAX), None);
        // Half of the addresses of 32 bits may be had.
        if cfg!(target_pointer_width = "64") {
            assert!(try_with_capacity::<u64>(usize::MAX / 16).is_err());
            assert_eq!(try_zeroed(isize::MAX as usize), None);
        }
    }

    #[test]
    fn collecting_stops_at_the_first_error() {
        let items = [Ok(1), Err("two"), Err("three")].map(|item| item.map_err(Failure::Item));
        assert_eq!(try_collect_results(items), Err(Failure::Item("two")));
        assert_eq!(
            try_collect_results((0..5).filter(|number| number % 2 == 0).map(Ok::<_, Failure>)),
            Ok(vec![0, 2, 4])
        );
    }

    #[derive(Debug, PartialEq)]
    enum Failure {
        Item(&'static str),
        Memory,
    }

    impl From<TryReserveError> for Failure {
        fn from(_: TryReserveError) -> Self {
            Failure::Memory
        }
    }

    #[test]
    fn a_box_holds_its_value() {
        assert_eq!(try_box(String::from("x")).as_deref().map(String::as_str), Ok("x"));
        assert_eq!(try_box(()), Ok(Box::new(())));
    }

    #[test]
    fn texts_are_formatted() {
        assert_eq!(try_format(format_args!("{}, {:?}", 1, "two")).as_deref(), Ok("1, \"two\""));
    }

    #[test]
    fn a_c_string_stops_at_the_first_nul() {
        assert_eq!(until_nul(b"a\0b").as_deref(), Ok(c"a"));
        assert_eq!(until_nul(b"ab").as_deref(), Ok(c"ab"));
        assert_eq!(until_nul(b"").as_deref(), Ok(c""));
    }
}
