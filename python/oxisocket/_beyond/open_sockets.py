"""``sockets()``: which sockets are open, and what they have done; and the table of them."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import Any, NamedTuple

from oxisocket import _socket
from oxisocket._beyond import standard_error
from oxisocket._beyond.tcp_info import TcpState

_TEN_KIB = 10 * 1024


class OpenSocket(NamedTuple):
    """A socket that is open. None stands for what is not known: ``calls`` to ``opened``, unless something counts or traces."""

    #: The descriptor.
    fd: int
    #: ``'tcp'``, ``'udp'``, ``'unix stream'``, ``'unix datagram'``, or the family and the type.
    kind: str
    #: The addresses, as ``getsockname()`` and ``getpeername()`` return them.
    local: Any
    peer: Any
    #: ``'LISTEN'``, ``'ESTABLISHED'``, and the other states of tcp(7); ``'connected'`` or ``''`` for other sockets.
    state: str
    #: How many bytes were received and sent.
    received: int | None
    sent: int | None
    #: How many calls were made on it, and how many seconds they have waited.
    calls: int | None
    waited: float | None
    #: The timeout in seconds; None for none.
    timeout: float | None
    #: How many seconds ago it was made, or seen first.
    age: float | None
    #: Where it was made: ``'server.py:12'``.
    opened: str | None


def sockets() -> list[OpenSocket]:
    """The sockets of this process that are open, by descriptor.

    What they have done is known from the moment on at which a trace, ``observe`` or ``python -m oxisocket --table`` has begun.
    For the bytes of a TCP connection the kernel is asked if nobody has counted. Does not raise OSError.
    """
    return _socket._trace_not(_find)


def _find() -> list[OpenSocket]:
    # The class of an object, and not what the object says of it.
    found = [each for each in gc.get_objects() if issubclass(type(each), _socket.socket)]
    return sorted(filter(None, map(_describe, found)), key=lambda each: each.fd)


def _describe(sock: Any) -> OpenSocket | None:
    base = _socket.socket
    fd = base.fileno(sock)
    if fd < 0:
        return None
    # First, for what is asked below is counted as well.
    facts = _socket._trace_facts(sock)
    local, peer = _address(base.getsockname, sock), _address(base.getpeername, sock)
    state, received, sent = _tcp(sock)
    calls: int | None = None
    waited = age = opened = None
    if facts is not None:
        _, received, sent, calls, (waited, age, opened) = facts
    if not state and peer is not None:
        state = "connected"
    return OpenSocket(fd, _kind(sock), local, peer, state, received, sent, calls, waited, base.gettimeout(sock), age, opened)


def _address(ask: Any, sock: Any) -> Any:
    try:
        return ask(sock)
    except OSError:
        return None


def _kind(sock: Any) -> str:
    family, kind = _socket.socket.family.__get__(sock), _socket.socket.type.__get__(sock)
    internet = family in (_socket.AF_INET, _socket.AF_INET6)
    if internet and kind == _socket.SOCK_STREAM:
        return "tcp"
    if internet and kind == _socket.SOCK_DGRAM:
        return "udp"
    names = {_socket.SOCK_STREAM: "stream", _socket.SOCK_DGRAM: "datagram", _socket.SOCK_SEQPACKET: "seqpacket"}
    return f"{_family(family)} {names.get(kind, kind)}"


def _family(number: int) -> str:
    from oxisocket import AddressFamily

    known = {int(each): each.name for each in AddressFamily}
    return known.get(number, str(number)).removeprefix("AF_").lower()


def _tcp(sock: Any) -> tuple[str, int | None, int | None]:
    """The state of a TCP connection, and how many bytes the kernel has counted."""
    try:
        info = _socket.Socket.tcp_info(sock)
    except (OSError, TypeError, ValueError):  # ValueError: of a system that answers with less than Linux does
        return "", None, None
    state = info.state.name if isinstance(info.state, TcpState) else str(info.state)
    if state == "LISTEN":
        return state, None, None
    return state, info.bytes_received, info.bytes_acked


def table(found: Iterable[OpenSocket] | None = None) -> str:
    """The sockets that are open as a table for people, a line for each."""
    rows = [_row(each) for each in (sockets() if found is None else found)]
    if not rows:
        return "no socket is open\n"
    head = ("fd", "kind", "local", "peer", "state", "in", "out", "calls", "waited", "timeout", "age", "opened")
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    numbers = {0, 5, 6, 7, 8, 9, 10}
    lines = []
    for row in (head, *rows):
        columns = enumerate(zip(row, widths, strict=True))
        cells = [each.rjust(width) if column in numbers else each.ljust(width) for column, (each, width) in columns]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _row(each: OpenSocket) -> tuple[str, ...]:
    return (
        str(each.fd),
        each.kind,
        _shown_address(each.local),
        _shown_address(each.peer),
        each.state.lower(),
        _size(each.received),
        _size(each.sent),
        _or_nothing(each.calls),
        _seconds(each.waited),
        "none" if each.timeout is None else _seconds(each.timeout),
        _seconds(each.age),
        each.opened or "",
    )


def _shown_address(address: Any) -> str:
    if address is None:
        return ""
    if isinstance(address, tuple) and len(address) >= 2 and isinstance(address[0], str):
        return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
    if isinstance(address, (str, bytes)):
        return ascii(address)[1 if isinstance(address, str) else 2 : -1]
    return ascii(address)


def _size(count: int | None) -> str:
    if count is None:
        return ""
    size = float(count)
    for unit in ("", " KiB", " MiB", " GiB"):
        if size < _TEN_KIB or unit == " GiB":
            break
        size /= 1024
    return f"{size:.0f}{unit}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds >= 1:
        return f"{seconds:.0f} s" if seconds >= 100 else f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


def _or_nothing(value: object) -> str:
    return "" if value is None else str(value)


class Table:
    """The table at the end of the program, and at SIGUSR1 if the program leaves that signal alone."""

    def __init__(self) -> None:
        self._handle: int | None = None

    def start(self) -> None:
        """Begin to count."""
        import signal
        import threading

        self._handle = _socket._trace_begin(None, None, "text", 0, "", "", False, False)
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
            signal.signal(signal.SIGUSR1, lambda *_: self.show())

    def show(self) -> None:
        """Print the table on standard error. It may come in the middle of anything, and raises nothing of its own."""
        standard_error.tell(table())

    def stop(self) -> None:
        """Print the table for the last time, and count no more."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self.show()
            _socket._trace_end(handle)
