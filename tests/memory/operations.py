"""The calls that are made without memory: methods and functions, the ways in which they succeed and those in which they fail.

An operation is a generator function of the stage. It makes ready what the call needs, yields the function and its arguments, gets
what the call returned (None where it raised), tidies up, and returns what is to be compared.
"""

from __future__ import annotations

import array
import contextlib
import importlib
import io
import os
import tempfile
from functools import partial

GROUPS = {}
NAME = "ü" * 70 + ".example"  # has no form that goes over the wire


def operation(group):
    """Puts a generator function into a group."""

    def put(function):
        GROUPS.setdefault(group, {})[function.__name__.replace("_", " ")] = function
        return function

    return put


def table(group):
    """Puts what a function of the stage lists into a group: a name, what to do before, the function and its arguments."""

    def put(function):
        GROUPS.setdefault(group, {})[None] = function
        return function

    return put


def entry(before, function, *arguments):
    """The operation that an entry of a table stands for."""

    def run(stage):
        if before is not None:
            before()
        value = yield function, arguments
        stage.tidy()
        return value

    return run


def operations(group, stage):
    """The operations of a group by their names."""
    found = {}
    for name, listed in GROUPS[group].items():
        if name is None:
            found |= {name: entry(*entries) for name, entries in listed(stage).items()}
        else:
            found[name] = listed
    return found


class Stage:
    """What the calls are made on."""

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
        self.lonely = module.create_server(("127.0.0.1", 0))
        self.lonely.settimeout(0.001)
        self.one, self.other = (module.socket(type=module.SOCK_DGRAM) for _ in range(2))
        for each in self.one, self.other:
            each.bind(("127.0.0.1", 0))
            each.settimeout(5)
        self.target = self.one.getsockname()
        self.tcp, self.six = module.socket(), module.socket(module.AF_INET6)
        self._bound = module.socket()
        self._bound.bind(("127.0.0.1", 0))
        self.refusing = self._bound.getsockname()  # nobody listens there
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

    def connected(self):
        """A client whose connection waits to be accepted."""
        client = self.module.socket()
        client.connect(self.address)
        return client

    def tidy(self):
        """Receives what is left of a call that did not, or that sent."""
        for each in self.right, self.left, self.one, self._silent_too:
            till_empty(each, partial(each.recv, 1_000_000))
        till_empty(self.listening, self.turn_away)

    def turn_away(self):
        """Accepts a connection, and closes it."""
        self.listening.accept()[0].close()


def till_empty(socket, receive):
    """Makes a call on a socket till it would have to wait."""
    timeout = socket.gettimeout()
    socket.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while receive() != b"":
            pass
    socket.settimeout(timeout)


