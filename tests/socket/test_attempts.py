"""Before a transfer blocks, a non-blocking attempt may be made, but only where the result means the same."""

from __future__ import annotations

import array
import contextlib
import errno
import io
import os
import platform
import select
import struct
import time

import pytest
from marks import only_oxisocket
from waiting import fill, recv_all

READING = {
    "recv": lambda s: s.recv(100),
    "recv much": lambda s: s.recv(100_000),
    "recv_into": lambda s: into(s.recv_into),
    "recvfrom": lambda s: s.recvfrom(100)[0],
    "recvfrom_into": lambda s: into(lambda buffer: s.recvfrom_into(buffer)[0]),
    "recvmsg": lambda s: s.recvmsg(100)[0],
    "readinto": lambda s: into(s.makefile("rb", 0).readinto),
}


WRITING = {
    "send": lambda s: s.send(bytes(100_000)),
    "sendall": lambda s: s.sendall(bytes(100_000)),
    "sendmsg": lambda s: s.sendmsg([bytes(100_000)]),
}


def into(call):
    buffer = bytearray(100)
    return bytes(buffer[: call(buffer)])


def pipes(number):
    return array.array("i", [number])


class TestLowWaterMark:
    """SO_RCVLOWAT: a blocking receive waits for this many bytes."""

    def low(self, socket, s):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 10)
        return s

    def by_setsockopt(self, socket, listener, keep):
        client, server = self.connect(socket, listener, keep)
        return client, self.low(socket, server)

    def by_bytes(self, socket, listener, keep):
        client, server = self.connect(socket, listener, keep)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, struct.pack("i", 10))
        return client, server

    def from_the_listener(self, socket, listener, keep):
        return self.connect(socket, self.low(socket, listener), keep)

    def on_a_duplicate(self, socket, listener, keep):
        client, server = self.connect(socket, listener, keep)
        return client, keep(self.low(socket, server).dup())

    def through_a_duplicate(self, socket, listener, keep):
        client, server = self.connect(socket, listener, keep)
        duplicate = keep(server.dup())
        self.low(socket, server)
        return client, duplicate

    def from_a_listener_on_a_number(self, socket, listener, keep):
        return self.connect(socket, keep(self.low(socket, listener).dup()), keep)

    def from_a_listener_that_has_another_one(self, socket, listener, keep):
        self.low(socket, listener)
        duplicate = keep(listener.dup())
        client = keep(socket.create_connection(listener.getsockname()))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        return client, keep(duplicate.accept()[0])

    def on_a_number(self, socket, listener, keep):
        client, server = self.connect(socket, listener, keep)
        return client, keep(socket.socket(fileno=self.low(socket, server).detach()))

    def from_fd(self, socket, listener, keep):
        client, server = self.connect(socket, listener, keep)
        number = self.low(socket, server).fileno()
        return client, keep(socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM))

    def in_a_subclass(self, socket, listener, keep):
        class Own(socket.socket):
            pass

        client, server = self.connect(socket, listener, keep)
        return client, keep(Own(fileno=self.low(socket, server).detach()))

    def connect(self, socket, listener, keep):
        client = keep(socket.create_connection(listener.getsockname()))
        return client, keep(listener.accept()[0])

    WAYS = (
        by_setsockopt,
        by_bytes,
        from_the_listener,
        on_a_duplicate,
        through_a_duplicate,
        from_a_listener_on_a_number,
        from_a_listener_that_has_another_one,
        on_a_number,
        from_fd,
        in_a_subclass,
    )

    @pytest.mark.parametrize("timeout", [None, 60])
    @pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
    def test_it_waits_for_as_many_bytes(self, socket, listener, keep, start, way, timeout):
        client, server = way(self, socket, listener, keep)
        server.settimeout(timeout)
        client.send(b"abc")
        call = start(server.recv, 100).until_blocked()
        client.send(b"defghijklm")
        assert call.result() == b"abcdefghijklm"

    @pytest.mark.parametrize("name", READING)
    def test_every_method_that_receives(self, socket, listener, keep, start, name):
        client, server = self.by_setsockopt(socket, listener, keep)
        client.send(b"abc")
        call = start(READING[name], server).until_blocked()
        client.send(b"defghijklm")
        assert call.result() == b"abcdefghijklm"

    def test_on_a_unix_socket(self, socket, unix_pair, start):
        left, right = unix_pair
        self.low(socket, left)
        right.send(b"abc")
        call = start(left.recv, 100).until_blocked()
        right.send(b"defghijklm")
        assert call.result() == b"abcdefghijklm"

    def test_a_non_blocking_receive_returns_what_there_is(self, socket, listener, keep):
        client, server = self.by_setsockopt(socket, listener, keep)
        client.send(b"abc")
        assert server.recv(100, socket.MSG_DONTWAIT) == b"abc"
        server.setblocking(False)
        client.send(b"abc")
        select.select([client], [], [], 0)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(BlockingIOError):
                assert server.recv(100) == b"abc"
                return
        raise AssertionError("nothing came")


