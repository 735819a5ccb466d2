"""recv, recv_into, recvfrom, recvfrom_into, send, sendall, sendto."""

from __future__ import annotations

import array
import errno
import os
import sys

import pytest
from machine import needs_64_bits
from waiting import BIG, limit_buffers, recv_all, until_timeout

STREAMS = pytest.mark.parametrize("pair", ["tcp_pair", "unix_pair"])
TIMEOUTS = pytest.mark.parametrize("timeout", [None, 30.0])


@pytest.fixture
def streams(socket, request, pair, timeout):
    both = request.getfixturevalue(pair)
    for s in both:
        s.settimeout(timeout)
    return both


@STREAMS
@TIMEOUTS
class TestStream:
    @pytest.mark.parametrize("size", [1, 2, 100, 1000, 4096, 8191, 65535, 65536, 65537])
    def test_sent_data_is_received(self, streams, start, size):
        left, right = streams
        data = os.urandom(size)
        sending = start(left.sendall, data)
        assert recv_all(right, size) == data
        assert sending.result() is None

    @pytest.mark.parametrize("room", [4, 5, 100, 4096, 65536, 1 << 20])
    def test_recv_returns_what_there_is(self, streams, room):
        left, right = streams
        assert left.send(b"data") == 4
        assert right.recv(room) == b"data"

    def test_recv_leaves_the_rest(self, streams):
        left, right = streams
        left.sendall(b"abcdef")
        assert [right.recv(n) for n in (1, 2, 3)] == [b"a", b"bc", b"def"]

    def test_eof_is_empty_and_stays(self, streams):
        left, right = streams
        left.sendall(b"x")
        left.close()
        assert right.recv(10) == b"x"
        assert right.recv(10) == b""
        assert right.recv(10) == b""
        assert right.recv_into(bytearray(10)) == 0

    def test_recv_waits(self, streams, start):
        left, right = streams
        call = start(right.recv, 10).until_blocked()
        left.send(b"at last")
        assert call.result() == b"at last"

    def test_recv_into_waits(self, streams, start):
        left, right = streams
        buffer = bytearray(b"." * 10)
        call = start(right.recv_into, buffer).until_blocked()
        left.send(b"at last")
        assert call.result() == 7
        assert buffer == b"at last..."

    def test_sendall_sends_much(self, streams, start):
        left, right = streams
        limit_buffers(left, right)
        call = start(left.sendall, BIG).until_blocked()
        assert recv_all(right, len(BIG)) == BIG
        assert call.result() is None

    def test_send_sends_at_least_a_part(self, streams, start):
        left, right = streams
        reading = start(recv_all, right, len(BIG))
        sent = 0
        while sent < len(BIG):
            part = left.send(memoryview(BIG)[sent:])
            assert 0 < part <= len(BIG) - sent
            sent += part
        assert reading.result() == BIG

    def test_peek_consumes_nothing(self, socket, streams):
        left, right = streams
        left.sendall(b"data")
        assert right.recv(2, socket.MSG_PEEK) == b"da"
        assert right.recvfrom(4, socket.MSG_PEEK)[0] == b"data"
        buffer = bytearray(4)
        assert right.recv_into(buffer, 0, socket.MSG_PEEK) == 4
        assert right.recv(10) == b"data"

    def test_dontwait_does_not_wait(self, socket, streams):
        left, right = streams
        if right.gettimeout() is None:
            with pytest.raises(BlockingIOError) as caught:
                right.recv(10, socket.MSG_DONTWAIT)
            assert caught.value.errno == errno.EAGAIN
        left.sendall(b"data")
        assert right.recv(10, socket.MSG_DONTWAIT) == b"data"

    def test_send_takes_flags(self, socket, streams):
        left, right = streams
        assert left.send(b"data", socket.MSG_NOSIGNAL) == 4
        assert left.sendall(b"more", socket.MSG_NOSIGNAL) is None
        assert recv_all(right, 8) == b"datamore"

    def test_sending_nothing(self, streams):
        left, right = streams
        assert left.send(b"") == 0
        assert left.sendall(b"") is None
        left.send(b"x")
        assert right.recv(10) == b"x"

    def test_epipe_after_the_peer_has_closed(self, streams):
        left, right = streams
        right.close()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in until_timeout():
                left.sendall(b"x" * 65536)

    def test_a_blocked_sendall_ends_when_the_peer_closes(self, streams, start):
        left, right = streams
        limit_buffers(left, right)
        call = start(left.sendall, BIG).until_blocked()
        right.close()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            call.result()

    @pytest.mark.parametrize("method", ["recvfrom", "recvfrom_into"])
    def test_recvfrom_on_a_stream_has_no_address(self, socket, streams, method):
        left, right = streams
        left.sendall(b"data")
        expected = None if right.family == socket.AF_INET else ""
        if method == "recvfrom":
            data, address = right.recvfrom(10)
            assert data == b"data"
        else:
            size, address = right.recvfrom_into(bytearray(10))
            assert size == 4
        assert address in (None, expected)


