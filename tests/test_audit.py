"""Audit events (PEP 578): the same names and arguments as the stdlib's, and no leak when a hook refuses."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

RECORD = """
import contextlib, json, os, sys, tempfile
import socket, _socket

events = []
sockets = {}  # the place of each socket in the order of construction

def plain(argument):
    if isinstance(argument, _socket.socket):
        alive.append(argument)
        return f"socket {sockets.setdefault(id(argument), len(sockets))}"
    if isinstance(argument, tuple):
        return [plain(each) for each in argument]
    if isinstance(argument, str) and argument.startswith(folder):
        return argument.removeprefix(folder)
    return f"{type(argument).__name__} {ports.get(argument, argument) if type(argument) is int else argument!r}"

def hook(name, arguments):
    if name.startswith("socket."):
        events.append([name, *map(plain, arguments)])

ports = {}
folder = tempfile.mkdtemp()
os.chdir(folder)
stack = contextlib.ExitStack()
alive = []  # keeps all sockets alive, so that no id is reused

def new(*arguments, **keywords):
    made = stack.enter_context(socket.socket(*arguments, **keywords))
    alive.append(made)
    return made

listening, datagrams, other, six = new(), new(type=socket.SOCK_DGRAM), new(type=socket.SOCK_DGRAM), None
with contextlib.suppress(OSError):  # the kernel may lack IPv6
    six = new(socket.AF_INET6)
for each in listening, datagrams, other:
    each.bind(("127.0.0.1", 0))
    ports[each.getsockname()[1]] = f"port {len(ports)}"
listening.listen()
address, target = listening.getsockname(), other.getsockname()
closed = new()
closed.close()
left, right = (stack.enter_context(each) for each in socket.socketpair())

class Number:
    def __index__(self):
        events.append(["__index__ was asked"])
        return 9
    def __repr__(self):
        return "nine"

class Broken:
    def __index__(self):
        raise ZeroDivisionError
    def __iter__(self):
        raise ZeroDivisionError

def attempt(code):
    events.append(["calling", code])
    try:
        result = eval(code)
    except Exception as error:
        events.append(["raised", type(error).__name__])
    else:
        alive.append(result)
        for each in result if isinstance(result, tuple) else [result]:
            if isinstance(each, _socket.socket):
                stack.callback(each.close)

sys.addaudithook(hook)
for code in json.load(sys.stdin):
    attempt(code)
