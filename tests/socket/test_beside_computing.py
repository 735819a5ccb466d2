"""Conversations beside a thread that computes, where a receive may wait attached for a moment: nothing but the time is different."""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
from waiting import HANG_TIMEOUT

ECHO = """
import socket, sys
with socket.socket(fileno=int(sys.argv[1])) as end:
    while data := end.recv(65536):
        end.sendall(data)
"""
COMPUTE = """
    def compute():
        while not stop:
            sum(range(100))
"""


def talking(compute=COMPUTE):
    """A program that does what it takes to be in contention: it talks until it has waited long for the interpreter a number of times."""
    return f"""
import oxisocket as socket
import subprocess, sys, threading, time
ECHO = {ECHO!r}
def talk(end, wanted):
    late = count = 0
    limit = time.monotonic() + 10
    while (late < wanted or count < 100) and time.monotonic() < limit:
        end.sendall(b"x")
        asked = time.monotonic()
        assert end.recv(1) == b"x"
        late += time.monotonic() - asked > 0.002
        count += 1
end, other = socket.socketpair()
end.settimeout(20)
with other, subprocess.Popen([sys.executable, "-c", ECHO, str(other.fileno())], pass_fds=[other.fileno()]):
    other.close()
    stop = False
{compute}
    threads = [threading.Thread(target=compute) for _ in range(int(sys.argv[1]))]
    [thread.start() for thread in threads]
    talk(end, 100 * len(threads))
    stop = True
    [thread.join() for thread in threads]
    end.close()
"""


class Computation(threading.Thread):
    """A thread that computes, and counts."""

    def __init__(self):
        super().__init__()
        self.done = 0
        self.stopped = False

    def run(self):
        while not self.stopped:
            sum(range(100))
            self.done += 1


@pytest.fixture
def computing():
    """A thread that computes during the test."""
    thread = Computation()
    thread.start()
    yield thread
    thread.stopped = True
    thread.join(HANG_TIMEOUT)


@pytest.fixture
def end(socket, keep):
    """One end of a conversation. At the other end is a process, which sends back what it receives."""
    left, right = socket.socketpair()
    with right:
        process = subprocess.Popen([sys.executable, "-c", ECHO, str(right.fileno())], pass_fds=[right.fileno()])
    keep(left).settimeout(HANG_TIMEOUT)
    yield left
    left.close()
    assert process.wait(HANG_TIMEOUT) == 0


def talk(end, count=100):
    for number in range(count):
        data = b"%d" % number
        end.sendall(data)
        assert end.recv(100) == data


@pytest.mark.parametrize("timeout", [None, HANG_TIMEOUT])
def test_every_byte_arrives(end, computing, timeout):
    end.settimeout(timeout)
    numbers = random.Random(1)
    for _ in range(200):
        data = numbers.randbytes(numbers.choice([1, 64, 5_000, 100_000]))
        end.sendall(data)
        received = bytearray()
        while len(received) < len(data):
            received += end.recv(numbers.choice([1_000, 70_000]))
        assert received == data


def test_the_thread_goes_on(end, computing):
    for _ in range(20):
        before = computing.done
        limit = time.monotonic() + HANG_TIMEOUT
        while computing.done == before:
            talk(end, 10)
            assert time.monotonic() < limit, "it has starved"


def test_both_ends_in_one_process(socket, keep, computing, start):
    """The peer needs the interpreter to answer: a wait that kept it would be in vain."""
    left, right = map(keep, socket.socketpair())

    def echo():
        while data := right.recv(100):
            right.sendall(data)

    answering = start(echo)
    talk(left, 200)
    left.shutdown(socket.SHUT_WR)
    answering.join(HANG_TIMEOUT)


def test_a_timeout_ends_a_wait(end, computing):
    talk(end)
    end.settimeout(0.001)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            end.recv(1)
    end.settimeout(HANG_TIMEOUT)
    talk(end)


def test_a_peer_that_ends(socket, computing, keep):
    for _ in range(20):
        left, right = map(keep, socket.socketpair())
        end = threading.Timer(0.0001, right.close)
        end.start()
        assert left.recv(1) == b""
        end.join()


