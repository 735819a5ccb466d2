"""Strict request and response between two processes: nothing is ever ready when it is asked for."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from contenders import same_worker

from cases.loop import Loop, Sample
from cases.transfer import MESSAGE

ANSWER = "answer"


@contextmanager
def exchange(timeout: float | None) -> Iterator[Loop]:
    left, right = socket.socketpair()
    with left:
        left.settimeout(timeout)
        with right:
            other = subprocess.Popen(same_worker(ANSWER, str(timeout)), stdin=right.fileno())

        def loop(count: int) -> Sample:
            started = perf_counter()
            for _ in range(count):
                left.send(MESSAGE)
                left.recv(64)
            return Sample(perf_counter() - started)

        yield loop
    other.wait()


def answer(timeout: float | None) -> None:
    """The other process: sends back what comes on its standard input, which is a socket."""
    with socket.socket(fileno=0) as end:
        end.settimeout(timeout)
        while data := end.recv(64):
            end.send(data)
