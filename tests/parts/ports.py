"""The ports of this machine."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path


def ephemeral_ports() -> tuple[int, int]:
    """Return the first and the last of the ports that the kernel picks from when a program binds to port 0."""
    try:
        first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    except OSError:
        return 32768, 60999
    return first, last


def free_port() -> int:
    """Return a port that the kernel does not give to clients, if possible: one that connects before the server listens must not connect
    to itself."""
    first, last = ephemeral_ports()
    others = [*range(10_000, first), *range(last + 1, 65_536)]
    while True:
        port = random.choice(others or range(10_000, 65_536))
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
