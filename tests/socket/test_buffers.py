"""The buffers that calls send from and receive into, and buffers that misbehave."""

from __future__ import annotations

import array
import contextlib
import ctypes
import mmap
import sys

import pytest
from marks import only_oxisocket

SOURCES = {
    "bytes": lambda: b"abcdefgh",
    "bytearray": lambda: bytearray(b"abcdefgh"),
    "memoryview": lambda: memoryview(b"..abcdefgh..")[2:10],
    "of ints": lambda: array.array("i", [1, 2]),
    "of doubles": lambda: array.array("d", [1.5]),
    "an empty array": lambda: array.array("i"),
    "in two dimensions": lambda: memoryview(b"abcdefgh").cast("B", (2, 4)),
    "cast to ints": lambda: memoryview(b"abcdefgh").cast("i"),
    "ctypes": lambda: (ctypes.c_char * 8)(*b"abcdefgh"),
    "a struct": lambda: type("S", (ctypes.Structure,), {"_fields_": [("a", ctypes.c_int), ("b", ctypes.c_int)]})(1, 2),
    "readonly": lambda: memoryview(bytearray(b"abcdefgh")).toreadonly(),
    "of length one with a stride": lambda: memoryview(b"abcdefgh")[::8],
}


def released():
    view = memoryview(b"abc")
    view.release()
    return view


WRONG = {
    "released": released,
    "every other byte": lambda: memoryview(bytearray(b"abcdefgh"))[::2],
    "backwards": lambda: memoryview(bytearray(b"abcdefgh"))[::-1],
    "text": lambda: "abcdefgh",
    "none": lambda: None,
    "a number": lambda: 8,
    "a list": lambda: [1, 2],
}
SENDING = {
    "send": lambda s, buffer: s.send(buffer),
    "sendall": lambda s, buffer: s.sendall(buffer),
    "sendmsg": lambda s, buffer: s.sendmsg([buffer]),
    "sendto": lambda s, buffer: s.sendto(buffer, 0, s.getpeername()),
}
RECEIVING = {
    "recv_into": lambda s, buffer: s.recv_into(buffer),
    "recvfrom_into": lambda s, buffer: s.recvfrom_into(buffer)[0],
    "recvmsg_into": lambda s, buffer: s.recvmsg_into([buffer])[0],
}


@pytest.fixture
def datagrams(socket, udp_pair):
    left, right = udp_pair
    left.connect(right.getsockname())
    right.settimeout(20)
    return left, right


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("method", SENDING)
def test_send_from(datagrams, method, source):
    left, right = datagrams
    buffer = SOURCES[source]()
    data = bytes(memoryview(buffer))
    assert SENDING[method](left, buffer) in (len(data), None)
    assert right.recv(100) == data


@pytest.mark.parametrize("source", ["bytearray", "of ints", "of doubles", "an empty array", "ctypes", "a struct"])
@pytest.mark.parametrize("method", RECEIVING)
def test_receive_into(agree, method, source):
    def receive(socket):
        left, right = socket.socketpair()
        with left, right:
            left.send(b"0123456789")
            buffer = SOURCES[source]()
            return RECEIVING[method](right, buffer), bytes(memoryview(buffer)), right.recv(100)

    agree(receive)


@pytest.mark.parametrize("shape", [("B", (2, 4)), ("i", (2,)), ("d", ())])
@pytest.mark.parametrize("method", RECEIVING)
def test_receive_into_any_shape(unix_pair, method, shape):
    left, right = unix_pair
    left.send(b"0123456789")
    buffer = bytearray(8)
    assert RECEIVING[method](right, memoryview(buffer).cast(*shape)) == 8
    assert buffer == b"01234567"


def test_mmap(unix_pair):
    left, right = unix_pair
    with mmap.mmap(-1, 4096) as memory:
        left.send(b"into the map")
        assert right.recv_into(memory, 12) == 12
        assert memory[:12] == b"into the map"
        right.sendall(memoryview(memory)[:12])
        assert left.recv(100) == b"into the map"


@pytest.mark.parametrize("kind", [*WRONG, "bytes", "a view of bytes"])
@pytest.mark.parametrize("method", [*SENDING, *RECEIVING])
def test_refused_with_the_same_text(agree, outcome, method, kind):
    def use(socket):
        left, right = socket.socketpair()
        with left, right:
            left.settimeout(0)
            right.settimeout(0)
            left.send(b"data")
            buffer = {"bytes": b"abc", "a view of bytes": memoryview(b"abc"), **WRONG}[kind]
            call = {**SENDING, **RECEIVING}[method]
            s = left if method in SENDING else right
            return outcome(call, s, buffer() if callable(buffer) else buffer), right.recv(100)

    agree(use)


@pytest.mark.parametrize("method", [*SENDING, *RECEIVING])
@pytest.mark.parametrize("fails", [False, True])
def test_a_buffer_is_released(unix_pair, method, fails):
    left, right = unix_pair
    buffer = bytearray(b"data")
    if method in SENDING:
        if fails:
            left.close()
            with pytest.raises(OSError):
                SENDING[method if method != "sendto" else "send"](left, buffer)
        else:
            left.setblocking(True)
            SENDING[method if method != "sendto" else "send"](left, buffer)
    else:
        right.settimeout(0)
        if not fails:
            left.send(b"data")
            RECEIVING[method](right, buffer)
        else:
            with pytest.raises(BlockingIOError):
                RECEIVING[method](right, buffer)
    buffer.append(1)  # raises BufferError while the buffer is exported