found = list(events)
stack.close()
print(json.dumps(found))
"""

CALLS = {
    "construction": [
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, 17)",
        "socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)",
        "socket.socket(fileno=os.dup(listening.fileno()))",
        "socket.socket(socket.AF_INET, fileno=os.dup(listening.fileno()))",
        "socket.socket(-1, -1, -1, None)",
        "socket.socket(fileno=-1)",
        "socket.socket(fileno=12345)",
        "socket.socket(fileno='1')",
        "socket.socket(Number())",
        "socket.socket(Broken())",
        "socket.socket('x')",
        "socket.socket(12345, 6)",
        "socket.socket(1, 2, 3, 4, 5)",
        "_socket.socket()",
        "_socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
        "_socket.socket(fileno=os.dup(listening.fileno()))",
        "listening.__init__(socket.AF_INET, fileno=listening.fileno())",
    ],
    "more than one": [
        "socket.socketpair()",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
        "_socket.socketpair()",
        "socket.fromfd(listening.fileno(), socket.AF_INET, socket.SOCK_STREAM)",
        "left.dup()",
        "(new().connect(address), listening.accept())[1]",
        "(new().connect(address), listening._accept())[1][1] and None",
        "left.makefile('rwb').close()",
        "socket.send_fds(left, [b'x'], [0])",
        "[os.close(fd) for fd in socket.recv_fds(right, 10, 5)[1]] and None",
    ],
    "bind": [
        "new().bind(('127.0.0.1', 0))",
        "new().bind(('', 0))",
        "new().bind(('localhost', 0))",
        "new().bind(address)",
        "new().bind(list(address))",
        "new().bind(('127.0.0.1', 65536))",
        "new().bind(('127.0.0.1', 'x'))",
        "new().bind(('127.0.0.1',))",
        "new().bind(('no such name.invalid', 1))",
        "new().bind(5)",
        "new().bind((bytearray(b'127.0.0.1'), 0))",
        "new(socket.AF_UNIX).bind(folder + '/bound')",
        "new(socket.AF_UNIX).bind(os.fsencode('bytes'))",
        "new(socket.AF_UNIX).bind('x' * 200)",
        "new(socket.AF_UNIX).bind('')",
        "six.bind(('::1', 0, 0, 0))",
        "closed.bind(('127.0.0.1', 0))",
        "_socket.socket.bind(new(), ('127.0.0.1', 0))",
    ],
    "connect": [
        "new().connect(address)",
        "new().connect_ex(address)",
        "new().connect(('localhost', address[1]))",
        "new(type=socket.SOCK_DGRAM).connect(target)",
        "new().connect(('127.0.0.1', -1))",
        "new().connect_ex(('127.0.0.1', -1))",
        "new().connect(None)",
        "new().connect_ex(None)",
        "new().connect()",
        "closed.connect(address)",
        "closed.connect_ex(address)",
        "new(socket.AF_UNIX).connect('nobody')",
        "new(socket.AF_UNIX).connect_ex(b'nobody')",
        "new(socket.AF_UNIX).connect_ex(chr(0) + 'nobody')",
        "socket.create_connection(address)",
        "socket.create_connection(('localhost', address[1]), source_address=('127.0.0.1', 0))",
        "socket.create_server(('127.0.0.1', 0))",
        "socket.create_server(('127.0.0.1', 0), reuse_port=True)",
    ],
    "sendto": [
        "datagrams.sendto(b'x', target)",
        "datagrams.sendto(b'x', 0, target)",
        "datagrams.sendto(bytearray(b'x'), socket.MSG_DONTWAIT, target)",
        "datagrams.sendto(b'', target)",
        "datagrams.sendto('x', target)",
        "datagrams.sendto(b'x', 'x', target)",
        "datagrams.sendto(b'x', Number(), target)",
        "datagrams.sendto(b'x', 0, None)",
        "datagrams.sendto(b'x', None)",
        "datagrams.sendto(b'x')",
        "datagrams.sendto(b'x', ('localhost', target[1]))",
        "datagrams.sendto(b'x' * 100_000, target)",
        "closed.sendto(b'x', target)",
    ],
    "sendmsg": [
        "datagrams.sendmsg([b'x'], [], 0, target)",
        "datagrams.sendmsg([b'x'], (), 0, None)",
        "left.sendmsg([b'x', bytearray(b'y')])",
        "left.sendmsg(iter([b'x']))",
        "left.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b'')])",
        "left.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b'1')] )",
        "left.sendmsg([])",
        "left.sendmsg(5)",
        "left.sendmsg(['x'])",
        "left.sendmsg(Broken())",
        "left.sendmsg([b'x'], 5)",
        "left.sendmsg([b'x'], Broken())",
        "left.sendmsg([b'x'], [(1, 2)])",
        "left.sendmsg([b'x'], [], 'x')",
        "left.sendmsg([b'x'], [], 0, 5)",
        "datagrams.sendmsg([b'x'], [], 0, 5)",
        "datagrams.sendmsg([b'x'])",
        "closed.sendmsg([b'x'])",
    ],
    "what tells nobody": [
        "left.send(b'x')",
        "left.sendall(b'x')",
        "right.recv(2)",
        "left.setblocking(True)",
        "left.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)",
        "left.shutdown(socket.SHUT_WR)",
        "listening.listen(5)",
        "listening.getsockname()",
        "new().close()",
        "new().detach()",
        "socket.close(os.dup(0))",
        "socket.getprotobyname('tcp')",
        "socket.if_nameindex()",
        "socket.inet_aton('127.0.0.1')",
        "socket.getdefaulttimeout()",
    ],
    "getaddrinfo": [
        "socket.getaddrinfo('127.0.0.1', 80)",
        "socket.getaddrinfo('localhost', None)",
        "socket.getaddrinfo('localhost', 'http', socket.AF_INET, socket.SOCK_STREAM, 6, socket.AI_PASSIVE)",
        "socket.getaddrinfo(b'127.0.0.1', b'80')",
        "socket.getaddrinfo(None, 80, type=socket.SOCK_STREAM)",
        "socket.getaddrinfo(None, None)",
        "socket.getaddrinfo('::1', Number())",
        "socket.getaddrinfo('::1', 2 ** 70)",
        "socket.getaddrinfo('::1', 1.5)",
        "socket.getaddrinfo(5, 80)",
        "socket.getaddrinfo('x' * 1000, 80)",
        "socket.getaddrinfo('xn--', 80)",
        "socket.getaddrinfo('127.0.0.1', 80, 'x')",
        "socket.getaddrinfo('127.0.0.1')",
        "socket.getaddrinfo('127.0.0.1', 'no such service')",
        "socket.getaddrinfo(host='127.0.0.1', port='80', family=socket.AF_INET6)",
        "_socket.getaddrinfo('127.0.0.1', 80, 0, 1)",
    ],
    "hosts": [
        "socket.gethostbyname('127.0.0.1')",
        "socket.gethostbyname('localhost')",
        "socket.gethostbyname(b'localhost')",
        "socket.gethostbyname('')",
        "socket.gethostbyname(5)",
        "socket.gethostbyname('a' + chr(0))",
        "socket.gethostbyname_ex('localhost')",
        "socket.gethostbyname_ex(bytearray(b'127.0.0.1'))",
        "socket.gethostbyname_ex(None)",
        "socket.gethostbyaddr('127.0.0.1')",
        "socket.gethostbyaddr('::1')",
        "socket.gethostbyaddr(5)",
        "socket.getnameinfo(('127.0.0.1', 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)",
        "socket.getnameinfo(('::1', 80, 0, 0), socket.NI_NUMERICHOST)",
        "socket.getnameinfo(('::1', 80, 1 << 20), 0)",
        "socket.getnameinfo(('x', 'y'), 0)",
        "socket.getnameinfo(['127.0.0.1', 80], 0)",
        "socket.getnameinfo(('127.0.0.1', 80, 0, 0), 0)",
        "socket.getnameinfo(('127.0.0.1', 80))",
        "socket.getfqdn('127.0.0.1')",
        "socket.getfqdn()",
        "socket.gethostname()",
        "socket.gethostname(1)",
    ],
    "services": [
        "socket.getservbyname('http')",
        "socket.getservbyname('http', 'tcp')",
        "socket.getservbyname('no such service')",
        "socket.getservbyname(b'http')",
        "socket.getservbyname('http', None)",
        "socket.getservbyport(80)",
        "socket.getservbyport(80, 'udp')",
        "socket.getservbyport(-1)",
        "socket.getservbyport(65536)",
        "socket.getservbyport(Number())",
        "socket.getservbyport('80')",
    ],
    "sethostname": [
        "socket.sethostname(5)",
        "socket.sethostname()",
        "socket.sethostname('x' * 5000)",
        "socket.sethostname(b'x' * 5000)",
        "socket.sethostname(chr(0x20ac) * 5000)",
    ],
}


def program(name, code, given):
    """Run `code` with the module `name` in place of `socket`, and return what it printed."""
    launcher = [] if name == "socket" else ["-m", name]
    command = [sys.executable, "-W", "error", *launcher, "-c", code]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize("family", CALLS)
def test_the_same_events(both, family):
    expected, found = (program(module.__name__, RECORD, CALLS[family]) for module in both)
    assert by_call(found) == by_call(expected)
    assert family == "what tells nobody" or any(name.startswith("socket.") for name, *_ in expected)


def by_call(events):
    """The events of each call, by call."""
    calls, found = [], {}
    for event in events:
        if event[0] == "calling":
            calls.append(event[1])
            found[len(calls), event[1]] = []
        else:
            found[len(calls), calls[-1]].append(event)
    return found


REFUSE = """
import contextlib, json, os, sys
import socket, _socket