TCP_FASTOPEN_CONNECT = 30


class TestFastOpen:
    """The first data travels with the SYN, and the send waits for the connection."""

    def test_by_a_flag(self, agree, outcome):
        def act(socket):
            with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
                sent = outcome(client.sendto, b"hello", socket.MSG_FASTOPEN, listener.getsockname()), client.sendall(b"!")
                with listener.accept()[0] as server:
                    return sent, recv_all(server, 6)

        agree(act)

    def test_by_an_option(self, agree, outcome):
        def act(socket):
            with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
                client.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
                client.connect(listener.getsockname())
                sent = outcome(client.send, b"hello")
                with listener.accept()[0] as server:
                    return sent, recv_all(server, 5)

        agree(act)


@pytest.fixture
def small_tcp_pair(socket, keep):
    """A connection with small buffers: the client, and the accepted socket."""
    listener = keep(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    # As small as the window, since a segment that does not fit into the window waits for a timer.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    client = keep(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
    client.connect(listener.getsockname())
    return client, keep(listener.accept()[0])


SO_ZEROCOPY = 60
MSG_ZEROCOPY = 0x4000000


def completions(socket, s):
    """The numbers of the zero-copy sends whose memory the kernel has released, in the order it reports them."""
    told = []
    with contextlib.suppress(BlockingIOError):
        while True:
            for _, _, data in s.recvmsg(1, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)[1]:
                first, last = struct.unpack("IBBBBII", data[:16])[5:]
                told += range(first, last + 1)
    return told


def test_a_zero_copy_send_completes_once(socket, small_tcp_pair, start):
    client, server = small_tcp_pair
    client.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    for number in range(3):
        call = start(client.send, bytes(60_000), MSG_ZEROCOPY).until_blocked()
        assert len(recv_all(server, 60_000)) == 60_000
        assert call.result() == 60_000
        told = []
        poll = select.poll()
        poll.register(client, 0)  # POLLERR is always reported
        while not told:
            assert poll.poll(20_000)
            told = completions(socket, client)
        time.sleep(0.05)  # in case a second completion comes
        assert told + completions(socket, client) == [number]


@pytest.mark.parametrize("given", ["here", "before"])
def test_a_send_is_whole_beside_a_completion_that_nobody_has_read(socket, small_tcp_pair, start, given):
    """A completion lies in the error queue, and `poll` reports an error."""
    client, server = small_tcp_pair
    client.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    if given == "before":
        client = socket.socket(fileno=client.detach())
    with client:
        assert client.send(b"x", MSG_ZEROCOPY) == len(server.recv(1))
        poll = select.poll()
        poll.register(client, 0)
        assert poll.poll(20_000)
        for _ in range(3):
            call = start(client.send, bytes(60_000)).until_blocked()
            assert len(recv_all(server, 60_000)) == 60_000
            assert call.result() == 60_000


SENDMSG = {"x86_64": "46", "aarch64": "211"}.get(platform.machine())
CONTROL_LENGTH = 40  # the offset of msg_controllen in a msghdr


@pytest.mark.skipif(SENDMSG is None, reason="the number of sendmsg is not known on this architecture")
def test_control_data_goes_with_the_whole_message(socket, unix_pair, start):
    """It is one call of sendmsg: in a second call for the rest, the control data would not apply to that rest."""
    left, right = unix_pair
    left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
    fill(left)
    while not select.select([], [left], [], 0)[1]:
        right.recv(1000)
    call = start(left.sendmsg, [bytes(60_000)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, pipes(0))]).until_blocked()
    with open(f"/proc/self/task/{call.native_id}/syscall") as file:
        number, _, header, *_ = file.read().split()
    assert number == SENDMSG
    with open("/proc/self/mem", "rb") as memory:
        length = struct.unpack("N", os.pread(memory.fileno(), 8, int(header, 16) + CONTROL_LENGTH))[0]
    assert length == socket.CMSG_SPACE(array.array("i").itemsize)
    drained = start(drain, right)
    assert call.result() == 60_000
    left.close()
    drained.result()


