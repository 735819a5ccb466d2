"""`getifaddrs()`: the addresses of network interfaces."""

from __future__ import annotations

import ipaddress
import pickle
import threading

import pytest
from marks import only_oxisocket

pytestmark = only_oxisocket

UP, BROADCAST, POINT_TO_POINT = 0x1, 0x2, 0x10


@pytest.fixture
def named(socket):
    from oxisocket._beyond import interfaces

    return interfaces._interface_address


def loopback(socket):
    found = [entry for entry in socket.getifaddrs() if socket.InterfaceFlag.IFF_LOOPBACK in entry.flags]
    if not found:
        pytest.skip("there is no loopback interface")
    return found


def test_the_loopback_interface(socket):
    entries = loopback(socket)
    assert {entry.name.split(":")[0] for entry in entries} & set(dict(socket.if_nameindex()).values())
    (first,) = [entry for entry in entries if entry.address == "127.0.0.1"]
    assert first.family is socket.AF_INET
    assert (first.netmask, first.prefixlen, first.scope_id) == ("255.0.0.0", 8, 0)
    assert (first.broadcast, first.peer) == (None, None)
    assert socket.InterfaceFlag.IFF_UP in first.flags


def test_each_interface_is_there_with_its_number(socket):
    entries = socket.getifaddrs()
    assert type(entries) is list and {type(entry) for entry in entries} == {socket.InterfaceAddress}
    names = dict(socket.if_nameindex())
    assert set(names) <= {entry.index for entry in entries}
    for entry in entries:
        assert names[entry.index] == entry.name.split(":")[0]


def test_addresses_are_text_that_others_can_read(socket):
    for entry in socket.getifaddrs():
        assert type(entry.flags) is socket.InterfaceFlag
        if entry.family in (socket.AF_INET, socket.AF_INET6):
            interface = ipaddress.ip_interface(f"{entry.address}/{entry.prefixlen}")
            assert str(interface.netmask) == entry.netmask
            assert str(interface.ip) == entry.address
            if interface.is_link_local and interface.version == 6:
                assert entry.scope_id == entry.index
        elif entry.address is not None:
            assert entry.family is socket.AF_PACKET
            assert bytes.fromhex(entry.address.replace(":", ""))
            assert entry.address == entry.address.lower()


def test_one_can_bind_to_them(socket, keep):
    for entry in loopback(socket):
        if entry.family in (socket.AF_INET, socket.AF_INET6):
            address = (entry.address, 0) if entry.family == socket.AF_INET else (entry.address, 0, 0, entry.scope_id)
            keep(socket.socket(entry.family)).bind(address)


def test_nothing_stays_open_and_other_threads_run(socket, open_files):
    before = open_files()
    lists = []
    threads = [threading.Thread(target=lambda: lists.extend(socket.getifaddrs() for _ in range(20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lists) == 80
    assert open_files() == before


def test_it_takes_no_arguments(socket):
    with pytest.raises(TypeError):
        socket.getifaddrs("lo")
    with pytest.raises(TypeError):
        socket._socket._getifaddrs(1)


# An entry: flags, family, address, prefixlen, what the C library has in the field of the broadcast and the peer's address; what is made
# of these two.
OTHERS = {
    "a broadcast address": (BROADCAST, "AF_INET", "10.0.0.2", 24, "10.0.0.255", "10.0.0.255", None),
    "an unusual broadcast address": (BROADCAST, "AF_INET", "10.0.0.2", 24, "10.0.0.0", "10.0.0.0", None),
    "no broadcast address was set": (BROADCAST, "AF_INET", "10.0.0.2", 24, "10.0.0.2", None, None),
    "one address alone": (BROADCAST, "AF_INET", "10.0.0.2", 32, "10.0.0.2", None, None),
    "a peer on an interface that can broadcast": (BROADCAST, "AF_INET", "10.0.0.2", 32, "10.0.0.9", None, "10.0.0.9"),
    "an IPv6 peer on such an interface": (BROADCAST, "AF_INET6", "fd00::2", 128, "fd00::9", None, "fd00::9"),
    "a tunnel": (POINT_TO_POINT, "AF_INET", "10.0.0.2", 24, "10.0.0.9", None, "10.0.0.9"),
    "a tunnel without a peer": (POINT_TO_POINT, "AF_INET", "10.0.0.2", 24, "10.0.0.2", None, None),
    "nothing there": (BROADCAST, "AF_INET6", "fd00::2", 64, None, None, None),
    "a hardware address": (BROADCAST, "AF_PACKET", "02:00:5e:10:00:01", None, "ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff", None),
    "no flag says what it is": (UP, "AF_PACKET", "00:00:00:00:00:00", None, "ff:ff:ff:ff:ff:ff", None, None),
}


@pytest.mark.parametrize("case", OTHERS)
def test_broadcast_and_peer(socket, named, case):
    flags, family, address, prefixlen, other, broadcast, peer = OTHERS[case]
    entry = named("x0", 3, flags, getattr(socket, family), address, "mask", prefixlen, other, 0)
    assert (entry.broadcast, entry.peer) == (broadcast, peer)
    assert (entry.name, entry.index, entry.flags, entry.address) == ("x0", 3, flags, address)


def test_an_interface_without_an_address(socket, named):
    entry = named("tun0", 9, POINT_TO_POINT, None, None, None, None, None, 0)
    assert entry == ("tun0", 9, socket.InterfaceFlag.IFF_POINTOPOINT, None, None, None, None, None, None, 0)


def test_a_family_that_the_enumeration_does_not_have(named):
    assert named("x0", 1, 1, 200, None, None, None, None, 0).family == 200


def test_entries_can_be_pickled(socket):
    entries = socket.getifaddrs()
    assert pickle.loads(pickle.dumps(entries)) == entries
    assert {type(entry).__module__ for entry in entries} == {"oxisocket"}
