"""Addresses as Python writes them, for each family, correct and wrong."""

from __future__ import annotations

import os
import pathlib
import re
import sys

import pytest
from machine import INET6, needs_inet6, needs_localhost, needs_loopback6
from marks import only_oxisocket


class Index:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


class Path(os.PathLike):
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


BAD_ANYWHERE = [
    None,
    5,
    1.5,
    object,
    [],
    {},
    (),
    ("127.0.0.1",),
    ["127.0.0.1", 0],
    "127.0.0.1",
    b"127.0.0.1",
    ("127.0.0.1", "0"),
    ("127.0.0.1", None),
    ("127.0.0.1", 0.0),
    ("127.0.0.1", -1),
    ("127.0.0.1", 65536),
    ("127.0.0.1", 65535),
    ("127.0.0.1", 2**31),
    ("127.0.0.1", -(2**31) - 1),
    ("127.0.0.1", 2**64),
    ("127.0.0.1", Index(0)),
    ("127.0.0.1", Index(65536)),
    ("127.0.0.1", Index("x")),
    ("127.0.0.1", True),
    ("127.0.0.1", 0, 0),
    ("127.0.0.1", 0, 0, 0),
    ("127.0.0.1", 0, 0, 0, 0),
    (None, 0),
    (5, 0),
    (2130706433, 0),
    (b"127.0.0.1", 0),
    (bytearray(b"127.0.0.1"), 0),
    (memoryview(b"127.0.0.1"), 0),
    (pathlib.PurePath("127.0.0.1"), 0),
    ("", 0),
    (b"", 0),
    (bytearray(), 0),
    ("127.1", 0),
    ("127.0.0.1\0", 0),
    (b"127.0.0.1\0", 0),
    ("127.0.0.1\0junk", 0),
    (" 127.0.0.1", 0),
    ("0x7f.1", 0),
    ("<broadcast>", 0),
    ("<broadcast>", 65536),
    ("255.255.255.255", 0),
    ("192.0.2.1", 0),
    ("localhost", 0),
    ("x" * 64 + ".invalid", 0),
    ("x" * 100_000, 0),
    ("\u00e4" * 64, 0),
    ("\ud800", 0),
    ("a..b", 0),
    (".", 0),
    ("::1", 0),
    ("::", 0),
    ("::1", "0"),
    ("::1", -1),
    ("::1", 65536),
    ("::1", 0, 5),
    ("::1", 0, 0xFFFFF),
    ("::1", 0, 0x100000),
    ("::1", 0, -1),
    ("::1", 0, 2**32),
    ("::1", 0, 2**64),
    ("::1", 0, "5"),
    ("::1", 0, None),
    ("::1", 0, 0, 0),
    ("::1", 0, 0, 1),
    ("::1", 0, 0, 2**31),
    ("::1", 0, 0, 2**32 - 1),
    ("::1", 0, 0, 2**32),
    ("::1", 0, 0, -1),
    ("::1", 0, 0, 2**64),
    ("::1", 0, 0, "lo"),
    ("::1", 0, 0, None),
    ("::1", 0, 0, 1.0),
    ("::1", 0, Index(1), Index(1)),
    ("::1", 0, 0, 0, 0),
    ("::1%lo", 0),
    ("fe80::1%lo", 0),
    ("fe80::1%1", 0),
    ("fe80::1%nosuchif", 0),
    ("fe80::1", 0, 0, 99999),
    ("::ffff:127.0.0.1", 0),
    (b"::1", 0),
]
PATHS = [
    "path",
    b"bytes",
    bytearray(b"bytearray"),
    memoryview(b"memoryview"),
    "",
    b"",
    "\0",
    b"\0",
    "\u00e4\u20ac\U0001f600",
    "\udcff\udc80",
    "\ud800",
    b"\xff\x80",
    "x" * 106,
    "x" * 107,
    "x" * 108,
    "x" * 109,
    "x" * 5000,
    b"x" * 107,
    b"x" * 108,
    b"x" * 109,
    "\u00e4" * 54,
    "no/such/folder",
    ("path",),
    ("path", 0),
    5,
]


