"""Look-ups of names and addresses. All names are known to this machine, or are refused before any name server is asked."""

import socket as original

import pytest
from machine import KNOWS_LOCALHOST, needs_its_name, needs_localhost

NUMERIC = original.AI_NUMERICHOST | original.AI_NUMERICSERV


def same(both, answer, function, *args, **keywords):
    outcomes = [answer(getattr(each, function), *args, **keywords) for each in both]
    assert outcomes[0] == outcomes[1]
    return outcomes[0]


HOSTS = ["127.0.0.1", "::1", "0.0.0.0", "::", "127.1", "0x7f.1", "fe80::1%1", "::ffff:1.2.3.4", "localhost", None, "", b"127.0.0.1",
         b"localhost", bytearray(b"127.0.0.1"), "LOCALHOST"]  # fmt: skip
PORTS = [80, "80", b"80", None, "http", b"http", 0, "0", "", 65535, "65535", 65536, "65536", -1, 2**31, 2**63, 2**64, -(2**63) - 1,
         "no-such-service", " 80", "80 ", "0x50", True, bytearray(b"80"), "8\0", b"8\0", "\xe9"]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS, ids=repr)
def test_hosts(both, answer, host):
    same(both, answer, "getaddrinfo", host, 80)
    same(both, answer, "getaddrinfo", host, 80, 0, original.SOCK_STREAM)
    same(both, answer, "getaddrinfo", host, "80", type=original.SOCK_DGRAM, flags=original.AI_PASSIVE)


@pytest.mark.parametrize("port", PORTS, ids=repr)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", None], ids=repr)
def test_ports(both, answer, host, port):
    same(both, answer, "getaddrinfo", host, port)
    same(both, answer, "getaddrinfo", host, port, type=original.SOCK_STREAM)


@pytest.mark.parametrize("family", [0, original.AF_INET, original.AF_INET6, original.AF_UNIX, -1, 99], ids=repr)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", None])
def test_families(both, answer, family, host):
    same(both, answer, "getaddrinfo", host, 80, family)
    same(both, answer, "getaddrinfo", host, 80, family=family)


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 5, 99, -1])
@pytest.mark.parametrize("proto", [0, 6, 17, 1, 58, 999, -1])
def test_types_and_protocols(both, answer, kind, proto):
    same(both, answer, "getaddrinfo", "127.0.0.1", 80, 0, kind, proto)
    same(both, answer, "getaddrinfo", "127.0.0.1", 80, type=kind, proto=proto)


@pytest.mark.parametrize("flags", ["AI_PASSIVE", "AI_CANONNAME", "AI_NUMERICHOST", "AI_NUMERICSERV", "AI_ADDRCONFIG", "AI_V4MAPPED",
                                   "AI_ALL"])  # fmt: skip
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", None, "localhost"])
def test_flags(both, answer, flags, host):
    flag = getattr(original, flags)
    same(both, answer, "getaddrinfo", host, 80, flags=flag)
    same(both, answer, "getaddrinfo", host, "80", flags=flag | original.AI_NUMERICSERV)


@pytest.mark.parametrize("flags", [-1, 2**30, 2**31, 2**70, "1", None, 1.5], ids=repr)
def test_wrong_flags(both, answer, flags):
    same(both, answer, "getaddrinfo", "127.0.0.1", 80, flags=flags)


def test_v4_mapped(both, answer):
    mapped = original.AI_V4MAPPED
    assert same(both, answer, "getaddrinfo", "127.0.0.1", 80, original.AF_INET6, flags=mapped)[0] == "returned"


def test_types_in_the_result(socket):
    for family, kind, proto, name, address in socket.getaddrinfo("127.0.0.1", 80):
        assert type(family) is socket.AddressFamily
        assert type(kind) is socket.SocketKind
        assert (type(proto), type(name), type(address)) == (int, str, tuple)
    for entry in socket._socket.getaddrinfo("127.0.0.1", 80):
        assert list(map(type, entry)) == [int, int, int, str, tuple]


def test_result_of_the_extension(both, answer):
    outcomes = [answer(each._socket.getaddrinfo, "::1", "80", 0, 1) for each in both]
    assert outcomes[0] == outcomes[1]


def test_keywords(both, answer):
    keywords = {"host": "127.0.0.1", "port": 80, "family": 2, "type": 1, "proto": 6, "flags": NUMERIC}
    assert same(both, answer, "getaddrinfo", **keywords)[0] == "returned"