refused = None

class Refused(Exception):
    pass

def hook(name, arguments):
    if name == refused:
        raise Refused(name)

sys.addaudithook(hook)

def descriptors():
    return len(os.listdir("/proc/self/fd"))

def references():
    return {name: sys.getrefcount(thing) for name, thing in things.items()}

stack = contextlib.ExitStack()
new = lambda *arguments: stack.enter_context(socket.socket(*arguments))
listening, datagrams, unbound, named = new(), new(socket.AF_INET, socket.SOCK_DGRAM), new(), new(socket.AF_UNIX)
listening.bind(("127.0.0.1", 0))
listening.listen()
address = listening.getsockname()
path = "\\0" + "x" * 50
control = bytearray(b"")
buffer, buffers, host, service = bytearray(b"data"), [bytearray(b"one"), bytearray(b"two")], str(b"127.0.0.1", "ascii"), str(b"http", "ascii")
host_bytes = bytearray(b"127.0.0.1")
items = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, control)]
endpoint = (host, address[1])
uninitialised = socket.socket.__new__(socket.socket)
spare = os.open(os.devnull, os.O_RDONLY)
own = socket.socket(fileno=listening.detach())
listening = stack.enter_context(own)
things = {"socket.socket": socket.socket, "_socket.socket": _socket.socket} | {
    name: globals()[name]
    for name in (
        "listening", "datagrams", "unbound", "named", "uninitialised", "address", "path", "control", "buffer", "buffers", "host",
        "service", "host_bytes", "items", "endpoint",
    )
}

