"""The packets of a file, each with when, on which interface and why: the frames that Wireshark lists."""

from __future__ import annotations

from typing import NamedTuple

from oxisocket._seeing.record import Call, Record, Socket

from .packets import Packet

_LONGEST = 120
"""A comment is read in a line of a window; the data themselves are in the packets."""


class Why(NamedTuple):
    """The call that a packet was made for. `record` is the number of its record, which is also that of the interface."""

    record: int
    text: str


class Frame(NamedTuple):
    """A packet at its place. `outbound`: the program whose interface this is sent it."""

    t: int
    record: int
    outbound: bool
    packet: Packet
    comment: str


class Frames:
    """Collects frames. Those of one conversation have to be added in their order."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []

    def add(self, t: int, packet: Packet, why: Why, *, outbound: bool) -> None:
        """A packet that was sent by the program of that call, or that reached it."""
        comment = why.text if outbound else f"seen in {why.text}"
        self._frames.append(Frame(t, why.record, outbound, packet, comment))

    def in_order(self) -> list[Frame]:
        """All frames by their time; those of one time as they were added."""
        return sorted(self._frames, key=lambda frame: frame.t)


def program_of(record: Record) -> str:
    """A name for a program: `client.py (pid 4711)`."""
    return f"{_printable(record.process.program) or 'python'} (pid {record.process.pid})"


def why_call(records: list[Record], number: int, call: Call) -> Why:
    """The words for a call: `client.py (pid 4711) MainThread: send(b'hello') = 5, client.py:14`."""
    outcome = "" if call.result is None else f" = {_short(call.result)}"
    outcome = f" raised {_short(call.error)}" if call.error is not None else outcome
    marked = " [plain text of TLS]" if call.tls else ""
    marked += f" [with {call.rights} descriptors]" if call.rights else ""
    words = f"{call.call}({_short(call.arguments)}){outcome}{marked}"
    return _why(records[number], number, call.thread, words, call.caller)


def why_closed(records: list[Record], number: int, socket: Socket) -> Why:
    """The words for the closing of a socket."""
    words = "closed by the garbage collector" if socket.closed_by == "finalizer" else "close()"
    return _why(records[number], number, socket.closed_in, words, socket.closed_at or socket.opened)


def _why(record: Record, number: int, thread: int | None, words: str, caller: str | None) -> Why:
    name = "" if thread is None else " " + _printable(record.threads.get(thread, f"thread {thread}"))
    where = f", {_printable(caller)}" if caller else ""
    return Why(number, f"{program_of(record)}{name}: {_printable(words)}{where}")


def _short(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
