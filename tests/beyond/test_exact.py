"""recv_exactly and recv_exactly_into: all bytes, or an exception that carries those that came."""

from __future__ import annotations

import array
import contextlib
import copy
import errno
import os
import pickle
import struct
import sys
import threading
import time

import pytest
from machine import needs_64_bits
from marks import only_oxisocket
from waiting import HANG_TIMEOUT, limit_buffers, until_received, wait_until

pytestmark = only_oxisocket

STREAMS = pytest.mark.parametrize("kind", ["tcp", "unix"])
TIMEOUTS = pytest.mark.parametrize("timeout", [None, 30.0])
FORMS = pytest.mark.parametrize("form", ["recv_exactly", "recv_exactly_into"])
DATA = b"abcdef"


@pytest.fixture
def pair(socket, request, kind):
    return request.getfixturevalue(f"{kind}_pair")


@pytest.fixture
def receive(form):
    """`receive(sock, n)` receives exactly n bytes by either method, and returns them."""

    def receive(sock, n, *flags):
        if form == "recv_exactly":
            return sock.recv_exactly(n, *flags)
        buffer = bytearray(n + 3)
        assert sock.recv_exactly_into(buffer, n, *flags) == n
        assert buffer[n:] == b"\0\0\0"
        return bytes(buffer[:n])

    return receive


def reset(sock):
    """Close a TCP connection with a reset; an AF_UNIX one is reset if it has data that was not received."""
    sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER
    sock.close()


