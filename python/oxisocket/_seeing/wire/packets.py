"""IP packets with TCP or UDP in them: headers and checksums (RFC 791, 8200, 768, 9293)."""

from __future__ import annotations

import struct
from typing import NamedTuple

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

#: The longest payload of a packet: with the headers of IPv6 and TCP it fits into the MTU of Linux's loopback.
LARGEST_SEGMENT = 65475
LARGEST_DATAGRAM = 65487

#: What a SYN offers: the largest segment, and a window of up to a gigabyte. So no packet here ever fills it.
OPENING = struct.pack("!BBHBBBB", 2, 4, LARGEST_SEGMENT, 1, 3, 3, 14)

_WINDOW = 65535
_HOPS = 64
#: Wireshark wants what goes to a multicast group of the local network to have passed no router.
_HOPS_TO_GROUP = 255
_TCP, _UDP = 6, 17


class Endpoint(NamedTuple):
    """An IP address, of 4 or 16 bytes, and a port."""

    host: bytes
    port: int


class Packet(NamedTuple):
    """A packet, of which only the first bytes may be known; `length` is how long it was."""

    captured: bytes
    length: int


class Payload(NamedTuple):
    """What a packet carries: so many bytes, of which the first are known."""

    size: int = 0
    known: bytes = b""


class Segment(NamedTuple):
    """What a TCP header says, but for the ports. Both numbers are taken modulo 2³²."""

    sequence: int
    acknowledgement: int
    flags: int


def tcp(source: Endpoint, target: Endpoint, segment: Segment, payload: Payload) -> Packet:
    """A TCP segment in an IP packet."""
    options = OPENING if segment.flags & SYN else b""
    words = (20 + len(options)) // 4
    acknowledgement = segment.acknowledgement if segment.flags & ACK else 0
    header = struct.pack(
        "!HHIIBBHHH",
        source.port,
        target.port,
        segment.sequence & 0xFFFFFFFF,
        acknowledgement & 0xFFFFFFFF,
        words << 4,
        segment.flags,
        _WINDOW,
        0,
        0,
    )
    source, target = _of_one_family(source, target)
    checksum = _transport_checksum(source, target, _TCP, header + options, payload)
    header = header[:16] + struct.pack("!H", checksum) + header[18:]
    return _ip(source, target, _TCP, header + options, payload)


def udp(source: Endpoint, target: Endpoint, payload: Payload) -> Packet:
    """A UDP datagram in an IP packet."""
    source, target = _of_one_family(source, target)
    header = struct.pack("!HHHH", source.port, target.port, 8 + payload.size, 0)
    # In UDP 0 says that there is no checksum. 65535 is the same number to who adds it up.
    checksum = _transport_checksum(source, target, _UDP, header, payload) or 0xFFFF
    return _ip(source, target, _UDP, header[:6] + struct.pack("!H", checksum), payload)


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071) of data that is not all zero."""
    # To add 16-bit words in one's complement is to take the whole as one number modulo 65535.
    number = int.from_bytes(data if len(data) % 2 == 0 else data + b"\0", "big") % 0xFFFF
    return 0xFFFF - (number or 0xFFFF)


def _of_one_family(source: Endpoint, target: Endpoint) -> tuple[Endpoint, Endpoint]:
    """Where one address is of IPv4 and the other of IPv6, both as IPv6."""
    if len(source.host) == len(target.host):
        return source, target
    return _as_ipv6(source), _as_ipv6(target)


def _as_ipv6(end: Endpoint) -> Endpoint:
    return end if len(end.host) == 16 else Endpoint(bytes(10) + b"\xff\xff" + end.host, end.port)


def _transport_checksum(source: Endpoint, target: Endpoint, protocol: int, header: bytes, payload: Payload) -> int:
    """The checksum over the pseudo header, the header and the payload. Bytes that nobody knows count as zero."""
    length = len(header) + payload.size
    return checksum(source.host + target.host + struct.pack("!II", length, protocol) + header + payload.known)


def _ip(source: Endpoint, target: Endpoint, protocol: int, header: bytes, payload: Payload) -> Packet:
    length = len(header) + payload.size
    hops = _HOPS_TO_GROUP if _is_group(target.host) else _HOPS
    if len(source.host) == 4:
        start = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, hops, protocol, 0)
        sum_of_header = struct.pack("!H", checksum(start + source.host + target.host))
        ip = start[:10] + sum_of_header + source.host + target.host
    else:
        ip = struct.pack("!IHBB", 6 << 28, length, protocol, hops) + source.host + target.host
    return Packet(ip + header + payload.known, len(ip) + length)


def _is_group(host: bytes) -> bool:
    """Whether this is a multicast address."""
    return host[0] == 0xFF if len(host) == 16 else host[0] & 0xF0 == 0xE0
