"""Closing under a call that cannot be interrupted, since its thread blocks all signals: the call goes on until it ends by itself, and
the descriptor number is not reused before."""

from __future__ import annotations

import array
import contextlib
import errno
import os
import time

import pytest
from marks import only_oxisocket
from threads import closing_threads, with_signals_blocked
from waiting import wait_until

pytestmark = only_oxisocket


@pytest.fixture
def blocked(socket, keep, start):
    """`blocked()` makes a call and closes its socket meanwhile; it returns the call, the other end, and the number."""

    def blocked(method="recv", *args, kind=None):
        left, right = socket.socketpair(socket.AF_UNIX, kind or socket.SOCK_STREAM)
        number = left.fileno()
        call = start(with_signals_blocked, getattr(left, method), *(args or (10,))).until_blocked()
        left.close()
        assert left.fileno() == -1
        return call, keep(right), number

    return blocked


def test_what_it_receives_is_not_lost(blocked, open_files):
    call, right, number = blocked()
    right.send(b"late")
    assert call.result() == b"late"
    assert number not in open_files()


def test_a_call_that_fails_raises_ebadf(socket, blocked, open_files):
    with contextlib.suppress(BlockingIOError):
        call, right, number = blocked("sendall", bytes(10_000_000))
        right.close()
    with pytest.raises(OSError) as caught:
        call.result()
    assert caught.value.errno == errno.EBADF
    assert number not in open_files()


def test_the_number_is_not_reused(socket, blocked, keep):
    call, right, number = blocked()
    others = [keep(socket.socket()) for _ in range(50)] + [keep(open(os.devnull)) for _ in range(50)]
    assert number not in [other.fileno() for other in others]
    right.send(b"for the call")
    assert call.result() == b"for the ca"
    assert keep(socket.socket()).fileno() == number


def test_the_socket_can_be_initialised_again(socket, blocked, start, keep):
    """Calls on the new connection behave as usual: EOF there is not EBADF, although the old call still runs."""
    left, right = socket.socketpair()
    call = start(with_signals_blocked, left.recv, 1).until_blocked()
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


def test_two_calls_keep_the_number(socket, start, keep, open_files):
    left, right = socket.socketpair()
    keep(right)
    number = left.fileno()
    calls = [start(with_signals_blocked, left.recv, 1).until_blocked() for _ in range(2)]
    left.close()
    right.send(b"1")
    wait_until(lambda: sum(call.is_alive() for call in calls) == 1)
    assert number in open_files()
    right.send(b"2")
    assert sorted(call.result() for call in calls) == [b"1", b"2"]
    assert number not in open_files()


@pytest.mark.parametrize("data", [b"", b"data"])
def test_received_descriptors_are_delivered_or_closed(socket, blocked, data):
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
        assert pipe.read() == b""  # EOF: no descriptor for writing is open any more


def test_a_number_that_the_program_closed_is_not_closed_again(blocked):
    """A daemon closes all descriptors, so the number may belong to another file by now."""
    with open(os.devnull) as null:
        call, right, number = blocked()
        os.close(number)
        os.dup2(null.fileno(), number)
        right.send(b"late")
        assert call.result() == b"late"
        assert os.path.sameopenfile(number, null.fileno())
        os.close(number)


def test_close_does_not_block(socket, start, keep):
    calls, rights = [], []
    for _ in range(5):
        left, right = socket.socketpair()
        calls.append(start(with_signals_blocked, left.recv, 1).until_blocked())
        rights.append(keep(right))
        began = time.monotonic()
        left.close()
        assert time.monotonic() - began < 5
    for right in rights:
        right.send(b"x")
    assert [call.result() for call in calls] == [b"x"] * 5


def test_the_closing_thread_ends_with_the_last_call(blocked):
    call, right, _ = blocked()
    wait_until(closing_threads)
    right.send(b"x")
    assert call.result() == b"x"
    wait_until(lambda: not closing_threads())


def test_one_closing_thread_serves_all_calls(blocked):
    calls = [blocked() for _ in range(5)]
    wait_until(closing_threads)
    assert closing_threads() == 1
    for call, right, _ in calls:
        right.send(b"x")
        assert call.result() == b"x"
    wait_until(lambda: not closing_threads())


def test_other_calls_still_end_at_once(socket, blocked, start, keep):
    masked = [blocked() for _ in range(3)]
    for _ in range(20):
        left, right = socket.socketpair()
        keep(right)
        call = start(left.recv, 1).until_blocked()
        left.close()
        with pytest.raises(OSError) as caught:
            call.result()
        assert caught.value.errno == errno.EBADF
    for call, right, _ in masked:
        right.send(b"x")
        assert call.result() == b"x"
