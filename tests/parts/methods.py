"""The methods of a socket, for tests of what they have in common."""

from __future__ import annotations

import io
from typing import Any

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "_accept": (),
    "accept": (),
    "bind": (("127.0.0.1", 0),),
    "close": (),
    "connect": (("127.0.0.1", 9),),
    "connect_ex": (("127.0.0.1", 9),),
    "detach": (),
    "dup": (),
    "fileno": (),
    "get_inheritable": (),
    "getblocking": (),
    "getpeername": (),
    "getsockname": (),
    "getsockopt": (1, 4),
    "gettimeout": (),
    "listen": (),
    "makefile": (),
    "recv": (1,),
    "recv_into": (bytearray(1),),
    "recvfrom": (1,),
    "recvfrom_into": (bytearray(1),),
    "recvmsg": (1,),
    "recvmsg_into": ([bytearray(1)],),
    "send": (b"x",),
    "sendall": (b"x",),
    "sendfile": (),
    "sendmsg": ([b"x"],),
    "sendto": (b"x", ("127.0.0.1", 9)),
    "set_inheritable": (True,),
    "setblocking": (True,),
    "setsockopt": (1, 9, 1),
    "settimeout": (1,),
    "shutdown": (2,),
    "__del__": (),
    "__enter__": (),
    "__exit__": (),
    "__repr__": (),
}

# The methods that the stdlib has not.
BEYOND: dict[str, tuple[Any, ...]] = {
    "describe": (),
    "getsockopt_bytes": (1, 4),
    "recv_exactly": (1,),
    "recv_exactly_into": (bytearray(1),),
    "tcp_info": (),
}


def arguments(name: str) -> tuple[Any, ...]:
    """Arguments of correct types for a method. Those of `sendfile` are new for each call, since it reads its file."""
    return (io.BytesIO(b"x"),) if name == "sendfile" else ARGUMENTS[name]
