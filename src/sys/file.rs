//! Files of any size: what `fstat(2)` tells, and `sendfile(2)`.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;
pub use super::system::file::{LARGE, birth, sendfile};
use super::system::file::{Status, fstat};

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
    inode: u64,
}

/// The identity of the file that a descriptor names.
pub fn identity(fd: BorrowedFd<'_>) -> io::Result<Identity> {
    let status = status(fd)?;
    Ok(Identity { device: status.st_dev, inode: status.st_ino })
}

fn status(fd: BorrowedFd<'_>) -> io::Result<Status> {
    let mut status = MaybeUninit::<Status>::uninit();
    // SAFETY: the call writes one `stat`, and has initialised `status` when it succeeds.
    unsafe {
        check(fstat(fd.as_raw_fd(), status.as_mut_ptr()))?;
        Ok(status.assume_init())
    }
}
