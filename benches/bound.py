"""The bounds of the cases, and how they are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from figures import Figures, Range
from units import time, time_range, times

STDLIB, OURS, BARE = "stdlib", "oxisocket", "bare"

# As fast, within the precision of a clock.
NOT_SLOWER = 0.98

Results = Mapping[str, Figures]


class Bound(Protocol):
    """A figure computed from the results, and its limit, if it has one."""

    @property
    def title(self) -> str:
        """The title of its row, if it is not the first row of its case."""
        ...

    def taken(self, figures: Figures) -> str:
        """Return one contender's part of the figure, in words."""
        ...

    def figure(self, results: Results) -> float:
        """Return the figure."""
        ...

    def shown(self, figure: float) -> str:
        """Return the figure in words."""
        ...

    def held(self, figure: float) -> bool | None:
        """Tell whether the figure is within the limit; None if there is no limit."""
        ...


class _OfSeconds:
    title: ClassVar = "— the time"

    def taken(self, figures: Figures) -> str:
        return time(figures.seconds)


@dataclass(frozen=True)
class Overhead(_OfSeconds):
    """The time above the bare system calls: ours divided by the stdlib's."""

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
class Compared(_OfSeconds):
    """How many times as fast as the stdlib, without a limit."""

    def figure(self, results: Results) -> float:
        return results[STDLIB].seconds / results[OURS].seconds

    def shown(self, figure: float) -> str:
        return times(figure)

    def held(self, _: float) -> bool | None:
        return None

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True)
class Faster(Compared):
    """How many times as fast as the stdlib."""

    least: float

    def held(self, figure: float) -> bool:
        return figure >= self.least

    def __str__(self) -> str:
        return f"≥ {self.least:g}x"


class _OfRequests:
    """A figure of requests: ours in comparison with the stdlib's."""

    def shown(self, figure: float) -> str:
        return times(figure)


@dataclass(frozen=True)
class Served(_OfRequests):
    """How many requests a second are answered, as a multiple of the stdlib's."""

    least: float | None
    title: ClassVar = "— requests a second"

    def taken(self, figures: Figures) -> str:
        rate = _rate(figures)
        return f"{rate.median:,.0f}/s ({rate.low:,.0f} to {rate.high:,.0f})"

    def figure(self, results: Results) -> float:
        return results[STDLIB].samples.median / results[OURS].samples.median

    def held(self, figure: float) -> bool | None:
        return None if self.least is None else figure >= self.least

    def __str__(self) -> str:
        return "" if self.least is None else f"≥ {self.least:g}x"


@dataclass(frozen=True)
class Half(_OfRequests):
    """The time in which half of the requests are answered, as a multiple of the stdlib's."""

    title: ClassVar = "— p50"

    def taken(self, figures: Figures) -> str:
        return _in_words(figures.half)

    def figure(self, results: Results) -> float:
        return _given(results[OURS].half).median / _given(results[STDLIB].half).median

    def held(self, _: float) -> bool | None:
        return None

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True)
class Tail(_OfRequests):
    """The time in which 99 of 100 requests are answered, as a multiple of the stdlib's."""

    most: float | None
    title: ClassVar = "— p99"

    def taken(self, figures: Figures) -> str:
        return _in_words(figures.tail)

    def figure(self, results: Results) -> float:
        return _given(results[OURS].tail).median / _given(results[STDLIB].tail).median

    def held(self, figure: float) -> bool | None:
        return None if self.most is None else figure <= self.most

    def __str__(self) -> str:
        return "" if self.most is None else f"≤ {self.most:g}x"


@dataclass(frozen=True)
class Keeps:
    """The share of its speed that a computing thread keeps beside ours."""

    least: float
    title: ClassVar = "— the thread"

    def taken(self, figures: Figures) -> str:
        kept = figures.kept
        return f"{kept.median:.0%} ({kept.low:.0%} to {kept.high:.0%})" if kept is not None else ""

    def figure(self, results: Results) -> float:
        return _given(results[OURS].kept).median

    def shown(self, figure: float) -> str:
        return f"keeps {figure:.0%}"

    def held(self, figure: float) -> bool:
        return figure >= self.least

    def __str__(self) -> str:
        return f"≥ {self.least:.0%}"


@dataclass(frozen=True)
class KeepsOf(_OfRequests):
    """The speed that a computing thread keeps beside ours, as a multiple of what it keeps beside the stdlib's."""

    least: float | None
    title: ClassVar = "— the thread keeps"

    def taken(self, figures: Figures) -> str:
        kept = _given(figures.kept)
        return f"{kept.median:.0%} ({kept.low:.0%} to {kept.high:.0%})"

    def figure(self, results: Results) -> float:
        return _given(results[OURS].kept).median / _given(results[STDLIB].kept).median

    def held(self, figure: float) -> bool | None:
        return None if self.least is None else figure >= self.least

    def __str__(self) -> str:
        return "" if self.least is None else f"≥ {self.least:g}x"


def _rate(figures: Figures) -> Range:
    seconds = figures.samples
    return Range(1 / seconds.median, 1 / seconds.high, 1 / seconds.low)


def _given(found: Range | None) -> Range:
    assert found is not None
    return found


def _in_words(found: Range | None) -> str:
    return time_range(found.median, found.low, found.high) if found is not None else ""
