"""Reads the record of a trace into a model, from which everything else is made. See docs/trace-format.md for what the names mean.

A record may come from anywhere, and its end may be missing: no line of it is trusted.
"""

from __future__ import annotations

import binascii
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeGuard, TypeVar

FORMAT = 1
HOW_TO_RECORD = "record a program with: python -m oxisocket --trace=FILE.jsonl program.py"

Address = list[str | int] | str | None

_Event = dict[str, object]

_LARGEST = 2**63 - 1

_T = TypeVar("_T")


class RecordError(ValueError):
    """What was read is not the record of a trace. The text says what to do."""


@dataclass(slots=True)
class Process:
    """The program that was recorded. `began` is in nanoseconds since 1970, `bytes` how much data of a call was kept."""

    pid: int
    parent: int | None
    program: str
    arguments: list[str]
    python: str
    oxisocket: str
    bytes: int
    began: int


@dataclass(slots=True)
class Socket:
    """What is known of a socket at the end of the record. `closed` is None while it is open, and so is `closed_by`."""

    number: int
    fd: int
    family: str
    type: str
    proto: int
    cookie: str | None
    local: Address
    peer: Address
    listening: bool
    by: str
    of: int | None
    twin: int | None
    opened: str | None
    began: int
    closed: int | None = None
    closed_by: str | None = None
    closed_in: int | None = None
    """The thread that closed it, where the record tells."""
    closed_at: str | None = None
    """Where it was closed: `server.py:14`."""


@dataclass(slots=True)
class Call:
    """A call. Times are nanoseconds: `t` since 1970, when it began; `took` and `waited` how long. Sizes are bytes."""

    t: int
    took: int
    waited: int
    thread: int
    socket: int | None
    fd: int | None
    call: str
    arguments: str
    result: str | None = None
    error: str | None = None
    errno: int | None = None
    received: int = 0
    sent: int = 0
    peeked: int = 0
    eof: bool = False
    data: bytes = b""
    address: Address = None
    new: list[int] = field(default_factory=list)
    rights: int = 0
    tls: bool = False
    caller: str | None = None
    unfinished: bool = False
    """It had not ended when the record did; `took` is then the time up to the record's last event."""


@dataclass(slots=True)
class Record:
    """What was recorded of one process.

    `calls` are sorted by when they began. Each socket and each thread that a call names is in `sockets` and `threads`. `ended`
    tells that the program ended in order, `lost` how many events it could not write, `skipped` how many lines could not be read.
    """

    path: str
    process: Process
    threads: dict[int, str]
    sockets: dict[int, Socket]
    calls: list[Call]
    ended: bool
    lost: int
    skipped: int


def read(source: str | os.PathLike[str] | Iterable[str | bytes], name: str = "record") -> Record:
    """Read a record from a file, or from lines, which are then called `name`.

    A line that is not a whole event is skipped and counted. Raises RecordError if this is not a record, or is one of a format
    that is not known, and OSError if the file cannot be read.
    """
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            return _Reading(_printable(os.fspath(source))).of(file)
    return _Reading(_printable(name)).of(source)


class _Refused(Exception):
    """An event has no value that makes sense under a name that it needs."""


