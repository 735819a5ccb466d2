//! `memchr(3)` and `memmem(3)`.

/// Where `needle` first begins in `haystack`.
#[inline]
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let start = haystack.as_ptr();
    // SAFETY: both slices are passed with their lengths. The result is null, or points into `haystack`.
    unsafe {
        let found = match needle {
            [byte] => libc::memchr(start.cast(), (*byte).into(), haystack.len()),
            _ => libc::memmem(start.cast(), haystack.len(), needle.as_ptr().cast(), needle.len()),
        };
        (!found.is_null()).then(|| found.cast::<u8>().offset_from_unsigned(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no memmem")]
    fn the_first_place_is_found() {
        assert_eq!(find(b"a\nb\n", b"\n"), Some(1));
        assert_eq!(find(b"a\rb\r\n\r\n", b"\r\n"), Some(3));
        assert_eq!(find(b"abc", b"abc"), Some(0));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no memmem")]
    fn what_is_not_there_is_not_found() {
        assert_eq!(find(b"", b"\n"), None);
        assert_eq!(find(b"ab", b"abc"), None);
        assert_eq!(find(b"\r", b"\r\n"), None);
    }
}