@STREAMS
@FORMS
class TestStream:
    @TIMEOUTS
    @pytest.mark.parametrize("sizes", [(6,), (1, 5), (3, 3), (5, 1), (2, 2, 2), (1,) * 6])
    def test_split_arrivals_are_joined(self, pair, receive, start, timeout, sizes):
        left, right = pair
        right.settimeout(timeout)
        call = start(receive, right, len(DATA))
        place = 0
        for size in sizes:
            call.until_blocked()
            left.sendall(DATA[place : place + size])
            place += size
        assert call.result() == DATA

    def test_the_rest_stays_in_the_socket(self, pair, receive):
        left, right = pair
        left.sendall(DATA)
        assert [receive(right, n) for n in (1, 2, 3)] == [b"a", b"bc", b"def"]

    @TIMEOUTS
    @pytest.mark.parametrize("came", range(len(DATA)))
    @pytest.mark.parametrize("blocked", [False, True])
    def test_eof_too_early(self, socket, pair, receive, start, timeout, came, blocked):
        left, right = pair
        right.settimeout(timeout)
        call = start(receive, right, len(DATA)).until_blocked() if blocked else None
        left.sendall(DATA[:came])
        if blocked:
            until_received(right)
            call.until_blocked()
        left.shutdown(socket.SHUT_WR)
        with pytest.raises(socket.IncompleteReadError) as caught:
            call.result() if blocked else receive(right, len(DATA))
        assert isinstance(caught.value, EOFError)
        assert (caught.value.partial, caught.value.expected) == (DATA[:came], len(DATA))
        assert str(caught.value) == f"{came} bytes read on a total of {len(DATA)} expected bytes"

    def test_data_before_eof_are_enough(self, socket, pair, receive):
        left, right = pair
        left.sendall(DATA)
        left.shutdown(socket.SHUT_WR)
        assert receive(right, len(DATA)) == DATA
        with pytest.raises(socket.IncompleteReadError):
            receive(right, 1)

    @pytest.mark.parametrize("came", [0, 4])
    def test_a_timeout_carries_what_came(self, pair, receive, came):
        left, right = pair
        right.settimeout(0.05)
        left.sendall(DATA[:came]) if came else None
        with pytest.raises(TimeoutError) as caught:
            receive(right, len(DATA))
        assert caught.value.partial == DATA[:came]
        assert (str(caught.value), caught.value.args, caught.value.errno) == ("timed out", ("timed out",), None)
        left.sendall(DATA[came:])
        assert receive(right, len(DATA) - came) == DATA[came:]

    def test_the_timeout_is_one_for_the_whole_call(self, pair, receive, start):
        left, right = pair
        ended = threading.Event()

        def trickle():
            while not ended.wait(0.02):
                left.send(b"x")

        trickling = start(trickle)
        right.settimeout(0.3)
        began = time.monotonic()
        try:
            with pytest.raises(TimeoutError) as caught:
                receive(right, 1 << 20)
        finally:
            ended.set()
        trickling.result()
        assert 0 < len(caught.value.partial) < 1 << 20
        assert time.monotonic() - began < HANG_TIMEOUT

    @TIMEOUTS
    def test_the_deadline_of_the_thread_counts(self, socket, pair, receive, timeout):
        left, right = pair
        right.settimeout(timeout)
        left.sendall(DATA[:4])
        with pytest.raises(TimeoutError) as caught, socket.deadline(0.05):
            receive(right, len(DATA))
        assert caught.value.partial == DATA[:4]
        left.sendall(DATA[4:])
        assert receive(right, 2) == DATA[4:]

    @pytest.mark.parametrize("came", [0, 4])
    @pytest.mark.parametrize("how", ["timeout 0", "MSG_DONTWAIT", "MSG_DONTWAIT and a timeout"])
    def test_what_does_not_wait_takes_what_is_there(self, socket, pair, receive, came, how):
        left, right = pair
        right.settimeout({"timeout 0": 0, "MSG_DONTWAIT": None}.get(how, HANG_TIMEOUT))
        flags = 0 if how == "timeout 0" else socket.MSG_DONTWAIT
        left.sendall(DATA[:came]) if came else None
        with pytest.raises(BlockingIOError) as caught:
            receive(right, len(DATA), flags)
        assert caught.value.partial == DATA[:came]
        assert (caught.value.errno, str(caught.value)) == (errno.EAGAIN, f"[Errno {errno.EAGAIN}] {os.strerror(errno.EAGAIN)}")
        left.sendall(DATA)
        assert receive(right, len(DATA), flags) == DATA

    @TIMEOUTS
    @pytest.mark.parametrize("blocked", [False, True])
    def test_a_reset_carries_what_came(self, pair, receive, start, timeout, blocked):
        """While the kernel waits for all bytes as well: it must not take the error with a part."""
        left, right = pair
        right.settimeout(timeout)
        right.sendall(b"never received")
        call = start(receive, right, len(DATA)).until_blocked() if blocked else None
        left.sendall(DATA[:4])
        if blocked:
            until_received(right)
            call.until_blocked()
        reset(left)
        with pytest.raises(ConnectionResetError) as caught:
            call.result() if blocked else receive(right, len(DATA))
        assert caught.value.partial == DATA[:4]

    @TIMEOUTS
    def test_a_close_in_another_thread_carries_what_came(self, pair, receive, start, timeout):
        left, right = pair
        right.settimeout(timeout)
        call = start(receive, right, len(DATA))
        call.until_blocked()
        left.sendall(DATA[:4])
        until_received(right)
        call.until_blocked()
        right.close()
        with pytest.raises(OSError) as caught:
            call.result()
        assert (caught.value.errno, caught.value.partial) == (errno.EBADF, DATA[:4])

    def test_a_closed_socket(self, pair, receive):
        _, right = pair
        right.close()
        with pytest.raises(OSError) as caught:
            receive(right, 1)
        assert (caught.value.errno, caught.value.partial) == (errno.EBADF, b"")

    @TIMEOUTS
    @pytest.mark.parametrize("size", [65535, 65536, 65537, 1 << 20, (1 << 22) + 1])
    def test_much(self, pair, receive, start, timeout, size):
        left, right = pair
        right.settimeout(timeout)
        limit_buffers(left, right)
        data = os.urandom(size)
        sending = start(left.sendall, data)
        assert receive(right, size) == data
        sending.result()

    def test_threads_that_receive_at_the_same_time_share_the_bytes(self, pair, receive, start):
        left, right = pair
        calls = [start(receive, right, 1000) for _ in range(4)]
        data = b"".join(bytes([number]) * 1000 for number in range(4))
        for place in range(0, len(data), 37):
            left.sendall(data[place : place + 37])
        received = b"".join(call.result() for call in calls)
        assert sorted(received) == sorted(data)

    @pytest.mark.parametrize("flag", ["MSG_PEEK", "MSG_TRUNC", "MSG_WAITALL", "MSG_OOB", "MSG_ERRQUEUE"])
    def test_flags_that_make_no_sense(self, socket, pair, receive, form, flag):
        _, right = pair
        with pytest.raises(ValueError) as caught:
            receive(right, 1, getattr(socket, flag) | socket.MSG_DONTWAIT)
        assert str(caught.value) == f"{form}() does not take the flag {flag}"
        assert not hasattr(caught.value, "partial")

    def test_a_receive_timeout_of_the_system(self, socket, pair, receive):
        """SO_RCVTIMEO ends each wait of a blocking socket with EAGAIN, as it does for recv."""
        left, right = pair
        right.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50_000))
        left.sendall(DATA[:4])
        with pytest.raises(BlockingIOError) as caught:
            receive(right, len(DATA))
        assert caught.value.partial == DATA[:4]

    def test_options_that_rule_out_a_first_attempt(self, socket, pair, receive, start):
        left, right = pair
        right.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 2)
        call = start(receive, right, len(DATA))
        for byte in DATA:
            call.until_blocked() if byte < DATA[-1] else None
            left.sendall(bytes([byte]))
        assert call.result() == DATA


