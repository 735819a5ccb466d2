"""The rows of a picture in which time is an order: what is drawn, where it stands, and what joins it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .layout import Fold, Layout


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
            if bool(items[link.source].fold) == bool(items[link.target].fold):
                self.partners[link.target].add(link.source)
            if items[link.source].fold and items[link.target].fold:
                self.partners[link.source].add(link.target)
        for item in items:
            item.begins, item.ends = self.points(item)
        self.join_folds()
        self.anchors = sorted(self.anchor(item) for item in items)

    def points(self, item: Item) -> tuple[int, int]:
        entries = [self.layout.entries[call] for call in item.calls]
        if item.fold is None:
            return entries[0].begins, entries[0].ends
        # A fold stands where its first call is about something.
        place = entries[0].ends if entries[0].receives else entries[0].begins
        return place, place

    def join_folds(self) -> None:
        """Put two folds that belong together at one point, if the calls of the earlier one go on until then."""
        for link in self.links:
            early, late = sorted((self.items[link.source], self.items[link.target]), key=lambda item: item.begins)
            if early.fold and late.fold and late.begins < self.layout.entries[early.calls[-1]].ends:
                early.begins = early.ends = late.begins

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
            if not (is_end and self.can_share(number, here, len(times) - 1)):
                times.append(self.time(point))
                here = {}
            here[item.lane] = number
            item.last = len(times) - 1
            if number not in started:
                started.add(number)
                item.row = item.last
        return Plan(self.items, self.links, times)

    def can_share(self, number: int, here: dict[int, int], row: int) -> bool:
        """Whether an arrow to or from what is in this row would be level."""
        if not self.share or self.items[number].lane in here:
            return False
        return any(self.items[other].row == row for other in self.partners[number].intersection(here.values()))

    def time(self, point: int) -> int:
        step, is_end = self.layout.order[point]
        call = self.layout.conversation.steps[step].call
        return call.t + call.took if is_end else call.t
