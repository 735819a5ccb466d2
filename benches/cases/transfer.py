"""Transfers of data that is ready: the time that the module adds to the system calls.

The loops are like timeit's: they use local names only, and create no int for each round.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from time import perf_counter

from cases.connected import Connect
from cases.loop import Loop, Sample

MESSAGE = b"x" * 64
LINE = b"x" * 63 + b"\n"
# As many messages as the queue of any system holds.
BATCH = 64


@contextmanager
def send_and_recv(connect: Connect, timeout: float | None) -> Iterator[Loop]:
    left, right = connect()
    with left, right:
        left.settimeout(timeout)
        right.settimeout(timeout)

        yield sending_and_receiving(left, right)


def sending_and_receiving(left: socket.socket, right: socket.socket) -> Loop:
    def loop(count: int) -> Sample:
        sender, receiver, message = left, right, MESSAGE
        started = perf_counter()
        for _ in repeat(None, count):
            sender.send(message)
            receiver.recv(64)
        return Sample(perf_counter() - started)

    return loop


@contextmanager
def sendall_and_recv_into(connect: Connect) -> Iterator[Loop]:
    buffer = bytearray(64)
    left, right = connect()
    with left, right:

        def loop(count: int) -> Sample:
            sender, receiver, message, into = left, right, MESSAGE, buffer
            started = perf_counter()
            for _ in repeat(None, count):
                sender.sendall(message)
                receiver.recv_into(into)
            return Sample(perf_counter() - started)

        yield loop


@contextmanager
def recv(size: int) -> Iterator[Loop]:
    """Receiving alone: the messages are sent before the clock starts."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with left, right:

        def loop(count: int) -> Sample:
            receiver = right
            took = 0.0
            for done in range(0, count, BATCH):
                batch = range(min(BATCH, count - done))
                for _ in batch:
                    left.send(MESSAGE)
                started = perf_counter()
                for _ in batch:
                    receiver.recv(size)
                took += perf_counter() - started
            return Sample(took)

        yield loop


@contextmanager
def datagrams() -> Iterator[Loop]:
    left, right = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with left, right:
        left.bind(("127.0.0.1", 0))
        right.bind(("127.0.0.1", 0))
        address = right.getsockname()

        def loop(count: int) -> Sample:
            sender, receiver, message, to = left, right, MESSAGE, address
            started = perf_counter()
            for _ in repeat(None, count):
                sender.sendto(message, to)
                receiver.recvfrom(64)
            return Sample(perf_counter() - started)

        yield loop


@contextmanager
def readline(connect: Connect) -> Iterator[Loop]:
    left, right = connect()
    with left, right, right.makefile("rb") as file:

        def loop(count: int) -> Sample:
            sender, reader, line = left, file, LINE
            started = perf_counter()
            for _ in repeat(None, count):
                sender.send(line)
                reader.readline()
            return Sample(perf_counter() - started)

        yield loop
