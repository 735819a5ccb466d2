"""sendmsg, recvmsg, recvmsg_into: many buffers, addresses, ancillary data, passed descriptors."""

from __future__ import annotations

import array
import errno
import os
import struct

import pytest
from machine import needs_loopback6, spare_descriptors
from waiting import BIG, limit_buffers

INT = struct.calcsize("i")
MOST_BUFFERS = os.sysconf("SC_IOV_MAX")
MOST_DESCRIPTORS = 253  # in one message: the kernel's SCM_MAX_FD, which no call returns


def descriptors(*numbers):
    return array.array("i", numbers)


def received(ancillary):
    """The numbers of the descriptors in the ancillary data of recvmsg."""
    return [number for _, _, data in ancillary for number in array.array("i", data[: len(data) - len(data) % INT])]


@pytest.fixture
def pipe(keep):
    reading, writing = os.pipe()
    return keep(os.fdopen(reading, "rb", 0)), keep(os.fdopen(writing, "wb", 0))


class TestBuffers:
    @pytest.mark.parametrize(
        "buffers",
        [
            [],
            [b""],
            [b"abc"],
            [b"a", b"", b"bc"],
            (b"abc",),
            [bytearray(b"ab"), memoryview(b"cd"), array.array("i", [1])],
            [b"%d," % n for n in range(1000)],
        ],
    )
    def test_the_buffers_are_sent_as_one_message(self, unix_pair, buffers):
        left, right = unix_pair
        whole = b"".join(bytes(buffer) for buffer in buffers)
        assert left.sendmsg(buffers) == len(whole)
        left.sendall(b"|")
        assert right.recv(10_000) == whole + b"|"

    def test_any_iterable(self, unix_pair):
        left, right = unix_pair
        assert left.sendmsg(part for part in (b"a", b"b")) == 2
        assert left.sendmsg({b"c": 1}) == 1
        assert right.recv(10) == b"abc"

    @pytest.mark.parametrize("count", [MOST_BUFFERS + 1, MOST_BUFFERS * 5])
    def test_more_buffers_than_the_kernel_takes(self, unix_pair, count):
        with pytest.raises(OSError) as caught:
            unix_pair[0].sendmsg([b"x"] * count)
        assert caught.value.errno == errno.EMSGSIZE

    def test_recvmsg(self, unix_pair):
        left, right = unix_pair
        left.send(b"abcdef")
        assert right.recvmsg(4)[:3] == (b"abcd", [], 0)
        assert right.recvmsg(4)[:3] == (b"ef", [], 0)
        left.close()
        assert right.recvmsg(4)[:3] == (b"", [], 0)

    @pytest.mark.parametrize("kind", [list, tuple, iter])
    def test_recvmsg_into_fills_one_buffer_after_the_other(self, unix_pair, kind):
        left, right = unix_pair
        left.send(b"abcdef")
        first, second, third = bytearray(2), bytearray(0), bytearray(b"......")
        assert right.recvmsg_into(kind([first, second, third]))[:3] == (6, [], 0)
        assert (first, third) == (b"ab", b"cdef..")

    def test_recvmsg_into_nothing(self, unix_pair):
        left, right = unix_pair
        left.send(b"abc")
        assert right.recvmsg_into([])[:3] == (0, [], 0)
        assert right.recv(10) == b"abc"

    def test_many_small_buffers(self, unix_pair):
        left, right = unix_pair
        left.send(bytes(range(256)))
        buffers = [bytearray(1) for _ in range(256)]
        assert right.recvmsg_into(buffers)[0] == 256
        assert b"".join(buffers) == bytes(range(256))

    @pytest.mark.parametrize("timeout", [None, 30.0])
    @pytest.mark.parametrize("method", ["recvmsg", "recvmsg_into"])
    def test_blocking(self, unix_pair, start, timeout, method):
        left, right = unix_pair
        right.settimeout(timeout)
        call = start(getattr(right, method), 10 if method == "recvmsg" else [bytearray(10)]).until_blocked()
        left.sendmsg([b"at ", b"last"])
        assert call.result()[0] in (b"at last", 7)

    def test_a_partial_send(self, unix_pair):
        left, _ = unix_pair
        limit_buffers(left)
        left.setblocking(False)
        assert 0 < left.sendmsg([BIG, BIG]) < 2 * len(BIG)
        with pytest.raises(BlockingIOError):
            while True:
                left.sendmsg([BIG])


