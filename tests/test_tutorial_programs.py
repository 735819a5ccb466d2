"""The tutorial's four programs, unchanged and with the one line changed that makes them use oxisocket: the conversation is the same."""

import re
import subprocess
import sys

import pytest
from originals import ENVIRONMENT, HANG_TIMEOUT, PROGRAMS, exclusive_port, listening, started

WAYS = ["unchanged", "one line changed"]

pytestmark = pytest.mark.skipif(not PROGRAMS.is_dir(), reason="the tutorial's programs are not next to this repository")


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
