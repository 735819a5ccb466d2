"""The picture of the rooms: each above those it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from html import escape
from itertools import takewhile
from typing import NamedTuple

from circles import without_detours
from layout import Layout, Way

WIDTH = 900
EDGE = 20  # around all
SPACE = 18  # between two in a row
GAP = 38  # between two rows
BOX = 340  # how wide a room is, at most
PADDING = 12  # in a room
NAME, TEXT = 15, 12  # sizes of letters
LINE = 16
HEAD = 7  # of an arrow

STYLE = f"""\
    svg {{ --ground: #ffffff; --room: #f3f6fa; --edge: #8ba0b8; --name: #0b4a8f; --text: #2b333d; --arrow: #6b7f96; }}
    @media (prefers-color-scheme: dark) {{
      svg {{ --ground: #0d1117; --room: #18212d; --edge: #4a5f78; --name: #7cb8ff; --text: #d4dbe4; --arrow: #8296ad; }}
    }}
    .ground {{ fill: var(--ground); }}
    .room rect {{ fill: var(--room); stroke: var(--edge); }}
    .room text {{ fill: var(--text); font: {TEXT}px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }}
    .room .name {{ fill: var(--name); font: bold {NAME}px ui-monospace, "DejaVu Sans Mono", monospace; }}
    .arrow {{ fill: none; stroke: var(--arrow); stroke-width: 1.4; }}
    .head {{ fill: var(--arrow); }}
"""


class Room(NamedTuple):
    """What the picture shows of a room."""

    name: str
    about: str
    uses: AbstractSet[str]


def sentence(code: str) -> str:
    """The first sentence of what a file says about itself, without its marks."""
    lines = [line.removeprefix("//!").strip() for line in takewhile(lambda line: line.startswith("//!"), code.splitlines())]
    paragraph = " ".join(takewhile(bool, lines))
    plain = re.sub(r"\[?`([^`]*)`\]?", r"\1", paragraph)
    return re.split(r"\.(?:\s|$)", plain)[0]


TITLE = "The rooms of src/, each above those it uses"


def draw(rooms: Mapping[str, Room], title: str = TITLE) -> str:
    """The picture, as SVG; the rooms have no circles."""
    return _Drawing(rooms).svg(title)


class _Drawing:
    def __init__(self, rooms: Mapping[str, Room]) -> None:
        self.rooms = rooms
        self.layout = Layout(without_detours({key: room.uses for key, room in rooms.items()}))
        inside = WIDTH - 2 * EDGE
        self.box = min(BOX, *(self._widest_box(row, inside) for row in self.layout.rows))
        self.texts = {key: _wrapped(room.about, self.box - 2 * PADDING) for key, room in rooms.items()}
        widths = {thing: self.box if thing in rooms else 0 for row in self.layout.rows for thing in row}
        #: Where each thing is: its middle, its top and its bottom.
        self.x = {thing: EDGE + round(x) for thing, x in self.layout.middles(widths, SPACE, inside).items()}
        self.top: dict[str, int] = {}
        self.bottom: dict[str, int] = {}
        y = EDGE
        for row in self.layout.rows:
            height = 2 * PADDING + NAME + 4 + LINE * max(len(self.texts.get(thing, ())) for thing in row)
            self.top |= dict.fromkeys(row, y)
            self.bottom |= dict.fromkeys(row, y + height)
            y += height + GAP
        self.height = y - GAP + EDGE

    def _widest_box(self, row: list[str], inside: int) -> int:
        number = sum(thing in self.rooms for thing in row)
        return (inside - (len(row) - 1) * SPACE) // number

    def svg(self, title: str) -> str:
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" height="{self.height}">',
            f"  <title>{escape(title)}</title>",
            "  <!-- Drawn from the code by `make rooms`. -->",
            "  <style>",
            *STYLE.splitlines(),
            "  </style>",
            f'  <rect class="ground" width="{WIDTH}" height="{self.height}"/>',
            *(line for way in self.layout.ways for line in self._arrow(way)),
            *(line for row in self.layout.rows for key in row if key in self.rooms for line in self._room(key)),
            "</svg>",
        ]
        return "\n".join(lines) + "\n"

    def _room(self, key: str) -> Iterator[str]:
        left, top = self.x[key] - self.box // 2, self.top[key]
        x, y = left + PADDING, top + PADDING + NAME
        yield '  <g class="room">'
        yield f'    <rect x="{left}" y="{top}" width="{self.box}" height="{self.bottom[key] - top}" rx="7"/>'
        yield f'    <text class="name" x="{x}" y="{y - 3}">{escape(self.rooms[key].name)}</text>'
        for line in self.texts[key]:
            y += LINE
            yield f'    <text x="{x}" y="{y + 2}">{escape(line)}</text>'
        yield "  </g>"

    def _arrow(self, way: Way) -> Iterator[str]:
        """The arrow from a room to one that it uses: from row to row it swings, past a row it goes straight down."""
        first, *bends, last = way
        x, y = self._port(way, 0), self.bottom[first]
        path = f"M{x} {y}"
        for bend in bends:
            path += f"{_swing(x, y, self.x[bend], self.top[bend])}V{self.bottom[bend]}"
            x, y = self.x[bend], self.bottom[bend]
        tip_x, tip_y = self._port(way, -1), self.top[last]
        yield f'  <path class="arrow" d="{path}{_swing(x, y, tip_x, tip_y - HEAD)}"/>'
        yield f'  <path class="head" d="M{tip_x} {tip_y}l-4 -{HEAD + 1}h8z"/>'

    def _port(self, way: Way, end: int) -> int:
        """Where an arrow begins (0) or ends (-1): the arrows of a room stand side by side, in the order of where they come from."""
        beside = 1 if end == 0 else -2
        others = sorted((self.x[other[beside]], other) for other in self.layout.ways if other[end] == way[end])
        place = [other for _, other in others].index(way)
        return self.x[way[end]] + round((place - (len(others) - 1) / 2) * min(22, self.box * 0.8 / len(others)))


def _swing(x: int, y: int, to_x: int, to_y: int) -> str:
    bend = (y + to_y) // 2
    return f"C{x} {bend} {to_x} {bend} {to_x} {to_y}"


def _wrapped(text: str, width: int) -> list[str]:
    """Text in lines that are not wider."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _wide(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _wide(text: str) -> float:
    """About how wide a text is, whatever the font, and rather too wide."""
    return TEXT * sum(0.34 if letter in " .,:;'|!()[]fijlrt" else 0.9 if letter in "mwMW" else 0.62 for letter in text)
