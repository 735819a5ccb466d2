"""The conversation as a Mermaid sequence diagram, which GitHub draws in a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from . import words
from .conversation import Conversation
from .folding import Group, fold
from .rows import Moment, Passage, in_order
from .steps import Lane, Step

# GitHub draws no diagram of more than 50,000 characters, and with more lines than this nobody reads it.
MOST = 400
LONGEST = 60

# What Mermaid reads as its own, in any place. An entity is written `#35;`.
PLAIN = frozenset(" ()[].,:/_-+=?!")


def draw(conversation: Conversation) -> str:
    """The text of a `.mmd` file, or of a block ```` ```mermaid ```` in Markdown."""
    lines = list(_lines(conversation))
    return "sequenceDiagram\n" + "".join(f"    {line}\n" for line in lines)


def _lines(conversation: Conversation) -> Iterator[str]:
    for lane in conversation.lanes:
        name = f"{words.short(lane.program)} ({lane.pid}" + (f", {lane.name})" if lane.name else ")")
        yield f"participant L{lane.index} as {escaped(name)}"
    groups = fold(conversation)
    for count, item in enumerate(in_order(conversation, groups)):
        if count == MOST:
            yield f"note over L0: {escaped('the rest is left out: too long for this kind of diagram')}"
            break
        yield from _passage(item) if isinstance(item, Passage) else _moment(conversation, item)
    yield from _unclosed(conversation)
    for note in conversation.notes:
        yield f"%% {escaped(note, 400)}"


def _moment(conversation: Conversation, moment: Moment) -> Iterator[str]:
    step = moment.group.steps[0]
    text = _text(conversation, moment.group) if moment.part == "whole" else ""
    if moment.part == "begin":
        text = f"{words.call(step)} …"
    elif moment.part == "end":
        answer = _answer(conversation, step) or "→"
        text = f"{answer} after {words.duration(step.call.took)}" if not step.call.unfinished else answer
    yield f"note over L{moment.group.lane.index}: {escaped(text)}"


def _text(conversation: Conversation, group: Group) -> str:
    step = group.steps[0]
    if len(group.steps) > 1:
        failed = next((each.call.error for each in group.steps if each.call.error and not words.would_block(each)), None)
        text = f"{words.repeated(group.steps, group.period)} → {words.traffic(group.steps)}"
        return f"{text} ✗ {failed}" if failed else text
    return f"{words.call(step)} {_answer(conversation, step)}".strip()


def _answer(conversation: Conversation, step: Step) -> str:
    tail = words.outcome(step, conversation.records[step.lane.record])
    failed = step.call.error is not None and not words.would_block(step)
    return f"{'✗' if failed else '→'} {tail}" if tail else ""


def _passage(passage: Passage) -> Iterator[str]:
    kind = passage.arrows[0].kind
    stroke = {"end": "--)", "refused": "--x", "datagram": "-)"}.get(kind, "->>")
    ends = f"L{passage.source.lane.index}{stroke}L{passage.target.lane.index}"
    yield f"{ends}: {escaped(words.label(passage.arrows))}"


def _unclosed(conversation: Conversation) -> Iterator[str]:
    lane_of: dict[object, Lane] = {step.end: step.lane for step in conversation.steps}
    for end in conversation.unclosed[:8]:
        socket = conversation.records[end.record].sockets[end.socket]
        lane = lane_of.get(end)
        if socket.closed is None and lane is not None:
            opened = f", opened at {words.short(socket.opened)}" if socket.opened else ""
            yield f"note over L{lane.index}: {escaped(f'⚠ fd {socket.fd} was never closed{opened}')}"


def escaped(text: str, longest: int = LONGEST) -> str:
    """A text that Mermaid shows as it is, cut after so many characters. What it may read as its own becomes an entity."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    found = "".join(_escaped(character) for character in text)
    # Mermaid takes this for a wish, where a text begins with it.
    return found.replace("wrap:", "wrap#58;") if found.startswith(("wrap:", "nowrap:")) else found


def _escaped(character: str) -> str:
    if character in PLAIN or (character.isascii() and character.isalnum()):
        return character
    if not character.isprintable():
        character = "\N{REPLACEMENT CHARACTER}"
    return character if not character.isascii() else f"#{ord(character)};"
