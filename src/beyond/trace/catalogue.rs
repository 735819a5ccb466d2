//! Which calls are traced, and what of their arguments and results is data.

/// What a call does, as far as a trace has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing more than what its arguments and its result say.
    Plain,
    /// Makes the socket itself.
    New,
    /// Returns a new socket, alone or first in a tuple.
    Makes,
    /// Is given an address that the socket gets or connects to.
    Address,
    /// Makes the socket listen.
    Listen,
    /// Closes the socket, or gives its descriptor away.
    Close,
    /// Returns a pair of sockets of the base class.
    Pair,
    /// Returns the data.
    Receive,
    /// Returns the data, and where it came from.
    ReceiveFrom,
    /// Returns how much was put into the first argument.
    ReceiveInto,
    /// The same, and where it came from.
    ReceiveFromInto,
    /// Returns (data, control messages, flags, address).
    ReceiveMessage,
    /// The same for several buffers, with the number of bytes instead of the data.
    ReceiveMessageInto,
    /// Returns how much of the first argument was sent.
    Send,
    /// Sends all of the first argument.
    SendAll,
    /// Returns how much of the first argument was sent to the last one.
    SendTo,
    /// Returns how much of the buffers that the first argument has was sent.
    SendMessage,
    /// Returns how much of a file was sent.
    SendFile,
    /// Native TLS returns the data, or how much was put into the second argument.
    ReadTls,
}

/// On what a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// A socket.
    Socket,
    /// A file object of `makefile`.
    File,
    /// The module.
    Module,
}

/// The kind of a call, and the name that it has in a trace; `None` for a call that is not traced: it makes no system call, or is made by
/// this library on the way to another one.
pub fn find(on: On, name: &str) -> Option<(Kind, &str)> {
    let kind = match (on, name) {
        (On::Socket, "__init__") => return Some((Kind::New, "socket")),
        // The end of a with statement.
        (On::Socket, "__exit__") => return Some((Kind::Close, "close")),
        (On::Socket, "accept" | "dup") => Kind::Makes,
        (On::Socket, "bind" | "connect" | "connect_ex") => Kind::Address,
        (On::Socket, "close" | "detach") => Kind::Close,
        (On::Socket, "listen") => Kind::Listen,
        (On::Socket, "recv" | "recv_exactly") => Kind::Receive,
        (On::Socket, "recvfrom") => Kind::ReceiveFrom,
        (On::Socket, "recv_into" | "recv_exactly_into") | (On::File, "readinto") => Kind::ReceiveInto,
        (On::Socket, "recvfrom_into") => Kind::ReceiveFromInto,
        (On::Socket, "recvmsg") => Kind::ReceiveMessage,
        (On::Socket, "recvmsg_into") => Kind::ReceiveMessageInto,
        (On::Socket, "send") | (On::File, "write") => Kind::Send,
        (On::Socket, "sendall") => Kind::SendAll,
        (On::Socket, "sendto") => Kind::SendTo,
        (On::Socket, "sendmsg" | "sendmsg_afalg") => Kind::SendMessage,
        (On::Socket, "sendfile") => Kind::SendFile,
        (
            On::Socket,
            "getpeername" | "getsockname" | "getsockopt" | "getsockopt_bytes" | "set_inheritable" | "setblocking"
            | "setsockopt" | "settimeout" | "shutdown" | "tcp_info" | "do_handshake" | "unwrap",
        ) => Kind::Plain,
        (On::Module, "socketpair") => Kind::Pair,
        (On::Module, "_public_getaddrinfo") => return Some((Kind::Plain, "getaddrinfo")),
        (
            On::Module,
            "close" | "dup" | "getaddrinfo" | "gethostbyaddr" | "gethostbyname" | "gethostbyname_ex" | "gethostname"
            | "getnameinfo" | "getprotobyname" | "getservbyname" | "getservbyport" | "if_indextoname" | "if_nameindex"
            | "if_nametoindex" | "sethostname",
        ) => Kind::Plain,
        _ => return None,
    };
    Some((kind, name))
}

/// Whether a trace has calls of this name.
pub fn has_call(name: &str) -> bool {
    const OTHER_NAMES: [&str; 2] = ["socket", "getaddrinfo"];
    let is_traced = |on| find(on, name).is_some_and(|(_, shown)| shown == name);
    OTHER_NAMES.contains(&name)
        || [On::Socket, On::File, On::Module].into_iter().any(is_traced)
        || find_tls(name).is_some()
}

/// The kind of a method of native TLS.
pub fn find_tls(name: &str) -> Option<(Kind, &str)> {
    let kind = match name {
        "read" => Kind::ReadTls,
        "write" | "send" => Kind::Send,
        "do_handshake" | "unwrap" => Kind::Plain,
        _ => return None,
    };
    Some((kind, name))
}
