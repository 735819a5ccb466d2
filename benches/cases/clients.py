"""The clients of a server, in another process: what they found the server to be."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from contenders import BARE

from cases.loop import Loop, Sample


@contextmanager
def clients(port: int, number: int, protocol: str) -> Iterator[Loop]:
    """Connect clients to a server on this machine. A round is one request, of whichever client."""
    command = [str(BARE), "requests", str(port), str(number), protocol]
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
