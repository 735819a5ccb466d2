"""Reads pcapng files, strictly, and follows the connections in them: for the tests of what is written as packets."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

Options = list[tuple[int, bytes]]


@dataclass
class Captured:
    """A packet of TCP or UDP. `payload` is what is known of its `size` bytes."""

    t: int
    interface: int
    outbound: bool
    comment: str
    source: tuple[str, int]
    target: tuple[str, int]
    protocol: int
    size: int
    payload: bytes
    sequence: int = 0
    acknowledgement: int = 0
    flags: int = 0
    hops: int = 0


@dataclass
class Capture:
    section: dict[int, bytes] = field(default_factory=dict)
    interfaces: list[dict[int, bytes]] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    packets: list[Captured] = field(default_factory=list)
    dropped: dict[int, int] = field(default_factory=dict)

    @property
    def about(self) -> str:
        return self.section[1].decode()


def read_capture(data: bytes) -> Capture:
    """All blocks of a file; an AssertionError tells what is wrong with it."""
    capture = Capture()
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0 and length >= 12 and at + length <= len(data)
        assert struct.unpack_from("<I", data, at + length - 4) == (length,)
        assert (kind == 0x0A0D0D0A) == (at == 0)
        READERS[kind](capture, data[at + 8 : at + length - 4])
        at += length
    return capture


def read_section(capture: Capture, body: bytes) -> None:
    assert struct.unpack_from("<IHHq", body) == (0x1A2B3C4D, 1, 0, -1)
    capture.section = dict(read_options(body[16:]))


def read_interface(capture: Capture, body: bytes) -> None:
    assert struct.unpack_from("<HHI", body) == (101, 0, 0)
    capture.interfaces.append(dict(read_options(body[8:])))
    assert capture.interfaces[-1][9] == b"\x09"


def read_names(capture: Capture, body: bytes) -> None:
    at = 0
    while True:
        kind, length = struct.unpack_from("<HH", body, at)
        at += 4
        if kind == 0:
            assert length == 0 and at == len(body)
            return
        size = {1: 4, 2: 16}[kind]
        value = body[at : at + length]
        assert len(value) == length > size and value.endswith(b"\0")
        host = str(ipaddress.ip_address(value[:size]))
        assert host not in capture.names
        capture.names[host] = value[size:-1].decode().split("\0")
        assert all(capture.names[host])
        at += (length + 3) // 4 * 4


def read_packet(capture: Capture, body: bytes) -> None:
    interface, high, low, captured, length = struct.unpack_from("<IIIII", body)
    assert interface < len(capture.interfaces) and captured <= length <= 65535 + 40
    end = 20 + (captured + 3) // 4 * 4
    assert not any(body[20 + captured : end])
    options = dict(read_options(body[end:]))
    (flags,) = struct.unpack("<I", options[2])
    assert flags in (1, 2)
    packet = read_ip(body[20 : 20 + captured], length)
    packet.t, packet.interface, packet.outbound = high << 32 | low, interface, flags == 2
    packet.comment = options[1].decode()
    assert not capture.packets or capture.packets[-1].t <= packet.t
    capture.packets.append(packet)


def read_statistics(capture: Capture, body: bytes) -> None:
    interface, _, _ = struct.unpack_from("<III", body)
    capture.dropped[interface] = struct.unpack("<Q", dict(read_options(body[12:]))[5])[0]


READERS = {0x0A0D0D0A: read_section, 1: read_interface, 4: read_names, 6: read_packet, 5: read_statistics}


def read_options(data: bytes) -> Options:
    options = []
    at = 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        at += 4
        if code == 0:
            assert length == 0 and at == len(data)
            return options
        options.append((code, data[at : at + length]))
        assert len(options[-1][1]) == length
        at += (length + 3) // 4 * 4
    assert not options, "options without an end"
    return options


def read_ip(data: bytes, length: int) -> Captured:
    if data[0] >> 4 == 4:
        assert data[0] == 0x45 and struct.unpack_from("!H", data, 2) == (length,)
        assert added_up(data[:20]) == 0xFFFF
        head, protocol, hops, hosts = 20, data[9], data[8], (data[12:16], data[16:20])
    else:
        assert data[0] == 0x60 and struct.unpack_from("!H", data, 4) == (length - 40,)
        head, protocol, hops, hosts = 40, data[6], data[7], (data[8:24], data[24:40])
    rest = data[head:]
    if len(data) == length:
        pseudo = b"".join(hosts) + struct.pack("!II", len(rest), protocol)
        assert added_up(pseudo + rest) == 0xFFFF
    source, target = (str(ipaddress.ip_address(host)) for host in hosts)
    ports = struct.unpack_from("!HH", rest)
    found = Captured(0, 0, False, "", (source, ports[0]), (target, ports[1]), protocol, 0, b"", hops=hops)
    if protocol == 17:
        assert struct.unpack_from("!H", rest, 4) == (length - head,) and rest[6:8] != b"\0\0"
        found.payload, found.size = rest[8:], length - head - 8
        return found
    assert protocol == 6
    found.sequence, found.acknowledgement, offset, found.flags, window, _, urgent = struct.unpack_from("!IIBBHHH", rest, 4)
    assert window and not urgent
    start = (offset >> 4) * 4
    assert start == (28 if found.flags & SYN else 20)
    found.payload, found.size = rest[start:], length - head - start
    return found


def added_up(data: bytes) -> int:
    """The sum of 16-bit words in one's complement: all ones, where a checksum is right."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@dataclass