@FORMS
@pytest.mark.parametrize("kind", ["SOCK_DGRAM", "SOCK_SEQPACKET"])
def test_messages_are_refused(socket, keep, receive, form, kind):
    left, right = (keep(each) for each in socket.socketpair(socket.AF_UNIX, getattr(socket, kind)))
    left.send(DATA)
    with pytest.raises(ValueError, match=rf"^{form}\(\) is for sockets of type SOCK_STREAM: "):
        receive(right, 3)
    assert right.recv(10) == DATA


def test_a_udp_socket_is_refused(udp_pair):
    with pytest.raises(ValueError, match="SOCK_STREAM"):
        udp_pair[0].recv_exactly(1)


def test_a_subclass_and_keywords(socket, keep):
    class Subclass(socket.socket):
        pass

    left, right = socket.socketpair()
    keep(left)
    right = keep(Subclass(fileno=right.detach()))
    left.sendall(DATA)
    assert right.recv_exactly(n=2, flags=0) == b"ab"
    assert right.recv_exactly(2, flags=0) == b"cd"
    buffer = bytearray(9)
    assert right.recv_exactly_into(nbytes=2, buffer=buffer, flags=0) == 2
    assert buffer[:2] == b"ef"


class TestOverriding:
    """A subclass with a `recv` of its own, as `ssl.SSLSocket` is, gets the bytes by that: the socket's own may mean something else."""

    @pytest.fixture
    def upper(self, socket, keep):
        """A socket to send with, and one that receives in upper case, at most three bytes at once."""

        class Upper(socket.socket):
            def recv(self, size, *flags):
                self.asked = (size, *flags)
                return super().recv(min(size, 3), *flags).upper()

        left, right = socket.socketpair()
        keep(left)
        return left, keep(Upper(fileno=right.detach()))

    @FORMS
    def test_all_bytes(self, socket, upper, receive):
        left, right = upper
        left.sendall(DATA + DATA)
        assert receive(right, 4) == b"ABCD"
        assert right.asked == (1,)
        assert receive(right, 5, socket.MSG_DONTWAIT) == b"EFABC"
        assert right.asked == (2, socket.MSG_DONTWAIT)

    @FORMS
    def test_errors_carry_what_came(self, socket, upper, receive):
        left, right = upper
        right.settimeout(0.05)
        left.sendall(b"abcd")
        with pytest.raises(TimeoutError) as timeout:
            receive(right, 10)
        left.sendall(b"efgh")
        left.close()
        with pytest.raises(socket.IncompleteReadError) as incomplete:
            receive(right, 10)
        assert [each.value.partial for each in (timeout, incomplete)] == [b"ABCD", b"EFGH"]

    @FORMS
    def test_the_timeout_is_one_for_the_whole_call(self, socket, keep, receive):
        class Slow(socket.socket):
            def recv(self, size):
                time.sleep(0.02)
                return b"x"

        with keep(Slow()) as slow:
            slow.settimeout(0.1)
            with pytest.raises(TimeoutError) as caught:
                receive(slow, 1 << 20)
        assert 0 < len(caught.value.partial) < 1 << 20

    @pytest.mark.parametrize(("received", "error"), [(b"xxxx", OSError), ("x", TypeError), (None, TypeError)])
    def test_what_returns_something_else(self, socket, received, error):
        class Odd(socket.socket):
            def recv(self, size):
                return received

        with Odd() as odd, pytest.raises(error):
            odd.recv_exactly(3)

    def test_a_method_that_was_replaced_counts(self, socket, unix_pair, monkeypatch):
        left, right = unix_pair
        for _ in range(3):
            left.sendall(b"abc")
            assert right.recv_exactly(3) == b"abc"
            with monkeypatch.context() as patch:
                patch.setattr(socket.socket, "recv", lambda self, size: b"x")
                assert right.recv_exactly(3) == b"xxx"
            left.sendall(b"abc")
            assert right.recv_exactly(3) == b"abc"

    def test_a_method_of_the_instance_counts(self, socket, unix_pair):
        class Subclass(socket.socket):
            pass

        left, right = unix_pair
        with Subclass(fileno=right.detach()) as right:
            left.sendall(b"abc")
            assert right.recv_exactly(3) == b"abc"
            right.recv = lambda size: b"x"
            assert right.recv_exactly(3) == b"xxx"

    def test_a_subclass_that_looks_its_attributes_up(self, socket, unix_pair):
        class Subclass(socket.socket):
            __slots__ = ()
            own = False

            def __getattribute__(self, name):
                if name == "recv" and type(self).own:
                    return lambda size: b"x"
                return super().__getattribute__(name)

        left, right = unix_pair
        with Subclass(fileno=right.detach()) as right:
            left.sendall(b"abc")
            assert right.recv_exactly(3) == b"abc"
            Subclass.own = True
            assert right.recv_exactly(3) == b"xxx"


