"""One thread is in a call while another closes the socket: only oxisocket ends the call, at once and safely."""

from __future__ import annotations

import errno
import io
import os
import struct
import threading

import pytest
from marks import only_oxisocket
from receiving import receives
from waiting import fill, fill_backlog, until_timeout

pytestmark = only_oxisocket


READING = {**receives(10), "recv much": lambda s: s.recv(1 << 20)}
# TCP has room for more after a while, so a partial send is followed by another.
WRITING = {
    "send": lambda s: [s.send(b"x" * 100_000) for _ in until_timeout()],
    "sendall": lambda s: [s.sendall(b"x" * 100_000) for _ in until_timeout()],
    "sendmsg": lambda s: [s.sendmsg([b"x" * 100_000]) for _ in until_timeout()],
    "sendfile": lambda s: [s.sendfile(io.BytesIO(b"x" * 100_000)) for _ in until_timeout()],
}
TIMEOUTS = pytest.mark.parametrize("timeout", [None, 60.0])


def ends_with_bad_descriptor(call):
    with pytest.raises(OSError) as caught:
        call.result()
    assert caught.value.args == (errno.EBADF, os.strerror(errno.EBADF))


@TIMEOUTS
@pytest.mark.parametrize("pair", ["tcp_pair", "unix_pair", "udp_pair"])
@pytest.mark.parametrize("name", READING)
def test_reading_ends(socket, request, start, pair, name, timeout):
    left, _ = request.getfixturevalue(pair)
    left.settimeout(timeout)
    call = start(READING[name], left).until_blocked()
    left.close()
    assert left.fileno() == -1
    ends_with_bad_descriptor(call)


@TIMEOUTS
@pytest.mark.parametrize("pair", ["tcp_pair", "unix_pair"])
@pytest.mark.parametrize("name", WRITING)
def test_writing_ends(socket, request, start, pair, name, timeout):
    left, _ = request.getfixturevalue(pair)
    left.settimeout(timeout)
    fill(left)
    call = start(WRITING[name], left).until_blocked()
    left.close()
    assert left.fileno() == -1
    ends_with_bad_descriptor(call)


@TIMEOUTS
def test_accept_ends(socket, listener, start, timeout):
    listener.settimeout(timeout)
    call = start(listener.accept).until_blocked()
    listener.close()
    ends_with_bad_descriptor(call)


def test_accept_on_a_unix_socket_ends(socket, keep, start, tmp_path):
    listening = keep(socket.socket(socket.AF_UNIX))
    listening.bind(str(tmp_path / "s"))
    listening.listen()
    call = start(listening.accept).until_blocked()
    listening.close()
    ends_with_bad_descriptor(call)


@TIMEOUTS
@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_connect_ends(socket, keep, start, timeout, method):
    full = keep(socket.socket())
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    fill_backlog(full, keep)
    client = keep(socket.socket())
    client.settimeout(timeout)
    call = start(getattr(client, method), full.getsockname()).until_blocked()
    client.close()
    if method == "connect":
        ends_with_bad_descriptor(call)
    else:
        assert call.result() == errno.EBADF


def test_a_file_ends(socket, unix_pair, start, keep):
    left, _ = unix_pair
    file = left.makefile("rb", buffering=0)
    call = start(file.read, 10).until_blocked()
    left.close()  # the file keeps the descriptor open
    assert call.is_alive()
    file.close()
    ends_with_bad_descriptor(call)


def test_waitall_ends(socket, tcp_pair, start):
    left, right = tcp_pair
    right.send(b"some")
    call = start(left.recv, 100, socket.MSG_WAITALL).until_blocked()
    left.close()
    with pytest.raises(OSError) as caught:
        if call.result() == b"some":  # the data received so far is returned, not lost
            left.recv(1)
    assert caught.value.errno == errno.EBADF


def test_every_call_of_a_socket_ends(socket, tcp_pair, start):
    left, _ = tcp_pair
    fill(left)
    calls = [start(READING["recv"], left).until_blocked() for _ in range(3)]
    calls.append(start(WRITING["sendall"], left).until_blocked())
    left.close()
    for call in calls:
        ends_with_bad_descriptor(call)


@pytest.mark.holds("No descriptor is ever used after it was given back")
def test_the_number_belongs_to_the_call_until_it_ends(socket, keep, unix_pair, start, open_files):
    """A call made before must not receive the data of the number's next owner."""
    left, _ = unix_pair
    for _ in range(50):
        ours, theirs = socket.socketpair()
        call = start(READING["recv"], ours).until_blocked()
        ours.close()
        pair = [keep(s) for s in socket.socketpair()]
        for to, at in (pair, pair[::-1]):
            to.send(b"not yours")
            assert at.recv(10) == b"not yours"
        ends_with_bad_descriptor(call)
        theirs.close()


