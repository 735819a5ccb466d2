"""gevent's sockets in place of the standard library's."""

import sys

from order import install, report

install("first")
import gevent.socket
from gevent import monkey

install("between")
monkey.patch_all()
install("last")

import socket
import ssl

from conversation import converse

converse(sys.argv[2])
print(socket.socket is gevent.socket.socket, issubclass(ssl.SSLSocket, gevent.socket.socket))
report()
