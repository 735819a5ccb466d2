"""The order in which a diagram in text shows calls and arrows, from top to bottom."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from .conversation import Conversation
from .folding import Group
from .steps import Arrow

# A call that waited less is one row, unless it waited for something that is in the picture.
SHORT = 1_000_000

# An arrow so many rows below its source is seen as coming from there.
NEAR = 3

if TYPE_CHECKING:
    _Part: TypeAlias = Literal["whole", "begin", "end"]


@dataclass(slots=True, eq=False)
class Moment:
    """A call, or its beginning or end where it waited and something else happened meanwhile."""

    time: int
    group: Group
    part: _Part


@dataclass(slots=True, eq=False)
class Passage:
    """All that went from one group to another, of one kind; at least one arrow."""

    source: Group
    target: Group
    arrows: list[Arrow]
    late: bool = False
    """Whether there are many rows between what was sent and the arrow."""


def in_order(conversation: Conversation, groups: list[Group]) -> Iterator[Moment | Passage]:
    """What to show, row by row."""
    group_of = {step: group for group in groups for step in group.steps}
    passages: dict[tuple[Group, Group, str], Passage] = {}
    first_source: dict[Group, int] = {}
    for arrow in conversation.arrows:
        source, target = group_of.get(arrow.source), group_of.get(arrow.target)
        if source is None or target is None:
            continue
        first_source[target] = min(first_source.get(target, arrow.source.began), arrow.source.began)
        if source is not target:
            passages.setdefault((source, target, arrow.kind), Passage(source, target, [])).arrows.append(arrow)
    moments = _moments(groups, first_source)
    yield from _with_passages(moments, list(passages.values()))


def _moments(groups: list[Group], first_source: dict[Group, int]) -> list[Moment]:
    times = sorted(time for group in groups for time in (group.began, group.steps[-1].ended))
    # At one time: what ends comes first, what still waits last, and a receive after its send.
    moments: list[tuple[int, int, int, Moment]] = []

    def add(time: int, rank: int, group: Group, part: _Part) -> None:
        moments.append((time, rank, group.steps[0].index, Moment(time, group, part)))

    for group in groups:
        step = group.steps[0]
        source = first_source.get(group)
        if len(group.steps) > 1:
            add(group.began, 1, group, "whole")
        elif step.call.unfinished or _is_wide(step.began, step.ended, step.call.waited, source, times):
            add(step.began, 1, group, "begin")
            add(step.ended, 3 if step.call.unfinished else 0, group, "end")
        else:
            add(step.began if source is None else step.ended, 1 if source is None else 2, group, "whole")
    moments.sort(key=lambda each: each[:3])
    return [each[3] for each in moments]


def _is_wide(began: int, ended: int, waited: int, source: int | None, times: list[int]) -> bool:
    """Whether a call waited while something else happened, so that its end is a row of its own."""
    if not waited or (waited < SHORT and (source is None or source <= began)):
        return False
    return bisect_left(times, ended) > bisect_right(times, began)


def _with_passages(moments: list[Moment], passages: list[Passage]) -> Iterator[Moment | Passage]:
    begins = {moment.group: at for at, moment in enumerate(moments) if moment.part != "end"}
    ends = {moment.group: at for at, moment in enumerate(moments) if moment.part != "begin"}
    before: dict[int, list[Passage]] = {}
    after: dict[int, list[Passage]] = {}
    for passage in passages:
        sent, waits, got = begins[passage.source], begins[passage.target], ends[passage.target]
        if sent < waits or waits == got > sent:
            before.setdefault(got, []).append(passage)
            passage.late = got - sent > NEAR
        else:
            # The target waits for it, or its clock is behind.
            after.setdefault(sent, []).append(passage)
    for at, moment in enumerate(moments):
        yield from before.get(at, ())
        yield moment
        yield from after.get(at, ())