def test_a_buffer_is_held_during_the_call(unix_pair, start):
    left, right = unix_pair
    buffer = bytearray(4)
    call = start(right.recv_into, buffer).until_blocked()
    with pytest.raises(BufferError):
        buffer.append(1)
    left.send(b"data")
    assert call.result() == 4
    assert buffer == b"data"


class Acting:
    """A number whose `__index__` runs a function."""

    def __init__(self, value, act):
        self.value, self.act = value, act

    def __index__(self):
        self.act()
        return self.value


@pytest.mark.holds("Python code that runs in the middle of `sendmsg` or `recvmsg_into`", "The original may crash.")
@only_oxisocket
class TestReentrant:
    """Python code that runs in the middle of a call and changes the call's arguments: the stdlib may crash."""

    def test_an_ancillary_level_that_clears_the_lists(self, socket, unix_pair):
        left, right = unix_pair
        buffers = [bytearray(b"abc"), bytearray(b"def")]
        ancillary = []

        def drop():
            buffers.clear()
            ancillary.clear()

        ancillary += [(Acting(socket.SOL_SOCKET, drop), Acting(socket.SCM_RIGHTS, drop), b"")] * 3
        with contextlib.suppress(OSError):
            left.sendmsg(buffers, ancillary)
        left.send(b"end")
        assert right.recv(10) in (b"end", b"abcdefend")

    def test_an_ancillary_level_that_resizes_a_buffer(self, socket, unix_pair):
        left, right = unix_pair
        buffer = bytearray(b"x" * 1000)
        told = []

        def shrink():
            try:
                del buffer[:]
            except BufferError as error:
                told.append(error)

        with pytest.raises(OSError):
            left.sendmsg([buffer], [(Acting(socket.SOL_SOCKET, shrink), 12345, b"data")])
        right.settimeout(0)
        with pytest.raises(BlockingIOError):
            right.recv(1)

    def test_an_ancillary_level_that_closes_the_socket(self, socket, unix_pair):
        left, right = unix_pair
        with pytest.raises(OSError):
            left.sendmsg([b"x"], [(Acting(socket.SOL_SOCKET, left.close), socket.SCM_RIGHTS, b"")])
        assert right.recv(1) == b""

    @pytest.mark.parametrize("method", ["recv_into", "recvfrom_into"])
    def test_a_length_that_shrinks_the_buffer(self, unix_pair, method):
        left, right = unix_pair
        left.send(b"y" * 1000)
        buffer = bytearray(1000)

        def shrink():
            with contextlib.suppress(BufferError):
                del buffer[10:]

        try:
            getattr(right, method)(buffer, Acting(1000, shrink))
        except (ValueError, BufferError):
            assert len(right.recv(2000)) == 1000

    def test_a_length_that_closes_the_socket(self, unix_pair):
        left, right = unix_pair
        left.send(b"data")
        with pytest.raises(OSError):
            right.recv_into(bytearray(4), Acting(4, right.close))

    @pytest.mark.parametrize("into", [False, True])
    def test_an_iterator_that_changes_its_list(self, unix_pair, into):
        left, right = unix_pair
        left.send(b"y" * 30)
        buffers = [bytearray(b"x" * 10) for _ in range(3)]

        def parts():
            for position in range(3):
                yield buffers[position]
                buffers[position] = None

        if into:
            assert right.recvmsg_into(parts())[0] == 30
        else:
            assert left.sendmsg(parts()) == 30

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ is new in 3.12")
    @pytest.mark.parametrize("into", [False, True])
    def test_a_buffer_that_changes_the_list(self, unix_pair, into):
        left, right = unix_pair
        left.send(b"y" * 100)
        right.settimeout(0)
        buffers = []

        class Changing:
            def __buffer__(self, flags):
                buffers.clear()
                return memoryview(bytearray(b"x" * 10))

        buffers.extend([Changing(), bytearray(10), Changing(), bytearray(10)])
        with contextlib.suppress(RuntimeError, ValueError, TypeError, OSError):
            right.recvmsg_into(buffers) if into else left.sendmsg(buffers)
        assert buffers == []

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ is new in 3.12")
    def test_a_buffer_that_raises_releases_those_before(self, unix_pair):
        first = bytearray(10)

        class Failing:
            def __buffer__(self, flags):
                raise LookupError

        for call in (unix_pair[0].recvmsg_into, unix_pair[0].sendmsg):
            with pytest.raises((LookupError, TypeError)):
                call([first, Failing()])
            first.append(1)

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ is new in 3.12")
    @pytest.mark.parametrize("method", ["send", "sendall", "recv_into"])
    def test_a_buffer_that_closes_the_socket(self, unix_pair, method):
        left, _ = unix_pair

        class Closing:
            def __buffer__(self, flags):
                left.close()
                return memoryview(bytearray(b"data"))

        with pytest.raises(OSError):
            getattr(left, method)(Closing())
