//! Files of any size: `fstat(2)` and `sendfile(2)`.
//!
//! Where a C `long` has 32 bits, the calls without a 64 in their names end at 2 GiB: `fstat` fails with EOVERFLOW for a larger file, and
//! `sendfile` cannot begin beyond. Elsewhere both are the same.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

#[cfg(target_pointer_width = "64")]
use libc::{fstat as fstat_call, sendfile as sendfile_call, stat as Stat};
#[cfg(not(target_pointer_width = "64"))]
use libc::{fstat64 as fstat_call, sendfile64 as sendfile_call, stat64 as Stat};

use super::check;

/// `sendfile(2)` from `offset` of a file; the file's own position does not change.
pub fn sendfile(out: BorrowedFd<'_>, file: BorrowedFd<'_>, offset: i64, count: usize) -> io::Result<usize> {
    let mut offset = offset;
    // SAFETY: the call reads and writes `offset`, which outlives it.
    let sent = check(unsafe { sendfile_call(out.as_raw_fd(), file.as_raw_fd(), &raw mut offset, count) })?;
    Ok(sent.cast_unsigned())
}

/// The size of a regular file, in bytes.
pub fn size(fd: BorrowedFd<'_>) -> io::Result<i64> {
    Ok(status(fd)?.st_size)
}

/// Whether a descriptor names a regular file.
pub fn is_regular(fd: BorrowedFd<'_>) -> bool {
    status(fd).is_ok_and(|status| status.st_mode & libc::S_IFMT == libc::S_IFREG)
}

/// Identifies the file that a descriptor names. All duplicates have the same identity, and no other file has it while one of them is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: libc::dev_t,
    inode: libc::ino64_t,
}

/// The identity of the file that a descriptor names.
pub fn identity(fd: BorrowedFd<'_>) -> io::Result<Identity> {
    let status = status(fd)?;
    Ok(Identity { device: status.st_dev, inode: status.st_ino })
}

fn status(fd: BorrowedFd<'_>) -> io::Result<Stat> {
    let mut status = MaybeUninit::<Stat>::uninit();
    // SAFETY: the call writes one `stat`, and has initialised `status` when it succeeds.
    unsafe {
        check(fstat_call(fd.as_raw_fd(), status.as_mut_ptr()))?;
        Ok(status.assume_init())
    }
}
