"""Strict request and response between two processes or threads: each receive has to wait."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from contenders import same_worker

from cases.loop import Loop
from cases.transfer import sending_and_receiving

ANSWER = "answer"


@contextmanager
def exchange(timeout: float | None) -> Iterator[Loop]:
    left, right = socket.socketpair()
    with left:
        left.settimeout(timeout)
        with right:
            other = subprocess.Popen(same_worker(ANSWER, str(timeout)), stdin=right.fileno())
        yield sending_and_receiving(left, left)
    other.wait()


@contextmanager
def exchange_of_threads() -> Iterator[Loop]:
    left, right = socket.socketpair()
    with right:
        other = threading.Thread(target=_answer, args=(right,))
        other.start()
        with left:
            yield sending_and_receiving(left, left)
        other.join()


def answer(timeout: float | None) -> None:
    """The other process: sends back what it receives on its standard input, which is a socket."""
    with socket.socket(fileno=0) as end:
        end.settimeout(timeout)
        _answer(end)


def _answer(end: socket.socket) -> None:
    while data := end.recv(64):
        end.send(data)
