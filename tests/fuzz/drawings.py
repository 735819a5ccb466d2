"""What must hold of all that is made from records, whatever is in them."""

from __future__ import annotations

import io
import json
import re
import sys
import xml.parsers.expat
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "parts"))
from captures import read_capture
from oxisocket._seeing import chrome, html, mermaid, pcapng, svg, terminal
from oxisocket._seeing.conversation import Conversation, match
from oxisocket._seeing.record import Record, RecordError, read
from oxisocket._seeing.wire import connections

# A record may claim 16 GiB in a call, and then has as many packets, which takes seconds each time.
connections._MOST_BYTES = 2**24

ELEMENTS = {"svg", "title", "desc", "style", "defs", "pattern", "rect", "path", "circle", "text", "tspan"}


def records_in(parts: list[list[bytes]]) -> list[Record]:
    """The records among these texts. What is none is refused by a RecordError and nothing else, which tells of it in one line."""
    records = []
    for number, lines in enumerate(parts):
        try:
            record = read(lines, f"{number}.jsonl")
        except RecordError as error:
            assert str(error) and "\n" not in str(error), repr(error)
            continue
        complete(record)
        records.append(record)
    return records


def complete(record: Record) -> None:
    """What the types of a record promise."""
    assert all(one.t <= other.t for one, other in zip(record.calls, record.calls[1:], strict=False))
    for call in record.calls:
        assert call.thread in record.threads
        assert all(number in record.sockets for number in call.new)
        assert call.socket is None or call.socket in record.sockets
        assert min(call.t, call.took, call.waited, call.received, call.sent, call.peeked, call.rights) >= 0
    for number, socket in record.sockets.items():
        assert socket.number == number
        f"{socket}".encode()


def check(parts: list[list[bytes]], names: tuple[str, ...] = ()) -> list[Record]:
    """Make everything of a case, or the named forms of it, and look at it. Return its records."""
    records = records_in(parts)
    conversation = match(records)
    consistent(conversation)
    for name, form in FORMS.items():
        if not names or name in names:
            form(records, conversation)
    return records


def consistent(conversation: Conversation) -> None:
    assert [step.index for step in conversation.steps] == list(range(len(conversation.steps)))
    for arrow in conversation.arrows:
        assert 0 <= arrow.first <= arrow.last
        assert conversation.steps[arrow.source.index] is arrow.source and conversation.steps[arrow.target.index] is arrow.target


def as_svg(records: list[Record], conversation: Conversation) -> None:
    picture = svg.draw(conversation)
    parser = xml.parsers.expat.ParserCreate()

    def begin(name: str, attributes: dict[str, str]) -> None:
        assert name in ELEMENTS, name
        assert not any(each.startswith("on") or "href" in each for each in attributes), attributes

    parser.StartElementHandler = begin
    parser.Parse(picture.encode(), True)


class Tags(HTMLParser):
    """The tags of a page, with their attributes, and the text of its data."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.data = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == ("script", [("type", "application/json"), ("id", "data")]) and not self.data:
            self.data = data


PLAIN = Tags(html.page(match([])))


def as_html(records: list[Record], conversation: Conversation) -> None:
    page = html.page(conversation)
    page.encode()
    tags = Tags(page)
    assert tags.tags == PLAIN.tags
    json.loads(tags.data)


MERMAID = re.compile(
    r"sequenceDiagram\n(?:    (?:participant L\d+ as [^\n;]*(?:#\d+;[^\n;]*)*|note over L\d+: .*|L\d+(?:->>|--\)|--x|-\))L\d+: .*|%% .*)\n)*"
)
ENTITY = re.compile(r"#\d+;")


def as_mermaid(records: list[Record], conversation: Conversation) -> None:
    text = mermaid.draw(conversation)
    text.encode()
    assert MERMAID.fullmatch(text), text
    assert all(character.isprintable() for character in text.replace("\n", ""))
    for line in text.splitlines()[1:]:
        assert ";" not in ENTITY.sub("", line) and "#" not in ENTITY.sub("", line), line


SGR = re.compile(r"\x1b\[[0-9;]*m")


def as_text(records: list[Record], conversation: Conversation) -> None:
    for width, colour in ((100, False), (40, True)):
        text = terminal.draw(conversation, width, colour)
        text.encode()
        bare = SGR.sub("", text) if colour else text
        assert all(character.isprintable() for character in bare.replace("\n", "")), ascii(bare)


def as_chrome(records: list[Record], conversation: Conversation) -> None:
    text = chrome.trace(records)
    text.encode()
    whole = json.loads(text, parse_constant=refuse)
    for event in whole["traceEvents"]:
        assert event["ts"] >= 0 and event.get("dur", 0) >= 0, event
        assert isinstance(event["pid"], int) and isinstance(event["tid"], int)


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def as_packets(records: list[Record], conversation: Conversation) -> None:
    file = io.BytesIO()
    pcapng.write(records, file)
    read_capture(file.getvalue())


FORMS: dict[str, Callable[[list[Record], Conversation], None]] = {
    "svg": as_svg,
    "html": as_html,
    "mermaid": as_mermaid,
    "terminal": as_text,
    "chrome": as_chrome,
    "pcapng": as_packets,
}
