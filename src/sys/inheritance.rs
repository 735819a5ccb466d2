//! Whether a program that `exec` starts inherits a descriptor.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::syscall;

/// `ioctl(FIOCLEX)` or `ioctl(FIONCLEX)`: sets whether a program that `exec` starts inherits the descriptor. A security policy may forbid
/// every `ioctl`, and a descriptor with `O_PATH` has none: there it takes two calls of `fcntl(2)`.
pub fn set_inheritable(fd: BorrowedFd<'_>, inheritable: bool) -> io::Result<()> {
    let request = if inheritable { libc::FIONCLEX } else { libc::FIOCLEX };
    // SAFETY: these requests take no argument, so that the kernel follows no pointer.
    match unsafe { syscall!(ioctl(fd.as_raw_fd(), request)) } {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOTTY | libc::EACCES | libc::EBADF)) => {
            set_inheritable_by_flags(fd, inheritable)
        }
        done => done.map(drop),
    }
}

#[cold]
fn set_inheritable_by_flags(fd: BorrowedFd<'_>, inheritable: bool) -> io::Result<()> {
    // SAFETY: both calls take and return plain numbers.
    unsafe {
        let flags = syscall!(fcntl(fd.as_raw_fd(), libc::F_GETFD))?;
        let wanted = if inheritable { flags & !libc::FD_CLOEXEC } else { flags | libc::FD_CLOEXEC };
        if wanted != flags {
            syscall!(fcntl(fd.as_raw_fd(), libc::F_SETFD, wanted))?;
        }
    }
    Ok(())
}
