"""What a conversation consists of: lanes, the steps in them, arrows between the steps, and connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from .record import Call

if TYPE_CHECKING:
    _Kind: TypeAlias = Literal["connect", "data", "end", "datagram", "refused"]


class End(NamedTuple):
    """A socket of a record."""

    record: int
    """Which record, an index of `Conversation.records`."""
    socket: int
    """Its number in that record."""


@dataclass(slots=True, eq=False)
class Lane:
    """A thread that made calls. The lanes of a record are side by side, in the order of their first calls."""

    index: int
    record: int
    thread: int
    program: str
    pid: int
    name: str
    """The thread's name; empty where the program has only one lane."""


@dataclass(slots=True, eq=False)
class Connection:
    """Two sockets that talk to each other: what was connected and what was accepted, or two that exchange datagrams.

    An end is None if the program at that end was not recorded, or its socket could not be told. Where a socket has several
    numbers, it is the first one.
    """

    index: int
    client: End | None
    server: End | None
    description: str
    """Such as `127.0.0.1:41234 → 127.0.0.1:5000`."""


@dataclass(slots=True, eq=False)
class Step:
    """A call in its lane, or the closing of a socket, which is then a call named `close` or `detach` that took no time."""

    index: int
    """Its place in `Conversation.steps`."""
    lane: Lane
    call: Call
    end: End | None
    connection: Connection | None = None
    closed_by: str | None = None
    """Only for a closing: `close`, `detach` or `finalizer`."""

    @property
    def began(self) -> int:
        """When it began, in nanoseconds since 1970."""
        return self.call.t

    @property
    def ended(self) -> int:
        """When it ended, in nanoseconds since 1970."""
        return self.call.t + self.call.took


@dataclass(slots=True, eq=False)
class Arrow:
    """What went from one step to another.

    - `connect`: from a `connect` to the `accept` of its connection.
    - `data`: from a send to a receive that got bytes of it, those from `first` up to, not including, `last`, counted from the
      start of the stream. A look at the bytes (MSG_PEEK) gets no arrow.
    - `end`: from the `shutdown` or closing of one end to the first receive of the other that met the end of the stream, or failed
      because the connection was reset.
    - `datagram`: from its send to its receive; `first` is 0, and `last` the size that was sent.
    - `refused`: from a `connect` that nobody accepts to the call that tells it: mostly itself, a `getsockopt` for a socket
      that does not block.
    """

    source: Step
    target: Step
    kind: _Kind
    first: int = 0
    last: int = 0
