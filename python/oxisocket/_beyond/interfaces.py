"""The addresses of network interfaces: getifaddrs(3)."""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple

import oxisocket
from oxisocket import _socket


class InterfaceFlag(IntFlag):
    """The state and the abilities of a network interface; see netdevice(7)."""

    IFF_UP = 0x1
    IFF_BROADCAST = 0x2
    IFF_DEBUG = 0x4
    IFF_LOOPBACK = 0x8
    IFF_POINTOPOINT = 0x10
    IFF_NOTRAILERS = 0x20
    IFF_RUNNING = 0x40
    IFF_NOARP = 0x80
    IFF_PROMISC = 0x100
    IFF_ALLMULTI = 0x200
    IFF_MASTER = 0x400
    IFF_SLAVE = 0x800
    IFF_MULTICAST = 0x1000
    IFF_PORTSEL = 0x2000
    IFF_AUTOMEDIA = 0x4000
    IFF_DYNAMIC = 0x8000
    IFF_LOWER_UP = 0x10000
    IFF_DORMANT = 0x20000
    IFF_ECHO = 0x40000


class InterfaceAddress(NamedTuple):
    """An address of a network interface, or an interface without any: see ``getifaddrs()``."""

    name: str
    """The interface's name, or the label of the address, such as ``eth0:1``."""
    index: int  # type: ignore[assignment]  # a tuple has a method of this name
    """The interface's number; 0 if the interface has gone meanwhile."""
    flags: InterfaceFlag
    family: oxisocket.AddressFamily | None
    """AF_INET, AF_INET6, or AF_PACKET for a hardware address. None: the interface has no address."""
    address: str | None
    """The address, without its scope. A hardware address is written as ``02:00:5e:10:00:01``, and None if it has no bytes."""
    netmask: str | None
    prefixlen: int | None
    """The number of bits that are set in ``netmask``."""
    broadcast: str | None
    """The broadcast address, if one is set."""
    peer: str | None
    """The address of the other end of a point-to-point connection."""
    scope_id: int
    """The scope of an IPv6 address, as in a socket's address: for a link-local address the interface's number. 0 is none."""


def getifaddrs() -> list[InterfaceAddress]:
    """Return the addresses of all network interfaces, in the system's order.

    An interface has an entry for each address, its hardware address (AF_PACKET) included. An interface without any, such as a
    tunnel that is not set up yet, has one entry whose ``family`` and ``address`` are None. Raises OSError; see getifaddrs(3).
    """
    return [_interface_address(*entry) for entry in _socket._getifaddrs()]


def _interface_address(
    name: str,
    index: int,
    flags: int,
    family: int | None,
    address: str | None,
    netmask: str | None,
    prefixlen: int | None,
    other: str | None,
    scope_id: int,
) -> InterfaceAddress:
    """The entry for what the C library gives, which has the broadcast address and the peer's in one field.

    Where neither is set it leaves the address itself there. The flags are the interface's, and an interface with IFF_BROADCAST
    can have addresses with a peer all the same. These have no broadcast address: there is none in IPv6, nor in a network of one
    address or two.
    """
    flags = InterfaceFlag(flags)
    broadcast = peer = None
    single = family == oxisocket.AF_INET6 or (family == oxisocket.AF_INET and prefixlen in (31, 32))
    if other != address:
        if single or flags & InterfaceFlag.IFF_POINTOPOINT:
            peer = other
        elif flags & InterfaceFlag.IFF_BROADCAST:
            broadcast = other
    return InterfaceAddress(name, index, flags, _family(family), address, netmask, prefixlen, broadcast, peer, scope_id)


def _family(number: int | None) -> oxisocket.AddressFamily | None:
    """The member of AddressFamily; a number that it does not have stays a number, as in ``socket.family``."""
    if number is None:
        return None
    return oxisocket._intenum_converter(number, oxisocket.AddressFamily)  # type: ignore[attr-defined,no-any-return]


# The module that programs take them from.
for _public in (InterfaceFlag, InterfaceAddress, getifaddrs):
    _public.__module__ = "oxisocket"
