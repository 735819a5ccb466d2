"""bind, listen, accept, connect, connect_ex, shutdown, and the addresses at both ends."""

from __future__ import annotations

import errno
import os

import pytest
from machine import BINDS_FOREIGN_ADDRESSES, HAS_INET6, needs_loopback6

HOSTS = pytest.mark.parametrize(
    ("family", "host"), [("AF_INET", "127.0.0.1"), pytest.param("AF_INET6", "::1", marks=needs_loopback6)]
)


def refusing_address(socket, keep):
    """An address without a listener. It is bound, so that no other program can listen there."""
    s = keep(socket.socket())
    s.bind(("127.0.0.1", 0))
    return s.getsockname()


@HOSTS
def test_a_conversation(socket, keep, family, host):
    listening = keep(socket.socket(getattr(socket, family)))
    listening.bind((host, 0))
    listening.listen()
    client = keep(socket.socket(getattr(socket, family)))
    assert client.connect(listening.getsockname()) is None
    server, address = listening.accept()
    keep(server)
    assert type(server) is socket.socket
    assert (server.family, server.type, server.proto) == (listening.family, listening.type, listening.proto)
    assert address == client.getsockname() == server.getpeername()
    assert server.getsockname() == client.getpeername() == listening.getsockname()
    client.sendall(b"question")
    assert server.recv(100) == b"question"
    server.sendall(b"answer")
    assert client.recv(100) == b"answer"


def test_a_conversation_over_unix(socket, keep, tmp_path):
    listening = keep(socket.socket(socket.AF_UNIX))
    listening.bind(str(tmp_path / "s"))
    listening.listen(1)
    client = keep(socket.socket(socket.AF_UNIX))
    client.connect(str(tmp_path / "s"))
    server, address = listening.accept()
    keep(server)
    assert address == client.getsockname() == server.getpeername() == ""
    assert client.getpeername() == server.getsockname() == str(tmp_path / "s")


def test_bind_to_port_zero_picks_a_free_port(socket, keep):
    s = keep(socket.socket())
    assert s.getsockname() == ("0.0.0.0", 0)
    assert s.bind(("127.0.0.1", 0)) is None
    host, port = s.getsockname()
    assert host == "127.0.0.1"
    assert 0 < port < 65536


