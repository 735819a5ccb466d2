"""What is promised of a case, and how it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cases.loop import Sample

STDLIB, OURS, BARE = "stdlib", "oxisocket", "bare"

# As fast, as far as a clock can tell.
NOT_SLOWER = 0.98

# For each contender what one call took.
Results = Mapping[str, Sample]


def times(ratio: float) -> str:
    """Return how many times as fast something is."""
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.3g}x"


class Bound(Protocol):
    """A figure made of the results, and the limit it is held to."""

    def figure(self, results: Results) -> float:
        """Return the figure."""
        ...

    def shown(self, figure: float) -> str:
        """Return it in words."""
        ...

    def held(self, figure: float) -> bool:
        """Tell whether it keeps to the limit."""
        ...


@dataclass(frozen=True)
class Overhead:
    """The time above the bare system calls, ours over the stdlib's."""

    most: float

    def figure(self, results: Results) -> float:
        bare = results[BARE].seconds
        return (results[OURS].seconds - bare) / (results[STDLIB].seconds - bare)

    def shown(self, figure: float) -> str:
        return f"overhead {figure:.2f}"

    def held(self, figure: float) -> bool:
        return figure <= self.most

    def __str__(self) -> str:
        return f"≤ {self.most:g}"


@dataclass(frozen=True)
class Faster:
    """How many times as fast as the stdlib."""

    least: float

    def figure(self, results: Results) -> float:
        return results[STDLIB].seconds / results[OURS].seconds

    def shown(self, figure: float) -> str:
        return times(figure)

    def held(self, figure: float) -> bool:
        return figure >= self.least

    def __str__(self) -> str:
        return f"≥ {self.least:g}x"


@dataclass(frozen=True)
class Keeps:
    """What a computing thread beside ours keeps, of what it does alone."""

    least: float

    def figure(self, results: Results) -> float:
        return results[OURS].kept or 0.0

    def shown(self, figure: float) -> str:
        return f"keeps {figure:.0%}"

    def held(self, figure: float) -> bool:
        return figure >= self.least

    def __str__(self) -> str:
        return f"≥ {self.least:.0%}"