def test_result_can_be_used(socket, listener, keep):
    family, kind, proto, _, address = socket.getaddrinfo(*listener.getsockname(), type=socket.SOCK_STREAM)[0]
    client = keep(socket.socket(family, kind, proto))
    client.connect(address)
    assert client.getpeername() == listener.getsockname()


@pytest.mark.parametrize(
    "host", ["no-such-host", "256.1.1.1", "::g", "127.0.0.1.", "", " 127.0.0.1", "fe80::1%no-such-interface"]
)
def test_not_numeric(both, answer, host):
    outcome = same(both, answer, "getaddrinfo", host, 80, flags=NUMERIC)
    assert outcome[1] is original.gaierror


def test_error_has_its_number(socket):
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo("no-such-host", 80, flags=socket.AI_NUMERICHOST)
    assert caught.value.errno == socket.EAI_NONAME
    assert type(caught.value) is original.gaierror
    assert isinstance(caught.value, OSError)


WRONG_HOSTS = [
    5, 1.5, [], (), object, memoryview(b"127.0.0.1"), "a\0b", b"a\0b", "127.0.0.1\0", bytearray(b"a\0b"), "\udcff", "x" * 64, "\xe4" * 64,
    "a..b", ".a\xe9", "\xe9..b", "." * 300, "\u2100.invalid\udc80", "x." * 200 + "\0", "xn--\xe9",
]  # fmt: skip


@pytest.mark.parametrize("host", WRONG_HOSTS, ids=lambda host: repr(host)[:10])
def test_wrong_hosts(both, answer, host):
    same(both, answer, "getaddrinfo", host, 80, flags=NUMERIC)
    if not isinstance(host, str) or "\0" in host or not host.isascii():  # otherwise a name server might be asked
        for function in ("gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
            assert same(both, answer, function, host)[0] == "raised"


@pytest.mark.parametrize("port", [1.5, [], (), object, 1j, memoryview(b"80")], ids=lambda port: repr(port)[:7])
def test_wrong_ports(both, answer, port):
    assert same(both, answer, "getaddrinfo", "127.0.0.1", port)[0] == "raised"


def test_a_name_in_unicode(both, answer):
    """IDNA converts the name to ASCII: these characters become plain digits and dots."""
    numbers = ["\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021"]
    localhost = "\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54"
    for host in [*numbers, localhost] if KNOWS_LOCALHOST else numbers:
        assert same(both, answer, "getaddrinfo", host, 80, flags=original.AI_NUMERICSERV)[0] == "returned"
        assert same(both, answer, "gethostbyname", host)[0] == "returned"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("letter", ["a", "\xe4", "\u3002"])
def test_a_long_name_is_refused_at_once(both, answer, letter):
    """CVE-2022-45061: the time to refuse a name must not grow with the square of its length."""
    host = letter * 50_000
    assert same(both, answer, "getaddrinfo", host, 80, flags=NUMERIC)[0] == "raised"
    if letter != "a":
        assert same(both, answer, "gethostbyname", host)[0] == "raised"
        assert same(both, answer, "gethostbyaddr", host)[0] == "raised"


@pytest.mark.parametrize("arguments", [(), ("127.0.0.1",), ("127.0.0.1", 80, 0, 0, 0, 0, 0)], ids=repr)
def test_arity(both, answer, arguments):
    assert same(both, answer, "getaddrinfo", *arguments)[1] is TypeError


@pytest.mark.parametrize("keyword", ["family", "type", "proto", "flags"])
@pytest.mark.parametrize("value", ["1", None, 1.5, 2**31, 2**70, -(2**70)], ids=repr)
def test_wrong_numbers(both, answer, keyword, value):
    assert same(both, answer, "getaddrinfo", "127.0.0.1", 80, **{keyword: value})[0] == "raised"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "", "0.0.0.0", "127.1", b"127.0.0.1", "<broadcast>", "255.255.255.255"],
                         ids=repr)  # fmt: skip
def test_gethostbyname(both, answer, host):
    if host == "localhost" and not KNOWS_LOCALHOST:
        pytest.skip("this machine does not know localhost")
    assert same(both, answer, "gethostbyname", host)[0] == "returned"
    assert same(both, answer, "gethostbyname_ex", host)[0] == "returned" or host in ("", "<broadcast>")