def test_bind_twice_and_bind_to_an_address_in_use(socket, keep, listener):
    with pytest.raises(OSError) as caught:
        listener.bind(("127.0.0.1", 0))
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(OSError) as caught:
        keep(socket.socket()).bind(listener.getsockname())
    assert (caught.value.errno, caught.value.strerror) == (errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


@pytest.mark.skipif(BINDS_FOREIGN_ADDRESSES, reason="net.ipv4.ip_nonlocal_bind is set on this machine")
def test_bind_to_a_foreign_address(socket, keep):
    with pytest.raises(OSError) as caught:
        keep(socket.socket()).bind(("203.0.113.1", 0))
    assert caught.value.errno == errno.EADDRNOTAVAIL


def test_reuseaddr_lets_a_server_restart(socket, keep):
    first = keep(socket.socket())
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    first.bind(("127.0.0.1", 0))
    first.listen()
    address = first.getsockname()
    client = keep(socket.socket())
    client.connect(address)
    server, _ = first.accept()
    server.close()  # this end closes first, so that the port stays in TIME_WAIT
    client.close()
    first.close()
    with pytest.raises(OSError) as caught:
        keep(socket.socket()).bind(address)
    assert caught.value.errno == errno.EADDRINUSE
    again = keep(socket.socket())
    again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    again.bind(address)


class TestListen:
    @pytest.mark.parametrize("backlog", [(), (0,), (1,), (-1,), (-(2**31),), (2**31 - 1,), (True,)])
    def test_any_int_is_a_backlog(self, socket, keep, backlog):
        s = keep(socket.socket())
        s.bind(("127.0.0.1", 0))
        assert s.listen(*backlog) is None
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        client = keep(socket.socket())
        client.connect(s.getsockname())
        keep(s.accept()[0])

    def test_a_datagram_socket_cannot_listen(self, udp_pair):
        with pytest.raises(OSError) as caught:
            udp_pair[0].listen()
        assert caught.value.errno == errno.EOPNOTSUPP


class TestAccept:
    def test_without_listen(self, socket, keep):
        with pytest.raises(OSError) as caught:
            keep(socket.socket()).accept()
        assert caught.value.errno == errno.EINVAL

    def test_waits_for_a_connection(self, socket, keep, listener, start):
        call = start(listener.accept).until_blocked()
        client = keep(socket.socket())
        client.connect(listener.getsockname())
        server, address = call.result()
        keep(server)
        assert address == client.getsockname()

    def test_accepts_in_order(self, socket, keep, listener):
        clients = [keep(socket.socket()) for _ in range(5)]
        for client in clients:
            client.connect(listener.getsockname())
        for client in clients:
            server, address = listener.accept()
            keep(server)
            assert address == client.getsockname()

    @pytest.mark.parametrize("timeout", [None, 30.0, 0.0])
    def test_the_new_socket_blocks_whatever_the_listeners_mode(self, socket, keep, listener, timeout):
        listener.settimeout(timeout)
        client = keep(socket.socket())
        client.connect(listener.getsockname())
        server = keep(listener.accept()[0])
        assert server.gettimeout() is None
        assert os.get_blocking(server.fileno()) is True

    def test_the_new_socket_takes_the_default_timeout(self, socket, keep, listener):
        client = keep(socket.socket())
        client.connect(listener.getsockname())
        socket.setdefaulttimeout(30.0)
        try:
            server = keep(listener.accept()[0])
        finally:
            socket.setdefaulttimeout(None)
        assert server.gettimeout() == 30.0
        assert os.get_blocking(server.fileno()) is False

    def test_the_base_method_returns_a_descriptor(self, socket, keep, listener):
        client = keep(socket.socket())
        client.connect(listener.getsockname())
        number, address = listener._accept()
        server = keep(socket.socket(fileno=number))
        assert address == client.getsockname()
        assert server.getpeername() == address
        assert os.get_inheritable(number) is False


class TestConnect:
    def test_refused(self, socket, keep):
        address = refusing_address(socket, keep)
        with pytest.raises(ConnectionRefusedError) as caught:
            keep(socket.socket()).connect(address)
        assert caught.value.args == (errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        assert keep(socket.socket()).connect_ex(address) == errno.ECONNREFUSED

    def test_connect_ex_returns_zero_on_success(self, socket, keep, listener):
        assert keep(socket.socket()).connect_ex(listener.getsockname()) == 0

    def test_twice(self, socket, keep, listener):
        client = keep(socket.socket())
        client.connect(listener.getsockname())
        with pytest.raises(OSError) as caught:
            client.connect(listener.getsockname())
        assert caught.value.errno == errno.EISCONN
        assert client.connect_ex(listener.getsockname()) == errno.EISCONN

    def test_with_a_timeout_refused_is_not_timed_out(self, socket, keep):
        address = refusing_address(socket, keep)
        for call in ("connect", "connect_ex"):
            client = keep(socket.socket())
            client.settimeout(30.0)
            if call == "connect":
                with pytest.raises(ConnectionRefusedError):
                    client.connect(address)
            else:
                assert client.connect_ex(address) == errno.ECONNREFUSED

    def test_a_path_that_does_not_exist(self, socket, keep, tmp_path):
        path = str(tmp_path / "nobody")
        with pytest.raises(FileNotFoundError):
            keep(socket.socket(socket.AF_UNIX)).connect(path)
        assert keep(socket.socket(socket.AF_UNIX)).connect_ex(path) == errno.ENOENT

    def test_connect_ex_raises_errors_that_are_not_the_kernels(self, both, outcome):
        for address in [("127.0.0.1",), ("127.0.0.1", "80"), ("127.0.0.1", 65536), None, ("a\0b", 1)]:
            results = []
            for module in both:
                with module.socket() as s:
                    results.append(outcome(s.connect_ex, address))
            assert results[0] == results[1]
            assert results[0][0] == "raised"

    def test_a_datagram_socket_has_one_peer_and_can_disconnect(self, socket, udp_pair):
        left, right = udp_pair
        left.connect(right.getsockname())
        assert left.getpeername() == right.getsockname()
        left.send(b"hello")
        assert right.recvfrom(10) == (b"hello", left.getsockname())
        right.connect(left.getsockname())
        right.send(b"hello")
        assert left.recv(10) == b"hello"

    def test_a_full_backlog_of_a_unix_socket_is_an_error_at_once(self, socket, keep, tmp_path):
        listening = keep(socket.socket(socket.AF_UNIX))
        listening.bind(str(tmp_path / "s"))
        listening.listen(0)
        keep(socket.socket(socket.AF_UNIX)).connect(str(tmp_path / "s"))
        waiting = keep(socket.socket(socket.AF_UNIX))
        waiting.settimeout(0)
        assert waiting.connect_ex(str(tmp_path / "s")) == errno.EAGAIN
        with pytest.raises(BlockingIOError):
            waiting.connect(str(tmp_path / "s"))


class TestNames:
    def test_getpeername_without_a_peer(self, socket, keep, listener):
        for s in (keep(socket.socket()), listener, keep(socket.socket(socket.AF_UNIX))):
            with pytest.raises(OSError) as caught:
                s.getpeername()
            assert caught.value.errno == errno.ENOTCONN

    def test_an_unbound_socket_has_an_empty_address(self, socket, keep):
        assert keep(socket.socket(socket.AF_INET)).getsockname() == ("0.0.0.0", 0)
        if HAS_INET6:
            assert keep(socket.socket(socket.AF_INET6)).getsockname() == ("::", 0, 0, 0)
        assert keep(socket.socket(socket.AF_UNIX)).getsockname() == ""


class TestShutdown:
    @pytest.mark.parametrize("pair", ["tcp_pair", "unix_pair"])
    def test_shutting_down_writing_gives_the_peer_eof(self, socket, request, pair):
        left, right = request.getfixturevalue(pair)
        left.sendall(b"last")
        assert left.shutdown(socket.SHUT_WR) is None
        assert right.recv(10) == b"last"
        assert right.recv(10) == b""
        assert right.recv(10) == b""
        right.sendall(b"answer")
        assert left.recv(10) == b"answer"
        with pytest.raises(BrokenPipeError):
            left.send(b"more")

    @pytest.mark.parametrize("pair", ["tcp_pair", "unix_pair"])
    def test_shutting_down_reading(self, socket, request, pair):
        left, _ = request.getfixturevalue(pair)
        left.shutdown(socket.SHUT_RD)
        assert left.recv(10) == b""

    def test_it_wakes_a_reader_in_another_thread(self, socket, tcp_pair, start):
        left, _ = tcp_pair
        call = start(left.recv, 10).until_blocked()
        left.shutdown(socket.SHUT_RDWR)
        assert call.result() == b""

    def test_not_connected(self, socket, keep):
        with pytest.raises(OSError) as caught:
            keep(socket.socket()).shutdown(socket.SHUT_RDWR)
        assert caught.value.errno == errno.ENOTCONN

    @pytest.mark.parametrize("how", [3, -1])
    def test_a_direction_that_does_not_exist(self, tcp_pair, how):
        with pytest.raises(OSError) as caught:
            tcp_pair[0].shutdown(how)
        assert caught.value.errno == errno.EINVAL


class TestClassOfAcceptedSockets:
    """`accept` calls `_accept`, and then the class that the name `socket` of the module refers to."""

    @pytest.fixture
    def listener(self, socket, keep):
        def listener(kind):
            made = keep(kind())
            made.bind(("127.0.0.1", 0))
            made.listen()
            keep(socket.create_connection(made.getsockname()))
            return made

        return listener

    def test_a_subclass_with_its_own_accept(self, socket, keep, listener):
        class Counting(socket.socket):
            accepted = 0

            def _accept(self):
                self.accepted += 1
                return super()._accept()

        counting = listener(Counting)
        connection = keep(counting.accept()[0])
        assert counting.accepted == 1
        assert type(connection) is socket.socket

    def test_another_class_in_the_name(self, socket, keep, listener, monkeypatch):
        class Another(socket.socket):
            pass

        plain = listener(socket.socket)
        monkeypatch.setattr(socket, "socket", Another)
        connection = keep(plain.accept()[0])
        assert type(connection) is Another
        assert connection.getsockname() == plain.getsockname()

    def test_another_class_that_raises(self, socket, listener, monkeypatch):
        plain = listener(socket.socket)
        numbers = []

        def refuse(family, kind, proto, fileno):
            numbers.append(fileno)
            raise PermissionError("not here")

        monkeypatch.setattr(socket, "socket", refuse)
        with pytest.raises(PermissionError, match="not here"):
            plain.accept()
        socket.close(*numbers)
