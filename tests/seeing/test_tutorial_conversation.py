"""The tutorial's two original programs, under a trace and under strace in the same run: the diagram is what the kernel was asked.

strace is around each program, so it sees the system calls of exactly the calls that the record has.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from originals import CLIENT, HANG_TIMEOUT, PORT, PROGRAMS, SERVER, TALK, exclusive_port, hold
from oxisocket._seeing.conversation import Conversation, match
from oxisocket._seeing.record import read
from oxisocket._seeing.steps import Step
from oxisocket._seeing.words import outcome

strace = shutil.which("strace")

pytestmark = [
    pytest.mark.skipif(strace is None, reason="strace is not installed"),
    pytest.mark.skipif(not PROGRAMS.is_dir(), reason="the tutorial's programs are not next to this repository"),
    pytest.mark.timeout(2 * HANG_TIMEOUT + 60),
    pytest.mark.xdist_group("port 5001"),
]

PICTURE = Path(__file__).parents[2] / "docs" / "conversation.svg"
PAUSE = 0.1  # seconds
CLOCKS = 50_000_000  # nanoseconds by which the clocks of strace and of the record may differ

LINE = re.compile(r"\d+ +(?P<seconds>\d+)\.(?P<micros>\d{6}) (?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+).*")
ADDRESS = re.compile(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([\d.]+)"\)')
DATA = re.compile(r'\d+, ("(?:[^"\\]|\\.)*")')


@dataclass
class Asked:
    """What a call of Python has asked of the kernel, in the words of Python; `moved` is what was sent or received."""

    t: int
    fd: int
    call: str
    arguments: str
    result: str
    moved: bytes = b""


@dataclass
class Seen:
    """One run: what strace has seen of each program, and what the records say."""

    server: list[Asked]
    client: list[Asked]
    records: list[Path]
    conversation: Conversation

    def steps(self, lane: int) -> list[Step]:
        return [step for step in self.conversation.steps if step.lane.index == lane]


def asked(log: Path) -> Iterator[Asked]:
    """The calls on sockets in a log of strace. What was tried and would have blocked is no call of its own."""
    sockets: set[int] = set()
    for line in filter(None, map(LINE.fullmatch, log.read_text().splitlines())):
        name, arguments, result = line["name"], line["arguments"], int(line["result"])
        if name in ("socket", "accept4"):
            sockets.add(result)
        fd = result if name == "socket" else int(arguments.partition(",")[0]) if arguments[:1].isdigit() else -1
        if fd in sockets and result >= 0 and name not in ("getsockname", "getpeername", "getsockopt"):
            t = int(line["seconds"]) * 1_000_000_000 + int(line["micros"]) * 1000
            yield Asked(t, fd, *in_python(name, arguments, result))
        if name == "close":
            sockets.discard(fd)


def in_python(name: str, arguments: str, result: int) -> tuple[str, str, str] | tuple[str, str, str, bytes]:
    """The call, its arguments and what came of it as a diagram of Python's calls has them, and the bytes that were moved.

    A read or a write would be a surprise: no call of these programs makes them on a socket.
    """
    match name:
        case "socket" if arguments.startswith("AF_INET, SOCK_STREAM|SOCK_CLOEXEC, "):
            return "socket", "", f"fd {result}"
        case "bind" | "connect":
            return name, repr(address(arguments)), ""
        case "listen":
            return name, arguments.partition(", ")[2], ""
        case "accept4":
            host, port = address(arguments)
            return "accept", "", f"fd {result} for {host}:{port}"
        case "sendto":
            return "send", repr(data(arguments)), str(result), data(arguments)
        case "recvfrom":
            size = arguments.rpartition('"')[2].split(", ")[1]
            return "recv", size, repr(data(arguments)) + ("" if result else " end of the stream"), data(arguments)
        case "close":
            return "close", "", ""
    raise AssertionError(f"unexpected on a socket: {name}({arguments}) = {result}")


def address(arguments: str) -> tuple[str, int]:
    found = ADDRESS.search(arguments)
    assert found is not None, arguments
    return found[2], int(found[1])


def data(arguments: str) -> bytes:
    found = DATA.match(arguments)
    assert found is not None, arguments
    value = ast.literal_eval(f"b{found[1]}")
    assert isinstance(value, bytes)
    return value


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    assert strace is not None
    folder = tmp_path_factory.mktemp("tutorial")
    logs, records, commands = [], [], []
    for program in (SERVER, CLIENT):
        logs.append(log := folder / f"{program.stem}.strace")
        records.append(record := folder / f"{program.stem}.jsonl")
        watched = [strace, "-f", "-ttt", "-s", "1024", "-e", "trace=network,close,read,write", "-o", log]
        commands.append([*watched, sys.executable, "-m", "oxisocket", f"--trace={record}", program])
    if subprocess.run([strace, "-o", "/dev/null", "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    with exclusive_port():
        hold(*commands, PAUSE)
    return Seen(*(list(asked(log)) for log in logs), records, match([read(str(record)) for record in records]))


def test_the_two_programs_do_what_the_tutorial_says(seen: Seen) -> None:
    """What this file reads out of strace's log, in words: otherwise two empty lists would agree."""
    assert [each.call for each in seen.server] == (
        ["socket", "bind", "listen", "accept"] + ["recv", "send"] * len(TALK) + ["recv", "close", "close"]
    )
    assert [each.call for each in seen.client] == ["socket", "connect"] + ["send", "recv"] * len(TALK) + ["close"]
    assert seen.server[1].arguments == seen.client[1].arguments == f"('127.0.0.1', {PORT})"
    assert [each.moved.decode() for each in seen.client if each.moved] == [line for lines in TALK for line in lines]