class TestSizes:
    @pytest.fixture
    def sock(self, unix_pair):
        return unix_pair[1]

    def test_no_bytes_need_no_system_call(self, sock):
        for _ in range(2):
            assert sock.recv_exactly(0) == b""
            assert sock.recv_exactly_into(bytearray()) == 0
            sock.close()  # a system call would fail

    def test_negative_sizes(self, sock):
        with pytest.raises(ValueError, match=r"^negative size in recv_exactly$"):
            sock.recv_exactly(-1)
        with pytest.raises(ValueError, match=r"^negative nbytes in recv_exactly_into$"):
            sock.recv_exactly_into(bytearray(3), -1)

    @needs_64_bits
    @pytest.mark.parametrize("size", [1 << 62, sys.maxsize - 100])
    def test_too_much_is_a_memory_error(self, sock, size):
        with pytest.raises(MemoryError):
            sock.recv_exactly(size)

    def test_more_than_a_size_can_be(self, sock):
        with pytest.raises(OverflowError):
            sock.recv_exactly(1 << 64)

    @pytest.mark.parametrize("n", [1.5, "1", None, b"1"])
    def test_what_is_no_number(self, sock, n):
        with pytest.raises(TypeError):
            sock.recv_exactly(n)

    def test_an_index_that_closes_the_socket(self, sock):
        class Index:
            def __index__(self):
                sock.close()
                return 5

        with pytest.raises(OSError) as caught:
            sock.recv_exactly(Index())
        assert caught.value.errno == errno.EBADF

    def test_arguments_that_are_missing_or_too_many(self, sock):
        for arguments in ((), (1, 2, 3)):
            with pytest.raises(TypeError):
                sock.recv_exactly(*arguments)
        for arguments in ((), (bytearray(1), 1, 0, 0)):
            with pytest.raises(TypeError):
                sock.recv_exactly_into(*arguments)

    def test_memory_is_not_used_before_the_bytes_come(self, unix_pair):
        """A size that a peer has announced costs address space, and not memory."""
        left, right = unix_pair
        left.sendall(DATA)
        left.close()
        with pytest.raises(EOFError) as caught:
            right.recv_exactly(1 << 30)
        assert caught.value.partial == DATA
        assert sys.getsizeof(caught.value.partial) < 100


