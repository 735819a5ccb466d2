"""`describe()`: a socket in one line."""

from __future__ import annotations

import os
import struct
import threading

import pytest
from marks import only_oxisocket
from waiting import fill, wait_until

pytestmark = only_oxisocket


def test_a_connection(socket, tcp_pair):
    client, server = tcp_pair
    client.settimeout(2.5)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 7))
    text = client.describe()
    here, there = ("{}:{}".format(*each.getsockname()) for each in tcp_pair)
    assert text.startswith(
        f"socket.socket fd {client.fileno()}, AF_INET SOCK_STREAM, ESTABLISHED {here} -> {there}, timeout 2.5 s, 0 bytes unread"
    )
    for part in ("SO_KEEPALIVE", "TCP_NODELAY", "SO_LINGER 7 s"):
        assert f", {part}" in text
    assert type(text) is str
    server.setblocking(False)
    assert ", non-blocking," in server.describe()
    server.setblocking(True)
    assert ", blocking," in server.describe()


def test_what_is_unread_and_what_the_peer_sends(socket, tcp_pair):
    client, server = tcp_pair
    server.sendall(b"12345")
    server.shutdown(socket.SHUT_WR)
    assert client.recv(5, socket.MSG_WAITALL | socket.MSG_PEEK) == b"12345"
    assert client.recv(1) == b"1"
    wait_until(lambda: "CLOSE_WAIT" in client.describe())
    assert "CLOSE_WAIT (the peer sends no more)" in client.describe()
    assert ", 4 bytes unread" in client.describe()


def test_a_system_that_answers_with_less_than_linux(socket, tcp_pair, monkeypatch):
    """As one that emulates it may: a TCP_INFO of four bytes."""
    from oxisocket._beyond import tcp_info

    decode = tcp_info.decode
    monkeypatch.setattr(tcp_info, "decode", lambda data: decode(data[:4]))
    client, server = tcp_pair
    with pytest.raises(ValueError, match=r"^a struct tcp_info of 4 bytes is too short$"):
        client.tcp_info()
    here, there = ("{}:{}".format(*each.getsockname()) for each in tcp_pair)
    assert f", AF_INET SOCK_STREAM, connected {here} -> {there}, blocking" in client.describe()
    (one,) = (each for each in socket.sockets() if each.fd == client.fileno())
    assert (one.kind, one.sent, one.received) == ("tcp", None, None)


def test_what_was_not_acknowledged(socket, tcp_pair):
    client, _ = tcp_pair
    fill(client)
    assert " bytes not acknowledged (" in client.describe() and " of them not sent)" in client.describe()


def test_a_pending_error_stays_pending(socket, tcp_pair):
    client, server = tcp_pair
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    wait_until(lambda: "an error is pending" in client.describe())
    assert "CLOSE (not connected)" in client.describe()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert "an error is pending" not in client.describe()


def test_a_listener(socket, listener, keep):
    listener.listen(7)
    host, port = listener.getsockname()
    assert f", LISTEN on {host}:{port} (0 of 7 in its backlog), blocking" in listener.describe()
    keep(socket.create_connection((host, port)))
    wait_until(lambda: "(1 of 7 in its backlog)" in listener.describe())
    assert listener.describe().endswith(", a connection waits for accept()")


def test_a_new_socket(socket, keep):
    assert keep(socket.socket()).describe().endswith("AF_INET SOCK_STREAM, CLOSE (not connected), blocking, 0 bytes unread")


def test_a_protocol_by_its_name(socket, keep):
    sock = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP))
    assert "AF_INET SOCK_DGRAM IPPROTO_UDP, not connected, blocking" in sock.describe()


def test_datagrams(socket, udp_pair):
    one, other = udp_pair
    one.sendto(b"123", other.getsockname())
    one.sendto(b"12", other.getsockname())
    assert other.recv(1, socket.MSG_PEEK) == b"1"
    text = other.describe()
    assert ", not connected, bound to {}:{}, blocking, 3 bytes in the next datagram".format(*other.getsockname()) in text
    one.connect(other.getsockname())
    assert ", connected {}:{} -> {}:{}, ".format(*one.getsockname(), *other.getsockname()) in one.describe()


def test_datagrams_that_were_lost(socket, udp_pair):
    one, other = udp_pair
    other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    for _ in range(50):
        one.sendto(bytes(1000), other.getsockname())
    size = other.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert f" datagrams dropped (SO_RCVBUF {size})" in other.describe()


