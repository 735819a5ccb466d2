"""The ways to receive, for tests of what they have in common."""

from __future__ import annotations

import socket
from collections.abc import Callable


def receives(size: int) -> dict[str, Callable[[socket.socket], object]]:
    """The methods that receive, each as a call that asks for `size` bytes."""
    return {
        "recv": lambda s: s.recv(size),
        "recv_into": lambda s: s.recv_into(bytearray(size)),
        "recvfrom": lambda s: s.recvfrom(size),
        "recvfrom_into": lambda s: s.recvfrom_into(bytearray(size)),
        "recvmsg": lambda s: s.recvmsg(size),
        "recvmsg_into": lambda s: s.recvmsg_into([bytearray(size)]),
    }
