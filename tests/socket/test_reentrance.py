"""Python code that runs in the middle of a call and closes the socket, initialises it again, or gives its number to another file.

The conversion of an argument can run such code, and so can an audit hook, a finalizer or the callback of a weak reference. The call
must then fail, or apply to the socket's new descriptor, as in the stdlib. It must never apply to the other file, as it sometimes does there.
"""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import functools
import gc
import inspect
import io
import json
import os
import socket as stdlib
import stat
import struct
import subprocess
import sys
import termios
import weakref
from unittest import mock

import pytest
from descriptors import open_numbers

NUMBER = struct.calcsize("i")
WAITING = b"waiting"
NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EPERM, errno.EACCES, errno.ESOCKTNOSUPPORT}
AF_CAN = getattr(stdlib, "AF_CAN", 29)
BORROWED = {stdlib.AF_PACKET, AF_CAN, stdlib.AF_VSOCK, stdlib.AF_TIPC}


class Trap:
    """Makes arguments that run an action when a call first uses them."""

    def __init__(self, action):
        self.action = action
        self.triggered = False

    def trigger(self):
        if not self.triggered:
            self.triggered = True
            self.action()

    def object(self, base, *value, **methods):
        """An instance of a subclass of `base` in which some methods are traps."""

        def trapped(method):
            def call(this, *args):
                self.trigger()
                return method(this, *args)

            return call

        names = {name: trapped(method) for name, method in methods.items()}
        return type("Trapped", (base,), {"__hash__": base.__hash__, **names})(*value)

    def number(self, value=0):
        return self.object(object, __index__=lambda _: int(value))

    def real(self, value):
        return self.object(object, __float__=lambda _: value)

    def truth(self, value):
        return self.object(object, __bool__=lambda _: value, __index__=lambda _: int(value))

    def memory(self, value):
        if sys.version_info < (3, 12):
            pytest.skip("__buffer__ is younger")
        return self.object(object, __buffer__=lambda _, flags: memoryview(value))

    def path(self, value):
        return self.object(object, __fspath__=lambda _: value)

    def count(self, value):
        """An int whose comparisons are traps."""
        return self.object(int, value, __le__=int.__le__, __lt__=int.__lt__, __eq__=int.__eq__)

    def word(self, value):
        return self.object(str, value, __iter__=str.__iter__, __contains__=str.__contains__, __eq__=str.__eq__)

    def first(self, values):
        """An iterable that triggers before its first item."""
        self.trigger()
        yield from values

    def last(self, values):
        """An iterable that triggers after its last item."""
        yield from values
        self.trigger()

    def file(self, which, file):
        """A file with one method that is a trap."""

        def trap(*args):
            self.trigger()
            return getattr(file, which)(*args)

        return type("File", (), {"__getattr__": lambda _, name: trap if name == which else getattr(file, name)})()


