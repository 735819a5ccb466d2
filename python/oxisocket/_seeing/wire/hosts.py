"""Gives each end of a conversation an IP address and a port: its own, or one that stands for what has none.

A UNIX socket has a path, or not even that. It gets an IPv6 address of 2001:db8:756e:6978::/64. That is a part of the range
which RFC 3849 keeps free for documentation, so no real packet has it; and 756e:6978 is "unix". So Wireshark treats its
conversation like any other: it follows the stream, recognises HTTP in it, counts it in its statistics. A link type of its own
(LINKTYPE_USER) could do none of that.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from oxisocket._seeing.record import Address

from .packets import Endpoint

STAND_IN_RANGE = "2001:db8:756e:6978::/64"

_PREFIX = bytes.fromhex("20010db8756e6978")
#: Wireshark knows no protocol by these ports.
_STAND_IN_PORT = 49151
_FIRST_PORT, _PORTS = 49152, 7000


class Known(NamedTuple):
    """What is known of an end: the family of its socket, its address, and the program, which names an end without address."""

    family: str
    address: Address
    program: str


def packed(host: str) -> bytes | None:
    """The bytes of an IP address, without its scope, or None for any other text. IPv4 in IPv6 is IPv4."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.packed
    return address.packed


class Hosts:
    """The ends of a file. `names` are those of the addresses that stand for something."""

    def __init__(self) -> None:
        self.names: dict[bytes, list[str]] = {}
        self._hosts: dict[tuple[str, int], bytes] = {}
        self._endpoints: dict[object, Endpoint] = {}
        self._ports = 0

    def endpoints(self, one: tuple[Known, object], other: tuple[Known, object]) -> tuple[Endpoint, Endpoint]:
        """The two ends of a conversation. Each comes with its key: by this an end that has no port gets the same one again."""
        first, second = self._endpoint(*one), self._endpoint(*other)
        return _beside(first, second), _beside(second, first)

    def _endpoint(self, known: Known, key: object) -> Endpoint:
        address = known.address
        if known.family not in ("AF_INET", "AF_INET6"):
            return self._stand_in(_path(address), known.program, key)
        address = address if isinstance(address, list) else []
        host, port = (*address[:2], 0, 0)[:2]
        if not isinstance(port, int) or not 0 < port < 65536:
            port = self._port(key)
        if not address:
            return Endpoint(bytes(4 if known.family == "AF_INET" else 16), port)
        found = packed(str(host))
        return Endpoint(self._host(str(host), 0) if found is None else found, port)

    def _stand_in(self, path: str, program: str, key: object) -> Endpoint:
        if path:
            return Endpoint(self._host(path, 0), _STAND_IN_PORT)
        if key not in self._endpoints:
            host = self._host(program, self._ports // _PORTS)
            self._endpoints[key] = Endpoint(host, self._next_port())
        return self._endpoints[key]

    def _host(self, name: str, turn: int) -> bytes:
        """The address that stands for a name; another one in each turn of the ports."""
        known = self._hosts.get((name, turn))
        if known is None:
            known = self._hosts[name, turn] = _PREFIX + (len(self._hosts) + 1).to_bytes(8, "big")
            self.names[known] = [name]
        return known

    def _port(self, key: object) -> int:
        if key not in self._endpoints:
            self._endpoints[key] = Endpoint(b"", self._next_port())
        return self._endpoints[key].port

    def _next_port(self) -> int:
        self._ports += 1
        return _FIRST_PORT + (self._ports - 1) % _PORTS


def _path(address: Address) -> str:
    """A path in printable words; an abstract name begins with @, as ss(8) writes it."""
    if address is None:
        return ""
    text = address if isinstance(address, str) else ", ".join(map(str, address))
    text = f"@{text[1:]}" if text.startswith("\0") else text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _beside(end: Endpoint, other: Endpoint) -> Endpoint:
    """An end whose socket is bound to every address has, towards a loopback address, that one."""
    if any(end.host):
        return end
    address = ipaddress.ip_address(other.host)
    if address.is_loopback:
        return Endpoint(other.host, end.port)
    return end if len(end.host) == len(other.host) else Endpoint(bytes(len(other.host)), end.port)
