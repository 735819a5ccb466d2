"""Sends on a socket whose receives had to wait for the peer: oxisocket makes them in another way, with the same outcome."""

from __future__ import annotations

import errno
import threading
import time

import pytest
from marks import only_oxisocket
from waiting import BIG, fill, limit_buffers, recv_all, until_timeout


@pytest.fixture(params=["tcp_pair", "unix_pair"])
def ends(socket, request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=[None, 30.0], ids=["blocking", "timeout"])
def waiter(request, ends, start):
    """A socket whose `recv` has waited for its peer, and the peer."""
    left, right = ends
    limit_buffers(left, right)
    left.settimeout(request.param)
    waiting = start(left.recv, 10).until_blocked()
    right.sendall(b"answer")
    assert waiting.result() == b"answer"
    return left, right


SENDS = {
    "send": lambda s, data: s.send(data),
    "sendall": lambda s, data: s.sendall(data) or len(data),
    "sendmsg": lambda s, data: s.sendmsg([data]),
    "a bytearray": lambda s, data: s.send(bytearray(data)),
}


@pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
def test_questions_and_answers(waiter, start, send):
    left, right = waiter

    def answer():
        while data := right.recv(100):
            right.sendall(data.upper())

    answering = start(answer)
    for number in range(200):
        question = b"question %d" % number
        assert send(left, question) == len(question)
        assert left.recv(100) == question.upper()
    left.close()
    answering.result()


def test_more_than_the_buffers_hold(waiter, start):
    left, right = waiter
    reading = start(recv_all, right, len(BIG))
    assert left.sendall(BIG) is None
    assert reading.result() == BIG


def test_a_blocking_send_sends_all(waiter, start):
    left, right = waiter
    if left.gettimeout() is not None:
        pytest.skip("with a timeout it need not be")
    sending = start(left.send, BIG).until_blocked()
    assert recv_all(right, len(BIG)) == BIG
    assert sending.result() == len(BIG)


def test_a_send_waits_for_room(waiter, start):
    left, right = waiter
    sent = fill(left)
    sending = start(left.sendall, BIG).until_blocked()
    assert recv_all(right, sent) == b"x" * sent
    assert recv_all(right, len(BIG)) == BIG
    assert sending.result() is None


def test_the_timeout_passes(waiter):
    left, _ = waiter
    fill(left)
    left.settimeout(0.05)
    started = time.monotonic()
    for send in SENDS.values():
        with pytest.raises(TimeoutError, match=r"(?m)^timed out$"):
            for _ in until_timeout():  # TCP has room for more after a while, but not for ever, since the peer does not read
                send(left, b"y" * 1000)
    assert time.monotonic() - started >= 0.05 * len(SENDS)


def test_non_blocking(waiter):
    left, _ = waiter
    fill(left)
    left.setblocking(False)
    for send in SENDS.values():
        with pytest.raises(BlockingIOError):
            for _ in until_timeout():
                send(left, b"y")


def test_after_the_peer_has_closed(waiter):
    left, right = waiter
    right.close()
    with pytest.raises(OSError) as caught:
        for _ in until_timeout():
            left.send(b"y")
            time.sleep(0.001)
    assert caught.value.errno in (errno.EPIPE, errno.ECONNRESET)


@only_oxisocket
@pytest.mark.parametrize("method", ["send", "sendall"])
def test_closed_by_another_thread(socket, waiter, start, method):
    left, _ = waiter
    fill(left)
    if method == "send":
        left.settimeout(None)  # with a timeout, a partial send would end the call
    sending = start(getattr(left, method), BIG).until_blocked()
    left.close()
    with pytest.raises(OSError) as caught:
        sending.result()
    assert caught.value.errno == errno.EBADF


def send_for_ever(s, begun):
    begun.set()
    while True:
        s.send(b"y" * 100)


@only_oxisocket
def test_closed_during_short_sends(socket, start, open_files):
    """Each send is too short to be interrupted: it ends by itself, and the last one closes the number."""
    before = open_files()
    for _ in range(50):
        left, right = socket.socketpair()
        waiting = start(left.recv, 10).until_blocked()
        right.sendall(b"answer")
        waiting.result()
        begun = threading.Event()
        reading = start(recv_all, right, 1 << 40)
        sending = start(send_for_ever, left, begun)
        begun.wait()
        left.close()
        with pytest.raises(OSError) as caught:
            sending.result()
        assert caught.value.errno == errno.EBADF
        assert set(reading.result()) <= set(b"y")
        right.close()
    assert len(open_files() - before) <= 1, "more than what is made once, when the first call is woken"
