//! The methods that the public class has in addition to those of CPython.

use super::exact;
use crate::functions;
use crate::interpreter::function::Table;

/// The methods. Their receiver is a socket.
pub static METHODS: Table = functions![
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
