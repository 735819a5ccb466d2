"""`fork()`: parent and child both go on with the same connections, whatever the parent's threads were doing."""

from __future__ import annotations

import os
import sys

import pytest
from marks import only_oxisocket

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork()")

BEGINNING = """
import errno, functools, os, sys, threading, time, traceback, warnings
from descriptors import is_open, open_numbers
from threads import Call, closing_threads
from waiting import fill, fill_backlog, until_blocked

def forked(child):
    '''Run `child` in a child process, and return its exit status.'''
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # since 3.12, for a fork in a process with threads
        pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = 1
    try:
        child()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)

"""


@pytest.fixture
def fork(run):
    """Runs a program that forks. The program and its children must succeed."""

    def fork(code, **options):
        assert run(BEGINNING + code, **options) == ""

    return fork


def test_both_have_every_socket(fork):
    fork("""
left, right = socket.socketpair()
number = left.fileno()

def child():
    assert left.fileno() == number and left.gettimeout() is None
    right.close()
    left.sendall(b"from the child")
    assert left.recv(20) == b"from the parent"
    left.close()
    assert not is_open(number) and left.fileno() == -1

right.sendall(b"from the parent")
assert forked(child) == 0
assert is_open(number)
left.sendall(b"; still here")
left.close()
received = b""
while part := right.recv(100):
    received += part
assert received == b"from the child; still here"
right.close()
""")


def test_a_server_that_forks(fork):
    fork("""
with socket.create_server(("127.0.0.1", 0)) as listening:
    clients = [socket.create_connection(listening.getsockname()) for _ in range(3)]
    for client in clients:
        connection, peer = listening.accept()

        def child():
            listening.close()
            with connection:
                connection.sendall(str(peer[1]).encode())

        assert forked(child) == 0
        connection.close()
        assert client.recv(100) == str(client.getsockname()[1]).encode()
        assert client.recv(1) == b""
        client.close()
""")


def test_the_child_opens_and_closes_no_descriptor(fork):
    fork("""
before = len(open_numbers())
sockets = [socket.socket() for _ in range(5)]

def child():
    assert len(open_numbers()) == before + 5
    for each in sockets:
        each.close()
    assert len(open_numbers()) == before
    with socket.socket(), socket.socket():
        assert len(open_numbers()) == before + 2
    assert len(open_numbers()) == before

assert forked(child) == 0
assert len(open_numbers()) == before + 5
for each in sockets:
    each.close()
assert len(open_numbers()) == before
""")


def test_a_child_closes_a_socket_that_a_thread_was_reading(fork):
    """The thread's lease does not count in the child, which has no such thread. The parent's thread goes on reading."""
    fork("""
left, right = socket.socketpair()
number = left.fileno()
thread = Call(left.recv, 10)
until_blocked(thread)

def child():
    left.close()
    assert left.fileno() == -1 and not is_open(number)
    with socket.socket() as new:
        assert new.fileno() == number
    right.close()

assert forked(child) == 0
assert is_open(number) and left.fileno() == number
assert thread.is_alive()
right.send(b"late")
assert thread.result() == b"late"
left.close()
right.close()
assert not is_open(number)
""")


def test_a_child_accepts_on_a_listener_that_a_thread_was_using(fork):
    fork("""
listening = socket.create_server(("127.0.0.1", 0))
number = listening.fileno()
thread = Call(listening.accept)
until_blocked(thread)

def child():
    listening.settimeout(15)
    client = socket.create_connection(listening.getsockname())  # the parent's thread may be faster
    client2 = socket.create_connection(listening.getsockname())
    connection, peer = listening.accept()
    assert peer in (client.getsockname(), client2.getsockname())
    connection.close()
    listening.close()
    assert not is_open(number)
    client.close()
    client2.close()

assert forked(child) == 0
connection, peer = thread.result()
connection.close()
listening.close()
assert not is_open(number)
""")


