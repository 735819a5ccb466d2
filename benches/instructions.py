"""Counts the instructions that one call executes outside the kernel: these figures do not depend on how busy the machine is.

`valgrind --tool=callgrind` counts each call in two loops of different lengths; all other instructions cancel in the difference.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SHORT, LONG = 1_000, 21_000

# No call ever blocks: the kernel drops datagrams that do not fit, and received data was sent before, a thousand messages at once.
PROGRAM = """
import socket, sys
call, timeout, count = sys.argv[1], eval(sys.argv[2]), int(sys.argv[3])

def send():
    left, right = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    right.bind(("127.0.0.1", 0))
    left.connect(right.getsockname())
    left.settimeout(timeout)
    message = bytes(64)
    for _ in range(count):
        left.send(message)

def recv():
    left, right = socket.socketpair()
    right.settimeout(timeout)
    for _ in range(count // 1000):
        left.sendall(bytes(64000))
        for _ in range(1000):
            right.recv(64)

def recv_into():
    left, right = socket.socketpair()
    right.settimeout(timeout)
    buffer = bytearray(64)
    for _ in range(count // 1000):
        left.sendall(bytes(64000))
        for _ in range(1000):
            right.recv_into(buffer)

{"send": send, "recv": recv, "recv_into": recv_into}[call]()
"""

CALLS = ("send", "recv", "recv_into")
TIMEOUTS = {"None": "blocking", "5.0": "timeout"}
SOCKETS: dict[str, tuple[str, ...]] = {"stdlib": (), "oxisocket": ("-m", "oxisocket")}


def per_call(call: str, timeout: str, options: tuple[str, ...]) -> float:
    short, long = (_instructions([*options, "-c", PROGRAM, call, timeout, str(count)]) for count in (SHORT, LONG))
    return (long - short) / (LONG - SHORT)


def _instructions(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder, "profile")
        valgrind = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={profile}"]
        # With the same hash seed in each run, the interpreter's start is the same too.
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([*valgrind, sys.executable, *arguments], env=environment, check=True)
        found = re.search(r"^(?:summary|totals): (\d+)", profile.read_text(), re.MULTILINE)
    if found is None:
        sys.exit("callgrind wrote no total")
    return int(found[1])


def table() -> str:
    """The figures, as a table in Markdown."""
    if not shutil.which("valgrind"):
        return "valgrind is not installed: nothing was counted."
    lines = ["| call | stdlib | oxisocket | |", "| --- | ---: | ---: | ---: |"]
    for call in CALLS:
        for timeout, mode in TIMEOUTS.items():
            stdlib, ours = (per_call(call, timeout, options) for options in SOCKETS.values())
            lines.append(f"| `{call}`, {mode} | {stdlib:,.0f} | {ours:,.0f} | {ours / stdlib:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
