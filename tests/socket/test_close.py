"""Closing: close, detach, the with-statement, and the errors of calls on a closed socket."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import struct
import tracemalloc
import warnings

import pytest
from descriptors import is_open
from machine import HAS_64_BITS, INET6
from methods import ARGUMENTS, BEYOND, arguments


def test_close_closes_the_descriptor(socket):
    s = socket.socket()
    number = s.fileno()
    assert s.close() is None
    assert s.fileno() == -1
    assert not is_open(number)


def test_a_second_close_does_nothing(socket, keep):
    s = socket.socket()
    number = s.fileno()
    s.close()
    other = keep(socket.socket())
    assert other.fileno() == number
    s.close()
    s.close()
    assert is_open(number)


def test_the_with_statement_closes(socket):
    with socket.socket() as s:
        assert s.fileno() >= 0
    assert s.fileno() == -1
    with pytest.raises(ZeroDivisionError), socket.socket() as s:
        raise ZeroDivisionError
    assert s.fileno() == -1
    with s:  # a closed socket may be entered too
        pass


def test_enter_returns_the_socket_and_exit_nothing(socket):
    s = socket.socket()
    assert s.__enter__() is s
    assert s.__exit__(None, None, None) is None
    assert s.__exit__() is None


def test_exit_calls_close_of_the_subclass(socket):
    class Counting(socket.socket):
        closed = 0

        def close(self):
            self.closed += 1
            super().close()

    with Counting() as s:
        pass
    assert s.closed == 1


class TestDetach:
    def test_the_descriptor_stays_open_and_belongs_to_the_caller(self, socket):
        s = socket.socket()
        number = s.fileno()
        assert s.detach() == number
        assert s.fileno() == -1
        assert is_open(number)
        s.close()
        del s
        gc.collect()
        assert is_open(number)
        socket.close(number)
        assert not is_open(number)

    def test_twice(self, socket):
        s = socket.socket()
        socket.close(s.detach())
        assert s.detach() == -1

    def test_after_close(self, socket):
        s = socket.socket()
        s.close()
        assert s.detach() == -1

    def test_other_attributes_remain_readable(self, socket):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.settimeout(5)
        socket.close(s.detach())
        assert (s.family, s.type, s.proto, s.gettimeout()) == (socket.AF_UNIX, socket.SOCK_DGRAM, 0, 5.0)

    @pytest.mark.holds("No descriptor is ever used after it was given back")
    @pytest.mark.parametrize("name", ["recv", "recv_into", "recvfrom", "recvmsg"])
    def test_a_blocked_call_does_not_receive_after_detach(self, socket, keep, start, unix_pair, name):
        """The next owner of the number loses no data to the call that was blocked before."""
        left, right = unix_pair
        left.settimeout(20)
        waiting = start(getattr(left, name), bytearray(10) if name == "recv_into" else 10).until_blocked()
        number = left.detach()
        os.close(number)
        near, far = map(keep, socket.socketpair())
        assert near.fileno() == number
        far.send(b"not yours")
        right.send(b"too late")
        with pytest.raises(OSError) as caught:
            waiting.result()
        assert caught.value.errno == errno.EBADF
        assert near.recv(10) == b"not yours"

    def test_a_blocked_accept_does_not_accept_after_detach(self, socket, keep, start, listener):
        listener.settimeout(20)
        waiting = start(listener.accept).until_blocked()
        number = listener.detach()
        old = keep(socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM))
        os.close(number)
        new = keep(socket.create_server(("127.0.0.1", 0)))
        assert new.fileno() == number
        client = keep(socket.create_connection(new.getsockname()))
        keep(socket.create_connection(old.getsockname()))
        with pytest.raises(OSError) as caught:
            waiting.result()
        assert caught.value.errno == errno.EBADF
        new.settimeout(20)
        accepted, address = new.accept()
        keep(accepted)
        assert address == client.getsockname()

    def test_a_partial_send_does_not_go_on_after_detach(self, socket, keep, start, unix_pair):
        left, right = unix_pair
        left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        waiting = start(left.send, b"x" * 60_000).until_blocked()
        number = left.detach()
        keep(socket.fromfd(number, socket.AF_UNIX, socket.SOCK_STREAM))
        os.close(number)
        near, far = map(keep, socket.socketpair())
        assert near.fileno() == number
        received = 0
        right.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                received += len(right.recv(1 << 20))
        assert waiting.result() == received > 0
        far.setblocking(False)
        with pytest.raises(BlockingIOError):
            far.recv(1)

    def test_a_file_made_before_loses_the_descriptor(self, socket, unix_pair):
        left, _ = unix_pair
        with left.makefile("rb", buffering=0) as file:
            number = left.detach()
            try:
                with pytest.raises(OSError) as caught:
                    file.read(1)
                assert caught.value.errno == errno.EBADF
            finally:
                os.close(number)


def test_every_method_is_in_the_table(socket):
    public = {name for name in dir(socket.socket) if not name.startswith("_") and callable(getattr(socket.socket, name))}
    assert public - set(ARGUMENTS) - set(BEYOND) <= {"sendmsg_afalg", "gethostname"}


@pytest.mark.parametrize("end", ["close", "detach"])
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_closed_socket_raises_the_same_error(agree, outcome, name, kind, end):
    def call(socket):
        s = socket.socket(socket.AF_INET, getattr(socket, kind))
        if end == "close":
            s.close()
        else:
            socket.close(s.detach())
        return outcome(getattr(s, name), *arguments(name))

    agree(call)


@pytest.mark.parametrize("end", ["close", "detach"])
@pytest.mark.parametrize("name", sorted(set(BEYOND) - {"describe"}))
def test_a_closed_socket_raises_an_error_that_says_so(oxisocket, name, end):
    s = oxisocket.socket()
    if end == "close":
        s.close()
    else:
        oxisocket.close(s.detach())
    with pytest.raises(OSError) as caught:
        getattr(s, name)(*BEYOND[name])
    assert caught.value.errno == errno.EBADF


@pytest.mark.parametrize("family", [INET6, "AF_UNIX"])
@pytest.mark.parametrize("name", ["accept", "getsockname", "getpeername", "recvfrom", "recvfrom_into", "recvmsg"])
def test_other_families_too(agree, outcome, name, family):
    def call(socket):
        s = socket.socket(getattr(socket, family))
        s.close()
        return outcome(getattr(s, name), *arguments(name))

    agree(call)


@pytest.mark.parametrize("name", ["recv", "recv_into", "send", "sendall", "sendto", "sendmsg", "recvmsg", "accept", "connect"])
@pytest.mark.parametrize("timeout", [0, 5.0])
def test_with_a_timeout_too(agree, outcome, name, timeout):
    def call(socket):
        s = socket.socket()
        s.settimeout(timeout)
        s.close()
        return outcome(getattr(s, name), *arguments(name))

    agree(call)


@pytest.mark.holds("A call on a closed socket fails with EBADF", "In the original invalid flags of `sendmsg` and `recvmsg`")
@pytest.mark.parametrize("call", [lambda s: s.sendmsg([b"x"], [], -1), lambda s: s.recvmsg(1, 0, -1)])
def test_ebadf_whatever_else_is_wrong(socket, ours, call):
    s = socket.socket()
    s.close()
    with pytest.raises(OSError) as caught:
        call(s)
    assert caught.value.errno == (errno.EBADF if ours or not HAS_64_BITS else errno.EINVAL)


class TestErrorsOfClose:
    def test_a_reset_is_ignored(self, socket, tcp_pair):
        left, right = tcp_pair
        left.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        right.send(b"unread")
        left.close()
        number = right.fileno()
        right.close()
        assert not is_open(number)

    def test_a_descriptor_closed_by_others_is_an_error(self, socket, tmp_path):
        s = socket.socket()
        os.close(s.fileno())
        with pytest.raises(OSError) as caught:
            s.close()
        assert caught.value.errno == errno.EBADF
        assert s.fileno() == -1
        s.close()


class TestDup:
    def test_the_duplicate_closes_independently(self, socket, unix_pair, keep):
        left, right = unix_pair
        copy = keep(left.dup())
        assert copy.fileno() != left.fileno()
        assert type(copy) is type(left)
        assert (copy.family, copy.type, copy.proto) == (left.family, left.type, left.proto)
        left.close()
        copy.send(b"still here")
        assert right.recv(100) == b"still here"
        copy.close()
        assert right.recv(1) == b""

    @pytest.mark.parametrize("timeout", [None, 0.0, 3.5])
    def test_the_duplicate_has_the_timeout(self, socket, unix_pair, keep, timeout):
        left, _ = unix_pair
        left.settimeout(timeout)
        copy = keep(left.dup())
        assert copy.gettimeout() == timeout
        assert os.get_blocking(copy.fileno()) is (timeout is None)

    def test_the_duplicate_of_a_subclass(self, socket, keep):
        class Mine(socket.socket):
            pass

        s = keep(Mine())
        assert type(keep(s.dup())) is Mine


class TestResourceWarning:
    def test_an_unclosed_socket_warns_and_is_closed(self, socket):
        s = socket.socket()
        number = s.fileno()
        text = repr(s)
        with pytest.warns(ResourceWarning) as caught:
            del s
            gc.collect()
        assert [str(each.message) for each in caught] == [f"unclosed {text}"]
        assert not is_open(number)

    def test_the_source_was_allocated_where_the_socket_was_made(self, socket):
        tracemalloc.start(10)
        try:
            s = socket.socket()
            with pytest.warns(ResourceWarning) as caught:
                del s
                gc.collect()
            [warning] = caught
            trace = tracemalloc.get_object_traceback(warning.source)
            assert trace is not None
            assert __file__ in [frame.filename for frame in trace]
        finally:
            tracemalloc.stop()

    def test_accepted_and_paired_sockets(self, socket, keep, listener):
        client = keep(socket.socket())
        client.connect(listener.getsockname())
        for make in (lambda: listener.accept()[0], client.dup, lambda: socket.socketpair()[0]):
            with pytest.warns(ResourceWarning, match="^unclosed <socket.socket "):
                make()
                gc.collect()

    def test_in_a_cycle(self, socket):
        class Mine(socket.socket):
            pass

        s = Mine()
        number = s.fileno()
        s.me = s
        with pytest.warns(ResourceWarning):
            del s
            gc.collect()
        assert not is_open(number)

    @pytest.mark.parametrize("end", ["close", "detach", "with", "never made"])
    def test_a_closed_socket_does_not_warn(self, socket, end):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            s = socket.socket.__new__(socket.socket) if end == "never made" else socket.socket()
            if end == "close":
                s.close()
            elif end == "detach":
                socket.close(s.detach())
            elif end == "with":
                with s:
                    pass
            del s
            gc.collect()

    def test_the_socket_is_closed_when_the_warning_is_an_error(self, run):
        code = """
