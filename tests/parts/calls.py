"""The kinds of calls that are made to fail, and the errors that each can have: those of its man page, and EINTR, ENOMEM, EMFILE and ENFILE
where the kernel can answer with them."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

OTHER_TABLE = -1000  # errors of a look-up that are an errno count down from here


@dataclass(frozen=True)
class Kind:
    """Calls of the C library that do the same, by the name of the first of them."""

    name: str
    errors: tuple[str, ...]

    def value(self, error: str) -> int:
        """What the shim is told: an errno, a code of a look-up, or an errno of a look-up."""
        if error.startswith(("EAI_", "H_")):
            code, _, cause = error.partition("+")
            return OTHER_TABLE - getattr(errno, cause) if cause else CODES[code]
        return getattr(errno, error)


# netdb.h; Python has no names for those of gethostbyname_r(3).
CODES = {name: getattr(socket, name) for name in dir(socket) if name.startswith("EAI_")} | {
    "H_HOST_NOT_FOUND": 1,
    "H_TRY_AGAIN": 2,
    "H_NO_RECOVERY": 3,
    "H_NO_DATA": 4,
}

_HOST = "H_HOST_NOT_FOUND H_TRY_AGAIN H_NO_RECOVERY H_NO_DATA H_+ENOMEM H_+EMFILE"
_LOOKUP = "EAI_AGAIN EAI_BADFLAGS EAI_FAIL EAI_FAMILY EAI_MEMORY EAI_NONAME EAI_SYSTEM+EMFILE EAI_SYSTEM+ENOMEM EAI_SYSTEM+EINTR"

# In the order of the shim's `enum kind`.
_TABLE = {
    "socket": "EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT EPERM",
    "socketpair": "EAFNOSUPPORT EFAULT EMFILE ENFILE EOPNOTSUPP EPROTONOSUPPORT ENOMEM",
    "bind": "EACCES EADDRINUSE EADDRNOTAVAIL EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR ENOTSOCK EROFS",
    "listen": "EADDRINUSE EBADF ENOTSOCK EOPNOTSUPP",
    "accept": "EAGAIN EBADF ECONNABORTED EFAULT EINTR EINVAL EMFILE ENETDOWN ENFILE ENOBUFS ENOMEM ENOTSOCK EOPNOTSUPP EPERM EPROTO",
    "connect": "EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF ECONNREFUSED EFAULT EHOSTUNREACH EINPROGRESS EINTR "
    "EISCONN ENETUNREACH ENOMEM ENOTSOCK EPERM EPROTOTYPE ETIMEDOUT",
    "send": "EACCES EAGAIN EALREADY EBADF ECONNREFUSED ECONNRESET EDESTADDRREQ EFAULT EHOSTUNREACH EINTR EINVAL EISCONN EMSGSIZE "
    "ENETUNREACH ENOBUFS ENOMEM ENOTCONN ENOTSOCK EOPNOTSUPP EPIPE ETIMEDOUT",
    "recv": "EAGAIN EBADF ECONNREFUSED ECONNRESET EFAULT EINTR EINVAL EMFILE ENOMEM ENOTCONN ENOTSOCK ETIMEDOUT",
    "poll": "EFAULT EINTR EINVAL ENOMEM",
    "setsockopt": "EBADF EDOM EFAULT EINVAL EISCONN ENOBUFS ENOMEM ENOPROTOOPT ENOTSOCK EPERM",
    "getsockopt": "EBADF EFAULT EINVAL ENOMEM ENOPROTOOPT ENOTSOCK EOPNOTSUPP",
    "getsockname": "EBADF EFAULT EINVAL ENOBUFS ENOTSOCK",
    "getpeername": "EBADF EFAULT EINVAL ENOBUFS ENOTCONN ENOTSOCK",
    "shutdown": "EBADF EINVAL ENOTCONN ENOTSOCK",
    "close": "EBADF EDQUOT EINTR EIO ENOSPC",
    "fcntl": "EACCES EAGAIN EBADF EFAULT EINTR EINVAL EMFILE EPERM",
    "ioctl": "EBADF EFAULT EINTR EINVAL ENODEV ENOMEM ENOTTY EPERM",
    "dup": "EBADF EBUSY EINTR EINVAL EMFILE ENOMEM",
    "sendfile": "EAGAIN EBADF ECONNRESET EFAULT EINTR EINVAL EIO ENOMEM ENOSYS ENOTCONN EOVERFLOW EPIPE ESPIPE",
    "read": "EAGAIN EBADF EFAULT EINTR EINVAL EIO EISDIR ENOMEM",
    "write": "EAGAIN EBADF EDESTADDRREQ EDQUOT EFAULT EFBIG EINTR EINVAL EIO ENOSPC EPERM EPIPE",
    "open": "EACCES EINTR EINVAL ELOOP EMFILE ENFILE ENOENT ENOMEM ENOSPC",
    "fstat": "EACCES EBADF EFAULT ENOENT ENOMEM EOVERFLOW",
    "lseek": "EBADF EINVAL EOVERFLOW ESPIPE",
    "pthread_create": "EAGAIN EINVAL EPERM",
    "pthread_kill": "EAGAIN EINVAL ESRCH",
    "sigaction": "EFAULT EINVAL",
    "getaddrinfo": _LOOKUP + " EAI_SERVICE EAI_SOCKTYPE",
    "getnameinfo": _LOOKUP + " EAI_OVERFLOW",
    "gethostbyname": _HOST,
    "gethostbyaddr": _HOST,
    "getservbyname": "ENOENT EMFILE ENOMEM",
    "getservbyport": "ENOENT EMFILE ENOMEM",
    "getprotobyname": "ENOENT EMFILE ENOMEM",
    "gethostname": "EFAULT EINVAL ENAMETOOLONG EPERM",
    "if_nameindex": "EMFILE ENFILE ENOBUFS ENOMEM",
    "if_nametoindex": "EMFILE ENODEV ENOMEM",
    "if_indextoname": "EMFILE ENOMEM ENXIO",
    "getifaddrs": "EACCES EMFILE ENFILE ENOBUFS ENOMEM",
    "alloc": "ENOMEM",
}
KINDS = {name: Kind(name, tuple(errors.split())) for name, errors in _TABLE.items()}
NAMES = tuple(KINDS)

# What a machine lacks for a while, and not for one call only: these errors are also given to all later calls.
LASTING = ("EMFILE", "ENOBUFS", "ENOMEM", "EAI_MEMORY")