class TestBuffers:
    def test_the_items_may_be_of_any_size(self, unix_pair):
        left, right = unix_pair
        numbers = array.array("i", [0] * 4)
        left.sendall(array.array("i", [1, 2, 3]).tobytes())
        assert right.recv_exactly_into(numbers, 2 * numbers.itemsize) == 2 * numbers.itemsize
        assert numbers.tolist() == [1, 2, 0, 0]
        left.sendall(array.array("i", [4, 5, 6]).tobytes())
        assert right.recv_exactly_into(numbers) == 4 * numbers.itemsize
        assert numbers.tolist() == [3, 4, 5, 6]

    def test_a_part_of_a_buffer(self, unix_pair):
        left, right = unix_pair
        buffer = bytearray(b"------")
        left.sendall(b"ab")
        assert right.recv_exactly_into(memoryview(buffer)[2:4]) == 2
        assert buffer == b"--ab--"

    def test_after_an_error_the_buffer_begins_with_what_came(self, unix_pair):
        left, right = unix_pair
        right.settimeout(0.05)
        buffer = bytearray(b"------")
        left.sendall(b"ab")
        with pytest.raises(TimeoutError) as caught:
            right.recv_exactly_into(buffer)
        assert (buffer, caught.value.partial) == (b"ab----", b"ab")
        buffer.clear()  # it is free again
        assert caught.value.partial == b"ab"

    def test_a_buffer_that_is_too_small(self, unix_pair):
        with pytest.raises(ValueError, match=r"^nbytes is greater than the length of the buffer$"):
            unix_pair[1].recv_exactly_into(bytearray(3), 4)

    @pytest.mark.parametrize("buffer", [b"abc", "abc", None, memoryview(b"abc"), memoryview(bytearray(6))[::2]])
    def test_what_is_no_writable_buffer(self, unix_pair, buffer):
        with pytest.raises((TypeError, BufferError)):
            unix_pair[1].recv_exactly_into(buffer)

    def test_the_buffer_cannot_be_resized_meanwhile(self, unix_pair, start):
        left, right = unix_pair
        buffer = bytearray(4)
        call = start(right.recv_exactly_into, buffer).until_blocked()
        with pytest.raises(BufferError):
            buffer.append(1)
        left.sendall(b"abcd")
        assert call.result() == 4
        buffer.append(1)


SIGNALS = """
import signal, threading
from waiting import limit_buffers

def pair(kind):
    if kind == "unix":
        return socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]

class Stop(BaseException):
    pass

def receive(sock, n, buffer=bytearray(100)):
    if sys.argv[1] == "recv_exactly":
        return sock.recv_exactly(n)
    assert sock.recv_exactly_into(buffer, n) == n
    return bytes(buffer[:n])

import sys
left, right = pair(sys.argv[2])
right.settimeout(eval(sys.argv[3]))
"""