class TestAddress:
    def test_datagrams(self, udp_pair):
        left, right = udp_pair
        assert left.sendmsg([b"a", b"b"], [], 0, right.getsockname()) == 2
        assert right.recvmsg(10) == (b"ab", [], 0, left.getsockname())
        left.sendmsg([b"c"], (), 0, right.getsockname())
        assert right.recvmsg_into([bytearray(10)]) == (1, [], 0, left.getsockname())

    def test_none_means_no_address(self, tcp_pair):
        left, right = tcp_pair
        assert left.sendmsg([b"a"], [], 0, None) == 1
        assert right.recv(10) == b"a"

    @pytest.mark.parametrize("pair", ["tcp_pair", "unix_pair"])
    def test_a_stream_has_no_sender_address(self, socket, request, pair):
        left, right = request.getfixturevalue(pair)
        left.send(b"ab")
        assert right.recvmsg(1)[3] is None
        assert right.recvmsg_into([bytearray(1)])[3] is None

    def test_a_unix_address(self, socket, keep, tmp_path):
        left, right = (keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) for _ in range(2))
        left.bind(str(tmp_path / "left"))
        right.bind(str(tmp_path / "right"))
        left.sendmsg([b"x"], [], 0, str(tmp_path / "right"))
        assert right.recvmsg(10) == (b"x", [], 0, str(tmp_path / "left"))


class TestTruncation:
    def test_msg_trunc_for_a_datagram_that_does_not_fit(self, socket, udp_pair):
        left, right = udp_pair
        for _ in range(2):
            left.sendto(b"abcdef", right.getsockname())
        data, ancillary, flags, _ = right.recvmsg(3)
        assert (data, ancillary, flags) == (b"abc", [], socket.MSG_TRUNC)
        size, ancillary, flags, _ = right.recvmsg_into([bytearray(1), bytearray(1)])
        assert (size, ancillary, flags) == (2, [], socket.MSG_TRUNC)

    def test_msg_eor_for_a_whole_message(self, agree):
        def flags(socket):
            left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with left, right:
                left.send(b"abcdef")
                left.send(b"ghi")
                return int(right.recvmsg(3)[2]), int(right.recvmsg(10)[2])

        agree(flags)

    def test_peek(self, socket, unix_pair):
        left, right = unix_pair
        left.send(b"abc")
        assert right.recvmsg(10, 0, socket.MSG_PEEK)[0] == b"abc"
        assert right.recvmsg_into([bytearray(10)], 0, socket.MSG_PEEK)[0] == 3
        assert right.recvmsg(10)[0] == b"abc"


