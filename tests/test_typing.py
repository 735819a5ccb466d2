"""mypy --strict on programs that use sockets, with the standard library's types and with the package's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is not installed")

RIGHT = """
import socket as original
from collections.abc import Iterator
from contextlib import closing
from io import BufferedReader, BufferedRWPair, BufferedWriter, TextIOWrapper
from typing import Any, assert_type


def connect(host: str, timeout: float | None = None) -> socket.socket | None:
    try:
        sock: socket.socket = socket.create_connection((host, 80), timeout, all_errors=True)
    except socket.gaierror as error:
        print(error.errno, error.strerror)
    except socket.timeout:
        raise TimeoutError(host) from None
    else:
        return sock
    return None


def serve() -> Iterator[bytes]:
    with socket.create_server(("", 0), family=socket.AF_INET6, reuse_port=True) as listener, closing(listener):
        assert_type(listener, socket.socket)
        connection, address = listener.accept()
        assert_type(connection, socket.socket)
        host: str = address[0]
        print(host, listener.getsockname()[1] + 1)
        with connection:
            while data := connection.recv(1024, socket.MSG_WAITALL | socket.MSG_PEEK):
                yield data


class Counting(socket.socket):
    count = 0

    def send(self, data: Any, flags: int = 0, /) -> int:
        self.count += 1
        return super().send(data, flags)

    def accept(self) -> tuple[socket.socket, Any]:
        return super().accept()


def options(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytearray(8))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, None, 8)
    assert_type(sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE), int)
    assert_type(sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8), bytes)
    assert_type(sock.family, socket.AddressFamily)
    assert_type(sock.type, socket.SocketKind)
    assert_type(sock.timeout, float | None)
    sock.settimeout(1)
    sock.settimeout(None)


def transfer(sock: socket.socket) -> None:
    assert_type(sock.sendto(b"data", ("127.0.0.1", 1)), int)
    assert_type(sock.sendto(memoryview(b"data"), socket.MSG_DONTWAIT, "/path"), int)
    assert_type(sock.recv_into(bytearray(8)), int)
    data, ancillary, flags, address = sock.recvmsg(8, socket.CMSG_SPACE(4))
    assert_type((data, ancillary, flags), tuple[bytes, list[tuple[int, int, bytes]], int])
    assert_type(sock.sendmsg([data, bytearray(2)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b"")], 0, address), int)
    assert_type(socket.recv_fds(sock, 8, 1)[1], list[int])


def files(sock: socket.socket) -> None:
    assert_type(sock.makefile(), TextIOWrapper)
    assert_type(sock.makefile("rw", encoding="utf-8", newline=""), TextIOWrapper)
    assert_type(sock.makefile("rb", 0), socket.SocketIO)
    with sock.makefile("rb") as reading, sock.makefile("wb") as writing:
        plain_reading: BufferedReader = reading
        plain_writing: BufferedWriter = writing
        writing.write(reading.readline())
    both: BufferedRWPair = sock.makefile("rwb")
    with open("file", "rb") as file:
        assert_type(sock.sendfile(file, 1, count=None), int)


def names() -> None:
    for family, kind, proto, name, address in socket.getaddrinfo("localhost", "http", type=socket.SOCK_STREAM):
        with socket.socket(family, kind, proto) as sock:
            sock.connect(address)
    assert_type(socket.getnameinfo(("::1", 80, 0, 0), socket.NI_NUMERICHOST), tuple[str, str])
    one, other = socket.socketpair(socket.AF_UNIX)
    assert_type(one, socket.socket)
    assert_type(Counting().dup(), Counting)
    assert_type(socket.AddressFamily(2), socket.AddressFamily)
    flag: socket.AddressInfo = socket.AI_PASSIVE
    same: list[type[Exception]] = [original.gaierror, socket.gaierror]
    assert_type(socket.gaierror(), original.gaierror)
    assert_type(socket.herror(), original.herror)
"""

# Each line ends with the kind of error that mypy must find there.
WRONG = """
sock = socket.socket()
sock.send("text")                                               # arg-type
sock.recv_into("text")                                          # arg-type
sock.recv("8")                                                  # arg-type
sock.connect("127.0.0.1", 80)                                   # call-arg
sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, None)      # call-overload
sock.sendto(b"data")                                            # call-overload
sock.settimeout("1")                                            # arg-type
sock.makefile("rt")                                             # call-overload
sock.makefile().write(b"bytes")                                 # arg-type
sock.timeout = 1.0                                              # misc
sock.time_out                                                   # attr-defined
socket.AF_NO_SUCH                                               # attr-defined
socket.AF_INET = socket.AF_INET6                                # misc
socket.create_connection(("127.0.0.1", 80), all_error=True)     # call-arg
socket.create_connection("127.0.0.1")                           # arg-type
size: str = sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)  # assignment
"""

# Only the package's types are so exact.
OXISOCKET_ONLY = """
from io import BufferedReader
from pathlib import Path
from typing import assert_type

