"""settimeout, setblocking, gettimeout, getblocking, the default timeout, and deadlines."""

from __future__ import annotations

import contextlib
import errno
import fractions
import math
import os
import struct
import sys
import time

import pytest
from receiving import receives
from waiting import fill, fill_backlog, recv_all

VALUES = [
    None,
    0,
    0.0,
    -0.0,
    1,
    1.5,
    True,
    1e-10,
    1e-9,
    1e-7,
    0.0015,
    60,
    1e6,
    1e9,
    2**31,
    2**33,
    9e9,
    9223372036.0,
    9223372036.854775,
    # Until 3.11.2 the interpreter misses the overflow of this one, and what comes out is not defined.
    *([9223372036.854776] if sys.version_info >= (3, 11, 3) else []),
    9223372037,
    1e10,
    2**62,
    2**63,
    2**64,
    1e18,
    1e19,
    1e300,
    math.inf,
    -math.inf,
    math.nan,
    -1,
    -1e-10,
    -1e-9,
    -0.5,
    -(2**63),
    -(2**70),
    "1",
    b"1",
    (),
    [1.0],
    1j,
    fractions.Fraction(1, 2),
    type("Index", (), {"__index__": lambda self: 3})(),
    type("Float", (), {"__float__": lambda self: 3.5})(),
    type("Bad", (), {"__index__": lambda self: 1 / 0})(),
]


@pytest.mark.parametrize("value", VALUES)
def test_the_same_timeouts_are_accepted(agree, outcome, value):
    def use(socket):
        with socket.socket() as s:
            taken = outcome(s.settimeout, value)
            return taken, s.gettimeout(), s.timeout, s.getblocking(), os.get_blocking(s.fileno())

    agree(use)


@pytest.mark.parametrize("value", VALUES)
def test_the_same_default_timeouts_are_accepted(agree, outcome, value):
    def use(socket):
        try:
            taken = outcome(socket.setdefaulttimeout, value)
            with socket.socket() as s:
                return taken, socket.getdefaulttimeout(), s.gettimeout(), os.get_blocking(s.fileno())
        finally:
            socket.setdefaulttimeout(None)

    agree(use)