class TestDescriptors:
    @pytest.mark.parametrize("into", [False, True])
    @pytest.mark.parametrize("count", [1, 2, 10, MOST_DESCRIPTORS])
    def test_they_arrive_and_work(self, socket, unix_pair, pipe, keep, into, count):
        if spare_descriptors() < count:
            pytest.skip("this process may not open so many")
        left, right = unix_pair
        reading, writing = pipe
        sent = left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors(*[writing.fileno()] * count))])
        assert sent == 1
        space = socket.CMSG_LEN(count * INT)
        if into:
            buffer = bytearray(5)
            size, ancillary, flags, _ = right.recvmsg_into([buffer], space)
            assert (size, buffer) == (1, b"x\0\0\0\0")
        else:
            data, ancillary, flags, _ = right.recvmsg(5, space)
            assert data == b"x"
        numbers = received(ancillary)
        copies = [keep(os.fdopen(number, "wb", 0)) for number in numbers]
        [(level, kind, data)] = ancillary
        assert (level, kind, flags & ~socket.MSG_CMSG_CLOEXEC) == (socket.SOL_SOCKET, socket.SCM_RIGHTS, 0)
        assert type(data) is bytes
        assert len(set(numbers)) == count
        for copy in copies:
            copy.write(b"!")
        assert len(reading.read(count)) == count

    @pytest.mark.parametrize("how", ["list", "iterator", "bytes", "split"])
    def test_every_way_to_pass_them(self, socket, unix_pair, pipe, how):
        left, right = unix_pair
        data = descriptors(*(end.fileno() for end in pipe))
        level = (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        ancillary = {
            "list": [(*level, data)],
            "iterator": iter([(*level, data)]),
            "bytes": [(*level, data.tobytes())],
            "split": [(*level, data[:1]), (*level, data[1:])],
        }[how]
        left.sendmsg([b"x"], ancillary)
        _, ancillary, _, _ = right.recvmsg(1, socket.CMSG_SPACE(2 * INT) * 2)
        numbers = received(ancillary)
        for number in numbers:
            os.close(number)
        assert len(numbers) == 2

    def test_send_fds_and_recv_fds(self, socket, unix_pair, pipe):
        left, right = unix_pair
        reading, writing = pipe
        assert socket.send_fds(left, [b"da", b"ta"], [writing.fileno(), reading.fileno()]) == 4
        data, numbers, flags, _ = socket.recv_fds(right, 10, 2)
        for number in numbers:
            os.close(number)
        assert (data, len(numbers), flags & ~socket.MSG_CMSG_CLOEXEC) == (b"data", 2, 0)

    @pytest.mark.parametrize("room", ["none", "a byte", "one of two", "the header"])
    @pytest.mark.holds("Control messages are never trusted.")
    def test_msg_ctrunc_for_descriptors_that_do_not_fit_and_no_leak(self, socket, unix_pair, pipe, open_files, room):
        left, right = unix_pair
        left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors(*(end.fileno() for end in pipe)))])
        before = open_files()
        header = socket.CMSG_LEN(0)
        space = {"none": 0, "a byte": 1, "one of two": header + INT + 1, "the header": header}[room]
        data, ancillary, flags, _ = right.recvmsg(10, space)
        assert data == b"x"
        assert flags & socket.MSG_CTRUNC
        numbers = received(ancillary)
        assert len(numbers) == (1 if room == "one of two" else 0)
        assert open_files() - before == set(numbers)
        for number in numbers:
            os.close(number)

    def test_recv_drops_them(self, socket, unix_pair, pipe, open_files):
        left, right = unix_pair
        before = open_files()
        left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors(pipe[0].fileno()))])
        assert right.recv(10) == b"x"
        assert open_files() == before

    def test_a_closed_descriptor_is_refused(self, socket, unix_pair):
        left, right = unix_pair
        reading, writing = os.pipe()
        os.close(reading)
        os.close(writing)
        with pytest.raises(OSError) as caught:
            left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors(reading))])
        assert caught.value.errno == errno.EBADF

    def test_too_many(self, socket, unix_pair):
        with pytest.raises(OSError) as caught:
            too_many = descriptors(*[0] * 2 * MOST_DESCRIPTORS)
            unix_pair[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, too_many)])
        assert caught.value.errno in (errno.EINVAL, errno.ETOOMANYREFS)


