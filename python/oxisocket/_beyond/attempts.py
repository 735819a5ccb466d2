"""Connection attempts on non-blocking sockets, all of them waited for by one ``poll``."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import time
import types
from collections.abc import Callable
from typing import Any, Self

from oxisocket import _socket
from oxisocket._beyond.eyeballs import Finished, Found, Target
from oxisocket._beyond.lookup import Answers
from oxisocket._beyond.waiting import milliseconds


def can_overlap(make: Any) -> bool:
    """Whether attempts on sockets of this class can overlap: it is oxisocket's, and nobody has replaced its ``connect``.

    A ``connect`` of another make may do more than connect, as that of a proxy does, or wait in its own way.
    """
    if not (issubclass(type(make), type) and issubclass(make, _socket.Socket)):
        return False
    connect = make.connect
    return type(connect) is types.MethodDescriptorType and connect.__objclass__ in (_socket.Socket, _socket.socket)


def prepare(make: Any, timeout: Any, source_address: Any, target: Target) -> Any:
    """A socket for this target with the timeout and the source address asked for."""
    family, kind, proto, _, _ = target
    sock = make(family, kind, proto)
    try:
        # A caller may pass the standard library's own object for "no timeout given": it is a plain object too.
        if type(timeout) is not object:
            sock.settimeout(timeout)
        if source_address:
            sock.bind(source_address)
    except BaseException:
        sock.close()
        raise
    return sock


class Attempts:
    """The ``Connector`` of real sockets. Its with-statement ends with all of them closed but the one that was taken."""

    def __init__(self, prepare: Callable[[Target], Any], answers: Answers | None) -> None:
        self._prepare = prepare
        self._answers = answers
        self._poll = select.poll()
        self._open: dict[int, tuple[Any, float | None, int]] = {}  # by number: the socket, its timeout, its descriptor
        self._begun: dict[int, tuple[Target, float]] = {}  # by number: where to, and since when
        self._timeouts: dict[int, float | None] = {}  # by number
        self._numbers: dict[int, int] = {}  # by descriptor: the number
        if answers is not None:
            self._poll.register(answers, select.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.ExitStack() as stack:
            if self._answers is not None:
                stack.callback(self._answers.close)
            for number in self._open:
                stack.callback(self.abandon, number)

    def start(self, number: int, target: Target) -> float | None:
        """Start an attempt; return its timeout."""
        sock = self._prepare(target)
        self._begun[number] = target, time.monotonic()
        try:
            timeout = self._timeouts[number] = _socket.socket.gettimeout(sock)
            # The base's own methods: a class may override these, to learn the timeout that its user wants.
            _socket.socket.settimeout(sock, 0)
            try:
                _socket.socket.connect(sock, target[4])
            except (BlockingIOError, InterruptedError) as error:
                if timeout == 0 or error.errno not in (errno.EINPROGRESS, errno.EINTR):
                    raise
            descriptor = _socket.socket.fileno(sock)
            self._poll.register(descriptor, select.POLLOUT)
            self._numbers[descriptor] = number
            self._open[number] = sock, timeout, descriptor
        except BaseException:
            sock.close()
            raise
        return timeout

    def wait(self, until: float | None) -> list[Finished | Found]:
        """Wait for attempts and look-ups. Signal handlers run meanwhile, and may raise."""
        ready = self._poll.poll(None if until is None else milliseconds(until - time.monotonic()))
        numbers = sorted(self._numbers[descriptor] for descriptor, _ in ready if descriptor in self._numbers)
        answers = [] if self._answers is None else self._answers.take()
        return [*answers, *map(self._finished, numbers)]

    def _finished(self, number: int) -> Finished:
        sock, _, _ = self._open[number]
        error = _outcome(sock)
        if error is not None:
            target, begun = self._begun[number]
            _socket._note_attempt(error, target[4], None, _own_address(sock), time.monotonic() - begun)
            self.abandon(number)
        return Finished(number, error)

    def seconds(self, number: int) -> float:
        """How long ago an attempt was begun."""
        return time.monotonic() - self._begun[number][1]

    def timeout(self, number: int) -> float | None:
        """The timeout of an attempt."""
        return self._timeouts[number]

    def abandon(self, number: int) -> None:
        """Close an attempt's socket. A second time does nothing: a handler may raise before the race knows of the first."""
        if number not in self._open:
            return
        sock, _ = self._remove(number)
        # Nobody has this connection. Its descriptor is closed whatever the kernel has to say.
        with contextlib.suppress(OSError):
            sock.close()

    def take(self, number: int) -> Any:
        """The socket of an attempt that is connected, with the timeout that it is to have."""
        sock, timeout = self._remove(number)
        _socket.socket.settimeout(sock, timeout)
        return sock

    def _remove(self, number: int) -> tuple[Any, float | None]:
        sock, timeout, descriptor = self._open.pop(number)
        del self._numbers[descriptor]
        self._poll.unregister(descriptor)
        return sock, timeout


def _own_address(sock: Any) -> Any:
    with contextlib.suppress(OSError):
        return _socket.socket.getsockname(sock)
    return None


def _outcome(sock: Any) -> OSError | None:
    """Why a connection could not be made; None if it was."""
    try:
        code = _socket.socket.getsockopt(sock, _socket.SOL_SOCKET, _socket.SO_ERROR)
    except OSError as error:
        return error
    return None if code in (0, errno.EISCONN) else OSError(code, os.strerror(code))
