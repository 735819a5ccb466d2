"""docs/trace-format.md is right: real records have the names that it describes, with values of the kinds that it tells, and no others."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "trace-format.md"
HANG_TIMEOUT = 50  # seconds

NUMBER, TEXT, TRUTH, LIST = (int,), (str,), (bool,), (list,)
KINDS: dict[str, tuple[type, ...]] = {}
for kinds, names_of_kind in (
    (NUMBER, "t format pid parent bytes thread socket fd proto of twin took waited errno in out peeked rights lost"),
    (TEXT, "event program python oxisocket name cookie by opened call arguments result error data caller"),
    (TRUTH, "listening eof tls"),
    ((str, int), "family type"),
    ((list, str), "local peer address"),
    (LIST, "new open"),
):
    KINDS |= dict.fromkeys(names_of_kind.split(), kinds)

# Nearly everything that a record can tell: streams, datagrams, pairs, descriptors in messages, errors, forks, threads, and who forgot.
PROGRAM = """
import contextlib, gc, os, socket, sys, threading, warnings

left, right = socket.socketpair()
left.send(b"x" * 100)
right.recv(10, socket.MSG_PEEK)
right.recv(200)
socket.send_fds(left, [b"one"], [0])
[os.close(fd) for fd in socket.recv_fds(right, 10, 4)[1]]
other = left.dup()
other.close()
socket.socket(fileno=left.detach()).close()
right.recv(1)
right.close()

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
    datagrams.bind(("127.0.0.1", 0))
    datagrams.sendto(b"hello", datagrams.getsockname())
    datagrams.recvfrom(10)
    datagrams.settimeout(0.01)
    with contextlib.suppress(TimeoutError):
        datagrams.recv(1)

def serve():
    connection, _ = listener.accept()
    with connection, connection.makefile("rwb") as file:
        file.write(file.readline().upper())

with socket.create_server(("127.0.0.1", 0)) as listener:
    thread = threading.Thread(target=serve, name="a server")
    thread.start()
    with socket.create_connection(listener.getsockname()) as client:
        client.sendall(b"hello\\n")
        while client.recv(100):
            pass
    thread.join()
    address = listener.getsockname()
with socket.socket() as refused:
    refused.connect_ex(address)
    with contextlib.suppress(OSError):
        refused.connect(address)
with socket.socket(socket.AF_UNIX) as named:
    named.bind("\\0" + sys.argv[1])
kept = socket.socket()
forgotten = socket.socket()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    del forgotten
    gc.collect()
    child = os.fork()
    if not child:
        kept.close()
        sys.exit(0)
os.waitpid(child, 0)
"""


def described() -> dict[str, dict[str, bool]]:
    """What the page says that each event has: the names, and whether they may be left out."""
    everywhere, *sections = PAGE.read_text().split("\n## ")
    return {section.partition("\n")[0].strip("`"): names(everywhere) | names(section) for section in sections}


def names(section: str) -> dict[str, bool]:
    """The names in the first column of a section's table: those in brackets may be left out."""
    cells = " ".join(row.split("|")[1] for row in section.splitlines() if row.startswith("| "))
    return {name: bool(bracket) for bracket, name in re.findall(r"(\[?)`([a-z]+)`", cells)}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    """The record of a process, and that of its child."""
    folder = tmp_path_factory.mktemp("records")
    (folder / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "oxisocket", "--trace=record.jsonl", "program.py", f"test-{os.getpid()}"]
    subprocess.run(command, cwd=folder, check=True, timeout=HANG_TIMEOUT)
    paths = sorted(folder.glob("record*.jsonl"), key=lambda path: len(path.name))
    return [[json.loads(line) for line in path.read_text().splitlines()] for path in paths]


@pytest.fixture(scope="module")
def events(records: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [event for record in records for event in record]


def test_each_kind_of_event_is_described(events: list[dict[str, Any]]) -> None:
    assert {event["event"] for event in events} == set(described())


def test_no_name_is_missing_and_none_is_unknown(events: list[dict[str, Any]]) -> None:
    for event in events:
        known = described()[event["event"]]
        assert set(event) <= set(known), event
        assert {name for name, may_miss in known.items() if not may_miss} <= set(event), event


def test_each_name_is_found(events: list[dict[str, Any]]) -> None:
    """What the page describes does come: otherwise the page, or the program above, has a name too many."""
    found = defaultdict(set)
    for event in events:
        found[event["event"]] |= set(event)
    missing = {(kind, name) for kind, known in described().items() for name in known if name not in found[kind]}
    # Only native TLS has it, which the program does without.
    assert missing <= {("call", "tls"), ("wait", "tls")}


def test_each_value_is_of_its_kind(events: list[dict[str, Any]]) -> None:
    for event in events:
        for name, value in event.items():
            kinds = LIST if (event["event"], name) == ("process", "arguments") else KINDS[name]
            assert type(value) in kinds, (name, event)


def test_the_first_line_and_the_last(records: list[list[dict[str, Any]]]) -> None:
    parent, child = records
    for record in records:
        assert (record[0]["event"], record[0]["format"]) == ("process", 1)
        assert (record[-1]["event"], record[-1]["lost"]) == ("exit", 0)
    assert parent[0]["program"] == "program.py" and len(parent[0]["arguments"]) == 1 and parent[0]["bytes"] == 32
    assert "parent" not in parent[0] and child[0]["parent"] == parent[0]["pid"]
    (still_open,) = parent[-1]["open"]
    (kept,) = {event["opened"] for event in parent if event["event"] == "socket" and event["socket"] == still_open}
    assert kept == f"program.py:{PROGRAM.splitlines().index('kept = socket.socket()') + 1}"


def test_what_stands_before_what(records: list[list[dict[str, Any]]]) -> None:
    for record in records:
        sockets, threads, waiting = set(), set(), {}
        for event in record:
            kind, thread = event["event"], event.get("thread")
            if kind == "socket":
                sockets.add(event["socket"])
            elif kind == "thread":
                threads.add(thread)
            else:
                assert thread is None or thread in threads, event
                assert "socket" not in event or event["socket"] in sockets, event
                assert set(event.get("new", [])) <= sockets, event
            if kind == "wait":
                waiting[thread, event["t"]] = event["call"]
            if kind == "call" and (thread, event["t"]) in waiting:
                assert waiting.pop((thread, event["t"])) == event["call"]
        assert not waiting


def test_calls(events: list[dict[str, Any]]) -> None:
    for event in events:
        if event["event"] == "call":
            assert ("result" in event) != ("error" in event), event
            assert 0 <= event["waited"] <= event["took"], event
            data = base64.b64decode(event.get("data", ""), validate=True)
            moved = event.get("in", 0) + event.get("out", 0) + event.get("peeked", 0)
            assert len(data) == min(moved, 32), event


def test_closings(events: list[dict[str, Any]]) -> None:
    by = {event["by"] for event in events if event["event"] == "close"}
    assert by == {"close", "detach", "finalizer"}
    made = {event["by"] for event in events if event["event"] == "socket"}
    # What `dup` makes may have been found before by a call that `dup` makes on it.
    assert made - {"found", "dup"} == {"socket", "accept", "socketpair", "fromfd"}
