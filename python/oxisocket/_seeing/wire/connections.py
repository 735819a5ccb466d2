"""The connections of all records, each as one stream of segments: those of TCP, and those of UNIX sockets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oxisocket._seeing.addresses import host_of, key_of
from oxisocket._seeing.conversation import Conversation
from oxisocket._seeing.record import Address, Call, Record
from oxisocket._seeing.steps import End

from .attempts import Attempt, Outcome, attempts
from .events import Transfers, ends, met_reset, received, sent
from .frames import Frames, program_of, why_call
from .hosts import Hosts, Known
from .packets import LARGEST_SEGMENT
from .sockets import STREAMS, Shared
from .streams import Content, Half, Kind, Side, Stream, Told

_MOST_BYTES = 2**34
"""So much is shown of what all calls have transferred: it takes 64 KiB to a packet."""

_SEEN = {Outcome.OPEN: Kind.OPEN, Outcome.REFUSED: Kind.REFUSED}

_NOBODY = "not recorded"


@dataclass(slots=True, eq=False)
class Link:
    """The two sockets of a connection. One is None if it was not recorded."""

    client: Shared | None
    server: Shared | None

    def sides(self) -> Iterator[tuple[Side, Shared]]:
        """Those that were recorded."""
        if self.client is not None:
            yield 0, self.client
        if self.server is not None:
            yield 1, self.server


class Connections:
    """Makes the frames of connections."""

    def __init__(self, records: list[Record], sockets: dict[End, Shared], hosts: Hosts, frames: Frames) -> None:
        self._records = records
        self._sockets = sockets
        self._hosts = hosts
        self._frames = frames
        self._makers = dict(_makers(records))
        self._largest = largest_transfer(records)
        self._count = 0
        self.plain_ports: set[int] = set()
        """The ports of servers whose packets carry the plain text of TLS."""
        self.left_out = 0
        """How many connections could not be shown: their two ends have the same address and port."""

    def add(self, conversation: Conversation) -> None:
        """Add the frames of every connection, and of every attempt to make one."""
        for link in _links(self._sockets, conversation):
            tries = [] if link.client is None else attempts(link.client)
            made = next((each for each in reversed(tries) if each.outcome is Outcome.OPEN or each.under_way), None)
            for each in tries:
                if each is not made and each.outcome is not Outcome.NOTHING:
                    self._add_failed(Link(link.client, None), each)
            if made is not None or any(self._connected(socket) for _, socket in link.sides()):
                self._add_stream(link, made)

    def _connected(self, socket: Shared) -> bool:
        return self._maker(socket) is not None or any(call.sent or call.received or call.eof for _, call in socket.calls)

    def _maker(self, socket: Shared) -> tuple[int, Call] | None:
        """The `accept` or `socketpair` that the socket came from, with its record."""
        return next((made for number, each in socket.members if (made := self._makers.get(End(number, each.number)))), None)

    def _add_failed(self, link: Link, attempt: Attempt) -> None:
        """An attempt that was refused, or was not answered."""
        halves = self._halves(link, attempt.call.address, (Transfers(), Transfers()), (Transfers(), Transfers()))
        self._play(halves, self._told_of(attempt), handshake=True)

    def _add_stream(self, link: Link, made: Attempt | None) -> None:
        going: list[Transfers] = [Transfers(), Transfers()]
        coming: list[Transfers] = [Transfers(), Transfers()]
        told = [] if made is None else self._told_of(made)
        for side, socket in link.sides():
            if _tells_of_content(link, side):
                going[side] = sent(self._records, socket, side, self._largest)
                coming[side] = received(self._records, socket, side, self._largest)
            told += going[side].told + coming[side].told
            maker = self._maker(socket)
            if maker is not None:
                why = why_call(self._records, *maker)
                told.append(Told(maker[1].t + maker[1].took, Kind.OPEN, side, 0, why))
        for side, socket in link.sides():
            told += ends(self._records, socket, side, unread=_closed_unread(link, side))
        address = None if made is None else made.call.address
        halves = self._halves(link, address, (going[0], going[1]), (coming[0], coming[1]))
        self._name_opening(halves, link, made)
        begun = made is not None or any(not socket.found for _, socket in link.sides())
        self._play(halves, told, handshake=begun)

    def _told_of(self, attempt: Attempt) -> list[Told]:
        why = why_call(self._records, attempt.record, attempt.call)
        told = [Told(attempt.call.t, Kind.ASKED, 0, 0, why)]
        if attempt.outcome in _SEEN:
            seen = why_call(self._records, *attempt.by)
            told.append(Told(attempt.ended, _SEEN[attempt.outcome], 0, 0, seen))
        return told

    def _halves(
        self, link: Link, connected_to: Address, going: tuple[Transfers, Transfers], coming: tuple[Transfers, Transfers]
    ) -> tuple[Half, Half]:
        client, server = link.client, link.server
        either = client or server
        family = "" if either is None else either.first.family
        local = client.local if client is not None else None
        peer = client.peer if client is not None else None
        if server is not None:
            local, peer = _more_exact(local, server.peer), _more_exact(peer, server.local)
        elif connected_to:
            peer = connected_to
        known = Known(family, local, self._program(client)), Known(family, peer or connected_to, self._program(server))
        endpoints = self._hosts.endpoints((known[0], (link, 0)), (known[1], (link, 1)))
        self._count += 1
        if any(call.tls for _, socket in link.sides() for _, call in socket.calls):
            self.plain_ports.add(endpoints[1].port)
        halves = [
            Half(
                endpoint=endpoints[side],
                recorded=_tells_of_content(link, side),
                content=Content(going[side].kept, coming[1 - side].kept),
                total=max(going[side].total, coming[1 - side].total),
                first=(self._count * 0x9E3779B1 + side * 0x85EBCA77) & 0xFFFFFFFF,
            )
            for side in (0, 1)
        ]
        return halves[0], halves[1]

    def _program(self, socket: Shared | None) -> str:
        return _NOBODY if socket is None else program_of(self._records[socket.record])

    def _name_opening(self, halves: tuple[Half, Half], link: Link, made: Attempt | None) -> None:
        if made is not None and made.outcome is Outcome.OPEN:
            halves[0].opened = why_call(self._records, *made.by)
        maker = None if link.server is None else self._maker(link.server)
        if maker is not None:
            halves[1].opened = why_call(self._records, *maker)

    def _play(self, halves: tuple[Half, Half], told: list[Told], *, handshake: bool) -> None:
        if halves[0].endpoint == halves[1].endpoint:
            self.left_out += 1
            return
        stream = Stream(self._frames, *halves, handshake=handshake)
        for each in sorted(told, key=lambda each: (each.t, each.kind)):
            stream.tell(each)


def _more_exact(own: Address, others: Address) -> Address:
    """An end's address, as it knows it itself or as the other end does: one of them may name no host."""
    return own if own and (isinstance(own, str) or host_of(key_of(own)) or not others) else others


