"""The loop of a case: it does a number of rounds, and returns a sample."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """A number of rounds: the seconds they took, and the share of its speed that a computing thread kept beside them.

    Where a round is a request, `half` and `tail` are the seconds within which half of them, and 99 of 100, were answered.
    """

    seconds: float
    kept: float | None = None
    half: float | None = None
    tail: float | None = None


Loop = Callable[[int], Sample]
Opened = AbstractContextManager[Loop]
