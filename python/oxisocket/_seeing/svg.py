"""Draws a conversation as an SVG that needs nothing else: no font, no script, no other file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from html import escape
from math import hypot

from .cells import cut, harmless
from .conversation import Conversation
from .layout import arrange, unclosed
from .places import TIMES, Place, places
from .plan import Item, Link, plan
from .record import Call
from .words import duration, short, size

_SVG = "http://www.w3.org/2000/svg"

ROW = 21
HEAD = 74

MOST_LANES = 24
MOST_ROWS = 400
"""What is longer is cut in its middle: so many rows are drawn, the last quarter of them from the end."""

_COLOURS = ("#2b5c9e", "#2f7552", "#8a5a00", "#79468f", "#0f7078", "#a03d6b")
_COLOURS_DARK = ("#85b4ee", "#7fcaa0", "#dcb266", "#c9a0de", "#6fc7cf", "#eb9dbf")

# No variables: what prints a book or turns an SVG into a PDF often does not know them.
_STYLE = """
.paper{fill:#fdfcf9}
.line{stroke:#cbc7bd;fill:none}
.open{stroke-dasharray:2 4}
.dash{stroke-dasharray:5 4}
.dots{stroke-dasharray:1 4;stroke-linecap:round}
.arrow{stroke-width:1.3;fill:none}
text{font:11.5px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#23221f;white-space:pre}
.on{paint-order:stroke;stroke:#fdfcf9;stroke-width:5px;stroke-linejoin:round}
.says{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
.program{font-size:14px;font-weight:600}
.quiet{fill:#6f6b63}
.small{font-size:10px}
.italic{font-style:italic}
.letter{font-weight:700}
.bad{fill:#b3261e}
.warn{fill:#8a5300}
.sign{stroke:#fdfcf9;stroke-width:1.7;stroke-linecap:round;fill:none}
"""
_STYLE_DARK = """
.paper{fill:#17181b}
.line{stroke:#4a4b50}
text{fill:#e7e4dd}
.on,.sign{stroke:#17181b}
.quiet{fill:#a09c93}
.bad{fill:#ff8d84}
.warn{fill:#f0b95c}
"""
_LONG = 1_000_000
"""From how many nanoseconds on a wait has its time beside it."""

_MOST_LINES = 12
_MOST_SPOKEN = 60

_GAP = 200

_ARROWS = {"data": "", "datagram": " dots", "connect": " dash", "end": " dash"}


def draw(conversation: Conversation) -> str:
    """Draw who called what, and what went from whom to whom, as the text of an SVG file.

    Repeated calls and connections that are alike are folded, and a conversation that is long all the same is cut in its middle.
    """
    return _Picture(conversation).text()


class _Picture:
    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.layout = arrange(conversation)
        lanes = [lane.index for lane in conversation.lanes if lane.index not in self.layout.merged]
        self.lanes, self.undrawn = lanes[:MOST_LANES], len(lanes[MOST_LANES:])
        self.places, right = places(self.lanes)
        self.rails = any(place.name is not None for place in self.places.values())
        self.plan = plan(self.layout, share=not self.rails, lanes=set(self.lanes))
        self.width = int(right) + 20
        self.cut = self.rows_left_out()
        self.top = HEAD + 16 * len(self.lanes) * self.rails
        self.bottom = self.y(len(self.plan.times)) - ROW / 2 + 8
        drawn = sorted({each for item in self.plan.items if (each := self.connection(item)) is not None})
        self.letters = {each: _letter(place) for place, each in enumerate(drawn)} if len(drawn) > 1 else {}
        self.colours = {each: f"c{place % len(_COLOURS)}" for place, each in enumerate(drawn)}

    def text(self) -> str:
        parts = [*self.body(), *self.foot()]
        size = f'width="{self.width}" height="{self.height:.0f}"'
        box = f'{size} viewBox="0 0 {self.width} {self.height:.0f}"'
        head = [
            f'<svg xmlns="{_SVG}" class="oxisocket" role="img" aria-labelledby="oxisocket-title oxisocket-desc" {box}>',
            f'<title id="oxisocket-title">{_escaped(f"The socket calls of {_listed(self.programs())}")}</title>',
            f'<desc id="oxisocket-desc">{_escaped(self.description())}</desc>',
            f"<style>{_style()}</style>",
            f"<defs>{_hatches()}</defs>",
            f'<rect class="paper" {size} rx="6"/>',
        ]
        return "\n".join([*head, *parts, "</svg>\n"])

    def body(self) -> Iterator[str]:
        for lane in self.lanes:
            yield from self.head(lane)
            yield from self.lifeline(lane)
        yield from self.times()
        for link in self.plan.links:
            yield from self.arrow(link)
        for item in self.plan.items:
            if self.is_drawn(item):
                yield from self.bar(item)
                yield from self.label(item)
        yield from self.gap()

    # --- Rows ---

    def rows_left_out(self) -> range:
        rows = len(self.plan.times)
        return range(MOST_ROWS * 3 // 4, rows - MOST_ROWS // 4) if rows > MOST_ROWS + 10 else range(rows, rows)

    def y(self, row: int) -> float:
        if self.cut and row >= self.cut.start:
            # What is left out takes two rows.
            row = max(row - len(self.cut) + 2, self.cut.start + 1)
        return self.top + (row + 0.5) * ROW

    def is_drawn(self, item: Item) -> bool:
        return item.row not in self.cut or item.last not in self.cut

    def gap(self) -> Iterator[str]:
        if not self.cut:
            return
        left_out = sum(len(item.calls) for item in self.plan.items if not self.is_drawn(item))
        y = self.y(self.cut.start) - ROW / 2
        yield f'<path class="line dash" d="M{TIMES} {y - 10}H{self.width - 20}M{TIMES} {y + 10}H{self.width - 20}"/>'
        yield _text(self.width / 2, y + 4, f"{left_out:,} calls are left out here", "says quiet italic on", "middle")

    def times(self) -> Iterator[str]:
        """How long after the first call each row is."""
        before = ""
        for row, time in enumerate(self.plan.times):
            text = duration(max(time - self.plan.times[0], 0))
            if row not in self.cut and text != before:
                yield _text(TIMES - 14, self.y(row) + 3.5, text, "says quiet small", "end")
                before = text

    # --- Lanes ---

    def programs(self) -> list[str]:
        return list(dict.fromkeys(self.program(lane, 40) for lane in self.lanes))

    def program(self, lane: int, columns: int) -> str:
        return cut(harmless(short(self.conversation.lanes[lane].program)) or "a program", columns)

    def head(self, lane: int) -> Iterator[str]:
        it, place = self.conversation.lanes[lane], self.places[lane]
        more = sum(into == lane for into in self.layout.merged.values())
        below = f"process {it.pid}" + (f", {harmless(it.name)}" if it.name else "")
        if more:
            below += f", and {more:,} more like it"
        if place.name is not None:
            y = 34 + 16.0 * self.lanes.index(lane)
            yield f'<path class="line" d="M{place.line} {self.top - 12}V{y - 4}H{place.name - 6}"/>'
            yield _text(place.name, y, self.program(lane, 22), "says")
            yield _text(place.text, y, cut(below, place.room), "says quiet")
            return
        x, anchor = (place.line + 4, "end") if place.left else (place.line - 4, "start")
        yield _text(x, 34, self.program(lane, place.room * 3 // 4), "says program", anchor)
        yield _text(x, 51, cut(below, place.room), "says quiet", anchor)

    def lifeline(self, lane: int) -> Iterator[str]:
        x = self.places[lane].line
        yield f'<path class="line" d="M{x} {self.top - 12}V{self.bottom}"/>'
        if self.conversation.records[self.conversation.lanes[lane].record].ended:
            yield f'<path class="line" d="M{x - 6} {self.bottom}h12"/>'
        else:
            yield f'<path class="line open" d="M{x} {self.bottom}v16"/>'

    # --- Calls ---

    def connection(self, item: Item) -> int | None:
        return item.fold.connection if item.fold else self.layout.entries[item.calls[0]].connection

    def colour(self, item: Item) -> str:
        connection = self.connection(item)
        return "cn" if connection is None else self.colours[connection]

    def bar(self, item: Item) -> Iterator[str]:
        x, colour = self.places[item.lane].line, self.colour(item)
        top, end = self.y(item.row), self.y(item.last)
        entry = self.layout.entries[item.calls[0]]
        if item.fold:
            yield from (
                f'<rect class="{colour}" x="{x - 4}" y="{top + each}" width="8" height="3" rx="1"/>' for each in (-7, -2, 3)
            )
        elif entry.sign == "unfinished":
            yield _box(x, top - 6, 8, 5, colour) + _box(x, top - 1, 4, self.bottom - top + 1, f"{colour}h")
        elif item.spans():
            yield (
                _box(x, top - 6, 8, 5, colour)
                + _box(x, top - 1, 4, end - top - 4, f"{colour}h")
                + _box(x, end - 5, 8, 11, colour)
            )
        elif 2 * self.call(item).waited > self.call(item).took:
            yield _box(x, top - 8, 4, 9, f"{colour}h") + _box(x, top + 1, 8, 6, colour)
        else:
            yield _box(x, top - 6, 8, 12, colour)
        if not item.fold and entry.sign in _SIGNS:
            yield _SIGNS[entry.sign](x, end)

    def label(self, item: Item) -> Iterator[str]:
        place, y = self.places[item.lane], self.y(item.row)
        connection = self.connection(item)
        letter = "" if connection is None else self.letters.get(connection, "")
        before = [(f"{letter} ", f"letter {self.colour(item)}t")] if letter else []
        first, last = self.words(item, place.room - len(letter) - 1)
        if place.name is not None:
            yield _text(place.name, y + 4, self.program(item.lane, 20), "says quiet on")
        yield _line(place, y, before + first)
        if last:
            yield _line(place, self.y(item.last), last)

    def words(self, item: Item, room: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """What is written beside an item where it begins, and where it ends; texts, each with its classes."""
        if item.fold:
            return [(cut(item.fold.text(), room), "quiet italic")], []
        entry, waited = self.layout.entries[item.calls[0]], self.call(item).waited
        look = {"": "", "later": "quiet italic", "error": "bad"}.get(entry.sign, "warn")
        waiting = f"  {duration(waited)}" if waited >= _LONG and entry.sign != "unfinished" else ""
        waits = [(waiting, "quiet small says")] if waiting else []
        if item.spans():
            outcome = cut(entry.outcome, room - 2)
            return [(entry.text(room - len(waiting)), ""), *waits], [(f"→ {outcome}", look)] if outcome else []
        call, outcome = entry.texts(room - len(waiting))
        return [(call, ""), *([(f" → {outcome}", look)] if outcome else []), *waits], []

    def call(self, item: Item) -> Call:
        return self.conversation.steps[item.calls[0]].call

    # --- Arrows ---

    def arrow(self, link: Link) -> Iterator[str]:
        source, target = self.plan.items[link.source], self.plan.items[link.target]
        if not (self.is_drawn(source) and self.is_drawn(target)):
            return
        colour = self.colour(source)
        look = f"arrow {colour}{_ARROWS.get(link.kind, '')}"
        here, there = (self.places[source.lane].line, self.y(source.row)), (self.places[target.lane].line, self.y(target.last))
        if source.lane == target.lane:
            yield from self.arc(source.lane, here[1], there[1], colour, look)
            return
        length = hypot(there[0] - here[0], there[1] - here[1])
        dx, dy = (there[0] - here[0]) / length, (there[1] - here[1]) / length
        x1, y1, x2, y2 = here[0] + 7 * dx, here[1] + 7 * dy, there[0] - 7 * dx, there[1] - 7 * dy
        yield f'<path class="{look}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'
        yield _tip(x2, y2, dx, dy, colour)
        if link.back:
            yield _tip(x1, y1, -dx, -dy, colour)
        if not self.rails and (text := _carried(link)):
            # Where no call is written, and the arrows of one call are already apart.
            level = abs(dy) < 0.05
            x = x1 + (x2 - x1) * (0.5 if level else 0.6) if abs(x2 - x1) < _GAP else x1 + _GAP / 2 * (1 if x2 > x1 else -1)
            y = y1 + (y2 - y1) * (x - x1) / (x2 - x1)
            yield _text(x, y - 4.5, text, "says quiet small" + ("" if level else " on"), "middle")

    def arc(self, lane: int, y1: float, y2: float, colour: str, look: str) -> Iterator[str]:
        """An arrow from a lane to itself, on the side where no call is written."""
        place = self.places[lane]
        side = 1 if place.left else -1
        x, out = place.line + 6 * side, side * min(18 + (y2 - y1) * 0.12, 42)
        curve = f"M{x:.1f} {y1:.1f}C{x + out:.1f} {y1:.1f} {x + out:.1f} {y2:.1f} {x + 2 * side:.1f} {y2:.1f}"
        yield f'<path class="{look}" d="{curve}"/>'
        yield _tip(x, y2, -side, 0, colour)

    # --- Below ---

    def foot(self) -> Iterator[str]:
        """Which connection is which, what nobody closed, and what is not in the picture."""
        y = self.bottom + 40
        room = int((self.width - TIMES - 50) / 6.5)
        for mark, text, look in [*self.names(), *self.unclosed(), *self.notes(), *self.key()]:
            yield mark(TIMES - 2, y - 4)
            yield _text(TIMES + 10, y, cut(text, room), f"says {look}")
            y += 18
        self.height = y

    def names(self) -> Iterator[_Line]:
        for connection, letter in list(self.letters.items())[:_MOST_LINES]:
            mark = partial(_letter_mark, letter, self.colours[connection])
            yield mark, harmless(self.conversation.connections[connection].description), "quiet"
        if len(self.letters) > _MOST_LINES:
            yield _no_sign, f"and {len(self.letters) - _MOST_LINES:,} connections more", "quiet"

    def unclosed(self) -> Iterator[_Line]:
        ends = self.conversation.unclosed
        for end in ends[:_MOST_LINES]:
            yield _warning, unclosed(self.conversation, end), "warn"
        if len(ends) > _MOST_LINES:
            yield _warning, f"and {len(ends) - _MOST_LINES:,} sockets more were not closed", "warn"

    def notes(self) -> Iterator[_Line]:
        notes = [*self.conversation.notes]
        if self.undrawn:
            notes.append(f"{self.undrawn:,} lanes more are left out.")
        if len(notes) > _MOST_LINES:
            notes[_MOST_LINES:] = [f"and {len(notes) - _MOST_LINES:,} notes more"]
        for note in notes:
            yield _no_sign, harmless(note), "quiet italic"

    def key(self) -> Iterator[_Line]:
        """What the looks mean, of those that are there."""
        items = [item for item in self.plan.items if self.is_drawn(item)]
        waits = any(self.call(item).waited for item in items if not item.fold)
        ends = any(link.kind in ("connect", "end") for link in self.plan.links)
        folds = any(item.fold for item in items)
        looks = [
            ("Hatched: waiting.", waits),
            ("Dashed: a connection begins or ends.", ends),
            ("Striped: calls like those above.", folds),
        ]
        if text := "  ".join(each for each, there in looks if there):
            yield _no_sign, text, "quiet italic small"

    def description(self) -> str:
        """What a reader who does not see the picture needs: the calls in their order."""
        items = sorted(self.plan.items, key=lambda item: item.row)
        calls = [f"{self.program(item.lane, 40)}: {self.spoken(item)}" for item in items[:_MOST_SPOKEN]]
        more = f"; and {len(items) - _MOST_SPOKEN:,} more" if len(items) > _MOST_SPOKEN else ""
        return f"A lane for each program, time from top to bottom. {'; '.join(calls)}{more}."

    def spoken(self, item: Item) -> str:
        return item.fold.text() if item.fold else " → ".join(filter(None, self.layout.entries[item.calls[0]].texts(80)))


# --- Marks ---

_Mark = Callable[[float, float], str]
_Line = tuple[_Mark, str, str]


def _error(x: float, y: float) -> str:
    cross = f"M{x - 2.4:.1f} {y - 2.4:.1f}l4.8 4.8m0 -4.8l-4.8 4.8"
    return f'<circle class="bad" cx="{x:.1f}" cy="{y:.1f}" r="6.5"/><path class="sign" d="{cross}"/>'


def _warning(x: float, y: float) -> str:
    return (
        f'<path class="warn" d="M{x:.1f} {y - 7:.1f}l7 12.5h-14z"/><path class="sign" d="M{x:.1f} {y - 2.6:.1f}v3.4m0 2.6v.1"/>'
    )


def _letter_mark(letter: str, colour: str, x: float, y: float) -> str:
    return _text(x, y + 4, letter, f"letter {colour}t", "middle")


def _no_sign(x: float, y: float) -> str:
    return ""


_SIGNS: dict[str, _Mark] = {"error": _error, "unclosed": _warning}


def _box(x: float, y: float, across: float, down: float, classes: str) -> str:
    return f'<rect class="{classes}" x="{x - across / 2}" y="{y}" width="{across}" height="{max(down, 0)}" rx="1"/>'


def _tip(x: float, y: float, dx: float, dy: float, colour: str) -> str:
    """The head of an arrow that ends at a place, coming from a direction."""
    left, right = (x - 8 * dx - 3.6 * dy, y - 8 * dy + 3.6 * dx), (x - 8 * dx + 3.6 * dy, y - 8 * dy - 3.6 * dx)
    return f'<path class="{colour}" d="M{x:.1f} {y:.1f}L{left[0]:.1f} {left[1]:.1f}L{right[0]:.1f} {right[1]:.1f}z"/>'


def _carried(link: Link) -> str:
    if not link.bytes:
        return ""
    return f"{size(link.bytes)}, {size(link.back.bytes)} back" if link.back else size(link.bytes)


# --- Text ---


def _escaped(text: str) -> str:
    return escape(harmless(text))


def _text(x: float, y: float, text: str, classes: str, anchor: str = "start") -> str:
    to = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}"{to}>{_escaped(text)}</text>'


def _line(place: Place, y: float, parts: Iterable[tuple[str, str]]) -> str:
    """The words beside a call, in one line."""
    to = ' text-anchor="end"' if place.left else ""
    spans = "".join(f'<tspan class="{look}">{_escaped(text)}</tspan>' if look else _escaped(text) for text, look in parts)
    return f'<text class="on" x="{place.text:.1f}" y="{y + 4:.1f}"{to}>{spans}</text>'


def _letter(place: int) -> str:
    """The name of a connection in the picture: A, B and so on up to Z, then A1."""
    return chr(ord("A") + place % 26) + (str(place // 26) if place >= 26 else "")


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


# --- Colours ---


def _hatches() -> str:
    names = [*(f"c{number}" for number in range(len(_COLOURS))), "cn"]
    return "".join(
        f'<pattern id="oxisocket-{name}" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path class="arrow {name}" d="M1 0V4"/></pattern>'
        for name in names
    )


def _style() -> str:
    light, dark = _coloured(_STYLE, _COLOURS, "#6d6960"), _coloured(_STYLE_DARK, _COLOURS_DARK, "#a9a59c")
    return f"\n{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n"


def _coloured(style: str, colours: Iterable[str], neutral: str) -> str:
    """The rules with those of the colours, each for this picture only: the page around it has texts and lines of its own."""
    rules = style.strip().splitlines()
    for name, colour in [*((f"c{number}", each) for number, each in enumerate(colours)), ("cn", neutral)]:
        rules += [f".{name},.{name}t{{fill:{colour}}}", f".arrow.{name}{{fill:none;stroke:{colour}}}"]
        rules.append(f".{name}h{{fill:url(#oxisocket-{name});stroke:{colour};stroke-width:.6}}")
    return "".join(
        f"{','.join(f'.oxisocket {each}' for each in rule.split('{')[0].split(','))}{{{rule.split('{')[1]}\n" for rule in rules
    )
