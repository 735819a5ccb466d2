//! The methods that the public class has beyond CPython's.

use super::{description, option_value, readiness, tcp_info};
use crate::functions;
use crate::interpreter::function::Table;

/// The methods; the receiver of each is the socket.
pub static METHODS: Table = functions![
    noargs c"_readiness" => readiness::readiness, c"_readiness($self, /)\n--\n\n\
        The bytes that can be read (SIOCINQ), those in the send queue (SIOCOUTQ), and the events that poll(2) reports, as a tuple.\n\n\
        None stands for what the socket does not report. Does not raise OSError. See tcp(7), udp(7), unix(7) and poll(2).";
    noargs c"describe" => description::describe, c"describe($self, /)\n--\n\n\
        The socket in one line, for people: state, addresses, timeout, unread bytes, options that are set, and more.\n\n\
        The text may change in any release. Does not raise OSError: a closed socket is described as closed.";
    keywords c"getsockopt_bytes" => option_value::getsockopt_bytes, c"getsockopt_bytes($self, level, option, size=None)\n--\n\n\
        The value of a socket option as bytes, of any length.\n\n\
        Without a size all of it is returned, up to 64 MiB; with a size (from 1 on) at most so many bytes, in one system call.\n\
        Raises OSError, ERANGE for a longer value; ValueError for a size below 1; MemoryError. See getsockopt(2).";
    noargs c"tcp_info" => tcp_info::tcp_info, c"tcp_info($self, /)\n--\n\n\
        What the kernel knows of a TCP connection: an oxisocket.TcpInfo, a named tuple with units in its names.\n\n\
        Raises OSError when the socket is closed or not a TCP socket. See tcp(7), TCP_INFO.";
];
