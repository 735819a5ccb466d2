"""One deadline for all socket calls of a thread."""

from __future__ import annotations

from typing import Self

from oxisocket import _socket
from oxisocket._beyond import tls
from oxisocket._beyond.waiting import as_float


class deadline(_socket._Deadline):  # noqa: N801 - it is used like a function
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

    __slots__ = ()

    def __new__(cls, seconds: float) -> Self:
        tls.heed_deadlines()
        return super().__new__(cls, as_float(seconds))

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0.0

    def __repr__(self) -> str:
        return f"<deadline of {self.seconds} s, {self.remaining:.3f} s left>"
