"""Bulk data from one thread to another."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter

from cases.connected import tcp
from cases.loop import Loop, Sample

BULK = 256 << 20
CHUNK = 256 << 10


@contextmanager
def bulk() -> Iterator[Loop]:
    data = memoryview(bytes(BULK))
    buffer = bytearray(CHUNK)
    left, right = tcp()

    def receive(rest: int) -> None:
        while rest:
            rest -= right.recv_into(buffer)

    with left, right, ThreadPoolExecutor(1) as receiver:

        def loop(count: int) -> Sample:
            started = perf_counter()
            for _ in range(count):
                received = receiver.submit(receive, BULK)
                left.sendall(data)
                received.result()
            return Sample(perf_counter() - started)

        yield loop