sock = socket.socket(socket.AF_UNIX)
sock.connect(Path("path"))
size: int = 4096
reading: BufferedReader | socket.SocketIO = sock.makefile("rb", size)
host: str = socket.getaddrinfo("localhost", 80)[0][4][0]
assert_type(sock.gethostname(), str)
assert_type(socket.__version__, str)
socket.create_connection(("127.0.0.1", 80), socket._GLOBAL_DEFAULT_TIMEOUT)
socket.create_connection(("127.0.0.1", 80), happy_eyeballs_delay=0.25, interleave=2, total_timeout=10)
assert_type(socket.install(happy_eyeballs=True).happy_eyeballs, bool)
with socket.installed(happy_eyeballs=False) as found:
    assert_type(found.native_ssl, bool)
"""

LOOKING = """
from typing import assert_type

sock = socket.socket()
info = sock.tcp_info()
assert_type(info, socket.TcpInfo)
assert_type((info.state, info.options, info.rtt_us), tuple[socket.TcpState, socket.TcpOption, int])
assert_type(info.bytes_sent, int | None)
assert_type(info.state.name, str)
up = [entry.address for entry in socket.getifaddrs() if socket.InterfaceFlag.IFF_UP in entry.flags]
assert_type(up, list[str | None])
for entry in socket.getifaddrs():
    assert_type((entry.index, entry.prefixlen, entry.family), tuple[int, int | None, socket.AddressFamily | None])
assert_type(sock.getsockopt_bytes(socket.SOL_SOCKET, socket.SO_TYPE), bytes)
assert_type(sock.getsockopt_bytes(socket.SOL_SOCKET, socket.SO_TYPE, size=4), bytes)
assert_type(sock.describe(), str)
assert_type(socket.send_fds(sock, [b"x"], [0], 0, "/path", honor_arguments=True), int)
assert_type(socket.recv_fds(sock, 1, 1, socket.MSG_PEEK, honor_arguments=True)[1], list[int])
socket.send_fds(sock, [b"x"], [0], address=b"")
sock.tcp_info(1)                                                     # call-arg
sock.getsockopt_bytes(1)                                             # call-arg
info.rtt                                                             # attr-defined
socket.send_fds(sock, [b"x"], [0], "flags", honor_arguments=True)    # call-overload
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def check(tmp_path, cache):
    """`check(text)` returns the errors that mypy --strict finds in a program, as a list of (line, kind)."""

    def check(text, *options):
        program = tmp_path / "program.py"
        program.write_text(text)
        command = [sys.executable, "-m", "mypy", "--strict", "--warn-unreachable", "--config-file=", f"--cache-dir={cache}"]
        done = subprocess.run(
            [*command, *options, str(program)], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
        )
        assert done.returncode in (0, 1) and not done.stderr, done.stdout + done.stderr
        found = re.findall(r"^program\.py:(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
        assert len(found) == done.stdout.count(": error: "), done.stdout
        return [(int(line), kind) for line, kind in found]

    return check


def program(socket, text):
    return f"import {socket.__name__} as socket\n{text}"


def test_a_correct_program(socket, check):
    assert check(program(socket, RIGHT)) == []


def test_a_wrong_program(socket, check):
    text = program(socket, WRONG)
    expected = [(number, line.split("# ")[1]) for number, line in enumerate(text.splitlines(), 1) if "# " in line]
    assert check(text) == expected


def test_types_that_only_the_package_has(oxisocket, check):
    assert check(program(oxisocket, OXISOCKET_ONLY)) == []


def test_types_of_what_looks_at_a_socket(oxisocket, check):
    text = program(oxisocket, LOOKING)
    assert check(text) == [(number, line.split("# ")[1]) for number, line in enumerate(text.splitlines(), 1) if "# " in line]


@pytest.mark.parametrize(("name", "since"), [("ETH_P_ALL", 12), ("SO_BINDTOIFINDEX", 13), ("SOL_BLUETOOTH", 14)], ids=str)
def test_constants_depend_on_the_version(socket, check, name, since):
    text = program(socket, f"number: int = socket.{name}\n")
    assert check(text, f"--python-version=3.{since}") == []
    assert check(text, f"--python-version=3.{since - 1}") == [(2, "attr-defined")]


def test_the_package_keeps_to_its_stub(oxisocket, check):
    """mypy does not check a module that has a stub, so it gets a copy of the module under another name."""
    assert check(Path(oxisocket.__file__).read_text()) == []
