"""Look-ups that a caller waits for no longer than it wants, and that it can wait for together with other things.

Such a look-up runs in a thread, because the system's resolver cannot be interrupted. A look-up that nobody waits for any more
ends by itself, and its answer is dropped.
"""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from oxisocket import _socket
from oxisocket._beyond.eyeballs import Found, Target

#: The families whose addresses are looked up apart. Those of the first one are preferred (RFC 8305, section 3).
FAMILIES: tuple[int, ...] = (_socket.AF_INET6, _socket.AF_INET) if _socket.has_ipv6 else (_socket.AF_INET,)

# The least telling answers first: the first two say no more than that a name has no address of one family. "Try again" is more
# telling than "no such name": the resolver's answer to one look-up of all families is the same.
_LEAST_TELLING = [_socket.EAI_ADDRFAMILY, _socket.EAI_NODATA, _socket.EAI_NONAME, _socket.EAI_AGAIN]


def ask(host: Any, port: Any, family: int) -> list[Target]:
    """The targets of a host, from the resolver, which may take its time; ``family`` is 0 for all families. Raises OSError."""
    return list(_socket._public_getaddrinfo(host, port, family, _socket.SOCK_STREAM))


def is_asked_by(getaddrinfo: object) -> bool:
    """Whether ``ask`` gives the same answers as this function: it is oxisocket's own."""
    return getaddrinfo is _socket._public_getaddrinfo


def without_resolver(host: Any, port: Any) -> list[Target] | None:
    """What ``ask`` answers for a host that is None or a numeric address, at once; None for a name."""
    try:
        return list(_socket._public_getaddrinfo(host, port, 0, _socket.SOCK_STREAM, 0, _socket.AI_NUMERICHOST))
    except _socket.gaierror:
        return None


def ask_within(seconds: float, host: Any, port: Any) -> list[Target]:
    """``ask`` for all families in at most so many seconds. Raises TimeoutError when they are over."""
    return list(_socket._public_getaddrinfo(host, port, 0, _socket.SOCK_STREAM, timeout=seconds))


def most_telling(errors: list[OSError]) -> OSError:
    """Of the errors of look-ups of each family, the one that a look-up of all families would have raised."""
    return max(errors, key=_rank)


def _rank(error: OSError) -> int:
    ranked = isinstance(error, _socket.gaierror) and error.errno in _LEAST_TELLING
    return _LEAST_TELLING.index(error.errno or 0) if ranked else len(_LEAST_TELLING)


class Answers:
    """Look-ups that run in threads, and the answers that have come. ``poll`` finds it readable when there is one."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._answers: list[Found] = []
        self._is_open = False
        self._reader, self._writer = os.pipe()
        self._is_open = True

    @classmethod
    def of(cls, host: Any, port: Any, *families: int) -> Self | None:
        """Ask for each of the families, all at the same time; None if no thread can be started."""
        answers = cls()
        try:
            for family in families:
                _thread.start_new_thread(answers._run, (family, partial(ask, host, port, family)))
        except BaseException as error:
            answers.close()
            if isinstance(error, RuntimeError):
                return None
            raise
        return answers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Stop waiting. Threads that still run drop their answers."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                os.close(self._reader)
                os.close(self._writer)
            self._answers.clear()

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._reader

    def take(self) -> list[Found]:
        """The answers that have come since the last call."""
        with self._lock:
            answers, self._answers = self._answers, []
            if answers:
                os.read(self._reader, len(answers))
        return answers

    def _run(self, family: int, look_up: Callable[[], list[Target]]) -> None:
        try:
            self._post(Found(family, look_up(), None))
        except BaseException as error:
            self._post(Found(family, [], error))

    def _post(self, answer: Found) -> None:
        with self._lock:
            if self._is_open:
                self._answers.append(answer)
                os.write(self._writer, b"!")
