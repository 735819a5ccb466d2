"""The environment of a program: two connected sockets, one that listens, and some others. A few lines of Python make them.

a, b   connected to each other             x   made last, to be bound or connected
l      listens, or is bound, at d + '/l'   g   of the class that `socket` derives from
c      closed                              f   a file made of a
d      an empty folder                     t   a file of ten bytes
"""

from __future__ import annotations

from machine import HAS_LOOPBACK6

PRELUDE = """
import array, contextlib, copy, decimal, fractions, io, meanwhile, os, pickle, struct, weakref
from meanwhile import brief, drain, in_child

class Index:
    def __init__(self, value=None):
        self.value = value
    def __index__(self):
        if self.value is None:
            raise ZeroDivisionError("no index")
        return self.value() if callable(self.value) else self.value

def set_nonblocking(*sockets):
    for each in sockets:
        with contextlib.suppress(OSError):
            each.settimeout(0)

big = b'much' * 60_000
"""

TRANSPORTS = {
    "UNIX stream": """
a, b = socket.socketpair()
l = socket.socket(socket.AF_UNIX)
l.bind(d + '/l')
l.listen()
""",
    "INET stream": """
l = socket.create_server(('127.0.0.1', 0))
a = socket.create_connection(l.getsockname())
b, _ = l.accept()
""",
    "INET6 stream": """
l = socket.create_server(('::1', 0), family=socket.AF_INET6)
a = socket.create_connection(l.getsockname()[:2])
b, _ = l.accept()
""",
    "UNIX datagram": """
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
l = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
l.bind(d + '/l')
""",
    "INET datagram": """
a, b, l = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
for each in a, b, l:
    each.bind(('127.0.0.1', 0))
a.connect(b.getsockname())
b.connect(a.getsockname())
""",
    "INET6 datagram": """
a, b, l = (socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(3))
for each in a, b, l:
    each.bind(('::1', 0))
a.connect(b.getsockname())
b.connect(a.getsockname())
""",
    "UNIX packets": """
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
l = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
l.bind(d + '/l')
l.listen()
""",
}
if not HAS_LOOPBACK6:
    TRANSPORTS = {name: text for name, text in TRANSPORTS.items() if "INET6" not in name}

OTHERS = """
x = socket.socket(a.family, a.type)
c = socket.socket(a.family, a.type)
c.close()
g = _socket.socket(a.family, a.type)
f = a.makefile('rwb')
t = open(d + '/data', 'rb')
aside, interrupted, race = meanwhile.bound(globals())
"""

BLOCKING_MODES = {
    "non-blocking": """
set_nonblocking(a, b, l, x, g)
""",
    "a timeout": """
for each in a, b, l, x, g:
    each.settimeout(0.001)
""",
    # The kernel ends a call that would block.
    "blocking": """
for each in a, b, l, x, g:
    each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 1000))
    each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', 0, 1000))
""",
}


def setup_code(transport: str, blocking_mode: str) -> str:
    """The lines that make the environment, from one of TRANSPORTS and one of BLOCKING_MODES."""
    return TRANSPORTS[transport] + OTHERS + BLOCKING_MODES[blocking_mode]
