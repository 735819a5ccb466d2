"""oxisocket.Reader: asyncio's StreamReader, blocking."""

from __future__ import annotations

import copy
import errno
import gc
import os
import pickle
import socket as original
import sys
import threading
import weakref

import pytest
from machine import HAS_64_BITS
from marks import only_oxisocket
from waiting import limit_buffers

pytestmark = only_oxisocket

CLASSES = pytest.mark.parametrize("owner", ["oxisocket", "subclass", "stdlib", "object"])


class Chunks:
    """Not a socket: its `recv` returns the given chunks in turn, and raises those that are exceptions."""

    def __init__(self, *chunks):
        self.chunks = list(chunks)
        self.asked = []

    def recv(self, size):
        self.asked.append(size)
        if not self.chunks:
            return b""
        chunk = self.chunks.pop(0)
        if isinstance(chunk, BaseException):
            raise chunk
        if len(chunk) > size:
            self.chunks.insert(0, chunk[size:])
        return chunk[:size]


@pytest.fixture
def connection(socket, keep, owner):
    """A socket to send with, and an object of the kind `owner` to receive from."""
    module = original if owner == "stdlib" else socket
    left, right = module.socketpair()
    keep(left)
    if owner == "subclass":

        class Subclass(socket.socket):
            def recv(self, size):
                return super().recv(size)

        right = Subclass(fileno=right.detach())
    if owner == "object":
        keep(right)

        class Object:
            recv = staticmethod(right.recv)
            settimeout = staticmethod(right.settimeout)
            setblocking = staticmethod(right.setblocking)
            close = staticmethod(right.close)

        return left, Object()
    return left, keep(right)


@CLASSES
class TestReading:
    @pytest.fixture
    def reader(self, socket, connection):
        return socket.Reader(connection[1])

    def test_lines(self, connection, reader):
        left, _ = connection
        left.sendall(b"one\n\ntwo\nthree")
        left.close()
        assert [reader.readline() for _ in range(6)] == [b"one\n", b"\n", b"two\n", b"three", b"", b""]

    def test_a_line_that_comes_in_parts(self, connection, reader, start):
        left, _ = connection
        call = start(reader.readline)
        for part in (b"a", b"b", b"\nc"):
            call.until_blocked()
            left.sendall(part)
        assert call.result() == b"ab\n"
        assert reader.buffered == b"c"

    def test_exact_reads(self, socket, connection, reader):
        left, _ = connection
        left.sendall(b"abcdef")
        left.close()
        assert [reader.readexactly(n) for n in (0, 1, 3)] == [b"", b"a", b"bcd"]
        with pytest.raises(socket.IncompleteReadError) as caught:
            reader.readexactly(3)
        assert (caught.value.partial, caught.value.expected) == (b"ef", 3)
        assert str(caught.value) == "2 bytes read on a total of 3 expected bytes"
        assert reader.buffered == b""
        with pytest.raises(socket.IncompleteReadError) as caught:
            reader.readexactly(3)
        assert caught.value.partial == b""

    def test_separators(self, socket, connection, reader):
        left, _ = connection
        left.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nbody")
        left.close()
        assert reader.readuntil(b"\r\n\r\n") == b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        assert reader.readuntil(separator=bytearray(b"o")) == b"bo"
        with pytest.raises(socket.IncompleteReadError) as caught:
            reader.readuntil()
        assert (caught.value.partial, caught.value.expected) == (b"dy", None)
        assert str(caught.value) == "2 bytes read on a total of undefined expected bytes"

    def test_reads_of_what_there_is(self, connection, reader):
        left, _ = connection
        left.sendall(b"abcdef")
        assert [reader.read(n) for n in (0, 2, 100)] == [b"", b"ab", b"cdef"]
        left.sendall(b"gh")
        left.close()
        assert [reader.read(1), reader.read(), reader.read(), reader.read(5)] == [b"g", b"h", b"", b""]

    def test_all_until_eof(self, connection, reader, start):
        left, _ = connection
        data = os.urandom(1 << 20)
        call = start(reader.read)
        left.sendall(data)
        left.close()
        assert call.result() == data

    @pytest.mark.parametrize("size", [8191, 65535, 65536, 65537, 1 << 20])
    @pytest.mark.parametrize("ahead", [0, 1, 5000])
    def test_large_exact_reads(self, connection, reader, start, size, ahead):
        left, _ = connection
        limit_buffers(left)
        data = os.urandom(ahead + size + 10)
        sending = start(left.sendall, data)
        assert reader.readexactly(ahead) == data[:ahead]
        assert reader.readexactly(size) == data[ahead:-10]
        assert reader.readexactly(10) == data[-10:]
        sending.result()

    @pytest.mark.parametrize("read", ["readline()", "readuntil(b'#')", "readexactly(10)", "read()", "readexactly(1 << 20)"])
    def test_after_a_timeout_a_read_goes_on(self, connection, reader, read):
        left, right = connection
        right.settimeout(0.02)
        left.sendall(b"abc")
        for _ in range(2):
            with pytest.raises(TimeoutError) as caught:
                eval(f"reader.{read}", {"reader": reader})
            assert not hasattr(caught.value, "partial")
            assert reader.buffered == b"abc"
        left.sendall(b"def#hij\nk")
        left.close()
        assert reader.readline() == b"abcdef#hij\n"

    def test_a_non_blocking_socket(self, connection, reader):
        left, right = connection
        right.setblocking(False)
        with pytest.raises(BlockingIOError):
            reader.readline()
        left.sendall(b"abc")
        with pytest.raises(BlockingIOError):
            reader.readline()
        left.sendall(b"d\n")
        assert reader.readline() == b"abcd\n"

    def test_a_closed_socket(self, connection, reader):
        left, right = connection
        left.sendall(b"one\ntwo")
        assert reader.readline() == b"one\n"
        right.close()
        with pytest.raises(OSError) as caught:
            reader.readline()
        assert caught.value.errno == errno.EBADF
        assert reader.buffered == b"two"

    def test_the_end_is_seen_by_a_read(self, connection, reader):
        left, _ = connection
        left.sendall(b"ab")
        left.close()
        seen = [reader.at_eof()]
        for _ in range(3):
            reader.read(1)
            seen.append(reader.at_eof())
        assert seen == [False, False, False, True]


