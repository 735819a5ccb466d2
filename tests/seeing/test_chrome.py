"""Records become Chrome's trace events: slices, arrows, lives and counters, each at its place and time."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from oxisocket._seeing.chrome import trace
from records import BEGAN, CLIENT, SERVER, Recorded, tutorial

Event = dict[str, Any]


def whole(*programs: Recorded) -> dict[str, Any]:
    return json.loads(trace([program.record() for program in programs]))


def events(*programs: Recorded) -> list[Event]:
    return whole(*programs)["traceEvents"]


def of(found: list[Event], ph: str, **values: Any) -> list[Event]:
    return [each for each in found if each["ph"] == ph and all(each.get(name) == value for name, value in values.items())]


def one(found: list[Event], ph: str, **values: Any) -> Event:
    (event,) = of(found, ph, **values)
    return event


def within(event: Event, slices: list[Event]) -> list[str]:
    """The names of the slices at this event's place and time, the innermost one last."""
    place = [each for each in slices if (each["pid"], each["tid"]) == (event["pid"], event["tid"])]
    return [each["name"] for each in place if each["ts"] <= event["ts"] < each["ts"] + each["dur"]]


def test_names() -> None:
    server, client = tutorial()
    server.thread(101, "Worker")
    found = events(server, client)
    assert [(each["pid"], each["args"]["name"]) for each in of(found, "M", name="process_name")] == [
        (100, "server.py"),
        (200, "client.py"),
    ]
    threads = {(each["pid"], each["tid"]): each["args"]["name"] for each in of(found, "M", name="thread_name")}
    assert threads == {(100, 100): "MainThread", (100, 101): "Worker", (200, 200): "MainThread"}


def test_call_is_a_slice() -> None:
    call = one(events(*tutorial()), "X", name="recv", pid=200)
    assert (call["tid"], call["ts"], call["dur"], call["cat"]) == (200, 25300, 300, "call")
    assert call["args"] == {
        "arguments": "1024", "result": "b'HELLO, WORLD'", "received": 12, "data": "HELLO, WORLD", "waited_us": 200, "socket": 1, "fd": 3,
        "connection": "127.0.0.1:41234 → 127.0.0.1:5000", "caller": "client.py:6",
    }  # fmt: skip


def test_times_begin_with_the_first_program_and_tell_nanoseconds() -> None:
    program = Recorded()
    program.call(None, "gethostname", at=1.000001, took=0.000003)
    trace_of_it = whole(program)
    assert trace_of_it["otherData"]["began_ns"] == BEGAN
    call = one(trace_of_it["traceEvents"], "X", name="gethostname")
    assert (call["ts"], call["dur"]) == (1000.001, 0.003)


def test_failed_call() -> None:
    program = Recorded()
    program.call(None, "recv", "5", error="TimeoutError: timed out")
    failed = one(events(program), "X", name="recv")
    assert (failed["cat"], failed["args"]["error"]) == ("error", "TimeoutError: timed out")
    assert "result" not in failed["args"]


def test_call_that_never_ended() -> None:
    program = Recorded()
    program.wait(None, "recv", "5", at=1)
    program.call(None, "send", at=9, took=1, thread=7)
    assert one(events(program), "X", name="recv (never ended)")["dur"] == 9000


def test_waiting_lies_inside_its_call() -> None:
    program = Recorded()
    program.call(None, "recv", at=1, took=4, waited=3)
    program.call(None, "recv", at=6, took=4, waited=9)
    found = of(events(program), "X", name="waits")
    assert sorted((each["ts"], each["dur"]) for each in found) == [(1500, 3000), (6000, 3999.999)]


def test_waiting_around_the_call_of_a_signal_handler_is_not_drawn() -> None:
    program = Recorded()
    program.call(None, "recv", at=1, took=8, waited=7)
    program.call(None, "send", at=3, took=1)
    assert of(events(program), "X", name="waits") == []


