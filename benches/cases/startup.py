"""The time of a program's first `import socket`."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cases.loop import Loop, Sample

PROGRAM = """
from time import perf_counter
started = perf_counter()
import {module}
print(perf_counter() - started)
"""


@contextmanager
def startup() -> Iterator[Loop]:
    program = PROGRAM.format(module=socket.__name__)

    def loop(count: int) -> Sample:
        took = 0.0
        for _ in range(count):
            took += float(subprocess.check_output([sys.executable, "-c", program]))
        return Sample(took)

    yield loop