@STREAMS
def test_waitall_waits_for_all(socket, request, pair, start):
    left, right = request.getfixturevalue(pair)
    for part, rest in [(b"a" * 10, b"b" * 90), (b"a" * 70_000, b"b" * 30_000)]:
        call = start(right.recv, len(part + rest), socket.MSG_WAITALL)
        left.sendall(part)
        call.until_blocked()
        left.sendall(rest)
        assert call.result() == part + rest


@STREAMS
def test_waitall_ends_at_eof(socket, request, pair, start):
    left, right = request.getfixturevalue(pair)
    call = start(right.recv, 100, socket.MSG_WAITALL).until_blocked()
    left.sendall(b"short")
    left.close()
    assert call.result() == b"short"


class TestRecvSizes:
    def test_zero_bytes_of_a_stream_with_data(self, unix_pair):
        left, right = unix_pair
        left.sendall(b"data")
        assert right.recv(0) == b""
        assert right.recv(4) == b"data"

    @pytest.mark.parametrize("method", ["recv", "recvfrom"])
    def test_a_negative_size(self, both, outcome, method):
        results = []
        for module in both:
            left, right = module.socketpair()
            with left, right:
                left.send(b"data")
                results.append([outcome(getattr(right, method), size) for size in (-1, -(2**31), -(2**63), -(2**63) - 1, 2**63)])
                assert right.recv(10) == b"data"  # a failed call consumes no data
        assert results[0] == results[1]
        assert all(result[0] == "raised" for result in results[0])

    @needs_64_bits
    def test_a_huge_size_is_a_memory_error_and_consumes_nothing(self, unix_pair):
        left, right = unix_pair
        left.send(b"data")
        with pytest.raises(MemoryError):
            right.recv(2**62)
        assert right.recv(10) == b"data"

    @pytest.mark.parametrize(
        ("method", "args"),
        [
            ("recv_into", (bytearray(4), -1)),
            ("recv_into", (bytearray(4), 5)),
            ("recv_into", (bytearray(0), 1)),
            ("recvfrom_into", (bytearray(4), -1)),
            ("recvfrom_into", (bytearray(4), 5)),  # CVE-2014-1912
            ("recvfrom_into", (bytearray(4), 2**40)),
            ("recvfrom_into", (bytearray(4), 2**63)),
            ("recv_into", (bytearray(4), -(2**63) - 1)),
        ],
    )
    def test_a_buffer_that_is_too_small(self, both, outcome, method, args):
        results = []
        for module in both:
            left, right = module.socketpair()
            with left, right:
                left.send(b"data")
                results.append(outcome(getattr(right, method), *args))
                assert right.recv(10) == b"data"
        assert results[0] == results[1]
        assert results[0][0] == "raised"


