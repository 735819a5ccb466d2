"""Calls that do not block keep the GIL. C code that makes many of them in a row, as buffered files and `map` do, never releases it:
so once in a while such a call releases the GIL, and runs signal handlers."""

from __future__ import annotations

import collections
import contextlib
import fcntl
import os
import shutil
import socket as stdlib
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest
from marks import only_oxisocket
from shim import compile_replacements, preloading
from waiting import fill

EXPERIMENTAL = 0x88B5  # an EtherType that IEEE reserves for local experiments


class Progress:
    """Records from another thread, as often as it gets the GIL, how much is left to do."""

    def __init__(self, left):
        self.left = left
        self.seen = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.record)

    def __enter__(self):
        self.thread.start()
        return self

    def record(self):
        while not self.over.wait(0.001):
            self.seen.append(self.left())

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def ran_in_the_middle(self, most):
        """Whether the other thread ran in the middle: some was done, and some was not."""
        return any(0 < left < most for left in self.seen)


HASHES = """
import hashlib, threading, time
import {name} as socket

def send():
    while not over:
        udp.sendto(b"x", address)

over, hashed = False, 0
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.bind(("127.0.0.1", 0))
    address = udp.getsockname()
    sender = threading.Thread(target=send)
    sender.start()
    end = time.monotonic() + 1
    while time.monotonic() < end:
        hashlib.sha256(bytes(20_000)).digest()
        hashed += 1
    over = True
    sender.join()
print(hashed)
"""


@pytest.mark.skipif(os.cpu_count() == 1, reason="one processor runs one thread")
def test_a_thread_that_needs_the_interpreter_often_and_briefly(both):
    """The interpreter is free while it hashes, and it has to get it back each time."""
    ours, theirs = (
        int(subprocess.run([sys.executable, "-c", HASHES.format(name=each.__name__)], capture_output=True, check=True).stdout)
        for each in both
    )
    assert ours > theirs / 10


CALLBACKS = """
import ctypes, sys, time
import {name} as socket

library = ctypes.CDLL(sys.argv[1])
called = 0

@ctypes.CFUNCTYPE(None)
def callback():
    global called
    called += 1

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.bind(("127.0.0.1", 0))
    udp.connect(udp.getsockname())
    library.start(callback)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        udp.send(b"x")
        udp.recv(1)
    library.stop()
print(called)
"""


@pytest.mark.skipif(os.cpu_count() == 1, reason="one processor runs one thread")
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_thread_of_c_that_calls_back(both, tmp_path):
    """The interpreter knows that thread during a call back only."""
    library = compile_replacements(Path(__file__).with_name("callbacks.c"), tmp_path)
    ours, theirs = (
        int(
            subprocess.run(
                [sys.executable, "-c", CALLBACKS.format(name=each.__name__), library], capture_output=True, check=True
            ).stdout
        )
        for each in both
    )
    assert ours > theirs / 4


ALONE = """
import ctypes
import oxisocket as socket

signals = ctypes.c_int.in_dll(ctypes.CDLL(None), "signals")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.bind(("127.0.0.1", 0))
    udp.connect(udp.getsockname())
    before = signals.value
    for _ in range(100_000):
        udp.send(b"x")
    print(signals.value - before)
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_slow_processor_is_no_other_thread(tmp_path):
    """A thread that is alone keeps the interpreter, however long it takes to give it away."""
    library = compile_replacements(Path(__file__).with_name("slow.c"), tmp_path)
    environment = os.environ | preloading(library)
    done = subprocess.run([sys.executable, "-c", ALONE], env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1000


def unread(s):
    return struct.unpack("i", fcntl.ioctl(s.fileno(), termios.FIONREAD, bytes(4)))[0]


def exhaust(iterator):
    """Consume an iterator without Python code in the loop."""
    collections.deque(iterator, 0)


@pytest.fixture
def full(socket):
    """`full()` is a connection with much data to receive, which the peer has shut down for writing."""

    @contextlib.contextmanager
    def full(data=b"line\n" * 200):
        with socket.create_server(("127.0.0.1", 0)) as server:
            left = socket.create_connection(server.getsockname())
            right, _ = server.accept()
        with left, right:
            size = fill(right, data)
            right.shutdown(stdlib.SHUT_WR)
            yield left, size

    return full


# All data is received within some 50 ms. On a busy machine the other thread may not run in that time, so the test tries again.
TRIES = 30

SMALL = 200_000  # calls


@pytest.mark.parametrize("timeout", [None, 60, 0])
def test_many_receives(full, timeout):
    def seen():
        with full() as (left, _):
            left.settimeout(timeout)
            count = min(SMALL, unread(left) - 1)
            sizes = iter([1] * count)
            with Progress(sizes.__length_hint__) as progress:
                exhaust(map(left.recv, sizes))
            return progress.ran_in_the_middle(count)

    assert any(seen() for _ in range(TRIES))


@pytest.mark.parametrize("timeout", [None, 0])
def test_many_sends(udp_pair, timeout):
    left, right = udp_pair
    left.connect(right.getsockname())  # which receives nothing: the kernel drops datagrams that do not fit
    left.settimeout(timeout)

    def seen():
        data = iter([b"x"] * SMALL)
        with Progress(data.__length_hint__) as progress:
            exhaust(map(left.send, data))
        return progress.ran_in_the_middle(SMALL)

    assert any(seen() for _ in range(TRIES))


@pytest.mark.parametrize("read", [lambda file: file.readlines(), list], ids=["readlines", "list"])
def test_a_buffered_file(full, read):
    """With a small buffer, one call makes many receives."""

    def seen():
        with full() as (left, size):
            with left.makefile("rb", 8) as file, Progress(lambda: unread(left)) as progress:
                lines = read(file)
            assert b"".join(lines) == (b"line\n" * (size // 5 + 1))[:size]
            return progress.ran_in_the_middle(size)

    assert any(seen() for _ in range(TRIES))


def test_a_long_line(full):
    def seen():
        with full(bytes(1000)) as (left, size):
            with left.makefile("rb", 8) as file, Progress(lambda: unread(left)) as progress:
                assert len(file.readline()) == size
            return progress.ran_in_the_middle(size)

    assert any(seen() for _ in range(TRIES))


MUCH = 256 << 20


@pytest.mark.parametrize("call", ["file.read()", "file.readline()", "file.readlines()", "file.read1(-1) and file.read()"])
def test_from_a_fast_peer(run, call):
    """The peer is another process, and faster: there is always data."""
    code = f"""
