//! Ancillary data: the control messages that accompany the data of a message (cmsg(3), RFC 3542).
//!
//! Received lengths are never trusted: an item never reaches beyond the buffer, whatever length its header gives.

use std::collections::TryReserveError;
use std::ffi::c_int;
use std::mem::size_of;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use super::socket;
use super::system::control::{ALIGNMENT, WITH_DESCRIPTORS, length_from_bytes, length_to_bytes};
use crate::sys::memory;

/// The largest `socklen_t` that is safe everywhere (POSIX recommends no more than 2³¹ - 1).
pub const LONGEST: usize = i32::MAX as usize;

const HEADER: usize = align(size_of::<libc::cmsghdr>());

const fn align(length: usize) -> usize {
    (length + ALIGNMENT - 1) & !(ALIGNMENT - 1)
}

/// `CMSG_LEN(3)`: the length of an item with `data` bytes, without the padding after it; `None` if it is larger than [`LONGEST`].
pub fn length(data: usize) -> Option<usize> {
    data.checked_add(HEADER).filter(|&length| length <= LONGEST)
}

/// `CMSG_SPACE(3)`: the length of an item with `data` bytes and its padding; `None` if it is larger than CPython allows.
pub fn space(data: usize) -> Option<usize> {
    // As CPython: the limit leaves room for the header and for one more padded byte.
    if data > LONGEST - (HEADER + align(1)) {
        return None;
    }
    Some(HEADER + align(data))
}

/// A control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlMessage<'a> {
    /// `cmsg_level`.
    pub level: c_int,
    /// `cmsg_type`.
    pub kind: c_int,
    /// `cmsg_data`.
    pub data: &'a [u8],
}

/// Why a list of items cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TooLong {
    /// One item is too long.
    Item,
    /// All items together are too long.
    All,
    /// There is no memory for the encoded items.
    Memory(TryReserveError),
}

/// Encodes items in the layout that the kernel expects.
pub fn encode(items: &[ControlMessage<'_>]) -> Result<Vec<u8>, TooLong> {
    let mut control = memory::try_with_capacity(total_space(items)?).map_err(TooLong::Memory)?;
    for item in items {
        let end = control.len() + HEADER + align(item.data.len());
        control.extend_from_slice(&length_to_bytes(HEADER + item.data.len()));
        control.extend_from_slice(&item.level.to_ne_bytes());
        control.extend_from_slice(&item.kind.to_ne_bytes());
        control.extend_from_slice(item.data);
        control.resize(end, 0);
    }
    Ok(control)
}

/// The length of all items together, each with its padding.
fn total_space(items: &[ControlMessage<'_>]) -> Result<usize, TooLong> {
    let mut all = 0;
    for item in items {
        all += space(item.data.len()).ok_or(TooLong::Item)?;
        if all > LONGEST {
            return Err(TooLong::All);
        }
    }
    Ok(all)
}

/// Iterates over the items of received control data.
#[derive(Clone, Debug)]
pub struct ControlMessages<'a> {
    rest: &'a [u8],
}

/// An element of [`ControlMessages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A complete item.
    Whole(ControlMessage<'a>),
    /// An item whose end is missing. It is the last element.
    Truncated(ControlMessage<'a>),
    /// Bytes that are not an item. It is the last element.
    Malformed,
}

impl<'a> ControlMessages<'a> {
    /// The items in `control`, which has the length that the kernel returned.
    pub fn new(control: &'a [u8]) -> Self {
        ControlMessages { rest: control }
    }
}

impl<'a> Iterator for ControlMessages<'a> {
    type Item = Parsed<'a>;

    fn next(&mut self) -> Option<Parsed<'a>> {
        let rest = std::mem::take(&mut self.rest);
        // Fewer bytes than a header after the last item are padding: neither an item nor an error.
        let (length, level, kind) = header(rest)?;
        if length < HEADER {
            return Some(Parsed::Malformed);
        }
        let item = |data| ControlMessage { level, kind, data };
        match rest.get(HEADER..length) {
            None => Some(Parsed::Truncated(item(&rest[HEADER.min(rest.len())..]))),
            Some(data) => {
                self.rest = rest.get(align(length)..).unwrap_or_default();
                Some(Parsed::Whole(item(data)))
            }
        }
    }
}

/// The length, level and type of the item at the start of `bytes`.
fn header(bytes: &[u8]) -> Option<(usize, c_int, c_int)> {
    let (length, bytes) = bytes.split_first_chunk()?;
    let (level, bytes) = bytes.split_first_chunk()?;
    let (kind, _) = bytes.split_first_chunk()?;
    Some((length_from_bytes(*length), c_int::from_ne_bytes(*level), c_int::from_ne_bytes(*kind)))
}

/// The descriptors that an item carries (unix(7)).
fn descriptors<'a>(item: ControlMessage<'a>) -> impl Iterator<Item = RawFd> + 'a {
    let has_descriptors = item.level == libc::SOL_SOCKET && WITH_DESCRIPTORS.contains(&item.kind);
    let data = if has_descriptors { item.data } else { &[] };
    data.chunks_exact(size_of::<RawFd>()).filter_map(|chunk| Some(RawFd::from_ne_bytes(chunk.try_into().ok()?)))
}

