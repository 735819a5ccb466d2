"""Calls during calls: in another thread, in the handler of a signal, in a child process.

What happens first must not be a matter of time. So a step is made when the call before it has ended, or is blocked in the kernel (/proc
tells); and a call that still waits after the last step is made to end.
"""

from __future__ import annotations

import _socket
import contextlib
import functools
import os
import signal
import struct
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from outcomes import outcome
from waiting import current_syscall, lock_syscalls

PAUSE = 0.0003  # seconds
LONGEST = 5.0  # seconds that anything of this may take

Call = Callable[[], object]


class Told(str):
    """A text whose `repr` is the text."""

    __slots__ = ()
    __repr__ = str.__str__


def bound(names: dict[str, Any]) -> tuple[Callable[..., Any], ...]:
    """The functions, for the environment with these names."""
    return tuple(functools.partial(function, names) for function in (aside, interrupted, race))


def aside(names: dict[str, Any], timeout: float | None, call: Call, *steps: Call) -> list[Told]:
    """Make a call in another thread, and steps in this one: each when the call has ended, or waits.

    The outcomes of the steps, and with each whether the call still waited after it; then the outcome of the call.
    """
    with _patient(names, timeout) as end:
        thread = _Thread(call)
        story = ["waits" if thread.is_blocked() else "ended"]
        for step in steps:
            made = outcome(step)
            story.append(f"{made}, {'waits' if thread.is_blocked() else 'ended'}")
        return [*map(Told, story), Told(thread.result(end))]


def race(names: dict[str, Any], *calls: Call) -> list[Told]:
    """Make calls in threads of their own, at once. Their outcomes, sorted: who was first is a matter of time."""
    with _patient(names, None) as end:
        barrier = threading.Barrier(len(calls))
        threads = [_Thread(call, barrier) for call in calls]
        for thread in threads:
            thread.is_blocked()
        return [Told(each) for each in sorted(thread.result(end) for thread in threads)]


def interrupted(names: dict[str, Any], timeout: float | None, call: Call, action: Call, *endings: Call) -> list[Told]:
    """Make a call, and interrupt it by a signal when it waits: `action` is what the handler does, and an error of it is not caught.

    `endings` are made in another thread, one after the other, as long as the call still waits.
    """
    story: list[str] = []
    done = threading.Event()

    def handler(number: int, frame: object) -> None:
        story.append("handled")
        action()

    with _patient(names, timeout) as end:
        main = _Watched(threading.get_native_id(), lambda: not done.is_set())

        def interrupt() -> None:
            if not main.is_blocked():
                return
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            _wait_until(lambda: story or done.is_set())
            for ending in endings:
                if not main.is_blocked():
                    return
                story.append(outcome(ending))
            if main.is_blocked():
                story.append("made to end")
            while not done.is_set():
                end()
                done.wait(0.02)

        before = signal.signal(signal.SIGUSR1, handler)
        helper = _Thread(interrupt)
        try:
            made = outcome(call)
        finally:
            done.set()
            helper.join(LONGEST)
            signal.signal(signal.SIGUSR1, before)
        return [*map(Told, story), Told(made)]


def in_child(call: Call) -> Told:
    """Make a call in a child process: its outcome."""
    receiver, sender = os.pipe()
    with warnings.catch_warnings(action="ignore"):  # that this process has threads, since Python 3.12
        child = os.fork()
    if child == 0:
        # The alarm of a parent is not inherited.
        signal.setitimer(signal.ITIMER_REAL, LONGEST)
        try:
            made = outcome(call)
        except BaseException as error:
            made = f"hung: {error!r}"
        with contextlib.suppress(OSError):
            os.write(sender, made.encode(errors="backslashreplace")[:60_000])
        os._exit(0)
    os.close(sender)
    with _busy(), open(receiver, "rb") as file:
        made = file.read().decode()
        _, status = os.waitpid(child, 0)
    return Told(made if status == 0 else f"{made}, wait status {status}")


def drain(socket: Any) -> int:
    """Receive all that comes, until nothing has come for a while. How much that was."""
    total, empty = 0, 0
    while empty < 20:
        try:
            part = socket.recv(1 << 16, _socket.MSG_DONTWAIT)
        except BlockingIOError:
            empty += 1
            time.sleep(PAUSE)
            continue
        if not part:
            break
        total, empty = total + len(part), 0
    return total


