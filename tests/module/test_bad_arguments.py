"""Every function of the module with wrong arguments: the same exception, with the same text, as the stdlib's.

In a correct call, one argument at a time is replaced by each of the values below; then the number of arguments and their names
are wrong. The correct calls have no effect: they use descriptors that do not exist, numeric hosts, and no name for which a name
server would be asked."""

import socket as original

import pytest

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # for sockets that the stdlib leaves to the garbage collector


class Index:
    def __index__(self):
        return 2**31 - 7


class BrokenIndex:
    def __index__(self):
        raise ZeroDivisionError("no index")


class WrongIndex:
    def __index__(self):
        return "text"  # noqa: PLE0305


class Int:
    def __int__(self):
        return 5


class Float:
    def __float__(self):
        return 5.0


class Text(str):
    pass


VALUES = {
    "None": None, "float": 1.5, "complex": 1j, "list": [], "dict": {}, "object": object(), "class": int, "tuple": (), "ellipsis": ...,
    "set": {1}, "bytearray": bytearray(b"\0"), "memoryview": memoryview(b"\0"), "minus one": -1, "minus two": -2,
    "2**15": 2**15, "2**16": 2**16, "2**31-1": 2**31 - 1, "2**31": 2**31, "2**32": 2**32, "2**63-1": 2**63 - 1, "2**63": 2**63, "2**64": 2**64,
    "2**100": 2**100, "-2**31": -(2**31), "-2**31-1": -(2**31) - 1, "-2**63": -(2**63), "-2**63-1": -(2**63) - 1, "-2**100": -(2**100),
    "NUL": "\0", "NUL inside": "1\0", "surrogate": "\udcff", "empty bytes": b"", "NUL byte": b"\0",
    "Index": Index(), "BrokenIndex": BrokenIndex(), "WrongIndex": WrongIndex(), "Int": Int(), "Float": Float(), "Text": Text("\0"),
    "nan": float("nan"), "inf": float("inf"), "generator": (each for each in ()),
}  # fmt: skip

GOOD = {
    "CMSG_LEN": (4,),
    "CMSG_SPACE": (4,),
    "close": (-1,),
    "create_connection": (("127.0.0.1", -1), 5.0, None),
    "create_server": (("203.0.113.1", 0),),
    "dup": (-1,),
    "fromfd": (-1, 2, 1, 0),
    "getaddrinfo": ("127.0.0.1", 80, 0, 1, 6, original.AI_NUMERICHOST),
    "getdefaulttimeout": (),
    "getfqdn": ("127.0.0.1",),
    "gethostbyaddr": ("127.0.0.1",),
    "gethostbyname": ("127.0.0.1",),
    "gethostbyname_ex": ("127.0.0.1",),
    "gethostname": (),
    "getnameinfo": (("127.0.0.1", 80), original.NI_NUMERICHOST | original.NI_NUMERICSERV),
    "getprotobyname": ("tcp",),
    "getservbyname": ("http", "tcp"),
    "getservbyport": (80, "tcp"),
    "has_dualstack_ipv6": (),
    "htonl": (1,),
    "htons": (1,),
    "if_indextoname": (1,),
    "if_nameindex": (),
    "if_nametoindex": ("lo",),
    "inet_aton": ("127.0.0.1",),
    "inet_ntoa": (b"1234",),
    "inet_ntop": (2, b"1234"),
    "inet_pton": (2, "127.0.0.1"),
    "ntohl": (1,),
    "ntohs": (1,),
    "recv_fds": (None, 1, 1, 0),
    "send_fds": (None, [b"x"], [0], 0, None),
    "sethostname": (5,),
    "setdefaulttimeout": (None,),
    "socketpair": (1, 1, 0),
}
# These must not be tried: a possible host name, which root would really set (test_hostname.py has them), and a number that the
# stdlib truncates to the number of an open descriptor.
NAME_LIKE = [name for name, value in VALUES.items() if isinstance(value, str | bytes | bytearray | memoryview)]
SKIPPED = {
    *(("sethostname", value) for value in NAME_LIKE),
    *((function, value) for function in ("close", "dup", "fromfd") for value in ("2**32", "-2**63")),
    *(("if_indextoname", value) for value in ("2**32", "2**63-1", "2**63")),  # test_netdb.py has them
}