class Direction:
    """What one end sends. `data` has None for each byte that is not known."""

    next: int | None = None
    acknowledged: int | None = None
    data: list[int | None] = field(default_factory=list)
    ended: bool = False


@dataclass
class Followed:
    """A connection, from the first packet's sender to its target."""

    client: tuple[str, int]
    server: tuple[str, int]
    packets: list[Captured] = field(default_factory=list)
    sent: Direction = field(default_factory=Direction)
    received: Direction = field(default_factory=Direction)
    reset: bool = False

    @property
    def flags(self) -> str:
        """The flags of its packets: `S` and so on, of whoever sent them: upper case for the client."""
        words = []
        for packet in self.packets:
            word = "".join(letter for letter, bit in zip("sfrpa", (SYN, FIN, RST, PSH, ACK), strict=True) if packet.flags & bit)
            words.append(word.upper() if packet.source == self.client else word)
        return " ".join(words)

    @property
    def known(self) -> tuple[bytes, bytes]:
        """What both have sent, with a dot for what is not known."""
        return tuple(bytes(46 if byte is None else byte for byte in each.data) for each in (self.sent, self.received))


def follow(capture: Capture) -> list[Followed]:
    """The connections of a file. Nothing in them may be missing, come twice, or be acknowledged before it was sent."""
    followed: list[Followed] = []
    current: dict[frozenset[tuple[str, int]], Followed] = {}
    for packet in capture.packets:
        if packet.protocol != 6:
            continue
        ends = frozenset((packet.source, packet.target))
        assert len(ends) == 2
        if ends not in current or packet.flags & (SYN | ACK) == SYN:
            current[ends] = Followed(packet.source, packet.target)
            followed.append(current[ends])
        take(current[ends], packet)
    return followed


def take(connection: Followed, packet: Captured) -> None:
    assert not connection.reset
    first = not connection.packets
    connection.packets.append(packet)
    here, there = connection.sent, connection.received
    if packet.source != connection.client:
        here, there = there, here
    if here.next is None:
        here.next = packet.sequence
    assert packet.sequence == here.next
    assert bool(packet.flags & SYN) <= (first or not here.data)
    if packet.flags & ACK:
        if there.next is None:
            there.next = packet.acknowledgement
        assert (there.next - packet.acknowledgement) & 0xFFFFFFFF < 2**31
        if here.acknowledged is not None:
            assert (packet.acknowledgement - here.acknowledged) & 0xFFFFFFFF < 2**31
            idle = not packet.size and not packet.flags & (SYN | FIN | RST)
            opening = connection.flags == "S sa A"
            assert not idle or opening or packet.acknowledgement != here.acknowledged, "acknowledged twice"
        here.acknowledged = packet.acknowledgement
    else:
        assert packet.flags == SYN and first
    assert not (here.ended and packet.size)
    here.data += [*packet.payload, *[None] * (packet.size - len(packet.payload))]
    here.next = (here.next + packet.size + bool(packet.flags & (SYN | FIN))) & 0xFFFFFFFF
    here.ended = here.ended or bool(packet.flags & FIN)
    connection.reset = bool(packet.flags & RST)
