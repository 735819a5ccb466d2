"""What calls are in words."""

from __future__ import annotations

from typing import Any

import pytest
from oxisocket._seeing.conversation import match
from oxisocket._seeing.words import brief, call, outcome, short
from records import Recorded


def test_a_path_is_shown_by_its_last_part() -> None:
    assert [short(each) for each in ("/home/me/server.py:8", "server.py", "-m http.server", "/", "")] == [
        *("server.py:8", "server.py", "-m http.server", "/", ""),
    ]


def test_a_socket_is_shown_by_its_descriptor() -> None:
    assert brief("<socket fd=3>") == "fd 3"
    assert brief("(<oxisocket.socket fd=5, family=2>, <socket.socket fd=6>)") == "(fd 5, fd 6)"
    assert brief("b'no <socket'") == "b'no <socket'"


@pytest.mark.parametrize(
    ("facts", "address", "expected"),
    [
        ({"peer": ["127.0.0.1", 41234]}, None, "fd 4 for 127.0.0.1:41234"),
        ({"peer": ["127.0.0.1", 41234]}, ["127.0.0.1", 5], "fd 4 for 127.0.0.1:5"),
        ({"family": "AF_UNIX", "peer": ""}, None, "fd 4"),
        ({}, None, "fd 4"),
    ],
)
def test_an_accept_tells_for_whom(facts: dict[str, Any], address: list[Any] | None, expected: str) -> None:
    server = Recorded("/srv/server.py", 100)
    server.socket(1, at=1, listening=True)
    server.socket(2, at=2, by="accept", of=1, **facts)
    extra = {} if address is None else {"address": address}
    server.call(1, "accept", "", at=1, took=1, result="(<socket fd=4>, ('127.0.0.1', 41234))", new=[2], **extra)
    conversation = match([server.record()])
    (step,) = [each for each in conversation.steps if each.call.call == "accept"]
    assert (call(step), outcome(step, conversation.records[0])) == ("accept()", expected)
