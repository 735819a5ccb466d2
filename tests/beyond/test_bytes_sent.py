"""A sendall that fails says how much the kernel has accepted: the attribute `bytes_sent` of its exception."""

from __future__ import annotations

import copy
import errno
import pickle
import struct
import traceback

import pytest
from marks import only_oxisocket
from waiting import BIG, limit_buffers, recv_all

STREAMS = pytest.mark.parametrize("kind", ["tcp", "unix"])


@pytest.fixture
def pair(socket, request, kind):
    both = request.getfixturevalue(f"{kind}_pair")
    limit_buffers(*both)
    return both


def received_by(sock):
    """All that is on its way to a socket, or has come there, until EOF."""
    sock.settimeout(20)
    return recv_all(sock, len(BIG) * 2)


@only_oxisocket
@STREAMS
class TestBytesSent:
    @pytest.mark.parametrize("before", [b"", b"before"])
    def test_a_timeout(self, socket, pair, before):
        left, right = pair
        left.settimeout(0.1)
        left.sendall(before)
        with pytest.raises(TimeoutError) as caught:
            left.sendall(BIG)
        left.shutdown(socket.SHUT_WR)
        received = received_by(right)
        assert 0 < caught.value.bytes_sent < len(BIG)
        assert received == before + BIG[: caught.value.bytes_sent]

    def test_a_timeout_after_several_waits(self, socket, pair, start):
        left, right = pair
        left.settimeout(0.5)
        call = start(left.sendall, BIG).until_blocked()
        received = recv_all(right, 3 * len(BIG) // 4)
        with pytest.raises(TimeoutError) as caught:
            call.result()
        left.shutdown(socket.SHUT_WR)
        received += received_by(right)
        assert received == BIG[: caught.value.bytes_sent]

    def test_the_deadline_of_the_thread(self, socket, pair):
        left, right = pair
        with pytest.raises(TimeoutError) as caught, socket.deadline(0.1):
            left.sendall(BIG)
        left.shutdown(socket.SHUT_WR)
        assert received_by(right) == BIG[: caught.value.bytes_sent] != b""

    def test_a_non_blocking_socket(self, socket, pair):
        left, right = pair
        left.setblocking(False)
        with pytest.raises(BlockingIOError) as caught:
            left.sendall(BIG)
        left.shutdown(socket.SHUT_WR)
        assert 0 < caught.value.bytes_sent < len(BIG)
        assert received_by(right) == BIG[: caught.value.bytes_sent]

    def test_a_full_socket(self, pair):
        left, _ = pair
        left.setblocking(False)
        with pytest.raises(BlockingIOError):
            left.sendall(BIG)
        with pytest.raises(BlockingIOError) as caught:
            while True:  # TCP takes single bytes again after a while
                left.sendall(BIG)
        assert caught.value.bytes_sent < len(BIG)

    @pytest.mark.parametrize("timeout", [None, 20.0])
    def test_the_other_end_goes_away(self, socket, pair, start, timeout):
        left, right = pair
        left.settimeout(timeout)
        call = start(left.sendall, BIG).until_blocked()
        recv_all(right, 1000)
        right.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        right.close()
        with pytest.raises(ConnectionError) as caught:
            call.result()
        assert 1000 <= caught.value.bytes_sent < len(BIG)

    def test_the_other_end_has_gone_away(self, pair):
        left, right = pair
        right.close()
        errors = []
        for _ in range(1000):
            try:
                left.sendall(b"x" * 100)
            except ConnectionError as error:
                errors.append(error)
                break
        assert [error.bytes_sent for error in errors] == [0]

    @pytest.mark.parametrize("timeout", [None, 20.0])
    def test_another_thread_closes_the_socket(self, pair, start, timeout):
        left, right = pair
        left.settimeout(timeout)
        call = start(left.sendall, BIG).until_blocked()
        left.close()
        with pytest.raises(OSError) as caught:
            call.result()
        assert caught.value.errno == errno.EBADF
        assert received_by(right) == BIG[: caught.value.bytes_sent]

    def test_a_closed_socket(self, pair):
        left, _ = pair
        left.close()
        with pytest.raises(OSError) as caught:
            left.sendall(b"x")
        assert (caught.value.errno, caught.value.bytes_sent) == (errno.EBADF, 0)


SIGNALS = """
import signal, sys, threading
from waiting import BIG, limit_buffers, recv_all
left, right = socket.socketpair()
limit_buffers(left, right)
left.settimeout(eval(sys.argv[1]))

def check(error):
    left.shutdown(socket.SHUT_WR)
    right.settimeout(20)
    received = recv_all(right, len(BIG))
    print(0 < error.bytes_sent < len(BIG), received == BIG[:error.bytes_sent], error)
    left.close()
    right.close()
"""


@only_oxisocket
@pytest.mark.parametrize("timeout", ["None", "20"])
class TestSignals:
    def test_a_handler_that_raises(self, run, timeout):
        code = f"""{SIGNALS}
def on_signal(number, frame):
    raise KeyboardInterrupt("now")

signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.1)
try:
    left.sendall(BIG)
except KeyboardInterrupt as error:
    check(error)
"""
        assert run(code, timeout) == "True True now\n"

    def test_the_call_that_raises_last_counts(self, run, timeout):
        """The handler's own sendall fails, and its exception ends the sendall in which it ran."""
        code = f"""{SIGNALS}
inner, other = socket.socketpair()
inner.setblocking(False)
seen = []

def on_signal(number, frame):
    try:
        inner.sendall(bytes(1 << 24))
    except BlockingIOError as error:
        seen.append(error.bytes_sent)
        raise

signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.1)
try:
    left.sendall(BIG)
except BlockingIOError as error:
    print(seen[0] > 0)
    check(error)
inner.close()
other.close()
"""
        assert run(code, timeout).splitlines()[0] == "True"
        assert run(code, timeout).splitlines()[1].startswith("True True ")


def failures(socket):
    """Exceptions of sendall, as a program sees them that does not look for `bytes_sent`."""
    left, right = socket.socketpair()
    with left, right:
        left.settimeout(0.01)
        for change in (lambda: None, lambda: left.setblocking(False), right.close, left.close):
            change()
            try:
                left.sendall(bytes(1 << 24))
            except OSError as error:
                yield error


def test_nothing_else_of_the_exception_changes(agree):
    """But for its notes."""

    def seen(error):
        twins = (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error))
        for each in (error, *twins):
            yield (type(each), str(each), repr(each), each.args, each.errno, each.strerror, each.filename)
            yield traceback.format_exception_only(each)[0]

    outcomes = agree(lambda socket: [list(seen(error)) for error in failures(socket)])
    assert len(outcomes) == 4