def without_port(address):
    return (address[0], "PORT", *address[2:]) if isinstance(address, tuple) else address


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
@pytest.mark.parametrize("family", ["AF_INET", INET6])
@pytest.mark.parametrize("address", BAD_ANYWHERE)
def test_bind_accepts_and_refuses_the_same(agree, outcome, family, kind, address):
    def bind(socket):
        with socket.socket(getattr(socket, family), getattr(socket, kind)) as s:
            return outcome(s.bind, address), without_port(s.getsockname())

    agree(bind)


@pytest.mark.parametrize("method", ["connect", "connect_ex", "sendto", "sendto with flags", "sendmsg"])
@pytest.mark.parametrize("family", ["AF_INET", INET6])
def test_other_methods_accept_and_refuse_the_same(agree, outcome, family, method):
    """On a datagram socket, without data: whatever is sent goes to this machine, to a port that no socket can have."""

    def call(socket):
        results = []
        for address in BAD_ANYWHERE:
            if isinstance(address, tuple) and address and address[0] in ("<broadcast>", "255.255.255.255", "192.0.2.1"):
                continue
            with socket.socket(getattr(socket, family), socket.SOCK_DGRAM) as s:
                s.setblocking(False)
                match method:
                    case "sendto":
                        result = outcome(s.sendto, b"", address)
                    case "sendto with flags":
                        result = outcome(s.sendto, b"", 0, address)
                    case "sendmsg":
                        result = outcome(s.sendmsg, [b""], [], 0, address)
                    case _:
                        result = outcome(getattr(s, method), address)
                results.append((repr(address)[:60], result))
        return results

    agree(call)


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
@pytest.mark.parametrize("path", PATHS)
def test_the_same_paths_are_accepted(agree, outcome, tmp_path, monkeypatch, kind, path):
    def use(socket):
        here = tmp_path / str(len(list(tmp_path.iterdir())))
        here.mkdir()
        monkeypatch.chdir(here)
        with (
            socket.socket(socket.AF_UNIX, getattr(socket, kind)) as s,
            socket.socket(socket.AF_UNIX, s.type) as other,
        ):
            other.setblocking(False)
            bound = outcome(s.bind, path)
            name = s.getsockname()
            if name == b"\0" or (isinstance(name, bytes) and re.fullmatch(rb"\0[0-9a-f]{5}", name)):
                name = "chosen by the kernel"
            if kind == "SOCK_STREAM" and bound[0] == "returned":
                s.listen()
            connected = outcome(other.connect_ex, path) if name != "chosen by the kernel" else None
            return bound, name, connected, sorted(os.listdir(os.fsencode(here)))

    agree(use)


@pytest.mark.parametrize("method", ["connect", "connect_ex", "sendto", "sendmsg"])
def test_paths_in_the_other_methods(agree, outcome, tmp_path, monkeypatch, method):
    monkeypatch.chdir(tmp_path)

    def call(socket):
        results = []
        for path in PATHS:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.setblocking(False)
                arguments = {"sendto": (b"", path), "sendmsg": ([b""], [], 0, path)}.get(method, (path,))
                results.append((repr(path)[:60], outcome(getattr(s, method), *arguments)))
        return results

    agree(call)


