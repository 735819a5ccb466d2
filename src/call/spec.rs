//! The family, type and protocol of a socket.

use std::ffi::c_int;
use std::io;
use std::os::fd::BorrowedFd;

use crate::sys;
use crate::sys::socket::KIND_FLAGS;

/// The family, type and protocol of a socket, as `__init__` takes them. -1 stands for the default, or for the value that the kernel
/// reports for a given descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The address family.
    pub family: c_int,
    /// The type, which may carry `SOCK_NONBLOCK` and `SOCK_CLOEXEC`.
    pub kind: c_int,
    /// The protocol.
    pub proto: c_int,
}

impl Spec {
    /// The type, without `SOCK_NONBLOCK` and `SOCK_CLOEXEC`.
    pub fn plain_kind(&self) -> c_int {
        KIND_FLAGS.iter().fold(self.kind, |kind, (flag, _)| kind & !flag)
    }

    /// Replaces each -1 by its default: `AF_INET`, `SOCK_STREAM`, protocol 0.
    pub fn or_default(self) -> Self {
        let or = |value, default| if value == -1 { default } else { value };
        Spec {
            family: or(self.family, libc::AF_INET),
            kind: or(self.kind, libc::SOCK_STREAM),
            proto: or(self.proto, 0),
        }
    }

    /// Replaces each -1 by the value that the kernel reports for `fd`. Fails unless `fd` is a socket.
    pub fn or_detected(self, fd: BorrowedFd<'_>) -> io::Result<Self> {
        let detected = |value, detect: &dyn Fn() -> io::Result<c_int>| if value == -1 { detect() } else { Ok(value) };
        Ok(Spec {
            family: self.detect_family(fd)?,
            kind: detected(self.kind, &|| sys::socket::getsockopt_int(fd, libc::SOL_SOCKET, libc::SO_TYPE))?,
            proto: detected(self.proto, &|| sys::socket::protocol(fd))?,
        })
    }

    fn detect_family(&self, fd: BorrowedFd<'_>) -> io::Result<c_int> {
        match sys::socket::getsockname(fd) {
            Ok(address) if self.family == -1 => Ok(address.family().into()),
            Ok(_) => Ok(self.family),
            // `getsockname` fails for some families (AF_ALG). Then the caller must have given the family.
            Err(error) => match error.raw_os_error() {
                Some(libc::EBADF | libc::ENOTSOCK) => Err(error),
                _ if self.family == -1 => Err(error),
                _ => Ok(self.family),
            },
        }
    }
}
