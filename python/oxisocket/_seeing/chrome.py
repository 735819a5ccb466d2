"""Writes records in Chrome's trace event format, which Perfetto (https://ui.perfetto.dev) and chrome://tracing show.

A process for each record, a track for each thread, on it a slice for each call, with the time that it waited as a slice inside.
Arrows lead from who sent to who received. Each socket has a slice from its beginning to its closing, and a counter of its bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from .addresses import text_of
from .conversation import Conversation, match
from .record import Record, Socket
from .steps import Arrow, End, Lane, Step

_Event = dict[str, object]


def trace(records: list[Record]) -> str:
    """The calls of these records as JSON. Times are microseconds since the first of them began, which is in `otherData`."""
    tracing = _Tracing(match(records))
    whole = {
        "traceEvents": list(tracing.events()),
        "displayTimeUnit": "ns",
        "otherData": {
            "began_ns": tracing.began,
            "recorded": [f"{record.process.program} (pid {record.process.pid})" for record in records],
            "notes": tracing.conversation.notes,
        },
    }
    # Perfetto shows an escaped letter as its escape. A half of a surrogate pair would not go into a file.
    text = json.dumps(whole, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


class _Tracing:
    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.records = conversation.records
        times = [record.process.began for record in self.records] + [step.began for step in conversation.steps]
        times += [socket.began for record in self.records for socket in record.sockets.values()]
        # Since 1970 there have been too many microseconds for a float that shall also tell nanoseconds.
        self.began = min(times, default=0)
        self.pids = _numbers([record.process.pid for record in self.records])
        self.arrivals = _arrivals(conversation.arrows)
        self.arrived: dict[int, int] = {}
        """When the waiting of a step was over, to which an arrow leads."""

    def events(self) -> Iterator[_Event]:
        yield from self.names()
        for step in self.conversation.steps:
            yield self.slice(step)
        yield from self.inner()
        for number, arrow in enumerate(self.conversation.arrows, 1):
            yield from self.flow(number, arrow)
        for index, record in enumerate(self.records):
            yield from self.lives(index, record)
        yield from self.counters()

    def microseconds(self, t: int) -> float:
        return (t - self.began) / 1000

    def place(self, lane: Lane, t: int) -> _Event:
        return {"pid": self.pids[lane.record], "tid": lane.thread, "ts": self.microseconds(t)}

    def names(self) -> Iterator[_Event]:
        for index, record in enumerate(self.records):
            process: _Event = {"ph": "M", "pid": self.pids[index], "tid": 0, "ts": 0}
            yield {**process, "name": "process_name", "args": {"name": record.process.program or "python"}}
            yield {**process, "name": "process_labels", "args": {"labels": " ".join(record.process.arguments)}}
            yield {**process, "name": "process_sort_index", "args": {"sort_index": index}}
            for thread, name in record.threads.items():
                yield {**process, "tid": thread, "name": "thread_name", "args": {"name": name}}
        for lane in self.conversation.lanes:
            sort = {"sort_index": lane.index}
            yield {"ph": "M", **self.place(lane, self.began), "name": "thread_sort_index", "args": sort}

    def slice(self, step: Step) -> _Event:
        call = step.call
        name = f"{call.call} (never ended)" if call.unfinished else call.call
        category = "error" if call.error is not None else "close" if step.closed_by else "call"
        # No arrow can begin or end at a slice that takes no time.
        begun: _Event = {"ph": "X", "name": name, "cat": category, **self.place(step.lane, step.began)}
        return {**begun, "dur": max(call.took, 1) / 1000, "args": _values(step)}

    def inner(self) -> Iterator[_Event]:
        """What lies inside a call: an attempt, the waiting, and the transfer, which is drawn where an arrow leads to it."""
        following: dict[Lane, Step] = {}
        for step in reversed(self.conversation.steps):
            waited = min(step.call.waited, step.call.took)
            then = following.get(step.lane)
            # A signal handler's calls lie inside the waiting call. Nobody knows where its waiting was interrupted.
            if waited and (then is None or then.began >= step.ended):
                begun = step.began + (step.call.took - waited) // 2
                got = min(begun + waited, step.ended - 1)
                if got > begun:
                    waiting: _Event = {"ph": "X", "name": "waits", "cat": "wait", **self.place(step.lane, begun)}
                    yield {**waiting, "dur": (got - begun) / 1000}
                if step.index in self.arrivals:
                    self.arrived[step.index] = got
                    arrival: _Event = {"ph": "X", "name": self.arrivals[step.index], "cat": "wait", **self.place(step.lane, got)}
                    yield {**arrival, "dur": (step.ended - got) / 1000}
            following[step.lane] = step

    def flow(self, number: int, arrow: Arrow) -> Iterator[_Event]:
        """An arrow. It begins and ends where the slices begin that it joins, because Perfetto draws it so."""
        if arrow.source is arrow.target:
            return
        flow: _Event = {"cat": arrow.kind, "name": arrow.kind, "id": number}
        args = {"first": arrow.first, "last": arrow.last}
        yield {"ph": "s", **flow, **self.place(arrow.source.lane, arrow.source.began), "args": args}
        arrived = self.arrived.get(arrow.target.index, arrow.target.began)
        yield {"ph": "f", "bp": "e", **flow, **self.place(arrow.target.lane, arrived), "args": args}

    def lives(self, index: int, record: Record) -> Iterator[_Event]:
        ended = _end_of(record)
        for socket in record.sockets.values():
            closed = max(ended if socket.closed is None else socket.closed, socket.began)
            life: _Event = {"cat": "socket", "id2": {"local": str(socket.number)}, "name": _label(socket)}
            life |= {"pid": self.pids[index], "tid": record.process.pid}
            about: _Event = {"fd": socket.fd, "family": socket.family, "type": socket.type, "by": socket.by}
            about |= {} if socket.opened is None else {"opened": socket.opened}
            yield {"ph": "b", **life, "ts": self.microseconds(socket.began), "args": about}
            yield {"ph": "e", **life, "ts": self.microseconds(closed), "args": {"closed": _closing(record, socket)}}

    def counters(self) -> Iterator[_Event]:
        """How many bytes each socket has sent and received, whenever it has."""
        totals: dict[End, tuple[int, int]] = {}
        for step in sorted(self.conversation.steps, key=lambda step: step.ended):
            if step.end is None or not (step.call.sent or step.call.received):
                continue
            sent, received = totals.get(step.end, (0, 0))
            totals[step.end] = sent, received = sent + step.call.sent, received + step.call.received
            name = f"bytes of {_label(self.records[step.end.record].sockets[step.end.socket])}"
            yield {"ph": "C", "name": name, **self.place(step.lane, step.ended), "args": {"sent": sent, "received": received}}


def _arrivals(arrows: list[Arrow]) -> dict[int, str]:
    """What comes to each step that an arrow leads to."""
    sizes: dict[int, int] = {}
    for arrow in arrows:
        sizes[arrow.target.index] = sizes.get(arrow.target.index, 0) + arrow.last - arrow.first
    names = {"connect": "gets a connection", "end": "meets the end"}
    return {
        arrow.target.index: names.get(arrow.kind, f"gets {sizes[arrow.target.index]} bytes")
        for arrow in arrows
        if arrow.kind != "refused"
    }


def _numbers(pids: list[int]) -> list[int]:
    """A number for each process: its own, unless another one has it, on another machine or at another time."""
    taken: set[int] = set()
    numbers = []
    for pid in pids:
        number = pid if pid not in taken else max(taken) + 1
        taken.add(number)
        numbers.append(number)
    return numbers


def _values(step: Step) -> _Event:
    """What a click on a call shows; what has no value is left out."""
    call = step.call
    connection = None if step.connection is None else step.connection.description
    values: _Event = {
        "arguments": call.arguments,
        "result": call.result,
        "error": call.error,
        "received": call.received,
        "sent": call.sent,
        "peeked": call.peeked,
        "data": call.data.decode("utf-8", "backslashreplace"),
        "address": "" if call.address is None else text_of(call.address),
        "end of stream": call.eof,
        "descriptors with it": call.rights,
        "plain text of TLS": call.tls,
        "waited_us": call.waited / 1000,
        "socket": call.socket,
        "fd": call.fd,
        "connection": connection,
        "closed by": step.closed_by,
        "caller": call.caller,
    }
    return {name: value for name, value in values.items() if _says_something(name, value)}


def _says_something(name: str, value: object) -> bool:
    return value is not None and (name in ("fd", "result") or bool(value))


def _label(socket: Socket) -> str:
    peer = f" → {text_of(socket.peer)}" if socket.peer else ""
    return f"socket {socket.number} {text_of(socket.local)}{peer}"


def _closing(record: Record, socket: Socket) -> str:
    if socket.closed is not None:
        return {"finalizer": "by the garbage collector", "detach": "given away"}.get(socket.closed_by or "", "by the program")
    return "never" if record.ended else "not yet"


def _end_of(record: Record) -> int:
    """When the last thing happened that the record tells of."""
    last = max((call.t + call.took for call in record.calls), default=record.process.began)
    return max([last, *(socket.closed or socket.began for socket in record.sockets.values())])
