"""The blocks of a pcapng file (draft-ietf-opsawg-pcapng): little endian, each with its length before and after."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from .packets import Packet

RAW_IP = 101
"""LINKTYPE_RAW: a packet begins with its IP header."""

_NANOSECONDS = b"\x09"
_LARGEST_OPTION = 65535

Option = tuple[int, bytes]


def section(comment: str, application: str) -> bytes:
    """The Section Header Block, with which a file begins."""
    options = [_text(1, comment), _text(4, application)]
    return _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), options)


def interface(name: str, description: str) -> bytes:
    """An Interface Description Block. Times of its packets are nanoseconds."""
    options = [_text(2, name), _text(3, description), (9, _NANOSECONDS)]
    return _block(1, struct.pack("<HHI", RAW_IP, 0, 0), options)


def names(hosts: Mapping[bytes, Sequence[str]]) -> bytes:
    """A Name Resolution Block: the names of IP addresses, of 4 or 16 bytes."""
    body = b""
    for host, each in hosts.items():
        value = host + b"".join(_name(name) + b"\0" for name in each)
        body += struct.pack("<HH", 1 if len(host) == 4 else 2, len(value)) + _padded(value)
    return _block(4, body + bytes(4), [])


def packet(number: int, t: int, content: Packet, *, outbound: bool, comment: str) -> bytes:
    """An Enhanced Packet Block on the interface with this number; `t` is nanoseconds since 1970."""
    t = min(max(t, 0), 2**64 - 1)
    head = struct.pack("<IIIII", number, t >> 32, t & 0xFFFFFFFF, len(content.captured), content.length)
    options = [_text(1, comment), (2, struct.pack("<I", 2 if outbound else 1))]
    return _block(6, head + _padded(content.captured), options)


def statistics(number: int, t: int, dropped: int) -> bytes:
    """An Interface Statistics Block: how many events were lost."""
    t = min(max(t, 0), 2**64 - 1)
    return _block(5, struct.pack("<III", number, t >> 32, t & 0xFFFFFFFF), [(5, struct.pack("<Q", dropped))])


def _block(kind: int, body: bytes, options: Iterable[Option]) -> bytes:
    content = body + _options(options)
    length = struct.pack("<I", 12 + len(content))
    return struct.pack("<I", kind) + length + content + length


def _options(options: Iterable[Option]) -> bytes:
    present = [struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options if value]
    return b"".join([*present, bytes(4)]) if present else b""


def _text(code: int, text: str) -> Option:
    return code, _utf8(text, _LARGEST_OPTION)


def _name(name: str) -> bytes:
    return _utf8(name.replace("\0", ""), 255)


def _utf8(text: str, most: int) -> bytes:
    """The text in UTF-8, cut between two characters where it is too long."""
    encoded = text.encode("utf-8", "backslashreplace")
    return encoded if len(encoded) <= most else encoded[:most].decode("utf-8", "ignore").encode()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
