"""The order of all that happened in several lanes: by time, but nothing is received before it was sent.

Two machines have two clocks. By these alone an arrow might end before it began.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple


class Point(NamedTuple):
    """Where a step begins, or where it ends. Of two at one time in a lane that of the earlier step is first."""

    time: int
    step: int
    is_end: bool


def merged(lanes: list[list[Point]], arrows: Iterable[tuple[int, int]]) -> list[tuple[int, bool]]:
    """All points, as steps and whether they end, in one order: that of time in each lane, and for arrows from step to step.

    The end of an arrow's target comes after the beginning of its source. Where arrows go in a circle time decides.
    """
    return _Merge([sorted(lane) for lane in lanes], arrows).all()


class _Merge:
    """Merges lanes by time. A lane whose next point must come after a step of another one is parked until that has begun."""

    def __init__(self, lanes: list[list[Point]], arrows: Iterable[tuple[int, int]]) -> None:
        self.lanes = lanes
        self.next = [0] * len(lanes)
        self.sources: defaultdict[int, list[int]] = defaultdict(list)
        for source, target in arrows:
            self.sources[target].append(source)
        self.begun: set[int] = set()
        self.ready = [(lane[0].time, number) for number, lane in enumerate(lanes)]
        heapq.heapify(self.ready)
        self.parked: defaultdict[int, list[int]] = defaultdict(list)

    def all(self) -> list[tuple[int, bool]]:
        order = []
        while self.ready or self.parked:
            if not self.ready:
                self.break_circle()
            lane = heapq.heappop(self.ready)[1]
            point = self.point(lane)
            source = self.missing(point)
            if source is not None:
                self.parked[source].append(lane)
                continue
            order.append((point.step, point.is_end))
            self.next[lane] += 1
            if self.next[lane] < len(self.lanes[lane]):
                self.push(lane)
            if not point.is_end:
                self.begin(point.step)
        return order

    def point(self, lane: int) -> Point:
        return self.lanes[lane][self.next[lane]]

    def push(self, lane: int) -> None:
        heapq.heappush(self.ready, (self.point(lane).time, lane))

    def missing(self, point: Point) -> int | None:
        """A step that must have begun before this point."""
        sources = self.sources.get(point.step, ()) if point.is_end else ()
        return next((source for source in sources if source not in self.begun), None)

    def begin(self, step: int) -> None:
        self.begun.add(step)
        for lane in self.parked.pop(step, ()):
            self.push(lane)

    def break_circle(self) -> None:
        """All lanes wait for each other: let the earliest go on."""
        lane = min((lane for lanes in self.parked.values() for lane in lanes), key=lambda lane: self.point(lane).time)
        self.sources.pop(self.point(lane).step)
        source = next(source for source, lanes in self.parked.items() if lane in lanes)
        self.parked[source].remove(lane)
        if not self.parked[source]:
            del self.parked[source]
        self.push(lane)
