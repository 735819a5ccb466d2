"""socketpair: two connected sockets."""

import errno

import pytest


def test_default_is_a_unix_stream(socket, keep):
    for each in map(keep, socket.socketpair()):
        assert type(each) is socket.socket
        assert (each.family, each.type, each.proto) == (socket.AF_UNIX, socket.SOCK_STREAM, 0)
        assert each.gettimeout() is None
        assert not each.get_inheritable()
        assert each.getsockname() == each.getpeername() == ""


def test_result_is_a_tuple(socket):
    pair = socket.socketpair()
    for each in pair:
        each.close()
    assert type(pair) is tuple and len(pair) == 2


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"])
def test_both_directions(socket, keep, kind):
    left, right = map(keep, socket.socketpair(type=getattr(socket, kind)))
    assert left.type == right.type == getattr(socket, kind)
    for sender, receiver in ((left, right), (right, left)):
        sender.send(b"ping")
        assert receiver.recv(10) == b"ping"


@pytest.mark.parametrize("arguments", [(None,), (1,), (None, 1), (1, 1, 0)], ids=repr)
def test_by_position(socket, keep, arguments):
    left, right = map(keep, socket.socketpair(*arguments))
    left.sendall(b"x")
    assert right.recv(1) == b"x"


def test_by_keyword(socket, keep):
    left, right = map(keep, socket.socketpair(family=socket.AF_UNIX, type=socket.SOCK_DGRAM, proto=0))
    assert left.type == socket.SOCK_DGRAM


def test_default_timeout_applies(socket, keep, default_timeout):
    default_timeout(3)
    assert [keep(each).gettimeout() for each in socket.socketpair()] == [3, 3]


def test_flags_in_the_type(socket, keep):
    kind = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    for each in map(keep, socket.socketpair(socket.AF_UNIX, kind)):
        assert each.type == socket.SOCK_STREAM
        assert each.gettimeout() == 0
        assert not each.get_inheritable()


def test_no_internet_pairs(both, answer):
    outcomes = [answer(each.socketpair, each.AF_INET) for each in both]
    assert outcomes[0] == outcomes[1]
    with pytest.raises(OSError) as caught:
        both[1].socketpair(both[1].AF_INET)
    assert caught.value.errno == errno.EOPNOTSUPP


@pytest.mark.parametrize(
    "arguments",
    [(-1,), (999,), (1, 99), (1, 1, 99), ("1",), (1.5,), (1, None), (1, 1, None), (2**70,), (1, 2**31), (1, 1, -(2**70)),
     (1, 1, 0, 0)],
    ids=repr,
)  # fmt: skip
def test_wrong_arguments(both, answer, open_files, arguments):
    before = open_files()
    outcomes = [answer(each.socketpair, *arguments) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"
    assert open_files() == before


@pytest.mark.parametrize("arguments", [(), (None,), (-1, -1), (1, 1, 0), (1, 2)], ids=repr)
def test_the_extensions_socketpair(both, answer, arguments):
    def pair(module):
        left, right = module._socket.socketpair(*arguments)
        numbers = left.detach(), right.detach()
        for number in numbers:
            module.close(number)
        return (left.family, left.type, left.proto), (right.family, right.type, right.proto)

    outcomes = [answer(pair, each) for each in both]
    assert outcomes[0] == outcomes[1]


def test_the_extensions_socketpair_makes_base_sockets(socket):
    pair = socket._socket.socketpair()
    for each in pair:
        each.close()
        assert type(each) is socket._socket.socket