class TestInto:
    @pytest.mark.parametrize("method", ["recv_into", "recvfrom_into"])
    @pytest.mark.parametrize(
        ("args", "expected"),
        [((), b"abcdef.."), ((0,), b"abcdef.."), ((3,), b"abc....."), ((8,), b"abcdef..")],
    )
    def test_as_much_as_fits_or_is_asked_for(self, unix_pair, method, args, expected):
        left, right = unix_pair
        left.send(b"abcdef")
        buffer = bytearray(b"........")
        result = getattr(right, method)(buffer, *args)
        assert (result if method == "recv_into" else result[0]) == len(expected.rstrip(b"."))
        assert buffer == expected

    @pytest.mark.parametrize("method", ["recv_into", "recvfrom_into"])
    def test_keyword_arguments(self, socket, unix_pair, method):
        left, right = unix_pair
        left.send(b"abcdef")
        buffer = bytearray(8)
        getattr(right, method)(buffer=buffer, nbytes=2, flags=socket.MSG_PEEK)
        assert buffer[:3] == b"ab\0"
        getattr(right, method)(buffer, nbytes=4)
        assert buffer[:5] == b"abcd\0"

    def test_an_empty_buffer(self, unix_pair):
        left, right = unix_pair
        left.send(b"data")
        assert right.recv_into(bytearray()) == 0
        assert right.recv(10) == b"data"

    def test_the_buffer_is_released_afterwards(self, unix_pair):
        left, right = unix_pair
        buffer = bytearray(4)
        left.send(b"data")
        right.recv_into(buffer)
        buffer.append(1)  # a bytearray that is still exported raises BufferError
        right.settimeout(0)
        with pytest.raises(BlockingIOError):
            right.recv_into(buffer)
        buffer.append(1)


@TIMEOUTS
class TestDatagram:
    def test_sendto_and_recvfrom(self, udp_pair, timeout):
        left, right = udp_pair
        right.settimeout(timeout)
        assert left.sendto(b"one", right.getsockname()) == 3
        assert left.sendto(b"two", 0, right.getsockname()) == 3
        assert right.recvfrom(10) == (b"one", left.getsockname())
        buffer = bytearray(10)
        assert right.recvfrom_into(buffer) == (3, left.getsockname())
        assert buffer[:4] == b"two\0"

    def test_the_rest_of_a_datagram_is_lost(self, socket, udp_pair, timeout):
        left, right = udp_pair
        right.settimeout(timeout)
        for _ in range(4):
            left.sendto(b"abcdef", right.getsockname())
        assert right.recv(3) == b"abc"
        assert right.recvfrom(2)[0] == b"ab"
        assert right.recv_into(bytearray(1)) == 1

    def test_trunc_returns_the_true_length(self, socket, udp_pair, timeout):
        left, right = udp_pair
        right.settimeout(timeout)
        left.sendto(b"abcdef", right.getsockname())
        buffer = bytearray(b"......")
        assert right.recv_into(buffer, 3, socket.MSG_TRUNC) == 6
        assert buffer == b"abc..."

    def test_an_empty_datagram_is_a_datagram(self, udp_pair, timeout):
        left, right = udp_pair
        right.settimeout(timeout)
        assert left.sendto(b"", right.getsockname()) == 0
        left.sendto(b"next", right.getsockname())
        assert right.recvfrom(10) == (b"", left.getsockname())
        assert right.recv(10) == b"next"

    def test_recvfrom_waits(self, udp_pair, start, timeout):
        left, right = udp_pair
        right.settimeout(timeout)
        call = start(right.recvfrom, 10).until_blocked()
        left.sendto(b"at last", right.getsockname())
        assert call.result() == (b"at last", left.getsockname())

    def test_too_long_for_a_datagram(self, udp_pair, timeout):
        left, right = udp_pair
        left.settimeout(timeout)
        with pytest.raises(OSError) as caught:
            left.sendto(b"x" * 65_536, right.getsockname())
        assert caught.value.errno == errno.EMSGSIZE

    def test_the_largest_datagram(self, udp_pair, timeout):
        left, right = udp_pair
        right.settimeout(timeout)
        data = os.urandom(65_507)
        assert left.sendto(data, right.getsockname()) == len(data)
        assert right.recv(100_000) == data

    def test_send_without_a_peer(self, udp_pair, timeout):
        udp_pair[0].settimeout(timeout)
        for send in (udp_pair[0].send, udp_pair[0].sendall):
            with pytest.raises(OSError) as caught:
                send(b"x")
            assert caught.value.errno == errno.EDESTADDRREQ

    def test_an_icmp_refusal_is_an_error_of_the_next_call(self, socket, keep, udp_pair, timeout):
        left, right = udp_pair
        left.settimeout(timeout)
        left.connect(right.getsockname())
        right.close()
        left.send(b"anybody?")
        with pytest.raises(ConnectionRefusedError):
            left.recv(10)


