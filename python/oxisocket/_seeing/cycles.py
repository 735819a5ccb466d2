"""Finds what repeats: the same few calls over and over, and connections that go as others did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

LONGEST_CYCLE = 8
"""How many calls a cycle has at most."""

LEAST_TIMES = 4
"""How often a cycle must come to be folded."""

LEAST_ALIKE = 4
"""How many connections must be alike to be folded."""


class Repeat(NamedTuple):
    """In a sequence, the part from `start` that is a cycle of `length` things, `times` times over."""

    start: int
    length: int
    times: int

    def rest(self) -> range:
        """The places of all cycles but the first."""
        return range(self.start + self.length, self.start + self.length * self.times)


def repeats(sequence: Sequence[Hashable]) -> list[Repeat]:
    """The parts of a sequence that are cycles, from the first to the last; of those that begin at one place the longest part."""
    found = []
    start = 0
    while start < len(sequence):
        # A shorter cycle explains as much as one that is made of it.
        best = max((_repeat(sequence, start, length) for length in range(1, LONGEST_CYCLE + 1)), key=_covers)
        if best.times >= LEAST_TIMES:
            found.append(best)
            start += _covers(best)
        else:
            start += 1
    return found


def _repeat(sequence: Sequence[Hashable], start: int, length: int) -> Repeat:
    end = start + length
    while end < len(sequence) and sequence[end] == sequence[end - length]:
        end += 1
    return Repeat(start, length, (end - start) // length)


def _covers(repeat: Repeat) -> int:
    return repeat.length * repeat.times if repeat.times >= LEAST_TIMES else 0


def once(sequence: Sequence[Hashable]) -> tuple[Hashable, ...]:
    """The sequence with each cycle once."""
    dropped = {place for repeat in repeats(sequence) for place in repeat.rest()}
    return tuple(each for place, each in enumerate(sequence) if place not in dropped)


def alike(signatures: Iterable[Hashable]) -> list[list[int]]:
    """The places of equal signatures, where there are enough of them, from the first to the last."""
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, signature in enumerate(signatures):
        places[signature].append(place)
    return [each for each in places.values() if len(each) >= LEAST_ALIKE]