class Environment:
    """A socket of some kind, with the peer, paths and addresses that its calls need. `stack` closes them all."""

    def __init__(self, socket, kind, folder):
        self.socket = socket
        self.folder = folder
        self.stack = contextlib.ExitStack()
        self.peer = None
        with socket_timeout(socket, 0.2):
            try:
                self.s = getattr(self, f"make_{kind}")()
            except OSError as error:
                self.stack.close()
                if error.errno in NO_SUCH_FAMILY:
                    pytest.skip(f"the kernel cannot open such a socket: {error}")
                raise
        self.stack.callback(self.s.close)
        if self.peer:
            self.peer.setblocking(False)

    def make_stream(self):
        listening = self.stack.enter_context(stdlib.create_server(("127.0.0.1", 0)))
        self.port = listening.getsockname()[1]
        return self.socket.socket()

    def make_listener(self):
        listening = self.socket.create_server(("127.0.0.1", 0))
        self.stack.enter_context(stdlib.create_connection(listening.getsockname()))
        return listening

    def make_inet6(self):
        return self.socket.socket(self.socket.AF_INET6)

    def make_pair(self):
        ours, self.peer = self.socket.socketpair()
        self.stack.enter_context(self.peer)
        self.peer.sendall(WAITING)
        return ours

    def make_datagram(self):
        ours = self.socket.socket(self.socket.AF_INET, self.socket.SOCK_DGRAM)
        self.peer = self.stack.enter_context(self.socket.socket(self.socket.AF_INET, self.socket.SOCK_DGRAM))
        for each in ours, self.peer:
            each.bind(("127.0.0.1", 0))
        self.peer.sendto(WAITING, ours.getsockname())
        self.port = self.peer.getsockname()[1]
        return ours

    def make_path(self):
        self.path = str(self.folder / f"path of {self.socket.__name__}")
        listening = self.stack.enter_context(stdlib.socket(stdlib.AF_UNIX))
        listening.bind(self.path)
        listening.listen()
        self.stack.callback(os.unlink, self.path)
        self.free = self.path + " to bind"
        self.stack.callback(lambda: os.path.exists(self.free) and os.unlink(self.free))
        return self.socket.socket(self.socket.AF_UNIX)

    def make_netlink(self):
        return self.socket.socket(self.socket.AF_NETLINK, self.socket.SOCK_RAW)

    def make_algorithm(self):
        family = self.stack.enter_context(self.socket.socket(self.socket.AF_ALG, self.socket.SOCK_SEQPACKET))
        family.bind(("skcipher", "ecb(aes)"))
        family.setsockopt(self.socket.SOL_ALG, self.socket.ALG_SET_KEY, bytes(16))
        return family.accept()[0]

    def over_path(self, family, kind, proto=0):
        """A socket of a family that the kernel may not support, over a UNIX descriptor: it parses its addresses nevertheless."""
        number = stdlib.socket(stdlib.AF_UNIX, stdlib.SOCK_DGRAM).detach()
        return self.socket.socket(family, kind, proto, number)

    def make_packet(self):
        return self.over_path(stdlib.AF_PACKET, stdlib.SOCK_RAW)

    def make_can(self):
        return self.over_path(AF_CAN, stdlib.SOCK_RAW, 1)

    def make_isotp(self):
        return self.over_path(AF_CAN, stdlib.SOCK_DGRAM, 6)

    def make_j1939(self):
        return self.over_path(AF_CAN, stdlib.SOCK_DGRAM, 7)

    def make_vsock(self):
        return self.over_path(stdlib.AF_VSOCK, stdlib.SOCK_STREAM)

    def make_tipc(self):
        return self.over_path(stdlib.AF_TIPC, stdlib.SOCK_STREAM)

    @property
    def real_family(self):
        """The family of the descriptor."""
        return stdlib.AF_UNIX if self.s.family in BORROWED else self.s.family

    def target(self, port=None):
        return ("127.0.0.1", self.port if port is None else port)

    def data(self):
        """A regular file with data."""
        file = self.stack.enter_context(open(self.folder / "data", "w+b", buffering=0))
        file.write(b"file " * 100)
        file.seek(0)
        return file