class TestSeparators:
    @pytest.mark.parametrize("size", [1, 2, 3, 100])
    def test_one_that_is_split(self, socket, size):
        data = b"a\rb\r\r\nc\r\n"
        reader = socket.Reader(Chunks(*(data[place : place + size] for place in range(0, len(data), size))))
        assert reader.readuntil(b"\r\n") == b"a\rb\r\r\n"
        assert reader.readuntil(b"\r\n") == b"c\r\n"

    @pytest.mark.parametrize("size", [1, 2, 3, 100])
    def test_the_first_of_several_that_is_complete(self, socket, size):
        data = b"one\r\ntwo\nthree##"
        reader = socket.Reader(Chunks(*(data[place : place + size] for place in range(0, len(data), size))))
        several = (b"\r\n", b"\n", memoryview(b"##"))
        assert [reader.readuntil(several) for _ in range(3)] == [b"one\r\n", b"two\n", b"three##"]

    @pytest.mark.parametrize(
        ("separator", "text"),
        [(b"", "a separator must not be empty"), ((), "a tuple of separators must not be empty"), ((b"a", b""), "a separator")],
    )
    def test_empty_ones(self, socket, separator, text):
        chunks = Chunks(b"data")
        with pytest.raises(ValueError, match=f"^{text}"):
            socket.Reader(chunks).readuntil(separator)
        assert not chunks.asked

    @pytest.mark.parametrize("separator", ["text", 5, None, [b"\n"], ("text",)])
    def test_what_is_no_separator(self, socket, separator):
        with pytest.raises(TypeError):
            socket.Reader(Chunks()).readuntil(separator)