def test_the_default_applies_to_new_sockets_only(socket, keep):
    before = keep(socket.socket())
    socket.setdefaulttimeout(30)
    try:
        after = keep(socket.socket())
        pair = [keep(s) for s in socket.socketpair()]
        nonblocking = keep(socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
        copy = keep(before.dup())
    finally:
        socket.setdefaulttimeout(None)
    assert before.gettimeout() is None
    assert [s.gettimeout() for s in (after, *pair)] == [30.0, 30.0, 30.0]
    assert nonblocking.gettimeout() == 0
    assert copy.gettimeout() is None


@pytest.mark.parametrize("value", [True, False, 1, 0, -1, 5, 2**31, 2**64, 0.5, None, "", "x", [], math.nan])
def test_setblocking(agree, outcome, value):
    def use(socket):
        with socket.socket() as s:
            taken = outcome(s.setblocking, value)
            return taken, s.gettimeout(), s.getblocking(), os.get_blocking(s.fileno())

    agree(use)


def test_the_modes_follow_one_another(socket, keep):
    s = keep(socket.socket())
    steps = [
        (lambda: s.setblocking(False), 0.0, False),
        (lambda: s.settimeout(1), 1.0, True),
        (lambda: s.setblocking(True), None, True),
        (lambda: s.settimeout(0), 0.0, False),
        (lambda: s.settimeout(None), None, True),
    ]
    for step, timeout, blocking in steps:
        step()
        assert s.gettimeout() == s.timeout == timeout
        assert s.getblocking() is blocking
        assert os.get_blocking(s.fileno()) is (timeout is None)


OPERATIONS = receives(1)


class TestItTimesOut:
    @pytest.mark.parametrize("timeout", [1e-9, 1e-4, 0.03])
    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_receiving(self, socket, unix_pair, operation, timeout):
        left, right = unix_pair
        right.settimeout(timeout)
        began = time.monotonic()
        with pytest.raises(TimeoutError) as caught:
            OPERATIONS[operation](right)
        assert time.monotonic() - began >= timeout  # never early: the remaining time is rounded up
        assert caught.value.args == ("timed out",)
        assert caught.value.errno is None
        assert type(caught.value) is socket.timeout
        left.send(b"x")
        OPERATIONS[operation](right)

    @pytest.mark.parametrize("operation", ["send", "sendall", "sendmsg"])
    def test_sending(self, unix_pair, operation):
        left, _ = unix_pair
        fill(left)
        left.settimeout(0.03)
        began = time.monotonic()
        with pytest.raises(TimeoutError) as caught:
            getattr(left, operation)([b"x" * 100_000] if operation == "sendmsg" else b"x" * 100_000)
        assert time.monotonic() - began >= 0.03
        assert caught.value.args == ("timed out",)

    def test_accept(self, listener):
        listener.settimeout(0.03)
        began = time.monotonic()
        with pytest.raises(TimeoutError, match=r"(?m)^timed out$"):
            listener.accept()
        assert time.monotonic() - began >= 0.03

    def test_connect(self, socket, keep):
        full = keep(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fill_backlog(full, keep)
        last = keep(socket.socket())
        last.settimeout(0.01)
        with pytest.raises(TimeoutError, match=r"(?m)^timed out$"):
            last.connect(full.getsockname())
        one_more = keep(socket.socket())
        one_more.settimeout(0.01)
        assert one_more.connect_ex(full.getsockname()) == errno.EAGAIN

    def test_a_file_that_timed_out_cannot_be_read(self, unix_pair, keep):
        left, right = unix_pair
        right.settimeout(0.01)
        file = keep(right.makefile("rb", buffering=0))
        with pytest.raises(TimeoutError):
            file.read(1)
        left.send(b"x")
        with pytest.raises(OSError, match="cannot read from timed out object"):
            file.read(1)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_long_timeout_waits(unix_pair, start, operation):
    left, right = unix_pair
    right.settimeout(1e6)
    call = start(OPERATIONS[operation], right).until_blocked()
    left.send(b"x")
    call.result()


COUNTS_IN_AN_INT = sys.version_info < (3, 12, 8) or (3, 13) <= sys.version_info < (3, 13, 1)


@pytest.mark.holds("A call waits for its whole timeout", "Before 3.12.8 and 3.13.1, the original loses")
@pytest.mark.parametrize("timeout", [9e9, 2**31, 2**33, 2**32 / 1000, 2_147_483.648])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_huge_timeout_waits(unix_pair, start, ours, operation, timeout):
    left, right = unix_pair
    if COUNTS_IN_AN_INT and not ours:
        if timeout == 2**32 / 1000:
            right.settimeout(timeout)
            with pytest.raises(TimeoutError):
                OPERATIONS[operation](right)
        return
    right.settimeout(timeout)
    call = start(OPERATIONS[operation], right).until_blocked()
    left.send(b"x")
    call.result()


@pytest.mark.holds(
    "An operation that is possible at once does not end with a timeout.",
    "In the original, a call on a socket with a timeout first waits",
)
@pytest.mark.parametrize("call", [lambda s: s.send(b""), lambda s: s.sendall(b"")])
def test_a_call_that_can_succeed_at_once(unix_pair, ours, call):
    left, _ = unix_pair
    left.settimeout(0.05)
    fill(left)
    if ours:
        call(left)
    else:
        with pytest.raises(TimeoutError):
            call(left)


@pytest.mark.holds("An error that waiting cannot fix is raised at once")
def test_an_error_that_waiting_would_not_fix(ours, listener):
    listener.settimeout(60 if ours else 0.05)
    with pytest.raises(OSError) as caught:
        listener.recv(1)
    assert isinstance(caught.value, TimeoutError) is not ours
    assert caught.value.errno == (errno.ENOTCONN if ours else None)


def test_the_deadline_of_sendall_is_for_all_data(socket, unix_pair, start):
    """The peer receives a little at a time: each send makes progress, but never sends all."""
    left, right = unix_pair
    left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    left.settimeout(0.3)
    over = []

    def receive_slowly():
        right.settimeout(0.01)
        while not over:
            try:
                right.recv(2048)
            except TimeoutError:
                continue
            time.sleep(0.01)

    reading = start(receive_slowly)
    try:
        with pytest.raises(TimeoutError):
            left.sendall(bytes(64 << 20))
    finally:
        over.append(True)
    reading.result()


def test_sendall_of_much_within_the_time(unix_pair, start):
    left, right = unix_pair
    left.settimeout(30)
    data = bytes(8 << 20)
    reading = start(recv_all, right, len(data))
    assert left.sendall(data) is None
    assert reading.result() == data


class TestTheKernelsOwnTimeouts:
    """SO_RCVTIMEO and SO_SNDTIMEO end the calls of a blocking socket."""

    TIME = struct.pack("@ll", 0, 30_000)

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_receiving(self, socket, unix_pair, operation):
        left, right = unix_pair
        right.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, self.TIME)
        with pytest.raises(BlockingIOError) as caught:
            OPERATIONS[operation](right)
        assert caught.value.errno == errno.EAGAIN
        left.send(b"x")
        OPERATIONS[operation](right)

    def test_accept(self, socket, listener):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, self.TIME)
        with pytest.raises(BlockingIOError):
            listener.accept()

    @pytest.mark.parametrize("operation", ["send", "sendall", "sendmsg"])
    def test_sending(self, socket, unix_pair, operation):
        left, _ = unix_pair
        fill(left)
        left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, self.TIME)
        with pytest.raises(BlockingIOError):
            getattr(left, operation)([b"x" * 100_000] if operation == "sendmsg" else b"x" * 100_000)

    def test_the_sockets_own_timeout_wins(self, socket, unix_pair, start):
        left, right = unix_pair
        right.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, self.TIME)
        right.settimeout(30)
        call = start(right.recv, 1).until_blocked()
        time.sleep(0.05)  # longer than the kernel's timeout, which must not apply
        left.send(b"x")
        assert call.result() == b"x"


@pytest.mark.parametrize("timeout", [0, 0.05])
def test_a_timeout_changed_by_another_thread_applies_to_the_next_call(unix_pair, start, timeout):
    left, right = unix_pair
    right.settimeout(30)
    call = start(right.recv, 1).until_blocked()
    right.settimeout(timeout)
    left.send(b"x")
    assert call.result() == b"x"
    with pytest.raises(BlockingIOError if timeout == 0 else TimeoutError):
        right.recv(1)


@pytest.mark.parametrize("timeout", [0, None])
def test_a_call_whose_socket_has_no_timeout_any_more_does_not_wait_again(socket, keep, start, timeout):
    """A datagram socket that was shut down is ready and has nothing: with a timeout a receive would wait on."""
    left, right = map(keep, socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
    right.settimeout(5)
    call = start(right.recv, 1).until_blocked()
    right.settimeout(timeout)
    with pytest.raises(BlockingIOError) if timeout == 0 else contextlib.nullcontext():
        right.shutdown(socket.SHUT_RD)
        assert call.result() == b""
