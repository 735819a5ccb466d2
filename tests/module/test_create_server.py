"""create_server: a socket that is bound and listens, with the options a server wants."""

import errno

import pytest
from machine import BINDS_FOREIGN_ADDRESSES

# When the error is not an OSError, the stdlib leaves its socket to the garbage collector
leaks = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


def test_listens(socket, keep):
    server = keep(socket.create_server(("127.0.0.1", 0)))
    assert type(server) is socket.socket
    assert (server.family, server.type) == (socket.AF_INET, socket.SOCK_STREAM)
    assert server.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    assert server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
    assert server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
    assert server.gettimeout() is None
    assert not server.get_inheritable()
    client = keep(socket.create_connection(server.getsockname()))
    assert keep(server.accept()[0]).getpeername() == client.getsockname()


def test_default_timeout_applies(socket, keep, default_timeout):
    default_timeout(12)
    assert keep(socket.create_server(("127.0.0.1", 0))).gettimeout() == 12


@pytest.mark.parametrize("backlog", [None, -1, 0, 1, 10_000, True])
def test_backlog(socket, keep, backlog):
    server = keep(socket.create_server(("127.0.0.1", 0), backlog=backlog))
    keep(socket.create_connection(server.getsockname()))


def test_reuse_port(socket, keep):
    first = keep(socket.create_server(("127.0.0.1", 0), reuse_port=True))
    second = keep(socket.create_server(first.getsockname(), reuse_port=True))
    assert second.getsockname() == first.getsockname()
    assert second.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1


def test_unix(socket, keep, tmp_path):
    server = keep(socket.create_server(str(tmp_path / "s"), family=socket.AF_UNIX))
    client = keep(socket.socket(socket.AF_UNIX))
    client.connect(server.getsockname())
    keep(server.accept()[0])


@leaks
@pytest.mark.parametrize("backlog", ["1", 1.5, 2**31, -(2**31) - 1, 2**70, object], ids=repr)
def test_wrong_backlog(both, answer, backlog):
    outcomes = [answer(each.create_server, ("127.0.0.1", 0), backlog=backlog) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


@leaks
@pytest.mark.parametrize(
    "address",
    [
        None, 5, "127.0.0.1", b"127.0.0.1", (), ("127.0.0.1",), ("127.0.0.1", 0, 0), ["127.0.0.1", 0],
        ("127.0.0.1", 70000), ("127.0.0.1", -1), ("127.0.0.1", "0"), ("127.0.0.1", 2**70), ("a\0b", 0), (5, 0),
        ("203.0.113.1", 0), ("\udcff", 0), ("x" * 64 + ".invalid", 0),
    ],
    ids=repr,
)  # fmt: skip
def test_wrong_address(both, answer, address):
    outcomes = [answer(each.create_server, address) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised" or (BINDS_FOREIGN_ADDRESSES and address == ("203.0.113.1", 0))


@pytest.mark.parametrize("family", [None, "2", 1.5, -2, 2**70, 999], ids=repr)
def test_wrong_family(both, answer, family):
    outcomes = [answer(each.create_server, ("127.0.0.1", 0), family=family) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_error_names_the_address(both, keep, answer):
    taken = keep(both[0].create_server(("127.0.0.1", 0))).getsockname()
    outcomes = [answer(each.create_server, taken) for each in both]
    assert outcomes[0] == outcomes[1]
    with pytest.raises(OSError, match="attempting to bind on address") as caught:
        both[1].create_server(taken)
    assert caught.value.errno == errno.EADDRINUSE
    assert repr(taken) in caught.value.strerror
    assert caught.value.__suppress_context__


def test_no_leak_when_it_fails(socket, keep, open_files):
    taken = keep(socket.create_server(("127.0.0.1", 0))).getsockname()
    before = open_files()
    with pytest.raises(OSError):
        socket.create_server(taken)
    assert open_files() == before


@pytest.mark.parametrize(
    "keywords",
    [
        {"dualstack_ipv6": True},
        {"dualstack_ipv6": True, "family": 1},
        {"no_such_option": 1},
    ],
    ids=repr,
)
def test_wrong_options(both, answer, keywords):
    outcomes = [answer(each.create_server, ("127.0.0.1", 0), **keywords) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_options_are_keywords_only(both, answer):
    outcomes = [answer(each.create_server, ("127.0.0.1", 0), 2) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] is TypeError
