"""The kernel's sockets: one may have several numbers, in one record and in several, after a fork or `dup`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .addresses import Key, key_of
from .record import Address, Record, Socket
from .steps import Arrow, Connection, End, Step

# EINPROGRESS and ECONNREFUSED, as the result of connect_ex or of SO_ERROR.
IN_PROGRESS = "115"
REFUSED = "111"


@dataclass(slots=True, eq=False)
class KernelSocket:
    """A socket with all its numbers, the first one first, and all calls on any of them, in the order in which they began."""

    ends: list[End]
    type: str
    local: Address
    peer: Address
    began: int
    accepted: bool
    twin: End | None
    steps: list[Step] = field(default_factory=list)
    connection: Connection | None = None

    @property
    def local_key(self) -> Key | None:
        return key_of(self.local)

    @property
    def peer_key(self) -> Key | None:
        return key_of(self.peer)

    @property
    def is_stream(self) -> bool:
        """Whether it is connected to one other socket, whose bytes or messages come in order."""
        return self.type in ("SOCK_STREAM", "SOCK_SEQPACKET") or (self.accepted and self.type == "")

    @property
    def has_messages(self) -> bool:
        """Whether one receive gets no more than one send has sent."""
        return self.type == "SOCK_SEQPACKET"

    def connect_step(self) -> Step | None:
        """The call that connected it, or began to."""
        connects = [step for step in self.steps if _connects(step)]
        fitting = (step for step in connects if key_of(step.call.address) == self.peer_key)
        return next(fitting, connects[0] if connects else None)


def _connects(step: Step) -> bool:
    call = step.call
    if call.call == "connect":
        return call.error is None or call.error.startswith("BlockingIOError")
    return call.call == "connect_ex" and call.result in ("0", IN_PROGRESS)


def refusals(socket: KernelSocket) -> Iterator[Arrow]:
    """The connects that nobody accepted, each with the call that told it: a later one for a socket that does not block."""
    asked = None
    for step in socket.steps:
        call = step.call
        if call.call in ("connect", "connect_ex"):
            asked = step if _connects(step) else None
            if call.result == REFUSED or (call.error or "").startswith("ConnectionRefusedError"):
                yield Arrow(step, step, "refused")
        elif asked is not None and call.call == "getsockopt" and call.result == REFUSED and "SO_ERROR" in call.arguments:
            yield Arrow(asked, step, "refused")


def find(records: list[Record], steps: list[Step]) -> dict[End, KernelSocket]:
    """The kernel's socket behind each number of each record."""
    found: dict[End, KernelSocket] = {}
    with_cookie: dict[tuple[str, str, str], list[KernelSocket]] = {}
    numbered = [(End(index, socket.number), socket) for index, record in enumerate(records) for socket in record.sockets.values()]
    for end, socket in sorted(numbered, key=lambda each: each[1].began):
        same = [] if socket.cookie is None else with_cookie.setdefault((socket.family, socket.type, socket.cookie), [])
        shared = next((each for each in same if _is_one(each, socket)), None)
        if shared is None and socket.by == "dup" and socket.of is not None:
            shared = found.get(End(end.record, socket.of))
        if shared is None:
            twin = None if socket.twin is None else End(end.record, socket.twin)
            shared = KernelSocket([], socket.type, socket.local, socket.peer, socket.began, socket.by == "accept", twin)
            same.append(shared)
        _join(shared, end, socket)
        found[end] = shared
    for step in steps:
        if step.end is not None:
            found[step.end].steps.append(step)
    return found


def _is_one(shared: KernelSocket, socket: Socket) -> bool:
    """Cookies of two machines may be the same number. Then the addresses are not."""
    pairs = ((shared.local_key, key_of(socket.local)), (shared.peer_key, key_of(socket.peer)))
    return all(one is None or other is None or one == other for one, other in pairs)


def _join(shared: KernelSocket, end: End, socket: Socket) -> None:
    shared.ends.append(end)
    shared.local = shared.local if shared.local_key else socket.local
    shared.peer = shared.peer if shared.peer_key else socket.peer
    shared.accepted = shared.accepted or socket.by == "accept"
    if shared.twin is None and socket.twin is not None:
        shared.twin = End(end.record, socket.twin)