def test_close_in_another_thread(oxisocket, keep, computing, start):
    for _ in range(20):
        left, right = map(keep, oxisocket.socketpair())
        right.send(b"xx")
        assert left.recv(1) == left.recv(1) == b"x"
        call = start(left.recv, 1)
        left.close()
        with pytest.raises(OSError) as raised:
            call.result()
        assert raised.value.errno == errno.EBADF


def test_waits_that_need_all_of_it(socket, keep, computing, start):
    left, right = map(keep, socket.socketpair())

    def send_in_parts():
        for _ in range(50):
            left.send(b"abc")
            left.send(b"def")

    sending = start(send_in_parts)
    assert right.recv(1, socket.MSG_PEEK) == b"a"
    for _ in range(25):
        assert right.recv(6, socket.MSG_WAITALL) == b"abcdef"
    right.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 6)
    sending.join(HANG_TIMEOUT)
    for _ in range(25):
        assert right.recv(6) == b"abcdef"


def test_datagrams(socket, keep, computing, start):
    left, right = (keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2))
    for end in (left, right):
        end.bind(("127.0.0.1", 0))
        end.settimeout(HANG_TIMEOUT)

    def echo():
        for _ in range(100):
            data, sender = right.recvfrom(100)
            right.sendto(data, sender)

    answering = start(echo)
    for number in range(100):
        left.sendto(b"%d" % number, right.getsockname())
        assert left.recvfrom(100) == (b"%d" % number, right.getsockname())
    answering.join(HANG_TIMEOUT)


def test_accepted_connections(socket, keep, computing, start):
    listening = keep(socket.create_server(("127.0.0.1", 0)))
    listening.settimeout(HANG_TIMEOUT)

    def connect():
        for _ in range(50):
            with socket.create_connection(listening.getsockname()) as client:
                client.sendall(b"x")
                assert client.recv(1) == b""

    connecting = start(connect)
    for _ in range(50):
        connection, _ = listening.accept()
        with connection:
            assert connection.recv(1) == b"x"
    connecting.join(HANG_TIMEOUT)


def test_signal_handlers_run(end, computing):
    """In the middle of waits too; and what one of them raises ends the call."""
    ran = []
    before = signal.signal(signal.SIGALRM, lambda *_: ran.append(None))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        limit = time.monotonic() + HANG_TIMEOUT
        while len(ran) < 50:
            talk(end, 10)
            assert time.monotonic() < limit
        signal.setitimer(signal.ITIMER_REAL, 0)

        def fail(*_):
            raise KeyError

        signal.signal(signal.SIGALRM, fail)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyError):
            end.recv(1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (on Debian: apt-get install strace)")
@pytest.mark.parametrize("threads", [0, 1])
def test_it_waits_attached_only_beside_a_thread_that_computes(oxisocket, tmp_path, threads):
    log = tmp_path / "log"
    code = talking()
    # Only this call is stopped: the others take no longer than without strace.
    command = ["strace", "--seccomp-bpf", "-f", "-qq", "-e", "trace=ppoll", "-o", log, sys.executable, "-c", code, str(threads)]
    subprocess.run(command, check=True, timeout=HANG_TIMEOUT + 30)
    assert ("ppoll(" in log.read_text()) == bool(threads)


# Each wait for the interpreter takes some 20 ms: that is long, but far less than the switch interval.
GIVE_AWAY = """
    sys.setswitchinterval(10)
    def compute():
        while not stop:
            end = time.monotonic() + 0.02
            while time.monotonic() < end:
                pass
            time.sleep(0.001)
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (on Debian: apt-get install strace)")
def test_it_does_not_wait_attached_beside_threads_that_give_the_interpreter_away_by_themselves(oxisocket, tmp_path):
    log = tmp_path / "log"
    command = [
        "strace",
        "--seccomp-bpf",
        "-f",
        "-qq",
        "-e",
        "trace=ppoll",
        "-o",
        log,
        sys.executable,
        "-c",
        talking(GIVE_AWAY),
        "1",
    ]
    subprocess.run(command, check=True, timeout=HANG_TIMEOUT + 30)
    assert "ppoll(" not in log.read_text()


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_process_talks_as_well(end, computing):
    talk(end)
    if (pid := os.fork()) == 0:
        status = 1
        try:
            talk(end)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    talk(end)