class TestLimit:
    def test_the_default(self, socket):
        line = b"x" * 65536
        assert socket.Reader(Chunks(line, b"\n")).readline() == line + b"\n"
        with pytest.raises(socket.LimitOverrunError):
            socket.Reader(Chunks(line, b"x\n")).readline()

    @pytest.mark.parametrize("read", ["readline", "readuntil"])
    def test_a_separator_beyond_it(self, socket, read):
        reader = socket.Reader(Chunks(b"123456\nrest"), limit=5)
        for _ in range(2):
            with pytest.raises(socket.LimitOverrunError) as caught:
                getattr(reader, read)()
            assert isinstance(caught.value, ValueError)
            assert caught.value.consumed == 6
            assert reader.buffered == b"123456\nrest", "nothing is lost"
        assert reader.readexactly(caught.value.consumed) == b"123456"
        assert [reader.readline(), reader.readline()] == [b"\n", b"rest"]

    def test_no_separator_within_it(self, socket):
        reader = socket.Reader(Chunks(b"123456\r", b"\nrest"), 5)
        with pytest.raises(socket.LimitOverrunError) as caught:
            reader.readuntil(b"\r\n")
        assert (caught.value.consumed, reader.buffered) == (6, b"123456\r")
        assert reader.read(6) == b"123456"
        assert reader.readuntil(b"\r\n") == b"\r\n"

    def test_just_within_it(self, socket):
        reader = socket.Reader(Chunks(b"12345", b"\n", b"12345"), 5)
        assert [reader.readline(), reader.readline()] == [b"12345\n", b"12345"]

    def test_it_is_not_for_exact_reads(self, socket):
        reader = socket.Reader(Chunks(b"123456", b"789"), 5)
        assert (reader.readexactly(7), reader.read()) == (b"1234567", b"89")

    def test_a_large_one(self, socket):
        line = os.urandom(1 << 20).replace(b"\n", b"") + b"\n"
        chunks = [line[place : place + 5000] for place in range(0, len(line), 5000)]
        assert socket.Reader(Chunks(*chunks), 1 << 20).readline() == line

    @pytest.mark.parametrize("kind", ["SOCK_DGRAM", "SOCK_SEQPACKET"])
    def test_sockets_with_messages_are_refused(self, socket, kind):
        """Of a message that is longer than the room in the buffer, the rest would be lost."""
        for each in socket.socketpair(socket.AF_UNIX, getattr(socket, kind)):
            with each, pytest.raises(ValueError, match=r"^Reader\(\) is for sockets of type SOCK_STREAM: "):
                socket.Reader(each)

    @pytest.mark.parametrize("limit", [0, -1])
    def test_it_is_positive(self, socket, limit):
        with pytest.raises(ValueError, match=r"^the limit must be positive$"):
            socket.Reader(Chunks(), limit)

    def test_its_error_can_be_copied_and_pickled(self, socket):
        error = socket.LimitOverrunError("text", 5)
        for twin in pickle.loads(pickle.dumps(error)), copy.copy(error):
            assert (type(twin), str(twin), twin.consumed) == (socket.LimitOverrunError, "text", 5)


