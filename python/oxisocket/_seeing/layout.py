"""What the pictures share: which call stands in which lane, in which order, and which calls are folded into one.

Nothing here knows of pixels. A *point* is where a call begins or where it ends. Points have one order, in which no lane runs
backwards and nothing is received before it was sent, also where the clocks of two machines disagree.
"""

from __future__ import annotations

import errno
import heapq
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .conversation import Arrow, Connection, Conversation, End, Step
from .folding import alike, once, repeats
from .legible import brief, legible, shortened, times, width

FEW = 60
"""A conversation of so few calls is shown whole: no connections in it are folded."""

# How an OSError begins its text. The name of its class says the same.
_ERRNO = re.compile(r"(?<=: )\[Errno -?\d+\] ")

_NOT_YET = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EINPROGRESS, errno.EALREADY}


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
    begins: int = 0
    ends: int = 0
    receives: bool = False

    def text(self, columns: int) -> str:
        """The call with its arguments, which are cut where there is no room."""
        room = columns - len(self.call) - 2
        return shortened(f"{self.call}({shortened(self.arguments, max(room, 1))})", columns)

    def texts(self, columns: int) -> tuple[str, str]:
        """The call, and its outcome, for a line of so many columns."""
        room = columns - 3
        call, outcome = width(self.call) + width(self.arguments) + 2, width(self.outcome)
        if self.outcome and call + outcome > room:
            # Each gets at least half, and what the other leaves.
            call = max(room // 2, room - outcome)
            outcome = max(room - call, room - width(self.text(call)))
        return self.text(call if self.outcome else columns), shortened(self.outcome, max(outcome, 1))


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
        return f"{times(self.times)} more: {', '.join(self.cycle)}"


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
    order = _order(conversation.steps, entries, [(source, target) for source, target, _ in arrows])
    for place, (step, is_end) in enumerate(order):
        if is_end:
            entries[step].ends = place
        else:
            entries[step].begins = place
    layout = Layout(conversation, entries, order, arrows, [], [], [], {})
    _fold(layout)
    return layout


# --- Calls ---


def _entries(conversation: Conversation) -> list[Entry]:
    # An accept is a call on the socket that listens, and belongs to the connection that it made.
    made = {each.target.index: each.source.connection for each in conversation.arrows if each.kind == "connect"}
    return [_entry(step, made.get(step.index) or step.connection) for step in conversation.steps]


def _entry(step: Step, connection: Connection | None) -> Entry:
    call = step.call
    sign, outcome = _outcome(step)
    number = None if connection is None else connection.index
    return Entry(step.lane.index, number, legible(call.call), legible(brief(call.arguments)), legible(outcome), sign)


def _outcome(step: Step) -> tuple[str, str]:
    call = step.call
    if step.closed_by == "finalizer":
        return "unclosed", "nobody closed it"
    if call.unfinished:
        return "unfinished", "has not ended"
    if call.error is None:
        return "", "" if call.result is None or call.result == "None" else brief(call.result)
    if call.errno in _NOT_YET and call.error.startswith("BlockingIOError"):
        return "later", "not yet"
    return "error", _ERRNO.sub("", call.error)


# --- Order ---


def _order(steps: list[Step], entries: list[Entry], arrows: Iterable[tuple[int, int]]) -> list[tuple[int, bool]]:
    """All points by time, but that an arrow's end comes after its beginning. In a circle, where that cannot be, time decides."""
    lanes: defaultdict[int, list[tuple[int, bool, int]]] = defaultdict(list)
    for place, step in enumerate(steps):
        lane = lanes[entries[place].lane]
        lane.append((step.call.t, False, place))
        lane.append((step.call.t + step.call.took, True, place))
    for lane in lanes.values():
        lane.sort(key=_earlier)
    return _Merge(list(lanes.values()), arrows).all()


def _earlier(point: tuple[int, bool, int]) -> tuple[int, int, bool]:
    # Of two points at one time, that of the call that began first: a call that took no time ends before the next begins.
    time, is_end, step = point
    return time, step, is_end


class _Merge:
    """Merges lanes, each in its order, by time; a lane whose next point must come after another lane's waits for it."""

    def __init__(self, lanes: list[list[tuple[int, bool, int]]], arrows: Iterable[tuple[int, int]]) -> None:
        self.lanes = lanes
        self.next = [0] * len(lanes)
        self.sources: defaultdict[int, list[int]] = defaultdict(list)
        for source, target in arrows:
            self.sources[target].append(source)
        self.begun: set[int] = set()
        self.parked: defaultdict[int, list[int]] = defaultdict(list)
        self.waiting: list[tuple[int, int]] = []
        self.ready: list[tuple[int, int]] = []

    def all(self) -> list[tuple[int, bool]]:
        order = []
        for lane in range(len(self.lanes)):
            self.ready.append((self.lanes[lane][0][0], lane))
        heapq.heapify(self.ready)
        while lane_and_force := self.pop():
            lane, force = lane_and_force
            _, is_end, step = self.lanes[lane][self.next[lane]]
            if is_end and not force and self.park(lane, step):
                continue
            order.append((step, is_end))
            self.advance(lane)
            if not is_end:
                self.begun.add(step)
                for parked in self.parked.pop(step, ()):
                    self.push(parked)
        return order

    def pop(self) -> tuple[int, bool] | None:
        if self.ready:
            return heapq.heappop(self.ready)[1], False
        if self.parked:
            # The lanes wait for each other. The earliest goes on.
            step, lanes = min(self.parked.items(), key=lambda each: self.time(each[1][0]))
            lane = lanes.pop(0)
            if not lanes:
                del self.parked[step]
            return lane, True
        return None

    def park(self, lane: int, step: int) -> bool:
        for source in self.sources.get(step, ()):
            if source not in self.begun:
                self.parked[source].append(lane)
                return True
        return False

    def time(self, lane: int) -> int:
        return self.lanes[lane][self.next[lane]][0]

    def push(self, lane: int) -> None:
        heapq.heappush(self.ready, (self.time(lane), lane))

    def advance(self, lane: int) -> None:
        self.next[lane] += 1
        if self.next[lane] < len(self.lanes[lane]):
            self.push(lane)


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
    return entry.call, entry.outcome if entry.sign else ""


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
    opened = f"; it was opened at {it.opened}" if it and it.opened else ""
    return legible(f"{record.process.program}: {number} was never closed{opened}")


# --- Rows ---


@dataclass(slots=True)
class Item:
    """What is drawn: a call, or a fold. `row` is where it stands, `last` where a call that waited ends."""

    lane: int
    calls: list[int]
    fold: Fold | None = None
    begins: int = 0
    ends: int = 0
    row: int = 0
    last: int = 0

    def spans(self) -> bool:
        return self.last > self.row


@dataclass(slots=True)
class Link:
    """An arrow between two items, for as many arrows as there are between their calls; `back` for those the other way."""

    source: int
    target: int
    kind: str
    count: int = 0
    bytes: int = 0
    back: Link | None = None


@dataclass(slots=True)
class Plan:
    """Items in rows. `times` has for each row the time of its first point."""

    items: list[Item]
    links: list[Link]
    times: list[int]


def plan(layout: Layout, share: bool, lanes: set[int]) -> Plan:
    """Put what is in these lanes in rows, all folds closed. With `share`, an arrow that can be level has its ends in one row."""
    items, item_of = _items(layout, lanes)
    links = _links(layout, items, item_of)
    return _Rows(layout, items, links, share).plan()


def _items(layout: Layout, lanes: set[int]) -> tuple[list[Item], dict[int, int]]:
    items: list[Item] = []
    item_of: dict[int, int] = {}
    for fold in _closed(layout):
        if fold.lane not in lanes:
            continue
        for call in fold.calls:
            item_of[call] = len(items)
        items.append(Item(fold.lane, fold.calls, fold))
    for call, entry in enumerate(layout.entries):
        if call not in item_of and entry.lane in lanes:
            item_of[call] = len(items)
            items.append(Item(entry.lane, [call]))
    return items, item_of


def _closed(layout: Layout) -> Iterable[Fold]:
    yield from layout.alike
    hidden = {each for group in layout.groups for each in group[1:]}
    yield from (fold for fold in layout.cycles if fold.connection not in hidden)


def _links(layout: Layout, items: list[Item], item_of: dict[int, int]) -> list[Link]:
    links: dict[tuple[int, int, str], Link] = {}
    for source, target, arrow in layout.arrows:
        if source not in item_of or target not in item_of or item_of[source] == item_of[target]:
            continue
        key = item_of[source], item_of[target], arrow.kind
        link = links.setdefault(key, Link(*key))
        link.count += 1
        link.bytes += arrow.last - arrow.first
    return list(_joined(links, items))


def _joined(links: dict[tuple[int, int, str], Link], items: list[Item]) -> Iterator[Link]:
    """The links, but that between two folds one is enough: for both directions, and of data if there is any."""
    taken = set()
    for (source, target, kind), link in links.items():
        if (source, target, kind) in taken:
            continue
        there, here = (source, target, "data"), (target, source, "data")
        if items[source].fold and items[target].fold and kind != "data" and (there in links or here in links):
            continue
        link.back = links.get((target, source, kind))
        taken.add((target, source, kind))
        yield link


class _Rows:
    """Gives each item its rows: one, or two if it waited and other things happened meanwhile."""

    def __init__(self, layout: Layout, items: list[Item], links: list[Link], share: bool) -> None:
        self.layout = layout
        self.items = items
        self.links = links
        self.share = share
        self.partners: defaultdict[int, set[int]] = defaultdict(set)
        for link in links:
            self.partners[link.target].add(link.source)
            if link.back or items[link.target].fold:
                self.partners[link.source].add(link.target)
        for item in items:
            item.begins, item.ends = self.points(item)
        self.anchors = sorted(self.anchor(item) for item in items)

    def points(self, item: Item) -> tuple[int, int]:
        entries = [self.layout.entries[call] for call in item.calls]
        if item.fold is None:
            return entries[0].begins, entries[0].ends
        # A fold stands where its first call is about something.
        place = entries[0].ends if entries[0].receives else entries[0].begins
        return place, place

    def anchor(self, item: Item) -> int:
        """The point that counts if the item has one row."""
        return item.ends if self.layout.entries[item.calls[0]].receives else item.begins

    def spans(self, item: Item, number: int) -> bool:
        call = self.layout.conversation.steps[item.calls[0]].call
        if item.fold is not None or not call.waited:
            return False
        between = bisect_left(self.anchors, item.ends) - bisect_right(self.anchors, item.begins)
        if not self.layout.entries[item.calls[0]].receives:
            # A call that sends often returns after the other side has received.
            between -= sum(
                item.begins < self.anchor(self.items[link.target]) < item.ends for link in self.links_from.get(number, ())
            )
        return between > 0

    def plan(self) -> Plan:
        points = []
        self.links_from: defaultdict[int, list[Link]] = defaultdict(list)
        for link in self.links:
            self.links_from[link.source].append(link)
        for number, item in enumerate(self.items):
            if self.spans(item, number):
                points += [(item.begins, number, False), (item.ends, number, True)]
            else:
                points.append((self.anchor(item), number, True))
        times: list[int] = []
        here: dict[int, int] = {}  # by lane: the item in the current row
        started = set()
        for point, number, is_end in sorted(points):
            item = self.items[number]
            if not (is_end and self.can_share(number, here)):
                times.append(self.time(point))
                here = {}
            here[item.lane] = number
            item.last = len(times) - 1
            if number not in started:
                started.add(number)
                item.row = item.last
        return Plan(self.items, self.links, times)

    def can_share(self, number: int, here: dict[int, int]) -> bool:
        return self.share and self.items[number].lane not in here and not self.partners[number].isdisjoint(here.values())

    def time(self, point: int) -> int:
        step, is_end = self.layout.order[point]
        call = self.layout.conversation.steps[step].call
        return call.t + call.took if is_end else call.t
