"""Wrong arguments, for every method: the same exception class, errno and text as the installed interpreter's."""

from __future__ import annotations

import array
import inspect
import itertools
import os
import socket as original

import pytest
from machine import needs_inet6


class Index:
    """A number that is not an `int`."""

    def __init__(self, value):
        self.value = value

    def __index__(self):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class Plain:
    """An object that nothing accepts."""


METHODS = [
    "_accept",
    "accept",
    "bind",
    "close",
    "connect",
    "connect_ex",
    "detach",
    "dup",
    "fileno",
    "get_inheritable",
    "getblocking",
    "getpeername",
    "getsockname",
    "getsockopt",
    "gettimeout",
    "listen",
    "makefile",
    "recv",
    "recv_into",
    "recvfrom",
    "recvfrom_into",
    "recvmsg",
    "recvmsg_into",
    "send",
    "sendall",
    "sendfile",
    "sendmsg",
    "sendto",
    "set_inheritable",
    "setblocking",
    "setsockopt",
    "settimeout",
    "shutdown",
    "__enter__",
    "__exit__",
    "__getstate__",
]
ONE = [
    None,
    True,
    0,
    3,
    -1,
    1.5,
    float("nan"),
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    2**62,
    2**63,
    2**64,
    -(2**63) - 1,
    "",
    "x",
    "r",
    "rwb",
    "\ud800",
    b"",
    b"data",
    bytearray(3),
    memoryview(b"readonly"),
    memoryview(bytearray(8))[::2],
    memoryview(bytearray(8)).cast("B", (2, 4)),
    array.array("i", [0x01010101, 0x02020202]),  # without a NUL, since a NUL in a path is an intended difference
    (),
    [],
    {},
    [b"a"],
    [bytearray(1)],
    [1],
    [None],
    (1, 2),
    ("127.0.0.1", 0),
    ("127.0.0.1", 65536),
    Index(1),
    Index(-1),
    Index(2**64),
    Index("not an int"),
    Index(LookupError("from __index__")),
    Plain(),
    Plain,
    1j,
]
MORE = [None, 0, -1, 2, 2**31, 2**64, 1.5, "x", b"ab", bytearray(2), [], Index(1), ("127.0.0.1", 0)]
FEW = [None, 1, -1, 2**40, "x", b"ab", []]
KEYWORDS = [
    {"nothing": 1},
    {"bufsize": 1},
    {"buffersize": 1},
    {"buffer": bytearray(2)},
    {"buffer": bytearray(2), "nbytes": 1},
    {"buffer": bytearray(2), "nbytes": 1, "flags": 0},
    {"nbytes": 1},
    {"flags": 0},
    {"data": b"x"},
    {"address": ("127.0.0.1", 0)},
    {"backlog": 1},
    {"value": 1},
    {"flag": True},
    {"how": 2},
    {"level": 1, "optname": 9},
    {"inheritable": True},
    {"inheritable": 2**64},
    {"mode": "r"},
    {"mode": "x"},
    {"mode": 5},
    {"mode": "rb", "buffering": 0},
    {"mode": "r", "buffering": 0},
    {"mode": "rb", "buffering": "x"},
    {"mode": "rb", "encoding": "utf-8"},
    {"encoding": 5},
    {"encoding": "no such encoding"},
    {"newline": "x"},
    {"file": None},
    {"self": 1},
]
MAKERS = {
    "a UNIX stream": lambda socket: socket.socketpair(),
    "a UNIX datagram": lambda socket: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
    "UDP": lambda socket: (socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()),
    "TCP over IPv6": lambda socket: (socket.socket(socket.AF_INET6), socket.socket()),
}


def calls(method):
    """Every combination of arguments to try."""
    yield ((), {})
    for keywords in KEYWORDS:
        yield ((), keywords)
        yield ((b"x",), keywords)
    for args in itertools.chain(
        itertools.product(ONE, repeat=1),
        itertools.product(MORE, repeat=2),
        itertools.product(FEW, repeat=3),
        [(1, 2, 3, 4), (b"a", 0, None, 5), (None,) * 4, (1,) * 5, ("x",) * 6, ([b"x"], [], 0, None, 0)],
    ):
        if not (method.startswith("recv") and args[0] in (2**31, 2**31 - 1, 2**40)):  # they would only allocate gigabytes
            yield (args, {})


def copied(argument):
    """A copy of a buffer: the two implementations must not see each other's writes."""
    return bytearray(argument) if isinstance(argument, bytearray) else argument


@pytest.mark.parametrize("subject", [pytest.param(name, marks=needs_inet6) if "IPv6" in name else name for name in MAKERS])
@pytest.mark.parametrize("method", METHODS)
def test_the_outcomes_are_the_same(both, outcome, tmp_path, monkeypatch, method, subject):
    def make_calls(socket, folder):
        folder.mkdir()
        monkeypatch.chdir(folder)  # binding to a str creates a file
        for given, keywords in calls(method):
            args = tuple(copied(argument) for argument in given)
            s, other = MAKERS[subject](socket)
            with s, other:
                if other.type == s.type and other.family == s.family and s.family == socket.AF_UNIX:
                    other.send(b"data")
                s.setblocking(False)
                number = s.fileno()
                # called on the class: there both implementations name the method in full, as both do in s.method(...)
                result = outcome(getattr(type(s), method), s, *args, **keywords)
                if result == ("returned", "int") and method == "detach":
                    os.close(number)
                buffers = [bytes(argument) for argument in args if isinstance(argument, bytearray)]
                # a failed call must not consume data, and two successful ones must consume the same
                left = outcome(s.recv, 10) if method.startswith("recv") else None
                yield (repr(args)[:80], repr(keywords)[:80]), (result, buffers, left)

    expected, actual = (list(make_calls(module, tmp_path / str(n))) for n, module in enumerate(both))
    differences = [(mine, theirs[1]) for mine, theirs in zip(expected, actual, strict=True) if mine[1] != theirs[1]]
    shown = "\n".join(f"{method}{call}\n  stdlib {theirs}\n  here   {mine}" for (call, theirs), mine in differences[:12])
    assert not differences, f"{len(differences)} of {len(expected)} calls\n{shown}"


# The other methods are Python functions in the stdlib, where `self` is an ordinary parameter: an intended difference.
@pytest.mark.parametrize("method", [name for name in METHODS if inspect.ismethoddescriptor(getattr(original.socket, name))])
def test_on_the_class_without_a_socket(agree, outcome, method):
    def call(socket):
        function = getattr(socket.socket, method)
        return [outcome(function, *args) for args in [(), (None,), (5,), (Plain, 1)]]

    agree(call)


def signature_of(function):
    """Its parameters, and whether `self` is positional-only; None if it has no signature."""
    try:
        return str(inspect.signature(function)).replace("(self, /", "(self")
    except ValueError:
        return None


@pytest.mark.parametrize("method", METHODS)
def test_the_signature_is_the_same(both, method):
    theirs, ours = (signature_of(getattr(module.socket, method)) for module in both)
    assert theirs in (None, ours)


def test_no_method_is_missing(both):
    stdlib, oxisocket = both
    about_the_source = {"__firstlineno__", "__static_attributes__"}  # since 3.13, only classes written in Python have them
    assert set(dir(stdlib.socket)) - set(dir(oxisocket.socket)) <= about_the_source