def test_ipv6_and_its_scope(socket, keep):
    try:
        sock = keep(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        sock.bind(("::1", 0))
    except OSError:
        pytest.skip("there is no IPv6")
    assert f", bound to [::1]:{sock.getsockname()[1]}, " in sock.describe()
    for entry in socket.getifaddrs():
        if entry.scope_id:
            local = keep(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
            try:
                local.bind((entry.address, 0, 0, entry.scope_id))
            except OSError:
                continue  # The interface is down.
            assert f", bound to [{entry.address}%{entry.scope_id}]:" in local.describe()


def test_unix_sockets(socket, keep, tmp_path):
    path = str(tmp_path / "a\nb")
    listener, client = (keep(socket.socket(socket.AF_UNIX)) for _ in range(2))
    listener.bind(path)
    listener.listen()
    assert f", LISTEN on {path!r}, blocking" in listener.describe()
    client.connect(path)
    assert listener.describe().endswith(", a connection waits for accept()")
    assert f", connected unnamed -> {path!r}, blocking, 0 bytes unread" in client.describe()
    assert f", peer pid {os.getpid()} uid {os.geteuid()} gid {os.getegid()}" in client.describe()
    connection = keep(listener.accept()[0])
    client.send(b"xyz")
    assert ", 3 bytes unread" in connection.describe()
    assert ", the peer has not read all" in client.describe()
    fill(client)
    assert ", the send buffer is full" in client.describe()
    connection.close()
    assert ", the peer sends no more" in client.describe()
    assert "\n" not in listener.describe() + client.describe()


def test_a_closed_socket(socket, tcp_pair):
    client, _ = tcp_pair
    client.close()
    assert client.describe() == "socket.socket closed, AF_INET SOCK_STREAM"
    never_made = socket.socket.__new__(socket.socket)
    assert never_made.describe().startswith("socket.socket closed, ")


def test_a_socket_that_its_files_keep_open(socket, tcp_pair):
    client, _ = tcp_pair
    with client.makefile("rb") as file:
        assert client.describe().endswith(", 1 file objects of makefile() open")
        client.close()
        assert client.describe().endswith(", close() waits for 1 file objects of makefile()")
        assert not file.closed
    assert client.describe() == "socket.socket closed, AF_INET SOCK_STREAM"


def test_a_descriptor_that_was_closed_behind_the_socket_s_back(socket):
    sock = socket.socket()
    number = sock.fileno()
    os.close(number)
    try:
        assert (
            sock.describe() == f"socket.socket fd {number}, AF_INET SOCK_STREAM, its descriptor is closed, but not by this socket"
        )
    finally:
        sock.detach()


def test_a_descriptor_that_names_something_else(socket, tmp_path, keep):
    with socket.socket() as sock:
        with open(tmp_path / "file", "w") as file:
            os.dup2(file.fileno(), sock.fileno())
        assert sock.describe().endswith(", its descriptor names no socket")
        other = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        os.dup2(other.fileno(), sock.fileno())
        assert sock.describe().endswith(", its descriptor names a socket of another family or type")


def test_a_subclass_does_not_get_in_the_way(socket, keep):
    class Difficult(socket.socket):
        def getsockname(self):
            raise RuntimeError

        getpeername = getsockopt = gettimeout = fileno = tcp_info = getsockname

    text = Difficult().describe
    assert f"{Difficult.__module__}.{Difficult.__qualname__} fd " in text()
    socket.socket.close(text.__self__)


@pytest.mark.parametrize("family", ["AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG", "AF_CAN", "AF_BLUETOOTH", "AF_TIPC"])
def test_other_families(socket, keep, family):
    number = getattr(socket, family, None)
    sock = None
    for kind in (socket.SOCK_RAW, socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        try:
            sock = keep(socket.socket(number, kind))
            break
        except (OSError, TypeError):
            continue
    if sock is None:
        pytest.skip(f"{family} is not to be had")
    assert sock.describe().startswith(f"socket.socket fd {sock.fileno()}, {family} SOCK_")
    for foreign in ("IPV6_", "TCP_"):
        assert foreign not in sock.describe()


@pytest.mark.parametrize(("family", "kind"), [("AF_NETLINK", "SOCK_RAW"), ("AF_VSOCK", "SOCK_STREAM")])
def test_a_new_socket_of_another_family(socket, keep, family, kind):
    if not hasattr(socket, family):
        pytest.skip(f"this system has no {family}")
    try:
        s = keep(socket.socket(getattr(socket, family), getattr(socket, kind)))
    except OSError as error:
        pytest.skip(str(error))
    assert f"{family} {kind}, not connected, blocking" in s.describe()
    if family == "AF_NETLINK":
        s.bind((0, 0))
        assert f"not connected, bound to ({s.getsockname()[0]}, 0)" in s.describe()


def test_a_socket_that_is_closed_meanwhile(socket):
    """Whatever moment it is closed at: there is a description."""
    done = threading.Event()

    def describe():
        while not done.is_set():
            texts.add(current[0].describe().split(",")[0].split(" ")[1])

    texts = set()
    current = [socket.socket()]
    thread = threading.Thread(target=describe)
    thread.start()
    try:
        for _ in range(300):
            old, current[0] = current[0], socket.socket()
            old.close()
    finally:
        done.set()
        thread.join()
        current[0].close()
    assert texts <= {"fd", "closed"} and texts


def test_repr_is_as_before(socket, tcp_pair):
    assert repr(tcp_pair[0]).startswith("<socket.socket fd=") and "blocking" not in repr(tcp_pair[0])
    with pytest.raises(TypeError):
        format(tcp_pair[0], "x")
