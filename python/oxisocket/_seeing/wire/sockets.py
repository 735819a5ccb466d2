"""The kernel's sockets, with what packets need of them: all who had one, and all that they called on it."""

from __future__ import annotations

from dataclasses import dataclass

from oxisocket._seeing.conversation import Conversation
from oxisocket._seeing.kernel_sockets import find
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
    shared: dict[int, Shared] = {}
    sockets = {}
    for end, kernel_socket in find(conversation.records, conversation.steps).items():
        if id(kernel_socket) not in shared:
            shared[id(kernel_socket)] = Shared(
                members=[(each.record, conversation.records[each.record].sockets[each.socket]) for each in kernel_socket.ends],
                calls=[(step.lane.record, step.call) for step in kernel_socket.steps if step.closed_by is None],
                local=kernel_socket.local,
                peer=kernel_socket.peer,
            )
        sockets[end] = shared[id(kernel_socket)]
    return sockets