def largest_transfer(records: list[Record]) -> int:
    """How much of a call is shown at most, so that numbers nobody can have transferred do not fill the disk."""
    sizes = [size for record in records for call in record.calls for size in (call.sent, call.received)]
    many = sum(size > LARGEST_SEGMENT for size in sizes)
    return max(LARGEST_SEGMENT, _MOST_BYTES // many) if many and sum(sizes) > _MOST_BYTES else max(sizes, default=0)


def _makers(records: list[Record]) -> Iterator[tuple[End, tuple[int, Call]]]:
    """Which call made which socket."""
    for number, record in enumerate(records):
        for call in record.calls:
            if call.call in ("accept", "socketpair"):
                for new in call.new:
                    yield End(number, new), (number, call)


def _links(sockets: dict[End, Shared], conversation: Conversation) -> list[Link]:
    """Each connection of streams once, and each socket whose other end is not there."""
    used: set[int] = set()
    links = []
    for connection in conversation.connections:
        client, server = _stream(sockets, connection.client), _stream(sockets, connection.server)
        if client is not server and not {id(client), id(server)} & used:
            links.append(Link(client, server))
            used |= {id(each) for each in (client, server) if each is not None}
    for socket in sockets.values():
        if id(socket) not in used and socket.first.type in STREAMS:
            used.add(id(socket))
            links.append(Link(None, socket) if socket.first.by == "accept" else Link(socket, None))
    return links


def _stream(sockets: dict[End, Shared], end: End | None) -> Shared | None:
    socket = None if end is None else sockets.get(end)
    return socket if socket is not None and socket.first.type in STREAMS else None


def _tells_of_content(link: Link, side: Side) -> bool:
    """Whether this end tells what was sent: who saw ciphertext has nothing to say beside one who saw the plain text."""
    this, other = (link.client, link.server) if side == 0 else (link.server, link.client)
    return this is not None and (other is None or _is_plain(this) or not _is_plain(other))


def _is_plain(socket: Shared) -> bool:
    return any(call.tls for _, call in socket.calls)


def _closed_unread(link: Link, side: Side) -> bool:
    """Whether this end was closed before it had received all: then the system resets the connection."""
    this, other = (link.client, link.server) if side == 0 else (link.server, link.client)
    if this is None or other is None or this.closing is None or not met_reset(other):
        return False
    closed = this.closing[1].closed or 0
    sent_by_then = sum(call.sent for _, call in other.calls if call.t <= closed)
    return sent_by_then > sum(call.received for _, call in this.calls)
