"""What an old kernel, or a policy, refuses, and an error in the middle of a send: made by refused.c, which is preloaded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from marks import only_oxisocket
from shim import compile_replacements, preloading

BEGIN = """
import ctypes, os, sys, threading, time
import {name} as socket

refused = ctypes.CDLL(None)
def tell(name, value=1):
    ctypes.c_int.in_dll(refused, name).value = value
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    return compile_replacements(Path(__file__).with_name("refused.c"), tmp_path_factory.mktemp("refused"))


@pytest.fixture
def told(socket, library, with_parts):
    """`told(program)` runs a program with the library; the words that it prints."""

    def told(program):
        command = [sys.executable, "-c", BEGIN.format(name=socket.__name__) + program]
        done = subprocess.run(
            command, env=with_parts | preloading(library), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return told


def test_a_connection_is_accepted_without_accept4(told):
    program = """
tell("refuses_accept4")
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, address = server.accept()
    with connection:
        print(address == client.getsockname(), connection.get_inheritable())
"""
    assert told(program) == ["True", "False"]


def test_a_receive_beside_a_computing_thread_needs_no_ppoll(told):
    program = """
tell("refuses_ppoll")
here, there = socket.socketpair()
if os.fork() == 0:
    here.close()
    while there.recv(1):
        there.send(b"y")
    os._exit(0)
there.close()
computes = True
def compute():
    while computes:
        pass
thread = threading.Thread(target=compute)
thread.start()
end = time.monotonic() + 2
while time.monotonic() < end:
    here.sendall(b"x")
    assert here.recv(1) == b"y"
computes = False
thread.join()
here.close()
os.wait()
print(socket.__name__ == "socket" or sys.version_info >= (3, 13) or ctypes.c_int.in_dll(refused, "ppolls").value <= 1)
"""
    assert told(program) == ["True"]


@only_oxisocket
def test_descriptors_that_come_with_an_error_of_an_earlier_send(told):
    """The send that was reset has sent a part, so that the next call has the error; but that call gets descriptors, and no data."""
    program = """
here, there = socket.socketpair()
here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
tell("resets", here.fileno())
reader, writer = os.pipe()
there.sendmsg([b"hello"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, reader.to_bytes(4, sys.byteorder))])
thread = threading.Thread(target=lambda: (time.sleep(0.1), there.recv(1 << 20)))
thread.start()
try:
    here.send(bytes(60_000))
except ConnectionResetError:
    pass
thread.join()
before = len(os.listdir("/proc/self/fd"))
_, messages, _, _ = here.recvmsg(0, socket.CMSG_SPACE(4))
print(len(messages), len(os.listdir("/proc/self/fd")) - before)
"""
    assert told(program) == ["1", "1"]
