//! Ancillary data: control messages beside the data of a message (cmsg(3), RFC 3542).
//!
//! Lengths that come from outside are never trusted: an item ends where the buffer ends, whatever its header says.

use std::collections::TryReserveError;
use std::ffi::c_int;
use std::mem::size_of;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use super::socket;
use crate::sys::memory;

/// The largest `socklen_t` that is safe everywhere (POSIX recommends no more than 2³¹ - 1).
pub const LONGEST: usize = i32::MAX as usize;

const HEADER: usize = align(size_of::<libc::cmsghdr>());

const fn align(length: usize) -> usize {
    (length + size_of::<usize>() - 1) & !(size_of::<usize>() - 1)
}

/// `CMSG_LEN(3)`: an item's length without the padding behind it; `None` where it does not fit.
pub fn length(data: usize) -> Option<usize> {
    data.checked_add(HEADER).filter(|&length| length <= LONGEST)
}

/// `CMSG_SPACE(3)`: an item's length with its padding; `None` where it does not fit.
pub fn space(data: usize) -> Option<usize> {
    // As CPython: what fits only without the padding of its last byte does not fit.
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
    /// What it carries.
    pub data: &'a [u8],
}

/// Why a list of items cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TooLong {
    /// One item is too long.
    Item,
    /// All together are.
    All,
    /// There is no memory for all of them.
    Memory(TryReserveError),
}