def test_the_number_is_reusable_when_the_last_call_ends(socket, start, open_files):
    left, right = socket.socketpair()
    number = left.fileno()
    calls = [start(READING["recv"], left).until_blocked() for _ in range(3)]
    left.close()
    for call in calls:
        ends_with_bad_descriptor(call)
    assert number not in open_files()
    assert right.recv(1) == b""  # the peer sees EOF
    right.close()


def test_the_peer_sees_eof(socket, unix_pair, start):
    left, right = unix_pair
    call = start(READING["recv"], left).until_blocked()
    left.close()
    ends_with_bad_descriptor(call)
    assert right.recv(1) == b""


def test_a_duplicate_goes_on(socket, unix_pair, start, keep):
    left, right = unix_pair
    copy = keep(left.dup())
    waiting = start(READING["recv"], copy).until_blocked()
    call = start(READING["recv"], left).until_blocked()
    left.close()
    ends_with_bad_descriptor(call)
    right.send(b"for the copy")
    assert waiting.result() == b"for the co"


def test_close_races_with_short_calls(socket, start):
    """Short calls made while the socket is being closed either succeed or fail with EBADF."""
    for _ in range(50):
        left, right = socket.socketpair()
        right.send(b"x" * 50_000)

        def drain(s=left):
            size = 0
            while True:
                try:
                    size += len(s.recv(10))
                except OSError as error:
                    return error.errno
                if size == 50_000:
                    return errno.EBADF

        calls = [start(drain) for _ in range(2)]
        left.close()
        assert [call.result() for call in calls] == [errno.EBADF] * 2
        right.close()


def test_a_buffered_file_ends(socket, unix_pair, start):
    left, right = unix_pair
    file = left.makefile("rb")
    right.send(b"the beginning of a line")
    call = start(file.readline).until_blocked()
    left._real_close()  # close() would leave the closing to the file, which is in use
    ends_with_bad_descriptor(call)
    file.close()


@TIMEOUTS
def test_sendfile_ends(socket, tcp_pair, start, keep, tmp_path, timeout):
    left, _ = tcp_pair
    left.settimeout(timeout)
    file = keep(open(tmp_path / "file", "w+b"))
    file.truncate(100_000_000)
    call = start(left.sendfile, file).until_blocked()
    left.close()
    ends_with_bad_descriptor(call)


def test_connect_to_a_unix_socket_ends(socket, keep, start, tmp_path):
    full = keep(socket.socket(socket.AF_UNIX))
    full.bind(str(tmp_path / "s"))
    full.listen(0)
    keep(socket.socket(socket.AF_UNIX)).connect(full.getsockname())
    client = socket.socket(socket.AF_UNIX)
    call = start(client.connect, full.getsockname()).until_blocked()
    client.close()
    ends_with_bad_descriptor(call)


def test_many_threads_close_it_once(socket, start, open_files):
    """Each number is closed once: at a second close it could belong to another file."""
    before = open_files()
    for _ in range(15):
        left, right = socket.socketpair()
        calls = [start(READING["recv"], left).until_blocked() for _ in range(2)]
        barrier = threading.Barrier(6)

        def close(left=left, barrier=barrier):
            barrier.wait()
            left.close()
            with open(os.devnull) as stranger:
                os.fstat(stranger.fileno())

        closing = [start(close) for _ in range(6)]
        for call in closing:
            call.result()
        for call in calls:
            ends_with_bad_descriptor(call)
        right.close()
    assert open_files() == before


class TestLinger:
    """Closing a connection with SO_LINGER blocks, but no other thread waits for it."""

    @pytest.fixture
    def lingering(self, socket, tcp_pair):
        """A connection whose peer does not read its data: with SO_LINGER its close would block longer than a test may take."""
        left, right = tcp_pair
        fill(left)
        left.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600))
        return left, right

    def reset(self, socket, right):
        right.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        right.close()

    def test_other_threads_run(self, socket, lingering, start):
        left, right = lingering
        closing = start(left.close).until_blocked()
        assert left.fileno() == -1
        assert closing.is_alive()
        self.reset(socket, right)
        closing.result()

    def test_the_last_call_lingers_and_close_does_not(self, socket, lingering, start):
        left, right = lingering
        call = start(READING["recv"], left).until_blocked()
        start(left.close).result()
        assert left.fileno() == -1
        call.until_blocked()
        self.reset(socket, right)
        ends_with_bad_descriptor(call)