class TestAncillary:
    def test_ip_options_come_with_the_datagram(self, socket, udp_pair):
        left, right = udp_pair
        right.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        left.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x10)
        left.sendto(b"x", right.getsockname())
        _, ancillary, flags, _ = right.recvmsg(10, 100)
        assert ancillary == [(socket.IPPROTO_IP, socket.IP_TOS, b"\x10")]
        assert flags == 0

    @needs_loopback6
    def test_several_messages_at_once(self, socket, keep):
        pair = [keep(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) for _ in range(2)]
        for each in pair:
            each.bind(("::1", 0))
        left, right = pair
        right.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        right.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        ancillary = [
            (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, descriptors(7)),
            (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, descriptors(3)),
        ]
        left.sendmsg([b"x"], ancillary, 0, right.getsockname())
        _, got, flags, _ = right.recvmsg(10, 1000)
        assert sorted(got) == sorted((level, kind, data.tobytes()) for level, kind, data in ancillary)
        assert flags == 0
        left.sendmsg([b"x"], ancillary, 0, right.getsockname())
        _, got, flags, _ = right.recvmsg(10, socket.CMSG_LEN(INT))
        assert len(got) == 1
        assert flags & socket.MSG_CTRUNC

    def test_credentials(self, socket, unix_pair):
        left, right = unix_pair
        right.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        left.send(b"x")
        _, [(level, kind, data)], _, _ = right.recvmsg(10, 100)
        assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)
        assert struct.unpack("3i", data) == (os.getpid(), os.getuid(), os.getgid())

    def test_the_kernel_refuses_wrong_messages(self, socket, unix_pair):
        with pytest.raises(OSError) as caught:
            unix_pair[0].sendmsg([b"x"], [(socket.SOL_SOCKET, 12345, b"data")])
        assert caught.value.errno == errno.EINVAL

    def test_an_empty_message(self, agree, outcome):
        def send(socket):
            left, right = socket.socketpair()
            with left, right:
                return outcome(left.sendmsg, [b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b"")])

        agree(send)


BAD = [
    (),
    (None,),
    (b"abc",),
    ("abc",),
    ([1],),
    (["abc"],),
    ([b"a"], 5),
    ([b"a"], None),
    ([b"a"], [b"x"]),
    ([b"a"], [()]),
    ([b"a"], [(1, 2)]),
    ([b"a"], [(1, 2, 3)]),
    ([b"a"], [(1, 2, "x")]),
    ([b"a"], [(1, 2, b"x", 4)]),
    ([b"a"], [("1", 2, b"x")]),
    ([b"a"], [(1, 2.5, b"x")]),
    ([b"a"], [(2**31, 1, b"x")]),
    ([b"a"], [[1, 2, b"x"]]),
    ([b"a"], [], "0"),
    ([b"a"], [], None),
    ([b"a"], [], 2**31),
    ([b"a"], [], 0, 5),
    ([b"a"], [], 0, None, 5),
]


@pytest.mark.parametrize("args", BAD)
def test_sendmsg_refuses_with_the_same_text(agree, outcome, args):
    def send(socket):
        left, right = socket.socketpair()
        with left, right:
            right.settimeout(0)
            return outcome(left.sendmsg, *args), outcome(right.recv, 100)

    agree(send)


@pytest.mark.parametrize("method", ["recvmsg", "recvmsg_into"])
@pytest.mark.parametrize(
    "args",
    [
        (),
        (None,),
        ("1",),
        (1.5,),
        (-1,),
        (2**63,),
        (5,),
        (5, -1),
        (5, 2**31),
        (5, 2**63),
        (5, None),
        (5, 0, None),
        (5, 0, 2**31),
        (5, 0, 0, 0),
        ([],),
        ([b"readonly"],),
        ([bytearray(1), b"readonly"],),
        ([bytearray(1), "text"],),
        ([bytearray(1), 5],),
        ([bytearray(1)], -1),
        ([bytearray(1)], 2**31),
        ([bytearray(1)], 0, "x"),
        ([bytearray(1)], 0, 0, 0),
        ([bytearray(1)] * (MOST_BUFFERS + 1),),
        (bytearray(5),),
    ],
)
def test_receiving_refuses_with_the_same_text(agree, outcome, method, args):
    def receive(socket):
        left, right = socket.socketpair()
        with left, right:
            left.send(b"data")
            right.settimeout(0)
            result = outcome(getattr(right, method), *args)
            # a refused call consumes no data
            return result, outcome(right.recv, 100)

    agree(receive)


def test_no_keywords(agree, outcome):
    def call(socket):
        left, right = socket.socketpair()
        with left, right:
            # called on the class: there both implementations name the method in full, as both do in s.method(...)
            kind = socket.socket
            return (
                outcome(kind.sendmsg, left, buffers=[b"x"]),
                outcome(kind.recvmsg, right, bufsize=1),
                outcome(kind.recvmsg_into, right, buffers=[]),
            )

    agree(call)
