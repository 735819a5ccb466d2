"""The system's tables: services, protocols, network interfaces."""

import socket as original
import sys

import pytest


def services():
    found = []
    for name in ("http", "https", "domain", "ssh", "ftp", "smtp"):
        try:
            original.getservbyname(name)
        except OSError:
            continue
        found.append(name)
    return found


def truncates():
    """Before 3.13 the stdlib truncates the index 2**32 + 1 to 1."""
    try:
        original.if_indextoname(2**32 + 1)
    except (OSError, OverflowError):
        return False
    return True


KNOWN = services()
TRUNCATES = truncates()


@pytest.mark.skipif(not KNOWN, reason="this machine has no /etc/services")
def test_services(both):
    for name in KNOWN:
        assert both[0].getservbyname(name) == both[1].getservbyname(name)
        port = both[0].getservbyname(name)
        assert type(both[1].getservbyname(name)) is int
        assert both[0].getservbyport(port) == both[1].getservbyport(port)
        assert both[0].getservbyname(name, "tcp") == both[1].getservbyname(name, "tcp")
        assert both[0].getservbyport(port, "tcp") == both[1].getservbyport(port, "tcp")


@pytest.mark.parametrize(
    "arguments",
    [("http", "udp"), ("http", "no-such"), ("no-such-service",), ("",), ("a\0b",), ("http", "t\0cp"), ("\xe9",), ("\udcff",),
     (80,), (b"http",), (None,), ("http", None), ("http", b"tcp"), ("http", 6), (), ("http", "tcp", 1)],
    ids=repr,
)  # fmt: skip
def test_service_by_name(both, answer, arguments):
    outcomes = [answer(each.getservbyname, *arguments) for each in both]
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "arguments",
    [(80,), (80, "tcp"), (80, "no-such"), (0,), (65535,), (65536,), (-1,), (2**16 + 80,), (2**31,), (2**32 + 80,), (2**64,),
     (2**70,), (-(2**70),), (True,), ("80",), (80.0,), (None,), (80, "t\0cp"), (80, None), (80, b"tcp"), (), (80, "tcp", 1)],
    ids=repr,
)  # fmt: skip
def test_service_by_port(both, answer, arguments):
    outcomes = [answer(each.getservbyport, *arguments) for each in both]
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "arguments",
    [("tcp",), ("udp",), ("icmp",), ("ipv6-icmp",), ("TCP",), ("no-such-protocol",), ("",), ("a\0b",), ("\xe9",), ("\udcff",),
     (6,), (b"tcp",), (None,), (), ("tcp", 1)],
    ids=repr,
)  # fmt: skip
def test_protocol(both, answer, arguments):
    outcomes = [answer(each.getprotobyname, *arguments) for each in both]
    assert outcomes[0] == outcomes[1]


def test_interfaces(both):
    first, second = (each.if_nameindex() for each in both)
    assert first == second
    assert type(second) is list
    for pair in second:
        assert [type(pair), *map(type, pair)] == [tuple, int, str]


def test_interfaces_by_name_and_index(socket):
    for index, name in socket.if_nameindex():
        assert socket.if_nametoindex(name) == index
        assert socket.if_nametoindex(name.encode()) == index
        assert socket.if_indextoname(index) == name


@pytest.mark.parametrize(
    "index",
    [-1, 0, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**63, 2**64, 2**64 + 1, 2**70, -(2**31), -(2**32) + 1, -(2**64) + 1,
     "1", b"1", 1.0, None, [], True],
    ids=repr,
)  # fmt: skip
def test_index_without_interface(both, answer, index):
    if TRUNCATES and type(index) is int and 2**32 <= index < 2**64:
        pytest.skip("the original takes it for another index")
    outcomes = [answer(each.if_indextoname, index) for each in both]
    assert outcomes[0] == outcomes[1]


@pytest.mark.holds(
    "`if_indextoname` refuses a number that does not fit into a C `unsigned int`.",
    "Before 3.13 the original keeps the low 32 bits",
)
def test_index_is_truncated_by_the_stdlib_only(socket, ours, answer):
    [index, name] = socket.if_nameindex()[0]
    told = answer(socket.if_indextoname, index + 2**32)
    assert (told == ("returned", ("str", name))) is (sys.version_info < (3, 13) and not ours)
    assert told[0] == "returned" or issubclass(told[1], OSError | OverflowError)


@pytest.mark.parametrize("index", [2**32, 2**32 + 1, 2**63, 2**64, 2**64 + 1, 2**70, -1, -(2**32) + 1, -(2**70)], ids=repr)
def test_index_is_not_truncated_to_one_that_exists(oxisocket, index):
    with pytest.raises((OSError, OverflowError, ValueError)):
        oxisocket.if_indextoname(index)


@pytest.mark.parametrize(
    "name", ["", "no-such-if", "a" * 15, "a" * 16, "a" * 10_000, b"no-such-if", b"a" * 10_000, "lo\0", b"lo\0x", "\xe9", "\udcff",
             1, None, 1.5, []],
    ids=lambda name: repr(name)[:20],
)  # fmt: skip
def test_name_without_interface(both, answer, name):
    outcomes = [answer(each.if_nametoindex, name) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_name_as_a_path(both, answer):
    class Path:
        def __fspath__(self):
            return "no-such-if"

    outcomes = [answer(each.if_nametoindex, Path()) for each in both]
    assert outcomes[0] == outcomes[1]


def test_number_like_objects(both, answer):
    class Number:
        def __index__(self):
            return 1

    class Broken:
        def __index__(self):
            raise ZeroDivisionError("broken")

    for function, arguments in (("if_indextoname", ()), ("getservbyport", ("tcp",))):
        for kind in (Number, Broken):
            outcomes = [answer(getattr(each, function), kind(), *arguments) for each in both]
            assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("function", ["if_nameindex", "if_nametoindex", "if_indextoname"])
@pytest.mark.parametrize("arguments", [(), (1, 2)], ids=repr)
def test_arity(both, answer, function, arguments):
    outcomes = [answer(getattr(each, function), *arguments) for each in both]
    assert outcomes[0] == outcomes[1]


@pytest.mark.skipif(not KNOWN, reason="this machine has no /etc/services")
@pytest.mark.holds("`getservbyname` and `getservbyport` give each thread")
def test_services_between_threads(oxisocket, start):
    """The C library's plain look-up functions return memory that all threads share, so the stdlib's answers do get mixed up."""
    ports = [original.getservbyname(name) for name in KNOWN]
    wanted = [(original.getservbyport(port), port) for port in ports]  # the first entry of a port may have another name

    def ask(name, port):
        return all(oxisocket.getservbyname(name) == port and oxisocket.getservbyport(port) == name for _ in range(200))

    assert all(call.result() for call in [start(ask, *each) for each in wanted])