def test_arrows_join_calls() -> None:
    found = events(*tutorial())
    slices = of(found, "X")
    arrows = {}
    for start in of(found, "s"):
        end = one(found, "f", id=start["id"], cat=start["cat"])
        assert (end["name"], end["bp"]) == (start["name"], "e")
        assert end["ts"] in [each["ts"] for each in slices if each["name"] == within(end, slices)[-1]]
        arrows[start["name"], within(start, slices)[0], start["pid"]] = within(end, slices), end["pid"]
    assert arrows == {
        ("connect", "connect", 200): (["accept", "gets a connection"], 100),
        ("data", "sendall", 200): (["recv", "gets 12 bytes"], 100),
        ("data", "sendall", 100): (["recv", "gets 12 bytes"], 200),
        ("end", "close", 200): (["recv", "meets the end"], 100),
    }


def test_arrow_to_a_call_that_did_not_wait() -> None:
    server, client = tutorial()
    ready = Recorded("client.py", 200)
    ready.lines = [line.replace('"waited": 200000', '"waited": 0') for line in client.lines]
    found = events(server, ready)
    data = [end for end in of(found, "f", name="data") if end["pid"] == 200]
    assert [within(end, of(found, "X")) for end in data] == [["recv"]]


def test_letters_are_not_escaped() -> None:
    """Perfetto does not read their escapes."""
    server, client = tutorial()
    assert "127.0.0.1:41234 → 127.0.0.1:5000" in trace([server.record(), client.record()])


def test_life_of_a_socket() -> None:
    found = events(*tutorial())
    began, ended = one(found, "b", pid=200), one(found, "e", pid=200)
    assert [began[name] for name in ("id2", "name", "cat")] == [ended[name] for name in ("id2", "name", "cat")]
    assert (began["name"], began["args"]["opened"]) == ("socket 1 127.0.0.1:41234 → 127.0.0.1:5000", "client.py:3")
    assert (began["ts"], ended["ts"], ended["args"]) == (20000, 31400, {"closed": "by the program"})


def test_unclosed_sockets() -> None:
    program = Recorded()
    for number in (1, 2, 3):
        program.socket(number, at=number)
    program.close(2, by="finalizer")
    program.close(3, by="detach", at=9)
    assert {each["id2"]["local"]: each["args"]["closed"] for each in of(events(program), "e")} == {
        "1": "not yet", "2": "by the garbage collector", "3": "given away",
    }  # fmt: skip
    program.exit(1)
    first = one(events(program), "e", id2={"local": "1"})
    assert (first["args"]["closed"], first["ts"]) == ("never", 9000)


def test_bytes_are_counted() -> None:
    program = Recorded()
    program.socket(1, local=CLIENT, peer=SERVER)
    program.send(1, b"123", at=1, took=1)
    program.recv(1, b"12345", at=3, took=1)
    program.send(1, b"45", at=5, took=1)
    counted = of(events(program), "C", name="bytes of socket 1 127.0.0.1:41234 → 127.0.0.1:5000")
    assert [(each["ts"], each["args"]) for each in counted] == [
        (2000, {"sent": 3, "received": 0}), (4000, {"sent": 3, "received": 5}), (6000, {"sent": 5, "received": 5}),
    ]  # fmt: skip


def test_two_programs_with_one_pid_stay_apart() -> None:
    one_program, other = Recorded("a.py", 5), Recorded("b.py", 5)
    assert len({each["pid"] for each in of(events(one_program, other), "M", name="process_name")}) == 2


def test_nothing_recorded() -> None:
    assert json.loads(trace([]))["traceEvents"] == []


TEXTS = st.text() | st.sampled_from(["\ud800", "</script>", "\x00\x1b"])
MOMENTS = st.integers(0, 5)


@given(st.lists(st.tuples(MOMENTS, MOMENTS, MOMENTS, st.integers(1, 3), TEXTS, st.binary(max_size=5)), max_size=9), st.booleans())
def test_whatever_is_recorded(calls: list[Any], ended: bool) -> None:
    program = Recorded()
    for at, took, waited, number, text, data in calls:
        program.call(number, "send", text, at=at, took=took, waited=waited, sent=len(data), data=data, caller=text)
    if ended:
        program.exit()
    text = trace([program.record()])
    assert text.encode()
    found = json.loads(text)["traceEvents"]
    assert len(of(found, "X", name="send")) == len(calls)
    assert all(each["ts"] >= 0 and each.get("dur", 0) >= 0 for each in found)
