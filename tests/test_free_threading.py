"""Free-threaded interpreters: the module does not enable the GIL, and threads share sockets without it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig

import pytest

pytestmark = pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter has the GIL")

PROGRAM = """
import contextlib, sys, threading
import oxisocket
assert not sys._is_gil_enabled()

def all_at_once(function, count=8):
    threads = [threading.Thread(target=function) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""

TASKS = {
    "one socket for each": """
def work():
    for _ in range(300):
        left, right = oxisocket.socketpair()
        with left, right, left.makefile("rb") as file:
            right.sendall(b"line\\n")
            assert file.readline() == b"line\\n"
        with oxisocket.socket(oxisocket.AF_INET, oxisocket.SOCK_DGRAM) as datagrams:
            datagrams.bind(("127.0.0.1", 0))
            datagrams.sendto(b"x", datagrams.getsockname())
            assert datagrams.recvfrom(1)[0] == b"x"
        oxisocket.getaddrinfo("127.0.0.1", 80)

all_at_once(work)
""",
    "one socket for all": """
left, right = oxisocket.socketpair()
received = []

def work():
    for _ in range(300):
        left.send(b"x")
        left.settimeout(5 if left.gettimeout() is None else None)
        received.append(right.recv(1))
        repr(left), left.getsockname(), left.getsockopt(oxisocket.SOL_SOCKET, oxisocket.SO_TYPE)

all_at_once(work)
assert received == [b"x"] * 2400
left.close()
right.close()
""",
    "one reader for all": """
left, right = oxisocket.socketpair()
reader = oxisocket.Reader(right)
received = []

def work():
    while True:
        with contextlib.suppress(RuntimeError):
            line = reader.readline()
            if not line:
                return
            received.append(line)
        with contextlib.suppress(RuntimeError):
            reader.buffered, reader.at_eof()

sender = threading.Thread(target=lambda: [left.sendall(b"%d\\n" % number) for number in range(2000)] and left.close())
sender.start()
all_at_once(work, 4)
sender.join()
assert sorted(received) == sorted(b"%d\\n" % number for number in range(2000))
right.close()
""",
    "a file closed under its readers": """
for _ in range(200):
    left, right = oxisocket.socketpair()
    right.sendall(b"x" * 1000)
    file = left.makefile("rb", 0)

    def work():
        try:
            while file.read(1):
                file._sock
        except (OSError, ValueError):
            pass
        file.close()

    left.close()
    all_at_once(work, 4)
    right.close()
""",
    "closing under each other": """
for _ in range(200):
    left, right = oxisocket.socketpair()
    right.send(b"x" * 1000)

    def work():
        try:
            while left.recv(1):
                pass
        except OSError as error:
            assert error.errno == 9
        left.close()

    closer = threading.Thread(target=left.close)
    closer.start()
    all_at_once(work, 3)
    closer.join()
    right.close()
""",
}


@pytest.mark.parametrize("task", TASKS)
def test_threads_without_the_gil(task):
    command = [sys.executable, "-W", "error", "-c", PROGRAM + TASKS[task]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