@contextlib.contextmanager
def socket_timeout(socket, timeout):
    """Set a short default timeout: a socket that was initialised again may have no peer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def named(trap, call):
    """Make the call with a host name that needs the IDNA codec, which is Python code."""
    from encodings import idna

    def to_ascii(label):
        trap.trigger()
        return label.replace(ONE, "1").encode()

    with mock.patch.object(idna, "ToASCII", to_ascii):
        return call(f"127.0.0.{ONE}")


ONE = "\uff11"  # a full-width digit, which is not ASCII


# For each method and argument: the kind of socket, and a call with a trap in this argument.
# In the calls, s is the socket, t the trap, x the environment and m the module.
CASES = {
    "__init__": {
        "family": ("stream", lambda s, t, x, m: s.__init__(t.number(m.AF_INET), m.SOCK_STREAM)),
        "type": ("stream", lambda s, t, x, m: s.__init__(m.AF_INET, t.number(m.SOCK_STREAM))),
        "proto": ("stream", lambda s, t, x, m: s.__init__(m.AF_INET, m.SOCK_STREAM, t.number(0))),
    },
    "bind": {
        "port": ("stream", lambda s, t, x, m: s.bind(("127.0.0.1", t.number(0)))),
        "host": ("stream", lambda s, t, x, m: named(t, lambda host: s.bind((host, 0)))),
        "flow": ("inet6", lambda s, t, x, m: s.bind(("::1", 0, t.number(0)))),
        "scope": ("inet6", lambda s, t, x, m: s.bind(("::1", 0, 0, t.number(0)))),
        "path": ("path", lambda s, t, x, m: s.bind(t.path(x.free))),
        "path in memory": ("path", lambda s, t, x, m: s.bind(t.memory(os.fsencode(x.free)))),
        "pid": ("netlink", lambda s, t, x, m: s.bind((t.number(0), 0))),
        "groups": ("netlink", lambda s, t, x, m: s.bind((0, t.number(0)))),
        "protocol": ("packet", lambda s, t, x, m: s.bind(("lo", t.number(3)))),
        "packet's type": ("packet", lambda s, t, x, m: s.bind(("lo", 3, t.number(0)))),
        "hardware": ("packet", lambda s, t, x, m: s.bind(("lo", 3, 0, t.number(0)))),
        "hardware address": ("packet", lambda s, t, x, m: s.bind(("lo", 3, 0, 0, t.memory(bytes(6))))),
        "interface": ("can", lambda s, t, x, m: s.bind((t.path("lo"),))),
        "isotp interface": ("isotp", lambda s, t, x, m: s.bind((t.path("lo"), 1, 2))),
        "j1939 interface": ("j1939", lambda s, t, x, m: s.bind((t.path("lo"), 1, 2, 3))),
        "j1939 address": ("j1939", lambda s, t, x, m: s.bind(("lo", 1, 2, t.number(3)))),
        "context": ("vsock", lambda s, t, x, m: s.bind((t.number(1), 2))),
        "tipc": ("tipc", lambda s, t, x, m: s.bind((1, t.number(1), 2, 3))),
    },
    "connect": {
        "port": ("stream", lambda s, t, x, m: s.connect(("127.0.0.1", t.number(x.port)))),
        "host": ("stream", lambda s, t, x, m: named(t, lambda host: s.connect((host, x.port)))),
        "path": ("path", lambda s, t, x, m: s.connect(t.path(x.path))),
        "path in memory": ("path", lambda s, t, x, m: s.connect(t.memory(os.fsencode(x.path)))),
        "pid": ("netlink", lambda s, t, x, m: s.connect((t.number(0), 0))),
        "protocol": ("packet", lambda s, t, x, m: s.connect(("lo", t.number(3)))),
        "interface": ("can", lambda s, t, x, m: s.connect((t.path("lo"),))),
    },
    "connect_ex": {
        "port": ("stream", lambda s, t, x, m: s.connect_ex(("127.0.0.1", t.number(x.port)))),
        "path in memory": ("path", lambda s, t, x, m: s.connect_ex(t.memory(os.fsencode(x.path)))),
        "protocol": ("packet", lambda s, t, x, m: s.connect_ex(("lo", t.number(3)))),
    },
    "getsockopt": {
        "level": ("stream", lambda s, t, x, m: s.getsockopt(t.number(m.SOL_SOCKET), m.SO_TYPE)),
        "option": ("stream", lambda s, t, x, m: s.getsockopt(m.SOL_SOCKET, t.number(m.SO_TYPE))),
        "size": ("stream", lambda s, t, x, m: s.getsockopt(m.SOL_SOCKET, m.SO_TYPE, t.number(4))),
    },
    "listen": {"backlog": ("stream", lambda s, t, x, m: s.listen(t.number(5)))},
    "makefile": {
        "mode": ("pair", lambda s, t, x, m: s.makefile(t.word("rb"))),
        "buffering": ("pair", lambda s, t, x, m: s.makefile("rb", t.count(100))),
        "encoding": ("pair", lambda s, t, x, m: s.makefile("r", 100, encoding=t.word("utf-8"))),
        "errors": ("pair", lambda s, t, x, m: s.makefile("r", 100, errors=t.word("strict"))),
        "newline": ("pair", lambda s, t, x, m: s.makefile("r", 100, newline=t.word("\n"))),
    },
    "recv": {
        "size": ("pair", lambda s, t, x, m: s.recv(t.number(100))),
        "large size": ("pair", lambda s, t, x, m: s.recv(t.number(100_000))),
        "flags": ("pair", lambda s, t, x, m: s.recv(100, t.number(0))),
        "datagram": ("datagram", lambda s, t, x, m: s.recv(t.number(100))),
    },
    "recv_into": {
        "memory": ("pair", lambda s, t, x, m: s.recv_into(t.memory(bytearray(100)))),
        "size": ("pair", lambda s, t, x, m: s.recv_into(bytearray(100), t.number(0))),
        "flags": ("pair", lambda s, t, x, m: s.recv_into(bytearray(100), 0, t.number(0))),
        "named": ("pair", lambda s, t, x, m: s.recv_into(buffer=bytearray(100), flags=t.number(0))),
    },
    "recvfrom": {
        "size": ("datagram", lambda s, t, x, m: s.recvfrom(t.number(100))[0]),
        "flags": ("datagram", lambda s, t, x, m: s.recvfrom(100, t.number(0))[0]),
    },
    "recvfrom_into": {
        "memory": ("datagram", lambda s, t, x, m: s.recvfrom_into(t.memory(bytearray(100)))[0]),
        "size": ("datagram", lambda s, t, x, m: s.recvfrom_into(bytearray(100), t.number(0))[0]),
        "flags": ("datagram", lambda s, t, x, m: s.recvfrom_into(bytearray(100), 0, t.number(0))[0]),
    },
    "recvmsg": {
        "size": ("pair", lambda s, t, x, m: s.recvmsg(t.number(100))),
        "room": ("pair", lambda s, t, x, m: s.recvmsg(100, t.number(100))),
        "flags": ("pair", lambda s, t, x, m: s.recvmsg(100, 100, t.number(0))),
    },
    "recvmsg_into": {
        "first buffer": ("pair", lambda s, t, x, m: s.recvmsg_into(t.first([bytearray(100)]))),
        "last buffer": ("pair", lambda s, t, x, m: s.recvmsg_into(t.last([bytearray(100)]))),
        "memory": ("pair", lambda s, t, x, m: s.recvmsg_into([bytearray(1), t.memory(bytearray(100))])),
        "room": ("pair", lambda s, t, x, m: s.recvmsg_into([bytearray(100)], t.number(100))),
        "flags": ("pair", lambda s, t, x, m: s.recvmsg_into([bytearray(100)], 100, t.number(0))),
    },
    "send": {
        "memory": ("pair", lambda s, t, x, m: s.send(t.memory(b"data"))),
        "flags": ("pair", lambda s, t, x, m: s.send(b"data", t.number(0))),
    },
    "sendall": {
        "memory": ("pair", lambda s, t, x, m: s.sendall(t.memory(b"data"))),
        "flags": ("pair", lambda s, t, x, m: s.sendall(b"data", t.number(0))),
        "much": ("pair", lambda s, t, x, m: s.sendall(b"data" * 30_000, t.number(0))),
    },
    "sendfile": {
        "fileno": ("pair", lambda s, t, x, m: s.sendfile(t.file("fileno", x.data()))),
        "seek": ("pair", lambda s, t, x, m: s.sendfile(t.file("seek", x.data()))),
        "read": ("pair", lambda s, t, x, m: s.sendfile(t.file("read", io.BytesIO(b"data")))),
        "seek for send": ("pair", lambda s, t, x, m: s.sendfile(t.file("seek", io.BytesIO(b"data")), 1)),
        "offset": ("pair", lambda s, t, x, m: s.sendfile(x.data(), t.number(1))),
        "offset for send": ("pair", lambda s, t, x, m: s.sendfile(io.BytesIO(b"data"), t.truth(False))),
        "count": ("pair", lambda s, t, x, m: s.sendfile(x.data(), 0, t.count(100))),
    },
    "sendmsg": {
        "first buffer": ("pair", lambda s, t, x, m: s.sendmsg(t.first([b"data"]))),
        "last buffer": ("pair", lambda s, t, x, m: s.sendmsg(t.last([b"data"]))),
        "memory": ("pair", lambda s, t, x, m: s.sendmsg([b"d", t.memory(b"ata")])),
        "control": ("pair", lambda s, t, x, m: s.sendmsg([b"data"], t.first([(m.SOL_SOCKET, m.SCM_RIGHTS, rights(0))]))),
        "level": ("pair", lambda s, t, x, m: s.sendmsg([b"data"], [(t.number(m.SOL_SOCKET), m.SCM_RIGHTS, rights(0))])),
        "type": ("pair", lambda s, t, x, m: s.sendmsg([b"data"], [(m.SOL_SOCKET, t.number(m.SCM_RIGHTS), rights(0))])),
        "control memory": (
            "pair",
            lambda s, t, x, m: s.sendmsg([b"data"], [(m.SOL_SOCKET, m.SCM_RIGHTS, t.memory(rights(0)))]),
        ),
        "flags": ("pair", lambda s, t, x, m: s.sendmsg([b"data"], [], t.number(0))),
        "address": ("datagram", lambda s, t, x, m: s.sendmsg([b"data"], [], 0, ("127.0.0.1", t.number(x.port)))),
        "protocol": ("packet", lambda s, t, x, m: s.sendmsg([b"data"], [], 0, ("lo", t.number(3)))),
    },
    "sendmsg_afalg": {
        "message": ("algorithm", lambda s, t, x, m: s.sendmsg_afalg(t.first([bytes(16)]), op=m.ALG_OP_ENCRYPT)),
        "memory": ("algorithm", lambda s, t, x, m: s.sendmsg_afalg([t.memory(bytes(16))], op=m.ALG_OP_ENCRYPT)),
        "vector": ("algorithm", lambda s, t, x, m: s.sendmsg_afalg([bytes(16)], op=m.ALG_OP_ENCRYPT, iv=t.memory(b""))),
        "flags": ("algorithm", lambda s, t, x, m: s.sendmsg_afalg([bytes(16)], op=m.ALG_OP_ENCRYPT, flags=t.number(0))),
    },
    "sendto": {
        "memory": ("datagram", lambda s, t, x, m: s.sendto(t.memory(b"data"), x.target())),
        "flags": ("datagram", lambda s, t, x, m: s.sendto(b"data", t.number(0), x.target())),
        "port": ("datagram", lambda s, t, x, m: s.sendto(b"data", x.target(t.number(x.port)))),
        "host": ("datagram", lambda s, t, x, m: named(t, lambda host: s.sendto(b"data", (host, x.port)))),
        "protocol": ("packet", lambda s, t, x, m: s.sendto(b"data", ("lo", t.number(3)))),
        "interface": ("can", lambda s, t, x, m: s.sendto(b"data", (t.path("lo"),))),
    },
    "set_inheritable": {"flag": ("stream", lambda s, t, x, m: s.set_inheritable(t.number(1)))},
    "setblocking": {"flag": ("stream", lambda s, t, x, m: s.setblocking(t.truth(False)))},
    "setsockopt": {
        "level": ("stream", lambda s, t, x, m: s.setsockopt(t.number(m.SOL_SOCKET), m.SO_KEEPALIVE, 1)),
        "option": ("stream", lambda s, t, x, m: s.setsockopt(m.SOL_SOCKET, t.number(m.SO_KEEPALIVE), 1)),
        "value": ("stream", lambda s, t, x, m: s.setsockopt(m.SOL_SOCKET, m.SO_KEEPALIVE, t.number(1))),
        "value on a path": ("path", lambda s, t, x, m: s.setsockopt(m.SOL_SOCKET, m.SO_KEEPALIVE, t.number(1))),
        "memory": ("stream", lambda s, t, x, m: s.setsockopt(m.SOL_SOCKET, m.SO_KEEPALIVE, t.memory(rights(1)))),
        "length": ("stream", lambda s, t, x, m: s.setsockopt(m.SOL_SOCKET, m.SO_KEEPALIVE, None, t.number(4))),
    },
    "settimeout": {
        "number": ("stream", lambda s, t, x, m: s.settimeout(t.number(0))),
        "real": ("stream", lambda s, t, x, m: s.settimeout(t.real(0.0))),
    },
    "shutdown": {"how": ("pair", lambda s, t, x, m: s.shutdown(t.number(m.SHUT_WR)))},
    "_check_sendfile_params": {
        "count": ("pair", lambda s, t, x, m: s._check_sendfile_params(x.data(), 0, t.count(1))),
    },
    "_sendfile_use_send": {
        "read": ("pair", lambda s, t, x, m: s._sendfile_use_send(t.file("read", io.BytesIO(b"data")))),
    },
    "_sendfile_use_sendfile": {
        "fileno": ("pair", lambda s, t, x, m: s._sendfile_use_sendfile(t.file("fileno", x.data()))),
    },
    "_sendfile_zerocopy": {
        "function": ("pair", lambda s, t, x, m: s._sendfile_zerocopy(lambda *_: t.trigger() or 0, OSError, x.data())),
    },
}

# Methods that the stdlib has not.
BEYOND = {
    "getsockopt_bytes": {
        "level": ("stream", lambda s, t, x, m: s.getsockopt_bytes(t.number(m.SOL_SOCKET), m.SO_TYPE)),
        "option": ("stream", lambda s, t, x, m: s.getsockopt_bytes(m.SOL_SOCKET, t.number(m.SO_TYPE))),
        "size": ("stream", lambda s, t, x, m: s.getsockopt_bytes(m.SOL_SOCKET, m.SO_TYPE, t.number(4))),
    },
    "recv_exactly": {
        "size": ("pair", lambda s, t, x, m: s.recv_exactly(t.number(3))),
        "flags": ("pair", lambda s, t, x, m: s.recv_exactly(3, t.number(0))),
        "too much": ("pair", lambda s, t, x, m: s.recv_exactly(t.number(100_000))),
    },
    "recv_exactly_into": {
        "memory": ("pair", lambda s, t, x, m: s.recv_exactly_into(t.memory(bytearray(3)))),
        "size": ("pair", lambda s, t, x, m: s.recv_exactly_into(bytearray(100), t.number(3))),
        "flags": ("pair", lambda s, t, x, m: s.recv_exactly_into(bytearray(3), 0, t.number(0))),
    },
}
BEYOND_BARE = {"_readiness", "describe", "tcp_info"}

# Functions of the module that take a socket. A function that takes a number (close, dup, fromfd) must use the number it was given.
FUNCTIONS = {
    "send_fds": {
        "buffers": ("pair", lambda s, t, x, m: m.send_fds(s, t.first([b"data"]), [0])),
        "descriptors": ("pair", lambda s, t, x, m: m.send_fds(s, [b"data"], t.first([0]))),
        "flags": ("pair", lambda s, t, x, m: m.send_fds(s, [b"data"], [0], t.number(0))),
    },
    "recv_fds": {
        "size": ("pair", lambda s, t, x, m: m.recv_fds(s, t.number(100), 1)),
        "flags": ("pair", lambda s, t, x, m: m.recv_fds(s, 100, 1, t.number(0))),
    },
    "fromfd": {
        "family": ("pair", lambda s, t, x, m: m.fromfd(s.fileno(), t.number(m.AF_UNIX), m.SOCK_STREAM)),
        "type": ("pair", lambda s, t, x, m: m.fromfd(s.fileno(), m.AF_UNIX, t.number(m.SOCK_STREAM))),
    },
    "SocketIO": {"mode": ("pair", lambda s, t, x, m: m.SocketIO(s, t.word("rb")))},
}

# Calls that raise audit events. They run in another program, since an audit hook cannot be removed.
AUDITED = {
    "__init__": ("stream", "socket.__new__", lambda s, x, m: s.__init__()),
    "accept": ("listener", "socket.__new__", lambda s, x, m: s.accept()[0]),
    "dup": ("pair", "socket.__new__", lambda s, x, m: s.dup()),
    "fromfd": ("pair", "socket.__new__", lambda s, x, m: m.fromfd(s.fileno(), m.AF_UNIX, m.SOCK_STREAM)),
    "bind": ("stream", "socket.bind", lambda s, x, m: s.bind(("127.0.0.1", 0))),
    "bind a path": ("path", "socket.bind", lambda s, x, m: s.bind(x.free)),
    "bind a packet": ("packet", "socket.bind", lambda s, x, m: s.bind(("lo", 3))),
    "connect": ("stream", "socket.connect", lambda s, x, m: s.connect(x.target())),
    "connect a path": ("path", "socket.connect", lambda s, x, m: s.connect(x.path)),
    "connect_ex": ("stream", "socket.connect", lambda s, x, m: s.connect_ex(x.target())),
    "sendto": ("datagram", "socket.sendto", lambda s, x, m: s.sendto(b"data", x.target())),
    "sendto with flags": ("datagram", "socket.sendto", lambda s, x, m: s.sendto(b"data", 0, x.target())),
    "sendmsg": ("pair", "socket.sendmsg", lambda s, x, m: s.sendmsg([b"data"])),
    "sendmsg to": ("datagram", "socket.sendmsg", lambda s, x, m: s.sendmsg([b"data"], [], 0, x.target())),
    "send_fds": ("pair", "socket.sendmsg", lambda s, x, m: m.send_fds(s, [b"data"], [0])),
}

# Methods that take no argument, or do not use it.
BARE_METHODS = {
    "__del__",
    "__enter__",
    "__exit__",
    "_accept",
    "_decref_socketios",
    "_real_close",
    "accept",
    "close",
    "detach",
    "dup",
    "fileno",
    "get_inheritable",
    "gethostname",
    "getblocking",
    "getpeername",
    "getsockname",
    "gettimeout",
}


def rights(*numbers):
    return array.array("i", numbers).tobytes()


def test_every_method_is_in_the_table(socket, ours):
    methods = {name for name in dir(socket.socket) if callable(getattr(socket.socket, name)) and name not in dir(object)}
    listed = set(CASES) | BARE_METHODS | (set(BEYOND) | BEYOND_BARE if ours else set())
    assert methods - listed == set()
    assert listed - methods <= {
        "__init__",
        "__del__",
        "_sendfile_zerocopy",
        "gethostname",
    }  # only later Pythons have the last two


@pytest.mark.parametrize("name", sorted(BARE_METHODS - {"__del__", "__exit__", "_real_close", "gethostname"}))
def test_the_other_methods_take_no_argument(socket, keep, name):
    s = keep(socket.socket())
    with pytest.raises(TypeError):
        getattr(s, name)(Trap(s.close).number())
    assert s.fileno() >= 0


@pytest.mark.parametrize("name", sorted(BEYOND_BARE))
def test_those_that_the_stdlib_has_not_neither(oxisocket, keep, name):
    s = keep(oxisocket.socket())
    with pytest.raises(TypeError):
        getattr(s, name)(Trap(s.close).number())
    assert s.fileno() >= 0


def test_every_function_that_takes_a_socket_is_in_the_table(socket):
    taking = set()
    for name in dir(socket):
        function = getattr(socket, name)
        if inspect.isfunction(function) and function.__module__ == "socket":
            taking |= {name for each in inspect.signature(function).parameters if each in ("sock", "fd")}
    assert taking <= set(FUNCTIONS)


class OtherFile:
    """An open file that has nothing to do with the call."""

    def __init__(self, kind, env, stack):
        self.stack = stack
        self.peer = None
        self.number = getattr(self, f"make_{kind}")(env)
        stack.callback(os.close, self.number)

    def make_null(self, env):
        return os.open(os.devnull, os.O_RDWR)

    def make_pipe(self, env):
        path = env.folder / "pipe"
        os.mkfifo(path)
        self.stack.callback(os.unlink, path)
        number = os.open(path, os.O_RDWR)
        os.write(number, WAITING)
        return number

    def make_twin(self, env):
        return stdlib.socket(env.real_family, env.s.type).detach()

    def make_connected(self, env):
        ours, self.peer = stdlib.socketpair()
        self.stack.enter_context(self.peer)
        self.peer.sendall(WAITING)
        return ours.detach()

    def make_receiving(self, env):
        ours = stdlib.socket(stdlib.AF_INET, stdlib.SOCK_DGRAM)
        ours.bind(("127.0.0.1", 0))
        ours.connect(ours.getsockname())
        ours.send(WAITING)
        return ours.detach()


def state(number, peer):
    """All that a stray call could change in an open file, and in its peer."""
    try:
        status = os.fstat(number)
    except OSError as error:
        return error.errno
    found = [status.st_ino, status.st_size, fcntl.fcntl(number, fcntl.F_GETFL), fcntl.fcntl(number, fcntl.F_GETFD)]
    if stat.S_ISFIFO(status.st_mode):
        found.append(array.array("i", fcntl.ioctl(number, termios.FIONREAD, bytes(NUMBER))))
    if stat.S_ISSOCK(status.st_mode):
        with stdlib.socket(fileno=os.dup(number)) as sock:
            found += [attempt(sock.getsockname), attempt(sock.getpeername), peeked(sock)]
            found += [attempt(sock.getsockopt, stdlib.SOL_SOCKET, option, 8) for option in OPTIONS]
    if peer:
        found.append(peeked(peer))
    return found


OPTIONS = [
    getattr(stdlib, name) for name in ("SO_KEEPALIVE", "SO_REUSEADDR", "SO_LINGER", "SO_RCVTIMEO", "SO_ACCEPTCONN", "SO_ERROR")
]


def attempt(function, *args):
    try:
        return function(*args)
    except OSError as error:
        return error.errno


def peeked(sock):
    return attempt(sock.recv, 1000, stdlib.MSG_PEEK | stdlib.MSG_DONTWAIT)


def plain(value):
    """A result in a form that can be compared. Sockets and files in it are closed."""
    if hasattr(value, "close") and hasattr(value, "fileno"):
        value.close()
        return "something open"
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value


def outcome(function, *args):
    try:
        return "returned", plain(function(*args))
    except Exception as error:
        return "raised", type(error).__name__, getattr(error, "errno", None), str(error)


# The event that the audit hook waits for, and its trap.
awaited = []


def hook(event, _arguments):
    if awaited and awaited[0][0] == event:
        awaited.pop()[1].trigger()


def audited(event, call):
    """The call in the same form as in CASES: its trap is an audit hook."""

    def call_awaiting(s, trap, x, socket):
        awaited[:] = [(event, trap)]
        try:
            return call(s, x, socket)
        finally:
            awaited.clear()

    return call_awaiting


class Execution:
    """The execution of one call, with an action on its socket in the middle."""

    def __init__(self, socket, kind, call, action, folder):
        before = open_numbers()
        name, _, which = action.partition(" ")
        trap = Trap(getattr(self, name))
        self.forbidden = None
        with contextlib.ExitStack() as stack:
            self.env = Environment(socket, kind, folder)
            stack.enter_context(self.env.stack)
            self.other_file = OtherFile(which, self.env, stack) if which else None
            with socket_timeout(socket, 0.02):
                self.outcome = outcome(call, self.env.s, trap, self.env, socket)
            if action.startswith("collect"):
                gc.collect(0)  # in case no collection has happened yet
            self.triggered = trap.triggered
            self.is_safe = True
            if self.forbidden is not None:
                number, peer, then = self.forbidden
                self.is_safe = state(number, peer) == then
                with contextlib.suppress(OSError):
                    os.close(number)
            self.outcome = (self.outcome, self.env.peer and peeked(self.env.peer))
        self.leaked = open_numbers() - before
        for number in self.leaked:
            os.close(number)

    def forbid(self, number, peer):
        """From now on the number does not belong to the socket: the call must not change its file."""
        self.forbidden = number, peer, state(number, peer)

    def close(self):
        self.env.s.close()

    def reinitialise(self):
        """The old descriptor stays open and no socket owns it, as in C."""
        s = self.env.s
        number, peer = s.fileno(), self.env.peer if s.type == stdlib.SOCK_STREAM else None
        s.__init__(self.env.real_family, s.type)
        self.forbid(number, peer)

    def swap(self):
        """Close the socket, and give its number to the other file."""
        number = self.env.s.fileno()
        self.env.s.close()
        if self.env.s.fileno() != -1:
            return  # a file object keeps it open
        os.dup2(self.other_file.number, number, inheritable=False)
        self.forbid(number, self.other_file.peer)

    def nothing(self):
        """No action, for comparison."""

    def collect(self):
        """A finalizer closes the socket in a garbage collection."""
        Finalized(self.close)
        gc.collect(0)
        assert self.env.s.fileno() == -1 or self.env.s._io_refs

    def collect_soon(self):
        """A finalizer gives the number to the other file in the next garbage collection, which happens as soon as possible."""
        gc.disable()
        Finalized(self.swap)
        gc.set_threshold(1)
        gc.enable()

    def clear_reference(self):
        """The callback of a weak reference closes the socket."""

        class Referent:
            pass

        referent = Referent()
        reference = weakref.ref(referent, lambda _: self.env.s.close())
        del referent
        assert reference() is None


class Finalized:
    """An object that only a garbage collection frees."""

    def __init__(self, action):
        self.action, self.cycle = action, self

    def __del__(self):
        self.action()


ACTIONS = ["close", "reinitialise", "collect", "clear_reference"]
OTHER_FILES = ["null", "pipe", "twin", "connected", "receiving"]


def calls(*tables):
    return [
        pytest.param(kind, call, id=f"{method}-{argument}")
        for table in tables
        for method, cases in table.items()
        for argument, (kind, call) in cases.items()
    ]


COMMON, ALL = calls(CASES, FUNCTIONS), calls(CASES, FUNCTIONS, BEYOND)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("kind", "call"), COMMON)
def test_the_outcome_is_the_stdlibs(both, tmp_path, kind, call, action):
    def executions():
        theirs, ours = [Execution(module, kind, call, action, tmp_path) for module in both]
        assert ours.is_safe, ours.outcome
        assert len(ours.leaked) <= len(theirs.leaked)
        return theirs, ours

    theirs, ours = executions()
    if theirs.outcome != ours.outcome:
        # A process that is being started holds a copy of each descriptor for a moment, and then a peer meets no end: once is no outcome.
        theirs, ours = executions()
    if theirs.is_safe and theirs.triggered == ours.triggered:
        assert ours.outcome == theirs.outcome


@pytest.mark.parametrize("other_file", OTHER_FILES)
@pytest.mark.parametrize(("kind", "call"), ALL)
def test_another_file_with_the_number_is_not_touched(oxisocket, tmp_path, kind, call, other_file):
    closed, swapped = [Execution(oxisocket, kind, call, action, tmp_path) for action in ("close", f"swap {other_file}")]
    assert swapped.is_safe, swapped.outcome
    assert not swapped.leaked
    assert swapped.outcome == closed.outcome


@pytest.fixture
def collector():
    """Restores the garbage collector's settings."""
    before = gc.get_threshold()
    gc.collect()
    yield
    gc.set_threshold(*before)
    gc.enable()


