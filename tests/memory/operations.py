"""The calls to make without memory: methods and functions, the ways in which they succeed and those in which they fail.

An operation is a generator function that takes the environment. It prepares what the call needs, yields the function and its
arguments, receives what the call returned (None if it raised), cleans up, and returns the value to compare.
"""

from __future__ import annotations

import array
import contextlib
import importlib
import io
import os
import tempfile
from functools import partial

SO_PASSPIDFD = 76

GROUPS = {}
TABLES = {}
UNENCODABLE_NAME = "ü" * 70 + ".example"  # IDNA cannot encode such a long label


def operation(group):
    """Adds a generator function to a group."""

    def add(function):
        GROUPS.setdefault(group, {})[function.__name__.replace("_", " ")] = function
        return function

    return add


def table(group):
    """Adds the entries that a function of the environment returns to a group: a name, what to do before, the function, its arguments."""

    def add(function):
        TABLES.setdefault(group, []).append(function)
        return function

    return add


def entry(before, function, *arguments):
    """The operation for an entry of a table."""

    def run(env):
        if before is not None:
            before()
        value = yield function, arguments
        env.clean_up()
        return value

    return run


def operations(group, env):
    """The operations of a group by their names."""
    found = dict(GROUPS.get(group, {}))
    for listed in TABLES.get(group, ()):
        found |= {name: entry(*entries) for name, entries in listed(env).items()}
    return found


class Environment:
    """The sockets and files that the calls are made on."""

    def __init__(self, module):
        self.module = module
        self.base = importlib.import_module("_socket" if module.__name__ == "socket" else "oxisocket._socket")
        self.left, self.right = module.socketpair()
        self.slow, self._silent = module.socketpair()
        self.slow.settimeout(0.001)
        self.nonblocking, self._silent_too = module.socketpair()
        self.nonblocking.setblocking(False)
        self.listening = module.create_server(("127.0.0.1", 0))
        self.listening.settimeout(5)
        self.address = self.listening.getsockname()
        self.idle_listener = module.create_server(("127.0.0.1", 0))
        self.idle_listener.settimeout(0.001)
        self.one, self.other = (module.socket(type=module.SOCK_DGRAM) for _ in range(2))
        for each in self.one, self.other:
            each.bind(("127.0.0.1", 0))
            each.settimeout(5)
        self.target = self.one.getsockname()
        self.tcp, self.six = module.socket(), module.socket(module.AF_INET6)
        self._bound = module.socket()
        self._bound.bind(("127.0.0.1", 0))
        self.refusing = self._bound.getsockname()  # no socket listens there
        self.closed = module.socket()
        self.closed.close()
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "socket\udce4")
        self.unix, self.abstract = (module.socket(module.AF_UNIX) for _ in range(2))
        self.unix.bind(self.path)
        self.abstract.bind("")
        self.subclass = type("Subclass", (module.socket,), {})
        self.of_subclass = self.subclass()
        self.of_base = self.base.socket()
        self.buffer, self.large_buffer, self.large = bytearray(100), bytearray(100_000), b"x" * 100_000
        self.file = tempfile.TemporaryFile()
        self.file.write(b"y" * 100)
        self.file.flush()
        self.text_file = open(os.devnull)
        self.rights = [(module.SOL_SOCKET, module.SCM_RIGHTS, array.array("i", [self.file.fileno()] * 2))]
        self.reader, self.writer = self.right.makefile("rb"), self.right.makefile("wb")
        self.raw, self.slow_raw = self.right.makefile("rwb", 0), self.slow.makefile("rb", 0)

    def message(self):
        self.left.send(b"x" * 10)

    def line(self):
        self.left.send(b"line\n")

    def much(self):
        self.left.send(self.large)

    def datagram(self):
        self.other.sendto(b"x" * 10, self.target)

    def descriptors(self):
        self.left.sendmsg([b"x"], self.rights)

    def rewind(self):
        self.file.seek(0)

    def forget_timeout(self):
        """After a timeout, a file object does not read any more."""
        self.slow_raw._timeout_occurred = False

    def connected(self):
        """A client whose connection is in the backlog."""
        client = self.module.socket()
        client.connect(self.address)
        return client

    def clean_up(self):
        """Receives the data and accepts the connections that a call left behind."""
        for each in self.right, self.left, self.one, self._silent_too:
            drain(each, partial(each.recv, 1_000_000))
        drain(self.listening, self.accept_and_close)

    def accept_and_close(self):
        self.listening.accept()[0].close()


