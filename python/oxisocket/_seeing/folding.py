"""Folds calls that a program makes again and again, so that a long conversation can be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .conversation import Conversation
from .steps import Lane, Step

# So many steps are shown one by one.
PLAIN = 80
# A pattern has at most so many calls, and comes at least so many times.
LONGEST = 6
FEWEST = 3
# With more groups than this, calls are folded in any order, as long as they are of few kinds.
MANY = 200
KINDS = 3


@dataclass(slots=True, eq=False)
class Group:
    """Steps of one lane that are shown as one: mostly a single step.

    `period` is the length of the pattern that repeats, 0 if the steps come in any order.
    """

    lane: Lane
    steps: list[Step]
    period: int = 1

    @property
    def began(self) -> int:
        """When the first one began."""
        return self.steps[0].began


def fold(conversation: Conversation) -> list[Group]:
    """All steps in groups, in the order in which they begin."""
    if len(conversation.steps) <= PLAIN:
        return [Group(step.lane, [step]) for step in conversation.steps]
    lanes: dict[Lane, list[Step]] = {}
    for step in conversation.steps:
        lanes.setdefault(step.lane, []).append(step)
    groups = [group for lane, steps in lanes.items() for group in _patterns(lane, steps)]
    if len(groups) > MANY:
        groups = [group for lane, steps in lanes.items() for group in _mixtures(lane, steps)]
    return sorted(groups, key=lambda group: group.steps[0].index)


def _kind(step: Step) -> tuple[str, ...]:
    """Steps of one kind can be folded. One that has not ended is like no other."""
    call = step.call
    error = (call.error or "").partition(":")[0]
    return (call.call, error, step.closed_by or "", str(step.index) if call.unfinished else "")


def _patterns(lane: Lane, steps: list[Step]) -> Iterator[Group]:
    kinds = [_kind(step) for step in steps]
    at = 0
    while at < len(steps):
        covered, period = max((_covered(kinds, at, period), -period) for period in range(1, LONGEST + 1))
        covered, period = (covered, -period) if covered else (1, 1)
        yield Group(lane, steps[at : at + covered], period)
        at += covered


def _covered(kinds: list[tuple[str, ...]], at: int, period: int) -> int:
    """How many steps a pattern that begins here covers; 0 if it does not come often enough."""
    end = at + period
    while end < len(kinds) and kinds[end] == kinds[end - period]:
        end += 1
    times = (end - at) // period
    return times * period if times >= FEWEST else 0


def _mixtures(lane: Lane, steps: list[Step]) -> Iterator[Group]:
    begin = 0
    kinds: set[tuple[str, ...]] = set()
    for at, step in enumerate(steps):
        kind = _kind(step)
        if len(kinds | {kind}) > KINDS or step.call.unfinished:
            yield from _mixture(lane, steps[begin:at])
            begin, kinds = at, set()
        kinds.add(kind)
    yield from _mixture(lane, steps[begin:])


def _mixture(lane: Lane, steps: list[Step]) -> Iterator[Group]:
    if len(steps) == 1:
        yield Group(lane, steps)
    elif steps:
        yield Group(lane, steps, 0)
