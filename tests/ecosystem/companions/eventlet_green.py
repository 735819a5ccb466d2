"""eventlet's sockets in place of the standard library's."""

import sys
import warnings

from order import install, report

install("first")
with warnings.catch_warnings(action="ignore"):
    import eventlet

    install("between")
    eventlet.monkey_patch()
install("last")

import socket

from conversation import converse
from eventlet.greenio import GreenSocket

converse(sys.argv[2])
print(socket.socket is GreenSocket)
report()
