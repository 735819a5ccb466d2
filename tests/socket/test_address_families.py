"""Addresses of the families other than IP and UNIX. Few kernels can open them all, and none has to: an object of any family parses
its addresses even over the descriptor of a UNIX socket, and the kernel then answers EINVAL to each correct address."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket as stdlib
import struct
import sys

import pytest

EXPERIMENTAL = 0x88B5  # an EtherType that IEEE reserves for local experiments


class Index:
    """An integer that is not an `int`."""

    def __index__(self):
        return 5

    def __repr__(self):
        return "Index()"


class Path(os.PathLike):
    def __fspath__(self):
        return "lo"

    def __repr__(self):
        return "Path()"


NOT_AN_ADDRESS = [None, 5, -1, 1.5, Index(), object, "x", "", b"x", bytearray(b"x"), [], ["lo", 3], {}, ()]
WRONG_LENGTH = [(1,), ("lo",), (b"lo",), (None,), (1, 2, 3), (1, 2, 3, 4, 5, 6, 7)]
NUMBERS = [0, 255, 256, 65535, 65536, 2**31 - 1, -1, True, Index(), 1.5, "1", b"1", None]
LARGE = [2**31, 2**32 - 1, 2**32, 2**64, -(2**31) - 1, -(2**63) - 1]
TEXTS = ["", "\0", "a\0b", "\u20ac", "\udc80", b"", b"lo", b"a\0", bytearray(b"lo"), Path()]
ANYTHING = [*NUMBERS, *LARGE, *TEXTS]


def variants(address, values=ANYTHING):
    """The address, and copies of it with each item replaced by each of the values."""
    yield address
    for place in range(len(address)):
        for value in values:
            yield (*address[:place], value, *address[place + 1 :])


INTERFACES = ["", "lo", "nonesuch", "x" * 15, "x" * 16, "x" * 40, "lo\u20ac", "l\xf6", b"lo", b"x" * 16]

DEVICE = "00:11:22:33:44:55"
DEVICES = [
    DEVICE,
    "aa:bb:cc:dd:ee:ff",
    "AA:Bb:cC:DD:EE:FF",
    "1:2:3:4:5:6",
    "1:2:3:4:5:100",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5",
    "1:2:3:4:5:",
    ":1:2:3:4:5:6",
    "1:2:3:4:5:6g",
    "1:2:3:4:5:6 ",
    " 1: 2:3:\t4:5:6",
    "1 :2:3:4:5:6",
    "-1:2:3:4:5:6",
    "+1:2:3:4:5:6",
    "0x1:0X2:3:4:5:6",
    "100000001:2:3:4:5:6",
    "-ffffffff:2:3:4:5:6",
    "11111111111111111:2:3:4:5:6",
    "000000000000000000000001:2:3:4:5:6",
    "\u0661:2:3:4:5:6",
    "::::::",
    "junk",
    "",
    "\0",
    DEVICE + "\0",
]
DEVICES_AS_BYTES = [device.encode() for device in DEVICES]
# Before 3.14 some releases refuse, and others truncate, a number that fits no C int.
BLUETOOTH = [*NUMBERS, *TEXTS, *(LARGE if sys.version_info >= (3, 14) else [])]

ADDRESSES = {
    ("AF_NETLINK", 0): [*variants((1, 2))],
    ("AF_QIPCRTR", 0): [*variants((1, 2))],
    ("AF_VSOCK", 0): [*variants((1, 2))],
    ("AF_PACKET", 0): [
        *variants(("lo", 3)),
        *variants(("lo", 3, 4, 5, b"abcdef")),
        *[(name, 3) for name in INTERFACES],
        ("lo", 3, 0, 0, b"12345678"),
        ("lo", 3, 0, 0, b"123456789"),
        ("lo", 3, 0, 0, memoryview(b"abcd")[::2]),
        ("lo", 70000, 0, 0, b"123456789"),
        ("nonesuch", 70000, 0, 0, b"123456789"),
    ],
    ("AF_TIPC", 0): [
        *[address for kind in range(5) for address in variants((kind, 2, 3, 4))],
        *variants((1, 2, 3, 4, 5)),
        (257, 2, 3, 4),
    ],
    ("AF_CAN", "CAN_RAW"): [*variants(("lo",)), *[(name,) for name in INTERFACES]],
    ("AF_CAN", "CAN_BCM"): [*variants(("lo",)), *[(name,) for name in INTERFACES]],
    ("AF_CAN", "CAN_ISOTP"): [*variants(("lo", 3, 4)), *[(name, 3, 4) for name in INTERFACES]],
    ("AF_CAN", "CAN_J1939"): [*variants(("lo", 3, 4, 5)), *[(name, 3, 4, 5) for name in INTERFACES]],
    ("AF_CAN", 0): [("lo",)],
    ("AF_CAN", 99): [("lo",)],
    ("AF_ALG", 0): [
        *variants(("hash", "sha256")),
        *variants(("hash", "sha256", 3, 4)),
        ("x" * 13, "y" * 63),
        ("x" * 14, "y" * 63),
        ("x" * 13, "y" * 64),
        ("x" * 14, "y" * 64),
        ("\u20ac" * 5, "y"),
    ],
    ("AF_BLUETOOTH", "BTPROTO_L2CAP"): [
        *variants((DEVICE, 1), BLUETOOTH),
        *variants((DEVICE, 1, 2), BLUETOOTH),
        *variants((DEVICE, 1, 2, 1), BLUETOOTH),
        *[(device, 1) for device in DEVICES],
    ],
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM"): [*variants((DEVICE, 1), BLUETOOTH), *[(device, 1) for device in DEVICES]],
    ("AF_BLUETOOTH", "BTPROTO_HCI"): [*BLUETOOTH, *variants((1,), BLUETOOTH), *variants((1, 2), BLUETOOTH)],
    ("AF_BLUETOOTH", "BTPROTO_SCO"): [*DEVICES, *DEVICES_AS_BYTES, bytearray(DEVICES_AS_BYTES[0]), (DEVICE,)],
    ("AF_BLUETOOTH", 99): [(DEVICE, 1)],
    ("AF_KEY", 0): [(1, 2)],
}
EACH_FAMILY = pytest.mark.parametrize(("family", "proto"), ADDRESSES, ids="{}".format)


def number(name):
    """The value of a constant of the stdlib; the stdlib must have it."""
    if isinstance(name, int):
        return name
    if not hasattr(stdlib, name):
        pytest.skip(f"this interpreter's socket was built without {name}")
    return int(getattr(stdlib, name))


@pytest.fixture
def over_unix(family, proto, keep):
    """`over_unix(module)` is a socket object of the family over a UNIX socket's descriptor."""
    family, proto = number(family), number(proto)
    unix = keep(stdlib.socket(stdlib.AF_UNIX, stdlib.SOCK_DGRAM))
    return lambda socket: keep(socket.socket(family, socket.SOCK_DGRAM, proto, os.dup(unix.fileno())))


