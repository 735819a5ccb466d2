"""Which names belong together, in the order in which a reader meets them."""

from __future__ import annotations

METHODS = {
    "Its kind": ("family", "type", "proto", "fileno", "describe"),
    "Connecting": ("bind", "listen", "accept", "connect", "connect_ex", "getsockname", "getpeername"),
    "Sending": ("send", "sendall", "sendto", "sendmsg", "sendfile", "sendmsg_afalg"),
    "Receiving": (
        "recv",
        "recv_exactly",
        "recv_into",
        "recv_exactly_into",
        "recvfrom",
        "recvfrom_into",
        "recvmsg",
        "recvmsg_into",
        "makefile",
    ),
    "Waiting": ("timeout", "settimeout", "gettimeout", "setblocking", "getblocking"),
    "Options": ("getsockopt", "getsockopt_bytes", "setsockopt", "tcp_info"),
    "Closing and passing on": ("shutdown", "close", "detach", "dup", "get_inheritable", "set_inheritable"),
    "For compatibility": ("gethostname",),
}

FUNCTIONS = {
    "Making sockets": ("create_connection", "create_server", "has_dualstack_ipv6", "socketpair", "fromfd"),
    "Names and addresses": (
        "getaddrinfo",
        "getnameinfo",
        "gethostname",
        "sethostname",
        "getfqdn",
        "gethostbyname",
        "gethostbyname_ex",
        "gethostbyaddr",
        "getservbyname",
        "getservbyport",
        "getprotobyname",
    ),
    "Addresses as text and bytes": ("inet_pton", "inet_ntop", "inet_aton", "inet_ntoa", "htonl", "htons", "ntohl", "ntohs"),
    "Interfaces": ("if_nameindex", "if_nametoindex", "if_indextoname"),
    "Descriptors and control messages": ("send_fds", "recv_fds", "CMSG_LEN", "CMSG_SPACE", "close", "dup"),
    "The default timeout": ("getdefaulttimeout", "setdefaulttimeout"),
    "Exceptions": ("error", "timeout", "gaierror", "herror"),
}

BEYOND = {
    "Deadlines": ("deadline",),
    "Reading what is complete": ("Reader", "IncompleteReadError", "LimitOverrunError"),
    "Seeing": ("trace", "observe", "sockets", "OpenSocket"),
    "A TCP connection": ("TcpInfo", "TcpState", "TcpCaState", "TcpOption"),
    "Interfaces": ("getifaddrs", "InterfaceAddress", "InterfaceFlag"),
}

WHOLE_PROGRAM = {"Installing": ("install", "uninstall", "installed", "_Installation")}

#: On the page of the constants, before the numbers.
OTHERS = {
    "Enumerations": ("AddressFamily", "SocketKind", "MsgFlag", "AddressInfo"),
    "More names": ("__version__", "has_ipv6", "SocketType", "SocketIO", "CAPI", "EBADF", "EAGAIN", "EWOULDBLOCK"),
}

#: What has no docstring of its own.
WORDS = {
    "socket": "A socket closes itself at the end of a ``with`` statement.",
    "error": "The built-in OSError, by its old name.",
    "timeout": "The built-in TimeoutError, by its old name: a timeout has passed.",
    "gaierror": "A look-up by ``getaddrinfo()`` or ``getnameinfo()`` failed; ``errno`` is one of the EAI constants. An OSError.",
    "herror": "A look-up by ``gethostbyname_ex()`` or ``gethostbyaddr()`` failed. An OSError.",
    "AddressFamily": "The address families, AF and the name.",
    "SocketKind": "The types of sockets, SOCK and the name.",
    "MsgFlag": "The flags of a transfer, MSG and the name; see recv(2) and send(2).",
    "AddressInfo": "The flags of ``getaddrinfo()``, AI and the name; see getaddrinfo(3).",
    "__version__": "The version of oxisocket.",
    "has_ipv6": "Whether the system's headers have IPv6, which does not mean that this machine has an IPv6 address.",
    "SocketType": "The class in Rust from which ``socket`` derives; its ``accept`` and files are those of ``socket``.",
    "CAPI": "A capsule with the class and its errors, for extension modules such as ``_ssl``.",
    "EBADF": "The number of the error of a call on a closed socket.",
    "EAGAIN": "The number of the error of a call that would block.",
    "EWOULDBLOCK": "The same number as ``EAGAIN``.",
}
