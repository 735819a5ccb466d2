"""Matches the records of programs that talked to each other: whose bytes went where."""

from __future__ import annotations

from dataclasses import dataclass

from . import datagrams, kernel_sockets, pairs, streams
from .addresses import host_of, text_of
from .kernel_sockets import KernelSocket
from .notes import Notes
from .record import Call, Record, Socket
from .steps import Arrow, Connection, End, Lane, Step

__all__ = ["Arrow", "Connection", "Conversation", "End", "Lane", "Step", "match"]


@dataclass(slots=True, eq=False)
class Conversation:
    """All calls of some records, in the order in which they began, and what went from one to another.

    `unclosed` are the sockets that a program left to the garbage collector, or had open when it ended in order. `notes` say what
    could not be matched, and why.
    """

    records: list[Record]
    lanes: list[Lane]
    steps: list[Step]
    arrows: list[Arrow]
    connections: list[Connection]
    unclosed: list[End]
    notes: list[str]


def match(records: list[Record]) -> Conversation:
    """Find out who talked to whom in these records."""
    return _Matching(records).conversation()


class _Matching:
    def __init__(self, records: list[Record]) -> None:
        self.records = records
        self.lanes, self.steps = _lay_out(records)
        self.sockets = kernel_sockets.find(records, self.steps)
        self.arrows: list[Arrow] = []
        self.connections: list[Connection] = []
        self.notes = Notes(records)
        self.accepts = {End(step.lane.record, number): step for step in self.steps for number in step.call.new}

    def conversation(self) -> Conversation:
        for client, server in pairs.pair(self.sockets):
            self.connect(client, server)
        self.deliver()
        self.refuse()
        for step in self.steps:
            self.name_connection(step)
        self.arrows.sort(key=lambda arrow: (arrow.source.index, arrow.target.index, arrow.first))
        self.notes.on_clocks(self.arrows)
        unclosed = _unclosed(self.records)
        return Conversation(self.records, self.lanes, self.steps, self.arrows, self.connections, unclosed, self.notes.texts())

    def connect(self, client: KernelSocket | None, server: KernelSocket | None) -> None:
        connection = self.add_connection(client, server)
        if client is None or server is None:
            self.notes.on_missing_end(connection)
            return
        began, accepted = client.connect_step(), self.accept_step(server)
        if began is not None and accepted is not None:
            self.arrows.append(Arrow(began, accepted, "connect"))
        directions = [(client, server)] if client is server else [(client, server), (server, client)]
        for source, target in directions:
            flow = streams.follow(source, target)
            self.arrows += flow.arrows
            self.notes.on_flow(flow, connection, source.ends[0], target.ends[0])

    def add_connection(self, client: KernelSocket | None, server: KernelSocket | None) -> Connection:
        ends = [None if each is None else each.ends[0] for each in (client, server)]
        connection = Connection(len(self.connections), ends[0], ends[1], _describe(client, server))
        self.connections.append(connection)
        for each in (client, server):
            if each is not None and each.connection is None:
                each.connection = connection
        return connection

    def accept_step(self, server: KernelSocket) -> Step | None:
        return next((self.accepts[end] for end in server.ends if end in self.accepts), None) if server.accepted else None

    def deliver(self) -> None:
        sockets = [each for each in dict.fromkeys(self.sockets.values()) if not each.is_stream]
        twins = {each: self.sockets[each.twin] for each in sockets if each.twin is not None and each.twin in self.sockets}
        twins = {each: twin for each, twin in twins.items() if not twin.is_stream}
        between: dict[tuple[KernelSocket, KernelSocket], Connection] = {}
        for arrow, sender, receiver in datagrams.deliver(sockets, twins):
            connection = between.get((sender, receiver)) or between.get((receiver, sender))
            if connection is None:
                connection = between[sender, receiver] = self.add_connection(sender, receiver)
            arrow.source.connection = arrow.target.connection = connection
            self.arrows.append(arrow)

    def refuse(self) -> None:
        for socket in dict.fromkeys(self.sockets.values()):
            self.arrows += kernel_sockets.refusals(socket)

    def name_connection(self, step: Step) -> None:
        """Put a step under its connection; an accept under the one that it has made."""
        if step.connection is None:
            ends = [End(step.lane.record, number) for number in step.call.new[:1]]
            ends += [] if step.end is None else [step.end]
            step.connection = next((self.sockets[end].connection for end in ends if self.sockets[end].connection), None)