class TestObjects:
    def test_it_asks_for_no_more_than_it_has_room_for(self, socket):
        chunks = Chunks(*[b"x" * 3000] * 200, b"\n")
        assert len(socket.Reader(chunks, 1 << 20).readline()) == 600_001
        assert 0 < min(chunks.asked) <= max(chunks.asked) <= 65536

    def test_what_returns_more_than_was_asked_for(self, socket):
        class TooMuch:
            def recv(self, size):
                return b"x" * (size + 1)

        with pytest.raises(OSError, match=r"^recv\(\) returned 65537 bytes, and was asked for 65536 at most$"):
            socket.Reader(TooMuch()).readline()

    @pytest.mark.parametrize("received", [None, "text", 5])
    def test_what_returns_no_bytes(self, socket, received):
        class NoBytes:
            def recv(self, size):
                return received

        reader = socket.Reader(NoBytes())
        with pytest.raises(TypeError):
            reader.readline()
        assert reader.buffered == b""

    @pytest.mark.parametrize("received", [bytearray(b"ab\n"), memoryview(b"ab\n")])
    def test_what_returns_other_buffers(self, socket, received):
        class Buffers:
            def recv(self, size):
                return received

        assert socket.Reader(Buffers()).readline() == b"ab\n"

    def test_what_has_no_recv(self, socket):
        with pytest.raises(AttributeError, match="recv"):
            socket.Reader(object())

    def test_a_method_of_the_class_that_was_replaced_counts(self, socket, unix_pair, monkeypatch):
        reader = socket.Reader(unix_pair[1])
        monkeypatch.setattr(socket.socket, "recv", lambda self, size: b"patched\n")
        assert reader.readline() == b"patched\n"

    def test_a_method_of_another_socket_counts(self, socket, unix_pair):
        left, right = unix_pair

        class Subclass(socket.socket):
            pass

        with Subclass() as other:
            other.recv = right.recv
            left.sendall(b"line\n")
            assert socket.Reader(other).readline() == b"line\n"

    def test_it_does_not_close_the_socket(self, socket, unix_pair):
        reader = socket.Reader(unix_pair[1])
        del reader
        gc.collect()
        assert unix_pair[1].fileno() >= 0

    def test_it_keeps_the_socket(self, socket):
        chunks = Chunks(b"a\n")
        reference = weakref.ref(chunks)
        reader = socket.Reader(chunks)
        del chunks
        gc.collect()
        assert reader.readline() == b"a\n"
        del reader
        gc.collect()
        assert reference() is None

    def test_a_cycle_is_collected(self, socket):
        chunks = Chunks(b"a\nb")
        reference = weakref.ref(chunks)
        chunks.reader = socket.Reader(chunks)
        assert chunks.reader.readline() == b"a\n"
        del chunks
        gc.collect()
        assert reference() is None

    def test_a_subclass(self, socket):
        class Lines(socket.Reader):
            def __init__(self, sock, *, encoding):
                super().__init__(sock)
                self.encoding = encoding

            def __iter__(self):
                return iter(lambda: self.readline().decode(self.encoding), "")

        assert list(Lines(Chunks(b"\xfcber\nzwei"), encoding="latin-1")) == ["über\n", "zwei"]

    def test_a_second_init_begins_anew(self, socket):
        reader = socket.Reader(Chunks(b"a\nb"))
        assert reader.readline() == b"a\n"
        assert (reader.readline(), reader.at_eof()) == (b"b", True)
        reader.__init__(Chunks(b"c\nd"), 5)
        assert (reader.at_eof(), reader.readline(), reader.buffered) == (False, b"c\n", b"d")

    def test_one_that_was_never_initialised(self, socket):
        reader = socket.Reader.__new__(socket.Reader)
        assert (reader.buffered, reader.at_eof()) == (b"", False)
        for call in (reader.readline, reader.read, lambda: reader.readexactly(1)):
            with pytest.raises(RuntimeError, match=r"__init__\(\) of this Reader was not called"):
                call()

    def test_the_class(self, socket):
        assert socket.Reader is socket.Reader
        assert repr(socket.Reader) == "<class 'oxisocket.Reader'>"
        assert pickle.loads(pickle.dumps(socket.Reader)) is socket.Reader
        with pytest.raises(TypeError):
            pickle.dumps(socket.Reader(Chunks()))

    def test_buffered_cannot_be_set(self, socket):
        with pytest.raises(AttributeError):
            socket.Reader(Chunks()).buffered = b"x"

    @pytest.mark.parametrize("name", ["readline", "readexactly", "readuntil", "read", "at_eof", "buffered"])
    def test_everything_is_documented(self, socket, name):
        assert getattr(socket.Reader, name).__doc__

    @pytest.mark.parametrize(
        "call", ["readline(1)", "readexactly()", "readexactly(1, 2)", "read(1, 2)", "read(m=1)", "readuntil(b'a', b'b')"]
    )
    def test_wrong_calls(self, socket, call):
        with pytest.raises(TypeError):
            eval(f"reader.{call}", {"reader": socket.Reader(Chunks(b"abc\n"))})

    def test_sizes(self, socket):
        reader = socket.Reader(Chunks(b"abc"))
        with pytest.raises(ValueError, match=r"^negative size in readexactly$"):
            reader.readexactly(-1)
        for size, error in ((1 << 62, MemoryError if HAS_64_BITS else OverflowError), (1 << 64, OverflowError), (1.5, TypeError)):
            with pytest.raises(error):
                reader.readexactly(size)
        assert reader.read(n=2) == b"ab"
        assert reader.readexactly(n=1) == b"c"


class TestOneAtATime:
    """A read that begins while another one waits is refused, and does no harm."""

    def test_another_thread(self, socket, unix_pair, start):
        left, right = unix_pair
        reader = socket.Reader(right)
        call = start(reader.readline).until_blocked()
        attempts = [reader.readline, reader.read, lambda: reader.readexactly(1), reader.readuntil, reader.at_eof]
        attempts += [lambda: reader.buffered, lambda: reader.__init__(right)]
        for attempt in attempts:
            with pytest.raises(RuntimeError, match="another call on this Reader is running"):
                attempt()
        left.sendall(b"line\n")
        assert call.result() == b"line\n"
        assert reader.buffered == b""

    def test_its_own_recv(self, socket):
        class Again:
            def recv(self, size):
                with pytest.raises(RuntimeError):
                    reader.readline()
                return b"line\n"

        reader = socket.Reader(Again())
        assert reader.readline() == b"line\n"

    def test_many_threads(self, socket, unix_pair):
        """What they get may be in any order; each line is whole."""
        left, right = unix_pair
        reader = socket.Reader(right)
        lines = [b"%d\n" % number for number in range(2000)]
        received = []

        def read():
            while True:
                try:
                    line = reader.readline()
                except RuntimeError:
                    continue
                if not line:
                    return
                received.append(line)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for line in lines:
            left.sendall(line)
        left.close()
        for thread in threads:
            thread.join()
        assert sorted(received) == sorted(lines)


