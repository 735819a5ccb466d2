"""The figures computed from a contender's samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Self


@dataclass(frozen=True)
class Range:
    """A figure with a value for each sample: the median, and the range of the middle half of the samples."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Self:
        low, middle, high = quantiles(samples, n=4, method="inclusive")
        return cls(middle, low, high)

    @property
    def spread(self) -> float:
        return self.high - self.low


@dataclass(frozen=True)
class Figures:
    """The seconds of one call, and of each sample; the share that a thread kept; the time of half and of 99 of 100 requests."""

    seconds: float
    samples: Range
    kept: Range | None
    half: Range | None
    tail: Range | None