@pytest.mark.parametrize("lane", [0, 1], ids=["server", "client"])
def test_each_call_is_one_of_the_kernel(seen: Seen, lane: int) -> None:
    expected, steps = (seen.server, seen.client)[lane], seen.steps(lane)
    record = seen.conversation.records[lane]
    assert [(step.call.fd, step.call.call, step.call.arguments) for step in steps] == [
        (each.fd, each.call, each.arguments) for each in expected
    ]
    told = [outcome(step, record) if step.closed_by is None else "" for step in steps]
    assert told == [each.result for each in expected]
    assert [step.call.received + step.call.sent for step in steps] == [len(each.moved) for each in expected]
    assert [step.call.data for step in steps] == [each.moved for each in expected]


@pytest.mark.parametrize("lane", [0, 1], ids=["server", "client"])
def test_each_call_began_before_the_kernel_was_asked_and_ended_after(seen: Seen, lane: int) -> None:
    for each, step in zip((seen.server, seen.client)[lane], seen.steps(lane), strict=True):
        assert step.began - CLOCKS <= each.t <= step.ended + CLOCKS, each


def test_the_socket_that_nobody_closed(seen: Seen) -> None:
    (listener,) = seen.conversation.unclosed
    (last,) = [step for step in seen.conversation.steps if step.closed_by == "finalizer"]
    assert (last.end, last.call.fd) == (listener, seen.server[0].fd)
    assert seen.server[-1].fd == last.call.fd


def test_the_arrows_are_the_bytes_that_the_kernel_moved(seen: Seen) -> None:
    number = {step: place for lane in (0, 1) for place, step in enumerate(seen.steps(lane))}
    drawn = {
        (each.kind, each.source.lane.index, number[each.source], number[each.target], each.first, each.last)
        for each in seen.conversation.arrows
        if each.kind == "data"
    }
    expected = {
        ("data", source, *arrow)
        for source, (senders, receivers) in enumerate([(seen.server, seen.client), (seen.client, seen.server)])
        for arrow in carried(senders, receivers)
    }
    assert drawn == expected
    assert len(drawn) == 2 * len(TALK)


