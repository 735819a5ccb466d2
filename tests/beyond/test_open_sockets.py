"""`oxisocket.sockets`, and the table of them."""

from __future__ import annotations

import os
import time

import pytest

WATCHES = True


@pytest.fixture
def found(oxisocket):
    """`found(sock)` is what `sockets()` says of a socket."""

    def found(sock):
        (one,) = (each for each in oxisocket.sockets() if each.fd == sock.fileno())
        return one

    return found


@pytest.fixture
def table(oxisocket):
    from oxisocket._beyond import open_sockets

    return open_sockets.table


def test_sockets_are_sorted_and_each_is_there_once(oxisocket, keep):
    made = [keep(oxisocket.socket()) for _ in range(5)]
    duplicate = keep(made[0].dup())
    numbers = [each.fd for each in oxisocket.sockets()]
    assert numbers == sorted(set(numbers)) and {each.fileno() for each in [*made, duplicate]} <= set(numbers)
    made[0].close()
    assert numbers[0] not in [each.fd for each in oxisocket.sockets()] or made[0].fileno() == -1


def test_a_connection(oxisocket, keep, found):
    listening = keep(oxisocket.create_server(("127.0.0.1", 0)))
    client = keep(oxisocket.create_connection(listening.getsockname()))
    server = keep(listening.accept()[0])
    client.sendall(b"x" * 10)
    server.recv_exactly(10)
    client.settimeout(2.5)
    one = found(client)
    assert isinstance(one, oxisocket.OpenSocket) and isinstance(one, tuple)
    assert (one.kind, one.local, one.peer) == ("tcp", client.getsockname(), client.getpeername())
    assert (one.state, one.timeout, found(server).timeout) == ("ESTABLISHED", 2.5, None)
    # What the kernel has counted; a SYN counts in some of its versions.
    assert one.sent in (10, 11) and found(server).received == 10
    assert (one.calls, one.waited, one.age, one.opened) == (None, None, None, None)
    listener = found(listening)
    assert (listener.state, listener.peer, listener.received, listener.sent) == ("LISTEN", None, None, None)


def test_what_was_counted(oxisocket, keep, found, start):
    with oxisocket.observe(lambda event: None):
        left, right = (keep(each) for each in oxisocket.socketpair())
        left.sendall(b"hello")
        right.recv(3)
        waiting = start(lambda: right.recv_exactly(10)).until_blocked()
        time.sleep(0.05)
        left.send(b"x" * 8)
        waiting.result()
        one, other = found(left), found(right)
        assert (one.sent, one.received, one.calls, one.state) == (13, 0, 2, "connected")
        assert (other.sent, other.received, other.calls) == (0, 13, 2)
        assert 0.03 < other.waited < other.age < 20
        assert one.opened.partition(":")[0].endswith("test_open_sockets.py")
    assert found(keep(oxisocket.socket())).calls is None


KINDS = {
    "tcp": ("AF_INET", "SOCK_STREAM"),
    "udp": ("AF_INET", "SOCK_DGRAM"),
    "unix stream": ("AF_UNIX", "SOCK_STREAM"),
    "unix datagram": ("AF_UNIX", "SOCK_DGRAM"),
    "unix seqpacket": ("AF_UNIX", "SOCK_SEQPACKET"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(oxisocket, keep, found, kind):
    sock = keep(oxisocket.socket(*(getattr(oxisocket, name) for name in KINDS[kind])))
    assert found(sock).kind == kind


def test_asking_is_not_told(oxisocket, keep):
    events = []
    keep(oxisocket.socket())
    with oxisocket.observe(events.append):
        oxisocket.sockets()
    assert [each for each in events if each["event"] == "call"] == []


def test_sockets_that_are_strange(oxisocket, keep, found):
    """A number that is closed under a socket, and a subclass with methods of its own."""

    class Own(oxisocket.socket):
        fileno = getsockname = getpeername = gettimeout = tcp_info = lambda self: 1 / 0
        family = type = property(lambda self: 1 / 0)

    own = keep(Own())
    number = oxisocket._socket.socket.fileno(own)
    assert [each.kind for each in oxisocket.sockets() if each.fd == number] == ["tcp"]
    sock = oxisocket.socket()
    os.close(sock.fileno())
    assert found(sock).local is None
    sock.detach()


def test_the_table(oxisocket, keep, table):
    listening = keep(oxisocket.create_server(("127.0.0.1", 0)))
    path = keep(oxisocket.socket(oxisocket.AF_UNIX))
    path.bind("\0a name\x1b[2J\n")
    text = table([each for each in oxisocket.sockets() if each.fd in (listening.fileno(), path.fileno())])
    head, *rows = text.splitlines()
    assert head.split() == ["fd", "kind", "local", "peer", "state", "in", "out", "calls", "waited", "timeout", "age", "opened"]
    assert len(rows) == 2 and "\x1b" not in text
    assert f"127.0.0.1:{listening.getsockname()[1]}" in text and "listen" in text
    assert head.index("kind") == rows[0].index("tcp") == rows[1].index("unix")
    assert table([]) == "no socket is open\n"


@pytest.mark.parametrize(
    ("received", "shown"), [(0, "0"), (10239, "10239"), (10240, "10 KiB"), (10 * 1024**2, "10 MiB"), (5 * 1024**4, "5120 GiB")]
)
def test_sizes_in_the_table(oxisocket, table, received, shown):
    one = oxisocket.OpenSocket(3, "tcp", ("::1", 5, 0, 0), None, "", received, None, None, 0.0012, 0.0, 150.4, None)
    row = table([one]).splitlines()[1]
    assert f" {shown} " in row and "[::1]:5" in row and "1.2 ms" in row and "150 s" in row and " 0 µs" in row
