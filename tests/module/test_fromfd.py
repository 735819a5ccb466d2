"""Functions that take a descriptor: fromfd, dup, close."""

import errno
import os

import pytest


def test_fromfd_duplicates(socket, tcp_pair, keep):
    client, server = tcp_pair
    again = keep(socket.fromfd(client.fileno(), client.family, client.type))
    assert type(again) is socket.socket
    assert again.fileno() != client.fileno()
    assert (again.family, again.type, again.proto) == (client.family, client.type, 0)
    assert again.getsockname() == client.getsockname()
    assert not again.get_inheritable()
    client.close()
    again.sendall(b"still open")
    assert server.recv(20) == b"still open"


def test_fromfd_proto_and_keywords(socket, tcp_pair, keep):
    number = tcp_pair[0].fileno()
    tcp = socket.IPPROTO_TCP
    assert keep(socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM, tcp)).proto == tcp
    assert keep(socket.fromfd(fd=number, family=socket.AF_INET, type=socket.SOCK_STREAM, proto=tcp)).proto == tcp


def test_fromfd_detects_the_protocol(socket, unix_pair, keep):
    again = keep(socket.fromfd(unix_pair[0].fileno(), -1, -1, -1))
    assert (again.family, again.type, again.proto) == (socket.AF_UNIX, socket.SOCK_STREAM, 0)


def test_fromfd_does_not_check_family_and_type(both, keep, answer):
    left, right = map(keep, both[0].socketpair())
    outcomes = [answer(each.fromfd, left.fileno(), each.AF_INET, each.SOCK_DGRAM, 17) for each in both]
    assert outcomes[0] == outcomes[1]


def test_fromfd_has_the_default_timeout(socket, unix_pair, keep, default_timeout):
    default_timeout(4)
    again = keep(socket.fromfd(unix_pair[0].fileno(), socket.AF_UNIX, socket.SOCK_STREAM))
    assert again.gettimeout() == 4


@pytest.mark.parametrize("function", ["fromfd", "dup", "close"])
@pytest.mark.parametrize("number", [-1, -2, 2**31 - 1, 2**31, 2**63, 2**70, -(2**70), "5", b"5", 1.0, None, object], ids=repr)
def test_wrong_numbers(both, answer, function, number):
    rest = (1, 1) if function == "fromfd" else ()
    outcomes = [answer(getattr(each, function), number, *rest) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_fromfd_of_a_file(both, answer, tmp_path):
    with open(tmp_path / "file", "wb") as file:
        outcomes = [answer(each.fromfd, file.fileno(), each.AF_INET, each.SOCK_STREAM) for each in both]
        assert outcomes[0] == outcomes[1]
        outcomes = [answer(each.fromfd, file.fileno(), -1, -1) for each in both]
        assert outcomes[0] == outcomes[1]


def test_dup(socket, tcp_pair):
    client, server = tcp_pair
    number = socket.dup(client.fileno())
    try:
        assert type(number) is int
        assert number != client.fileno()
        assert not os.get_inheritable(number)
        assert os.write(number, b"x") == 1
        assert server.recv(1) == b"x"
    finally:
        socket.close(number)
    with pytest.raises(OSError) as caught:
        os.fstat(number)
    assert caught.value.errno == errno.EBADF


def test_dup_takes_any_descriptor(socket, tmp_path):
    with open(tmp_path / "file", "wb") as file:
        number = socket.dup(file.fileno())
        assert os.path.sameopenfile(number, file.fileno())
        assert socket.close(number) is None


def test_dup_takes_a_number_like_object(both):
    class Number:
        def __init__(self, number):
            self.number = number

        def __index__(self):
            return self.number

    for each in both:
        with each.socket() as sock:
            each.close(Number(each.dup(Number(sock.fileno()))))


def test_close_of_a_socket_in_use(both, answer):
    outcomes = []
    for each in both:
        sock = each.socket()
        each.close(sock.fileno())
        outcomes.append(answer(sock.close))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_calls_after_close_do_not_use_the_number(socket):
    with socket.socket() as sock:
        socket.close(sock.detach())
        assert sock.fileno() == -1