@needs_localhost
def test_gethostbyname_ex_of_localhost(socket):
    name, aliases, addresses = socket.gethostbyname_ex("localhost")
    assert type(name) is str and type(aliases) is list
    assert "127.0.0.1" in addresses


@needs_localhost
@needs_its_name
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", b"127.0.0.1"], ids=repr)
def test_gethostbyaddr(both, answer, host):
    assert same(both, answer, "gethostbyaddr", host)[0] == "returned"


@pytest.mark.parametrize("function", ["gethostbyname", "gethostbyname_ex", "gethostbyaddr"])
@pytest.mark.parametrize("arguments", [(), (None,), (5,), ("127.0.0.1", 1), ("a\0b",), (b"a\0b",)], ids=repr)
def test_host_functions_with_wrong_arguments(both, answer, function, arguments):
    assert same(both, answer, function, *arguments)[0] == "raised"


NUMERIC_NAME = original.NI_NUMERICHOST | original.NI_NUMERICSERV


@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("::1", 80), ("::1", 80, 0, 0), ("fe80::1", 80, 0, 1), ("::1", 80, 5), ("127.0.0.1", 0),
                                     ("127.1", 65535), ("0.0.0.0", 443)], ids=repr)  # fmt: skip
def test_getnameinfo(both, answer, address):
    assert same(both, answer, "getnameinfo", address, NUMERIC_NAME)[0] == "returned"
    same(both, answer, "getnameinfo", address, original.NI_NUMERICHOST)
    same(both, answer, "getnameinfo", address, original.NI_NUMERICHOST | original.NI_DGRAM)


@needs_its_name
def test_getnameinfo_of_this_machine(both, answer):
    assert same(both, answer, "getnameinfo", ("127.0.0.1", 80), 0)[0] == "returned"


@pytest.mark.parametrize(
    "address",
    [None, "127.0.0.1", 5, [], ["127.0.0.1", 80], (), ("127.0.0.1",), ("127.0.0.1", 80, 0), ("127.0.0.1", 80, 0, 0, 0),
     ("127.0.0.1", "80"), (None, 80), (5, 80), (b"127.0.0.1", 80), ("127.0.0.1", None), ("127.0.0.1", 1.5), ("127.0.0.1", -1),
     ("127.0.0.1", 65536), ("127.0.0.1", 2**31), ("127.0.0.1", 2**70), ("no-such-host", 80), ("", 80), ("a\0b", 80), ("\xe9", 80),
     ("\udcff", 80), ("::1", 80, -1), ("::1", 80, 2**20), ("::1", 80, 2**20 - 1), ("::1", 80, 2**32), ("::1", 80, 2**70),
     ("::1", 80, 0, -1), ("::1", 80, 0, 2**32 - 1), ("::1", 80, 0, 2**32), ("::1", 80, "0"), ("::1", 80, 0, "0"),
     ("127.0.0.1", 80, 1, 1)],
    ids=repr,
)  # fmt: skip
def test_getnameinfo_of_wrong_addresses(both, answer, address):
    same(both, answer, "getnameinfo", address, NUMERIC_NAME)


@pytest.mark.parametrize("flags", [-1, 2**30, 2**31, 2**70, "1", None, 1.5], ids=repr)
def test_getnameinfo_with_wrong_flags(both, answer, flags):
    assert same(both, answer, "getnameinfo", ("127.0.0.1", 80), flags)[0] == "raised"


@pytest.mark.parametrize("arguments", [(), (("127.0.0.1", 80),), (("127.0.0.1", 80), 0, 0)], ids=repr)
def test_getnameinfo_arity(both, answer, arguments):
    assert same(both, answer, "getnameinfo", *arguments)[1] is TypeError


def test_many_at_once(socket, start):
    """Concurrent look-ups do not affect each other."""

    def look_up(last):
        host = f"127.0.0.{last}"
        return all(
            socket.getaddrinfo(host, last, type=socket.SOCK_STREAM)[0][4] == (host, last)
            and socket.gethostbyname(host) == host
            and socket.getnameinfo((host, last), NUMERIC_NAME) == (host, str(last))
            for _ in range(50)
        )

    assert all(call.result() for call in [start(look_up, last) for last in range(1, 9)])