class TestUnix:
    @pytest.mark.parametrize("as_", [str, os.fsencode, lambda path: bytearray(os.fsencode(path))])
    def test_the_same_path_in_each_form(self, socket, keep, tmp_path, as_):
        path = str(tmp_path / "s\udcff\u00e4")
        s = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        s.bind(as_(path))
        assert s.getsockname() == path
        assert os.path.exists(path)
        keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).connect(as_(path))

    @pytest.mark.parametrize("tail", [b"", b"\0", b"\0\0inside\0", b"\xff\x80", b"x" * 55])
    def test_abstract_names(self, socket, keep, tmp_path, tail):
        name = b"\0" + str(tmp_path)[-30:].encode() + str(os.getpid()).encode() + socket.__name__.encode() + tail
        listening = keep(socket.socket(socket.AF_UNIX))
        listening.bind(name)
        listening.listen()
        assert listening.getsockname() == name
        client = keep(socket.socket(socket.AF_UNIX))
        client.connect(name)
        server, address = listening.accept()
        keep(server)
        assert address in ("", b"")
        assert client.getpeername() == name

    def test_an_abstract_name_may_be_a_str(self, socket, keep, tmp_path):
        name = "\0" + str(tmp_path)[-30:] + str(os.getpid()) + socket.__name__ + "\u00e4"
        s = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        s.bind(name)
        assert s.getsockname() == name.encode()

    def test_the_kernel_chooses_an_abstract_name(self, socket, keep):
        s = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        s.bind("")
        name = s.getsockname()
        assert re.fullmatch(rb"\0[0-9a-f]{5}", name)
        other = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        other.sendto(b"found", name)
        assert s.recv(10) == b"found"

    def test_the_longest_path(self, socket, keep, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for length in (1, 106, 107):
            s = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            s.bind("p" * length)
            assert s.getsockname() == "p" * length
            assert os.path.exists("p" * length)
        with pytest.raises(OSError, match="path too long"):
            keep(socket.socket(socket.AF_UNIX)).bind("p" * 109)

    @pytest.mark.holds("An AF_UNIX path with a NUL in it", "The original stops at the NUL")
    @pytest.mark.parametrize("path", ["before\0after", b"before\0after", "before\0", bytearray(b"before\0")])
    @pytest.mark.parametrize("method", ["bind", "connect", "connect_ex", "sendto", "sendmsg"])
    def test_a_path_is_not_truncated_at_a_nul(self, socket, ours, keep, tmp_path, monkeypatch, path, method):
        monkeypatch.chdir(tmp_path)
        other = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        if method != "bind":
            other.bind("before")
        s = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        arguments = {"sendto": (b"x", path), "sendmsg": ([b"x"], [], 0, path)}.get(method, (path,))
        if ours:
            with pytest.raises(ValueError, match="null"):
                getattr(s, method)(*arguments)
            assert os.listdir(".") == ["before"] * (method != "bind")
        else:
            getattr(s, method)(*arguments)
            assert os.listdir(".") == ["before"]

    @only_oxisocket
    def test_a_path_like_object_is_not_truncated_at_a_nul(self, socket, keep, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ValueError, match="null"):
            keep(socket.socket(socket.AF_UNIX)).bind(Path("before\0after"))
        assert os.listdir(".") == []

    @pytest.mark.holds(
        "An address that is longer than the addresses of the socket's family", "The original has no room for all of it"
    )
    @pytest.mark.parametrize("ask", ["getsockname", "recvfrom", "recvmsg"])
    def test_a_path_longer_than_an_ipv4_address(self, socket, ours, keep, tmp_path, ask):
        """On a socket object of one family with a descriptor of another."""
        path = str(tmp_path / "s")
        made = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        made.bind(path)
        s = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=made.detach()))
        if ask != "getsockname":
            sender = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            sender.bind(path + "2")
            sender.sendto(b"x", path)
            path += "2"
        told = s.getsockname() if ask == "getsockname" else getattr(s, ask)(1)[-1]
        told = told if isinstance(told, str) else os.fsdecode(told)
        assert told[:14] == path[:14]
        assert (told == path) is ours

    @only_oxisocket
    def test_an_ipv6_address_of_a_socket_for_ipv4(self, socket, keep):
        made = keep(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        made.bind(("::1", 0))
        port = made.getsockname()[1]
        s = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=made.detach()))
        assert s.getsockname() == ("::1", port, 0, 0)


@pytest.mark.holds("AF_UNIX addresses can be `os.PathLike`.", "The original refuses them with TypeError.")
@pytest.mark.parametrize("method", ["bind", "connect"])
def test_only_oxisocket_takes_path_like_objects(socket, ours, outcome, keep, tmp_path, method):
    s = keep(socket.socket(socket.AF_UNIX))
    told = outcome(getattr(s, method), tmp_path / "s")
    expected = TypeError if not ours else FileNotFoundError if method == "connect" else None
    assert told[1] is expected


