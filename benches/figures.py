"""What a contender's samples come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Self


@dataclass(frozen=True)
class Range:
    """A figure that each sample gives anew: the median, and between what the middle half of the samples lie."""

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
    """The seconds of one call, and those of each sample; what a thread kept; how long half and 99 of 100 requests took."""

    seconds: float
    samples: Range
    kept: Range | None
    half: Range | None
    tail: Range | None
