//! The methods that the public class has beyond CPython's.

use super::{description, exact, option_value, readiness, tcp_info};
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
        Without a size all of it is returned, up to 64 MiB; with a size (from 1 on) its first bytes, in one system call:\n\
        the system cuts a longer value, or refuses the call (ERANGE). Raises OSError, ValueError for a size below 1, MemoryError.\n\
        See getsockopt(2).";
    noargs c"tcp_info" => tcp_info::tcp_info, c"tcp_info($self, /)\n--\n\n\
        What the kernel knows of a TCP connection: an oxisocket.TcpInfo, a named tuple with units in its names.\n\n\
        Raises OSError when the socket is closed or not a TCP socket. See tcp(7), TCP_INFO.";
    keywords c"recv_exactly" => exact::recv_exactly, c"recv_exactly($self, n, flags=0)\n--\n\n\
        Receives exactly n bytes. The socket's timeout is one for the whole call. The socket must be of type SOCK_STREAM.\n\n\
        Raises oxisocket.IncompleteReadError, an EOFError, when the other end closes before; TimeoutError when the timeout\n\
        passes; BlockingIOError when the socket is non-blocking and fewer bytes have come; and OSError. No byte is lost: the\n\
        attribute 'partial' of the exception has the bytes that were received until then.";
    keywords c"recv_exactly_into" => exact::recv_exactly_into,
        c"recv_exactly_into($self, buffer, nbytes=0, flags=0)\n--\n\n\
        Like recv_exactly(), but puts the data into a writable buffer and returns how many bytes came: nbytes.\n\n\
        nbytes of 0 means as many as the buffer takes. Raises ValueError when the buffer has no room for nbytes. After an error\n\
        the buffer begins with the bytes that were received, and the attribute 'partial' of the exception is a copy of them.";
];
