"""A socket in one line, for people: what one would ask it when a program hangs or a log is read."""

from __future__ import annotations

import errno
import select
import struct
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import oxisocket
from oxisocket import _socket
from oxisocket._beyond.tcp_info import TcpState

_T = TypeVar("_T")

_SO_MEMINFO = 55  # where an architecture has another number, the value has another size
_DROPS = 8  # the place of the number of dropped packets in SO_MEMINFO
_MEMINFO = struct.Struct("=9I")
_CREDENTIALS = struct.Struct("=3i")
_LINGER = struct.Struct("=2i")

# What a state means for the program that asks.
_MEANINGS = {
    TcpState.SYN_SENT: "waits for the peer to accept the connection",
    TcpState.FIN_WAIT1: "closed here, the peer has not confirmed it",
    TcpState.FIN_WAIT2: "closed here, the peer may still send",
    TcpState.CLOSE: "not connected",
    TcpState.CLOSE_WAIT: "the peer sends no more",
    TcpState.LAST_ACK: "closed by both, the peer has not confirmed it",
    TcpState.CLOSING: "closed by both, the peer has not confirmed it",
}

_SWITCHES = [
    (_socket.SOL_SOCKET, "SO_BROADCAST"),
    (_socket.SOL_SOCKET, "SO_KEEPALIVE"),
    (_socket.SOL_SOCKET, "SO_REUSEADDR"),
    (_socket.SOL_SOCKET, "SO_REUSEPORT"),
    (_socket.IPPROTO_IPV6, "IPV6_V6ONLY"),
    (_socket.IPPROTO_TCP, "TCP_CORK"),
    (_socket.IPPROTO_TCP, "TCP_NODELAY"),
]


def describe(sock: oxisocket.socket) -> str:
    """Describe a socket. Methods that a subclass has overridden are not called, and no OSError is raised."""
    return f"{type(sock).__module__}.{type(sock).__qualname__} {', '.join(_Subject(sock).parts())}"


def _asked(ask: Callable[..., _T], *arguments: Any) -> _T | None:
    """What the system answers; None where it refuses."""
    try:
        return ask(*arguments)
    except OSError:
        return None


