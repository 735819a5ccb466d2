"""Python's ``socket``, written in Rust: a drop-in replacement for the module of the standard library.

    import oxisocket as socket

Everything that the standard library's ``socket`` exports is here and does the same; ``python -m oxisocket program.py`` runs a
program that says ``import socket`` on it.
"""

# Programs use the unused imports through this module, as through the standard library's `socket`.
import errno
import io
import os  # noqa: F401
import sys
from enum import IntEnum, IntFlag

from oxisocket import _socket
from oxisocket._socket import __version__ as __version__
from oxisocket._socket import _GiveupOnSendfile as _GiveupOnSendfile

TYPE_CHECKING = False  # `typing` would take longer to import than the rest
if TYPE_CHECKING:
    # A type checker cannot follow how these names are made; it takes them from the package's stub.
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from typing import Any

    from _typeshed import ReadableBuffer

    from oxisocket import (
        AF_INET,
        AF_INET6,
        AF_UNIX,
        IPPROTO_IPV6,
        IPV6_V6ONLY,
        SO_REUSEADDR,
        SO_REUSEPORT,
        SOCK_STREAM,
        SOL_SOCKET,
        AddressFamily,
        SocketKind,
        dup,
        gethostbyaddr,
        gethostname,
        has_ipv6,
        socket,
    )
    from oxisocket._installation import Installation
else:
    from oxisocket._socket import *  # noqa: F403

    # These classes are internal: `socket` does not export them.
    del RawSocketIO, Socket  # noqa: F821

__all__ = [
    "AddressFamily",
    "SocketKind",
    "create_connection",
    "create_server",
    "fromfd",
    "getfqdn",
    "has_dualstack_ipv6",
    "recv_fds",
    "send_fds",
]
__all__ += [name for name in dir(_socket) if not name.startswith("_") and name not in ("RawSocketIO", "Socket")]

# Names beyond the standard library's, each with the module of `oxisocket._beyond` that has it.
_BEYOND = {
    "IncompleteReadError": "errors",
    "InterfaceAddress": "interfaces",
    "InterfaceFlag": "interfaces",
    "LimitOverrunError": "errors",
    "OpenSocket": "open_sockets",
    "Reader": "reader",
    "TcpCaState": "tcp_info",
    "TcpInfo": "tcp_info",
    "TcpOption": "tcp_info",
    "TcpState": "tcp_info",
    "deadline": "deadline",
    "getifaddrs": "interfaces",
    "observe": "tracing",
    "sockets": "open_sockets",
    "trace": "tracing",
}

EBADF = errno.EBADF
EAGAIN = errno.EAGAIN
EWOULDBLOCK = errno.EWOULDBLOCK

_blocking_errnos = {EAGAIN, EWOULDBLOCK}

if not TYPE_CHECKING:
    # The enum members replace the plain ints of the same names in this module.
    IntEnum._convert_("AddressFamily", __name__, lambda name: name.isupper() and name.startswith("AF_"))
    IntEnum._convert_("SocketKind", __name__, lambda name: name.isupper() and name.startswith("SOCK_"))
    IntFlag._convert_("MsgFlag", __name__, lambda name: name.isupper() and name.startswith("MSG_"))
    IntFlag._convert_("AddressInfo", __name__, lambda name: name.isupper() and name.startswith("AI_"))

    # `Socket` is the class's name in the extension; here it is `socket`, as in the standard library.
    socket = _socket.Socket

_LOCALHOST = "127.0.0.1"
_LOCALHOST_V6 = "::1"


class SocketIO(_socket.RawSocketIO, io.RawIOBase):
    """The raw layer of the file objects that ``socket.makefile()`` makes: an ``io.RawIOBase`` on a socket."""

    __module__ = "socket"


_socket._register(AddressFamily, SocketKind, globals())


# Modules that the standard library's has, for which programs look there.
_MODULES = ("array", "selectors")


def __getattr__(name: str) -> "Any":
    """Import a name beyond the standard library's, or one of its modules, when it is first used."""
    if name in _MODULES:
        return globals().setdefault(name, __import__(name))
    if name not in _BEYOND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules.get(__name__))
    value = getattr(__import__(f"{__name__}._beyond.{_BEYOND[name]}", fromlist=[name]), name)
    globals()[name] = value
    return value


