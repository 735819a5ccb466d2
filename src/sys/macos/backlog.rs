//! The backlog of a TCP listener. The kernel tells it to the listener only (`SO_LISTENQLEN`), and not to one who asks by address.

use std::io;
use std::net::SocketAddr;

use crate::sys::listener::Backlog;

/// The backlog of the listener of this machine that would get a connection from `client` to `server`; here it is not known.
pub fn backlog(_server: SocketAddr, _client: SocketAddr) -> io::Result<Option<Backlog>> {
    Err(io::Error::from_raw_os_error(libc::ENOTSUP))
}