NAMES = {
    "close": ["fd"], "create_connection": ["address", "timeout", "source_address"], "create_server": ["address"], "dup": ["fd"],
    "fromfd": ["fd", "family", "type", "proto"], "getaddrinfo": ["host", "port", "family", "type", "proto", "flags"],
    "getfqdn": ["name"], "gethostbyname": ["host"], "getnameinfo": ["sockaddr", "flags"], "getservbyname": ["name", "protocolname"],
    "getservbyport": ["port", "protocolname"], "htons": ["x"], "if_nametoindex": ["oname"], "if_indextoname": ["index"],
    "inet_aton": ["ip_addr"], "inet_ntoa": ["packed_ip"], "inet_pton": ["address_family", "ip_string"],
    "recv_fds": ["sock", "bufsize", "maxfds", "flags"], "send_fds": ["sock", "buffers", "fds", "flags", "address"],
    "setdefaulttimeout": ["timeout"], "sethostname": ["name"], "socketpair": ["family", "type", "proto"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def restored(both):
    hostname = original.gethostname()
    yield
    assert original.gethostname() == hostname
    for each in both:
        each.setdefaulttimeout(None)


def compare(both, answer, level, function, calls):
    """Make each call on both, and report all differences together."""
    modules = [each._socket for each in both] if level == "_socket" else both
    differences = {}
    for name, (arguments, keywords) in calls.items():
        first, second = (answer(getattr(module, function), *arguments, **keywords) for module in modules)
        for module in both:
            module.setdefaulttimeout(None)
        if repr(first) != repr(second).replace(both[1].__name__ + ".", "socket.").replace("oxisocket.", ""):
            differences[name] = (first, second)
    assert not differences, "\n" + "\n".join(f"{name}: {one} -- {other}" for name, (one, other) in differences.items())


def levels():
    for function in sorted(GOOD):
        yield "socket", function
        if hasattr(original._socket, function):
            yield "_socket", function


every_function = pytest.mark.parametrize(("level", "function"), list(levels()), ids=map(".".join, levels()))


def test_every_function_is_here():
    functions = {name for name in original.__all__ if callable(getattr(original, name))}
    functions = {name for name in functions if not isinstance(getattr(original, name), type)}
    assert functions - set(GOOD) == set()


@every_function
def test_wrong_values(both, answer, level, function):
    good = GOOD[function]
    calls = {}
    for position in range(len(good)):
        for name, value in VALUES.items():
            if (function, name) not in SKIPPED:
                calls[f"argument {position} is {name}"] = ((*good[:position], value, *good[position + 1 :]), {})
    compare(both, answer, level, function, calls)


@every_function
def test_wrong_numbers_of_arguments(both, answer, level, function):
    good = GOOD[function]
    calls = {f"{count} arguments": (good[:count], {}) for count in range(len(good))}
    if function == "socketpair":  # all its arguments are optional: these calls would be correct
        calls = {}
    for more in (1, 2, 5):
        calls[f"{more} too many"] = ((*good, *[None] * more), {})
    compare(both, answer, level, function, calls)


@every_function
def test_wrong_names(both, answer, level, function):
    good = GOOD[function]
    calls = {
        "an unknown name": (good, {"nonsense": 1}),
        "only an unknown name": ((), {"nonsense": 1}),
        "an empty name": (good, {"": 1}),
        "two unknown names": (good, {"nonsense": 1, "more": 2}),
    }
    names = NAMES.get(function, [])
    for count, name in enumerate(names):
        calls[f"{name} twice"] = (good, {name: good[count]})
        calls[f"{name} alone by name"] = ((), {name: good[count]})
        calls[f"from {name} on by name"] = (good[:count], dict(zip(names[count:], good[count:], strict=False)))
    calls.pop("only an unknown name" if function == "socketpair" else "", None)
    if function in ("socketpair", "getfqdn", "setdefaulttimeout"):
        calls = {name: call for name, call in calls.items() if "by name" not in name}
    compare(both, answer, level, function, calls)


@pytest.mark.parametrize("function", ["getaddrinfo", "getnameinfo", "fromfd", "socketpair", "inet_ntop", "getservbyport"])
def test_two_wrong_values(both, answer, function):
    """Which of two wrong values the error is about shows the order in which they are checked."""
    good = GOOD[function]
    calls = {}
    for one in range(len(good)):
        for other in range(one + 1, len(good)):
            for first in ("None", "float", "2**100", "2**31", "BrokenIndex", "NUL"):
                for second in ("object", "2**63", "-2**31-1", "BrokenIndex", "surrogate"):
                    arguments = list(good)
                    arguments[one], arguments[other] = VALUES[first], VALUES[second]
                    calls[f"{one} is {first}, {other} is {second}"] = (arguments, {})
    compare(both, answer, "socket", function, calls)


@pytest.mark.parametrize("function", ["send_fds", "recv_fds"])
def test_wrong_values_with_a_real_socket(both, answer, function):
    good = GOOD[function]
    differences = []
    for position in range(1, len(good)):
        for name, value in VALUES.items():
            outcomes = []
            for each in both:
                left, right = each.socketpair()
                with left, right:
                    left.setblocking(False)
                    right.setblocking(False)
                    arguments = (left, *good[1:position], value, *good[position + 1 :])
                    outcomes.append(answer(getattr(each, function), *arguments))
            if outcomes[0] != outcomes[1]:
                differences.append((position, name, *outcomes))
    assert not differences