def drain(s):
    size = 0
    while part := s.recvmsg(1 << 16, 1000):
        for _, _, data in part[1]:
            for number in array.array("i", data):
                os.close(number)
        if not part[0]:
            return size
        size += len(part[0])
    return size


NEXT = {
    "recv": lambda s: s.recv(10),
    "recv_into": lambda s: s.recv_into(bytearray(10)),
    "recvfrom": lambda s: s.recvfrom(10),
    "recvmsg": lambda s: s.recvmsg(10),
    "readinto": lambda s: s.makefile("rb", 0).readinto(bytearray(10)),
    "read": lambda s: s.makefile("rb").read(),
    "send": lambda s: s.send(b"z"),
    "sendall": lambda s: s.sendall(b"z"),
    "sendmsg": lambda s: s.sendmsg([b"z"]),
    "sendfile": lambda s: s.sendfile(io.BytesIO(b"z")),
}


class TestReset:
    """A reset in the middle of a blocking send: the send returns how much was sent, and the next call raises the error."""

    def partial_send(self, socket, small_tcp_pair, start, name="send"):
        client, server = small_tcp_pair
        fill(client)
        recv_all(server, 8000)
        select.select([], [client], [], 20)
        call = start(getattr(client, name), b"y" * 60_000).until_blocked()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        return client, call

    @pytest.mark.parametrize("name", NEXT)
    def test_the_next_call_raises(self, socket, small_tcp_pair, start, name):
        client, call = self.partial_send(socket, small_tcp_pair, start)
        assert 0 < call.result() < 60_000
        with pytest.raises(ConnectionResetError):
            NEXT[name](client)
        assert client.recv(10) == b""
        with pytest.raises(BrokenPipeError):
            client.send(b"z")

    def test_so_error_returns_it(self, socket, small_tcp_pair, start):
        client, call = self.partial_send(socket, small_tcp_pair, start)
        assert 0 < call.result() < 60_000
        told = [client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for _ in range(2)]
        assert told == [errno.ECONNRESET, 0]
        assert client.recv(10) == b""

    def test_with_a_timeout_too(self, socket, small_tcp_pair, start):
        client, call = self.partial_send(socket, small_tcp_pair, start)
        call.result()
        client.settimeout(20)
        with pytest.raises(ConnectionResetError):
            client.recv(10)

    def test_sendall_raises_by_itself(self, socket, small_tcp_pair, start):
        client, call = self.partial_send(socket, small_tcp_pair, start, "sendall")
        with pytest.raises(ConnectionResetError):
            call.result()

    def test_another_init_clears_it(self, socket, small_tcp_pair, start, unix_pair):
        client, call = self.partial_send(socket, small_tcp_pair, start)
        call.result()
        client.close()
        left, right = unix_pair
        client.__init__(fileno=left.detach())
        right.send(b"new")
        assert client.recv(10) == b"new"


