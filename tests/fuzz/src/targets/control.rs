//! Control messages from the kernel, of any content: no item reaches beyond the buffer, whatever its length says; `recvmsg` makes of them what
//! the stdlib's makes; and each descriptor that a message carried is closed once.

use std::os::fd::RawFd;

use pyo3::prelude::*;

use super::with_python;
use crate::bytes::Bytes;
use crate::kernel::{self, Stage};
use crate::modules::{outcome, sockets};
use crate::parts::control::ancillary::{self, ControlMessage, ControlMessages, Parsed};
use crate::parts::control::socket;

const HEADER: usize = size_of::<libc::cmsghdr>();

/// The bytes are what the kernel has written.
pub fn run(bytes: &[u8]) {
    let bytes = Bytes(bytes).some(4096);
    let items: Vec<Parsed<'_>> = ControlMessages::new(bytes).collect();
    assert_eq!(items, walk(bytes), "{bytes:?}");
    encode_again(&items);
    close(bytes, &items);
    with_python(|py| compare(py, bytes, &items));
}

/// The same by the book (cmsg(3)): an item begins at each multiple of a word's size, and its length counts its header.
fn walk(bytes: &[u8]) -> Vec<Parsed<'_>> {
    let mut items = Vec::new();
    let mut start = 0;
    while bytes.len() >= HEADER && start <= bytes.len() - HEADER {
        // SAFETY: the memory has a header's size, and a header is valid for any bytes.
        let header: libc::cmsghdr = unsafe { bytes.as_ptr().add(start).cast::<libc::cmsghdr>().read_unaligned() };
        let (level, kind, length) = (header.cmsg_level, header.cmsg_type, header.cmsg_len as usize);
        if length < HEADER {
            items.push(Parsed::Malformed);
            break;
        }
        let from = start + HEADER;
        if length > bytes.len() - start {
            items.push(Parsed::Truncated(ControlMessage { level, kind, data: &bytes[from..] }));
            break;
        }
        items.push(Parsed::Whole(ControlMessage { level, kind, data: &bytes[from..start + length] }));
        start += length.next_multiple_of(size_of::<usize>());
    }
    items
}

/// What is whole is read again as it was.
fn encode_again(items: &[Parsed<'_>]) {
    let whole: Vec<ControlMessage<'_>> =
        items.iter().filter_map(|item| if let Parsed::Whole(item) = item { Some(*item) } else { None }).collect();
    let encoded = ancillary::encode(&whole).expect("what was received can be sent");
    let space: Option<usize> = whole.iter().map(|item| ancillary::space(item.data.len())).sum();
    assert_eq!(Some(encoded.len()), space);
    assert!(ControlMessages::new(&encoded).eq(whole.into_iter().map(Parsed::Whole)));
}

fn close(bytes: &[u8], items: &[Parsed<'_>]) {
    ancillary::close_descriptors(bytes);
    let mut expected = Vec::new();
    for item in items {
        let (Parsed::Whole(item) | Parsed::Truncated(item)) = item else { continue };
        if item.level == libc::SOL_SOCKET && [libc::SCM_RIGHTS, 4].contains(&item.kind) {
            let numbers = item.data.chunks_exact(4).map(|number| RawFd::from_ne_bytes(number.try_into().expect("4")));
            expected.extend(numbers.filter(|&number| number >= 0));
        }
    }
    assert_eq!(socket::closed(), expected);
}

fn compare(py: Python<'_>, bytes: &[u8], items: &[Parsed<'_>]) {
    // The C library that the stdlib was built with may end before an item that is not whole, or has no padding behind it, and not tell.
    let unaligned = !bytes.len().is_multiple_of(size_of::<usize>());
    let is_cut = items.len() > 1 && (unaligned || !matches!(items.last(), Some(Parsed::Whole(_))));
    let [expected, actual] = sockets(py, libc::AF_INET, 0).map(|socket| {
        let stage = Stage { control: Some(bytes.to_vec()), ..Stage::default() };
        kernel::play(stage, || outcome(py, || socket.call_method1(py, "recvmsg", (0, bytes.len())))).0
    });
    assert!(expected == actual || is_cut, "{bytes:?}:\nstdlib    {expected:?}\noxisocket {actual:?}");
}
