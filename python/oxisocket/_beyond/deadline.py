"""One deadline for all socket calls of a thread."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Self

from oxisocket import _socket
from oxisocket._beyond import tls
from oxisocket._beyond.waiting import as_float

if TYPE_CHECKING:
    from types import TracebackType


class deadline:  # noqa: N801 - it is used like a function
    """A deadline for the socket calls of this thread: ``with deadline(5.0) as d:``.

    Within the ``with`` block, every call of this thread on oxisocket's sockets ends with TimeoutError once so many ``seconds``
    have passed: a call that waits, and also the next one of a loop of calls that never wait. That includes ``connect``,
    ``accept``, look-ups of hosts, reads from ``makefile`` and ``sendfile``, and the calls of ``ssl.SSLSocket`` if ``install()``
    has made that a subclass of oxisocket's class. A socket's own timeout still counts: the smaller of the two ends the call.

    Deadlines nest, and the nearest counts. Other threads, and those that this thread starts, have none. The time is monotonic: a
    change of the system's clock does not affect it. Code that runs on an event loop should use ``asyncio.timeout``: a deadline
    belongs to the thread, and so to all tasks of its loop.

    Raises TypeError for a value that is no number, and ValueError for NaN.
    """

    __slots__ = ("_depth", "_ends", "_thread", "seconds")

    seconds: float

    def __init__(self, seconds: float) -> None:
        self.seconds = as_float(seconds)
        if math.isnan(self.seconds):
            raise ValueError("a deadline takes a number of seconds, not NaN")
        self._ends: float | None = None
        self._depth: int | None = None
        self._thread: int | None = None

    def __enter__(self) -> Self:
        if self._depth is not None:
            raise RuntimeError("this deadline has been entered already: make one for each with statement")
        tls.heed_deadlines()
        self._ends = time.monotonic() + self.seconds
        self._depth = _socket._enter_deadline(self.seconds)
        self._thread = threading.get_ident()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        depth = self._depth
        if depth is None or self._thread != threading.get_ident():
            raise RuntimeError("a deadline is left in the thread that has entered it, once")
        self._depth = None
        _socket._leave_deadline(depth)

    @property
    def remaining(self) -> float:
        """The seconds that are left, 0.0 once the deadline has passed; before the block, all of them."""
        if self._ends is None:
            return max(self.seconds, 0.0)
        return max(self._ends - time.monotonic(), 0.0)

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0.0

    def __repr__(self) -> str:
        return f"<deadline of {self.seconds} s, {self.remaining:.3f} s left>"
