"""Times to wait: what a caller may ask for, what is left of it, and how it is passed to ``poll``."""

from __future__ import annotations

import math
import operator
import time
from typing import Literal

from oxisocket import _socket

# poll(2) takes an int. A caller that wants to wait longer than these 24 days calls it again.
_LONGEST_POLL = 2**31 - 1

# A longer time than these thirty years is no limit: it need not fit into the timeout of a socket.
_LONGEST = 1e9


def as_float(value: float) -> float:
    """A number of seconds. Raises TypeError for what ``settimeout`` refuses too, such as a string."""
    return float(value if isinstance(value, float) else operator.index(value))


def seconds(value: float | None, name: str) -> float | None:
    """A time that was given as the argument of this name; None if none was given. Raises TypeError, and ValueError below 0."""
    if value is None:
        return None
    number = as_float(value)
    if not number >= 0:  # a NaN is not
        raise ValueError(f"{name} must be a number of seconds, 0 or more, not {value!r}")
    return number


def milliseconds(seconds: float) -> int:
    """The argument of ``poll`` for so many seconds: rounded up, so that it does not return early; 0 for a time in the past."""
    return math.ceil(min(max(seconds * 1000, 0), _LONGEST_POLL))


class Budget:
    """One time for everything that a call does: the one that its caller gave, or what is left to this thread's ``deadline``."""

    def __init__(self, seconds: float | None) -> None:
        given, left = (math.inf if each is None else each for each in (seconds, _socket._remaining_time()))
        shortest = min(given, left)
        #: Which of the two it is, as a note calls it.
        self.cause: Literal["total_timeout", "deadline"] = "total_timeout" if given <= left else "deadline"
        #: When it began and when it is over, by ``time.monotonic()``; None for never.
        self.began = time.monotonic()
        self.limit = self.began + shortest if shortest <= _LONGEST else None

    def left(self) -> float | None:
        """How many seconds are left, at least 0; None for any number."""
        return None if self.limit is None else max(self.limit - time.monotonic(), 0.0)

    def used(self) -> float:
        """How many seconds have passed."""
        return time.monotonic() - self.began