import os, sys
told = []
sys.unraisablehook = lambda it: told.append(it.exc_type.__name__)
s = socket.socket()
number = s.fileno()
del s
try:
    os.fstat(number)
except OSError:
    print(told)
"""
        assert run(code).strip() == "['ResourceWarning']"

    def test_at_the_end_of_a_program(self, program):
        process = program("import sys, warnings\nwarnings.simplefilter('always')\nkept = socket.socket()\nsys.exit(3)")
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 3
        assert "ResourceWarning: unclosed <socket.socket" in errors

    def test_a_failed_construction_does_not_warn(self, socket):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(OSError):
                socket.socket(12345)
            gc.collect()


class TestFiles:
    """The descriptor is closed when the socket and all its files are closed, in any order."""

    def test_a_file_keeps_it_open(self, unix_pair):
        left, right = unix_pair
        file = left.makefile("rb")
        number = left.fileno()
        left.close()
        assert is_open(number)
        right.sendall(b"line\n")
        assert file.readline() == b"line\n"
        file.close()
        assert not is_open(number)
        assert left.fileno() == -1

    def test_the_socket_keeps_it_open(self, unix_pair):
        left, right = unix_pair
        with left.makefile("wb") as file:
            file.write(b"data")
        assert right.recv(10) == b"data"
        left.sendall(b"more")
        assert right.recv(10) == b"more"

    def test_repr_of_a_closed_socket_with_an_open_file(self, unix_pair):
        left, _ = unix_pair
        with left.makefile("rb"):
            left.close()
            assert "[closed]" in repr(left)
            assert left.fileno() != -1
        assert left.fileno() == -1

    def test_several(self, unix_pair):
        left, _ = unix_pair
        files = [left.makefile("rb") for _ in range(3)]
        left.close()
        for file in files:
            assert left.fileno() != -1
            file.close()
            file.close()
        assert left.fileno() == -1