import os, signal, threading, time, warnings
import socket as stdlib

done = threading.Event()
seen = []

def record():
    while not done.is_set():
        time.sleep(0.001)
        seen.append(done.is_set())

left, right = socket.socketpair()
warnings.simplefilter("ignore", DeprecationWarning)
if (pid := os.fork()) == 0:
    peer = stdlib.socket(fileno=right.detach())
    block = bytes(1 << 20)
    for _ in range({MUCH} >> 20):
        peer.sendall(block)
    os._exit(0)
right.close()
thread = threading.Thread(target=record)
thread.start()
handled = []
signal.signal(signal.SIGALRM, lambda *_: handled.append(done.is_set()))
signal.setitimer(signal.ITIMER_REAL, 0.01)
with left.makefile("rb") as file:
    data = {call}; done.set()
thread.join()
os.waitpid(pid, 0)
left.close()
print(handled, False in seen)
"""
    assert run(code).strip() == "[False] True"


@only_oxisocket
def test_a_signal_handler_runs(run):
    """It runs in the middle of one C call that makes many receives, not at its end, as in the stdlib."""
    code = """
import collections, signal
from waiting import fill
left, right = socket.socketpair()
size = fill(right)
sizes = iter([1] * size)
handled = []
signal.signal(signal.SIGALRM, lambda *_: handled.append(sizes.__length_hint__()))
signal.setitimer(signal.ITIMER_REAL, 0.005)
collections.deque(map(left.recv, sizes), 0)
print(0 < handled[0] < size)
left.close()
right.close()
"""
    assert run(code).strip() == "True"


@only_oxisocket
def test_ctrl_c_in_the_middle(run):
    """It interrupts a C call that would never end."""
    code = """
import collections, itertools, signal
left, right = socket.socketpair(type=socket.SOCK_DGRAM)
right.send(b"x")
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    collections.deque(map(left.recv, itertools.repeat(1), itertools.repeat(socket.MSG_PEEK)), 0)
except KeyboardInterrupt:
    print("interrupted")
left.close()
right.close()
"""
    assert run(code).strip() == "interrupted"


# A call that can take long in the kernel without blocking never keeps the GIL.


def test_netlink_sends(socket, keep):
    s = keep(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
    s.bind((0, 0))
    messages = iter([struct.pack("IHHII", 16, 1, 0, 0, 0)] * SMALL)
    with Progress(messages.__length_hint__) as progress:
        exhaust(map(s.send, messages))
    assert progress.ran_in_the_middle(SMALL)


def test_packet_binds(socket, keep):
    try:
        s = keep(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    except (AttributeError, PermissionError) as error:
        pytest.skip(f"no such socket: {error}")
    addresses = iter([("lo", EXPERIMENTAL + number % 2) for number in range(60)])
    with Progress(addresses.__length_hint__) as progress:
        exhaust(map(s.bind, addresses))
    assert progress.ran_in_the_middle(60)


@pytest.mark.parametrize("family", ["AF_VSOCK", "AF_CAN", "AF_TIPC", "AF_PACKET"])
def test_receives_of_other_families(socket, keep, family):
    """A socket object of this family, over a descriptor of another family."""
    if not hasattr(socket, family):
        pytest.skip(f"no {family} here")
    ours, theirs = stdlib.socketpair()
    keep(theirs)
    size = fill(theirs)
    s = keep(socket.socket(getattr(socket, family), socket.SOCK_STREAM, 0, ours.detach()))
    sizes = iter([1] * size)
    with Progress(sizes.__length_hint__) as progress:
        exhaust(map(s.recv, sizes))
    assert progress.ran_in_the_middle(size)


@only_oxisocket
def test_a_thread_that_computes_goes_on(socket):
    """Another thread sends and receives in a Python loop, and there is always data."""
    counted = 0
    over = threading.Event()

    def compute():
        nonlocal counted
        while not over.is_set():
            counted += 1

    left, right = socket.socketpair()
    thread = threading.Thread(target=compute)
    with left, right:
        thread.start()
        try:
            seen = []
            for _ in range(20):
                for _ in range(10_000):
                    left.send(b"x")
                    right.recv(1)
                seen.append(counted)
        finally:
            over.set()
            thread.join()
    assert seen[-1] - seen[0] > 10_000