def _lay_out(records: list[Record]) -> tuple[list[Lane], list[Step]]:
    """A lane for each thread, and each call in its lane; the closing of a socket too."""
    lanes: list[Lane] = []
    calls: list[tuple[Call, Lane, str | None]] = []
    for index, record in enumerate(records):
        of_thread: dict[int, Lane] = {}
        threads = dict.fromkeys(call.thread for call in record.calls) or {record.process.pid: None}
        for thread in threads:
            name = record.threads.get(thread, "") if len(threads) > 1 else ""
            of_thread[thread] = Lane(len(lanes), index, thread, record.process.program, record.process.pid, name)
            lanes.append(of_thread[thread])
        told = _closing_calls(record)
        calls += [(call, of_thread[call.thread], told.get(index)) for index, call in enumerate(record.calls)]
        calls += [
            (call, of_thread[call.thread], by)
            for call, by in _closings(record, of_thread, {record.calls[index].socket for index in told})
        ]
    calls.sort(key=lambda each: each[0].t)
    steps = []
    for index, (call, lane, by) in enumerate(calls):
        end = None if call.socket is None else End(lane.record, call.socket)
        steps.append(Step(index, lane, call, end, closed_by=by))
    return lanes, steps


def _closing_calls(record: Record) -> dict[int, str]:
    """The calls that have closed their sockets, by their indices, each with how."""
    found = {}
    for index, call in enumerate(record.calls):
        if call.call not in ("close", "detach") or call.socket is None:
            continue
        socket = record.sockets[call.socket]
        if socket.closed is not None and call.t <= socket.closed <= call.t + call.took:
            found[index] = socket.closed_by or "close"
    return found


def _closings(record: Record, lanes: dict[int, Lane], told: set[int | None]) -> list[tuple[Call, str]]:
    """The closings of a record's sockets as calls, in the thread that closed them, or else the one that called on them last.

    Without those sockets of which a call has told it.
    """
    last = {call.socket: call.thread for call in record.calls}
    first = next(iter(lanes))
    found = []
    for socket in record.sockets.values():
        if socket.closed is None or socket.number in told:
            continue
        by = socket.closed_by or "close"
        thread = socket.closed_in if socket.closed_in in lanes else last.get(socket.number, first)
        found.append((_closing(socket, socket.closed, thread if thread is not None else first, by), by))
    return found


def _closing(socket: Socket, t: int, thread: int, by: str) -> Call:
    name = "detach" if by == "detach" else "close"
    return Call(t, 0, 0, thread, socket.number, socket.fd, name, "", caller=socket.closed_at)


def _describe(client: KernelSocket | None, server: KernelSocket | None) -> str:
    if client is not None and server is not None and client.twin is not None:
        return f"socketpair {client.ends[0].socket} ↔ {server.ends[0].socket}"
    if client is None:
        return "? → ?" if server is None else f"{text_of(server.peer)} → {text_of(server.local)}"
    if server is None:
        return f"{text_of(client.local)} → {text_of(client.peer)}"
    # A socket that is bound to every address of its host tells less than the other end's view of it.
    local = client.local if host_of(client.local_key) or not server.peer_key else server.peer
    peer = server.local if host_of(server.local_key) or not client.peer_key else client.peer
    return f"{text_of(local)} → {text_of(peer)}"


def _unclosed(records: list[Record]) -> list[End]:
    return [
        End(index, socket.number)
        for index, record in enumerate(records)
        for socket in record.sockets.values()
        if socket.closed_by == "finalizer" or (socket.closed is None and record.ended and socket.by not in ("found", ""))
    ]
