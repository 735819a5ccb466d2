"""Creating, connecting and closing sockets, and address look-ups."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from cases.loop import Loop, Sample


@contextmanager
def connections() -> Iterator[Loop]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Closing an accepted connection resets it, so that no port stays in TIME_WAIT: a machine has few ports.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        address = listener.getsockname()

        def loop(count: int) -> Sample:
            started = perf_counter()
            for _ in range(count):
                client = socket.socket()
                client.connect(address)
                accepted, _ = listener.accept()
                accepted.close()
                client.close()
            return Sample(perf_counter() - started)

        yield loop


@contextmanager
def sockets() -> Iterator[Loop]:
    def loop(count: int) -> Sample:
        started = perf_counter()
        for _ in range(count):
            socket.socket().close()
        return Sample(perf_counter() - started)

    yield loop


@contextmanager
def lookups() -> Iterator[Loop]:
    def loop(count: int) -> Sample:
        started = perf_counter()
        for _ in range(count):
            socket.getaddrinfo("127.0.0.1", 80)
        return Sample(perf_counter() - started)

    yield loop
