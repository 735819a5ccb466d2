"""The clients of a server, in another process: what they found the server to be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from contenders import BARE

from cases.loop import Loop, Sample

HTTP_CLIENTS = Path(__file__).parents[1] / "http_clients.py"


def http_clients(port: int, number: int) -> AbstractContextManager[Loop]:
    """Connect clients in Python to a web server on this machine.

    They need some time between an answer and the next request, as clients do. One that asks again at once finds a server
    that has not yet lost the interpreter.
    """
    return _clients([sys.executable, str(HTTP_CLIENTS), str(port), str(number)])


def echo_clients(port: int, number: int) -> AbstractContextManager[Loop]:
    """Connect native clients to an echo server on this machine."""
    return _clients([str(BARE), "requests", str(port), str(number)])


@contextmanager
def _clients(command: Sequence[str]) -> Iterator[Loop]:
    """A round is one request, of whichever client."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def answered(count: int) -> Sample:
            """Wait until the clients have received this many answers. The clients measure the time."""
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{count}\n")
            process.stdin.flush()
            seconds, half, tail = (int(nanoseconds) / 1e9 for nanoseconds in process.stdout.readline().split())
            return Sample(seconds, half=half, tail=tail)

        yield answered
