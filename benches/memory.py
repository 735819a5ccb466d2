"""The size of a socket object, and whether calls make the process grow."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cases import transfer
from cases.connected import tcp, unix
from cases.lifecycle import connections, lookups, sockets
from cases.loop import Opened
from contenders import ours, stdlib

SIZE, GROWTH = "socket-size", "growth"
# The number of resident pages varies: this much in ten million calls does not come from the calls.
SLACK = 64 << 10
# The interpreter allocates memory in blocks of so many bytes.
BLOCK = 16

# Each with its share of calls in a round.
PROGRAMS: tuple[tuple[Callable[[], Opened], int, int], ...] = (
    (partial(transfer.send_and_recv, unix, None), 2, 30),
    (partial(transfer.send_and_recv, unix, 0.0), 2, 10),
    (partial(transfer.send_and_recv, tcp, 5.0), 2, 10),
    (partial(transfer.sendall_and_recv_into, unix), 2, 20),
    (partial(transfer.recv, 262144), 1, 5),
    (partial(transfer.readline, unix), 2, 10),
    (transfer.datagrams, 2, 10),
    (lookups, 1, 3),
    (sockets, 2, 1),
    (connections, 5, 1),
)


@dataclass(frozen=True)
class Weighed:
    """Numbers of bytes: the stdlib's and ours."""

    name: str
    title: str
    stdlib: int
    ours: int
    bound: str
    held: bool


def weigh(name: str, calls: int) -> Weighed:
    theirs, mine = (int(subprocess.check_output(command(name, str(calls)))) for command in (stdlib, ours))
    if name == SIZE:
        return Weighed(name, "Memory of a socket, in blocks of 16 bytes", theirs, mine, "≤ the stdlib's", mine <= theirs)
    return Weighed(name, f"Growth over {calls:,} calls", theirs, mine, f"≤ {SLACK >> 10} KiB", mine <= SLACK)


def socket_size() -> int:
    import socket
    import sys

    with socket.socket() as weighed:
        return -(-sys.getsizeof(weighed) // BLOCK) * BLOCK


def growth(calls: int) -> int:
    """How many more bytes are resident after this many calls of all kinds. A tenth of the calls is made before, as a warm-up."""
    in_all = sum(of_round * share for _, of_round, share in PROGRAMS)
    with ExitStack() as stack:
        loops = [(stack.enter_context(program()), share) for program, _, share in PROGRAMS]

        def call(calls: int) -> None:
            # Alternately, as a program makes them.
            for _ in range(calls // in_all // 100):
                for loop, share in loops:
                    loop(share * 100)

        call(calls // 10)
        before = _resident()
        call(calls)
        return _resident() - before


def _resident() -> int:
    # The kernel computes this sum on each read; the number in /proc/self/statm lags behind.
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) << 10
    raise OSError("this kernel does not say what is resident")