@only_oxisocket
class TestPathLike:
    """An addition: the stdlib takes str and bytes-like objects only."""

    @pytest.mark.parametrize("make", [pathlib.Path, Path, lambda path: Path(os.fsencode(path))])
    def test_every_method_takes_them(self, socket, keep, tmp_path, make):
        path = make(str(tmp_path / "s"))
        s = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        s.bind(path)
        assert s.getsockname() == str(tmp_path / "s")
        other = keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        other.sendto(b"one", path)
        other.sendmsg([b"two"], [], 0, path)
        other.connect(path)
        assert other.connect_ex(path) == 0
        assert [s.recv(10), s.recv(10)] == [b"one", b"two"]

    @pytest.mark.parametrize("path", [Path(5), Path(None)])
    def test_other_objects_are_refused(self, socket, keep, path):
        with pytest.raises(TypeError):
            keep(socket.socket(socket.AF_UNIX)).bind(path)

    def test_fspath_is_called_once(self, socket, keep):
        class Endless(os.PathLike):
            def __fspath__(self):
                return self

        sock = keep(socket.socket(socket.AF_UNIX))
        with pytest.raises(TypeError, match="to return str or bytes"):
            sock.bind(Endless())

    def test_an_error_in_fspath_is_raised(self, socket, keep):
        class Failing(os.PathLike):
            def __fspath__(self):
                raise LookupError

        with pytest.raises(LookupError):
            keep(socket.socket(socket.AF_UNIX)).bind(Failing())

    def test_too_long(self, socket, keep):
        with pytest.raises(OSError, match=r"(?m)^AF_UNIX path too long$"):
            keep(socket.socket(socket.AF_UNIX)).bind(Path("x" * 108))


class TestInet6:
    @needs_loopback6
    def test_a_tuple_of_four(self, socket, keep):
        s = keep(socket.socket(socket.AF_INET6))
        s.bind(("::1", 0))
        assert s.getsockname() == ("::1", s.getsockname()[1], 0, 0)

    @needs_loopback6
    def test_flow_information_reaches_the_kernel(self, agree, outcome):
        flowinfo_send = 33  # from linux/in6.h

        def connect(socket):
            results = []
            for flow in (0, 0x12345, 0xFFFFF):
                with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
                    s.setsockopt(socket.IPPROTO_IPV6, flowinfo_send, 1)
                    results.append((outcome(s.connect, ("::1", 9, flow, 0)), outcome(lambda s=s: str(s.getpeername()))))
            return results

        assert "0x12345" in str(agree(connect)) or str(0x12345) in str(agree(connect))

    @needs_inet6
    def test_a_mapped_address(self, socket, keep):
        s = keep(socket.socket(socket.AF_INET6))
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.bind(("::", 0))
        s.listen()
        client = keep(socket.socket())
        client.connect(("127.0.0.1", s.getsockname()[1]))
        server, address = s.accept()
        keep(server)
        assert address == ("::ffff:127.0.0.1", client.getsockname()[1], 0, 0)

    @needs_inet6
    @pytest.mark.skipif(sys.platform != "linux", reason="needs the name of the loopback interface")
    def test_a_scope_by_name_and_by_number(self, agree, outcome):
        def bind(socket):
            results = []
            for address in [("ff02::1%lo", 0), ("ff02::1", 0, 0, 1), ("ff02::1", 0, 7, 1)]:
                with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
                    results.append((outcome(s.bind, address), without_port(s.getsockname())))
            return results

        agree(bind)


class TestNames:
    """Names that cannot be resolved, chosen so that no name server is asked."""

    @pytest.mark.parametrize(
        ("family", "host"),
        [
            ("AF_INET", "::1"),
            pytest.param("AF_INET6", "127.0.0.1", marks=needs_inet6),
            pytest.param("AF_INET6", "fe80::1%nosuchif", marks=needs_inet6),
            ("AF_INET", "ff02::1%lo"),
        ],
    )
    @pytest.mark.parametrize("method", ["bind", "connect", "connect_ex"])
    def test_a_gaierror(self, socket, agree, outcome, family, host, method):
        def call(socket):
            with socket.socket(getattr(socket, family)) as s:
                return outcome(getattr(s, method), (host, 0))

        assert agree(call)[1] is socket.gaierror

    @needs_localhost
    def test_localhost(self, socket, keep):
        s = keep(socket.socket())
        s.bind(("localhost", 0))
        assert s.getsockname()[0] == "127.0.0.1"

    def test_a_long_host_name_is_refused_in_linear_time(self, socket, keep):
        with pytest.raises((TypeError, UnicodeError)):
            keep(socket.socket()).bind(("\u00e4" * 50_000, 0))
