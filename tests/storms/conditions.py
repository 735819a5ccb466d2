"""What a storm is given, and what it reports."""

from __future__ import annotations

import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from types import ModuleType
from typing import Any

HANG_TIMEOUT = 30  # seconds until a call that should have ended counts as hung


@dataclass
class Conditions:
    """The module to try, how long, and the choices; what was tried, how often, and what was wrong."""

    socket: ModuleType
    seconds: float
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_long(self) -> bool:
        """Whether this is a run by itself, not one among the tests."""
        return self.seconds >= 30

    def rng(self, number: int = 0) -> Random:
        """Random choices of its own for each thread, by its number."""
        return Random(self.seed + number)

    def over(self) -> bool:
        """Whether the time is up, or something was wrong."""
        return bool(self.wrong) or time.monotonic() - self.began > self.seconds

    def count(self, what: str, number: int = 1) -> None:
        """Count what was tried."""
        with self._lock:
            self.counts[what] += number

    def fail(self, what: str | BaseException) -> None:
        """Report what was wrong; the storm ends."""
        text = what if isinstance(what, str) else "".join(traceback.format_exception(what))
        self.wrong.append(text)

    def repeat(self, act: Callable[[Random], Any], number: int) -> None:
        """Repeat `act` until the storm is over: what a thread does."""
        rng = self.rng(number)
        while not self.over():
            try:
                act(rng)
            except BaseException as error:
                self.fail(error)

    def threads(self, acts: list[Callable[[Random], Any]]) -> Iterator[threading.Thread]:
        """Start a thread for each act, which repeats it."""
        for number, act in enumerate(acts):
            thread = threading.Thread(target=self.repeat, args=(act, number), daemon=True, name=f"{act} {number}")
            thread.start()
            yield thread

    def join(self, threads: list[threading.Thread]) -> None:
        """Wait for threads; one that does not end is wrong."""
        deadline = time.monotonic() + HANG_TIMEOUT
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))
        if hanging := [thread.name for thread in threads if thread.is_alive()]:
            self.fail(f"these threads hang: {hanging}")
