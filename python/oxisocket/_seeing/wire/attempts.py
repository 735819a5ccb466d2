"""What came of the calls of `connect` on a socket, also of those that did not wait for it."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import Enum

from oxisocket._seeing.record import Call

from .sockets import Shared


class Outcome(Enum):
    """How an attempt ended. `UNKNOWN`: nobody saw it; `NOTHING`: it failed before anything was sent."""

    OPEN = 1
    REFUSED = 2
    UNKNOWN = 3
    NOTHING = 4


#: Under way, when the call ends.
_UNDER_WAY = (errno.EINPROGRESS, errno.EINTR)
_STILL = (errno.EALREADY,)
_REFUSED = (errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOENT)
#: Something was sent, and no answer came.
_SILENT = (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EAGAIN)


@dataclass(slots=True)
class Attempt:
    """An attempt to connect."""

    record: int
    call: Call
    outcome: Outcome
    ended: int
    by: tuple[int, Call]
    """The call that saw how it ended, with its record."""
    under_way: bool = False


def attempts(socket: Shared) -> list[Attempt]:
    """The attempts of a socket, in their order."""
    made: list[Attempt] = []
    for number, call in socket.calls:
        pending = made[-1] if made and made[-1].under_way else None
        if call.call in ("connect", "connect_ex"):
            code = _code(call)
            if pending is None:
                made.append(_begun(number, call, code))
            elif code not in _STILL:
                _finish(pending, 0 if code == errno.EISCONN else code, number, call)
        elif pending is not None and call.call == "getsockopt" and _asks_for_error(call):
            _finish(pending, int(call.result or 0), number, call)
    return made


def _begun(number: int, call: Call, code: int | None) -> Attempt:
    attempt = Attempt(number, call, Outcome.UNKNOWN, call.t + call.took, (number, call), under_way=code in _UNDER_WAY)
    if not attempt.under_way:
        attempt.outcome = _outcome(code)
    return attempt


def _finish(attempt: Attempt, code: int | None, number: int, call: Call) -> None:
    if code in _UNDER_WAY:
        return
    attempt.outcome = _outcome(code)
    attempt.ended, attempt.by, attempt.under_way = call.t + call.took, (number, call), False


def _outcome(code: int | None) -> Outcome:
    if code == 0:
        return Outcome.OPEN
    if code in _REFUSED:
        return Outcome.REFUSED
    return Outcome.UNKNOWN if code is None or code in _SILENT else Outcome.NOTHING


def _code(call: Call) -> int | None:
    """What a connect answered: 0, or an errno; None if it ran into its timeout, or never ended."""
    if call.errno is not None:
        return call.errno
    if call.error is not None or call.unfinished:
        return None
    return int(call.result or 0) if call.call == "connect_ex" and (call.result or "").isdecimal() else 0


def _asks_for_error(call: Call) -> bool:
    return ("SO_ERROR" in call.arguments or call.arguments.startswith("1, 4")) and (call.result or "").isdecimal()