def test_a_child_closes_sockets_that_threads_were_writing_or_connecting(fork):
    fork("""
left, right = socket.socketpair()
fill(left)
full = socket.create_server(("127.0.0.1", 0), backlog=0)
others, second = [], socket.socket()
fill_backlog(full, others.append)
timed = right.dup()
timed.settimeout(60)
empty, _other = socket.socketpair()
empty.settimeout(60)
calls = [Call(left.sendall, b"y" * 10_000_000), Call(second.connect, full.getsockname()), Call(empty.recv, 1)]
for call in calls:
    until_blocked(call)
numbers = [each.fileno() for each in (left, second, empty)]

def child():
    for each in left, second, empty:
        each.close()
    assert not any(map(is_open, numbers))

assert forked(child) == 0
assert all(map(is_open, numbers)) and all(call.is_alive() for call in calls)
timed.close()
right.close()
assert calls[0].result() in (errno.EPIPE, errno.ECONNRESET)
for each in full, *others:
    each.close()
_other.send(b"!")
assert calls[2].result() == b"!"
calls[1].result()  # its listener is closed
for each in left, second, empty, _other:
    each.close()
""")


def test_a_child_of_a_child(fork):
    fork("""
left, right = socket.socketpair()
number = left.fileno()
thread = Call(left.recv, 10)
until_blocked(thread)

def deeper(depth):
    waiting = Call(left.recv, 0 if depth else 1)
    if depth:
        waiting.result()
        assert forked(lambda: deeper(depth - 1)) == 0
    else:
        until_blocked(waiting)
        right.send(b"x")
        waiting.join(0.1)
    left.close() if depth else None
    right.send(b"y")

assert forked(lambda: deeper(4)) == 0
right.sendall(b"z" * 10)
thread.result()
left.close()
assert not is_open(number)
right.close()
""")


@only_oxisocket
def test_a_call_of_the_child_ends_when_the_child_closes(fork):
    fork("""
left, right = socket.socketpair()
number = left.fileno()
parents = Call(left.recv, 10)
until_blocked(parents)

def child():
    for _ in range(3):
        ours = Call(left.recv, 10)
        until_blocked(ours)
    left.close()
    assert ours.result() == errno.EBADF
    deadline = time.monotonic() + 10
    while is_open(number) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert not is_open(number)
    here, there = socket.socketpair()
    ours = Call(here.recv, 1)
    until_blocked(ours)
    here.close()
    assert ours.result() == errno.EBADF
    there.close()

assert forked(child) == 0
assert parents.is_alive()
left.close()
assert parents.result() == errno.EBADF
right.close()
assert not is_open(number)
""")


def test_forks_beside_busy_threads(fork):
    """In the child, no lock stays held by a thread that exists only in the parent."""
    fork("""
stop = threading.Event()

def busy():
    while not stop.is_set():
        left, right = socket.socketpair()
        reading = Call(left.recv, 1)
        left.settimeout(5)
        with right:
            right.send(b"x")
            reading.result()
        left.close()

threads = [Call(busy) for _ in range(3)]

def child():
    for _ in range(3):
        left, right = socket.socketpair()
        reading = Call(left.recv, 1)
        right.send(b"x")
        reading.result()
        left.close()
        right.close()

before = time.monotonic()
for _ in range(40):
    assert forked(child) == 0
stop.set()
for thread in threads:
    thread.result()
""")


def test_the_child_has_the_default_timeout_and_the_files(fork):
    fork("""
socket.setdefaulttimeout(7)
left, right = socket.socketpair()
file = left.makefile("rwb")

def child():
    with socket.socket() as new:
        assert new.gettimeout() == 7
    left.close()
    right.sendall(b"line\\n")
    assert file.readline() == b"line\\n"
    file.write(b"answer\\n")
    file.close()
    right.close()

assert forked(child) == 0
assert right.recv(10) == b"answer\\n"
left.close()
file.close()
assert right.recv(1) == b""
right.close()
""")


def test_the_same_warnings(run):
    """Whether a fork warns depends on the program's threads, not on those of oxisocket."""
    found = run("""
import os, threading, warnings
left, right = socket.socketpair()
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for beside_a_thread in False, True:
        if beside_a_thread:
            thread = threading.Thread(target=left.recv, args=(1,))
            thread.start()
        if (pid := os.fork()) == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        print(beside_a_thread, [each.category.__name__ for each in seen])
right.send(b"x")
thread.join()
left.close()
right.close()
""")
    expected = "['DeprecationWarning']" if sys.version_info >= (3, 12) else "[]"
    assert found == f"False []\nTrue {expected}\n"


