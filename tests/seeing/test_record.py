"""Records are read into the model, and whatever is in them, nothing but RecordError comes of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oxisocket._seeing.record import Call, RecordError, read
from records import BEGAN, CLIENT, MS, SERVER, Recorded, tutorial

quick = settings(max_examples=60, deadline=None, database=None)

PROCESS = {
    "event": "process",
    "t": 5,
    "format": 1,
    "pid": 7,
    "program": "p.py",
    "arguments": ["-v"],
    "python": "3.13",
    "oxisocket": "1",
    "bytes": 9,
}


def read_events(*events: Any) -> Any:
    return read([json.dumps(each) for each in events], "a.jsonl")


def a_call(**values: Any) -> Call:
    return read_events(PROCESS, {"event": "call", "t": 6, "thread": 1, "call": "recv", "took": 1, **values}).calls[0]


def test_process() -> None:
    process = read_events(PROCESS | {"parent": 3}).process
    assert asdict(process) == {
        "pid": 7, "parent": 3, "program": "p.py", "arguments": ["-v"], "python": "3.13", "oxisocket": "1", "bytes": 9, "began": 5,
    }  # fmt: skip


def test_file_and_lines_give_the_same(tmp_path: Path) -> None:
    server, _ = tutorial()
    from_file = read(server.write(tmp_path / "server.jsonl"))
    assert from_file.path == str(tmp_path / "server.jsonl")
    from_file.path = "by hand"
    assert from_file == server.record()
    assert read((line.encode() for line in server.lines), "by hand") == from_file


def test_calls_are_in_the_order_in_which_they_began() -> None:
    recorded = Recorded()
    recorded.call(None, "late", at=9)
    recorded.call(None, "early", at=3)
    recorded.wait(None, "never ended", at=6)
    assert [call.call for call in recorded.record().calls] == ["early", "never ended", "late"]


def test_all_values_of_a_call() -> None:
    recorded = Recorded()
    recorded.call(
        1, "recvmsg", "9", at=2, took=3, waited=1, thread=100, result="(…)", received=4, peeked=2, eof=True, data=b"ab\0\xff", rights=2, tls=True,
        address=SERVER, new=[5, 6], caller="a.py:3",
    )  # fmt: skip
    assert recorded.record().calls == [
        Call(
            t=BEGAN + 2 * MS, took=3 * MS, waited=MS, thread=100, socket=1, fd=3, call="recvmsg", arguments="9", result="(…)", received=4, peeked=2,
            eof=True, data=b"ab\0\xff", rights=2, tls=True, address=["127.0.0.1", 5000], new=[5, 6], caller="a.py:3",
        )
    ]  # fmt: skip
    failed = a_call(error="OSError: [Errno 9] Bad file descriptor", errno=9, out=3)
    assert (failed.error, failed.errno, failed.sent, failed.result) == ("OSError: [Errno 9] Bad file descriptor", 9, 3, None)


def test_last_state_of_a_socket_counts() -> None:
    server = tutorial()[0].record()
    listening, accepted = server.sockets[1], server.sockets[2]
    assert (listening.local, listening.listening, listening.opened, listening.by) == (SERVER, True, "server.py:3", "socket")
    assert (accepted.local, accepted.peer, accepted.of, accepted.cookie) == (SERVER, CLIENT, 1, "72")
    assert listening.began == BEGAN + MS


def test_close() -> None:
    recorded = Recorded()
    recorded.socket(1)
    recorded.socket(2)
    recorded.close(2, at=8, by="finalizer", caller="a.py:1", thread=100)
    record = recorded.record()
    assert (record.sockets[1].closed, record.sockets[1].closed_by) == (None, None)
    closed = record.sockets[2]
    assert (closed.closed, closed.closed_by, closed.closed_at, closed.closed_in) == (BEGAN + 8 * MS, "finalizer", "a.py:1", 100)


def test_wait_and_end_are_one_call() -> None:
    recorded = Recorded()
    recorded.wait(1, "recv", "9", at=2)
    recorded.call(1, "recv", "9", at=2, took=5, result="b''")
    (call,) = recorded.record().calls
    assert (call.unfinished, call.result, call.took) == (False, "b''", 5 * MS)


def test_call_that_never_ended_lasts_as_long_as_the_record() -> None:
    recorded = Recorded()
    recorded.wait(1, "accept", at=2)
    recorded.call(None, "gethostname", at=4, took=3, thread=101)
    accept, _ = recorded.record().calls
    assert (accept.unfinished, accept.took, accept.waited) == (True, 5 * MS, 5 * MS)


def test_exit() -> None:
    recorded = Recorded()
    assert not recorded.record().ended
    recorded.exit(lost=3)
    assert (recorded.record().ended, recorded.record().lost) == (True, 3)


def test_what_calls_name_is_there() -> None:
    record = read_events(
        PROCESS, {"event": "call", "t": 6, "thread": 4, "call": "accept", "took": 1, "socket": 3, "fd": 9, "new": [5]}
    )
    assert (record.threads, set(record.sockets), record.sockets[3].fd) == ({4: "thread 4"}, {3, 5}, 9)


@pytest.mark.parametrize("line", ["", "{", "[]", "null", "7", '{"event": "call", "t": 1', "\ud800", '{"a":' * 100_000, b"\xff{}"])
def test_line_that_is_no_event_is_skipped(line: str | bytes) -> None:
    record = read([json.dumps(PROCESS), line, json.dumps({"event": "exit", "t": 9})])
    assert (record.ended, record.skipped) == (True, bool(line))


def test_unknown_events_and_names_are_ignored() -> None:
    record = read_events(PROCESS | {"mood": "good"}, {"event": "sunrise", "t": 6}, {"event": "exit", "t": 7, "why": []})
    assert (record.ended, record.skipped) == (True, 0)


@pytest.mark.parametrize(
    "event",
    [
        {"event": "call", "t": 6, "call": "recv"},
        {"event": "call", "t": 6, "thread": 1},
        {"event": "call", "thread": 1, "call": "recv"},
        {"event": "call", "t": -1, "thread": 1, "call": "recv"},
        {"event": "call", "t": 2**63, "thread": 1, "call": "recv"},
        {"event": "call", "t": True, "thread": 1, "call": "recv"},
        {"event": "socket", "t": 6},
        {"event": "close", "t": 6, "socket": "1"},
        {"event": ["call"], "t": 6},
        {"t": 6},
    ],
)
def test_event_without_what_it_needs_is_skipped(event: dict[str, Any]) -> None:
    record = read_events(PROCESS, event)
    assert (record.skipped, record.calls, record.sockets) == (1, [], {})


def test_value_of_a_wrong_type_is_none() -> None:
    call = a_call(
        socket="1",
        fd=1.5,
        arguments=[1],
        result={},
        error=7,
        errno="9",
        out=-4,
        eof=1,
        data="!",
        address={"a": 1},
        new=7,
        rights=None,
        caller=3,
    )
    assert call == a_call()
    assert a_call(data=5).data == b""
    assert a_call(data="ü").data == b""
    assert a_call(address=[["nested"]]).address is None
    assert a_call(new=[1, "2", True, 3]).new == [1, 3]


def test_texts_can_be_written_to_a_file() -> None:
    r"""A path of bytes that are no text comes as lone surrogates."""
    call = a_call(address="/tmp/\udcff", arguments="'/tmp/\udcff'")
    assert (call.address, call.arguments) == ("/tmp/\\udcff", "'/tmp/\\udcff'")


@pytest.mark.parametrize(
    ("events", "what"),
    [
        (
            [],
            r"^a\.jsonl is empty: nothing has been recorded yet; record a program with: python -m oxisocket --trace=FILE\.jsonl program\.py$",
        ),
        (
            [{"name": "package.json"}],
            r"^a\.jsonl is not a record, which begins with an event `process`; record a program with: ",
        ),
        ([PROCESS | {"format": None}], r"is not a record"),
        ([PROCESS | {"pid": "1"}], r"is not a record"),
        ([PROCESS | {"format": 2}], r"^a\.jsonl was written by a newer oxisocket; draw it with that one, or a newer one$"),
        ([PROCESS, PROCESS], r"^a\.jsonl holds more than one record; give each run a file of its own$"),
    ],
)
def test_what_is_not_a_record_is_refused_with_what_to_do(events: list[Any], what: str) -> None:
    with pytest.raises(RecordError, match=what):
        read_events(*events)


def test_missing_file() -> None:
    with pytest.raises(FileNotFoundError):
        read("/nowhere/at/all.jsonl")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["recv", "AF_INET", "close"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
NAMES = st.sampled_from(
    [
        "t",
        "thread",
        "socket",
        "fd",
        "call",
        "took",
        "in",
        "out",
        "data",
        "address",
        "new",
        "local",
        "peer",
        "eof",
        "pid",
        "format",
        "open",
        "lost",
        "by",
    ]
)
EVENTS = st.builds(
    lambda kind, values: json.dumps({"event": kind} | values),
    st.sampled_from(["process", "thread", "socket", "wait", "call", "close", "exit", "other"]) | VALUES,
    st.dictionaries(NAMES, VALUES | st.integers(0, 9), max_size=8),
)


@quick
@given(st.lists(EVENTS | st.binary(max_size=40) | st.text(max_size=40), max_size=12), st.booleans())
def test_nothing_but_record_error(lines: list[str | bytes], begins: bool) -> None:
    try:
        record = read([json.dumps(PROCESS), *lines] if begins else lines)
    except RecordError:
        return
    assert all(call.thread in record.threads for call in record.calls)
    assert all(call.took >= 0 and call.received >= 0 and call.sent >= 0 for call in record.calls)
    str(record).encode()


@quick
@given(st.data())
def test_damaged_record(data: st.DataObject) -> None:
    """A good record in which some bytes are others, or missing."""
    text = bytearray(tutorial()[0].text().encode())
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    try:
        read(bytes(text).splitlines(keepends=True))
    except RecordError:
        return


def test_a_socket_that_was_first_seen_when_it_was_closed() -> None:
    """No event tells of the closing; the last line says that it is not open."""
    program = Recorded("program.py", 100)
    for number in (1, 2, 3):
        program.socket(number, at=0)
        program.call(number, "close", at=number, took=0.5, result="None", caller=f"program.py:{number}")
    program.call(3, "close", at=4, took=0.5, error="OSError: no", errno=9)
    program.exit(2)
    sockets = program.record().sockets
    assert [sockets[number].closed_by for number in (1, 2, 3)] == ["close", None, "close"]
    assert sockets[1].closed_at == "program.py:1" and sockets[1].closed_in == 100
    call = program.record().calls[0]
    assert sockets[1].closed == call.t + call.took


def test_a_program_that_did_not_end_in_order_leaves_open_what_no_event_has_closed() -> None:
    program = Recorded("program.py", 100)
    program.socket(1, at=0)
    program.call(1, "close", at=1, result="None")
    assert program.record().sockets[1].closed is None