def carried(senders: list[Asked], receivers: list[Asked]) -> Iterator[tuple[int, int, int, int]]:
    """The call that sent, the one that received, and which bytes of the stream: counted in what strace has seen."""
    sent = list(ranges(senders, "send"))
    for target, first, last in ranges(receivers, "recv"):
        for source, begin, end in sent:
            if max(first, begin) < min(last, end):
                yield source, target, max(first, begin), min(last, end)


def ranges(calls: list[Asked], name: str) -> Iterator[tuple[int, int, int]]:
    at = 0
    for place, each in enumerate(calls):
        if each.call == name:
            yield place, at, at + len(each.moved)
            at += len(each.moved)


def test_the_other_arrows(seen: Seen) -> None:
    """The connection begins with connect and accept, and ends with the client's close and the server's last recv."""
    number = {step: place for lane in (0, 1) for place, step in enumerate(seen.steps(lane))}
    others = [each for each in seen.conversation.arrows if each.kind != "data"]
    assert [(each.kind, each.source.lane.index, number[each.source], number[each.target]) for each in others] == [
        ("connect", 1, place_of(seen.client, "connect"), place_of(seen.server, "accept")),
        ("end", 1, place_of(seen.client, "close"), place_of(seen.server, "recv", "b'' end of the stream")),
    ]
    (connection,) = seen.conversation.connections
    assert connection.description.endswith(f" → 127.0.0.1:{PORT}")
    accepted = seen.server[place_of(seen.server, "accept")].result.rpartition(" ")[2]
    assert connection.description.startswith(f"{accepted} ")
    assert not seen.conversation.notes


def place_of(calls: list[Asked], name: str, result: str | None = None) -> int:
    (place,) = [place for place, each in enumerate(calls) if each.call == name and result in (None, each.result)]
    return place


def test_the_drawing_in_text(seen: Seen, tmp_path: Path) -> None:
    """What can be read in the drawing: each program's calls below its name, in the kernel's order, and the arrows between them."""
    lines = drawing(seen, tmp_path / "conversation.txt").splitlines()
    right = lines[0].index(CLIENT.name)
    for calls, cells in (
        (seen.server, [line[:right] for line in lines]),
        (seen.client, [line[right:] for line in lines]),
    ):
        column = "\n".join(cells)
        at = 0
        for each in calls[:-1] if calls is seen.server else calls:
            for text in (f"{each.call}({each.arguments})", f"→ {each.result}" if each.result else ""):
                at = column.index(text, at)
    arrows = re.findall(r"(◀|├)[─╌]+ ([^─╌]+?)(?: sent at [\d.]+…?)? [─╌]+", "\n".join(lines))
    assert arrows == [
        ("◀", "connect"),
        *(arrow for lines in TALK for arrow in zip("◀├", (f"{len(line)} bytes" for line in lines), strict=True)),
        ("◀", "end of stream"),
    ]


def test_the_committed_picture_shows_the_same_calls(seen: Seen, tmp_path: Path) -> None:
    """docs/conversation.svg is of an earlier run; only times, process numbers and the client's port may differ."""
    now = drawing(seen, tmp_path / "conversation.svg")
    committed = PICTURE.read_text()
    assert essence(committed) == essence(now), "Next: draw it anew, with `make pictures`"


def drawing(seen: Seen, path: Path) -> str:
    command = [sys.executable, "-m", "oxisocket", "diagram", *seen.records, "-o", path]
    subprocess.run(command, check=True, timeout=HANG_TIMEOUT)
    return path.read_text()


def essence(svg: str) -> tuple[list[str], list[str]]:
    """The calls that the picture's description has, and the sizes on its arrows."""
    description = re.search(r"<desc[^>]*>(.*?)</desc>", svg, re.DOTALL)
    assert description is not None
    calls = re.sub(r"for 127\.0\.0\.1:\d+", "for 127.0.0.1:PORT", description[1]).rstrip(".").split("; ")
    return sorted(calls), re.findall(r">([\d,]+ bytes?)<", svg)
