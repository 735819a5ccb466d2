"""A TCP connection: what its two ends have told, made into segments that fit together.

Each end tells how far a stream has come: who sent, how much has been sent; who received, how much must have been sent by then.
The bytes go out with whoever tells of them first. So it makes no difference whether one end was recorded or both, and bytes that
were sent behind the record's back are there when they arrive.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

from .frames import Frames, Why
from .packets import ACK, FIN, LARGEST_SEGMENT, PSH, RST, SYN, Endpoint, Payload, Segment, tcp

Side = int
"""0 is the client, 1 the server."""


class Kind(IntEnum):
    """What a call tells of. Of one time, those with which a call ends come before those with which one begins."""

    ASKED = 1
    OPEN = 2
    REFUSED = 3
    RECEIVED = 4
    EOF = 5
    RESET = 6
    SENT = 7
    END = 8
    ABORT = 9


_ANSWERS: tuple[tuple[Side, int], ...] = ((1, SYN | ACK), (0, ACK))

_MOST_IN_FLIGHT = 2**20
"""So many bytes are acknowledged at the latest, also if nobody tells that they were received."""


class Told(NamedTuple):
    """What a call tells of a connection: at time `t`, its own side does or sees something.

    - It has `ASKED` to connect, sees that the connection is `OPEN`, or that it was `REFUSED`.
    - It has `SENT` or `RECEIVED` `size` bytes in all.
    - It sends no more (`END`), or has met the end of what the other one sends (`EOF`).
    - It has met a `RESET` by the other one, or resets the connection itself (`ABORT`).
    """

    t: int
    kind: Kind
    side: Side
    size: int
    why: Why


class Content:
    """What is known of the bytes of a stream, from what was kept of each call at both ends."""

    def __init__(self, sent: list[tuple[int, bytes]], received: list[tuple[int, bytes]]) -> None:
        self._chunks = [sent, received]
        self._starts = [[start for start, _ in chunks] for chunks in self._chunks]

    def known(self, first: int, last: int) -> bytes:
        """The bytes from `first` on, up to `last`, or to the first one that nobody knows."""
        parts = []
        while first < last:
            part = self._sent_or_received(first)[: last - first]
            if not part:
                break
            parts.append(part)
            first += len(part)
        return b"".join(parts)

    def _sent_or_received(self, at: int) -> bytes:
        for chunks, starts in zip(self._chunks, self._starts, strict=True):
            place = bisect_right(starts, at) - 1
            if place >= 0 and (part := chunks[place][1][at - starts[place] :]):
                return part
        return b""


@dataclass(slots=True)
class Half:
    """One end: its address, whether it was recorded, and the stream that it sends."""

    endpoint: Endpoint
    recorded: bool
    content: Content
    total: int
    """How many bytes it sends in all."""
    first: int
    """Its initial sequence number."""
    opened: Why | None = None
    """The call that made it a connection: `connect` or `accept`."""
    sent: int = 0
    next: int = 0
    """The next sequence number, counted from the first."""
    read: int = 0
    """How many bytes of the other one it has received."""
    acknowledged: int = 0
    """Up to which sequence number it has acknowledged the other one, counted from the other's first."""
    ended: bool = False


class _State(Enum):
    NEW = 1
    ASKED = 2
    OPEN = 3
    OVER = 4


