"""Closing under a call that nothing can interrupt, because its thread blocks every signal: it goes on till it ends of itself, and has
the number till then."""

from __future__ import annotations

import array
import contextlib
import errno
import os
import signal
import time
from pathlib import Path

import pytest
from marks import only_oxisocket

pytestmark = only_oxisocket

WATCHER = "oxisocket-close"


def masked(function, *args):
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    return function(*args)


def threads():
    names = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # it has ended
            names.append((task / "comm").read_text().strip())
    return names


def eventually(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def blocked(socket, keep, start):
    """A call under which its socket is closed: the call, the other end, and the number."""

    def blocked(method="recv", *args, kind=None):
        left, right = socket.socketpair(socket.AF_UNIX, kind or socket.SOCK_STREAM)
        number = left.fileno()
        call = start(masked, getattr(left, method), *(args or (10,))).until_blocked()
        left.close()
        assert left.fileno() == -1
        return call, keep(right), number

    return blocked


def test_what_it_receives_is_not_lost(blocked, open_files):
    call, right, number = blocked()
    right.send(b"late")
    assert call.result() == b"late"
    assert number not in open_files()


def test_a_call_that_fails_is_told_of_the_close(socket, blocked, open_files):
    with contextlib.suppress(BlockingIOError):
        call, right, number = blocked("sendall", bytes(10_000_000))
        right.close()
    with pytest.raises(OSError) as caught:
        call.result()
    assert caught.value.errno == errno.EBADF
    assert number not in open_files()


def test_nobody_else_gets_the_number(socket, blocked, keep):
    call, right, number = blocked()
    others = [keep(socket.socket()) for _ in range(50)] + [keep(open(os.devnull)) for _ in range(50)]
    assert number not in [other.fileno() for other in others]
    right.send(b"for the call")
    assert call.result() == b"for the ca"
    assert keep(socket.socket()).fileno() == number


def test_the_socket_can_begin_anew(socket, blocked, start, keep):
    """What happens on the new connection is the new connection's: its end is no EBADF, though the old call still runs."""
    left, right = socket.socketpair()
    call = start(masked, left.recv, 1).until_blocked()
    left.close()
    here, there = socket.socketpair()
    keep(left).__init__(socket.AF_UNIX, socket.SOCK_STREAM, 0, here.detach())
    left.settimeout(20)
    there.send(b"new")
    assert left.recv(10) == b"new"
    there.close()
    assert (left.recv(1), left.recv(1 << 17)) == (b"", b"")
    assert call.is_alive()
    right.close()
    with pytest.raises(OSError) as caught:
        if call.result() == b"":  # it succeeded
            raise OSError(errno.EBADF, "")
    assert caught.value.errno == errno.EBADF
    assert left.fileno() >= 0


def test_both_of_two_calls_may_keep_it(socket, start, keep, open_files):
    left, right = socket.socketpair()
    keep(right)
    number = left.fileno()
    calls = [start(masked, left.recv, 1).until_blocked() for _ in range(2)]
    left.close()
    right.send(b"1")
    eventually(lambda: sum(call.is_alive() for call in calls) == 1)
    assert number in open_files()
    right.send(b"2")
    assert sorted(call.result() for call in calls) == [b"1", b"2"]
    assert number not in open_files()


@pytest.mark.parametrize("data", [b"", b"data"])
def test_descriptors_that_come_are_delivered_or_closed(socket, blocked, data):
    call, right, _ = blocked("recvmsg", 10, 100, kind=socket.SOCK_DGRAM)
    reading, writing = os.pipe()
    rights = array.array("i", [writing])
    right.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    with contextlib.suppress(OSError):
        for _, _, numbers in call.result()[1]:
            for number in array.array("i", numbers):
                os.close(number)
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert pipe.read() == b""  # nobody has it open for writing any more


def test_a_number_that_the_program_has_closed_is_not_closed_again(blocked):
    """As a daemon does that closes every number: it may be a stranger's by now."""
    with open(os.devnull) as null:
        call, right, number = blocked()
        os.close(number)
        os.dup2(null.fileno(), number)
        right.send(b"late")
        assert call.result() == b"late"
        assert os.path.sameopenfile(number, null.fileno())
        os.close(number)


def test_closing_does_not_wait(socket, start, keep):
    calls, rights = [], []
    for _ in range(5):
        left, right = socket.socketpair()
        calls.append(start(masked, left.recv, 1).until_blocked())
        rights.append(keep(right))
        began = time.monotonic()
        left.close()
        assert time.monotonic() - began < 5
    for right in rights:
        right.send(b"x")
    assert [call.result() for call in calls] == [b"x"] * 5


def test_who_watches_goes_when_nothing_is_left_to_do(blocked):
    call, right, _ = blocked()
    eventually(lambda: WATCHER in threads())
    right.send(b"x")
    assert call.result() == b"x"
    eventually(lambda: WATCHER not in threads())


def test_one_watches_for_all(blocked):
    calls = [blocked() for _ in range(5)]
    eventually(lambda: WATCHER in threads())
    assert threads().count(WATCHER) == 1
    for call, right, _ in calls:
        right.send(b"x")
        assert call.result() == b"x"
    eventually(lambda: WATCHER not in threads())


def test_others_end_at_once_all_the_same(socket, blocked, start, keep):
    stubborn = [blocked() for _ in range(3)]
    for _ in range(20):
        left, right = socket.socketpair()
        keep(right)
        call = start(left.recv, 1).until_blocked()
        left.close()
        with pytest.raises(OSError) as caught:
            call.result()
        assert caught.value.errno == errno.EBADF
    for call, right, _ in stubborn:
        right.send(b"x")
        assert call.result() == b"x"