/// The descriptors in the control data of a message.
pub fn descriptors_in(control: &[u8]) -> impl Iterator<Item = RawFd> {
    let items = ControlMessages::new(control).filter_map(|found| match found {
        Parsed::Whole(item) | Parsed::Truncated(item) => Some(item),
        Parsed::Malformed => None,
    });
    items.flat_map(descriptors).filter(|&fd| fd >= 0)
}

/// Closes every descriptor in the control data of a message that cannot be returned to the program.
pub fn close_descriptors(control: &[u8]) {
    for fd in descriptors_in(control) {
        // SAFETY: the kernel has created the descriptor for this process with this message, and no other code has seen its number yet.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // A failure cannot be reported: the caller already reports the error because of which the message is not returned.
        let _ = socket::close(fd);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHTS: ControlMessage<'_> =
        ControlMessage { level: libc::SOL_SOCKET, kind: libc::SCM_RIGHTS, data: NUMBERS.as_flattened() };
    const NUMBERS: &[[u8; 4]] = &[7_i32.to_ne_bytes(), 8_i32.to_ne_bytes(), 9_i32.to_ne_bytes()];
    const SHORT: ControlMessage<'_> = ControlMessage { level: 41, kind: 50, data: &[1] };

    const WORD: usize = ALIGNMENT;

    fn items(control: &[u8]) -> Vec<Parsed<'_>> {
        ControlMessages::new(control).collect()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_layout_is_that_of_the_kernel() {
        let control = encode(&[SHORT]).unwrap();
        let by_hand = [
            &(WORD + 9).to_ne_bytes()[..],
            &41i32.to_ne_bytes(),
            &50i32.to_ne_bytes(),
            &[1, 0, 0, 0, 0, 0, 0, 0][..WORD],
        ];
        assert_eq!(control, by_hand.concat());
    }

    #[test]
    fn encoded_items_are_parsed_unchanged() {
        let control = encode(&[RIGHTS, SHORT, RIGHTS]).unwrap();
        assert_eq!(items(&control), [RIGHTS, SHORT, RIGHTS].map(Parsed::Whole));
    }

    #[test]
    fn the_padding_of_the_last_item_may_be_missing() {
        let control = encode(&[RIGHTS]).unwrap();
        assert_eq!(items(&control[..HEADER + 12]), [Parsed::Whole(RIGHTS)]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_descriptor_of_a_process_is_one_too() {
        let process = ControlMessage { kind: 4, data: &RIGHTS.data[4..8], ..RIGHTS };
        let error = ControlMessage { data: &(-libc::EMFILE).to_ne_bytes(), ..process };
        let control = encode(&[process, error, RIGHTS]).unwrap();
        assert_eq!(descriptors_in(&control).collect::<Vec<_>>(), [8, 7, 8, 9]);
    }

    #[test]
    fn an_item_ends_where_the_buffer_ends() {
        let control = encode(&[RIGHTS]).unwrap();
        let cut = ControlMessage { data: &RIGHTS.data[..5], ..RIGHTS };
        assert_eq!(items(&control[..HEADER + 5]), [Parsed::Truncated(cut)]);
        assert_eq!(descriptors(cut).collect::<Vec<_>>(), [7]);
    }

    #[test]
    #[cfg(target_os = "macos")]
    fn the_layout_is_that_of_the_kernel() {
        let control = encode(&[SHORT]).unwrap();
        assert_eq!(control, [13, 0, 0, 0, 41, 0, 0, 0, 50, 0, 0, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn a_wrong_length_is_not_trusted() {
        for wrong in [0, 1, HEADER - 1] {
            let mut control = encode(&[RIGHTS]).unwrap();
            control[..WORD].copy_from_slice(&length_to_bytes(wrong));
            assert_eq!(items(&control), [Parsed::Malformed]);
        }
        for wrong in [usize::MAX, usize::MAX - 7, 1 << (8 * WORD - 24)] {
            let mut control = encode(&[SHORT]).unwrap();
            control[..WORD].copy_from_slice(&length_to_bytes(wrong));
            assert!(
                matches!(items(&control)[..], [Parsed::Truncated(ControlMessage { data, .. })] if data.len() == WORD)
            );
        }
    }

    #[test]
    fn every_prefix_is_parsed_without_a_panic() {
        let control = encode(&[RIGHTS, SHORT]).unwrap();
        for end in 0..control.len() {
            items(&control[..end]);
        }
    }

    #[test]
    fn lengths_are_limited() {
        assert_eq!(length(0), Some(HEADER));
        assert_eq!(length(LONGEST - HEADER), Some(LONGEST));
        assert_eq!(length(LONGEST - HEADER + 1), None);
        assert_eq!(length(usize::MAX), None);
        assert_eq!(space(1), Some(HEADER + WORD));
        assert_eq!(space(LONGEST - HEADER - WORD), Some(LONGEST + 1 - WORD));
        assert_eq!(space(LONGEST - HEADER - WORD + 1), None);
    }
}
