//! `fstat(2)`, `sendfile(2)`, `statx(2)`.
//!
//! Where a C `long` has 32 bits, the calls without a 64 in their names end at 2 GiB: `fstat` fails with EOVERFLOW for a larger file, and
//! `sendfile` cannot begin beyond. Elsewhere both are the same.

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

#[cfg(target_pointer_width = "64")]
pub use libc::{fstat, stat as Status};
#[cfg(not(target_pointer_width = "64"))]
pub use libc::{fstat64 as fstat, stat64 as Status};

#[cfg(target_pointer_width = "64")]
use libc::sendfile as sendfile_call;
#[cfg(not(target_pointer_width = "64"))]
use libc::sendfile64 as sendfile_call;

use crate::sys::check;
use crate::syscall;

/// The flag of `open(2)` with which files may be larger than 2 GiB.
pub const LARGE: c_int = libc::O_LARGEFILE;

/// `sendfile(2)` from `offset` of a file; the file's own position does not change.
pub fn sendfile(out: BorrowedFd<'_>, file: BorrowedFd<'_>, offset: i64, count: usize) -> io::Result<usize> {
    let mut offset = offset;
    // SAFETY: the call reads and writes `offset`, which outlives it.
    let sent = check(unsafe { sendfile_call(out.as_raw_fd(), file.as_raw_fd(), &raw mut offset, count) })?;
    Ok(sent.cast_unsigned())
}

/// `statx(2)`: when the file was made, in seconds and nanoseconds; `None` if that is not known. glibc has a function for it since 2.28, and
/// musl since 1.2.4; the kernel since 4.11.
pub fn birth(fd: BorrowedFd<'_>) -> io::Result<Option<(i64, u32)>> {
    let mut status = MaybeUninit::<libc::statx>::uninit();
    // SAFETY: the path is empty, so that the call is about the descriptor; it writes one `statx`, and has initialised it when it succeeds.
    let status = unsafe {
        let path = c"".as_ptr();
        let (flags, wanted) = (libc::AT_EMPTY_PATH, libc::STATX_BTIME);
        syscall!(syscall(libc::SYS_statx, fd.as_raw_fd(), path, flags, wanted, status.as_mut_ptr()))?;
        status.assume_init()
    };
    let born = (status.stx_btime.tv_sec, status.stx_btime.tv_nsec);
    Ok((status.stx_mask & libc::STATX_BTIME != 0).then_some(born))
}