def fromfd(fd: int, family: int, type: int, proto: int = 0) -> socket:
    """A socket on a duplicate of the descriptor ``fd``. The caller still owns ``fd``, which stays open.

    The descriptor must be that of a socket, which is not checked. Raises OSError; see dup(2).
    """
    return _socket._hand_over(socket, family, type, proto, dup(fd), False)


def send_fds(
    sock: _socket.socket,
    buffers: "Iterable[ReadableBuffer]",
    fds: "Iterable[int]",
    flags: "Any" = 0,
    address: "Any" = None,
    *,
    honor_arguments: bool = False,
) -> int:
    """Send data and descriptors over a socket of family AF_UNIX; return how many bytes of the data were sent.

    ``buffers`` is an iterable of bytes-like objects that contain at least one byte if the socket is a stream, ``fds`` an iterable
    of descriptors: the peer receives duplicates of them. The caller's descriptors stay open, also when the call fails. If only
    a part of the data was sent, the descriptors went with it: send the rest with ``send()``.

    ``flags`` and ``address`` have no effect, as in the standard library, unless ``honor_arguments`` is true: then they are those
    of ``sendmsg()``. Raises OSError; see unix(7), SCM_RIGHTS.
    """
    import array

    sendmsg = sock.sendmsg
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", fds))]
    return sendmsg(buffers, rights, flags, address) if honor_arguments else sendmsg(buffers, rights)


def recv_fds(
    sock: _socket.socket, bufsize: int, maxfds: int, flags: int = 0, *, honor_arguments: bool = False
) -> "tuple[bytes, list[int], int, Any]":
    """Receive data and descriptors: ``(data, fds, msg_flags, address)``.

    At most ``bufsize`` bytes and ``maxfds`` descriptors. The caller must close the descriptors; they are not inherited by
    programs that this one starts. If more came, the system has closed those, and MSG_CTRUNC is set in ``msg_flags``.

    ``flags`` has no effect, as in the standard library, unless ``honor_arguments`` is true: then they are those of ``recvmsg()``.
    With MSG_PEEK the descriptors are further duplicates, and must be closed too. Raises OSError; see unix(7), SCM_RIGHTS.
    """
    import array

    fds = array.array("i")
    recvmsg = sock.recvmsg
    room = _socket.CMSG_LEN(maxfds * fds.itemsize)
    message = recvmsg(bufsize, room, flags) if honor_arguments else recvmsg(bufsize, room)
    try:
        data, messages, msg_flags, address = message
        for level, kind, payload in messages:
            if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
                # Ignore the incomplete bytes of a truncated descriptor.
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        return data, list(fds), msg_flags, address
    except BaseException:
        # No memory, or a signal handler or a tracer has raised: the caller gets no descriptors.
        _close_received(message[1], fds.itemsize)
        raise


def _close_received(messages: "list[tuple[int, int, bytes]]", size: int) -> None:
    """Close the descriptors in control messages that the caller will not get."""
    for level, kind, payload in messages:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            for start in range(0, len(payload) - size + 1, size):
                _socket.close(int.from_bytes(payload[start : start + size], sys.byteorder))


def socketpair(family: int | None = None, type: int = SOCK_STREAM, proto: int = 0) -> tuple[socket, socket]:
    """Two sockets that are connected to each other.

    The family is AF_UNIX unless another is given, or AF_INET where there is no AF_UNIX. Raises OSError; see socketpair(2).
    """
    if family is None:
        family = AF_UNIX
    one, other = _socket.socketpair(family, type, proto)
    try:
        return (
            _socket._hand_over(socket, family, type, proto, one.detach(), True),
            _socket._hand_over(socket, family, type, proto, other.detach(), True),
        )
    finally:
        # Still open if the construction of the first socket failed, for example by an audit hook.
        other.close()


