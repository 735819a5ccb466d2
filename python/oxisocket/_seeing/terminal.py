"""The diagram of a conversation for a terminal, in box-drawing characters."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from . import words
from .cells import Piece, cut, harmless, row, width_of
from .conversation import Conversation
from .folding import Group, fold
from .rows import Moment, Passage, in_order
from .steps import Lane, Step

# A lane that has its text beside it is at least so wide. Where there are more lanes, all texts stand in one column at the right.
NARROWEST = 22
# What one lane takes then, and what the texts need.
TIGHT = 3
TEXT = 40

# With more groups than this, those in the middle are left out.
MOST = 500

LINES_OF_ERROR = 3
UNCLOSED_SHOWN = 3

Line = list[Piece]


def draw(conversation: Conversation, width: int, colour: bool) -> str:
    """The diagram, `width` cells wide, with colours (ECMA-48) if `colour`."""
    if not conversation.lanes:
        return "Nothing was recorded.\n"
    drawing = _Drawing(conversation, max(width, 40))
    return "".join(row(line, drawing.width, colour) + "\n" for line in drawing.lines())


class _Drawing:
    def __init__(self, conversation: Conversation, width: int) -> None:
        self.conversation = conversation
        self.width = width
        self.records = conversation.records
        steps = conversation.steps
        self.start = steps[0].began if steps else 0
        end = max((step.ended for step in steps), default=0)
        self.unit, self.factor, self.digits = ("ms", 1e6, 2) if end - self.start < 10e9 else ("s", 1e9, 3)
        self.margin = min(max(len(self.clock(end)), 6) + 2, 18)
        self.place_lanes()
        self.waiting: Counter[int] = Counter()
        self.last_clock = ""

    def place_lanes(self) -> None:
        """Give each lane a column. If there is no room for all of them, those with the fewest calls share the last one."""
        lanes = self.conversation.lanes
        self.wide = (self.width - self.margin) // len(lanes) >= NARROWEST
        room = len(lanes) if self.wide else max((self.width - self.margin - TEXT) // TIGHT, 3)
        shown = lanes
        if len(lanes) > room:
            calls = Counter(step.lane for step in self.conversation.steps)
            most = sorted(lanes, key=lambda lane: -calls[lane])[: room - 1]
            shown = sorted(most, key=lambda lane: lane.index)
        self.shown = shown
        column = {lane: at for at, lane in enumerate(shown)}
        self.column = {lane: column.get(lane, len(shown)) for lane in lanes}
        self.columns = len(set(self.column.values()))
        self.span = (self.width - self.margin) // self.columns if self.wide else TIGHT
        ends: dict[Lane, set[int | None]] = {}
        for step in self.conversation.steps:
            ends.setdefault(step.lane, set()).add(step.call.fd)
        self.several = {lane for lane, fds in ends.items() if len(fds - {None}) > 1}

    def x(self, column: int) -> int:
        return self.margin + column * self.span

    def text_at(self, column: int) -> int:
        return self.x(column if self.wide else self.columns - 1) + (2 if self.wide else TIGHT)

    def text_width(self, column: int) -> int:
        if not self.wide or column == self.columns - 1:
            return self.width - self.text_at(column)
        return self.x(column + 1) - self.text_at(column) - 1

    def clock(self, time: int) -> str:
        return f"{(time - self.start) / self.factor:,.{self.digits}f}"

    def lines(self) -> Iterator[Line]:
        yield from self.titles()
        groups, left_out = _without_middle(fold(self.conversation))
        for item in in_order(self.conversation, groups):
            if left_out and isinstance(item, Moment) and item.group is groups[MOST // 2]:
                yield from self.gap(left_out)
                left_out = 0
            yield from self.moment(item) if isinstance(item, Moment) else self.passage(item)
        yield from self.unclosed()
        yield self.feet()
        yield from self.notes()

    # What stands above and below.

    def titles(self) -> Iterator[Line]:
        if self.wide:
            names = [(harmless(words.short(lane.program)), self.lane_detail(lane)) for lane in self.shown]
            for at, style in ((0, "title"), (1, "quiet")):
                unit = [Piece(self.margin - 2 - len(self.unit), self.unit, "time")] if at else []
                yield unit + [Piece(self.x(column), cut(each[at], self.span - 1), style) for column, each in enumerate(names)]
        else:
            for lane in self.shown:
                yield [
                    Piece(
                        self.margin, cut(f"{self.lane_name(lane)}, {self.lane_detail(lane)}", self.width - self.margin), "title"
                    )
                ]
            if len(self.shown) < self.columns:
                others = len(self.conversation.lanes) - len(self.shown)
                yield [Piece(self.margin, f"{self.columns} and {others} others", "title")]
            numbers = [Piece(self.x(column), str(column + 1), "title") for column in range(self.columns)]
            yield [Piece(self.margin - 2 - len(self.unit), self.unit, "time"), *numbers]
        yield self.lifelines()

    def lane_detail(self, lane: Lane) -> str:
        return f"process {lane.pid}" + (f", {harmless(lane.name)}" if lane.name else "")

    def lane_name(self, lane: Lane) -> str:
        return f"{self.column[lane] + 1} {harmless(words.short(lane.program))}"

    def feet(self) -> Line:
        line = self.lifelines()
        for lane, column in self.column.items():
            if self.records[lane.record].ended:
                line.append(Piece(self.x(column), "╵", "lane"))
            else:
                line.append(Piece(self.x(column), "⋮", "lane"))
        return line

    def gap(self, count: int) -> Iterator[Line]:
        yield self.lifelines()
        yield [Piece(self.x(column), "⋮", "lane") for column in range(self.columns)] + [
            Piece(self.margin + 2, cut(f" {count:,} calls are left out here ", self.width - self.margin - 2), "warning")
        ]
        yield self.lifelines()

    def notes(self) -> Iterator[Line]:
        for note in self.conversation.notes:
            yield []
            for number, text in enumerate(textwrap.wrap(harmless(note), self.width - 4)):
                yield [Piece(0, "" if number else "!", "warning"), Piece(2, text, "quiet")]

    def unclosed(self) -> Iterator[Line]:
        lane_of = {step.end: step.lane for step in self.conversation.steps}
        first = {lane.record: lane for lane in reversed(self.conversation.lanes)}
        of_lane: dict[Lane, list[str]] = {}
        for end in self.conversation.unclosed:
            socket = self.records[end.record].sockets[end.socket]
            if socket.closed is None:
                opened = f", opened at {words.short(socket.opened)}" if socket.opened else ""
                of_lane.setdefault(lane_of.get(end, first[end.record]), []).append(f"! fd {socket.fd} was never closed{opened}")
        for lane, texts in of_lane.items():
            if len(texts) > UNCLOSED_SHOWN + 1:
                texts[UNCLOSED_SHOWN:] = [f"! and {len(texts) - UNCLOSED_SHOWN:,} more"]
            for text in texts:
                yield from self.beside(lane, _wrapped(harmless(text), self.text_width(self.column[lane])), "warning")

    # Rows.

    def lifelines(self) -> Line:
        return [Piece(self.x(column), "┊" if self.waiting[column] else "│", "lane") for column in range(self.columns)]

    def moment(self, moment: Moment) -> Iterator[Line]:
        lane = moment.group.lane
        column = self.column[lane]
        if moment.part == "end":
            if moment.group.steps[0].call.unfinished:
                yield self.lifelines()
            self.waiting[column] -= 1
        texts, style = self.texts(moment)
        lines = list(self.beside(lane, texts, style))
        lines[0].append(Piece(self.x(column), "├", "lane"))
        clock = self.clock(moment.time)
        if clock != self.last_clock:
            lines[0].append(Piece(0, cut(clock, self.margin - 2).rjust(self.margin - 2), "time"))
            self.last_clock = clock
        yield from lines
        if moment.part == "begin":
            self.waiting[column] += 1

    def beside(self, lane: Lane, texts: list[str], style: str) -> Iterator[Line]:
        column = self.column[lane]
        name = "" if self.wide else f"{self.lane_name(lane)}  "
        name = cut(name, 20)
        at, width = self.text_at(column), self.text_width(column)
        for text in texts:
            indent = 0 if self.wide else width_of(name)
            yield [*self.lifelines(), Piece(at, name, "quiet"), Piece(at + indent, cut(text, width - indent), style)]

    def texts(self, moment: Moment) -> tuple[list[str], str]:
        """What to write for it, and in which style."""
        group, width = moment.group, self.text_width(self.column[moment.group.lane]) - (0 if self.wide else 20)
        step = group.steps[0]
        failed = next((each.call.error for each in group.steps if each.call.error and not words.would_block(each)), None)
        style = "error" if failed else "warning" if step.closed_by == "finalizer" or step.call.unfinished else "call"
        if len(group.steps) > 1:
            head = self.descriptor(group.steps) + harmless(words.repeated(group.steps, group.period))
            why = [cut(f"✗ {harmless(failed)}", width)] if failed else []
            return [*_wrapped(head, width), *why, cut(f"→ {words.traffic(group.steps)}", width)], style
        head = self.descriptor(group.steps) + harmless(words.call(step))
        if moment.part == "begin":
            return [head], "call"
        tail = harmless(words.outcome(step, self.records[step.lane.record]))
        took = words.duration(step.call.took) if step.call.took >= 1_000_000 and not step.call.unfinished else ""
        if failed:
            marked = _wrapped(f"✗ {tail}" + (f"  {took}" if took else ""), width)
            return ([] if moment.part == "end" else [head]) + marked, style
        arrow = "→" if tail or moment.part == "end" else ""
        answer = _joined(f"{arrow} {tail}".strip(), took, width)
        if moment.part == "end":
            return [answer], style
        one = f"{head} {answer}" if answer else head
        return ([one] if width_of(one) <= width else [head, answer] if answer else [head]), style

    def descriptor(self, steps: list[Step]) -> str:
        """The descriptor, where the lane uses several."""
        fds = {step.call.fd for step in steps}
        fd = next(iter(fds))
        return f"[{fd}] " if len(fds) == 1 and fd is not None and steps[0].lane in self.several else ""

    def passage(self, passage: Passage) -> Iterator[Line]:
        kind = passage.arrows[0].kind
        source, target = self.column[passage.source.lane], self.column[passage.target.lane]
        text = words.label(passage.arrows)
        if passage.late:
            text += f" sent at {self.clock(passage.source.began)}"
        if kind == "refused":
            yield from self.beside(passage.target.lane, ["✗ the connection was refused"], "error")
            return
        if source == target:
            name = "" if source < len(self.shown) and self.shown[source] is passage.source.lane else "between these "
            yield from self.beside(passage.target.lane, [f"↓ {name}{text}"], kind)
            return
        line = self.lifelines()
        left, right = sorted((self.x(source), self.x(target)))
        stroke = "╌" if kind == "end" else "─"
        line.append(Piece(left + 1, stroke * (right - left - 1), kind))
        crossed = range(min(source, target) + 1, max(source, target))
        line += [Piece(self.x(column), "┼", kind) for column in crossed]
        line.append(Piece(self.x(source), "├" if source < target else "┤", kind))
        line.append(Piece(right - 1, "▶", kind) if source < target else Piece(left + 1, "◀", kind))
        if self.wide:
            text = cut(f" {text} ", self.span - 6)
            # Beside its arrowhead, whatever lanes it crosses.
            beside = right - self.span if source < target else left
            room = self.span - 2 - width_of(text)
            line.append(Piece(beside + 1 + (source > target) + room // 2, text, kind))
        else:
            line.append(Piece(self.text_at(0), text, kind))
        yield line


def _joined(answer: str, took: str, width: int) -> str:
    """An answer and how long it took; the answer is cut where there is no room for both."""
    if not took:
        return cut(answer, width)
    if not answer:
        return took
    return f"{cut(answer, width - len(took) - 2)}  {took}"


def _wrapped(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(text, max(width, 10)) or [""]
    if len(lines) > LINES_OF_ERROR:
        lines[LINES_OF_ERROR - 1 :] = [cut(" ".join(lines[LINES_OF_ERROR - 1 :]), width)]
    return lines


def _without_middle(groups: list[Group]) -> tuple[list[Group], int]:
    """The groups that are shown, and how many calls are left out between the first half of them and the second."""
    if len(groups) <= MOST:
        return groups, 0
    half = MOST // 2
    return groups[:half] + groups[-half:], sum(len(group.steps) for group in groups[half:-half])