def attempt(event, code):
    global refused
    code = compile(code, "call", "eval")
    before = None
    for _ in range(50):
        refused = event
        try:
            eval(code)
        except Refused:
            pass
        else:
            return "it was not refused"
        finally:
            refused = None
        after = descriptors(), references()
        if before not in (None, after):
            return {"before": before, "after": after}
        before = after
    for each in buffer, host_bytes, control, *buffers:  # a buffer that is still exported raises BufferError
        each.append(0)
        each.pop()
    return None

outcomes = [[code, attempt(event, code)] for event, code in json.load(sys.stdin)]
os.fstat(spare)
os.close(spare)
stack.close()
print(json.dumps(outcomes))
"""

REFUSED = [
    ("socket.__new__", "socket.socket()"),
    ("socket.__new__", "_socket.socket()"),
    ("socket.__new__", "socket.socket(fileno=spare)"),
    ("socket.__new__", "socket.socket(fileno=listening.fileno())"),
    ("socket.__new__", "uninitialised.__init__()"),
    ("socket.__new__", "socket.create_connection(endpoint)"),
    ("socket.__new__", "socket.create_server(endpoint)"),
    ("socket.bind", "unbound.bind(endpoint)"),
    ("socket.bind", "unbound.bind((host_bytes, 0))"),
    ("socket.bind", "named.bind(path)"),
    ("socket.bind", "named.bind(host_bytes)"),
    ("socket.connect", "unbound.connect(endpoint)"),
    ("socket.connect", "unbound.connect((host_bytes, 1))"),
    ("socket.connect", "unbound.connect_ex(endpoint)"),
    ("socket.connect", "named.connect(host_bytes)"),
    ("socket.sendto", "datagrams.sendto(buffer, endpoint)"),
    ("socket.sendto", "datagrams.sendto(buffer, 0, endpoint)"),
    ("socket.sendto", "datagrams.sendto(memoryview(buffer), (host_bytes, 1))"),
    ("socket.sendmsg", "datagrams.sendmsg(buffers, [], 0, endpoint)"),
    ("socket.sendmsg", "datagrams.sendmsg(buffers, items, 0, (host_bytes, 1))"),
    ("socket.sendmsg", "datagrams.sendmsg(iter(buffers), items)"),
    ("socket.getaddrinfo", "socket.getaddrinfo(host, service)"),
    ("socket.getaddrinfo", "_socket.getaddrinfo(host, 80)"),
    ("socket.getaddrinfo", "socket.getaddrinfo('localhost', service, type=socket.SOCK_STREAM)"),
    ("socket.getnameinfo", "socket.getnameinfo(endpoint, 0)"),
    ("socket.gethostbyname", "socket.gethostbyname(host)"),
    ("socket.gethostbyname", "socket.gethostbyname(host_bytes)"),
    ("socket.gethostbyname", "socket.gethostbyname('ho\u00dft')"),
    ("socket.gethostbyname", "socket.gethostbyname_ex(host)"),
    ("socket.gethostbyname", "socket.gethostbyname_ex(host_bytes)"),
    ("socket.gethostbyaddr", "socket.gethostbyaddr(host)"),
    ("socket.gethostbyaddr", "socket.gethostbyaddr(host_bytes)"),
    ("socket.gethostname", "socket.gethostname()"),
    ("socket.sethostname", "socket.sethostname(host)"),
    ("socket.sethostname", "socket.sethostname(b'refused')"),
    ("socket.getservbyname", "socket.getservbyname(service)"),
    ("socket.getservbyname", "socket.getservbyname(service, 'tcp')"),
    ("socket.getservbyport", "socket.getservbyport(80)"),
    ("socket.getservbyport", "socket.getservbyport(80, 'tcp')"),
]


def test_no_leak_when_a_hook_refuses(socket):
    # The stdlib's sendto never releases the buffer of the data.
    refused = [each for each in REFUSED if socket.__name__ != "socket" or each[0] != "socket.sendto"]
    outcomes = program(socket.__name__, REFUSE, refused)
    assert [each for each in outcomes if each[1] is not None] == []


ACCEPT = """
import json, os, socket, sys, warnings