def test_multiprocessing_sends_and_inherits(fork):
    fork("""
import multiprocessing

context = multiprocessing.get_context("fork")
left, right = socket.socketpair()

def child(connection):
    left.close()
    connection.sendall(connection.recv(10).upper())

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    process = context.Process(target=child, args=(right,))
    process.start()
left.sendall(b"hello")
assert left.recv(10) == b"HELLO"
process.join()
assert process.exitcode == 0
left.close()
right.close()
""")


CLOSED_UNDER_CALLS = """
import signal

def closes_under_a_call():
    left, right = socket.socketpair()
    number = left.fileno()
    call = Call(left.recv, 1)
    until_blocked(call)
    left.close()
    assert call.result() == errno.EBADF
    assert not is_open(number)
    right.close()
"""


@only_oxisocket
class TestClosedUnderCalls:
    """Calls that run on closed sockets in the parent's threads do not concern the child."""

    def test_the_child_closes_their_descriptors(self, fork):
        fork(
            CLOSED_UNDER_CALLS
            + """
pairs = [socket.socketpair() for _ in range(5)]
numbers = [left.fileno() for left, _ in pairs]
calls = [Call(left.recv, 10, masked=True) for left, _ in pairs]
for call in calls:
    until_blocked(call)
for left, _ in pairs:
    left.close()
assert all(map(is_open, numbers))

def child():
    assert not any(map(is_open, numbers))
    for _, right in pairs:
        right.close()

assert forked(child) == 0
assert all(map(is_open, numbers))
for call, (_, right) in zip(calls, pairs):
    right.send(b"late")
    assert call.result() == b"late"
    right.close()
assert not any(map(is_open, numbers))
"""
        )

    def test_another_file_with_such_a_number_stays_open(self, fork):
        """The parent has closed the number itself meanwhile, and opened another file with it."""
        fork(
            CLOSED_UNDER_CALLS
            + """
null = os.open("/dev/null", os.O_RDONLY)
left, right = socket.socketpair()
number = left.fileno()
call = Call(left.recv, 10, masked=True)
until_blocked(call)
left.close()
os.dup2(null, number)

def child():
    assert is_open(number)

assert forked(child) == 0
right.send(b"late")
assert call.result() == b"late" and is_open(number)
right.close()
"""
        )

    @pytest.mark.timeout(120)
    def test_after_256_forks(self, program):
        """A counter of forks in one byte would take an ancestor's call for a call of this process."""
        process = program(
            BEGINNING
            + CLOSED_UNDER_CALLS
            + """
left, right = socket.socketpair()
number = left.fileno()
thread = Call(left.recv, 10)
until_blocked(thread)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    for _ in range(256):  # the child goes on, and the parent exits with the child's status
        if pid := os.fork():
            os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
left.close()
closed = not is_open(number)
closes_under_a_call()
os._exit(0 if closed else 1)
"""
        )
        output, errors = process.communicate(timeout=100)  # forks are slow on a busy machine
        assert (process.returncode, output, errors) == (0, "", "")

    def test_the_child_has_its_own_closing_thread(self, fork):
        fork(
            CLOSED_UNDER_CALLS
            + """
left, right = socket.socketpair()
call = Call(left.recv, 1, masked=True)
until_blocked(call)
left.close()
while closing_threads() == 0:
    time.sleep(0.001)

def child():
    assert closing_threads() == 0
    closes_under_a_call()
    here, there = socket.socketpair()
    ours = Call(here.recv, 1, masked=True)
    until_blocked(ours)
    here.close()
    while closing_threads() == 0:
        time.sleep(0.001)
    there.send(b"x")
    assert ours.result() == b"x"
    while closing_threads():
        time.sleep(0.001)
    there.close()

assert forked(child) == 0
right.send(b"x")
assert call.result() == b"x"
right.close()
"""
        )

    def test_forks_beside_threads_that_close(self, fork):
        """In the child, no lock of the table of calls or of the closing thread stays held."""
        fork(
            CLOSED_UNDER_CALLS
            + """
stop = threading.Event()

def busy(start):
    while not stop.is_set():
        left, right = socket.socketpair()
        call = start(left.recv, 1)
        time.sleep(0.001)
        left.close()
        right.close()
        call.result()

threads = [Call(busy, start) for start in (Call, Call, functools.partial(Call, masked=True))]

def child():
    closes_under_a_call()

for _ in range(30):
    assert forked(child) == 0
stop.set()
for thread in threads:
    thread.result()
"""
        )