class _Subject:
    """A socket that is described."""

    def __init__(self, sock: oxisocket.socket) -> None:
        self._sock = sock
        self._family = sock.family
        self._kind = sock.type
        self._is_ip = self._family in (_socket.AF_INET, _socket.AF_INET6)
        self._is_connected = False
        self._listens = bool(_asked(_socket.socket.getsockopt, sock, _socket.SOL_SOCKET, _socket.SO_ACCEPTCONN))
        # None for a socket that is not TCP.
        self._info = _asked(oxisocket.socket.tcp_info, sock)

    def parts(self) -> Iterator[str]:
        """Each part of the description."""
        number = self._fileno()
        kind = f"{_name(self._family)} {_name(self._kind)}"
        proto = f" {self._protocol()}" if self._sock.proto else ""
        if number < 0:
            yield f"closed, {kind}{proto}"
            return
        yield f"fd {number}, {kind}{proto}"
        if broken := self._broken():
            yield broken
            return
        yield self._state()
        yield self._timeout()
        yield from self._queues()
        yield from self._health()
        yield from self._owner()
        yield from self._options()
        yield from self._files()

    def _protocol(self) -> str:
        names = [name for name in dir(_socket) if name.startswith("IPPROTO_")] if self._is_ip else []
        return next((name for name in names if getattr(_socket, name) == self._sock.proto), f"protocol {self._sock.proto}")

    def _number(self, level: int, option: int) -> int | None:
        return _asked(_socket.socket.getsockopt, self._sock, level, option)

    def _bytes(self, level: int, option: int, size: int) -> bytes | None:
        return _asked(oxisocket.socket.getsockopt_bytes, self._sock, level, option, size)

    def _unpacked(self, level: int, option: int, layout: struct.Struct) -> tuple[int, ...] | None:
        """The value of an option that is a struct; None if this system's has another size."""
        value = self._bytes(level, option, layout.size)
        return layout.unpack(value) if value is not None and len(value) == layout.size else None

    def _broken(self) -> str | None:
        """What is wrong with the descriptor, which the program may have closed or put to another use behind the socket's back."""
        get = _socket.socket.getsockopt
        try:
            found = tuple(get(self._sock, _socket.SOL_SOCKET, option) for option in (_socket.SO_DOMAIN, _socket.SO_TYPE))
        except OSError as error:
            if error.errno == errno.EBADF:
                # Another thread may be closing the socket at this moment.
                return "its descriptor is closed" + ("" if self._fileno() < 0 else ", but not by this socket")
            return "its descriptor names no socket" if error.errno == errno.ENOTSOCK else None
        return None if found == (self._family, self._kind) else "its descriptor names a socket of another family or type"

    def _fileno(self) -> int:
        return _socket.socket.fileno(self._sock)

    def _state(self) -> str:
        local = _asked(_socket.socket.getsockname, self._sock)
        peer = _asked(_socket.socket.getpeername, self._sock)
        here = self._address(local) if local else None
        self._is_connected = peer is not None
        if peer is not None:
            word = self._info.state.name if self._info else "connected"
            return f"{self._with_meaning(word)} {here or 'unnamed'} -> {self._address(peer) if peer else 'unnamed'}"
        if self._listens:
            waiting = f" ({self._info.unacked} of {self._info.sacked} in its backlog)" if self._info else ""
            return f"LISTEN on {here or 'no address'}{waiting}"
        word = self._info.state.name if self._info else "not connected"
        bound = f", bound to {here}" if here and not self._is_unbound(local) else ""
        return f"{self._with_meaning(word)}{bound}"

    def _with_meaning(self, word: str) -> str:
        meaning = _MEANINGS.get(self._info.state) if self._info else None
        return f"{word} ({meaning})" if meaning else word

    def _is_unbound(self, address: Any) -> bool:
        """Whether it is the address of a socket that was not bound: of IP, one without a port."""
        if self._is_ip and self._kind in (_socket.SOCK_STREAM, _socket.SOCK_DGRAM):
            return bool(address[1] == 0)
        return isinstance(address, tuple) and not any(address)

    def _address(self, address: Any) -> str:
        if not self._is_ip:
            return repr(address)
        host, port, *rest = address
        if self._family == _socket.AF_INET6:
            host = f"[{host}%{rest[1]}]" if rest[1] else f"[{host}]"
        return f"{host}:{port}"

    def _timeout(self) -> str:
        timeout = _socket.socket.gettimeout(self._sock)
        if timeout is None:
            return "blocking"
        return f"timeout {timeout:g} s" if timeout else "non-blocking"

    def _queues(self) -> Iterator[str]:
        unread, unacknowledged, events = oxisocket.socket._readiness(self._sock)
        stream = self._kind == _socket.SOCK_STREAM
        if unread is not None and (stream or unread):
            yield f"{unread} bytes unread" if stream else f"{unread} bytes in the next datagram"
        if unacknowledged:
            if self._info:
                unsent = self._info.notsent_bytes
                yield f"{unacknowledged} bytes not acknowledged" + (f" ({unsent} of them not sent)" if unsent else "")
            elif self._family == _socket.AF_UNIX:
                yield "the peer has not read all"
        if events is not None:
            yield from self._events(events)

    def _events(self, events: int) -> Iterator[str]:
        if self._listens:
            if events & select.POLLIN:
                yield "a connection waits for accept()"
            return
        if self._is_connected:
            if events & select.POLLRDHUP and not self._info:
                yield "the peer sends no more"
            if not events & select.POLLOUT:
                yield "the send buffer is full"
        if events & select.POLLERR:
            yield "an error is pending"

    def _health(self) -> Iterator[str]:
        info = self._info
        if info and info.state != TcpState.LISTEN:
            if info.rtt_us and info.state != TcpState.CLOSE:
                yield f"rtt {info.rtt_us / 1000:g} ms"
            if info.retransmits:
                yield f"retransmitted {info.retransmits} times without an answer"
            elif info.total_retrans:
                yield f"{info.total_retrans} segments retransmitted"
        if self._kind != _socket.SOCK_STREAM:
            memory = self._unpacked(_socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO)
            if memory and memory[_DROPS]:
                size = self._number(_socket.SOL_SOCKET, _socket.SO_RCVBUF)
                yield f"{memory[_DROPS]} datagrams dropped (SO_RCVBUF {size})"

    def _owner(self) -> Iterator[str]:
        """The process that made the other end of a UNIX connection."""
        if self._family == _socket.AF_UNIX and self._is_connected:
            pid, uid, gid = self._unpacked(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS) or (0, 0, 0)
            if pid > 0:
                yield f"peer pid {pid} uid {uid} gid {gid}"

    def _options(self) -> Iterator[str]:
        """The options that are set, and are not by default."""
        for level, name in _SWITCHES:
            # Other families give the numbers of these levels to levels of their own.
            if (level == _socket.SOL_SOCKET or self._is_ip) and self._number(level, getattr(_socket, name)):
                yield name
        on, seconds = self._unpacked(_socket.SOL_SOCKET, _socket.SO_LINGER, _LINGER) or (0, 0)
        if on:
            yield f"SO_LINGER {seconds} s"
        if device := self._bytes(_socket.SOL_SOCKET, _socket.SO_BINDTODEVICE, 16):
            yield f"SO_BINDTODEVICE {device.rstrip(bytes(1)).decode(errors='backslashreplace')}"

    def _files(self) -> Iterator[str]:
        files = self._sock._io_refs
        if self._sock._closed:
            yield f"close() waits for {files} file objects of makefile()"
        elif files:
            yield f"{files} file objects of makefile() open"


def _name(number: int) -> str:
    """The name of a member of an enumeration, or the number."""
    return getattr(number, "name", None) or str(int(number))
