"""What the calls on a socket tell of its connection."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field

from oxisocket._seeing.record import Call, Record

from .frames import why_call, why_closed
from .packets import LARGEST_SEGMENT
from .sockets import Shared
from .streams import Kind, Side, Told

_SHUT_RD = ("SHUT_RD", "0")
_LINGER_AND_RESET = "b'\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00'"


@dataclass(slots=True)
class Transfers:
    """What went through a socket in one direction: what each call tells, the size of all, and what was kept, from where on."""

    told: list[Told] = field(default_factory=list)
    total: int = 0
    kept: list[tuple[int, bytes]] = field(default_factory=list)

    def keep(self, size: int, data: bytes) -> None:
        """Count a call's bytes, of which the first are known."""
        if data:
            self.kept.append((self.total, data[:size]))
        self.total += size


def sent(records: list[Record], socket: Shared, side: Side, largest: int) -> Transfers:
    """What was sent; of a call at most `largest` bytes."""
    transfers = Transfers()
    for number, call in socket.calls:
        size = min(call.sent, largest)
        if size > 0:
            why = why_call(records, number, call)
            segments = -(-size // LARGEST_SEGMENT)
            for each in range(segments):
                # A call that waited for room has sent its bytes over all of its time.
                upto = transfers.total + min((each + 1) * LARGEST_SEGMENT, size)
                transfers.told.append(Told(call.t + call.took * each // segments, Kind.SENT, side, upto, why))
            transfers.keep(size, call.data)
    return transfers


def received(records: list[Record], socket: Shared, side: Side, largest: int) -> Transfers:
    """What was received; in a call at most `largest` bytes."""
    transfers = Transfers()
    for number, call in sorted(socket.calls, key=lambda each: each[1].t + each[1].took):
        size = min(call.received, largest)
        if size > 0:
            transfers.keep(size, call.data)
            transfers.told.append(Told(call.t + call.took, Kind.RECEIVED, side, transfers.total, why_call(records, number, call)))
    return transfers


def ends(records: list[Record], socket: Shared, side: Side, *, unread: bool) -> Iterator[Told]:
    """How it ended, as far as this socket tells. `unread`: it was closed while something was in it."""
    shut: set[str] = set()
    lingers = False
    for number, call in socket.calls:
        kind = _end(call, shut)
        if kind is not None:
            began = call.t if kind is Kind.END else call.t + call.took
            yield Told(began, kind, side, 0, why_call(records, number, call))
        lingers = _lingers_not(call) if call.call == "setsockopt" and _sets_linger(call) else lingers
    closing = socket.closing
    if closing is not None:
        kind = Kind.ABORT if lingers or unread else Kind.END
        yield Told(closing[1].closed or 0, kind, side, 0, why_closed(records, *closing))


def met_reset(socket: Shared) -> bool:
    """Whether a call on this socket failed because the other one had reset the connection."""
    return any(call.errno in (errno.ECONNRESET, errno.EPIPE) for _, call in socket.calls)


def _end(call: Call, shut: set[str]) -> Kind | None:
    """How this call tells of an end. `shut` is which directions this socket has shut down so far."""
    if call.call == "shutdown" and call.error is None:
        shut |= {"in"} if call.arguments in _SHUT_RD else {"out"} if call.arguments in ("SHUT_WR", "1") else {"in", "out"}
        return Kind.END if "out" in shut else None
    if call.eof:
        return None if "in" in shut else Kind.EOF
    if call.errno == errno.ECONNRESET or (call.errno == errno.EPIPE and "out" not in shut):
        return None if call.call.startswith("connect") else Kind.RESET
    return None


def _sets_linger(call: Call) -> bool:
    return call.error is None and ("SO_LINGER" in call.arguments or call.arguments.startswith("1, 13"))


def _lingers_not(call: Call) -> bool:
    """Whether SO_LINGER is on with no time: then closing resets the connection."""
    return _LINGER_AND_RESET in call.arguments
