"""The end of a program whose daemon threads still run: the interpreter ends them wherever they are, or leaves them hanging there."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

# What a thread repeats while the program ends. Each calls Python code, or C code that releases the GIL, from inside a method of the
# socket.
BUSY = {
    "sendfile from an object": """
class Numbers:
    turn = 0
    def read(self, size):
        self.turn ^= 1
        return bytes(sum(range(50)) % 256 for _ in range(50 * self.turn))
    def seek(self, offset):
        sum(range(2000))
numbers = Numbers()
def act(left, right):
    left.sendfile(numbers)
    right.recv(100)
""",
    "sendfile from a file": """
import tempfile
file = tempfile.TemporaryFile()
file.write(b"x" * 1000)
file.flush()
def act(left, right):
    left.sendfile(file, 0, 1000)
    right.recv(1000)
""",
    "an argument with __index__": """
class Size:
    def __index__(self):
        return sum(range(2000)) * 0 + 10
size = Size()
def act(left, right):
    left.send(b"x")
    right.recv(size)
""",
    "descriptors": """
import os
null = os.open(os.devnull, os.O_RDONLY)
def act(left, right):
    socket.send_fds(left, [b"x"], [null])
    for fd in socket.recv_fds(right, 10, 3)[1]:
        os.close(fd)
""",
}

ENDING = """
import threading, time
def repeat(pair=None):
    left, right = pair = socket.socketpair()
    while True:
        act(left, right)
for _ in range(3):
    threading.Thread(target=repeat, daemon=True).start()
time.sleep(0.02)
print("done", flush=True)
"""


@pytest.mark.parametrize("busy", BUSY)
def test_daemon_threads_do_not_abort_the_process(program: Callable[..., subprocess.Popen[str]], busy: str) -> None:
    for _ in range(5):
        process = program(BUSY[busy] + ENDING)
        output, errors = process.communicate(timeout=20)
        assert (process.returncode, output) == (0, "done\n"), errors