@pytest.mark.parametrize(("kind", "call"), ALL)
def test_a_garbage_collection_at_any_place(oxisocket, collector, tmp_path, kind, call):
    done, closed, collected = [
        Execution(oxisocket, kind, call, action, tmp_path) for action in ("nothing", "close", "collect_soon twin")
    ]
    assert collected.is_safe, collected.outcome
    assert len(collected.leaked) <= len(done.leaked)
    assert collected.outcome[0] in (done.outcome[0], closed.outcome[0])


AUDIT = """
import importlib.util, json, pathlib, socket as stdlib, sys, oxisocket

path, folder = map(pathlib.Path, sys.argv[1:])
spec = importlib.util.spec_from_file_location("reentrance", path)
reentrance = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reentrance)
sys.addaudithook(reentrance.hook)
print(json.dumps(list(reentrance.audit_failures(stdlib, oxisocket, folder))))
"""


def execute_audited(kind, call, folder, module, action):
    return Execution(module, kind, call, action, folder)


def audit_failures(theirs, ours, folder):
    """The failures of calls with an action in an audit hook."""
    for name, (kind, event, call) in AUDITED.items():
        execute = functools.partial(execute_audited, kind, audited(event, call), folder)
        for action in ACTIONS:
            expected, found = execute(theirs, action), execute(ours, action)
            if not (found.is_safe and found.triggered) or len(found.leaked) > len(expected.leaked):
                yield name, action, "not safe", found.outcome
            elif expected.is_safe and found.outcome != expected.outcome:
                yield name, action, found.outcome, expected.outcome
        closed = execute(ours, "close")
        for other_file in OTHER_FILES:
            swapped = execute(ours, f"swap {other_file}")
            if not swapped.is_safe or swapped.leaked or swapped.outcome != closed.outcome:
                yield name, other_file, swapped.outcome, closed.outcome


def test_audit_hooks(oxisocket, tmp_path, with_parts):
    command = [sys.executable, "-c", AUDIT, __file__, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, env=with_parts)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == []
