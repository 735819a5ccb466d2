"""The Mermaid diagram: what it shows, and that no text of a record is read as Mermaid's own."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from oxisocket._seeing.conversation import match
from oxisocket._seeing.mermaid import draw, escaped
from records import Recorded, busy, tutorial

quick = settings(max_examples=60, deadline=None, database=None)

# Every line is one of these, and its text has nothing but letters, entities and what means nothing to Mermaid.
LINE = re.compile(
    r"""[ ]{4}(participant\ L\d+\ as\ |note\ over\ L\d+:\ |L\d+(->>|--\)|--x|-\))L\d+:\ |%%\ )
        ([\w\ ()\[\].,:/_\-+=?!…→✗⚠µ]|[^\x00-\x7f]|\#\d+;)+""",
    re.VERBOSE,
)


def diagram(*recorded: Recorded) -> str:
    return draw(match([each.record() for each in recorded]))


def test_tutorial() -> None:
    lines = diagram(*tutorial()).splitlines()
    assert lines[:3] == ["sequenceDiagram", "    participant L0 as server.py (100)", "    participant L1 as client.py (200)"]
    assert [line.strip() for line in lines if "L1->>" in line or "L0->>" in line or "--)" in line] == [
        "L1->>L0: connect",
        "L1->>L0: 12 bytes",
        "L0->>L1: 12 bytes",
        "L1--)L0: end of stream",
    ]
    assert "    note over L1: sendall(b#39;Hello, world#39;)" in lines
    assert all(LINE.fullmatch(line) for line in lines[1:])


def test_unclosed_and_refused() -> None:
    recorded = Recorded()
    recorded.socket(1, opened="a.py:3")
    recorded.call(1, "connect", error="ConnectionRefusedError: [Errno 111] Connection refused", errno=111)
    recorded.exit()
    text = diagram(recorded)
    assert "✗ ConnectionRefusedError" in text
    assert "⚠ fd 3 was never closed, opened at a.py:3" in text


def test_busy_server_is_short_enough_for_github() -> None:
    text = diagram(*busy(200, 25))
    assert "recv, send \N{MULTIPLICATION SIGN}5,000" in text
    recorded = Recorded()
    for number in range(5000):
        recorded.call(1, f"call{number}")
    long = diagram(recorded)
    assert len(long) < 50_000
    assert "the rest is left out" in long


@quick
@given(st.text(), st.text(), st.text())
def test_no_text_is_read_as_mermaids_own(name: str, arguments: str, error: str) -> None:
    recorded = Recorded(name or "end")
    recorded.thread(100, name)
    recorded.call(1, "recv", arguments, error=error)
    lines = diagram(recorded).split("\n")
    assert lines.pop() == ""
    assert all(LINE.fullmatch(line) for line in lines[1:])


def test_escaped() -> None:
    assert escaped('a;b#c\n"<end>%%{') == "a#59;b#35;c\N{REPLACEMENT CHARACTER}#34;#60;end#62;#37;#37;#123;"
    assert escaped("nowrap: x") == "nowrap#58; x"
    assert escaped("x" * 100) == "x" * 59 + "…"
