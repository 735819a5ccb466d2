"""What the pictures share: which call stands in which lane, in which order, and which calls are folded into one.

Nothing here knows of pixels. A *point* is where a call begins or where it ends. Points have one order, in which no lane runs
backwards and nothing is received before it was sent, also where the clocks of two machines disagree.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from .cells import cut, harmless, width_of
from .conversation import Arrow, Connection, Conversation, End, Step
from .cycles import alike, once, repeats
from .order import Point, merged
from .words import brief, outcome, short, would_block

FEW = 60
"""A conversation of so few calls is shown whole: no connections in it are folded."""

# How an OSError begins its text. The name of its class says the same.
_ERRNO = re.compile(r"(?<=: )\[Errno -?\d+\] ")


@dataclass(slots=True)
class Entry:
    """A call as it is shown.

    `sign` is `error`, `later` for one that a non-blocking socket put off, `unfinished`, `unclosed` for a socket that the garbage
    collector closed, or empty.

    `begins` and `ends` are its places in the order of all points; `receives` tells that its end is what it is about.
    """

    lane: int
    connection: int | None
    call: str
    arguments: str
    outcome: str
    sign: str
    eof: bool
    begins: int = 0
    ends: int = 0
    receives: bool = False

    def text(self, columns: int) -> str:
        """The call with its arguments, which are cut where there is no room."""
        room = columns - len(self.call) - 2
        return cut(f"{self.call}({cut(self.arguments, max(room, 1))})", columns)

    def texts(self, columns: int) -> tuple[str, str]:
        """The call, and its outcome, for a line of so many columns."""
        room = columns - 3
        call, result = width_of(self.call) + width_of(self.arguments) + 2, width_of(self.outcome)
        if self.outcome and call + result > room:
            # Each gets at least half, and what the other leaves.
            call = max(room // 2, room - result)
            result = max(room - call, room - width_of(self.text(call)))
        return self.text(call if self.outcome else columns), cut(self.outcome, max(result, 1))


@dataclass(slots=True)
class Fold:
    """Calls of one lane that are folded into one: the rest of a cycle, which comes `times` times more, or connections alike."""

    lane: int
    connection: int | None
    calls: list[int]
    cycle: list[str]
    times: int
    connections: list[int] = field(default_factory=list)

    def text(self) -> str:
        """What is folded, in a few words."""
        if self.connections:
            return f"{len(self.connections):,} connections more like this: {len(self.calls):,} calls"
        return f"{self.times:,} times more: {', '.join(self.cycle)}"


@dataclass(slots=True)
class Layout:
    """A conversation, ready to be drawn.

    `entries` are parallel to its steps; `arrows` are its arrows with the numbers of the steps. `cycles` can each be opened alone.
    `groups` are connections that are alike, of which the first is shown; `alike` are their folds, `merged` the lanes that have
    nothing else, and for each the lane of the first.
    """

    conversation: Conversation
    entries: list[Entry]
    order: list[tuple[int, bool]]
    arrows: list[tuple[int, int, Arrow]]
    cycles: list[Fold]
    groups: list[list[int]]
    alike: list[Fold]
    merged: dict[int, int]


def arrange(conversation: Conversation) -> Layout:
    """Put the calls of a conversation in order, and find what can be folded."""
    entries = _entries(conversation)
    # A refused connect is its own target: no arrow goes anywhere.
    arrows = [(each.source.index, each.target.index, each) for each in conversation.arrows if each.source is not each.target]
    for _, target, _ in arrows:
        entries[target].receives = True
    lanes: defaultdict[int, list[Point]] = defaultdict(list)
    for step in conversation.steps:
        lanes[step.lane.index] += Point(step.began, step.index, False), Point(step.ended, step.index, True)
    order = merged(list(lanes.values()), [(source, target) for source, target, _ in arrows])
    for place, (number, is_end) in enumerate(order):
        if is_end:
            entries[number].ends = place
        else:
            entries[number].begins = place
    layout = Layout(conversation, entries, order, arrows, [], [], [], {})
    _fold(layout)
    return layout


# --- Calls ---


def _entries(conversation: Conversation) -> list[Entry]:
    # An accept is a call on the socket that listens, and belongs to the connection that it made.
    made = {each.target.index: each.source.connection for each in conversation.arrows if each.kind == "connect"}
    of_end = {step.end: step.connection for step in conversation.steps if step.end is not None and step.connection is not None}
    entries = []
    for step in conversation.steps:
        connection = made.get(step.index) or step.connection
        if connection is None and step.end is None:
            # So does a socketpair, which is a call on none.
            ends = (End(step.lane.record, number) for number in step.call.new)
            connection = next((of_end[end] for end in ends if end in of_end), None)
        entries.append(_entry(step, connection, conversation))
    return entries


def _entry(step: Step, connection: Connection | None, conversation: Conversation) -> Entry:
    text = outcome(step, conversation.records[step.lane.record])
    if step.closed_by == "finalizer":
        opened = text.removeprefix("opened at ")
        text = f"by the garbage collector{f'; opened at {opened}' if opened else ''}"
    return Entry(
        lane=step.lane.index,
        connection=None if connection is None else connection.index,
        call=harmless(step.call.call),
        arguments=harmless(brief(step.call.arguments)),
        outcome=harmless(_ERRNO.sub("", text)),
        sign=_sign(step),
        eof=step.call.eof,
    )


def _sign(step: Step) -> str:
    if step.closed_by == "finalizer":
        return "unclosed"
    if step.call.unfinished:
        return "unfinished"
    if would_block(step):
        return "later"
    return "error" if step.call.error is not None else ""


# --- Folding ---


def _fold(layout: Layout) -> None:
    entries = layout.entries
    layout.cycles = _cycles(entries)
    if len(entries) <= FEW:
        return
    layout.groups = alike(_signatures(layout))
    first = {each: group[0] for group in layout.groups for each in group[1:]}
    layout.merged = _merged(layout, first)
    folded: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        if entry.connection in first:
            folded[entry.lane, first[entry.connection]].append(place)
    for (lane, connection), calls in folded.items():
        if lane not in layout.merged:
            connections = sorted({each for place in calls if (each := entries[place].connection) is not None})
            layout.alike.append(Fold(lane, connection, calls, [], 1, connections))


def _token(entry: Entry) -> tuple[str, str]:
    """What calls that can be folded have in common. The one that meets the end of the stream is like no other."""
    return entry.call, entry.outcome if entry.sign or entry.eof else ""


def _cycles(entries: list[Entry]) -> list[Fold]:
    """What comes again and again in a lane, looked for in each connection alone: several take turns in one lane."""
    lines: defaultdict[tuple[int, int | None], list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        lines[entry.lane, entry.connection].append(place)
    found = []
    for (lane, connection), places in lines.items():
        for repeat in repeats([_token(entries[place]) for place in places]):
            calls = [places[each] for each in repeat.rest()]
            cycle = [" → ".join(filter(None, _token(entries[place]))) for place in calls[: repeat.length]]
            found.append(Fold(lane, connection, calls, cycle, repeat.times - 1))
    return found


def _signatures(layout: Layout) -> list[object]:
    """For each connection what was called in it, by which programs; not how often something came, and not what was put off."""
    calls: list[defaultdict[int, list[tuple[str, str]]]] = [defaultdict(list) for _ in layout.conversation.connections]
    for entry in layout.entries:
        if entry.connection is not None and entry.sign != "later":
            calls[entry.connection][entry.lane].append(_token(entry))
    programs = [lane.program for lane in layout.conversation.lanes]
    # A connection in which nothing was called is like no other.
    return [
        tuple(sorted((programs[lane], once(tokens)) for lane, tokens in lanes.items())) or place
        for place, lanes in enumerate(calls)
    ]


def _merged(layout: Layout, first: dict[int, int]) -> dict[int, int]:
    """The lanes that only have connections that are folded: for each, its program's lane in the first of these connections."""
    programs = [lane.program for lane in layout.conversation.lanes]
    connections: defaultdict[int, set[int]] = defaultdict(set)
    wrong = set()
    lane_of: dict[tuple[int, str], int] = {}
    for entry in layout.entries:
        if entry.connection is None:
            wrong |= {entry.lane} if entry.sign == "error" else set()
        else:
            connections[entry.lane].add(entry.connection)
            lane_of.setdefault((entry.connection, programs[entry.lane]), entry.lane)
    return {
        lane: lane_of[first[min(those)], programs[lane]]
        for lane, those in connections.items()
        if lane not in wrong and all(each in first for each in those)
    }


def unclosed(conversation: Conversation, end: End) -> str:
    """What is said of a socket that nobody closed: which, and where it was opened."""
    record = conversation.records[end.record]
    it = record.sockets.get(end.socket)
    number = f"descriptor {it.fd}" if it and it.fd >= 0 else f"socket {end.socket}"
    opened = f"; it was opened at {short(it.opened)}" if it and it.opened else ""
    return harmless(f"{short(record.process.program) or 'a program'}: {number} was never closed{opened}")
