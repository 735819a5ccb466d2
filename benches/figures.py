"""What a contender's samples come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self


@dataclass(frozen=True)
class Range:
    """A figure that each sample gives anew: the median, and how far the samples lie apart."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Self:
        return cls(median(samples), min(samples), max(samples))

    @property
    def spread(self) -> float:
        return self.most - self.least


@dataclass(frozen=True)
class Figures:
    """The seconds of one call, and those of each sample; what a thread kept; how long half and 99 of 100 requests took."""

    seconds: float
    samples: Range
    kept: Range | None
    half: Range | None
    tail: Range | None
