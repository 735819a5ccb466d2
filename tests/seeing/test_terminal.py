"""The diagram for a terminal: its lines are as wide as they may be, whatever is in the record, and show what happened."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oxisocket._seeing.cells import cut, harmless, width_of
from oxisocket._seeing.conversation import match
from oxisocket._seeing.terminal import draw
from records import SERVER, Recorded, busy, tutorial
from steps_taken import lines_executed

quick = settings(max_examples=60, deadline=None, database=None)


def diagram(*recorded: Recorded, width: int = 80, colour: bool = False) -> str:
    return draw(match([each.record() for each in recorded]), width, colour)


def test_tutorial() -> None:
    """The whole picture, as docs/seeing.md could show it."""
    assert diagram(*tutorial()).splitlines() == [
        "        server.py                           client.py",
        "    ms  process 100                         process 200",
        "        │                                   │",
        "  0.00  ├ [3] bind(('127.0.0.1', 5000))     │",
        "  0.01  ├ [3] listen()                      │",
        "  1.00  ├ [3] accept()                      │",
        " 19.00  ┊                                   ├ connect(('127.0.0.1', 5000))",
        "        ┊◀──────────── connect ─────────────┤",
        " 19.20  ├ → fd 4 for 127.0.0.1:41…  18.2 ms │",
        " 19.30  ├ [4] recv(1024)                    │",
        " 24.20  ┊                                   ├ sendall(b'Hello, world')",
        "        ┊◀──────────── 12 bytes ────────────┤",
        " 24.30  ├ → b'Hello, world'  5 ms           │",
        "        │                                   ├ recv(1024)",
        " 24.40  ├ [4] sendall(b'HELLO, WORLD')      ┊",
        "        ├──────────── 12 bytes ────────────▶┊",
        " 24.50  ├ [4] recv(1024)                    ┊",
        " 24.60  ┊                                   ├ → b'HELLO, WORLD'",
        " 30.40  ┊                                   ├ close()",
        "        ┊◀╌╌╌╌╌╌╌╌╌ end of stream ╌╌╌╌╌╌╌╌╌╌┤",
        " 30.50  ├ → b'' end of the stream  6 ms     │",
        " 30.60  ├ [4] close()                       │",
        " 30.70  ├ [3] close()                       │",
        "        ╵                                   ╵",
    ]


def test_colours_change_no_text() -> None:
    coloured = diagram(*tutorial(), colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == diagram(*tutorial())
    assert all(line.endswith("\x1b[0m") for line in coloured.splitlines() if "\x1b" in line)


def test_program_that_still_waits() -> None:
    recorded = Recorded()
    recorded.wait(1, "accept", at=1)
    recorded.call(None, "gethostname", at=2001, thread=100)
    lines = diagram(recorded).splitlines()
    assert any("├ accept()" in line for line in lines)
    assert any("┊" in line for line in lines)
    assert any("still waiting after 2 s" in line for line in lines)
    assert "⋮" in lines[-1]  # it has not ended


def test_error_is_whole() -> None:
    recorded = Recorded()
    recorded.call(
        1,
        "connect",
        "('127.0.0.1', 5000)",
        error="ConnectionRefusedError: [Errno 111] Connection refused",
        errno=111,
        address=SERVER,
    )
    text = diagram(recorded, Recorded("other.py", 2), width=70)
    assert "✗ ConnectionRefusedError:" in text
    assert "refused" in text
    assert "\x1b[0;31m✗" in diagram(recorded, colour=True)


def test_no_data_yet_is_no_error() -> None:
    recorded = Recorded()
    recorded.call(1, "recv", "9", error="BlockingIOError: [Errno 11] Resource temporarily unavailable", errno=11)
    assert "recv(9) → would block" in diagram(recorded)


def test_sockets_that_nobody_closed() -> None:
    recorded = Recorded()
    recorded.socket(1, opened="server.py:12")
    recorded.call(1, "listen")
    recorded.socket(2, opened="server.py:30")
    recorded.close(2, by="finalizer")
    recorded.exit(1)
    text = diagram(recorded)
    assert "! fd 3 was never closed, opened at server.py:12" in text
    assert "closed by the garbage collector → opened at server.py:30" in text


def test_notes_are_below() -> None:
    assert "The other end of 1 connection was not recorded" in diagram(tutorial()[1]).splitlines()[-2]


def test_repeated_calls_are_folded() -> None:
    recorded = Recorded()
    recorded.socket(1, type="SOCK_DGRAM", local=["127.0.0.1", 53])
    for _ in range(100):
        recorded.recv(1, b"x" * 10)
    text = diagram(recorded)
    assert "recv \N{MULTIPLICATION SIGN}100" in text
    assert "1,000 bytes in" in text


def test_busy_server_is_short() -> None:
    text = diagram(*busy(200, 25))
    assert len(text.splitlines()) < 40
    assert "accept \N{MULTIPLICATION SIGN}200" in text
    assert "recv, send \N{MULTIPLICATION SIGN}5,000" in text


def test_error_among_folded_calls_is_in_sight() -> None:
    recorded = Recorded()
    for number in range(200):
        failed: dict[str, Any] = {"error": "TimeoutError: timed out"} if number > 100 else {}
        recorded.call(1, "recv", **failed)
    assert "✗ TimeoutError: timed out" in diagram(recorded)


def test_calls_without_any_pattern_are_folded_too() -> None:
    recorded = Recorded()
    for number in range(5000):
        recorded.call(1, ("recv", "send")[number * number % 7 % 2])
    assert len(diagram(recorded).splitlines()) < 60


def test_middle_of_what_cannot_be_folded_is_left_out() -> None:
    recorded = Recorded()
    for number in range(5000):
        recorded.call(1, f"call{number}")
    lines = diagram(recorded).splitlines()
    assert len(lines) < 2500
    assert any("calls are left out here" in line for line in lines)
    assert any("call4999" in line for line in lines)


def test_many_lanes() -> None:
    """The texts are at the right, and what does not fit is one lane."""
    few = diagram(*tutorial(), *(Recorded(f"p{number}.py", number) for number in range(3)))
    assert "1 server.py  [3] bind(('127.0.0.1', 5000))" in few
    assert "◀─┤" in few
    many = diagram(*tutorial(), *(Recorded(f"p{number}.py", number) for number in range(200)))
    assert "193 others" in many
    assert max(map(len, many.splitlines())) <= 80


def test_lane_is_crossed() -> None:
    server, client = tutorial()
    assert "◀───" in diagram(server, Recorded("idle.py", 3), client, width=100)
    assert "┼" in diagram(server, Recorded("idle.py", 3), client, width=100)


def test_threads_that_talk_to_each_other() -> None:
    recorded = Recorded()
    recorded.socket(1, family="AF_UNIX", by="socketpair", twin=2)
    recorded.socket(2, family="AF_UNIX", by="socketpair", twin=1)
    recorded.send(1, b"to myself")
    recorded.recv(2, b"to myself")
    assert "↓ 9 bytes" in diagram(recorded)


def test_nothing() -> None:
    assert draw(match([]), 80, False) == "Nothing was recorded.\n"
    assert "server.py" in diagram(Recorded())


@pytest.mark.parametrize(
    "hostile", ["\x1b]0;title\x07", "a\nb", "\u202eevil", "\x9b31m", "\u2028", "e\u0301" * 9, "\u200d", "漢字" * 30, "👩‍💻" * 20]
)
@quick
@given(width=st.integers(40, 130), lanes=st.integers(1, 5))
def test_hostile_texts_break_nothing(hostile: str, width: int, lanes: int) -> None:
    programs = [Recorded(hostile + "1.py", 1), Recorded(hostile, 2), *(Recorded(hostile, 3 + number) for number in range(lanes))]
    for recorded in programs:
        recorded.thread(recorded.pid, hostile)
        recorded.socket(1, local=hostile, opened=hostile)
        recorded.call(1, "recv" + hostile, hostile, result=hostile, at=1)
        recorded.call(1, "send", hostile, error=hostile * 3, at=1)
        recorded.wait(1, "recv", hostile)
        recorded.exit()
    text = diagram(*programs, width=width)
    for line in text.split("\n"):
        assert line.isprintable()
        assert width_of(line) <= width


@quick
@given(st.text(), st.integers(0, 20))
def test_cut(text: str, width: int) -> None:
    short = cut(harmless(text), width)
    assert width_of(short) <= width
    assert short.isprintable()
    if width_of(harmless(text)) <= width:
        assert short == harmless(text)


def test_a_large_conversation_is_drawn_by_steps_in_proportion() -> None:
    """No loop in a loop: ten times the calls take some ten times the steps."""

    def steps(rounds: int) -> int:
        found = match([each.record() for each in busy(20, rounds)])
        return lines_executed(lambda: draw(found, 80, False))

    assert steps(100) < 15 * steps(10)
