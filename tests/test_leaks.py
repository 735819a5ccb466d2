"""No call, successful or not, keeps a reference, a piece of memory or a descriptor."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import io
import os
import sys
import tempfile
import weakref

import pytest
from machine import HAS_TABLES, needs_localhost

ROUNDS = 50  # of a call; one object kept a call is this many objects


def heap():
    """The bytes that the C library has given out, to the interpreter and to Rust alike; None where it does not tell."""

    class Information(ctypes.Structure):
        _fields_ = [
            (name, ctypes.c_size_t)
            for name in (
                "arena",
                "ordblks",
                "smblks",
                "hblks",
                "hblkhd",
                "usmblks",
                "fsmblks",
                "uordblks",
                "fordblks",
                "keepcost",
            )
        ]

    try:
        ask = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return None
    ask.restype = Information
    information = ask()
    return information.uordblks + information.hblkhd


class Stage:
    """What the calls are made on."""

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
        self.nobody = keep(socket.socket())  # at a port where nobody listens, and nobody else can
        self.nobody.bind(("127.0.0.1", 0))
        self.waiting, self._other = (keep(each) for each in socket.socketpair())
        self.waiting.setblocking(False)
        self.subclass = subclass(socket)
        self.closed = socket.socket()
        self.closed.close()
        self.name = "no-such-" + "x" * 40
        self.data, self.buffer = b"x" * 100, bytearray(2000)
        self.file = keep(tempfile.TemporaryFile())
        self.file.write(b"x" * 1000)


def refused(error, function, *args, **keywords):
    with pytest.raises(error):
        function(*args, **keywords)


def transfer(stage):
    left, right = stage.left, stage.right
    left.send(stage.data)
    left.sendall(bytearray(stage.data))
    assert right.recv(200) == stage.data * 2
    left.send(memoryview(stage.data))
    assert right.recv_into(stage.buffer) == 100
    left.send(b"")
    left.send(stage.data, 0)
    assert right.recv(1 << 20) == stage.data
    assert right.recv(0) == b""


def datagrams(stage):
    for size in 0, 1, 1000, 20_000:
        stage.one.sendto(b"x" * size, stage.target)
        assert len(stage.other.recvfrom(65536)[0]) == size
    stage.one.sendto(b"x", 0, ("localhost", stage.target[1]))
    assert stage.other.recvfrom_into(stage.buffer)[0] == 1
    stage.one.sendmsg([b"x", b"y"], [], 0, stage.target)
    assert stage.other.recvmsg(10)[0] == b"xy"


def messages(stage):
    stage.left.sendmsg([stage.data, bytearray(stage.data)])
    assert stage.right.recvmsg_into([stage.buffer])[0] == 200
    stage.left.sendmsg(iter([stage.data]), [(stage.socket.SOL_SOCKET, stage.socket.SCM_RIGHTS, b"")])
    assert stage.right.recvmsg(1000, 100)[0] == stage.data


def passing_descriptors(stage):
    stage.socket.send_fds(stage.left, [b"x"], [stage.left.fileno()] * 3)
    for number in stage.socket.recv_fds(stage.right, 1, 3)[1]:
        os.close(number)
    stage.socket.send_fds(stage.left, [b"x"], [stage.left.fileno()] * 3)
    assert stage.right.recv(1) == b"x"  # the descriptors are nobody's


def descriptors_that_do_not_fit(stage):
    """Fewer than were sent: the kernel keeps the rest."""
    stage.socket.send_fds(stage.left, [b"x"], [stage.left.fileno()] * 3)
    for number in stage.socket.recv_fds(stage.right, 1, 1)[1]:
        os.close(number)


def connections(stage):
    with stage.socket.socket() as client:
        client.connect(stage.address)
        accepted, peer = stage.listening.accept()
        with accepted:
            assert client.getsockname() == peer == accepted.getpeername()
            repr(accepted)
    with stage.socket.create_connection(stage.address, 5, ("127.0.0.1", 0)), stage.listening.accept()[0]:
        pass
    with stage.socket.socket() as client:
        assert client.connect_ex(stage.address) == 0
        stage.socket.close(stage.listening._accept()[0])


def makings(stage):
    socket = stage.socket
    socket.socket().close()
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM, 0).close()
    socket.socket(fileno=socket.socket().detach()).close()
    for each in socket.socketpair():
        each.close()
    stage.left.dup().close()
    socket.fromfd(stage.left.fileno(), socket.AF_UNIX, socket.SOCK_STREAM).close()
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


def files(stage):
    for mode, options in [
        ("r", {}),
        ("w", {}),
        ("rwb", {}),
        ("rb", {"buffering": 0}),
        ("rw", {"encoding": "utf-8", "newline": "\n"}),
    ]:
        with stage.left.makefile(mode, **options) as file:
            repr(file)
    with stage.left.makefile("wb") as out, stage.right.makefile("rb") as into:
        out.write(stage.data + b"\n")
        out.flush()
        assert into.readline() == stage.data + b"\n"
    file = stage.left.makefile("rb", 0)
    file.itself = file
    del file


def sending_files(stage):
    stage.file.seek(0)
    assert stage.left.sendfile(stage.file, 0, 500) == 500
    assert stage.left.sendfile(io.BytesIO(stage.data)) == 100
    assert len(stage.right.recv(600, stage.socket.MSG_WAITALL)) == 600


def options(stage):
    socket, one = stage.socket, stage.one
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


def conversions(stage):
    socket = stage.socket
    assert socket.inet_ntoa(socket.inet_aton("127.0.0.1")) == "127.0.0.1"
    assert socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, "::1")) == "::1"
    socket.htons(1), socket.ntohl(1), socket.CMSG_LEN(4), socket.CMSG_SPACE(4)
    for name, wrong in [("inet_aton", ("x",)), ("inet_pton", (socket.AF_INET, "x")), ("inet_ntoa", (b"x",)), ("htons", (-1,))]:
        refused((OSError, ValueError, OverflowError), getattr(socket, name), *wrong)


def looking_up(stage):
    socket = stage.socket
    for host, port in [("127.0.0.1", 80), ("::1", "80"), ("localhost", None), (None, 80), (b"127.0.0.1", b"80")]:
        assert socket.getaddrinfo(host, port)
    assert socket.gethostbyname("localhost") and socket.gethostbyname_ex("127.0.0.1")
    assert socket.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
    socket.gethostname()
    if HAS_TABLES:
        assert socket.getservbyname("http") and socket.getservbyport(80) and socket.getprotobyname("tcp")
    for number, name in socket.if_nameindex():
        assert socket.if_nametoindex(name) == number and socket.if_indextoname(number) == name


def looking_up_in_vain(stage):
    socket = stage.socket
    refused(socket.gaierror, socket.getaddrinfo, "127.0.0.256", 80, flags=socket.AI_NUMERICHOST)
    refused(socket.gaierror, socket.getaddrinfo, "127.0.0.1", stage.name)
    refused(UnicodeError, socket.getaddrinfo, "x" * 100 + ".y", 80)
    refused(TypeError, socket.getaddrinfo, 5, 80)
    refused(OSError, socket.getservbyname, stage.name)
    refused(OSError, socket.getprotobyname, stage.name)
    refused(OverflowError, socket.getservbyport, -1)
    refused(OSError, socket.if_nametoindex, stage.name)
    refused(OSError, socket.if_indextoname, 2**31)
    refused(OverflowError, socket.getnameinfo, ("::1", 80, 1 << 20), 0)


def failing(stage):
    socket, left = stage.socket, stage.left
    for call in [
        lambda: left.recv(-1),
        lambda: left.recv_into(b"read-only"),
        lambda: left.recv_into(stage.buffer, 5000),
        lambda: left.recvfrom_into(stage.buffer, 5000),
        lambda: left.recvmsg(-1),
        lambda: left.recvmsg_into([stage.buffer, b"read-only"]),
        lambda: left.send("text"),
        lambda: left.sendall(None),
        lambda: left.sendmsg([stage.data, stage.buffer, 5]),
        lambda: left.sendmsg([stage.data], [(1, 2, stage.buffer), 5]),
        lambda: left.sendmsg([stage.data], [], 0, 5),
        lambda: stage.one.sendto(stage.buffer, ("127.0.0.1", 65536)),
        lambda: stage.one.sendto(stage.buffer, 0, ("x" * 100 + ".y", 80)),
        lambda: stage.one.sendto(b"x" * 100_000, stage.target),
        lambda: stage.one.bind(stage.target),
        lambda: stage.one.connect(("localhost", -1)),
        lambda: left.connect("x" * 200),
        lambda: left.connect("/" + stage.name),
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
        lambda: socket.socket(fileno=stage.file.fileno()),
        lambda: socket.socketpair(socket.AF_INET),
        lambda: socket.create_connection(stage.nobody.getsockname(), 5),
        lambda: socket.create_server(stage.address),
        lambda: socket.fromfd(10_000, 1, 1),
        lambda: socket.setdefaulttimeout(-1),
        lambda: left.recv(1, 2, 3),
        lambda: left.recv(size=1),
        lambda: left.getsockname(1),
    ]:
        refused((OSError, ValueError, TypeError, AttributeError, OverflowError), call)


def nothing_there(stage):
    for call in (
        ("recv", 10),
        ("recv", 1 << 20),
        ("recvfrom", 10),
        ("recv_into", stage.buffer),
        ("recvmsg", 10, 1000),
        ("recvmsg_into", [stage.buffer]),
    ):
        name, *arguments = call
        refused(BlockingIOError, getattr(stage.waiting, name), *arguments)
    stage.waiting.settimeout(1e-5)
    refused(TimeoutError, stage.waiting.recv, 100_000)
    stage.waiting.setblocking(False)
    stage.listening.setblocking(False)
    refused(BlockingIOError, stage.listening.accept)
    stage.listening.setblocking(True)


def on_a_closed_socket(stage):
    closed = stage.closed
    for call in [
        lambda: closed.recv(1000),
        lambda: closed.send(stage.buffer),
        lambda: closed.sendto(stage.buffer, stage.target),
        lambda: closed.sendmsg([stage.buffer]),
        lambda: closed.recvmsg(10, 10),
        lambda: closed.connect(stage.address),
        lambda: closed.bind(stage.address),
        closed.accept,
        closed.dup,
        closed.getsockname,
        closed.listen,
    ]:
        refused(OSError, call)
    assert closed.connect_ex(stage.address) != 0
    closed.close()
    assert closed.detach() == -1


def subclasses(stage):
    own = stage.subclass
    with own("extra") as made:
        assert weakref.ref(made)() is made
        made.extra = made  # a cycle


CALLS = [
    transfer, datagrams, messages, passing_descriptors, descriptors_that_do_not_fit, connections, makings, files, sending_files, options,
    conversions, looking_up, looking_up_in_vain, failing, nothing_there, on_a_closed_socket, subclasses,
]  # fmt: skip


def measure(stage):
    gc.collect()
    classes = stage.socket.socket, stage.socket.SocketType, stage.socket.SocketIO, stage.socket.AddressFamily
    things = *classes, stage.data, stage.buffer, stage.target, stage.address, stage.name, stage.left, stage.one
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "blocks": sys.getallocatedblocks(),
        "references": sum(sys.getrefcount(thing) for thing in things if sys.getrefcount(thing) < 1 << 28),
        "bytes": heap(),
    }


@needs_localhost
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_nothing_is_kept(socket, keep, call):
    stage = Stage(socket, keep)

    def grown():
        before = measure(stage)
        for _ in range(ROUNDS):
            call(stage)
        after = measure(stage)
        return {name: after[name] - before[name] for name in before if before[name] is not None}

    grown()
    # The interpreter's own caches and free lists grow too, less each time: what leaks, grows by as much for ever.
    growths = [grown()]
    while too_much(growths[-1]) and len(growths) < 20:
        growths.append(grown())
    assert not too_much(growths[-1]), growths


SINGLE = {
    "a file without a descriptor": lambda stage: stage.right.recv(stage.left.sendfile(io.BytesIO(stage.data * 10))),
    "an empty file without a descriptor": lambda stage: stage.left.sendfile(io.BytesIO()),
    "a file whose descriptor fails": lambda stage: stage.left.sendfile(Unreadable()),
    "an empty file": lambda stage: stage.left.sendfile(stage.empty),
    "a count of an empty file": lambda stage: stage.left.sendfile(stage.empty, 0, 2**70),
    "a file that is a pipe": lambda stage: stage.left.sendfile(stage.pipe, 0, 1),
    "a file that is none": lambda stage: stage.left.sendfile(5),
    "a file of text": lambda stage: stage.left.sendfile(io.StringIO("text")),
    "too many of a file": lambda stage: stage.left.sendfile(stage.file, 0, 2**70),
    "a negative count of a file": lambda stage: stage.left.sendfile(stage.file, 0, -1),
    "a count that is none": lambda stage: stage.left.sendfile(stage.file, 0, "1"),
    "an offset out of range": lambda stage: stage.left.sendfile(stage.file, 2**70, 1),
    "an offset that is none": lambda stage: stage.left.sendfile(stage.file, "1", 1),
    "a file to a socket that is closed": lambda stage: stage.closed.sendfile(stage.file),
    "a file to a socket that does not wait": lambda stage: stage.waiting.sendfile(stage.file),
    "a file to a socket of datagrams": lambda stage: stage.one.sendfile(stage.file),
    "a mode that is none": lambda stage: stage.left.makefile(5),
    "a mode unknown": lambda stage: stage.left.makefile("x"),
    "a mode of half a pair": lambda stage: stage.left.makefile("\ud800"),
    "a raw mode unknown": lambda stage: stage.raw.__init__(stage.left, "x"),
    "a raw mode of half a pair": lambda stage: stage.raw.__init__(stage.left, "\ud800"),
    "text without a buffer": lambda stage: stage.left.makefile("r", 0),
    "a file that does not read": lambda stage: stage.raw.readinto(bytearray(1)),
    "a file that does not write": lambda stage: stage.reader.write(b"x"),
    "a file with nothing to read": lambda stage: stage.reader.readinto(bytearray(1)),
    "a file into what cannot be written": lambda stage: stage.reader.readinto(b"x"),
    "a file from what cannot be read": lambda stage: stage.raw.write("x"),
    "a port out of range": lambda stage: stage.one.sendto(b"x", ("127.0.0.1", 65536)),
    "a port out of C's range": lambda stage: stage.one.sendto(b"x", ("127.0.0.1", 2**70)),
    "a port that is none": lambda stage: stage.one.connect(("127.0.0.1", "80")),
    "a host of half a pair": lambda stage: stage.one.connect(("\ud800", 80)),
    "a host with an endless label": lambda stage: stage.one.connect(("ä" * 1000, 80)),
    "a host with an endless label after others": lambda stage: stage.one.connect(("a." * 300 + "ä" * 1000, 80)),
    "a host that is none": lambda stage: stage.one.bind((5, 80)),
    "a path that is too long": lambda stage: stage.unix.bind("x" * 200),
    "a path that is none": lambda stage: stage.unix.connect(5),
    "an address that is none": lambda stage: stage.one.connect_ex(5),
    "a timeout out of range": lambda stage: stage.left.settimeout(2**62),
    "a timeout out of C's range": lambda stage: stage.left.settimeout(2**70),
    "a timeout that is none": lambda stage: stage.left.settimeout("1"),
    "a timeout that fails": lambda stage: stage.left.settimeout(Unreadable()),
    "a size that fails": lambda stage: stage.left.recv(Unreadable()),
    "a size out of range": lambda stage: stage.left.recv(2**70),
    "nothing to receive": lambda stage: stage.waiting.recv(1),
    "nobody to accept": lambda stage: stage.unheard.accept(),
    "a closed socket's accept": lambda stage: stage.closed.accept(),
    "a closed socket's copy": lambda stage: stage.closed.dup(),
    "a closed socket's file": lambda stage: stage.closed.makefile("rb", 0).close(),
    "an open file asked": lambda stage: (stage.raw.closed, stage.raw.name, stage.raw.mode, repr(stage.raw), stage.raw.fileno()),
    "a closed file asked": lambda stage: (stage.shut.closed, stage.shut.name, stage.shut.mode, repr(stage.shut)),
    "a closed file's descriptor": lambda stage: stage.shut.fileno(),
    "a file made and closed": lambda stage: stage.left.makefile("rb", 0).close(),
    "a closed socket shown": lambda stage: repr(stage.closed),
    "an unconnected socket shown": lambda stage: repr(stage.one),
    "a keyword unknown": lambda stage: stage.left.makefile(unknown=1),
    "a keyword of half a pair": lambda stage: stage.left.makefile(**{"\ud800": 1}),
    "an argument too many": lambda stage: stage.left.accept(1),
    "an inheritance that is none": lambda stage: stage.left.set_inheritable("x"),
    "an option unknown": lambda stage: stage.left.getsockopt(5000, 5000),
    "an option's value that is none": lambda stage: stage.left.setsockopt(1, 2, 1.5),
    "buffers that fail": lambda stage: stage.left.sendmsg(Unreadable()),
    "a family out of range": lambda stage: stage.socket.socket(2**70),
    "a family unknown": lambda stage: stage.socket.socket(5000),
    "a descriptor that is none": lambda stage: stage.socket.socket(fileno="x"),
    "a descriptor that is no socket": lambda stage: stage.socket.socket(fileno=stage.file.fileno()),
    "a pickle": lambda stage: stage.left.__getstate__(),
    "a look-up of half a pair": lambda stage: stage.socket.getaddrinfo("\ud800", 80),
    "a look-up of a service unknown": lambda stage: stage.socket.getaddrinfo("127.0.0.1", "no such service"),
    "a look-up in vain": lambda stage: stage.socket.getaddrinfo("127.0.0.256", 80, 0, 0, 0, stage.socket.AI_NUMERICHOST),
    "a family that the enumeration lacks": lambda stage: stage.socket.socket(
        stage.socket.AF_UNIX, 5000 | stage.socket.SOCK_STREAM, fileno=stage.socket.dup(stage.unix.fileno())
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
def single_stage(socket, keep):
    stage = Stage(socket, keep)
    reading, writing = os.pipe()
    os.close(writing)
    stage.pipe = keep(open(reading, "rb", 0))
    stage.empty = keep(open(os.devnull, "rb", 0))
    stage.raw = keep(stage.left.makefile("wb", 0))
    stage.shut = stage.left.makefile("rb", 0)
    stage.shut.close()
    stage.reader = keep(stage.waiting.makefile("rb", 0))
    stage.unix = keep(socket.socket(socket.AF_UNIX))
    stage.unheard = keep(socket.create_server(("127.0.0.1", 0)))
    stage.unheard.setblocking(False)
    return stage


@pytest.mark.parametrize("name", SINGLE)
def test_a_call_by_itself_keeps_nothing(single_stage, name):
    """With no other in between: what one leaves to be given back later, the next would give back."""
    errors = OSError, ValueError, TypeError, AttributeError, OverflowError, RuntimeError, UnicodeError, io.UnsupportedOperation

    def references():
        return sum(count for count in map(sys.getrefcount, errors) if count < 1 << 28)

    def grown():
        gc.collect()
        before = sys.getallocatedblocks(), references()
        for _ in range(ROUNDS):
            with contextlib.suppress(Exception):
                SINGLE[name](single_stage)
        gc.collect()
        return sys.getallocatedblocks() - before[0], references() - before[1]

    grown()
    growths = [grown(), grown()]
    # Once, by chance, may be: an object in every other round is not.
    assert min(map(max, growths)) <= ROUNDS // 2, growths


def too_much(growth):
    limits = {"descriptors": 0, "blocks": ROUNDS // 2, "references": ROUNDS // 2, "bytes": ROUNDS * 24}
    return {name: by for name, by in growth.items() if by > limits[name]}


def test_threads_that_were_blocked_leave_nothing(oxisocket, keep, start):
    stage = Stage(oxisocket, keep)

    def round():
        left, right = oxisocket.socketpair()
        calls = [start(left.recv, 1000).until_blocked() for _ in range(2)]
        left.close()
        for call in calls:
            with pytest.raises(OSError):
                call.result()
        right.close()

    round()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        round()
    assert len(os.listdir("/proc/self/fd")) == before
    assert measure(stage)["descriptors"] == before


def test_a_large_result_keeps_what_came_not_what_was_asked(oxisocket, unix_pair_of_ours):
    left, right = unix_pair_of_ours
    kept = []
    before = heap()
    if before is None:
        pytest.skip("the C library does not tell what it has given out")
    for _ in range(50):
        left.send(b"x" * 64)
        kept.append(right.recv(1 << 20))
    assert heap() - before < 1 << 20


@pytest.fixture
def unix_pair_of_ours(oxisocket, keep):
    left, right = oxisocket.socketpair()
    return keep(left), keep(right)
