"""Non-blocking sockets."""

from __future__ import annotations

import contextlib
import errno
import os
import select

import pytest
from receiving import receives
from waiting import BIG, fill, limit_buffers


@pytest.fixture(params=["setblocking", "settimeout", "os"])
def set_nonblocking(request):
    """Makes a socket non-blocking, in each of the possible ways."""
    return {
        "setblocking": lambda s: s.setblocking(False),
        "settimeout": lambda s: s.settimeout(0),
        "os": lambda s: os.set_blocking(s.fileno(), False),  # the kernel knows it, the socket object does not
    }[request.param]


@pytest.mark.parametrize("pair", ["tcp_pair", "unix_pair", "udp_pair"])
def test_nothing_to_read(socket, request, pair, set_nonblocking):
    _, right = request.getfixturevalue(pair)
    set_nonblocking(right)
    calls = [
        lambda: right.recv(1),
        lambda: right.recv(1 << 20),
        lambda: right.recv_into(bytearray(1)),
        lambda: right.recvfrom(1),
        lambda: right.recvfrom_into(bytearray(1)),
        lambda: right.recvmsg(1),
        lambda: right.recvmsg_into([bytearray(1)]),
    ]
    for call in calls:
        with pytest.raises(BlockingIOError) as caught:
            call()
        assert caught.value.args == (errno.EAGAIN, os.strerror(errno.EAGAIN))


@pytest.mark.parametrize("pair", ["tcp_pair", "unix_pair"])
def test_no_room_to_write(socket, request, pair, set_nonblocking):
    left, right = request.getfixturevalue(pair)
    set_nonblocking(left)
    sent = 0
    with pytest.raises(BlockingIOError):
        while True:
            sent += left.send(b"x" * 50_000)
    for call in (lambda: left.sendall(b"x" * 500_000), lambda: left.sendmsg([b"x" * 500_000])):
        with pytest.raises(BlockingIOError):
            while True:
                call()
    right.settimeout(10)
    received = 0
    while received < sent:
        received += len(right.recv(1 << 20))


def test_sendall_sends_what_fits_and_then_raises(unix_pair):
    left, right = unix_pair
    limit_buffers(left)
    left.setblocking(False)
    with pytest.raises(BlockingIOError):
        left.sendall(BIG)
    assert right.recv(10) == BIG[:10]


def test_no_connection_to_accept(listener, set_nonblocking):
    set_nonblocking(listener)
    with pytest.raises(BlockingIOError) as caught:
        listener.accept()
    assert caught.value.errno == errno.EAGAIN
    with pytest.raises(BlockingIOError):
        listener._accept()


def test_connect_is_in_progress_and_then_done(socket, keep, listener):
    client = keep(socket.socket())
    client.setblocking(False)
    with pytest.raises(BlockingIOError) as caught:
        client.connect(listener.getsockname())
    assert caught.value.errno == errno.EINPROGRESS
    assert select.select([], [client], [], 10)[1] == [client]
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    keep(listener.accept()[0])
    assert client.getpeername() == listener.getsockname()


def test_connect_ex_is_in_progress(socket, keep, listener):
    client = keep(socket.socket())
    client.settimeout(0)
    assert client.connect_ex(listener.getsockname()) == errno.EINPROGRESS
    assert select.select([], [client], [], 10)[1] == [client]
    assert client.connect_ex(listener.getsockname()) == 0
    assert client.connect_ex(listener.getsockname()) == errno.EISCONN


def test_a_refused_connect_fails_later(socket, keep):
    nobody = keep(socket.socket())
    nobody.bind(("127.0.0.1", 0))
    client = keep(socket.socket())
    client.settimeout(0)
    assert client.connect_ex(nobody.getsockname()) in (errno.EINPROGRESS, errno.ECONNREFUSED)
    select.select([], [client], [], 10)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in (errno.ECONNREFUSED, 0)


def test_available_data_is_received(unix_pair, set_nonblocking):
    left, right = unix_pair
    set_nonblocking(left)
    set_nonblocking(right)
    assert left.send(b"abc") == 3
    assert left.sendall(b"def") is None
    assert right.recv(2) == b"ab"
    buffer = bytearray(10)
    assert right.recv_into(buffer) == 4
    left.close()
    assert right.recv(1) == b""


RECEIVING = {**receives(1), "recv much": lambda s: s.recv(4 << 20)}
SENDING = {
    "send": lambda s: s.send(b"x" * 500_000),
    "sendall": lambda s: s.sendall(b"x" * 500_000),
    "sendmsg": lambda s: s.sendmsg([b"x" * 500_000]),
}


@pytest.mark.holds("On a non-blocking socket, a call that sends or receives", "In the original it blocks if O_NONBLOCK")
@pytest.mark.parametrize("name", [*RECEIVING, *SENDING])
def test_it_never_blocks_even_after_o_nonblock_was_cleared(socket, ours, unix_pair, start, name):
    left, right = unix_pair
    left.setblocking(False)
    if name in SENDING:
        fill(left)
    os.set_blocking(left.fileno(), True)
    call = (RECEIVING | SENDING)[name]
    if ours:
        with pytest.raises(BlockingIOError):
            call(left)
    else:
        waiting = start(call, left).until_blocked()
        if name in RECEIVING:
            right.send(b"x")
        else:
            right.close()  # which ends the call
            with contextlib.suppress(OSError):
                waiting.result()
            return
        waiting.result()


def test_a_file_returns_none(unix_pair, keep):
    left, right = unix_pair
    right.setblocking(False)
    file = keep(right.makefile("rb", buffering=0))
    assert file.read(1) is None
    assert file.readinto(bytearray(1)) is None
    left.send(b"x")
    assert file.read(1) == b"x"


def test_a_socket_works_with_select_and_poll(unix_pair):
    left, right = unix_pair
    assert select.select([left, right], [left], [], 0) == ([], [left], [])
    left.send(b"x")
    assert select.select([left, right], [], [], 10)[0] == [right]
    poll = select.poll()
    poll.register(right, select.POLLIN)
    assert poll.poll(0) == [(right.fileno(), select.POLLIN)]
