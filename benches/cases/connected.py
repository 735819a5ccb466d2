"""Two connected sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable

Ends = tuple[socket.socket, socket.socket]
Connect = Callable[[], Ends]


def unix() -> Ends:
    return socket.socketpair()


def tcp() -> Ends:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        left = socket.create_connection(listener.getsockname())
        right, _ = listener.accept()
    for end in (left, right):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return left, right