class _Reading:
    """The state of one reading: what the lines so far have told."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.process: Process | None = None
        self.threads: dict[int, str] = {}
        self.sockets: dict[int, Socket] = {}
        self.calls: list[Call] = []
        self.waiting: dict[tuple[int, int], Call] = {}
        self.ended = False
        self.left_open: list[object] | None = None
        self.lost = 0
        self.skipped = 0
        self.last = 0
        self.kinds: dict[str, Callable[[_Event, int], None]] = {
            "process": self.on_process,
            "thread": self.on_thread,
            "socket": self.on_socket,
            "wait": self.on_wait,
            "call": self.on_call,
            "close": self.on_close,
            "exit": self.on_exit,
        }

    def of(self, lines: Iterable[str | bytes]) -> Record:
        anything = False
        for line in lines:
            anything = True
            self.take(line)
        if self.process is None:
            self.refuse(anything)
        for call in self.waiting.values():
            call.took = call.waited = max(self.last - call.t, 0)
            self.calls.append(call)
        self.calls.sort(key=lambda call: call.t)
        self.complete()
        self.close_by_calls()
        return Record(self.path, self.process, self.threads, self.sockets, self.calls, self.ended, self.lost, self.skipped)

    def take(self, line: str | bytes) -> None:
        event = _parse(line)
        if event is None:
            self.skipped += bool(line.strip())
            return
        kind = event.get("event")
        on_event = self.kinds.get(kind) if isinstance(kind, str) else None
        if on_event is None:
            self.skipped += not isinstance(kind, str)
            return
        try:
            on_event(event, _time(event, "t"))
        except _Refused:
            self.skipped += 1

    def refuse(self, anything: bool) -> NoReturn:
        if not anything:
            raise RecordError(f"{self.path} is empty: nothing has been recorded yet; {HOW_TO_RECORD}")
        raise RecordError(f"{self.path} is not a record, which begins with an event `process`; {HOW_TO_RECORD}")

    def complete(self) -> None:
        """Enter the sockets and threads of which the record has calls and nothing else: their lines may be among the skipped."""
        for call in self.calls:
            self.threads.setdefault(call.thread, f"thread {call.thread}")
            for number in call.new if call.socket is None else [call.socket, *call.new]:
                if number not in self.sockets:
                    fd = call.fd if number == call.socket and call.fd is not None else -1
                    self.sockets[number] = _unknown_socket(number, fd, call.t)

    def on_process(self, event: _Event, t: int) -> None:
        number = event.get("format")
        if number != FORMAT or isinstance(number, bool):
            self.refuse_format(number)
        if self.process is not None:
            # A second run was appended. Its sockets have numbers that are taken.
            raise RecordError(f"{self.path} holds more than one record; give each run a file of its own")
        arguments = event.get("arguments")
        self.process = Process(
            pid=_needed(event, "pid"),
            parent=_whole(event, "parent"),
            program=_text(event, "program") or "",
            arguments=[_printable(each) for each in arguments if isinstance(each, str)] if isinstance(arguments, list) else [],
            python=_text(event, "python") or "",
            oxisocket=_text(event, "oxisocket") or "",
            bytes=_size(event, "bytes"),
            began=t,
        )
        self.last = max(self.last, t)

    def refuse_format(self, number: object) -> NoReturn:
        if isinstance(number, int) and not isinstance(number, bool) and number > FORMAT:
            raise RecordError(f"{self.path} was written by a newer oxisocket; draw it with that one, or a newer one")
        raise _Refused

    def on_thread(self, event: _Event, t: int) -> None:
        thread = _needed(event, "thread")
        self.threads[thread] = _text(event, "name") or f"thread {thread}"

    def on_socket(self, event: _Event, t: int) -> None:
        number = _needed(event, "socket")
        known = self.sockets.get(number) or _unknown_socket(number, -1, t)
        known.fd = _or(_whole(event, "fd"), known.fd)
        known.family = _name(event, "family") or known.family
        known.type = _name(event, "type") or known.type
        known.proto = _or(_whole(event, "proto"), known.proto)
        known.cookie = _or(_text(event, "cookie"), known.cookie)
        known.local = _or(_address(event, "local"), known.local)
        known.peer = _or(_address(event, "peer"), known.peer)
        known.listening = event.get("listening") is True or known.listening
        known.by = _text(event, "by") or known.by
        known.of = _or(_whole(event, "of"), known.of)
        known.twin = _or(_whole(event, "twin"), known.twin)
        known.opened = _or(_text(event, "opened"), known.opened)
        self.sockets[number] = known
        self.last = max(self.last, t)

    def on_wait(self, event: _Event, t: int) -> None:
        call = _call(event, t)
        call.unfinished = True
        self.waiting[call.thread, t] = call
        self.last = max(self.last, t)

    def on_call(self, event: _Event, t: int) -> None:
        call = _call(event, t)
        self.waiting.pop((call.thread, t), None)
        self.calls.append(call)
        self.last = max(self.last, t + call.took)

    def on_close(self, event: _Event, t: int) -> None:
        number = _needed(event, "socket")
        known = self.sockets.get(number)
        if known is None:
            known = self.sockets[number] = _unknown_socket(number, _or(_whole(event, "fd"), -1), t)
        known.closed = t
        known.closed_by = _text(event, "by") or "close"
        known.closed_in = _whole(event, "thread")
        known.closed_at = _text(event, "caller")
        self.last = max(self.last, t)

    def on_exit(self, event: _Event, t: int) -> None:
        self.ended = True
        left_open = event.get("open")
        self.left_open = left_open if isinstance(left_open, list) else None
        self.lost = _size(event, "lost")
        self.last = max(self.last, t)

    def close_by_calls(self) -> None:
        """Close the sockets that were not open in the end by their last `close`, where no event tells of it.

        A `close` alone does not say so: while a file object of the socket is open, it closes nothing.
        """
        if self.left_open is None:
            return
        for call in reversed(self.calls):
            known = None if call.socket is None else self.sockets[call.socket]
            if known is None or known.closed is not None or known.number in self.left_open:
                continue
            if call.call in ("close", "detach") and call.result is not None:
                known.closed, known.closed_by = call.t + call.took, call.call
                known.closed_in, known.closed_at = call.thread, call.caller


def _parse(line: str | bytes) -> _Event | None:
    """The event of a line, or None: it is garbled, or has not been written to its end."""
    try:
        event = json.loads(line if isinstance(line, str) else line.decode())
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _call(event: _Event, t: int) -> Call:
    call = _text(event, "call")
    if call is None:
        raise _Refused
    new = event.get("new")
    return Call(
        t=t,
        took=_size(event, "took"),
        waited=_size(event, "waited"),
        thread=_needed(event, "thread"),
        socket=_whole(event, "socket"),
        fd=_whole(event, "fd"),
        call=call,
        arguments=_text(event, "arguments") or "",
        result=_text(event, "result"),
        error=_text(event, "error"),
        errno=_whole(event, "errno"),
        received=_size(event, "in"),
        sent=_size(event, "out"),
        peeked=_size(event, "peeked"),
        eof=event.get("eof") is True,
        data=_data(event),
        address=_address(event, "address"),
        new=[each for each in new if _is_whole(each)] if isinstance(new, list) else [],
        rights=_size(event, "rights"),
        tls=event.get("tls") is True,
        caller=_text(event, "caller"),
    )


def _unknown_socket(number: int, fd: int, began: int) -> Socket:
    return Socket(number, fd, "", "", 0, None, None, None, False, "", None, None, None, began)


def _or(value: _T | None, otherwise: _T) -> _T:
    return otherwise if value is None else value


def _is_whole(value: object) -> TypeGuard[int]:
    return type(value) is int and -_LARGEST <= value <= _LARGEST


def _whole(event: _Event, name: str) -> int | None:
    value = event.get(name)
    return value if type(value) is int and -_LARGEST <= value <= _LARGEST else None


def _needed(event: _Event, name: str) -> int:
    value = _whole(event, name)
    if value is None:
        raise _Refused
    return value


def _time(event: _Event, name: str) -> int:
    value = _needed(event, name)
    if value < 0:
        raise _Refused
    return value


def _size(event: _Event, name: str) -> int:
    """A size or a duration; 0 where there is none."""
    return max(_whole(event, name) or 0, 0)


def _text(event: _Event, name: str) -> str | None:
    value = event.get(name)
    return _printable(value) if isinstance(value, str) else None


def _name(event: _Event, name: str) -> str | None:
    """The name of a constant, or its number where it has none."""
    value = _whole(event, name)
    return _text(event, name) if value is None else str(value)


def _address(event: _Event, name: str) -> Address:
    value = event.get(name)
    if isinstance(value, str):
        return _printable(value)
    if not isinstance(value, list):
        return None
    parts = [_printable(each) if isinstance(each, str) else each for each in value]
    return parts if all(isinstance(each, str) or _is_whole(each) for each in parts) else None


def _data(event: _Event) -> bytes:
    value = event.get("data")
    try:
        return binascii.a2b_base64(value) if isinstance(value, str) else b""
    except ValueError:
        return b""


def _printable(text: str) -> str:
    r"""A text that every encoding for files can hold: a path may have bytes that are no text, and JSON has `\ud800`."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
