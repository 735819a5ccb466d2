//! The layout of control messages.

/// What control messages are aligned to.
pub const ALIGNMENT: usize = size_of::<usize>();

/// `cmsg_len` of an item of this length.
pub fn length_to_bytes(length: usize) -> [u8; size_of::<usize>()] {
    length.to_ne_bytes()
}

/// The length that a `cmsg_len` stands for.
pub fn length_from_bytes(bytes: [u8; size_of::<usize>()]) -> usize {
    usize::from_ne_bytes(bytes)
}