def drain(socket, receive):
    """Repeats a call on a socket until it would block, or receives EOF."""
    timeout = socket.gettimeout()
    socket.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while receive() != b"":
            pass
    socket.settimeout(timeout)


def close_received(control):
    """Closes the descriptors received in control messages."""
    for _, _, data in control:
        numbers = array.array("i")
        numbers.frombytes(data[: len(data) // numbers.itemsize * numbers.itemsize])
        for number in numbers:
            os.close(number)


@table("transfer")
def transfers(env):
    left, right, slow, nonblocking, closed = env.left, env.right, env.slow, env.nonblocking, env.closed
    return {
        "recv": (env.message, right.recv, 10),
        "recv with flags": (env.message, right.recv, 10, 0),
        "recv into kept memory": (env.much, right.recv, 50_000),
        "recv of much": (env.much, right.recv, 1_000_000),
        "recv with MSG_TRUNC": (env.message, right.recv, 20_000, env.module.MSG_TRUNC),
        "recv of a subclass": (None, env.of_subclass.recv, 10),
        "recv that times out": (None, slow.recv, 10),
        "recv that would block": (None, nonblocking.recv, 10),
        "recv of a negative size": (None, right.recv, -1),
        "recv of a wrong type": (None, right.recv, "x"),
        "recv with too many arguments": (None, right.recv, 1, 2, 3),
        "recv on a closed socket": (None, closed.recv, 10),
        "recv_into": (env.message, right.recv_into, env.buffer),
        "recv_into of much": (env.much, right.recv_into, env.large_buffer),
        "recv_into with keywords": (env.message, partial(right.recv_into, buffer=env.buffer, nbytes=5)),
        "recv_into that times out": (None, slow.recv_into, env.buffer),
        "recv_into too small a buffer": (None, right.recv_into, env.buffer, 1000),
        "recv_into bytes": (None, right.recv_into, b"x"),
        "recvfrom": (env.datagram, env.one.recvfrom, 100),
        "recvfrom of a pair": (env.message, right.recvfrom, 10),
        "recvfrom that times out": (None, slow.recvfrom, 10),
        "recvfrom_into": (env.datagram, env.one.recvfrom_into, env.buffer),
        "send": (None, left.send, b"x"),
        "send and count to a larger number": (None, left.send, b"x" * 300),
        "send an array": (None, left.send, env.buffer, 0),
        "send text": (None, left.send, "x"),
        "send with wrong flags": (None, left.send, b"x", "x"),
        "send on a closed socket": (None, closed.send, b"x"),
        "sendall": (None, left.sendall, b"x"),
        "sendall that would block": (None, nonblocking.sendall, env.large * 100),
        "sendto": (None, env.other.sendto, b"x", env.target),
        "sendto without an address": (None, env.other.sendto, b"x"),
        "sendto a number": (None, env.other.sendto, b"x", 5),
        "sendto a wrong port": (None, env.other.sendto, b"x", ("127.0.0.1", 70_000)),
    }


@table("beyond")
def exact_transfers(env):
    right, slow, nonblocking, closed = env.right, env.slow, env.nonblocking, env.closed
    reader = partial(env.module.Reader, right)
    slow_reader = env.module.Reader(slow)
    lines = env.module.Reader(Lines())
    assert lines.readline()
    return {
        "recv_exactly": (env.message, right.recv_exactly, 10),
        "recv_exactly of much": (env.much, right.recv_exactly, 100_000),
        "recv_exactly with keywords": (env.message, partial(right.recv_exactly, n=5, flags=0)),
        "recv_exactly of a subclass": (None, env.of_subclass.recv_exactly, 10),
        "recv_exactly that times out": (None, slow.recv_exactly, 10),
        "recv_exactly that would block": (None, nonblocking.recv_exactly, 10),
        "recv_exactly of a negative size": (None, right.recv_exactly, -1),
        "recv_exactly of a wrong type": (None, right.recv_exactly, "x"),
        "recv_exactly with a wrong flag": (None, right.recv_exactly, 1, env.module.MSG_PEEK),
        "recv_exactly of datagrams": (None, env.one.recv_exactly, 10),
        "recv_exactly on a closed socket": (None, closed.recv_exactly, 10),
        "recv_exactly_into": (env.message, right.recv_exactly_into, env.buffer, 10),
        "recv_exactly_into that times out": (None, slow.recv_exactly_into, env.buffer),
        "recv_exactly_into too small a buffer": (None, right.recv_exactly_into, env.buffer, 1000),
        "a reader": (None, lambda: reader() and None),
        "a reader with a wrong limit": (None, env.module.Reader, right, 0),
        "a reader of what has no recv": (None, env.module.Reader, 5),
        "readline that times out": (None, slow_reader.readline),
        "readexactly that times out": (None, slow_reader.readexactly, 100_000),
        "readline from memory": (None, lines.readline),
        "readexactly from memory": (None, lines.readexactly, 100_000),
        "readuntil several separators": (None, lines.readuntil, (b"y", bytearray(b"\n"))),
        "readuntil a wrong separator": (None, lines.readuntil, (b"y", 5)),
        "read on a socket": (env.message, reader().read, 10),
        "at_eof": (None, lines.at_eof),
        "readuntil beyond the limit": (None, env.module.Reader(Lines(), 2).readuntil, b"x\n"),
    }


@table("beyond")
def tracing(env):
    base, sock = env.base, env.module.socket()

    def begin_and_end(*arguments):
        return base._trace_end(base._trace_begin(*arguments)) is not None

    return {
        "_trace_begin": (None, partial(begin_and_end, None, None, "text", 0, "port 5 or (tcp and not error)", "", False, False)),
        "_trace_begin a record": (None, partial(begin_and_end, 2, None, "text", 32, "", "", False, True)),
        "_trace_begin a function": (None, partial(begin_and_end, len, None, "json", 32, "", '"a": 1', False, False)),
        "_trace_begin with a wrong filter": (None, base._trace_begin, None, None, "text", 0, "prot 1", "", False, False),
        "_trace_begin with wrong arguments": (None, base._trace_begin, None, None, 5),
        "_trace_end of nothing": (None, base._trace_end, 1 << 40),
        "_trace_facts": (None, lambda: bool(base._trace_facts(sock))),
        "_trace_not": (None, base._trace_not, sock.settimeout, 5),
        "_trace_tls": (None, base._trace_tls, "read", sock, lambda sock, size: b"x", (5,), {}),
    }


class Lines:
    """An object to receive from that never ends."""

    def recv(self, size):
        return b"xxx\n"


@operation("beyond")
def recv_exactly_that_meets_the_end(env):
    left, right = env.module.socketpair()
    left.send(b"xx")
    left.close()
    yield right.recv_exactly, (10,)
    right.close()


@operation("beyond")
def readexactly_that_meets_the_end(env):
    left, right = env.module.socketpair()
    left.send(b"xx")
    left.close()
    yield env.module.Reader(right).readexactly, (10,)
    right.close()


@table("message")
def messages(env):
    left, right, slow = env.left, env.right, env.slow
    return {
        "recvmsg": (env.message, right.recvmsg, 10, 100),
        "recvmsg of a datagram": (env.datagram, env.one.recvmsg, 100, 100),
        "recvmsg that times out": (None, slow.recvmsg, 10),
        "recvmsg with a negative size": (None, right.recvmsg, -1),
        "recvmsg with a negative ancbufsize": (None, right.recvmsg, 10, -1),
        "recvmsg_into": (env.message, right.recvmsg_into, [env.buffer], 100),
        "recvmsg_into a number": (None, right.recvmsg_into, 5),
        "recvmsg_into bytes": (None, right.recvmsg_into, [b"x"]),
        "sendmsg": (None, left.sendmsg, [b"x", b"y"]),
        "sendmsg with descriptors": (None, left.sendmsg, [b"x"], env.rights),
        "sendmsg to an address": (None, env.other.sendmsg, [b"x"], [], 0, env.target),
        "sendmsg of a number": (None, left.sendmsg, 5),
        "sendmsg with a wrong control message": (None, left.sendmsg, [b"x"], [5]),
        "sendmsg_afalg on another socket": (None, partial(left.sendmsg_afalg, [b"x"], op=1)),
        "send_fds": (None, env.module.send_fds, left, [b"x"], [env.file.fileno()]),
    }


def with_descriptors(env, size):
    """Receives a message with two descriptors, with an ancillary buffer of this size."""
    env.descriptors()
    message = yield env.right.recvmsg, (10, size)
    env.clean_up()
    if message is not None:
        close_received(message[1])
        return message[0], len(message[1]), message[2:]


@operation("message")
def recvmsg_with_descriptors(env):
    return (yield from with_descriptors(env, 100))


@operation("message")
def recvmsg_with_descriptors_cut_off(env):
    return (yield from with_descriptors(env, env.module.CMSG_LEN(5)))


@operation("message")
def recvmsg_with_a_warning(env):
    """The warning is about a control message that is too short to have data."""
    return (yield from with_descriptors(env, env.module.CMSG_LEN(0)))


@operation("message")
def recvmsg_with_the_descriptor_of_a_process(env):
    with contextlib.suppress(OSError):  # a kernel before 6.5
        env.right.setsockopt(env.module.SOL_SOCKET, SO_PASSPIDFD, 1)
    env.message()
    message = yield env.right.recvmsg, (10, 100)
    env.clean_up()
    with contextlib.suppress(OSError):
        env.right.setsockopt(env.module.SOL_SOCKET, SO_PASSPIDFD, 0)
    if message is not None:
        close_received(message[1])
        return message[0], len(message[1]), message[2:]


@operation("message")
def recvmsg_into_with_descriptors(env):
    env.descriptors()
    message = yield env.right.recvmsg_into, ([env.buffer], 100)
    env.clean_up()
    if message is not None:
        close_received(message[1])
        return message[0], len(message[1]), message[2:]


@operation("message")
def recv_fds(env):
    env.descriptors()
    message = yield env.module.recv_fds, (env.right, 10, 2)
    env.clean_up()
    if message is not None:
        for number in message[1]:
            os.close(number)
        return message[0], len(message[1]), message[2:]


@table("connection")
def connections(env):
    tcp, six, unix, listening = env.tcp, env.six, env.unix, env.listening
    return {
        "connect to a number": (None, tcp.connect, 5),
        "connect to a host that is a number": (None, tcp.connect, (5, 5)),
        "connect without a port": (None, tcp.connect, ("127.0.0.1",)),
        "connect to a wrong port": (None, tcp.connect, ("127.0.0.1", -1)),
        "connect to a port that fits no C integer": (None, tcp.connect, ("127.0.0.1", 1 << 70)),
        "connect to a name that cannot be encoded": (None, tcp.connect, (UNENCODABLE_NAME, 1)),
        "connect to a name with NUL": (None, tcp.connect, ("a\0b", 1)),
        "connect to a name in a bytearray": (None, tcp.connect, (bytearray(b"a\0b"), 1)),
        "connect with too much flow information": (None, six.connect, ("::1", 1, 1 << 30, 0)),
        "connect by UNIX to a number": (None, unix.connect, 5),
        "connect by UNIX to a long path": (None, unix.connect, "x" * 200),
        "connect by UNIX to a path with NUL": (None, unix.connect, "x\0x"),
        "connect by UNIX to a path that does not exist": (None, unix.connect, env.path + "/nothing"),
        "connect by UNIX to a path in bytes": (None, unix.connect, os.fsencode(env.path) + b"/nothing"),
        "bind to an address in use": (None, tcp.bind, env.address),
        "listen": (None, listening.listen, 5),
        "listen with a wrong type": (None, listening.listen, "x"),
        "accept that times out": (None, env.idle_listener.accept),
        "accept without listening": (None, tcp.accept),
        "getsockname": (None, tcp.getsockname),
        "getsockname of IPv6": (None, six.getsockname),
        "getsockname of a path": (None, unix.getsockname),
        "getsockname of an abstract name": (None, env.abstract.getsockname),
        "getpeername of a pair": (None, env.left.getpeername),
        "getpeername without a peer": (None, tcp.getpeername),
        "shutdown without a connection": (None, tcp.shutdown, 1),
        "shutdown with a wrong type": (None, tcp.shutdown, "x"),
        "socketpair of a wrong family": (None, env.module.socketpair, 12345),
        "create_connection that is refused": (None, env.module.create_connection, env.refusing),
        "create_server on an address in use": (None, env.module.create_server, env.address),
    }


def on_a_new_socket(env, method, *arguments, timeout=None):
    """A call on a new socket, which is closed afterwards."""
    new = env.module.socket()
    new.settimeout(timeout)
    value = yield getattr(new, method), arguments
    new.close()
    env.clean_up()
    return value


@operation("connection")
def connect(env):
    return (yield from on_a_new_socket(env, "connect", env.address))


@operation("connection")
def connect_with_a_timeout(env):
    return (yield from on_a_new_socket(env, "connect", env.address, timeout=5))


@operation("connection")
def connect_that_is_refused(env):
    return (yield from on_a_new_socket(env, "connect", env.refusing))


@operation("connection")
def connect_with_a_timeout_that_is_refused(env):
    return (yield from on_a_new_socket(env, "connect", env.refusing, timeout=5))


@operation("connection")
def connect_ex_that_is_refused(env):
    return (yield from on_a_new_socket(env, "connect_ex", env.refusing))


@operation("connection")
def a_look_at_the_notes(env):
    """In oxisocket the text of a note is made at the first look."""
    error = OSError()
    try:
        with env.module.socket() as new:
            new.connect(env.refusing)
    except OSError as refused:
        error = refused
    notes = yield list, (getattr(error, "__notes__", ()),)
    env.clean_up()
    return bool(notes)


@operation("connection")
def bind(env):
    return (yield from on_a_new_socket(env, "bind", ("127.0.0.1", 0)))


@operation("connection")
def accept(env):
    with env.connected():
        accepted = yield env.listening.accept, ()
        env.clean_up()
        if accepted is not None:
            accepted[0].close()
            return type(accepted[0]).__name__


@operation("connection")
def accept_of_the_base_class(env):
    with env.connected():
        accepted = yield env.listening._accept, ()
        env.clean_up()
        if accepted is not None:
            os.close(accepted[0])


@operation("connection")
def accept_of_a_subclass(env):
    with env.subclass() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with env.module.socket() as client:
            client.connect(listening.getsockname())
            accepted = yield listening.accept, ()
            if accepted is not None:
                accepted[0].close()
                return type(accepted[0]).__name__


@operation("connection")
def shutdown(env):
    left, right = env.module.socketpair()
    with left, right:
        return (yield left.shutdown, (env.module.SHUT_WR,))


@operation("connection")
def socketpair(env):
    pair = yield env.module.socketpair, ()
    for each in pair or ():
        each.close()


@operation("connection")
def create_connection(env):
    client = yield env.module.create_connection, (env.address,)
    if client is not None:
        client.close()
    env.clean_up()


@operation("connection")
def create_server(env):
    server = yield env.module.create_server, (("127.0.0.1", 0),)
    if server is not None:
        server.close()


@table("state")
def states(env):
    tcp, left, closed = env.tcp, env.left, env.closed
    level, option = env.module.SOL_SOCKET, env.module.SO_REUSEADDR
    return {
        "getsockopt": (None, tcp.getsockopt, level, option),
        "getsockopt of a larger number": (None, tcp.getsockopt, level, env.module.SO_RCVBUF),
        "getsockopt of bytes": (None, tcp.getsockopt, level, option, 10),
        "getsockopt of too many bytes": (None, tcp.getsockopt, level, option, 10_000),
        "getsockopt of an unknown option": (None, tcp.getsockopt, level, 7777),
        "getsockopt with a wrong type": (None, tcp.getsockopt, "x", option),
        "setsockopt": (None, tcp.setsockopt, level, option, 1),
        "setsockopt to bytes": (None, tcp.setsockopt, level, option, b"\1\0\0\0"),
        "setsockopt to nothing": (None, tcp.setsockopt, level, option, None, 4),
        "setsockopt with a wrong type": (None, tcp.setsockopt, level, option, "x"),
        "setblocking": (None, tcp.setblocking, True),
        "settimeout": (None, tcp.settimeout, 5.5),
        "settimeout to a negative number": (None, tcp.settimeout, -1),
        "settimeout with a wrong type": (None, tcp.settimeout, "x"),
        "settimeout to NaN": (None, tcp.settimeout, float("nan")),
        "settimeout to a large float": (None, tcp.settimeout, 1e300),
        "settimeout to a large int": (None, tcp.settimeout, 1 << 100),
        "gettimeout": (None, env.slow.gettimeout),
        "timeout": (None, getattr, env.slow, "timeout"),
        "getblocking": (None, left.getblocking),
        "fileno": (None, tcp.fileno),
        "family": (None, getattr, left, "family"),
        "type": (None, getattr, left, "type"),
        "proto": (None, getattr, left, "proto"),
        "a private attribute": (None, getattr, left, "_io_refs"),
        "repr": (None, repr, left),
        "repr with an address": (None, repr, env.listening),
        "repr with a path": (None, repr, env.unix),
        "repr of a closed socket": (None, repr, closed),
        "repr of a subclass": (None, repr, env.of_subclass),
        "repr of the base class": (None, repr, env.of_base),
        "get_inheritable": (None, tcp.get_inheritable),
        "set_inheritable": (None, tcp.set_inheritable, False),
        "pickling": (None, tcp.__getstate__),
        "__enter__": (None, closed.__enter__),
        "a method with an argument too many": (None, tcp.getpeername, 5),
        "a method with an unknown keyword": (None, partial(tcp.close, x=5)),
        "a Python function's method with an argument too many": (None, tcp.close, 5),
        "socket of a wrong family": (None, env.module.socket, 12345),
        "socket of a wrong type": (None, env.module.socket, "x"),
        "socket with too many arguments": (None, env.module.socket, 1, 2, 3, 4, 5),
        "socket of descriptor -1": (None, partial(env.module.socket, fileno=-1)),
        "socket of a descriptor of a wrong type": (None, partial(env.module.socket, fileno="x")),
        "setdefaulttimeout": (None, env.module.setdefaulttimeout, None),
        "setdefaulttimeout to a negative number": (None, env.module.setdefaulttimeout, -1),
        "getdefaulttimeout": (None, env.module.getdefaulttimeout),
    }


@operation("state")
def close(env):
    return (yield from on_a_new_socket(env, "close"))


@operation("state")
def detach(env):
    with env.module.socket() as new:
        number = yield new.detach, ()
        if number is not None:
            os.close(number)


@operation("state")
def dup(env):
    copy = yield env.left.dup, ()
    if copy is not None:
        copy.close()


@operation("state")
def dup_of_a_subclass(env):
    copy = yield env.of_subclass.dup, ()
    if copy is not None:
        copy.close()
        return type(copy).__name__


@operation("state")
def socket(env):
    new = yield env.module.socket, ()
    if new is not None:
        new.close()


@operation("state")
def socket_with_keywords(env):
    new = yield partial(env.module.socket, type=env.module.SOCK_DGRAM), ()
    if new is not None:
        new.close()


@operation("state")
def socket_of_the_base_class(env):
    new = yield env.base.socket, ()
    if new is not None:
        new.close()


@operation("state")
def socket_of_a_descriptor(env):
    """When there is no memory for the socket, the caller still owns the descriptor."""
    number = os.dup(env.left.fileno())
    new = yield partial(env.module.socket, fileno=number), ()
    if new is not None:
        new.detach()
    os.close(number)


@operation("state")
def fromfd(env):
    new = yield env.module.fromfd, (env.left.fileno(), env.module.AF_UNIX, env.module.SOCK_STREAM)
    if new is not None:
        new.close()


@operation("state")
def close_without_files(env):
    new = env.module.socket()
    yield new._real_close, ()
    new.close()


@operation("state")
def close_after_its_last_file(env):
    new = env.module.socket()
    new._io_refs = 1
    new.close()
    yield new._decref_socketios, ()
    new._decref_socketios()


@operation("state")
def the_finalizer_of_an_unclosed_socket(env):
    sockets = [env.module.socket()]
    yield sockets.clear, ()


@table("file")
def files(env):
    left, raw = env.left, env.raw
    return {
        "makefile with a wrong mode": (None, left.makefile, "q"),
        "makefile of text without a buffer": (None, left.makefile, "r", 0),
        "readinto": (env.line, raw.readinto, env.buffer),
        "readinto that times out": (env.forget_timeout, env.slow_raw.readinto, env.buffer),
        "readinto bytes": (None, raw.readinto, b"x"),
        "read a line": (env.line, env.reader.readline),
        "the next line": (env.line, next, env.reader),
        "write": (None, raw.write, b"x"),
        "write text": (None, raw.write, "x"),
        "mode": (None, getattr, raw, "mode"),
        "name": (None, getattr, raw, "name"),
        "closed": (None, getattr, raw, "closed"),
        "readable": (None, raw.readable),
        "fileno": (None, raw.fileno),
        "a file of a wrong mode": (None, env.module.SocketIO, left, "q"),
        "a file without a mode": (None, env.module.SocketIO, left),
        "sendfile": (env.rewind, left.sendfile, env.file),
        "sendfile of a part": (env.rewind, left.sendfile, env.file, 10, 20),
        "sendfile of a file of text": (None, left.sendfile, env.text_file),
        "sendfile of a negative count": (None, left.sendfile, env.file, 0, -1),
        "sendfile of a count of a wrong type": (None, left.sendfile, env.file, 0, "x"),
        "sendfile over datagrams": (None, env.one.sendfile, env.file),
        "a file's range": (env.rewind, left._check_sendfile_params, env.file, 0, 10),
        "sendfile by sendfile": (env.rewind, left._sendfile_use_sendfile, env.file, 0, 10),
        "sendfile by send": (env.rewind, left._sendfile_use_send, env.file, 0, 10),
        "sendfile by a function": (
            env.rewind,
            partial(left._sendfile_zerocopy, lambda number, offset, count: 0, OSError),
            env.file,
        ),
        "sendfile without blocking": (None, env.nonblocking.sendfile, env.file),
    }


@operation("file")
def sendfile_of_a_file_without_a_descriptor(env):
    value = yield env.left.sendfile, (io.BytesIO(b"z" * 100),)
    env.clean_up()
    return value


@operation("file")
def flush(env):
    """Data that could not be written stays in the buffer."""
    env.writer.write(b"x" * 10)
    yield env.writer.flush, ()
    env.writer.flush()
    env.clean_up()


def make_and_close(env, *arguments):
    """Makes a file object and closes it."""
    file = yield env.left.makefile, arguments
    if file is not None:
        file.close()
        return type(file).__name__


@operation("file")
def makefile(env):
    return (yield from make_and_close(env))


@operation("file")
def makefile_to_read(env):
    return (yield from make_and_close(env, "rb"))


@operation("file")
def makefile_for_both(env):
    return (yield from make_and_close(env, "rwb"))


@operation("file")
def makefile_without_a_buffer(env):
    return (yield from make_and_close(env, "rb", 0))


@operation("file")
def close_a_file(env):
    file = env.left.makefile("rb")
    yield file.close, ()
    file.close()


@table("names")
def names(env):
    module = env.module
    return {
        "getnameinfo": (None, module.getnameinfo, ("127.0.0.1", 80), module.NI_NUMERICHOST),
        "getnameinfo of a number": (None, module.getnameinfo, 5, 0),
        "getnameinfo of a name": (None, module.getnameinfo, ("x.invalid", 80), 0),
        "getnameinfo with too much flow information": (None, module.getnameinfo, ("::1", 80, 1 << 30), 0),
        "gethostbyname": (None, module.gethostbyname, "127.0.0.1"),
        "gethostbyname of localhost": (None, module.gethostbyname, "localhost"),
        "gethostbyname of a name that cannot be encoded": (None, module.gethostbyname, UNENCODABLE_NAME),
        "gethostbyname of a number": (None, module.gethostbyname, 5),
        "gethostbyname without a name": (None, module.gethostbyname),
        "gethostbyname_ex": (None, module.gethostbyname_ex, "localhost"),
        "gethostbyaddr": (None, module.gethostbyaddr, "127.0.0.1"),
        "getfqdn": (None, module.getfqdn, "127.0.0.1"),
        "gethostname": (None, module.gethostname),
        "sethostname to a number": (None, module.sethostname, 5),
        "getservbyname": (None, module.getservbyname, "http", "tcp"),
        "getservbyname of an unknown name": (None, module.getservbyname, "no such service"),
        "getservbyport": (None, module.getservbyport, 80),
        "getservbyport with an unknown protocol": (None, module.getservbyport, 1, "no such protocol"),
        "getservbyport of a negative number": (None, module.getservbyport, -1),
        "getprotobyname": (None, module.getprotobyname, "tcp"),
        "getprotobyname of an unknown name": (None, module.getprotobyname, "no such protocol"),
        "if_nameindex": (None, module.if_nameindex),
        "if_nametoindex": (None, module.if_nametoindex, "lo"),
        "if_nametoindex of an unknown name": (None, module.if_nametoindex, "no such one"),
        "if_indextoname": (None, module.if_indextoname, 1),
        "if_indextoname of an unknown index": (None, module.if_indextoname, 1 << 20),
        "if_indextoname of a negative number": (None, module.if_indextoname, -1),
        "has_dualstack_ipv6": (None, module.has_dualstack_ipv6),
    } | {
        f"{where}getaddrinfo{what}": (None, partial(function, *arguments, **keywords))
        for where, function in (("", module.getaddrinfo), ("the base module's ", env.base.getaddrinfo))
        for what, arguments, keywords in (
            ("", ("127.0.0.1", 80), {}),
            (" with keywords", ("127.0.0.1",), {"port": "80", "type": 1}),
            (" of localhost", ("localhost", "http"), {"flags": module.AI_CANONNAME}),
            (" of bytes", (b"127.0.0.1", b"http"), {}),
            (" of a name where only an address will do", ("x.invalid", 80), {"flags": module.AI_NUMERICHOST}),
            (" of a number", (5, 80), {}),
            (" of a port that is a float", ("127.0.0.1", 5.5), {}),
            (" of a name that cannot be encoded", (UNENCODABLE_NAME, 80), {}),
            (" of a very long name", ("ü" * 600, 80), {}),
            (" without arguments", (), {}),
        )
    }


@table("conversion")
def conversions(env):
    module = env.module
    return {
        "inet_aton": (None, module.inet_aton, "127.0.0.1"),
        "inet_aton of no address": (None, module.inet_aton, "x"),
        "inet_ntoa": (None, module.inet_ntoa, b"1234"),
        "inet_ntoa of too much": (None, module.inet_ntoa, b"12345"),
        "inet_pton": (None, module.inet_pton, module.AF_INET6, "::1"),
        "inet_pton of no address": (None, module.inet_pton, module.AF_INET6, "x"),
        "inet_pton of no family": (None, module.inet_pton, 12345, "x"),
        "inet_ntop of IPv4": (None, module.inet_ntop, module.AF_INET, b"1234"),
        "inet_ntop of IPv6": (None, module.inet_ntop, module.AF_INET6, b"1" * 16),
        "inet_ntop of too little": (None, module.inet_ntop, module.AF_INET6, b"1"),
        "inet_ntop of no family": (None, module.inet_ntop, 12345, b"1"),
        "htons": (None, module.htons, 300),
        "htons of too much": (None, module.htons, 300_000),
        "htons of a negative number": (None, module.htons, -1),
        "ntohl": (None, module.ntohl, 300),
        "ntohs": (None, module.ntohs, 300),
        "ntohs of too much": (None, module.ntohs, 300_000),
        "ntohl of text": (None, module.ntohl, "x"),
        "htonl of too much": (None, module.htonl, 1 << 40),
        "CMSG_LEN": (None, module.CMSG_LEN, 300),
        "CMSG_LEN of too much": (None, module.CMSG_LEN, -1),
        "CMSG_SPACE": (None, module.CMSG_SPACE, 300),
        "CMSG_SPACE of too much": (None, module.CMSG_SPACE, -1),
        "close of -1": (None, module.close, -1),
        "close of text": (None, module.close, "x"),
        "dup of -1": (None, env.base.dup, -1),
    }


@operation("conversion")
def dup_of_a_number(env):
    number = yield env.base.dup, (env.left.fileno(),)
    if number is not None:
        os.close(number)


@table("beyond")
def looks(env):
    """What describes a socket, and fails. Python code that is imported on the way is imported before."""
    tcp, closed, level, option = env.tcp, env.closed, env.module.SOL_SOCKET, env.module.SO_TYPE
    tcp.tcp_info()
    description = importlib.import_module("oxisocket._beyond.description")
    return {
        "tcp_info of UDP": (None, env.one.tcp_info),
        "tcp_info of a closed socket": (None, closed.tcp_info),
        "getsockopt_bytes": (None, tcp.getsockopt_bytes, level, option),
        "getsockopt_bytes of a size": (None, partial(tcp.getsockopt_bytes, level, option, size=100_000)),
        "getsockopt_bytes of an unknown option": (None, tcp.getsockopt_bytes, level, 7777),
        "getsockopt_bytes with a wrong size": (None, tcp.getsockopt_bytes, level, option, 0),
        "getsockopt_bytes with a wrong call": (None, tcp.getsockopt_bytes, level),
        "readiness": (None, env.left._readiness),
        "describe": (None, description.describe, env.left),
        "describe a closed socket": (None, description.describe, closed),
    }


@operation("beyond")
def tcp_info(env):
    env.tcp.tcp_info()
    info = yield env.tcp.tcp_info, ()
    return info and info.state


@operation("beyond")
def getifaddrs(env):
    return (yield env.module.getifaddrs, ())


@operation("beyond")
def recv_fds_with_arguments(env):
    env.descriptors()
    message = yield partial(env.module.recv_fds, honor_arguments=True), (env.right, 10, 2, 0)
    env.clean_up()
    if message is not None:
        for number in message[1]:
            os.close(number)
        return message[0], len(message[1]), message[2:]
