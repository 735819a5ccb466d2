"""The tutorial's four programs, unchanged and with the one line changed that makes them use oxisocket: the conversation is the same."""

import contextlib
import errno
import os
import re
import socket as original
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).resolve().parents[2] / "shared" / "tutorial"
PORT = 5001  # the port in the source of the two programs of the conversation
HANG_TIMEOUT = 90  # seconds: longer than the minute of TIME_WAIT
WAYS = ["unchanged", "one line changed"]
# As in the kernel's table, which has addresses as numbers in this machine's byte order.
HERE, LISTENS = f"{int.from_bytes(original.inet_aton('127.0.0.1'), sys.byteorder):08X}:{PORT:04X}", "0A"

pytestmark = pytest.mark.skipif(not PROGRAMS.is_dir(), reason="the tutorial's programs are not next to this repository")

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    "PYTHON_COLORS": "0",
}


@pytest.fixture
def command(tmp_path, socket):
    """`command(name, way)`: the command line that runs one of the programs, on the module under test or on the stdlib."""

    def command(name, way):
        path = PROGRAMS / name
        if way == "plain" or socket.__name__ == "socket":
            return [sys.executable, str(path)]
        if way == "unchanged":
            return [sys.executable, "-m", socket.__name__, str(path)]
        text, changes = re.subn(r"(?m)^import socket\b", f"import {socket.__name__} as socket", path.read_text())
        assert changes == 1
        changed = tmp_path / name
        changed.write_text(text)
        return [sys.executable, str(changed)]

    return command


def run_to_end(command):
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["Create-Socket.py", "Socket-Errors.py"])
def test_program_alone(command, name, way):
    assert run_to_end(command(name, way)) == run_to_end(command(name, "plain")) == (0, "Socket Initialized\n", "")


@contextlib.contextmanager
def exclusive_port():
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


def has_listener():
    """Whether the port has a listener, by the kernel's table: the server would accept a trial connection as its only one."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any([line.split()[1], line.split()[3]] == [HERE, LISTENS] for line in lines)


@contextlib.contextmanager
def started(command):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=ENVIRONMENT, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def listening(command):
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
            errors = server.stderr.read()
        assert "Address already in use" in errors, errors
        assert time.monotonic() < deadline, "the port stayed in use"
        time.sleep(0.2)


def conversation(server_command, client_command):
    """The output of both programs. Each waits for the other, so the complete input can be sent at once."""
    with listening(server_command) as server, started(client_command) as client:
        server.stdin.write("first answer\nsecond\n\u20ac 3\n")
        server.stdin.flush()
        client_screen = client.communicate("hello\nhow are you?\ngr\xfc\xdfe \u20ac\nq\n", timeout=60)
        server_screen = server.communicate(timeout=60)
    assert re.search(r"\('127\.0\.0\.1', \d+\)", server_screen[0])
    without_port = re.sub(r"\('127\.0\.0\.1', \d+\)", "('127.0.0.1', PORT)", server_screen[0])
    return (client.returncode, *client_screen), (server.returncode, without_port, server_screen[1])


@pytest.mark.timeout(2 * HANG_TIMEOUT + 120)
@pytest.mark.xdist_group("port 5001")
@pytest.mark.parametrize("client_way", ["plain", *WAYS])
@pytest.mark.parametrize("server_way", ["plain", *WAYS])
def test_conversation(command, server_way, client_way):
    server, client = "Python-Server.py", "Python-Client.py"
    if "plain" in (server_way, client_way) and server_way != client_way and "one line changed" in (server_way, client_way):
        pytest.skip("the changed program meets the original in the other direction of the unchanged one")
    with exclusive_port():
        expected = conversation(command(server, "plain"), command(client, "plain"))
        assert conversation(command(server, server_way), command(client, client_way)) == expected
    assert expected[0] == (
        0, " ? Received from server: first answer\n ? Received from server: second\n ? Received from server: \u20ac 3\n ? ", ""
    )  # fmt: skip
    assert expected[1][1].startswith(
        "Connection from: ('127.0.0.1', PORT)\nfrom connected  user: hello\nReceived from User: HELLO\n ? "
    )
    assert expected[1][0] == 0 and expected[1][2] == ""
