"""Ready data beside a thread that computes: a call that releases the GIL gets it back only when the other thread releases it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cases.computation import beside
from cases.connected import Connect
from cases.loop import Loop, Sample
from cases.transfer import send_and_recv


@contextmanager
def send_and_recv_beside(connect: Connect, timeout: float | None) -> Iterator[Loop]:
    with send_and_recv(connect, timeout) as transfer:

        def loop(count: int) -> Sample:
            return beside(lambda: transfer(count))

        yield loop