@EACH_FAMILY
def test_addresses_are_parsed_the_same(family, proto, over_unix, agree, outcome):
    addresses = [*NOT_AN_ADDRESS, *WRONG_LENGTH, *ADDRESSES[family, proto]]

    def act(socket):
        sock = over_unix(socket)
        return {f"{place}: {address!r}": outcome(sock.bind, address) for place, address in enumerate(addresses)}

    agree(act)


@EACH_FAMILY
def test_an_error_names_the_method(over_unix, agree, outcome):
    def act(socket):
        sock = over_unix(socket)
        return [
            outcome(call, *args)
            for address in (None, (), ("lo", 70000), ("x", 1))
            for call, args in [
                (sock.bind, (address,)),
                (sock.connect, (address,)),
                (sock.connect_ex, (address,)),
                (sock.sendto, (b"", address)),
                (sock.sendto, (b"", 0, address)),
                (sock.sendmsg, ([b""], [], 0, address)),
            ]
        ]

    agree(act)


@EACH_FAMILY
def test_getsockname_and_getpeername_of_another_family(over_unix, agree, outcome):
    """The address is decoded by the family that the kernel stores in it, if the socket's own family allows getsockname at all."""

    def act(socket):
        sock = over_unix(socket)
        sock.setblocking(False)
        return [outcome(sock.getsockname), outcome(sock.getpeername), outcome(sock.recvfrom, 1)]

    agree(act)


@pytest.mark.parametrize(
    ("family", "kind", "proto"),
    [
        ("AF_NETLINK", "SOCK_RAW", 0),
        ("AF_PACKET", "SOCK_RAW", 0),
        ("AF_PACKET", "SOCK_DGRAM", 0),
        ("AF_VSOCK", "SOCK_STREAM", 0),
        ("AF_VSOCK", "SOCK_DGRAM", 0),
        ("AF_QIPCRTR", "SOCK_DGRAM", 0),
        ("AF_TIPC", "SOCK_RDM", 0),
        ("AF_TIPC", "SOCK_STREAM", 0),
        ("AF_CAN", "SOCK_RAW", "CAN_RAW"),
        ("AF_CAN", "SOCK_DGRAM", "CAN_BCM"),
        ("AF_CAN", "SOCK_DGRAM", "CAN_ISOTP"),
        ("AF_CAN", "SOCK_DGRAM", "CAN_J1939"),
        ("AF_ALG", "SOCK_SEQPACKET", 0),
        ("AF_RDS", "SOCK_SEQPACKET", 0),
        ("AF_BLUETOOTH", "SOCK_SEQPACKET", "BTPROTO_L2CAP"),
        ("AF_BLUETOOTH", "SOCK_STREAM", "BTPROTO_RFCOMM"),
        ("AF_BLUETOOTH", "SOCK_RAW", "BTPROTO_HCI"),
        ("AF_BLUETOOTH", "SOCK_SEQPACKET", "BTPROTO_SCO"),
    ],
    ids="{}".format,
)
def test_getsockname_of_a_new_socket(family, kind, proto, agree, outcome, keep):
    family, kind, proto = number(family), number(kind), number(proto)

    def act(socket):
        try:
            sock = keep(socket.socket(family, kind, proto))
        except OSError as error:
            pytest.skip(f"the kernel opens no such socket: {error.strerror}")
        return [outcome(sock.getsockname), outcome(sock.getpeername)]

    agree(act)


