"""Where the rooms stand in the picture, and which way the arrows take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations, pairwise
from statistics import mean

from circles import layers

#: A room, the bends of an arrow where it passes a row, and the room that is used.
Way = tuple[str, ...]


class Layout:
    """The rows of the picture from top to bottom: in each the rooms of a layer, and the bends of the arrows that pass it by."""

    def __init__(self, uses: Mapping[str, AbstractSet[str]]) -> None:
        self.rooms = set(uses)
        self.rows = layers(uses)
        self.ways = list(self._ways(uses))
        self._links = [link for way in self.ways for link in pairwise(way)]
        self._order()

    def _ways(self, uses: Mapping[str, AbstractSet[str]]) -> Iterator[Way]:
        """The ways of all arrows, each from row to row; puts the bends into the rows."""
        row_of = {room: index for index, row in enumerate(self.rows) for room in row}
        for room in sorted(uses):
            for used in sorted(uses[room]):
                passed = range(row_of[room] + 1, row_of[used])
                bends = [f"{room} {used} {row}" for row in passed]
                for row, bend in zip(passed, bends, strict=True):
                    self.rows[row].append(bend)
                yield (room, *bends, used)

    def _order(self) -> None:
        """Move each thing within its row until no move makes the picture simpler."""
        best = self._effort()
        better = True
        while better:
            better = False
            for row in self.rows:
                for thing in tuple(row):
                    was = row.index(thing)
                    for place in range(len(row)):
                        _move(row, thing, place)
                        if (effort := self._effort()) < best:
                            best, was, better = effort, place, True
                    _move(row, thing, was)

    def _effort(self) -> tuple[int, float]:
        """How many arrows cross, and how far they go aside."""
        place = {thing: index - (len(row) - 1) / 2 for row in self.rows for index, thing in enumerate(row)}
        row_of = {thing: index for index, row in enumerate(self.rows) for thing in row}
        crossings = sum(
            row_of[a] == row_of[b] and (place[a] - place[b]) * (place[c] - place[d]) < 0
            for (a, c), (b, d) in combinations(self._links, 2)
        )
        return crossings, sum(abs(place[upper] - place[lower]) for upper, lower in self._links)

    def middles(self, widths: Mapping[str, float], space: float, width: float) -> dict[str, float]:
        """How far from the left the middle of each thing is, if it is so wide and they stand so far apart."""
        beside: dict[str, list[str]] = {thing: [] for row in self.rows for thing in row}
        for upper, lower in self._links:
            beside[upper].append(lower)
            beside[lower].append(upper)
        middles = dict.fromkeys(beside, width / 2)
        for _ in range(100):
            for row in (*self.rows, *self.rows[::-1]):
                wanted = [self._pulled(thing, beside[thing], middles) for thing in row]
                middles.update(zip(row, _apart(wanted, [widths[thing] for thing in row], space, width), strict=True))
        return middles

    def _pulled(self, thing: str, beside: Sequence[str], middles: Mapping[str, float]) -> float:
        """Between what it is linked to; an arrow that passes several rows passes them straight."""
        straight = [] if thing in self.rooms else [other for other in beside if other not in self.rooms]
        return mean([middles[other] for other in (*beside, *straight * 4)] or [middles[thing]])


def _move(row: list[str], thing: str, place: int) -> None:
    row.remove(thing)
    row.insert(place, thing)


def _apart(wanted: Sequence[float], widths: Sequence[float], space: float, width: float) -> list[float]:
    """Near to where they are wanted, but in their order, apart from each other and inside the picture."""
    pushed_right = _pushed(wanted, widths, space)
    # The same from the other side, in a mirror.
    pushed_left = [width - middle for middle in _pushed([width - middle for middle in wanted[::-1]], widths[::-1], space)][::-1]
    between = [(left + right) / 2 for left, right in zip(pushed_left, pushed_right, strict=True)]
    # Each may have pushed the last out of the picture: between the leftmost and the rightmost places that there are.
    leftmost = _pushed([0] * len(widths), widths, space)
    spare = width - leftmost[-1] - widths[-1] / 2
    return [min(max(middle, least), least + spare) for middle, least in zip(between, leftmost, strict=True)]


def _pushed(wanted: Sequence[float], widths: Sequence[float], space: float) -> list[float]:
    """Where they are wanted, or as far to the right of it as those before them push."""
    middles: list[float] = []
    edge = 0.0
    for middle, wide in zip(wanted, widths, strict=True):
        middles.append(max(middle, edge + wide / 2))
        edge = middles[-1] + wide / 2 + space
    return middles
