"""The two programs of the tutorial that this project began with, and how one conversation at a time is held with them."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket as original
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

PROGRAMS = Path(__file__).resolve().parents[3] / "shared" / "tutorial"
SERVER, CLIENT = PROGRAMS / "Python-Server.py", PROGRAMS / "Python-Client.py"
PORT = 5001  # the port in the source of both
PROMPT = " ? "
# What is typed into the client, and then into the server.
TALK = (("Hello, is anybody there?", "Yes, I hear you"), ("What do you speak?", "Python"))
HANG_TIMEOUT = 90  # seconds: longer than the minute of TIME_WAIT
# As in the kernel's table, which has addresses as numbers in the byte order of the machine: perhaps not that of an emulated program.
HERE, LISTENS = {f"{int.from_bytes(original.inet_aton('127.0.0.1'), order):08X}" for order in ("big", "little")}, "0A"

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    "PYTHON_COLORS": "0",
}


@contextlib.contextmanager
def exclusive_port() -> Iterator[None]:
    """Allow one conversation at a time on this machine, even if others run these tests too. An abstract UNIX name is shared by all users
    of a network namespace, as the port is, and is free again when its owner ends."""
    with original.socket(original.AF_UNIX) as owner:
        deadline = time.monotonic() + HANG_TIMEOUT
        while True:
            try:
                owner.bind(f"\0tutorial-port-{PORT}")
                break
            except OSError as error:
                assert error.errno == errno.EADDRINUSE
                assert time.monotonic() < deadline, "another run holds the port"
                time.sleep(0.05)
        yield


def has_listener(port: int = PORT) -> bool:
    """Whether a port has a listener, by the kernel's table: the server would accept a trial connection as its only one."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listening_at = {address for _, address, _, state, *_ in map(str.split, lines) if state == LISTENS}
    return any(f"{here}:{port:04X}" in listening_at for here in HERE)


@contextlib.contextmanager
def started(command: Sequence[str | Path]) -> Iterator[subprocess.Popen[str]]:
    """A program with pipes for its standard input, output and error. What it has started itself ends with it."""
    with subprocess.Popen(
        command,
        encoding="utf-8",
        env=ENVIRONMENT,
        process_group=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def listening(command: Sequence[str | Path]) -> Iterator[subprocess.Popen[str]]:
    """The server, once it listens. If the port is still in TIME_WAIT after an earlier connection, start it again."""
    deadline = time.monotonic() + HANG_TIMEOUT
    while True:
        with started(command) as server:
            while server.poll() is None and not has_listener():
                assert time.monotonic() < deadline, "the server never listened"
                time.sleep(0.01)
            if server.poll() is None:
                yield server
                return
            assert server.stderr is not None
            errors = server.stderr.read()
        assert "Address already in use" in errors, errors
        assert time.monotonic() < deadline, "the port stayed in use"
        time.sleep(0.2)


def hold(server_command: Sequence[str | Path], client_command: Sequence[str | Path], pause: float) -> None:
    """Let the programs talk as two people would who take `pause` seconds to type a line. Both must end without an error."""
    with listening(server_command) as server, started(client_command) as client:
        for question, answer in TALK:
            _answer(client, question, pause)
            _answer(server, answer, pause)
        _answer(client, "q", pause)
        for process in (client, server):
            _, errors = process.communicate(timeout=HANG_TIMEOUT)
            assert (process.returncode, errors) == (0, ""), errors


def _answer(process: subprocess.Popen[str], line: str, pause: float) -> None:
    """Wait until the program asks, and type a line."""
    assert process.stdin is not None and process.stdout is not None
    shown = ""
    while not shown.endswith(PROMPT):
        character = process.stdout.read(1)
        assert character, f"the program ended without asking: {shown!r}"
        shown += character
    time.sleep(pause)
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
