"""What this machine has and lacks. Tests ask here, and contain no number that holds only on the machine they were written on."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def succeeds(call: Callable[[], object]) -> bool:
    with contextlib.suppress(OSError):
        call()
        return True
    return False


def binds(family: int, host: str) -> bool:
    with socket.socket(family) as tried:
        return succeeds(lambda: tried.bind((host, 0)))


# Whether a C `long`, a size and an address have 64 bits, or 32.
HAS_64_BITS = sys.maxsize > 2**32
# More than there ever is memory for; of 32 bits, half of all addresses may be had.
needs_64_bits = pytest.mark.skipif(not HAS_64_BITS, reason="every size that fits 32 bits could be had")

# A kernel may lack IPv6, or have IPv6 but no IPv6 address, as in a new network namespace.
HAS_INET6 = socket.has_ipv6 and succeeds(lambda: socket.socket(socket.AF_INET6).close())
HAS_LOOPBACK6 = HAS_INET6 and binds(socket.AF_INET6, "::1")
# An address reserved for documentation, which no machine has. Where net.ipv4.ip_nonlocal_bind is set, it can be bound nevertheless.
BINDS_FOREIGN_ADDRESSES = binds(socket.AF_INET, "203.0.113.1")
KNOWS_LOCALHOST = succeeds(lambda: socket.gethostbyname("localhost"))
KNOWS_ITS_NAME = succeeds(lambda: socket.gethostbyaddr("127.0.0.1"))
# /etc/services and /etc/protocols, which small containers lack.
HAS_TABLES = succeeds(lambda: (socket.getservbyname("http"), socket.getprotobyname("tcp")))

needs_inet6 = pytest.mark.skipif(not HAS_INET6, reason="the kernel has no IPv6")
needs_loopback6 = pytest.mark.skipif(not HAS_LOOPBACK6, reason="this machine has no address ::1")
needs_localhost = pytest.mark.skipif(not KNOWS_LOCALHOST, reason="this machine does not know localhost")
needs_its_name = pytest.mark.skipif(not KNOWS_ITS_NAME, reason="this machine has no name for 127.0.0.1")
INET6 = pytest.param("AF_INET6", marks=needs_inet6)  # for the parameters of tests


def congestion_algorithms() -> list[bytes]:
    """The congestion control algorithms of TCP that the kernel has and that every user may choose."""
    folder = Path("/proc/sys/net/ipv4")
    try:
        there, allowed = ((folder / f"tcp_{which}_congestion_control").read_bytes().split() for which in ("available", "allowed"))
    except OSError:
        return []
    return sorted(set(there) & set(allowed))


def spare_descriptors() -> int:
    """How many more descriptors this process may open."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limit - len(os.listdir("/proc/self/fd"))