def brief(*sockets: Any) -> None:
    """Let the kernel end a call that would block."""
    for each in sockets:
        with contextlib.suppress(OSError):
            each.settimeout(None)
            _limit(each, 2000)


# The threads that wait for a child, which ends by itself.
_BUSY: set[int] = set()


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    thread = threading.get_native_id()
    _BUSY.add(thread)
    try:
        yield
    finally:
        _BUSY.discard(thread)


class _Watched:
    """A thread of this process, of which /proc tells whether it is blocked."""

    def __init__(self, number: int, is_alive: Callable[[], bool]) -> None:
        self.number = number
        self.path = f"/proc/self/task/{number}/syscall"
        self.is_alive = is_alive

    def is_blocked(self) -> bool:
        """Wait until the thread is blocked in the kernel, but not for a lock; False if it ends instead."""
        seen = 0
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            if not self.is_alive():
                return False
            try:
                number = current_syscall(self.path)
            except (OSError, IndexError):  # it has ended just now
                continue
            # Twice in a row: it may have been about to wake up.
            waits = number is not None and number not in lock_syscalls() and self.number not in _BUSY
            seen = seen + 1 if waits else 0
            if seen == 2:
                return True
            time.sleep(PAUSE)
        raise AssertionError("a thread neither waits nor ends")


class _Thread(threading.Thread):
    """A call in a thread that gets no signals."""

    def __init__(self, call: Call, barrier: threading.Barrier | None = None) -> None:
        super().__init__(daemon=True)
        self.call: Call | None = call
        self.barrier = barrier
        self.outcome = ""
        self.start()
        self.watched = _Watched(self.native_id or 0, lambda: self.call is not None)

    def run(self) -> None:
        # Only those: oxisocket interrupts a call by a signal.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGUSR1})
        if self.barrier:
            self.barrier.wait(LONGEST)
        assert self.call is not None
        self.outcome = outcome(self.call)
        self.call = None

    def is_blocked(self) -> bool:
        return self.watched.is_blocked()

    def result(self, end: Call) -> str:
        """The outcome of the call, which is made to end if it waits."""
        is_blocked = self.is_blocked()
        deadline = time.monotonic() + LONGEST
        while self.is_alive():
            if is_blocked:
                end()
            assert time.monotonic() < deadline, "a call cannot be made to end"
            self.join(0.02)
        return f"made to end: {self.outcome}" if is_blocked else self.outcome


class _End:
    """Ends all waiting on some sockets."""

    def __init__(self, sockets: list[_socket.socket]) -> None:
        self.sockets = sockets
        self.was_tried = False

    def __call__(self) -> None:
        for each in self.sockets:
            with contextlib.suppress(OSError):
                if each.type == _socket.SOCK_DGRAM and not self.was_tried:
                    # After a shutdown it is ready and has nothing: a receive with a timeout would try again and again.
                    each.send(b"the end", _socket.MSG_DONTWAIT)
                else:
                    each.shutdown(_socket.SHUT_RDWR)
        self.was_tried = True


@contextlib.contextmanager
def _patient(names: dict[str, Any], timeout: float | None) -> Iterator[Call]:
    """Let two sockets wait for as long as it takes. What this gives ends all waiting."""
    sockets = [names[name] for name in "abl"]
    # The other end stays as it is: what is done with it must not wait.
    for each in (names["a"], names["l"]):
        with contextlib.suppress(OSError):
            each.settimeout(timeout)
            _limit(each, 0)
    # Of the stdlib, whichever implementation is compared, and open when the others are closed.
    others = [_socket.socket(each.family, each.type, each.proto, os.dup(each.fileno())) for each in sockets if _is_open(each)]

    end = _End(others)
    try:
        yield end
    except BaseException:  # the program takes too long
        end()
        raise
    finally:
        for each in others:
            each.close()
        for each in sockets:
            with contextlib.suppress(OSError):
                each.settimeout(0)


def _limit(socket: Any, microseconds: int) -> None:
    """How long the kernel waits in a call; 0: for ever."""
    for option in (_socket.SO_RCVTIMEO, _socket.SO_SNDTIMEO):
        socket.setsockopt(_socket.SOL_SOCKET, option, struct.pack("ll", 0, microseconds))


def _is_open(socket: Any) -> bool:
    try:
        os.fstat(socket.fileno())
    except (OSError, OverflowError):
        return False
    return True


def _wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONGEST
    while not condition() and time.monotonic() < deadline:
        time.sleep(PAUSE)
