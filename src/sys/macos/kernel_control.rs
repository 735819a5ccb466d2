//! The numbers of kernel controls, by `ioctl(CTLIOCGINFO)` on a socket of `AF_SYSTEM`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::syscall;

/// The size of a control's name: `MAX_KCTL_NAME` of `<sys/kern_control.h>`.
pub const NAME_SIZE: usize = 96;

/// The number of the control with this name, of at most [`NAME_SIZE`] bytes; a longer one is cut.
pub fn id_of(fd: BorrowedFd<'_>, name: &[u8]) -> io::Result<u32> {
    let mut info = libc::ctl_info { ctl_id: 0, ctl_name: [0; NAME_SIZE] };
    for (to, from) in info.ctl_name.iter_mut().zip(name) {
        *to = from.cast_signed();
    }
    // SAFETY: the request reads and writes one `ctl_info`.
    unsafe { syscall!(ioctl(fd.as_raw_fd(), libc::CTLIOCGINFO, &raw mut info)) }?;
    Ok(info.ctl_id)
}