def test_the_deadline_of_the_thread(socket, unix_pair):
    left, right = unix_pair
    reader = socket.Reader(right)
    left.sendall(b"li")
    for call in reader.readline, lambda: reader.readexactly(100_000):
        with pytest.raises(TimeoutError), socket.deadline(0.05):
            call()
        assert reader.buffered == b"li"
    left.sendall(b"ne\n")
    assert reader.readline() == b"line\n"


SIGNALS = """
import signal
left, right = socket.socketpair()
right.settimeout(eval(sys.argv[1]))
reader = socket.Reader(right)
"""


@pytest.mark.parametrize("timeout", ["None", "20"])
class TestSignals:
    def test_a_handler_that_raises_loses_nothing(self, run, timeout):
        code = f"""import sys{SIGNALS}
def on_signal(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, on_signal)
for call in (reader.readline, reader.read, lambda: reader.readexactly(1000), lambda: reader.readexactly(100_000)):
    left.sendall(b"ab")
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    try:
        call()
    except KeyboardInterrupt:
        print(reader.buffered)
left.sendall(b"c\\n")
print(reader.readline())
left.close()
right.close()
"""
        assert run(code, timeout).split() == ["b'ab'", "b'abab'", "b'ababab'", "b'abababab'", r"b'ababababc\n'"]

    def test_a_handler_cannot_read(self, run, timeout):
        code = f"""import sys{SIGNALS}
def on_signal(number, frame):
    try:
        reader.readline()
    except RuntimeError as error:
        print(error)
    left.sendall(b"line\\n")

signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.03)
print(reader.readline())
left.close()
right.close()
"""
        assert run(code, timeout).splitlines() == ["another call on this Reader is running", r"b'line\n'"]

    @pytest.mark.parametrize("module", ["socket", "original"])
    def test_a_handler_runs_while_everything_is_ready(self, run, timeout, module):
        """A socket that is always ready never waits. The stdlib's method is a loop in C that runs no handler by itself."""
        code = f"""import sys{SIGNALS}
import contextlib, threading
import socket as original
left.close()
right.close()
left, right = {module}.socketpair()
right.settimeout(eval(sys.argv[1]))
reader = socket.Reader(right, sys.maxsize)

class Stop(BaseException):
    pass

def on_signal(number, frame):
    raise Stop

def flood():
    with contextlib.suppress(OSError):
        while True:
            left.sendall(bytes(1 << 16))

thread = threading.Thread(target=flood)
thread.start()
signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    reader.readline()
except Stop:
    print("stopped")
right.close()
thread.join()
left.close()
"""
        assert run(code, timeout) == "stopped\n"


def test_the_import_is_lazy(run):
    code = """
import sys
print([name for name in sys.modules if name.startswith("oxisocket._beyond")], "Reader" in vars(socket))
socket.Reader
print("Reader" in vars(socket))
from oxisocket import Reader, IncompleteReadError, LimitOverrunError
try:
    socket.Raeder
except AttributeError as error:
    print(error, error.name, error.obj is socket)
"""
    expected = "module 'oxisocket' has no attribute 'Raeder' Raeder True"
    assert run(code) == f"[] False\nTrue\n{expected}\n"


def test_installed(run):
    code = """
import sys
socket.install()
import socket as installed
left, right = installed.socketpair()
left.sendall(b"a\\nbc")
reader = installed.Reader(right)
print(reader.readline(), reader.readexactly(2))
left.close()
right.close()
"""
    assert run(code) == "b'a\\n' b'bc'\n"


def test_sizes_of_memory(socket):
    """An idle reader has no large memory left."""
    reader = socket.Reader(Chunks(b"x" * (1 << 20)), 1 << 22)
    assert len(reader.readline()) == 1 << 20
    assert sys.getsizeof(reader) < 500
