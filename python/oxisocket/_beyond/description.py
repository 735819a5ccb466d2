"""A socket in one line, for people: what one would ask it when a program hangs or a log is read."""

from __future__ import annotations

import errno
import select
import struct
from collections.abc import Callable
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
_PEER_SENDS_NO_MORE = getattr(select, "POLLRDHUP", 0)  # where it is missing, as on macOS, that is not told

_KERNEL = (0, 0)  # the peer of a netlink socket that was not connected; netlink(7)
_ANY = 2**32 - 1  # each part of the address of a vsock socket that was not bound; vsock(7)

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
    """What the system answers; None where it refuses, or answers with less than Linux does (a TCP_INFO of four bytes)."""
    try:
        return ask(*arguments)
    except (OSError, ValueError):
        return None


class _Subject:
    """A socket that is described."""

    def __init__(self, sock: oxisocket.socket) -> None:
        self._sock = sock
        self._family = sock.family
        self._kind = sock.type
        self._is_ip = self._family in (_socket.AF_INET, _socket.AF_INET6)
        self._local = _asked(_socket.socket.getsockname, sock)
        self._peer = _asked(_socket.socket.getpeername, sock)
        if self._family == getattr(_socket, "AF_NETLINK", None) and self._peer == _KERNEL:
            self._peer = None
        self._listens = bool(_asked(_socket.socket.getsockopt, sock, _socket.SOL_SOCKET, _socket.SO_ACCEPTCONN))
        # None for a socket that is not TCP.
        self._info = _asked(oxisocket.socket.tcp_info, sock)

    def parts(self) -> list[str]:
        """Each part of the description."""
        # There are no generators in this class: CPython 3.13 crashes where it has no memory for one.
        number = self._fileno()
        kind = f"{_name(self._family)} {_name(self._kind)}"
        proto = f" {self._protocol()}" if self._sock.proto else ""
        if number < 0:
            return [f"closed, {kind}{proto}"]
        what = f"fd {number}, {kind}{proto}"
        if broken := self._broken():
            return [what, broken]
        return [
            what,
            self._state(),
            self._timeout(),
            *self._queues(),
            *self._health(),
            *self._owner(),
            *self._options(),
            *self._files(),
        ]

    def _protocol(self) -> str:
        for name in dir(_socket) if self._is_ip else []:
            if name.startswith("IPPROTO_") and getattr(_socket, name) == self._sock.proto:
                return name
        return f"protocol {self._sock.proto}"

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
            kind = get(self._sock, _socket.SOL_SOCKET, _socket.SO_TYPE)
            family = get(self._sock, _socket.SOL_SOCKET, _socket.SO_DOMAIN) if hasattr(_socket, "SO_DOMAIN") else self._family
        except OSError as error:
            if error.errno == errno.EBADF:
                # Another thread may be closing the socket at this moment.
                return "its descriptor is closed" + ("" if self._fileno() < 0 else ", but not by this socket")
            return "its descriptor names no socket" if error.errno == errno.ENOTSOCK else None
        same = (family, kind) == (self._family, self._kind)
        return None if same else "its descriptor names a socket of another family or type"

    def _fileno(self) -> int:
        return _socket.socket.fileno(self._sock)

    def _state(self) -> str:
        here = self._address(self._local) if self._local else None
        if self._peer is not None:
            word = self._info.state.name if self._info else "connected"
            there = self._address(self._peer) if self._peer else "unnamed"
            return f"{self._with_meaning(word)} {here or 'unnamed'} -> {there}"
        if self._listens:
            waiting = f" ({self._info.unacked} of {self._info.sacked} in its backlog)" if self._info else ""
            return f"LISTEN on {here or 'no address'}{waiting}"
        word = self._info.state.name if self._info else "not connected"
        bound = f", bound to {here}" if here and not self._is_unbound(self._local) else ""
        return f"{self._with_meaning(word)}{bound}"

    def _with_meaning(self, word: str) -> str:
        meaning = _MEANINGS.get(self._info.state) if self._info else None
        return f"{word} ({meaning})" if meaning else word

    def _is_unbound(self, address: Any) -> bool:
        """Whether it is the address of a socket that was not bound: of IP, one without a port."""
        if self._is_ip and self._kind in (_socket.SOCK_STREAM, _socket.SOCK_DGRAM):
            return bool(address[1] == 0)
        return isinstance(address, tuple) and (not any(address) or set(address) == {_ANY})

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

    def _queues(self) -> list[str]:
        unread, unacknowledged, events = oxisocket.socket._readiness(self._sock)
        parts = []
        stream = self._kind == _socket.SOCK_STREAM
        if unread is not None and (stream or unread):
            parts.append(f"{unread} bytes unread" if stream else f"{unread} bytes in the next datagram")
        if unacknowledged:
            if self._info:
                unsent = self._info.notsent_bytes
                parts.append(f"{unacknowledged} bytes not acknowledged" + (f" ({unsent} of them not sent)" if unsent else ""))
            elif self._family == _socket.AF_UNIX:
                parts.append("the peer has not read all")
        return parts if events is None else parts + self._events(events)

    def _events(self, events: int) -> list[str]:
        if self._listens:
            return ["a connection waits for accept()"] if events & select.POLLIN else []
        parts = []
        if self._peer is not None:
            if events & _PEER_SENDS_NO_MORE and not self._info:
                parts.append("the peer sends no more")
            if not events & select.POLLOUT:
                parts.append("the send buffer is full")
        if events & select.POLLERR:
            parts.append("an error is pending")
        return parts

    def _health(self) -> list[str]:
        info, parts = self._info, []
        if info and info.state != TcpState.LISTEN:
            if info.rtt_us and info.state != TcpState.CLOSE:
                parts.append(f"rtt {info.rtt_us / 1000:g} ms")
            if info.retransmits:
                parts.append(f"retransmitted {info.retransmits} times without an answer")
            elif info.total_retrans:
                parts.append(f"{info.total_retrans} segments retransmitted")
        if self._kind != _socket.SOCK_STREAM:
            memory = self._unpacked(_socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO)
            if memory and memory[_DROPS]:
                size = self._number(_socket.SOL_SOCKET, _socket.SO_RCVBUF)
                parts.append(f"{memory[_DROPS]} datagrams dropped (SO_RCVBUF {size})")
        return parts

    def _owner(self) -> list[str]:
        """The process that made the other end of a UNIX connection."""
        if self._family == _socket.AF_UNIX and self._peer is not None:
            option = getattr(_socket, "SO_PEERCRED", None)
            pid, uid, gid = (option and self._unpacked(_socket.SOL_SOCKET, option, _CREDENTIALS)) or (0, 0, 0)
            if pid > 0:
                return [f"peer pid {pid} uid {uid} gid {gid}"]
        return []

    def _options(self) -> list[str]:
        """The options that are set, and are not by default."""
        parts = []
        for level, name in _SWITCHES:
            # Other families give the numbers of these levels to levels of their own.
            option = getattr(_socket, name, None) if level == _socket.SOL_SOCKET or self._is_ip else None
            if option is not None and self._number(level, option):
                parts.append(name)
        on, seconds = self._unpacked(_socket.SOL_SOCKET, _socket.SO_LINGER, _LINGER) or (0, 0)
        if on:
            parts.append(f"SO_LINGER {seconds} s")
        option = getattr(_socket, "SO_BINDTODEVICE", None)
        if option is not None and (device := self._bytes(_socket.SOL_SOCKET, option, 16)):
            parts.append(f"SO_BINDTODEVICE {device.rstrip(bytes(1)).decode(errors='backslashreplace')}")
        return parts

    def _files(self) -> list[str]:
        files = self._sock._io_refs
        if self._sock._closed:
            return [f"close() waits for {files} file objects of makefile()"]
        return [f"{files} file objects of makefile() open"] if files else []


def _name(number: int) -> str:
    """The name of a member of an enumeration, or the number."""
    return getattr(number, "name", None) or str(int(number))
