"""What a case gives: a loop that does so many rounds, and says what they took."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """Some rounds: the seconds they took, and what a computing thread beside them kept of what it does alone.

    Where a round is a request, `half` and `tail` are the seconds in which half of them, and 99 of 100, were answered.
    """

    seconds: float
    kept: float | None = None
    half: float | None = None
    tail: float | None = None


Loop = Callable[[int], Sample]
Opened = AbstractContextManager[Loop]