@pytest.fixture
def opened(socket, keep):
    """`opened(family, …)` is a socket of this family; where the kernel cannot open one, the test is skipped."""

    def opened(family, *arguments):
        if not hasattr(socket, family):
            pytest.skip(f"this interpreter's socket was built without {family}")
        try:
            return keep(socket.socket(getattr(socket, family), *arguments))
        except OSError as error:
            pytest.skip(f"the kernel opens no such socket: {error.strerror}")

    return opened


def test_netlink(socket, opened):
    sock = opened("AF_NETLINK", socket.SOCK_RAW, 0)
    assert sock.getsockname() == (0, 0)
    sock.bind((0, 1))
    pid, groups = sock.getsockname()
    assert pid > 0
    assert groups == 1
    sock.connect((0, 0))
    assert sock.getpeername() == (0, 0)


def test_netlink_answers_from_the_kernel(socket, opened):
    sock = opened("AF_NETLINK", socket.SOCK_RAW, 0)
    get_addresses, request_dump = 22, 0x301
    request = struct.pack("=IHHIIB", 17, get_addresses, request_dump, 1, 0, 0)
    assert sock.sendto(request, (0, 0)) == len(request)
    data, address = sock.recvfrom(65536)
    assert data
    assert address == (0, 0)


def test_packet(socket, opened):
    sock = opened("AF_PACKET", socket.SOCK_RAW, 0)
    assert sock.getsockname() == ("", 0, 0, 0, b"")
    sock.bind(("lo", EXPERIMENTAL))
    name, protocol, kind, _, hardware = sock.getsockname()
    assert (name, protocol, kind, hardware) == ("lo", EXPERIMENTAL, socket.PACKET_HOST, bytes(6))


def recvmsg_into(sock):
    buffer = bytearray(100)
    count, _, _, address = sock.recvmsg_into([buffer])
    return buffer[:count], address


@pytest.mark.parametrize(
    "receive",
    [lambda sock: sock.recvfrom(100), lambda sock: sock.recvmsg(100)[::3], recvmsg_into],
    ids=["recvfrom", "recvmsg", "into"],
)
def test_packet_over_loopback(socket, opened, receive):
    receiver, sender = (opened("AF_PACKET", socket.SOCK_DGRAM, 0) for _ in range(2))
    receiver.bind(("lo", EXPERIMENTAL))
    receiver.settimeout(10)
    mine = os.urandom(16)
    sender.sendto(mine, ("lo", EXPERIMENTAL, 0, 0, bytes(6)))
    while True:
        data, address = receive(receiver)
        if data == mine and address[2] == socket.PACKET_HOST:  # neither the outgoing copy nor a packet of another test
            break
    assert address[:2] == ("lo", EXPERIMENTAL)
    assert address[4] == bytes(6)
    assert [type(item) for item in address] == [str, int, int, int, bytes]


def test_vsock(socket, opened):
    sock = opened("AF_VSOCK", socket.SOCK_STREAM)
    # Where a C `long` has 32 bits, the constants are -1.
    any_cid, any_port = (constant & 0xFFFFFFFF for constant in (socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
    assert sock.getsockname() == (any_cid, any_port)
    sock.bind((any_cid, any_port))
    cid, port = sock.getsockname()
    assert cid == any_cid
    assert port != any_port


def test_alg(socket, opened):
    sock = opened("AF_ALG", socket.SOCK_SEQPACKET)
    with contextlib.suppress(FileNotFoundError):  # the kernel lacks this algorithm
        sock.bind(("hash", "sha256"))
        operation, address = sock.accept()
        with operation:
            assert address is None
            operation.sendall(b"abc")
            assert operation.recv(64) == hashlib.sha256(b"abc").digest()


def test_can(socket, opened):
    sock = opened("AF_CAN", socket.SOCK_RAW, getattr(socket, "CAN_RAW", 1))
    sock.bind(("",))
    assert sock.getsockname() == ("",)