warnings.simplefilter("ignore")  # for the second socket of the pair, which the stdlib leaves to the garbage collector
refused = None

def hook(name, arguments):
    if name == refused:
        raise ZeroDivisionError(name)

sys.addaudithook(hook)
left = []
with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as client:
    for call in listening.accept, listening.dup, socket.socketpair:
        before = len(os.listdir("/proc/self/fd"))
        refused = "socket.__new__"
        try:
            call()
        except ZeroDivisionError:
            pass
        refused = None
        left.append(len(os.listdir("/proc/self/fd")) - before)
    client.settimeout(20 if left[0] == 0 else 0.2)
    try:
        received = client.recv(1)
    except ConnectionResetError:
        received = b""
    except TimeoutError:
        received = None
print(json.dumps([*left, received == b""]))
"""


@pytest.mark.holds("A new descriptor that no socket object has taken over is closed", "The original leaves it open")
def test_a_refused_connection_is_closed(socket, ours):
    assert program(socket.__name__, ACCEPT, None) == ([0, 0, 0, True] if ours else [1, 1, 1, False])


SENDTO = """
import json, socket, sys

def hook(name, arguments):
    if name == "socket.sendto":
        raise ZeroDivisionError(name)

sys.addaudithook(hook)
data = bytearray(b"data")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    try:
        sender.sendto(data, ("127.0.0.1", 9))
    except ZeroDivisionError:
        pass
try:
    data.append(1)
except BufferError:
    print(json.dumps("held"))
else:
    print(json.dumps("free"))
"""


@pytest.mark.holds("When an audit hook refuses `sendto()`", "In 3.11 and 3.12 the original never releases it")
def test_the_buffer_of_refused_data_is_released(socket, ours):
    told = program(socket.__name__, SENDTO, None)
    if ours or sys.version_info < (3, 13):
        assert told == ("free" if ours else "held")


TOUCH = """
import json, sys, socket

seen = []
sys.addaudithook(lambda name, arguments: seen.append(arguments[0]) if name == "socket.__new__" else None)
with socket.socket() as made:
    assert seen.pop() is made
with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()):
    with listening.accept()[0] as accepted:
        assert seen.pop() is accepted

class Silent(Exception):
    pass

def touch(name, arguments):
    if name == "socket.__new__":  # the socket is not initialised yet, and must be safe to use
        made = arguments[0]
        assert made.fileno() == -1
        for call in made.getsockname, made.close, lambda: made.recv(1), lambda: made.send(b"x"), made.listen, made.dup, lambda: repr(made):
            try:
                call()
            except (OSError, AttributeError):
                pass

sys.addaudithook(touch)
with socket.socket() as made:
    assert made.fileno() >= 0 and made.gettimeout() is None
    made.bind(("127.0.0.1", 0))
print("null")
"""


def test_a_hook_may_use_the_arguments_of_the_event(socket):
    program(socket.__name__, TOUCH, None)