def test_the_sender_of_a_datagram_is_a_path(socket, keep, tmp_path):
    left, right = (keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) for _ in range(2))
    left.bind(str(tmp_path / "left"))
    right.bind(str(tmp_path / "right"))
    left.sendto(b"data", str(tmp_path / "right"))
    assert right.recvfrom(10) == (b"data", str(tmp_path / "left"))
    nameless = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    nameless.sendto(b"data", str(tmp_path / "right"))
    assert right.recvfrom(10) == (b"data", None)


def test_message_boundaries_are_kept(socket, keep):
    left, right = (keep(s) for s in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    left.sendall(b"one")
    left.sendall(b"two")
    assert right.recv(100) == b"one"
    assert right.recv(100) == b"two"
    left.close()
    assert right.recv(100) == b""


def test_not_connected(socket, keep):
    s = keep(socket.socket())
    for call in (lambda: s.recv(1), lambda: s.recv_into(bytearray(1)), lambda: s.recvfrom(1)):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.errno == errno.ENOTCONN
    with pytest.raises(BrokenPipeError):
        s.send(b"x")


def test_one_method_serves_the_class_its_base_and_its_subclasses(socket, keep, unix_pair):
    """The calls are so many that the interpreter specialises the call site, and must deoptimise it for the next class."""

    class Subclass(socket.socket):
        pass

    public, base = socket.socket, socket.socket.__mro__[1]
    left, right = unix_pair
    ends = [left, Subclass(fileno=os.dup(left.fileno())), base(fileno=os.dup(left.fileno()))]
    keep(ends[1])
    try:
        for end in ends * 3:
            buffer = bytearray(10)
            for _ in range(100):
                assert public.send(end, b"data") == 4
                assert public.sendall(end, b"data", 0) is None
                assert right.recv(10) == b"datadata"
                right.sendall(b"answered")
                assert public.recv_into(end, buffer, nbytes=4) == 4
                assert public.recv(end, 10, socket.MSG_DONTWAIT) == b"ered"
                assert buffer[:4] == b"answ"
    finally:
        ends[2].close()


def test_urgent_data(socket, tcp_pair):
    left, right = tcp_pair
    left.send(b"!", socket.MSG_OOB)
    left.sendall(b"data")
    assert right.recv(1, socket.MSG_OOB) == b"!"
    assert right.recv(10) == b"data"


def test_a_reset_is_an_error(socket, tcp_pair):
    left, right = tcp_pair
    left.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, array.array("i", [1, 0]).tobytes())
    left.close()
    with pytest.raises(ConnectionResetError):
        right.recv(10)
    assert right.recv(10) == b""


def test_two_threads_may_use_both_directions(tcp_pair, start):
    left, right = tcp_pair
    calls = [start(left.sendall, BIG), start(right.sendall, BIG[::-1])]
    readers = [start(recv_all, right, len(BIG)), start(recv_all, left, len(BIG))]
    assert [call.result() for call in calls] == [None, None]
    assert readers[0].result() == BIG
    assert readers[1].result() == BIG[::-1]


@pytest.mark.holds("With MSG_TRUNC, `recv` and `recvfrom` return", "The original also returns the memory behind")
@pytest.mark.parametrize("method", ["recv", "recvfrom"])
def test_trunc_returns_no_other_memory(socket, ours, keep, method):
    left, right = (keep(s) for s in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
    left.send(b"x" * 5000)
    if ours:
        received = getattr(right, method)(3, socket.MSG_TRUNC)
        assert (received if method == "recv" else received[0]) == b"xxx"
    elif sys.version_info < (3, 15):
        received = getattr(right, method)(3, socket.MSG_TRUNC)
        received = received if method == "recv" else received[0]
        assert (received[:3], len(received)) == (b"xxx", 5000)
    else:
        with pytest.raises(ValueError):
            getattr(right, method)(3, socket.MSG_TRUNC)
    right.setblocking(False)
    with pytest.raises(BlockingIOError):
        right.recv(1)


@pytest.mark.holds("Over TCP, where the system writes nothing")
@pytest.mark.parametrize("method", ["recv", "recvfrom"])
@pytest.mark.parametrize("size", [3, 5000])
def test_trunc_over_tcp(socket, ours, tcp_pair, method, size):
    left, right = tcp_pair
    left.send(b"x" * size)
    received = getattr(right, method)(size, socket.MSG_TRUNC)
    received = received if method == "recv" else received[0]
    assert len(received) == size
    if ours:
        assert received == bytes(size)
