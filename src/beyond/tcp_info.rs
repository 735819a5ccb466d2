//! What the kernel knows of a TCP connection: `TCP_INFO` (tcp(7)).

use super::package;
use crate::interpreter::{ObjectResult, make};
use crate::socket::object::SocketRef;
use crate::{name, sys};

/// Larger than any kernel's `struct tcp_info`: it has 280 bytes in Linux 6.18, and has grown by some 20 bytes a year.
const ROOM: usize = 1024;

/// `tcp_info()`: the kernel's answer, which `oxisocket._beyond.tcp_info` decodes.
pub fn tcp_info<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let mut bytes = [0; ROOM];
    let length = this.socket().descriptor().attached(py, |fd| sys::tcp::tcp_info(fd, &mut bytes))?;
    let bytes = make::bytes(py, &bytes[..length.min(ROOM)])?;
    package::call(name!(py, "oxisocket._beyond.tcp_info")?, name!(py, "decode")?, bytes)
}