def _fallback_socketpair(family: int = AF_INET, type: int = SOCK_STREAM, proto: int = 0) -> tuple[socket, socket]:
    """The socketpair() of systems without one: two TCP sockets connected over the loopback interface."""
    hosts: dict[int, str] = {AF_INET: _LOCALHOST, AF_INET6: _LOCALHOST_V6}
    if family not in hosts:
        raise ValueError("Only AF_INET and AF_INET6 socket address families are supported")
    if type != SOCK_STREAM:
        raise ValueError("Only SOCK_STREAM socket type is supported")
    if proto != 0:
        raise ValueError("Only protocol zero is supported")

    with socket(family, type, proto) as listener:
        listener.bind((hosts[family], 0))
        listener.listen()
        # An AF_INET6 address has four items: host and port are the first two.
        where = listener.getsockname()[:2]
        one = socket(family, type, proto)
        try:
            one.setblocking(False)
            try:  # noqa: SIM105
                one.connect(where)
            except (BlockingIOError, InterruptedError):
                pass
            one.setblocking(True)
            other, _ = listener.accept()
        except BaseException:
            one.close()
            raise
    # Any program on this machine can connect to the port: make sure that it was this socket.
    try:
        if other.getsockname() != one.getpeername() or one.getsockname() != other.getpeername():
            raise ConnectionError("Unexpected peer connection")
    except BaseException:
        one.close()
        other.close()
        raise
    return one, other


def getfqdn(name: str = "") -> str:
    """The fully qualified name of a host; without an argument, of this machine.

    It is the first name with a dot in it among those that gethostbyaddr() returns, or else the host's name. If the host is
    unknown, it is ``name`` itself.
    """
    name = name.strip()
    if not name or name in ("0.0.0.0", "::"):
        name = gethostname()
    try:
        host, aliases, _ = gethostbyaddr(name)
    except OSError:
        return name
    for known in (host, *aliases):
        if "." in known:
            return known
    return host


_GLOBAL_DEFAULT_TIMEOUT: "Any" = object()

# For calls of `create_connection` that leave it to the default: see `install(happy_eyeballs=True)`.
_happy_eyeballs_delay: float | None = None


def create_connection(
    address: tuple[str | bytes | None, str | bytes | int | None],
    timeout: float | None = _GLOBAL_DEFAULT_TIMEOUT,
    source_address: "_socket._Address | None" = None,
    *,
    all_errors: bool = False,
    happy_eyeballs_delay: float | None = None,
    interleave: int | None = None,
    total_timeout: float | None = None,
) -> socket:
    """Connect to ``(host, port)`` and return the socket.

    The addresses of the host are tried in turn, until one accepts. ``timeout`` is in seconds, for each address, and stays the
    timeout of the socket; without it the default timeout applies, and None means no timeout. ``source_address`` is the address to
    connect from. If no address accepts, the last error is raised, or with ``all_errors`` an ExceptionGroup of all errors.

    What follows is not in the standard library. With ``happy_eyeballs_delay`` (Happy Eyeballs, RFC 8305; 0.25 is a good value)
    the attempts overlap: the next one starts when the last one has failed, or has taken so many seconds, and the first connection
    wins. ``interleave`` lets address families alternate, after so many addresses of the first; the default is 1 with a
    ``happy_eyeballs_delay``, and else 0. ``total_timeout`` is in seconds, for everything together: the look-up and all addresses.
    When it is over, TimeoutError is raised.
    """
    if not (happy_eyeballs_delay is interleave is total_timeout is _happy_eyeballs_delay is None):
        from oxisocket._beyond import connection

        return connection.connect(
            address,
            timeout,
            source_address,
            make=socket,
            getaddrinfo=getaddrinfo,
            failure=_connection_failure,
            all_errors=all_errors,
            happy_eyeballs_delay=happy_eyeballs_delay,
            default_delay=_happy_eyeballs_delay,
            interleave=interleave,
            total_timeout=total_timeout,
        )
    host, port = address
    errors: list[OSError] = []
    try:
        for family, kind, proto, _, target in getaddrinfo(host, port, 0, SOCK_STREAM):
            sock = None
            try:
                sock = socket(family, kind, proto)
                # A caller may pass the standard library's own object for "no timeout given": it is a plain object too.
                if type(timeout) is not object:
                    sock.settimeout(timeout)
                if source_address:
                    sock.bind(source_address)
                sock.connect(target)
                return sock
            except OSError as error:
                _socket._note_attempt(error, target, host)
                errors.append(error)
                if sock is not None:
                    sock.close()
        raise _connection_failure(errors, all_errors)
    finally:
        # Avoid a reference cycle: an error refers to this frame, and the frame would refer to the error.
        errors.clear()


