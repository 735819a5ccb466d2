"""The kernel's sockets, with what packets need of them: all who had one, and all that they called on it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from oxisocket._seeing.conversation import Conversation
from oxisocket._seeing.kernel_sockets import KernelSocket, find
from oxisocket._seeing.record import Address, Call, Socket
from oxisocket._seeing.steps import End

STREAMS = ("SOCK_STREAM", "SOCK_SEQPACKET")
DATAGRAMS = ("SOCK_DGRAM",)


@dataclass(slots=True, eq=False)
class Shared:
    """A socket that one or several numbers and programs have; each with the number of its record, the first one first."""

    members: list[tuple[int, Socket]]
    calls: list[tuple[int, Call]]
    local: Address
    peer: Address

    @property
    def first(self) -> Socket:
        """The one that was there first."""
        return self.members[0][1]

    @property
    def record(self) -> int:
        """The record of the one that was there first."""
        return self.members[0][0]

    @property
    def closing(self) -> tuple[int, Socket] | None:
        """Who closed it last; None while somebody has it, or if it was given away."""
        number, last = max(self.members, key=lambda each: (each[1].closed is None, each[1].closed or 0))
        return None if last.closed is None or last.closed_by == "detach" else (number, last)

    @property
    def found(self) -> bool:
        """Whether it was there before anybody recorded it."""
        return all(socket.by not in ("socket", "accept", "socketpair") for _, socket in self.members)


def shared_sockets(conversation: Conversation) -> dict[End, Shared]:
    """Which socket each number of each record means."""
    found = find(conversation.records, conversation.steps)
    shared = {each: _shared(conversation, each) for each in dict.fromkeys(found.values())}
    connected: defaultdict[tuple[object, ...], list[KernelSocket]] = defaultdict(list)
    for each in shared:
        if isinstance(each.local_key, tuple) and isinstance(each.peer_key, tuple):
            connected[each.type, each.local_key, each.peer_key].append(each)
    for same in connected.values():
        _join(sorted(same, key=lambda each: each.began), shared)
    return {end: shared[each] for end, each in found.items()}


def _shared(conversation: Conversation, socket: KernelSocket) -> Shared:
    members = [(each.record, conversation.records[each.record].sockets[each.socket]) for each in socket.ends]
    calls = [(step.lane.record, step.call) for step in socket.steps if step.closed_by is None]
    return Shared(members, calls, socket.local, socket.peer)


def _join(same: list[KernelSocket], shared: dict[KernelSocket, Shared]) -> None:
    """At one time only one socket has these two addresses, also where no cookie tells so, as after a fork."""
    for one, other in pairwise(same):
        earlier, later = shared[one], shared[other]
        last = max(2**63 if socket.closed is None else socket.closed for _, socket in earlier.members)
        if other.began < last:
            earlier.members += later.members
            earlier.calls = sorted(earlier.calls + later.calls, key=lambda each: each[1].t)
            shared[other] = earlier
