"""No call, successful or not, leaks a reference, memory or a descriptor."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
import tempfile
import weakref

import pytest
from descriptors import open_numbers
from heap import heap
from machine import HAS_64_BITS, HAS_TABLES, needs_localhost

ROUNDS = 50  # calls of each kind: a leak of one object in each call is this many objects


class Environment:
    """The sockets and files that the calls are made on."""

    def __init__(self, socket, keep):
        self.socket = socket
        self.left, self.right = (keep(each) for each in socket.socketpair())
        self.left.settimeout(5)
        self.right.settimeout(5)
        self.listening = keep(socket.create_server(("127.0.0.1", 0)))
        self.address = self.listening.getsockname()
        self.one, self.other = (keep(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(2))
        for each in self.one, self.other:
            each.bind(("127.0.0.1", 0))
            each.settimeout(5)
        self.target = self.other.getsockname()
        self.refusing = keep(socket.socket())  # bound to a port where no socket listens, so that no other can listen there
        self.refusing.bind(("127.0.0.1", 0))
        self.nonblocking, self._other = (keep(each) for each in socket.socketpair())
        self.nonblocking.setblocking(False)
        self.subclass = subclass(socket)
        self.closed = socket.socket()
        self.closed.close()
        self.name = "no-such-" + "x" * 40
        self.data, self.buffer = b"x" * 100, bytearray(2000)
        self.file = keep(tempfile.TemporaryFile())
        self.file.write(b"x" * 1000)


def fails(error, function, *args, **keywords):
    with pytest.raises(error):
        function(*args, **keywords)


def transfer(env):
    left, right = env.left, env.right
    left.send(env.data)
    left.sendall(bytearray(env.data))
    assert right.recv(200) == env.data * 2
    left.send(memoryview(env.data))
    assert right.recv_into(env.buffer) == 100
    left.send(b"")
    left.send(env.data, 0)
    assert right.recv(1 << 20) == env.data
    assert right.recv(0) == b""


def datagrams(env):
    for size in 0, 1, 1000, 20_000:
        env.one.sendto(b"x" * size, env.target)
        assert len(env.other.recvfrom(65536)[0]) == size
    env.one.sendto(b"x", 0, ("localhost", env.target[1]))
    assert env.other.recvfrom_into(env.buffer)[0] == 1
    env.one.sendmsg([b"x", b"y"], [], 0, env.target)
    assert env.other.recvmsg(10)[0] == b"xy"


def messages(env):
    env.left.sendmsg([env.data, bytearray(env.data)])
    assert env.right.recvmsg_into([env.buffer])[0] == 200
    env.left.sendmsg(iter([env.data]), [(env.socket.SOL_SOCKET, env.socket.SCM_RIGHTS, b"")])
    assert env.right.recvmsg(1000, 100)[0] == env.data


def passing_descriptors(env):
    env.socket.send_fds(env.left, [b"x"], [env.left.fileno()] * 3)
    for number in env.socket.recv_fds(env.right, 1, 3)[1]:
        os.close(number)
    env.socket.send_fds(env.left, [b"x"], [env.left.fileno()] * 3)
    assert env.right.recv(1) == b"x"  # without ancillary data: the kernel closes the descriptors


def descriptors_that_do_not_fit(env):
    """The kernel closes those that do not fit."""
    env.socket.send_fds(env.left, [b"x"], [env.left.fileno()] * 3)
    for number in env.socket.recv_fds(env.right, 1, 1)[1]:
        os.close(number)


def connections(env):
    with env.socket.socket() as client:
        client.connect(env.address)
        accepted, peer = env.listening.accept()
        with accepted:
            assert client.getsockname() == peer == accepted.getpeername()
            repr(accepted)
    with env.socket.create_connection(env.address, 5, ("127.0.0.1", 0)), env.listening.accept()[0]:
        pass
    with env.socket.socket() as client:
        assert client.connect_ex(env.address) == 0
        env.socket.close(env.listening._accept()[0])


def constructions(env):
    socket = env.socket
    socket.socket().close()
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM, 0).close()
    socket.socket(fileno=socket.socket().detach()).close()
    for each in socket.socketpair():
        each.close()
    env.left.dup().close()
    socket.fromfd(env.left.fileno(), socket.AF_UNIX, socket.SOCK_STREAM).close()
    socket.create_server(("127.0.0.1", 0), reuse_port=True).close()
    socket.socket.__new__(socket.socket)
    again = socket.socket()
    again.close()
    again.__init__()
    again.close()


def subclass(socket):
    class Own(socket.socket):
        __slots__ = ("extra",)

        def __init__(self, extra):
            super().__init__()
            self.extra = extra

    return Own


def files(env):
    for mode, options in [
        ("r", {}),
        ("w", {}),
        ("rwb", {}),
        ("rb", {"buffering": 0}),
        ("rw", {"encoding": "utf-8", "newline": "\n"}),
    ]:
        with env.left.makefile(mode, **options) as file:
            repr(file)
    with env.left.makefile("wb") as out, env.right.makefile("rb") as into:
        out.write(env.data + b"\n")
        out.flush()
        assert into.readline() == env.data + b"\n"
    file = env.left.makefile("rb", 0)
    file.itself = file  # a reference cycle
    del file


def sending_files(env):
    env.file.seek(0)
    assert env.left.sendfile(env.file, 0, 500) == 500
    assert env.left.sendfile(io.BytesIO(env.data)) == 100
    assert len(env.right.recv(600, env.socket.MSG_WAITALL)) == 600


def options(env):
    socket, one = env.socket, env.one
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bytes(16))
    assert one.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
    one.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
    for timeout in None, 0, 0.5, 5:
        one.settimeout(timeout)
    assert one.gettimeout() == one.timeout == 5
    one.family, one.type, one.proto, one.fileno(), one.getblocking(), one.get_inheritable()
    one.set_inheritable(False)
    hash(one), one == one, repr(one)


def conversions(env):
    socket = env.socket
    assert socket.inet_ntoa(socket.inet_aton("127.0.0.1")) == "127.0.0.1"
    assert socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, "::1")) == "::1"
    socket.htons(1), socket.ntohl(1), socket.CMSG_LEN(4), socket.CMSG_SPACE(4)
    for name, wrong in [("inet_aton", ("x",)), ("inet_pton", (socket.AF_INET, "x")), ("inet_ntoa", (b"x",)), ("htons", (-1,))]:
        fails((OSError, ValueError, OverflowError), getattr(socket, name), *wrong)


def look_ups(env):
    socket = env.socket
    for host, port in [("127.0.0.1", 80), ("::1", "80"), ("localhost", None), (None, 80), (b"127.0.0.1", b"80")]:
        assert socket.getaddrinfo(host, port)
    assert socket.gethostbyname("localhost") and socket.gethostbyname_ex("127.0.0.1")
    assert socket.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
    socket.gethostname()
    if HAS_TABLES:
        assert socket.getservbyname("http") and socket.getservbyport(80) and socket.getprotobyname("tcp")
    for number, name in socket.if_nameindex():
        assert socket.if_nametoindex(name) == number and socket.if_indextoname(number) == name


def failing_look_ups(env):
    socket = env.socket
    fails(socket.gaierror, socket.getaddrinfo, "127.0.0.256", 80, flags=socket.AI_NUMERICHOST)
    fails(socket.gaierror, socket.getaddrinfo, "127.0.0.1", env.name)
    fails(UnicodeError, socket.getaddrinfo, "x" * 100 + ".y", 80)
    fails(TypeError, socket.getaddrinfo, 5, 80)
    fails(OSError, socket.getservbyname, env.name)
    fails(OSError, socket.getprotobyname, env.name)
    fails(OverflowError, socket.getservbyport, -1)
    fails(OSError, socket.if_nametoindex, env.name)
    fails(OSError, socket.if_indextoname, 2**31)
    fails(OverflowError, socket.getnameinfo, ("::1", 80, 1 << 20), 0)


def failing(env):
    socket, left = env.socket, env.left
    for call in [
        lambda: left.recv(-1),
        lambda: left.recv_into(b"read-only"),
        lambda: left.recv_into(env.buffer, 5000),
        lambda: left.recvfrom_into(env.buffer, 5000),
        lambda: left.recvmsg(-1),
        lambda: left.recvmsg_into([env.buffer, b"read-only"]),
        lambda: left.send("text"),
        lambda: left.sendall(None),
        lambda: left.sendmsg([env.data, env.buffer, 5]),
        lambda: left.sendmsg([env.data], [(1, 2, env.buffer), 5]),
        lambda: left.sendmsg([env.data], [], 0, 5),
        lambda: env.one.sendto(env.buffer, ("127.0.0.1", 65536)),
        lambda: env.one.sendto(env.buffer, 0, ("x" * 100 + ".y", 80)),
        lambda: env.one.sendto(b"x" * 100_000, env.target),
        lambda: env.one.bind(env.target),
        lambda: env.one.connect(("localhost", -1)),
        lambda: left.connect("x" * 200),
        lambda: left.connect("/" + env.name),
        lambda: left.setsockopt(1, 2, "text"),
        lambda: left.getsockopt(1, 2, 5000),
        lambda: left.settimeout("text"),
        lambda: left.settimeout(-1),
        lambda: left.makefile("x"),
        lambda: left.makefile(5),
        lambda: left.sendfile(io.StringIO("text")),
        lambda: left.no_such_thing,
        lambda: socket.socket(-5, -5, -5),
        lambda: socket.socket("text"),
        lambda: socket.socket(fileno=-1),
        lambda: socket.socket(fileno=10_000),
        lambda: socket.socket(fileno=env.file.fileno()),
        lambda: socket.socketpair(socket.AF_INET),
        lambda: socket.create_connection(env.refusing.getsockname(), 5),
        lambda: socket.create_server(env.address),
        lambda: socket.fromfd(10_000, 1, 1),
        lambda: socket.setdefaulttimeout(-1),
        lambda: left.recv(1, 2, 3),
        lambda: left.recv(size=1),
        lambda: left.getsockname(1),
    ]:
        fails((OSError, ValueError, TypeError, AttributeError, OverflowError), call)


def would_block(env):
    for call in (
        ("recv", 10),
        ("recv", 1 << 20),
        ("recvfrom", 10),
        ("recv_into", env.buffer),
        ("recvmsg", 10, 1000),
        ("recvmsg_into", [env.buffer]),
    ):
        name, *arguments = call
        fails(BlockingIOError, getattr(env.nonblocking, name), *arguments)
    env.nonblocking.settimeout(1e-5)
    fails(TimeoutError, env.nonblocking.recv, 100_000)
    env.nonblocking.setblocking(False)
    env.listening.setblocking(False)
    fails(BlockingIOError, env.listening.accept)
    env.listening.setblocking(True)


def on_a_closed_socket(env):
    closed = env.closed
    for call in [
        lambda: closed.recv(1000),
        lambda: closed.send(env.buffer),
        lambda: closed.sendto(env.buffer, env.target),
        lambda: closed.sendmsg([env.buffer]),
        lambda: closed.recvmsg(10, 10),
        lambda: closed.connect(env.address),
        lambda: closed.bind(env.address),
        closed.accept,
        closed.dup,
        closed.getsockname,
        closed.listen,
    ]:
        fails(OSError, call)
    assert closed.connect_ex(env.address) != 0
    closed.close()
    assert closed.detach() == -1


def subclasses(env):
    own = env.subclass
    with own("extra") as made:
        assert weakref.ref(made)() is made
        made.extra = made  # a reference cycle


CALLS = [
    transfer, datagrams, messages, passing_descriptors, descriptors_that_do_not_fit, connections, constructions, files, sending_files, options,
    conversions, look_ups, failing_look_ups, failing, would_block, on_a_closed_socket, subclasses,
]  # fmt: skip


def measure(env):
    gc.collect()
    classes = env.socket.socket, env.socket.SocketType, env.socket.SocketIO, env.socket.AddressFamily
    things = *classes, env.data, env.buffer, env.target, env.address, env.name, env.left, env.one
    return {
        "descriptors": len(open_numbers()),
        "blocks": sys.getallocatedblocks(),
        "references": sum(sys.getrefcount(thing) for thing in things if sys.getrefcount(thing) < 1 << 28),
        "bytes": heap(),
    }


@needs_localhost
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_no_leak(socket, keep, call):
    assert_no_leak(Environment(socket, keep), call)


@pytest.fixture(autouse=True)
def fresh_collections():
    """A collection looks only at what the calls made, not at all that the tests before have left, which takes seconds in the end."""
    gc.freeze()
    yield
    gc.unfreeze()


def assert_no_leak(env, call):
    def growth():
        before = measure(env)
        for _ in range(ROUNDS):
            call(env)
        after = measure(env)
        return {name: after[name] - before[name] for name in before if before[name] is not None}

    growth()
    # The interpreter's own caches and free lists grow too, but less each time. A leak grows by the same amount each time.
    growths = [growth()]
    while too_much(growths[-1]) and len(growths) < 20:
        growths.append(growth())
    assert not too_much(growths[-1]), growths


SINGLE = {
    "a file without a descriptor": lambda env: env.right.recv(env.left.sendfile(io.BytesIO(env.data * 10))),
    "an empty file without a descriptor": lambda env: env.left.sendfile(io.BytesIO()),
    "a file whose descriptor fails": lambda env: env.left.sendfile(Unreadable()),
    "an empty file": lambda env: env.left.sendfile(env.empty),
    "a count of an empty file": lambda env: env.left.sendfile(env.empty, 0, 2**70),
    "a file that is a pipe": lambda env: env.left.sendfile(env.pipe, 0, 1),
    "a file that is an int": lambda env: env.left.sendfile(5),
    "a file of text": lambda env: env.left.sendfile(io.StringIO("text")),
    "a count out of range": lambda env: env.left.sendfile(env.file, 0, 2**70),
    "a negative count of a file": lambda env: env.left.sendfile(env.file, 0, -1),
    "a count that is a str": lambda env: env.left.sendfile(env.file, 0, "1"),
    "an offset out of range": lambda env: env.left.sendfile(env.file, 2**70, 1),
    "an offset that is a str": lambda env: env.left.sendfile(env.file, "1", 1),
    "a file to a closed socket": lambda env: env.closed.sendfile(env.file),
    "a file to a non-blocking socket": lambda env: env.nonblocking.sendfile(env.file),
    "a file to a datagram socket": lambda env: env.one.sendfile(env.file),
    "a mode that is an int": lambda env: env.left.makefile(5),
    "an unknown mode": lambda env: env.left.makefile("x"),
    "a mode with a lone surrogate": lambda env: env.left.makefile("\ud800"),
    "an unknown raw mode": lambda env: env.raw.__init__(env.left, "x"),
    "a raw mode with a lone surrogate": lambda env: env.raw.__init__(env.left, "\ud800"),
    "text without a buffer": lambda env: env.left.makefile("r", 0),
    "a file not open for reading": lambda env: env.raw.readinto(bytearray(1)),
    "a file not open for writing": lambda env: env.reader.write(b"x"),
    "a file with nothing to read": lambda env: env.reader.readinto(bytearray(1)),
    "a file into a read-only buffer": lambda env: env.reader.readinto(b"x"),
    "a file from a str": lambda env: env.raw.write("x"),
    "a port out of range": lambda env: env.one.sendto(b"x", ("127.0.0.1", 65536)),
    "a port out of C's range": lambda env: env.one.sendto(b"x", ("127.0.0.1", 2**70)),
    "a port that is a str": lambda env: env.one.connect(("127.0.0.1", "80")),
    "a host with a lone surrogate": lambda env: env.one.connect(("\ud800", 80)),
    "a host with a long label": lambda env: env.one.connect(("ä" * 1000, 80)),
    "a host with a long label after others": lambda env: env.one.connect(("a." * 300 + "ä" * 1000, 80)),
    "a host that is an int": lambda env: env.one.bind((5, 80)),
    "a path that is too long": lambda env: env.unix.bind("x" * 200),
    "a path that is an int": lambda env: env.unix.connect(5),
    "an address that is an int": lambda env: env.one.connect_ex(5),
    "a timeout out of range": lambda env: env.left.settimeout(2**62),
    "a timeout out of C's range": lambda env: env.left.settimeout(2**70),
    "a timeout that is a str": lambda env: env.left.settimeout("1"),
    "a timeout that fails": lambda env: env.left.settimeout(Unreadable()),
    "a size that fails": lambda env: env.left.recv(Unreadable()),
    "a size out of range": lambda env: env.left.recv(2**70),
    "nothing to receive": lambda env: env.nonblocking.recv(1),
    "no connection to accept": lambda env: env.idle_listener.accept(),
    "a closed socket's accept": lambda env: env.closed.accept(),
    "a closed socket's dup": lambda env: env.closed.dup(),
    "a closed socket's file": lambda env: env.closed.makefile("rb", 0).close(),
    "the attributes of an open file": lambda env: (env.raw.closed, env.raw.name, env.raw.mode, repr(env.raw), env.raw.fileno()),
    "the attributes of a closed file": lambda env: (env.closed_file.closed, env.closed_file.name, env.closed_file.mode, repr(env.closed_file)),
    "a closed file's descriptor": lambda env: env.closed_file.fileno(),
    "a file made and closed": lambda env: env.left.makefile("rb", 0).close(),
    "the repr of a closed socket": lambda env: repr(env.closed),
    "the repr of an unconnected socket": lambda env: repr(env.one),
    "an unknown keyword": lambda env: env.left.makefile(unknown=1),
    "a keyword with a lone surrogate": lambda env: env.left.makefile(**{"\ud800": 1}),
    "an argument too many": lambda env: env.left.accept(1),
    "an inheritable that is a str": lambda env: env.left.set_inheritable("x"),
    "an unknown option": lambda env: env.left.getsockopt(5000, 5000),
    "an option's value that is a float": lambda env: env.left.setsockopt(1, 2, 1.5),
    "buffers that fail": lambda env: env.left.sendmsg(Unreadable()),
    "a family out of range": lambda env: env.socket.socket(2**70),
    "an unknown family": lambda env: env.socket.socket(5000),
    "a descriptor that is a str": lambda env: env.socket.socket(fileno="x"),
    "a descriptor that is not a socket": lambda env: env.socket.socket(fileno=env.file.fileno()),
    "a pickle": lambda env: env.left.__getstate__(),
    "a look-up of a lone surrogate": lambda env: env.socket.getaddrinfo("\ud800", 80),
    "a look-up of an unknown service": lambda env: env.socket.getaddrinfo("127.0.0.1", "no such service"),
    "a look-up that fails": lambda env: env.socket.getaddrinfo("127.0.0.256", 80, 0, 0, 0, env.socket.AI_NUMERICHOST),
    "a type that the enumeration lacks": lambda env: env.socket.socket(
        env.socket.AF_UNIX, 5000 | env.socket.SOCK_STREAM, fileno=env.socket.dup(env.unix.fileno())
    ).close(),
}  # fmt: skip


class Unreadable:
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __index__(self):
        raise RuntimeError("no index")

    def __iter__(self):
        raise RuntimeError("no items")


@pytest.fixture
def single_env(socket, keep):
    env = Environment(socket, keep)
    reading, writing = os.pipe()
    os.close(writing)
    env.pipe = keep(open(reading, "rb", 0))
    env.empty = keep(open(os.devnull, "rb", 0))
    env.raw = keep(env.left.makefile("wb", 0))
    env.closed_file = env.left.makefile("rb", 0)
    env.closed_file.close()
    env.reader = keep(env.nonblocking.makefile("rb", 0))
    env.unix = keep(socket.socket(socket.AF_UNIX))
    env.idle_listener = keep(socket.create_server(("127.0.0.1", 0)))
    env.idle_listener.setblocking(False)
    return env


@pytest.mark.parametrize("name", SINGLE)
def test_no_leak_of_a_call_by_itself(single_env, name):
    """No other call is in between: an object that one call leaves to be freed later would be freed by the next."""
    errors = OSError, ValueError, TypeError, AttributeError, OverflowError, RuntimeError, UnicodeError, io.UnsupportedOperation

    def references():
        return sum(count for count in map(sys.getrefcount, errors) if count < 1 << 28)

    def growth():
        gc.collect()
        before = sys.getallocatedblocks(), references()
        for _ in range(ROUNDS):
            with contextlib.suppress(Exception):
                SINGLE[name](single_env)
        gc.collect()
        return sys.getallocatedblocks() - before[0], references() - before[1]

    growth()
    growths = [growth(), growth()]
    # A single object may appear by chance; one in every other round may not.
    assert min(map(max, growths)) <= ROUNDS // 2, growths


def too_much(growth):
    limits = {"descriptors": 0, "blocks": ROUNDS // 2, "references": ROUNDS // 2, "bytes": ROUNDS * 24}
    return {name: by for name, by in growth.items() if by > limits[name]}


def test_no_leak_of_calls_ended_by_close(oxisocket, keep, start):
    env = Environment(oxisocket, keep)

    def round():
        left, right = oxisocket.socketpair()
        calls = [start(left.recv, 1000).until_blocked() for _ in range(2)]
        left.close()
        for call in calls:
            with pytest.raises(OSError):
                call.result()
        right.close()

    round()
    before = len(open_numbers())
    for _ in range(20):
        round()
    assert len(open_numbers()) == before
    assert measure(env)["descriptors"] == before


def test_a_large_recv_keeps_only_the_received_bytes(oxisocket, unix_pair_of_ours):
    left, right = unix_pair_of_ours
    kept = []
    before = heap()
    if before is None:
        pytest.skip("the C library does not tell what it has allocated")
    for _ in range(50):
        left.send(b"x" * 64)
        kept.append(right.recv(1 << 20))
    assert heap() - before < 1 << 20


def test_a_trace_forgets_the_sockets_that_are_gone(oxisocket, tmp_path):
    if heap() is None:
        pytest.skip("the C library does not tell what it has allocated")

    def growth(sockets):
        before = heap()
        for _ in range(sockets):
            with oxisocket.socket(oxisocket.AF_UNIX):
                pass
        return heap() - before

    with oxisocket.trace(tmp_path / "trace.jsonl"):
        growth(100)
        assert growth(5000) < 8 * 5000, "less than a word for each socket"


@pytest.fixture
def unix_pair_of_ours(oxisocket, keep):
    left, right = oxisocket.socketpair()
    return keep(left), keep(right)


def exact_receives(env):
    env.left.sendall(env.data)
    assert env.right.recv_exactly(40) == env.data[:40]
    assert env.right.recv_exactly_into(env.buffer, 60) == 60
    for size in 40, 100_000:
        env.nonblocking_peer.send(env.data[:10])
        fails(BlockingIOError, env.nonblocking.recv_exactly, size)
    fails(BlockingIOError, env.nonblocking.recv_exactly_into, env.buffer)
    fails(ValueError, env.left.recv_exactly, 1, env.socket.MSG_PEEK)
    fails(ValueError, env.one.recv_exactly, 1)
    fails(TypeError, env.left.recv_exactly_into, b"x")
    fails(MemoryError if HAS_64_BITS else OverflowError, env.left.recv_exactly, 1 << 62)
    fails(OSError, env.closed.recv_exactly, 1)


def exact_receives_that_meet_the_end(env):
    left, right = env.socket.socketpair()
    left.send(b"x")
    left.close()
    fails(EOFError, right.recv_exactly, 2)
    fails(EOFError, right.recv_exactly_into, bytearray(2))
    right.close()


def exact_receives_of_a_subclass(env):
    class Overriding(env.socket.socket):
        def recv(self, size):
            return b"x"

    with Overriding() as sock:
        assert sock.recv_exactly(5) == b"xxxxx"
        assert sock.recv_exactly_into(env.buffer, 5) == 5
    del sock, Overriding
    gc.collect()


def sends_that_fail(env):
    fails(OSError, env.closed.sendall, b"x")
    fails(OSError, env.one.sendall, bytes(1 << 17))


def readers(env):
    reader = env.socket.Reader(env.right)
    env.left.sendall(b"line\n" * 100 + bytes(100_000))
    assert [reader.readline() for _ in range(50)] == [b"line\n"] * 50
    assert reader.readuntil((b"line", b"\n")) == b"line"
    assert len(reader.readexactly(50 * 5 - 4 + 100_000)) == 50 * 5 - 4 + 100_000
    env.left.sendall(env.data)
    assert reader.read(1000) == env.data
    assert (reader.buffered, reader.at_eof()) == (b"", False)
    reader.__init__(env.nonblocking)
    for read in reader.readline, reader.read, reader.readuntil:
        fails(BlockingIOError, read)
    fails(TypeError, reader.readuntil, (b"x", 5))
    fails(ValueError, env.socket.Reader, env.left, 0)
    fails(AttributeError, env.socket.Reader, 5)


def readers_that_meet_the_end(env):
    left, right = env.socket.socketpair()
    left.send(b"lines")
    left.close()
    fails(ValueError, env.socket.Reader(right, 3).readline)
    reader = env.socket.Reader(right)
    for read in lambda: reader.readexactly(2), reader.readuntil:
        fails(EOFError, read)
    assert (reader.readline(), reader.read(), reader.at_eof()) == (b"", b"", True)
    right.close()


BEYOND = [
    exact_receives,
    exact_receives_that_meet_the_end,
    exact_receives_of_a_subclass,
    sends_that_fail,
    readers,
    readers_that_meet_the_end,
]


@pytest.mark.parametrize("call", BEYOND, ids=lambda call: call.__name__)
def test_no_leak_beyond(oxisocket, keep, call):
    env = Environment(oxisocket, keep)
    env.nonblocking_peer = env._other
    assert_no_leak(env, call)