def _connection_failure(errors: list[OSError], all_errors: bool) -> Exception:
    """What ``create_connection`` raises, from the errors of all its attempts."""
    if not errors:
        return OSError("getaddrinfo returns an empty list")
    if all_errors:
        return ExceptionGroup("create_connection failed", errors)
    _socket._note_attempts(errors)
    return errors[-1]


def has_dualstack_ipv6() -> bool:
    """Whether one socket can listen for both IPv6 and IPv4 on this machine."""
    if not has_ipv6:
        return False
    try:
        with socket(AF_INET6, SOCK_STREAM) as sock:
            sock.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0)
    except OSError:
        return False
    return True


def _with_address(error: OSError, address: "_socket._Address") -> OSError:
    """The error of a bind, with the address in its text."""
    named = OSError(error.errno, f"{error.strerror} (while attempting to bind on address {address!r})")
    if hasattr(error, "__notes__"):
        named.__notes__ = error.__notes__
    return named


def create_server(
    address: "_socket._Address",
    *,
    family: int = AF_INET,
    backlog: int | None = None,
    reuse_port: bool = False,
    dualstack_ipv6: bool = False,
) -> socket:
    """A TCP socket that listens on ``(host, port)``.

    A restarted server can bind the port again at once (SO_REUSEADDR). ``family`` is AF_INET or AF_INET6, ``backlog`` that of
    listen(); with ``reuse_port`` several processes share the port (SO_REUSEPORT); with ``dualstack_ipv6`` an AF_INET6 socket
    takes IPv4 connections too. Raises ValueError for what this system does not support, and OSError.
    """
    if dualstack_ipv6:
        if not has_dualstack_ipv6():
            raise ValueError("dualstack_ipv6 not supported on this platform")
        if family != AF_INET6:
            raise ValueError("dualstack_ipv6 requires AF_INET6 family")
    sock = socket(family, SOCK_STREAM)
    try:
        try:  # noqa: SIM105
            sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        except OSError:
            pass  # This family does not support the option; if it is wrong altogether, bind raises an error.
        # Since 6.12.9 Linux refuses it for families without ports, and since 3.12.9 and 3.13.2 Python does not set it there.
        everywhere = sys.version_info < (3, 12, 9) or (3, 13) <= sys.version_info < (3, 13, 2)
        if reuse_port and (everywhere or family in (AF_INET, AF_INET6)):
            sock.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
        if family == AF_INET6:
            sock.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, not dualstack_ipv6)
        try:
            sock.bind(address)
        except OSError as error:
            raise _with_address(error, address) from None
        if backlog is None:
            sock.listen()
        else:
            sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def _intenum_converter(number: int, enum: type[IntEnum]) -> int:
    """The member of an enum with this number, or the number itself if there is none."""
    try:
        return enum(number)
    except ValueError:
        return number


# In Rust, together with the members of the enums, since every connection calls it.
getaddrinfo = _socket._public_getaddrinfo


def install(*, happy_eyeballs: bool | None = None, notes: bool | None = None) -> "Installation":
    """Make ``import socket`` give oxisocket in the whole program, and return what was found (see ``Installation``).

    Modules that have imported the standard library's ``socket`` before use oxisocket from then on; what a library has put into it
    stays. With ``happy_eyeballs`` each ``create_connection`` that does not say otherwise has a ``happy_eyeballs_delay`` of 0.25
    seconds. ``notes=False`` leaves errors without the notes that say what was tried. None leaves either as it is. ``uninstall()``
    undoes it all.
    """
    from oxisocket import _installation

    return _installation.install(sys.modules[__name__], happy_eyeballs, notes)


def uninstall() -> None:
    """Undo ``install()``. Sockets made meanwhile keep their class, and still work."""
    from oxisocket import _installation

    _installation.uninstall(sys.modules[__name__])


def installed(*, happy_eyeballs: bool | None = None, notes: bool | None = None) -> "AbstractContextManager[Installation]":
    """``install()`` for the duration of a with-statement."""
    from oxisocket import _installation

    return _installation.installed(sys.modules[__name__], happy_eyeballs, notes)


def _forget_annotations() -> None:
    """Leave the annotations to type checkers, as the standard library does: some name what only these know."""
    for value in list(globals().values()):
        if type(value) is type(install):
            value.__annotations__ = {}


_forget_annotations()
