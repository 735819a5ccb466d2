"""Look-ups that a caller waits for no longer than it wants, and that it can wait for together with other things.

Such a look-up runs in a thread, because the system's resolver cannot be interrupted. A look-up that nobody waits for any more
ends by itself, and its answer is dropped.
"""

from __future__ import annotations

import _thread
import os
import select
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from oxisocket import _socket
from oxisocket._beyond.eyeballs import Found, Target
from oxisocket._beyond.waiting import milliseconds

#: The families whose addresses are looked up apart. Those of the first one are preferred (RFC 8305, section 3).
FAMILIES: tuple[int, ...] = (_socket.AF_INET6, _socket.AF_INET) if _socket.has_ipv6 else (_socket.AF_INET,)

# The least telling answers first: the first two say no more than that a name has no address of one family. "Try again" is more
# telling than "no such name": the resolver's answer to one look-up of all families is the same.
_LEAST_TELLING = [_socket.EAI_ADDRFAMILY, _socket.EAI_NODATA, _socket.EAI_NONAME, _socket.EAI_AGAIN]


# A look-up in a thread may take so many seconds longer than its caller waits, so that the caller is always the first to give up.
_LONGER = 1.0


def ask(host: Any, port: Any, family: int, seconds: float | None = None) -> list[Target]:
    """The targets of a host, from the resolver; ``family`` is 0 for all families. Raises OSError.

    Without ``seconds`` the resolver may take its time. With it, ``getaddrinfo`` bounds the number of the look-ups that go on.
    """
    return list(_socket._public_getaddrinfo(host, port, family, _socket.SOCK_STREAM, timeout=seconds))


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
    targets = without_resolver(host, port)
    if targets is not None:
        return targets
    answers = Answers.of(host, port, 0, seconds=seconds)
    if answers is None:
        return ask(host, port, 0)
    with answers:
        waiting = select.poll()
        waiting.register(answers, select.POLLIN)
        waiting.poll(milliseconds(seconds))
        found = answers.take()
    if not found:
        raise TimeoutError("timed out")
    return _targets_of(found.pop())


def _targets_of(found: Found) -> list[Target]:
    error = found.error
    try:
        if error is not None:
            raise error
        return list(found.targets)
    finally:
        # The error's traceback refers to this frame, which must not refer to the error.
        del error, found


def most_telling(errors: list[OSError]) -> OSError:
    """Of the errors of look-ups of each family, the one that a look-up of all families would have raised."""
    return max(errors, key=_rank)


def _rank(error: OSError) -> int:
    ranked = isinstance(error, _socket.gaierror) and error.errno in _LEAST_TELLING
    return _LEAST_TELLING.index(error.errno or 0) if ranked else len(_LEAST_TELLING)


# Those that a child process may have to ask for again.
_open: weakref.WeakSet[Answers] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for answers in list(_open):
        answers._begin_again()


os.register_at_fork(after_in_child=_after_fork_in_child)


class Answers:
    """Look-ups that run in threads, and the answers that have come. ``poll`` finds it readable when there is one."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._answers: list[Found] = []
        self._asked: dict[int, Callable[[], list[Target]]] = {}  # by family: the look-ups without an answer
        self._is_open = False
        self._reader, self._writer = os.pipe()
        self._is_open = True
        _open.add(self)

    @classmethod
    def of(cls, host: Any, port: Any, *families: int, seconds: float | None) -> Self | None:
        """Ask for each of the families, all at the same time, for a caller that waits for at most so many seconds.

        None if no thread can be started.
        """
        longest = None if seconds is None else seconds + _LONGER
        answers = cls()
        try:
            for family in families:
                answers._start(family, partial(ask, host, port, family, longest))
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

    def _start(self, family: int, look_up: Callable[[], list[Target]]) -> None:
        self._asked[family] = look_up
        _thread.start_new_thread(self._run, (family, look_up))

    def _begin_again(self) -> None:
        """In a child process, where the threads do not exist, and the pipe is still the parent's.

        The new pipe has the numbers of the old one: a ``poll`` that the fork has interrupted goes on with it.
        """
        self._lock = _thread.allocate_lock()
        if not self._is_open:
            return
        reader, writer = os.pipe()
        for new, old in ((reader, self._reader), (writer, self._writer)):
            os.dup2(new, old, inheritable=False)
            os.close(new)
        os.write(self._writer, b"!" * len(self._answers))
        for family, look_up in list(self._asked.items()):
            try:
                self._start(family, look_up)
            except RuntimeError as error:
                self._post(Found(family, [], error))

    def _run(self, family: int, look_up: Callable[[], list[Target]]) -> None:
        try:
            self._post(Found(family, look_up(), None))
        except BaseException as error:
            self._post(Found(family, [], error))

    def _post(self, answer: Found) -> None:
        with self._lock:
            self._asked.pop(answer.family, None)
            if self._is_open:
                self._answers.append(answer)
                os.write(self._writer, b"!")
