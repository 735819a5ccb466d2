"""Calls in threads whose signals may be blocked, and the threads of this process. The programs that tests start import this as well."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from waiting import until_blocked


def with_signals_blocked(function: Callable[..., Any], *args: Any) -> Any:
    """Make a call in this thread with all signals blocked, so that no signal interrupts it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        return function(*args)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())


class Call(threading.Thread):
    """One call in a daemon thread, for programs: its outcome is the result of the call, or the errno of its OSError."""

    def __init__(self, function: Callable[..., Any], *args: Any, masked: bool = False) -> None:
        super().__init__(daemon=True)
        self._call = lambda: with_signals_blocked(function, *args) if masked else function(*args)
        self.outcome: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self._call()
        except OSError as error:
            self.outcome = error.errno

    def until_blocked(self) -> Call:
        """Wait until the thread is blocked in a system call, other than by waiting for the GIL."""
        until_blocked(self)
        return self

    def result(self) -> Any:
        self.join(15)
        assert not self.is_alive(), "the call hangs"
        return self.outcome


def closing_threads() -> int:
    """How many threads named `oxisocket-close` there are. Such a thread interrupts the calls that `close` could not end at once."""
    names = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # the thread has ended
            names.append((task / "comm").read_text().strip())
    return names.count("oxisocket-close")
