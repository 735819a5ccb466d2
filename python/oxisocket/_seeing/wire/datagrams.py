"""The datagrams of all records, each as one packet, however many have told of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from oxisocket._seeing.addresses import key_of, port_of
from oxisocket._seeing.conversation import Conversation
from oxisocket._seeing.record import Address, Call, Record
from oxisocket._seeing.steps import End, Step

from .frames import Frames, Why, program_of, why_call
from .hosts import Hosts, Known
from .packets import LARGEST_DATAGRAM, Endpoint, Payload, udp
from .sockets import DATAGRAMS, Shared

_NOBODY = "not recorded"
_NOT_UDP = (1, 58)
"""ICMP: the system writes the header of what such a socket sends."""


class Datagrams:
    """Makes the frames of datagrams."""

    def __init__(self, records: list[Record], sockets: dict[End, Shared], hosts: Hosts, frames: Frames, largest: int) -> None:
        self._records = records
        self._sockets = sockets
        self._hosts = hosts
        self._frames = frames
        self._largest = largest

    def add(self, conversation: Conversation) -> None:
        """Add the frames of what was sent, and of what was received from somebody who was not recorded."""
        receipts: defaultdict[int, list[Step]] = defaultdict(list)
        told: set[int] = set()
        empty = self._empty_sends()
        for arrow in conversation.arrows:
            if arrow.kind == "datagram":
                receipts[id(arrow.source.call)].append(arrow.target)
                told.add(id(arrow.target.call))
        for socket in dict.fromkeys(self._sockets.values()):
            if socket.first.type in DATAGRAMS and socket.first.proto not in _NOT_UDP:
                for number, call in socket.calls:
                    if _has_sent(call):
                        self._add_sent(socket, number, call, receipts[id(call)])
                    elif _has_received(call) and id(call) not in told:
                        # Without bytes there is no arrow.
                        place = _place(socket.local)
                        if call.received == 0 and empty[place] > 0:
                            empty[place] -= 1
                        else:
                            self._add_received(socket, number, call)

    def _empty_sends(self) -> Counter[int | str | None]:
        """How many datagrams without bytes were sent to each port or path."""
        calls = ((socket, call) for socket in dict.fromkeys(self._sockets.values()) for _, call in socket.calls)
        return Counter(_place(call.address or socket.peer) for socket, call in calls if _has_sent(call) and not call.sent)

    def _add_sent(self, socket: Shared, number: int, call: Call, receipts: list[Step]) -> None:
        family = socket.first.family
        receivers = [self._sockets[step.end] for step in receipts if step.end is not None]
        seen_as = next((step.call.address for step in receipts if step.call.address), None)
        source = Known(family, _more_exact(socket.local, seen_as), self._program(socket))
        receiver = receivers[0] if receivers else self._twin(socket)
        reached = call.address or socket.peer or (receiver.local if receiver is not None else None)
        target = Known(family, reached, self._program(receiver))
        why = why_call(self._records, number, call)
        got = [why_call(self._records, step.lane.record, step.call).text for step in receipts]
        why = Why(why.record, "; received by ".join([why.text, *got]))
        key_of_target = receiver if receiver is not None else (socket, "peer")
        ends = self._hosts.endpoints((source, socket), (target, key_of_target))
        whole = [call.data, *(step.call.data for step in receipts if step.call.received == call.sent)]
        payload = Payload(min(call.sent, self._largest), max(whole, key=len)[: call.sent])
        self._add(call.t, ends, payload, why, outbound=True)

    def _add_received(self, socket: Shared, number: int, call: Call) -> None:
        family = socket.first.family
        twin = self._twin(socket)
        source = Known(family, call.address or socket.peer, self._program(twin))
        target = Known(family, socket.local, self._program(socket))
        ends = self._hosts.endpoints((source, (socket, "peer") if twin is None else twin), (target, socket))
        payload = Payload(min(call.received, self._largest), call.data)
        self._add(call.t + call.took, ends, payload, why_call(self._records, number, call), outbound=False)

    def _twin(self, socket: Shared) -> Shared | None:
        twin = socket.first.twin
        return None if twin is None else self._sockets.get(End(socket.record, twin))

    def _program(self, socket: Shared | None) -> str:
        return _NOBODY if socket is None else program_of(self._records[socket.record])

    def _add(self, t: int, ends: tuple[Endpoint, Endpoint], payload: Payload, why: Why, *, outbound: bool) -> None:
        parts = list(_parts(payload))
        for number, part in enumerate(parts, 1):
            text = why.text if len(parts) == 1 else f"part {number} of {len(parts)} of one datagram: {why.text}"
            self._frames.add(t, udp(*ends, part), Why(why.record, text), outbound=outbound)


def _place(address: Address) -> int | str | None:
    key = key_of(address)
    return None if key is None else port_of(key)


def _has_sent(call: Call) -> bool:
    return call.sent > 0 or (call.call.startswith("send") and call.result == "0")


def _has_received(call: Call) -> bool:
    """Whether the call got a datagram. An empty one has no length to tell it by, but whoever failed got none."""
    empty = call.call.startswith("recv") and call.error is None and not call.unfinished and not call.peeked
    return call.received > 0 or (empty and "MSG_PEEK" not in call.arguments)


def _more_exact(own: Address, seen: Address) -> Address:
    """Where a datagram came from: a socket that is bound to every address does not know, who receives it does."""
    return own if own and not (isinstance(own, list) and seen) else seen or own


def _parts(payload: Payload) -> Iterator[Payload]:
    """A UNIX socket takes datagrams that are larger than any of UDP."""
    yield Payload(min(payload.size, LARGEST_DATAGRAM), payload.known[: min(payload.size, LARGEST_DATAGRAM)])
    for first in range(LARGEST_DATAGRAM, payload.size, LARGEST_DATAGRAM):
        size = min(LARGEST_DATAGRAM, payload.size - first)
        yield Payload(size, payload.known[first : first + size])