class TestModeChangedByOthers:
    """O_NONBLOCK belongs to the open file description: any process with a duplicate of the descriptor can change it."""

    @pytest.fixture
    def changed(self, keep):
        """`changed(s, blocking)` changes the mode through a duplicate of `s`."""

        def changed(s, blocking):
            duplicate = keep(s.dup())
            duplicate.setblocking(blocking)
            assert os.get_blocking(s.fileno()) == blocking
            return s

        return changed

    @pytest.mark.parametrize("timeout", [0, 0.05])
    @pytest.mark.parametrize("name", READING)
    @only_oxisocket
    def test_a_receive_without_data_still_times_out(self, tcp_pair, changed, name, timeout):
        left, _ = tcp_pair
        left.settimeout(timeout)
        if name == "readinto" and timeout == 0:
            assert changed(left, True).makefile("rb", 0).readinto(bytearray(10)) is None
            return
        with pytest.raises(BlockingIOError if timeout == 0 else TimeoutError):
            READING[name](changed(left, True))

    @pytest.mark.parametrize("timeout", [0, 0.05])
    @pytest.mark.parametrize("name", WRITING)
    @only_oxisocket
    def test_a_send_without_room_still_times_out(self, unix_pair, changed, name, timeout):
        left, _ = unix_pair
        fill(left)
        left.settimeout(timeout)
        with pytest.raises(BlockingIOError if timeout == 0 else TimeoutError):
            WRITING[name](changed(left, True))

    @only_oxisocket
    def test_a_send_with_little_room_ends_within_its_timeout(self, tcp_pair, changed):
        left, _ = tcp_pair
        left.settimeout(0.05)
        assert changed(left, True).send(bytes(100_000_000)) < 100_000_000

    def test_accept_blocks_and_other_threads_run(self, run):
        """In a program of its own: if accept kept the GIL, this test could not notice."""
        code = """
import threading, time
listener = socket.create_server(("127.0.0.1", 0))
listener.setblocking(False)
duplicate = listener.dup()
duplicate.setblocking(True)

def connect():
    time.sleep(0.1)
    with socket.create_connection(listener.getsockname()) as client:
        client.sendall(b"hello")

thread = threading.Thread(target=connect)
thread.start()
with listener.accept()[0] as connection:
    print(connection.recv(10))
thread.join()
listener.close()
duplicate.close()
"""
        assert run(code).strip() == "b'hello'"

    def test_accept_with_a_timeout_ends(self, listener, changed):
        listener.settimeout(0.05)
        with pytest.raises(TimeoutError):
            changed(listener, True).accept()

    def test_connect_blocks_and_other_threads_run(self, socket, changed, start, keep):
        full = keep(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        keep(socket.create_connection(full.getsockname()))
        client = keep(socket.socket())
        client.setblocking(False)
        call = start(changed(client, True).connect, full.getsockname()).until_blocked()
        full.accept()[0].close()
        call.result()

    @pytest.mark.parametrize("name", READING)
    def test_a_blocking_receive_does_not_wait(self, tcp_pair, changed, name):
        left, _ = tcp_pair
        if name == "readinto":
            assert changed(left, False).makefile("rb", 0).readinto(bytearray(10)) is None
            return
        for _ in range(3):
            with pytest.raises(BlockingIOError):
                READING[name](changed(left, False))

    @pytest.mark.parametrize("name", WRITING)
    def test_a_blocking_send_does_not_wait(self, unix_pair, changed, name):
        left, _ = unix_pair
        fill(left)
        changed(left, False)
        for _ in range(3):
            with pytest.raises(BlockingIOError):
                WRITING[name](left)

    def test_a_blocking_send_sends_what_fits(self, small_tcp_pair, changed):
        client, _ = small_tcp_pair
        assert 0 < changed(client, False).send(bytes(60_000)) < 60_000

    def test_a_blocking_accept_does_not_wait(self, listener, changed):
        with pytest.raises(BlockingIOError):
            changed(listener, False).accept()

    def test_a_blocking_connect_does_not_wait(self, socket, changed, keep):
        full = keep(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        keep(socket.create_connection(full.getsockname()))
        with pytest.raises(BlockingIOError) as caught:
            changed(keep(socket.socket()), False).connect(full.getsockname())
        assert caught.value.errno == errno.EINPROGRESS

    def test_sendfile_still_sends_all(self, small_tcp_pair, changed, start, keep, tmp_path):
        client, server = small_tcp_pair
        file = keep(open(tmp_path / "file", "w+b"))
        file.truncate(1_000_000)
        call = start(changed(client, False).sendfile, file)
        assert len(recv_all(server, 1_000_000)) == 1_000_000
        assert call.result() == 1_000_000


@pytest.mark.parametrize(("kind", "proto"), [("SOCK_RAW", "CAN_RAW"), ("SOCK_DGRAM", "CAN_BCM"), ("SOCK_DGRAM", "CAN_ISOTP")])
@pytest.mark.parametrize("timeout", [0, 0.05])
def test_can(agree, outcome, kind, proto, timeout):
    """A CAN protocol can block in spite of MSG_DONTWAIT, so no attempt is made."""

    def act(socket):
        if not hasattr(socket, proto):
            pytest.skip(f"no {proto} here")
        try:
            s = socket.socket(socket.AF_CAN, getattr(socket, kind), getattr(socket, proto))
        except OSError as error:
            pytest.skip(f"the kernel opens no such socket: {error}")
        with s:
            s.settimeout(timeout)
            return [outcome(s.recv, 100), outcome(s.send, bytes(16))]

    agree(act)