/// Lays items out as the kernel wants them.
pub fn encode(items: &[ControlMessage<'_>]) -> Result<Vec<u8>, TooLong> {
    let mut control = memory::try_with_capacity(all_space(items)?).map_err(TooLong::Memory)?;
    for item in items {
        let end = control.len() + HEADER + align(item.data.len());
        control.extend_from_slice(&(HEADER + item.data.len()).to_ne_bytes());
        control.extend_from_slice(&item.level.to_ne_bytes());
        control.extend_from_slice(&item.kind.to_ne_bytes());
        control.extend_from_slice(item.data);
        control.resize(end, 0);
    }
    Ok(control)
}

/// The room that items take, one behind the other.
fn all_space(items: &[ControlMessage<'_>]) -> Result<usize, TooLong> {
    let mut all = 0;
    for item in items {
        all += space(item.data.len()).ok_or(TooLong::Item)?;
        if all > LONGEST {
            return Err(TooLong::All);
        }
    }
    Ok(all)
}

/// Reads the items of received control data.
#[derive(Clone, Debug)]
pub struct ControlMessages<'a> {
    rest: &'a [u8],
}

/// What [`ControlMessages`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// An item.
    Whole(ControlMessage<'a>),
    /// An item whose end is missing. It is the last.
    Truncated(ControlMessage<'a>),
    /// Something that is no item. It is the last.
    Malformed,
}

impl<'a> ControlMessages<'a> {
    /// The items in `control`, as long as the kernel said it is.
    pub fn new(control: &'a [u8]) -> Self {
        ControlMessages { rest: control }
    }
}

impl<'a> Iterator for ControlMessages<'a> {
    type Item = Parsed<'a>;

    fn next(&mut self) -> Option<Parsed<'a>> {
        let rest = std::mem::take(&mut self.rest);
        // Less than a header behind the last item is no item, and no fault either.
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

/// Length, level and type of the item that `bytes` begin with.
fn header(bytes: &[u8]) -> Option<(usize, c_int, c_int)> {
    let (length, bytes) = bytes.split_first_chunk()?;
    let (level, bytes) = bytes.split_first_chunk()?;
    let (kind, _) = bytes.split_first_chunk()?;
    Some((usize::from_ne_bytes(*length), c_int::from_ne_bytes(*level), c_int::from_ne_bytes(*kind)))
}

/// The descriptors that an item brings (`SCM_RIGHTS`, unix(7)).
fn descriptors<'a>(item: ControlMessage<'a>) -> impl Iterator<Item = RawFd> + 'a {
    let brings = item.level == libc::SOL_SOCKET && item.kind == libc::SCM_RIGHTS;
    let data = if brings { item.data } else { &[] };
    data.chunks_exact(size_of::<RawFd>()).filter_map(|chunk| Some(RawFd::from_ne_bytes(chunk.try_into().ok()?)))
}

/// Closes every descriptor that came with a message which cannot be delivered.
pub fn close_descriptors(control: &[u8]) {
    for found in ControlMessages::new(control) {
        if let Parsed::Whole(item) | Parsed::Truncated(item) = found {
            for fd in descriptors(item).filter(|&fd| fd >= 0) {
                // SAFETY: the kernel has made it for this process, and it was told to nobody yet.
                let fd = unsafe { OwnedFd::from_raw_fd(fd) };
                // Nobody can be told of a failure: the error that the message could not be delivered for is under way.
                let _ = socket::close(fd);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHTS: ControlMessage<'_> =
        ControlMessage { level: 1, kind: 1, data: &[7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0] };
    const SHORT: ControlMessage<'_> = ControlMessage { level: 41, kind: 50, data: &[1] };

    fn items(control: &[u8]) -> Vec<Parsed<'_>> {
        ControlMessages::new(control).collect()
    }

    #[test]
    fn layout_is_the_kernels() {
        let control = encode(&[SHORT]).unwrap();
        let by_hand = [&17u64.to_ne_bytes()[..], &41i32.to_ne_bytes(), &50i32.to_ne_bytes(), &[1, 0, 0, 0, 0, 0, 0, 0]];
        assert_eq!(control, by_hand.concat());
    }

    #[test]
    fn there_and_back() {
        let control = encode(&[RIGHTS, SHORT, RIGHTS]).unwrap();
        assert_eq!(items(&control), [RIGHTS, SHORT, RIGHTS].map(Parsed::Whole));
    }

    #[test]
    fn the_padding_of_the_last_item_may_be_missing() {
        let control = encode(&[RIGHTS]).unwrap();
        assert_eq!(items(&control[..HEADER + 12]), [Parsed::Whole(RIGHTS)]);
    }

    #[test]
    fn an_item_ends_where_the_buffer_ends() {
        let control = encode(&[RIGHTS]).unwrap();
        let cut = ControlMessage { data: &RIGHTS.data[..5], ..RIGHTS };
        assert_eq!(items(&control[..HEADER + 5]), [Parsed::Truncated(cut)]);
        assert_eq!(descriptors(cut).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn a_length_that_lies_is_not_followed() {
        for lie in [0, 1, HEADER - 1] {
            let mut control = encode(&[RIGHTS]).unwrap();
            control[..8].copy_from_slice(&lie.to_ne_bytes());
            assert_eq!(items(&control), [Parsed::Malformed]);
        }
        for lie in [usize::MAX, usize::MAX - 7, 1 << 40] {
            let mut control = encode(&[SHORT]).unwrap();
            control[..8].copy_from_slice(&lie.to_ne_bytes());
            assert!(matches!(items(&control)[..], [Parsed::Truncated(ControlMessage { data, .. })] if data.len() == 8));
        }
    }

    #[test]
    fn every_prefix_is_read_without_fault() {
        let control = encode(&[RIGHTS, SHORT]).unwrap();
        for end in 0..control.len() {
            items(&control[..end]);
        }
    }

    #[test]
    fn lengths_have_a_bound() {
        assert_eq!(length(0), Some(16));
        assert_eq!(length(LONGEST - 16), Some(LONGEST));
        assert_eq!(length(LONGEST - 15), None);
        assert_eq!(length(usize::MAX), None);
        assert_eq!(space(1), Some(24));
        assert_eq!(space(LONGEST - 24), Some(2_147_483_640));
        assert_eq!(space(LONGEST - 23), None);
    }
}