class Stream:
    """A connection. `handshake` is False for one that was there before anybody recorded it."""

    def __init__(self, frames: Frames, client: Half, server: Half, *, handshake: bool) -> None:
        self._frames = frames
        self._halves = (client, server)
        self._state = _State.NEW
        if not handshake:
            self._state = _State.OPEN
            for half in self._halves:
                half.next = half.acknowledged = 1
        self._kinds: dict[Kind, Callable[[Told], None]] = {
            Kind.ASKED: self._on_asked,
            Kind.OPEN: self._on_open,
            Kind.REFUSED: self._on_refused,
            Kind.SENT: self._on_sent,
            Kind.RECEIVED: self._on_received,
            Kind.END: self._on_end,
            Kind.EOF: self._on_eof,
            Kind.RESET: self._on_reset,
            Kind.ABORT: self._on_abort,
        }

    def tell(self, told: Told) -> None:
        """Go on to what this tells. Must be called in the order of time."""
        if self._state is not _State.OVER:
            self._kinds[told.kind](told)

    def _on_asked(self, told: Told) -> None:
        if self._state is _State.NEW:
            self._segment(0, SYN, told)
            self._state = _State.ASKED

    def _on_open(self, told: Told) -> None:
        self._on_asked(told)
        if self._state is _State.ASKED:
            for side, flags in _ANSWERS:
                opened = self._halves[side].opened
                self._segment(side, flags, told if opened is None else told._replace(side=side, why=opened))
            self._state = _State.OPEN

    def _on_refused(self, told: Told) -> None:
        self._on_asked(told)
        if self._state is _State.ASKED:
            self._segment(1, RST | ACK, told)
            self._state = _State.OVER

    def _on_sent(self, told: Told) -> None:
        self._on_open(told)
        self._send(told.side, told.size, told)

    def _on_received(self, told: Told) -> None:
        self._on_open(told)
        self._send(_other(told.side), told.size, told)
        half = self._halves[told.side]
        half.read = max(half.read, told.size)
        self._acknowledge(told.side, 1 + half.read, told)

    def _on_end(self, told: Told) -> None:
        if self._state is _State.ASKED:
            # Given up before it was answered.
            self._state = _State.OVER
            return
        self._on_open(told)
        self._end(told.side, told)

    def _on_eof(self, told: Told) -> None:
        self._on_open(told)
        self._end(_other(told.side), told)
        self._acknowledge(told.side, self._halves[_other(told.side)].next, told)

    def _on_reset(self, told: Told) -> None:
        if self._state is _State.ASKED:
            self._on_refused(told)
        else:
            self._reset(_other(told.side), told)

    def _on_abort(self, told: Told) -> None:
        if self._state is _State.ASKED:
            self._state = _State.OVER
        else:
            self._reset(told.side, told)

    def _send(self, side: Side, upto: int, told: Told) -> None:
        half = self._halves[side]
        while half.sent < upto:
            last = min(half.sent + LARGEST_SEGMENT, upto)
            payload = Payload(last - half.sent, half.content.known(half.sent, last))
            self._segment(side, ACK | (PSH if last == upto else 0), told, payload)
            half.sent = last
            if half.next - self._halves[_other(side)].acknowledged >= _MOST_IN_FLIGHT:
                self._acknowledge(_other(side), half.next, told)

    def _end(self, side: Side, told: Told) -> None:
        half, other = self._halves[side], self._halves[_other(side)]
        if half.ended:
            return
        self._send(side, half.total, told)
        self._segment(side, FIN | ACK, told)
        half.ended = True
        if other.ended or not other.recorded:
            self._acknowledge(_other(side), half.next, told)
        if other.ended:
            self._acknowledge(side, other.next, told)

    def _reset(self, side: Side, told: Told) -> None:
        """What either has sent before goes out first: a reset is the last word."""
        self._on_open(told)
        for each in (_other(side), side):
            if not self._halves[each].ended:
                self._send(each, self._halves[each].total, told)
        self._segment(side, RST | ACK, told)
        self._state = _State.OVER

    def _acknowledge(self, side: Side, upto: int, told: Told) -> None:
        half = self._halves[side]
        if upto > half.acknowledged:
            half.acknowledged = upto
            self._segment(side, ACK, told)

    def _segment(self, side: Side, flags: int, told: Told, payload: Payload | None = None) -> None:
        half, other = self._halves[side], self._halves[_other(side)]
        if flags & ACK and (not half.recorded or flags & SYN or self._state is _State.ASKED):
            half.acknowledged = other.next
        payload = payload or Payload()
        numbers = Segment(half.first + half.next, other.first + half.acknowledged, flags)
        packet = tcp(half.endpoint, other.endpoint, numbers, payload)
        self._frames.add(told.t, packet, told.why, outbound=side == told.side)
        half.next += payload.size + bool(flags & (SYN | FIN))


def _other(side: Side) -> Side:
    return 1 - side