def close_received(control):
    """Closes the descriptors that came with a message."""
    for _, _, data in control:
        numbers = array.array("i")
        numbers.frombytes(data[: len(data) // numbers.itemsize * numbers.itemsize])
        for number in numbers:
            os.close(number)


@table("transfer")
def transfers(stage):
    left, right, slow, nonblocking, closed = stage.left, stage.right, stage.slow, stage.nonblocking, stage.closed
    return {
        "recv": (stage.message, right.recv, 10),
        "recv with flags": (stage.message, right.recv, 10, 0),
        "recv into kept memory": (stage.much, right.recv, 50_000),
        "recv of much": (stage.much, right.recv, 1_000_000),
        "recv with MSG_TRUNC": (stage.message, right.recv, 20_000, stage.module.MSG_TRUNC),
        "recv of a subclass": (None, stage.of_subclass.recv, 10),
        "recv that times out": (None, slow.recv, 10),
        "recv that would block": (None, nonblocking.recv, 10),
        "recv of a negative size": (None, right.recv, -1),
        "recv of a wrong type": (None, right.recv, "x"),
        "recv with too many arguments": (None, right.recv, 1, 2, 3),
        "recv on a closed socket": (None, closed.recv, 10),
        "recv_into": (stage.message, right.recv_into, stage.buffer),
        "recv_into of much": (stage.much, right.recv_into, stage.large_buffer),
        "recv_into with keywords": (stage.message, partial(right.recv_into, buffer=stage.buffer, nbytes=5)),
        "recv_into that times out": (None, slow.recv_into, stage.buffer),
        "recv_into too small a buffer": (None, right.recv_into, stage.buffer, 1000),
        "recv_into bytes": (None, right.recv_into, b"x"),
        "recvfrom": (stage.datagram, stage.one.recvfrom, 100),
        "recvfrom of a pair": (stage.message, right.recvfrom, 10),
        "recvfrom that times out": (None, slow.recvfrom, 10),
        "recvfrom_into": (stage.datagram, stage.one.recvfrom_into, stage.buffer),
        "send": (None, left.send, b"x"),
        "send and count to a larger number": (None, left.send, b"x" * 300),
        "send an array": (None, left.send, stage.buffer, 0),
        "send text": (None, left.send, "x"),
        "send with wrong flags": (None, left.send, b"x", "x"),
        "send on a closed socket": (None, closed.send, b"x"),
        "sendall": (None, left.sendall, b"x"),
        "sendall that would block": (None, nonblocking.sendall, stage.large * 100),
        "sendto": (None, stage.other.sendto, b"x", stage.target),
        "sendto without an address": (None, stage.other.sendto, b"x"),
        "sendto a number": (None, stage.other.sendto, b"x", 5),
        "sendto a wrong port": (None, stage.other.sendto, b"x", ("127.0.0.1", 70_000)),
    }


@table("message")
def messages(stage):
    left, right, slow = stage.left, stage.right, stage.slow
    return {
        "recvmsg": (stage.message, right.recvmsg, 10, 100),
        "recvmsg of a datagram": (stage.datagram, stage.one.recvmsg, 100, 100),
        "recvmsg that times out": (None, slow.recvmsg, 10),
        "recvmsg with a negative size": (None, right.recvmsg, -1),
        "recvmsg with a negative ancbufsize": (None, right.recvmsg, 10, -1),
        "recvmsg_into": (stage.message, right.recvmsg_into, [stage.buffer], 100),
        "recvmsg_into a number": (None, right.recvmsg_into, 5),
        "recvmsg_into bytes": (None, right.recvmsg_into, [b"x"]),
        "sendmsg": (None, left.sendmsg, [b"x", b"y"]),
        "sendmsg with descriptors": (None, left.sendmsg, [b"x"], stage.rights),
        "sendmsg to an address": (None, stage.other.sendmsg, [b"x"], [], 0, stage.target),
        "sendmsg of a number": (None, left.sendmsg, 5),
        "sendmsg with a wrong control message": (None, left.sendmsg, [b"x"], [5]),
        "sendmsg_afalg on another socket": (None, partial(left.sendmsg_afalg, [b"x"], op=1)),
        "send_fds": (None, stage.module.send_fds, left, [b"x"], [stage.file.fileno()]),
    }


def with_descriptors(stage, size):
    """A message that brings two descriptors, received with so much room for them."""
    stage.descriptors()
    message = yield stage.right.recvmsg, (10, size)
    stage.tidy()
    if message is not None:
        close_received(message[1])
        return message[0], len(message[1]), message[2:]


@operation("message")
def recvmsg_with_descriptors(stage):
    return (yield from with_descriptors(stage, 100))


@operation("message")
def recvmsg_with_descriptors_cut_off(stage):
    return (yield from with_descriptors(stage, stage.module.CMSG_LEN(5)))


@operation("message")
def recvmsg_with_a_warning(stage):
    """Of a control message so short that it has no data."""
    return (yield from with_descriptors(stage, stage.module.CMSG_LEN(0)))


@operation("message")
def recvmsg_into_with_descriptors(stage):
    stage.descriptors()
    message = yield stage.right.recvmsg_into, ([stage.buffer], 100)
    stage.tidy()
    if message is not None:
        close_received(message[1])
        return message[0], len(message[1]), message[2:]


@operation("message")
def recv_fds(stage):
    stage.descriptors()
    message = yield stage.module.recv_fds, (stage.right, 10, 2)
    stage.tidy()
    if message is not None:
        for number in message[1]:
            os.close(number)
        return message[0], len(message[1]), message[2:]


@table("connection")
def connections(stage):
    tcp, six, unix, listening = stage.tcp, stage.six, stage.unix, stage.listening
    return {
        "connect to a number": (None, tcp.connect, 5),
        "connect to a host that is a number": (None, tcp.connect, (5, 5)),
        "connect without a port": (None, tcp.connect, ("127.0.0.1",)),
        "connect to a wrong port": (None, tcp.connect, ("127.0.0.1", -1)),
        "connect to a port that fits nothing": (None, tcp.connect, ("127.0.0.1", 1 << 70)),
        "connect to a name that cannot be encoded": (None, tcp.connect, (NAME, 1)),
        "connect to a name with NUL": (None, tcp.connect, ("a\0b", 1)),
        "connect to a name in a bytearray": (None, tcp.connect, (bytearray(b"a\0b"), 1)),
        "connect with too much flow information": (None, six.connect, ("::1", 1, 1 << 30, 0)),
        "connect by UNIX to a number": (None, unix.connect, 5),
        "connect by UNIX to a long path": (None, unix.connect, "x" * 200),
        "connect by UNIX to a path with NUL": (None, unix.connect, "x\0x"),
        "connect by UNIX to nothing": (None, unix.connect, stage.path + "/nothing"),
        "connect by UNIX to a path that is no str": (None, unix.connect, os.fsencode(stage.path) + b"/nothing"),
        "bind to what is taken": (None, tcp.bind, stage.address),
        "listen": (None, listening.listen, 5),
        "listen with a wrong type": (None, listening.listen, "x"),
        "accept that times out": (None, stage.lonely.accept),
        "accept without listening": (None, tcp.accept),
        "getsockname": (None, tcp.getsockname),
        "getsockname of IPv6": (None, six.getsockname),
        "getsockname of a path": (None, unix.getsockname),
        "getsockname of an abstract name": (None, stage.abstract.getsockname),
        "getpeername of a pair": (None, stage.left.getpeername),
        "getpeername of nobody": (None, tcp.getpeername),
        "shutdown of nothing": (None, tcp.shutdown, 1),
        "shutdown with a wrong type": (None, tcp.shutdown, "x"),
        "socketpair of a wrong family": (None, stage.module.socketpair, 12345),
        "create_connection to nobody": (None, stage.module.create_connection, stage.refusing),
        "create_server on what is taken": (None, stage.module.create_server, stage.address),
    }


def fresh(stage, method, *arguments, timeout=None):
    """A call on a new socket, which is closed again."""
    new = stage.module.socket()
    new.settimeout(timeout)
    value = yield getattr(new, method), arguments
    new.close()
    stage.tidy()
    return value


@operation("connection")
def connect(stage):
    return (yield from fresh(stage, "connect", stage.address))


@operation("connection")
def connect_with_a_timeout(stage):
    return (yield from fresh(stage, "connect", stage.address, timeout=5))


@operation("connection")
def connect_to_nobody(stage):
    return (yield from fresh(stage, "connect", stage.refusing))


@operation("connection")
def connect_to_nobody_with_a_timeout(stage):
    return (yield from fresh(stage, "connect", stage.refusing, timeout=5))


@operation("connection")
def connect_ex_to_nobody(stage):
    return (yield from fresh(stage, "connect_ex", stage.refusing))


@operation("connection")
def bind(stage):
    return (yield from fresh(stage, "bind", ("127.0.0.1", 0)))


@operation("connection")
def accept(stage):
    with stage.connected():
        accepted = yield stage.listening.accept, ()
        stage.tidy()
        if accepted is not None:
            accepted[0].close()
            return type(accepted[0]).__name__


@operation("connection")
def accept_as_the_base_class_does(stage):
    with stage.connected():
        accepted = yield stage.listening._accept, ()
        stage.tidy()
        if accepted is not None:
            os.close(accepted[0])


@operation("connection")
def accept_of_a_subclass(stage):
    with stage.subclass() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with stage.module.socket() as client:
            client.connect(listening.getsockname())
            accepted = yield listening.accept, ()
            if accepted is not None:
                accepted[0].close()
                return type(accepted[0]).__name__


@operation("connection")
def shutdown(stage):
    left, right = stage.module.socketpair()
    with left, right:
        return (yield left.shutdown, (stage.module.SHUT_WR,))


@operation("connection")
def socketpair(stage):
    pair = yield stage.module.socketpair, ()
    for each in pair or ():
        each.close()


@operation("connection")
def create_connection(stage):
    client = yield stage.module.create_connection, (stage.address,)
    if client is not None:
        client.close()
    stage.tidy()


@operation("connection")
def create_server(stage):
    server = yield stage.module.create_server, (("127.0.0.1", 0),)
    if server is not None:
        server.close()


@table("state")
def states(stage):
    tcp, left, closed = stage.tcp, stage.left, stage.closed
    level, option = stage.module.SOL_SOCKET, stage.module.SO_REUSEADDR
    return {
        "getsockopt": (None, tcp.getsockopt, level, option),
        "getsockopt of a larger number": (None, tcp.getsockopt, level, stage.module.SO_RCVBUF),
        "getsockopt of bytes": (None, tcp.getsockopt, level, option, 10),
        "getsockopt of too many bytes": (None, tcp.getsockopt, level, option, 10_000),
        "getsockopt of no option": (None, tcp.getsockopt, level, 7777),
        "getsockopt with a wrong type": (None, tcp.getsockopt, "x", option),
        "setsockopt": (None, tcp.setsockopt, level, option, 1),
        "setsockopt to bytes": (None, tcp.setsockopt, level, option, b"\1\0\0\0"),
        "setsockopt to nothing": (None, tcp.setsockopt, level, option, None, 4),
        "setsockopt with a wrong type": (None, tcp.setsockopt, level, option, "x"),
        "setblocking": (None, tcp.setblocking, True),
        "settimeout": (None, tcp.settimeout, 5.5),
        "settimeout to a negative number": (None, tcp.settimeout, -1),
        "settimeout with a wrong type": (None, tcp.settimeout, "x"),
        "settimeout to no number": (None, tcp.settimeout, float("nan")),
        "settimeout to a large float": (None, tcp.settimeout, 1e300),
        "settimeout to a large int": (None, tcp.settimeout, 1 << 100),
        "gettimeout": (None, stage.slow.gettimeout),
        "timeout": (None, getattr, stage.slow, "timeout"),
        "getblocking": (None, left.getblocking),
        "fileno": (None, tcp.fileno),
        "family": (None, getattr, left, "family"),
        "type": (None, getattr, left, "type"),
        "proto": (None, getattr, left, "proto"),
        "an attribute that is private": (None, getattr, left, "_io_refs"),
        "repr": (None, repr, left),
        "repr with an address": (None, repr, stage.listening),
        "repr with a path": (None, repr, stage.unix),
        "repr of a closed socket": (None, repr, closed),
        "repr of a subclass": (None, repr, stage.of_subclass),
        "repr of the base class": (None, repr, stage.of_base),
        "get_inheritable": (None, tcp.get_inheritable),
        "set_inheritable": (None, tcp.set_inheritable, False),
        "pickling": (None, tcp.__getstate__),
        "the with-statement": (None, closed.__enter__),
        "a method with an argument too many": (None, tcp.getpeername, 5),
        "a method with an unknown keyword": (None, partial(tcp.close, x=5)),
        "a Python function's method with an argument too many": (None, tcp.close, 5),
        "socket of a wrong family": (None, stage.module.socket, 12345),
        "socket of a wrong type": (None, stage.module.socket, "x"),
        "socket with too many arguments": (None, stage.module.socket, 1, 2, 3, 4, 5),
        "socket of a descriptor that is none": (None, partial(stage.module.socket, fileno=-1)),
        "socket of a descriptor of a wrong type": (None, partial(stage.module.socket, fileno="x")),
        "setdefaulttimeout": (None, stage.module.setdefaulttimeout, None),
        "setdefaulttimeout to a negative number": (None, stage.module.setdefaulttimeout, -1),
        "getdefaulttimeout": (None, stage.module.getdefaulttimeout),
    }


@operation("state")
def close(stage):
    return (yield from fresh(stage, "close"))


@operation("state")
def detach(stage):
    with stage.module.socket() as new:
        number = yield new.detach, ()
        if number is not None:
            os.close(number)


@operation("state")
def dup(stage):
    copy = yield stage.left.dup, ()
    if copy is not None:
        copy.close()


@operation("state")
def dup_of_a_subclass(stage):
    copy = yield stage.of_subclass.dup, ()
    if copy is not None:
        copy.close()
        return type(copy).__name__


@operation("state")
def socket(stage):
    new = yield stage.module.socket, ()
    if new is not None:
        new.close()


@operation("state")
def socket_with_keywords(stage):
    new = yield partial(stage.module.socket, type=stage.module.SOCK_DGRAM), ()
    if new is not None:
        new.close()


@operation("state")
def socket_of_the_base_class(stage):
    new = yield stage.base.socket, ()
    if new is not None:
        new.close()


@operation("state")
def socket_of_a_descriptor(stage):
    """The descriptor stays the caller's where there is no memory for the socket."""
    number = os.dup(stage.left.fileno())
    new = yield partial(stage.module.socket, fileno=number), ()
    if new is not None:
        new.detach()
    os.close(number)


@operation("state")
def fromfd(stage):
    new = yield stage.module.fromfd, (stage.left.fileno(), stage.module.AF_UNIX, stage.module.SOCK_STREAM)
    if new is not None:
        new.close()


@operation("state")
def the_end_of_a_socket_that_was_not_closed(stage):
    sockets = [stage.module.socket()]
    yield sockets.clear, ()


@table("file")
def files(stage):
    left, raw = stage.left, stage.raw
    return {
        "makefile with a wrong mode": (None, left.makefile, "q"),
        "makefile of text without a buffer": (None, left.makefile, "r", 0),
        "readinto": (stage.line, raw.readinto, stage.buffer),
        "readinto that times out": (None, stage.slow_raw.readinto, stage.buffer),
        "readinto bytes": (None, raw.readinto, b"x"),
        "read a line": (stage.line, stage.reader.readline),
        "the next line": (stage.line, next, stage.reader),
        "write": (None, raw.write, b"x"),
        "write text": (None, raw.write, "x"),
        "mode": (None, getattr, raw, "mode"),
        "name": (None, getattr, raw, "name"),
        "closed": (None, getattr, raw, "closed"),
        "readable": (None, raw.readable),
        "fileno": (None, raw.fileno),
        "a file of a wrong mode": (None, stage.module.SocketIO, left, "q"),
        "a file without a mode": (None, stage.module.SocketIO, left),
        "sendfile": (stage.rewind, left.sendfile, stage.file),
        "sendfile of a part": (stage.rewind, left.sendfile, stage.file, 10, 20),
        "sendfile of a file of text": (None, left.sendfile, stage.text_file),
        "sendfile of a negative count": (None, left.sendfile, stage.file, 0, -1),
        "sendfile of a count of a wrong type": (None, left.sendfile, stage.file, 0, "x"),
        "sendfile over datagrams": (None, stage.one.sendfile, stage.file),
        "sendfile without blocking": (None, stage.nonblocking.sendfile, stage.file),
    }


@operation("file")
def sendfile_of_what_is_no_regular_file(stage):
    value = yield stage.left.sendfile, (io.BytesIO(b"z" * 100),)
    stage.tidy()
    return value


@operation("file")
def write_out(stage):
    """What is not written stays in the buffer."""
    stage.writer.write(b"x" * 10)
    yield stage.writer.flush, ()
    stage.writer.flush()
    stage.tidy()


def made_file(stage, *arguments):
    """A file object that is made, and closed again."""
    file = yield stage.left.makefile, arguments
    if file is not None:
        file.close()
        return type(file).__name__


@operation("file")
def makefile(stage):
    return (yield from made_file(stage))


@operation("file")
def makefile_to_read(stage):
    return (yield from made_file(stage, "rb"))


@operation("file")
def makefile_for_both(stage):
    return (yield from made_file(stage, "rwb"))


@operation("file")
def makefile_without_a_buffer(stage):
    return (yield from made_file(stage, "rb", 0))


@operation("file")
def the_end_of_a_file(stage):
    file = stage.left.makefile("rb")
    yield file.close, ()
    file.close()


@table("names")
def names(stage):
    module = stage.module
    return {
        "getnameinfo": (None, module.getnameinfo, ("127.0.0.1", 80), module.NI_NUMERICHOST),
        "getnameinfo of a number": (None, module.getnameinfo, 5, 0),
        "getnameinfo of a name": (None, module.getnameinfo, ("x.invalid", 80), 0),
        "getnameinfo with too much flow information": (None, module.getnameinfo, ("::1", 80, 1 << 30), 0),
        "gethostbyname": (None, module.gethostbyname, "127.0.0.1"),
        "gethostbyname of localhost": (None, module.gethostbyname, "localhost"),
        "gethostbyname of what cannot be encoded": (None, module.gethostbyname, NAME),
        "gethostbyname of a number": (None, module.gethostbyname, 5),
        "gethostbyname without a name": (None, module.gethostbyname),
        "gethostbyname_ex": (None, module.gethostbyname_ex, "localhost"),
        "gethostbyaddr": (None, module.gethostbyaddr, "127.0.0.1"),
        "getfqdn": (None, module.getfqdn, "127.0.0.1"),
        "gethostname": (None, module.gethostname),
        "sethostname to a number": (None, module.sethostname, 5),
        "getservbyname": (None, module.getservbyname, "http", "tcp"),
        "getservbyname of nothing": (None, module.getservbyname, "no such service"),
        "getservbyport": (None, module.getservbyport, 80),
        "getservbyport of nothing": (None, module.getservbyport, 1, "no such protocol"),
        "getservbyport of no port": (None, module.getservbyport, -1),
        "getprotobyname": (None, module.getprotobyname, "tcp"),
        "getprotobyname of nothing": (None, module.getprotobyname, "no such protocol"),
        "if_nameindex": (None, module.if_nameindex),
        "if_nametoindex": (None, module.if_nametoindex, "lo"),
        "if_nametoindex of nothing": (None, module.if_nametoindex, "no such one"),
        "if_indextoname": (None, module.if_indextoname, 1),
        "if_indextoname of nothing": (None, module.if_indextoname, 1 << 20),
        "if_indextoname of a negative number": (None, module.if_indextoname, -1),
        "has_dualstack_ipv6": (None, module.has_dualstack_ipv6),
    } | {
        f"{where}getaddrinfo{what}": (None, partial(function, *arguments, **keywords))
        for where, function in (("", module.getaddrinfo), ("the base module's ", stage.base.getaddrinfo))
        for what, arguments, keywords in (
            ("", ("127.0.0.1", 80), {}),
            (" with keywords", ("127.0.0.1",), {"port": "80", "type": 1}),
            (" of localhost", ("localhost", "http"), {"flags": module.AI_CANONNAME}),
            (" of bytes", (b"127.0.0.1", b"http"), {}),
            (" of what is no address", ("x.invalid", 80), {"flags": module.AI_NUMERICHOST}),
            (" of a number", (5, 80), {}),
            (" of a port that is none", ("127.0.0.1", 5.5), {}),
            (" of a name that cannot be encoded", (NAME, 80), {}),
            (" of a name that has no end", ("ü" * 600, 80), {}),
            (" of nothing", (), {}),
        )
    }


@table("conversion")
def conversions(stage):
    module = stage.module
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
        "ntohl of text": (None, module.ntohl, "x"),
        "htonl of too much": (None, module.htonl, 1 << 40),
        "CMSG_LEN": (None, module.CMSG_LEN, 300),
        "CMSG_LEN of too much": (None, module.CMSG_LEN, -1),
        "CMSG_SPACE": (None, module.CMSG_SPACE, 300),
        "CMSG_SPACE of too much": (None, module.CMSG_SPACE, -1),
        "close of no descriptor": (None, module.close, -1),
        "close of text": (None, module.close, "x"),
        "dup of no descriptor": (None, stage.base.dup, -1),
    }


@operation("conversion")
def dup_of_a_number(stage):
    number = yield stage.base.dup, (stage.left.fileno(),)
    if number is not None:
        os.close(number)
