"""What is promised of a case, and how it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

# The same, as far as a clock can tell.
NOT_SLOWER = 0.98


@dataclass(frozen=True)
class Best:
    """The best of a contender's rounds: the seconds of one call, and what a computing thread beside it kept."""

    seconds: float
    kept: float | None = None


Results = Mapping[str, Best]


class Bound(Protocol):
    """A figure computed from the results, and the limit it is held to."""

    def figure(self, results: Results) -> float: ...

    def held(self, figure: float) -> bool: ...

    def shown(self, figure: float) -> str: ...


@dataclass(frozen=True)
class Overhead:
    """The time above the bare system calls, ours over the stdlib's."""

    most: float

    def figure(self, results: Results) -> float:
        bare = results["bare"].seconds
        return (results["oxisocket"].seconds - bare) / (results["stdlib"].seconds - bare)

    def held(self, figure: float) -> bool:
        return figure <= self.most

    def shown(self, figure: float) -> str:
        return f"overhead × {figure:.2f}"

    def __str__(self) -> str:
        return f"≤ {self.most:g}"


@dataclass(frozen=True)
class Faster:
    """How many times as fast as the stdlib."""

    least: float

    def figure(self, results: Results) -> float:
        return results["stdlib"].seconds / results["oxisocket"].seconds

    def held(self, figure: float) -> bool:
        return figure >= self.least

    def shown(self, figure: float) -> str:
        return f"{figure:.2f} × as fast" if figure < 10 else f"{figure:.0f} × as fast"

    def __str__(self) -> str:
        return f"≥ {self.least:g} ×" if self.least else "none"


@dataclass(frozen=True)
class Keeps:
    """What a computing thread keeps, of what it does alone, while we send and receive beside it."""

    least: float

    def figure(self, results: Results) -> float:
        return results["oxisocket"].kept or 0.0

    def held(self, figure: float) -> bool:
        return figure >= self.least

    def shown(self, figure: float) -> str:
        return f"the computing thread keeps {figure:.0%}"

    def __str__(self) -> str:
        return f"≥ {self.least:.0%}"
