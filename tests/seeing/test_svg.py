"""The picture of a conversation: it is well formed, complete, and takes nothing from anywhere."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oxisocket._seeing.cells import cut, harmless
from oxisocket._seeing.conversation import Conversation
from oxisocket._seeing.svg import draw
from talks import Talk, crowd, echo, hostile, pair, tutorial

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "desc", "style", "defs", "pattern", "rect", "path", "circle", "text", "tspan"}


def nobody() -> Conversation:
    return Talk().done()


def alone() -> Conversation:
    talk = Talk()
    talk.call(talk.program("lonely.py"), "getaddrinfo", "'example.org', 80", "[]")
    return talk.done()


def many_lanes() -> Conversation:
    talk = Talk()
    for each in range(40):
        talk.call(talk.program(f"{each}.py"), "gethostname", "", "'here'")
    return talk.done()


def endless() -> Conversation:
    """Calls in which nothing repeats."""
    talk = Talk()
    lane = talk.program("busy.py")
    for each in range(3000):
        talk.call(lane, f"call{each}")
    return talk.done()


ALL = [
    nobody,
    alone,
    tutorial,
    many_lanes,
    endless,
    hostile,
    lambda: echo(300),
    lambda: crowd(30),
    lambda: crowd(3, 1, threads=True),
]


def drawn(conversation: Conversation) -> ET.Element:
    return ET.fromstring(draw(conversation))


def texts(picture: ET.Element) -> list[str]:
    return ["".join(each.itertext()) for each in picture.iter(f"{SVG}text")]


def classes(picture: ET.Element) -> Counter[str]:
    return Counter(name for each in picture.iter() for name in each.get("class", "").split())


@pytest.mark.parametrize("make", ALL)
def test_it_is_well_formed_and_has_only_what_it_may_have(make: object) -> None:
    assert callable(make)
    text = draw(make())
    picture = ET.fromstring(text)
    assert {each.tag.removeprefix(SVG) for each in picture.iter()} <= ALLOWED
    names = {name for each in picture.iter() for name in each.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name}
    style = picture.findtext(f"{SVG}style") or ""
    assert set(re.findall(r"url\(([^)]*)\)", text)) == set(re.findall(r"url\((#oxisocket-c[n0-9])\)", style))
    assert "@import" not in text
    assert not [each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs") and each != "\n"]


@pytest.mark.parametrize("make", ALL)
def test_everything_lies_inside(make: object) -> None:
    assert callable(make)
    picture = drawn(make())
    width, height = float(picture.get("width", 0)), float(picture.get("height", 0))
    for each in picture.iter(f"{SVG}text"):
        assert 0 <= float(each.get("x", -1)) <= width
        assert 0 <= float(each.get("y", -1)) <= height


def test_a_lane_for_each_program_with_its_calls() -> None:
    found = texts(drawn(tutorial()))
    assert {"server.py", "process 4000", "client.py", "process 4001"} <= set(found)
    assert "bind(('127.0.0.1', 5001))" in found
    assert "send(b'hello') → 5" in found
    assert "→ b'hello'" in found
    assert "→ fd 5 for 127.0.0.1:41234" in found


def test_arrows_from_connect_to_accept_from_send_to_recv_from_close_to_the_end() -> None:
    picture = drawn(tutorial())
    arrows = [
        each for each in picture.iter(f"{SVG}path") if "L" in each.get("d", "") and each.get("class", "").startswith("arrow c")
    ]
    assert len(arrows) == 6
    assert sum("dash" in each.get("class", "") for each in arrows) == 2
    levels = [re.findall(r"[ML][\d.]+ ([\d.]+)", each.get("d", "")) for each in arrows]
    assert all(begin == end for begin, end in levels), "in a talk by turns each arrow is level"
    assert [each for each in texts(picture) if each.endswith("bytes")] == ["5 bytes", "5 bytes", "14 bytes", "16 bytes"]


def test_a_lane_that_talks_to_itself_has_arrows_too() -> None:
    picture = drawn(pair())
    assert len([each for each in picture.iter(f"{SVG}path") if "C" in each.get("d", "")]) == 2


def test_waiting_is_hatched() -> None:
    assert classes(drawn(tutorial()))["c0h"] == 5
    assert "c0h" not in classes(drawn(alone()))


def test_errors_and_what_nobody_closed_have_a_sign_and_words() -> None:
    picture = drawn(echo(3))
    found = texts(picture)
    assert [each for each in picture.iter(f"{SVG}circle") if each.get("class") == "bad"]
    assert any("ConnectionResetError" in each for each in found)
    assert "server.py: descriptor 3 was never closed; it was opened at server.py:8" in found
    assert any("by the garbage collector" in each for each in found)
    assert any("still waiting after 2 s" in each for each in found)
    # A record without an end has a lane without one.
    assert classes(picture)["open"] == 1
    assert "client.jsonl: 12 bytes were sent by other means than a socket's calls." in found


def test_what_goes_well_has_no_sign() -> None:
    found = classes(drawn(alone()))
    assert not found.keys() & {"bad", "warn", "sign"}


def test_connections_are_told_apart() -> None:
    found = texts(drawn(crowd(3, 1, threads=True)))
    assert {"A send(b'question') → 8", "B send(b'question') → 8", "C send(b'question') → 8"} <= set(found)
    assert {"127.0.0.1:41000 → 127.0.0.1:5001", "A"} <= set(found)


def test_a_screen_reader_has_the_calls_in_order() -> None:
    picture = drawn(tutorial())
    assert picture.get("role") == "img"
    named = (picture.get("aria-labelledby") or "").split()
    title, description = (next(each for each in picture if each.get("id") == name) for name in named)
    assert title.text == "The socket calls of server.py and client.py"
    told = description.text or ""
    assert told.index("server.py: accept()") < told.index("client.py: send(b'hello') → 5") < told.index("client.py: close()")


def test_it_follows_the_readers_light() -> None:
    style = drawn(tutorial()).findtext(f"{SVG}style") or ""
    assert "@media (prefers-color-scheme:dark)" in style
    rules = re.findall(r"^(\.[^{]*)\{", style, re.MULTILINE)
    assert rules and all(selector.startswith(".oxisocket ") for rule in rules for selector in rule.split(",")), (
        "no rule for others"
    )


@pytest.mark.parametrize(
    "make", [lambda: crowd(200, 12), lambda: crowd(200, 12, threads=True), lambda: echo(3000), endless, many_lanes]
)
def test_what_is_long_stays_of_a_size_that_can_be_printed(make: object) -> None:
    assert callable(make)
    text = draw(make())
    picture = ET.fromstring(text)
    assert len(text) < 150_000
    assert float(picture.get("width", 0)) < 2000
    assert float(picture.get("height", 0)) < 10_000


def test_what_is_left_out_is_told() -> None:
    assert any("calls are left out here" in each for each in texts(drawn(endless())))
    assert any(each.startswith("16 lanes more") for each in texts(drawn(many_lanes())))


@settings(max_examples=100, deadline=None)
@given(st.text(), st.text(), st.one_of(st.none(), st.text()))
def test_any_text_can_be_drawn(name: str, arguments: str, result: str | None) -> None:
    talk = Talk()
    lane = talk.program(name)
    connection = talk.connection(None, None, arguments)
    talk.talk.notes.append(arguments)
    talk.call(lane, name, arguments, result, connection=connection)
    picture = drawn(talk.done())
    assert any(each.startswith(cut(harmless(name), 20).removesuffix("…")) for each in texts(picture))


def test_a_hostile_text_is_only_a_text() -> None:
    found = texts(drawn(hostile()))
    assert any(each.startswith("</script>") for each in found)
    assert any(r"\u202e\ud800\x00\x1b[31m" in each for each in found)
