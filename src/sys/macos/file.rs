//! `fstat(2)` and `sendfile(2)`.

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

pub use libc::{fstat, stat as Status};

use crate::syscall;

/// The flag of `open(2)` for large files: all may be.
pub const LARGE: c_int = 0;

/// `sendfile(2)` from `offset` of a file; the file's own position does not change.
///
/// The call stores how much it has sent, also when it fails because the socket has no more room, or because of a signal: then it has succeeded
/// in part. A count of 0 stands for the whole file, so it is not passed on.
pub fn sendfile(out: BorrowedFd<'_>, file: BorrowedFd<'_>, offset: i64, count: usize) -> io::Result<usize> {
    if count == 0 {
        return Ok(0);
    }
    let mut length = libc::off_t::try_from(count).unwrap_or(libc::off_t::MAX);
    // SAFETY: the call reads and writes `length`, which outlives it; there are no headers or trailers.
    let ended =
        unsafe { syscall!(sendfile(file.as_raw_fd(), out.as_raw_fd(), offset, &raw mut length, ptr::null_mut(), 0)) };
    match ended {
        Err(error) if !(matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) && length > 0) => Err(error),
        _ => Ok(usize::try_from(length).unwrap_or(0)),
    }
}

/// `fstat(2)`: when the file was made, in seconds and nanoseconds.
pub fn birth(fd: BorrowedFd<'_>) -> io::Result<Option<(i64, u32)>> {
    let mut status = MaybeUninit::<Status>::uninit();
    // SAFETY: the call writes one `stat`, and has initialised `status` when it succeeds.
    let status = unsafe {
        syscall!(fstat(fd.as_raw_fd(), status.as_mut_ptr()))?;
        status.assume_init()
    };
    Ok(Some((status.st_birthtime, u32::try_from(status.st_birthtime_nsec).unwrap_or(0))))
}