@pytest.mark.holds("The exception of a `sendall` that fails has an attribute `bytes_sent`.")
def test_only_oxisocket_has_it(socket, ours):
    assert [hasattr(error, "bytes_sent") for error in failures(socket)] == [ours] * 4


@only_oxisocket
def test_copies_keep_it(socket):
    for error in failures(socket):
        for twin in pickle.loads(pickle.dumps(error)), copy.copy(error):
            assert twin.bytes_sent == error.bytes_sent >= 0


@only_oxisocket
def test_arguments_that_are_wrong_have_none(unix_pair):
    for wrong in (None, "text", 5):
        with pytest.raises(TypeError) as caught:
            unix_pair[0].sendall(wrong)
        assert not hasattr(caught.value, "bytes_sent")


@only_oxisocket
def test_other_sends_have_none(socket, unix_pair):
    unix_pair[0].close()
    with pytest.raises(OSError) as caught:
        unix_pair[0].send(b"x")
    assert not hasattr(caught.value, "bytes_sent")


@only_oxisocket
def test_datagrams(udp_pair):
    udp_pair[0].connect(udp_pair[1].getsockname())
    with pytest.raises(OSError) as caught:
        udp_pair[0].sendall(bytes(1 << 17))
    assert (caught.value.errno, caught.value.bytes_sent) == (errno.EMSGSIZE, 0)