@FORMS
@STREAMS
@pytest.mark.parametrize("timeout", ["None", "60"])
class TestSignals:
    def test_a_handler_that_raises_loses_nothing(self, run, form, kind, timeout):
        code = f"""{SIGNALS}
count = 0

def on_signal(number, frame):
    global count
    count += 1
    if count == 3:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise KeyboardInterrupt
    left.sendall(b"ab")

signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
try:
    receive(right, 10)
except KeyboardInterrupt as error:
    print(error.partial, error.args)
left.sendall(b"cd")
print(receive(right, 2))
left.close()
right.close()
"""
        assert run(code, form, kind, timeout) == "b'abab' ()\nb'cd'\n"

    def test_the_call_goes_on_after_a_handler(self, run, form, kind, timeout):
        code = f"""{SIGNALS}
sent = 0

def on_signal(number, frame):
    global sent
    if sent < 10:
        left.send(b"x")
        sent += 1

signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
received = receive(right, 10)
signal.setitimer(signal.ITIMER_REAL, 0)
print(received)
left.close()
right.close()
"""
        assert run(code, form, kind, timeout) == "b'xxxxxxxxxx'\n"

    def test_a_handler_need_not_wait_for_a_stream_to_end(self, run, form, kind, timeout):
        """A peer sends all the time, so that no call ever waits for long."""
        code = f"""{SIGNALS}
import contextlib
limit_buffers(left, right)

def flood():
    with contextlib.suppress(OSError):
        while True:
            left.sendall(bytes(1 << 16))

def on_signal(number, frame):
    raise Stop

size = 1 << 29
buffer = bytearray(size)
thread = threading.Thread(target=flood)
thread.start()
signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    receive(right, size, buffer)
except Stop as error:
    print(len(error.partial) < size)
right.close()
left.close()
thread.join()
"""
        assert run(code, form, kind, timeout) == "True\n"


def test_an_exception_that_takes_no_attribute_is_raised_without(run):
    code = """
import signal

class Odd(Exception):
    partial = property(lambda self: "mine")
    def __setattr__(self, name, value):
        raise AssertionError("called")

class Frozen(Exception):
    def __setattr__(self, name, value):
        raise AssertionError("called")

def on_signal(number, frame):
    raise error

left, right = socket.socketpair()
signal.signal(signal.SIGALRM, on_signal)
for error in Odd("text"), Frozen("text"):
    left.sendall(b"ab")
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        right.recv_exactly(10)
    except (Odd, Frozen) as raised:
        print(raised is error, str(raised), raised.partial)
left.close()
right.close()
"""
    assert run(code) == "True text mine\nTrue text b'ab'\n"


class TestErrors:
    def test_the_class_is_a_name_of_the_package(self, socket):
        assert socket.IncompleteReadError.__module__ == "oxisocket"
        assert issubclass(socket.IncompleteReadError, EOFError)
        assert not issubclass(socket.IncompleteReadError, OSError)

    @pytest.mark.parametrize("expected", [7, None])
    def test_it_can_be_copied_and_pickled(self, socket, expected):
        error = socket.IncompleteReadError(b"abc", expected)
        for twin in pickle.loads(pickle.dumps(error)), copy.copy(error):
            assert type(twin) is socket.IncompleteReadError
            assert (twin.partial, twin.expected, str(twin)) == (b"abc", expected, str(error))

    def test_a_timeout_can_be_pickled(self, unix_pair):
        unix_pair[1].settimeout(0.01)
        with pytest.raises(TimeoutError) as caught:
            unix_pair[1].recv_exactly(1)
        twin = pickle.loads(pickle.dumps(caught.value))
        assert (type(twin), twin.args, twin.partial) == (TimeoutError, ("timed out",), b"")

    def test_what_came_is_not_lost_if_the_class_cannot_be_imported(self, run):
        code = """
import sys
left, right = socket.socketpair()
left.sendall(b"abc")
left.close()
sys.modules["oxisocket._beyond.errors"] = None
try:
    right.recv_exactly(5)
except ImportError as error:
    print(error.partial)
right.close()
"""
        assert run(code) == "b'abc'\n"


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_fork_in_the_middle(socket, unix_pair, start):
    """The child has a connection that nobody receives from, and can receive from it itself."""
    left, right = unix_pair
    call = start(right.recv_exactly, 4)
    call.until_blocked()
    left.sendall(b"ab")
    until_received(right)
    call.until_blocked()
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            one, other = socket.socketpair()
            one.sendall(b"xyz")
            status = 0 if other.recv_exactly(3) == b"xyz" else 2
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    left.sendall(b"cd")
    assert call.result() == b"abcd"


def test_waiting_for_a_part_lets_other_threads_run(unix_pair, start):
    left, right = unix_pair
    call = start(right.recv_exactly, 2)
    left.sendall(b"a")
    done = []
    other = start(lambda: done.append(True))
    wait_until(lambda: done)
    other.result()
    left.sendall(b"b")
    assert call.result() == b"ab"
