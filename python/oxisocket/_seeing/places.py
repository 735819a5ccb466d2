"""Where the lanes of a picture lie, and the texts of their calls."""

from __future__ import annotations

from dataclasses import dataclass

CHARACTER = 7.0
"""How wide a character of a call is, at most, in the fonts that systems have."""

TIMES = 76
"""The left margin, in which the times stand."""

MOST_COLUMNS = 4
"""How many lanes have a column of their own for their calls. More of them share one."""

_TEXTS = 322
_GAP = 200
_RAIL = 26
_NAMES = 150
_BESIDE = 13


@dataclass(slots=True)
class Place:
    """A lane's line is at `line`; its texts have `room` characters and begin at `text`, or end there if they are on the left."""

    line: float
    text: float
    left: bool
    room: int
    name: float | None = None
    """Where the lane's name stands before each call; None where the calls are in the lane's own column."""


def places(lanes: list[int]) -> tuple[dict[int, Place], float]:
    """The place of each lane, and where the last text ends."""
    if len(lanes) < 2:
        # On its left is room for arrows from the lane to itself.
        line, room = TIMES + 50.0, 84
        return {lane: Place(line, line + _BESIDE, False, room) for lane in lanes}, line + _BESIDE + room * CHARACTER
    return _columns(lanes) if len(lanes) <= MOST_COLUMNS else _rails(lanes)


def _columns(lanes: list[int]) -> tuple[dict[int, Place], float]:
    """Each lane has its texts beside it; between the first two lanes is room for arrows."""
    room = int(_TEXTS / CHARACTER)
    line = float(TIMES + _TEXTS + _BESIDE)
    found = {lanes[0]: Place(line, line - _BESIDE, True, room)}
    for lane in lanes[1:]:
        line += _GAP if len(found) == 1 else _TEXTS + 2.5 * _BESIDE
        found[lane] = Place(line, line + _BESIDE, False, room)
    return found, line + _BESIDE + _TEXTS


def _rails(lanes: list[int]) -> tuple[dict[int, Place], float]:
    """The lanes are close together, and the texts of all of them in one column."""
    name = TIMES + 24.0 + _RAIL * len(lanes)
    room = 72
    found = {lane: Place(TIMES + 20.0 + _RAIL * number, name + _NAMES, False, room, name) for number, lane in enumerate(lanes)}
    return found, name + _NAMES + room * CHARACTER
