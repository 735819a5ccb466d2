"""Look-ups that can be given up: by a signal handler in the main thread, and by `timeout`. Programs run with a resolver of our own, which
answers, or waits, as it is told: see resolver.c."""

from __future__ import annotations

import inspect
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from machine import needs_localhost
from marks import only_oxisocket
from waiting import HANG_TIMEOUT, wait_until

HERE = Path(__file__).parent

BEGINNING = """
import os, signal, sys, threading, time
from pathlib import Path
from waiting import wait_until

LOG, RELEASE = Path(os.environ["RESOLVER_LOG"]), Path(os.environ["RESOLVER_RELEASE"])
ADDRESS = [(2, 1, 6, "", ("127.0.0.1", 80))]

def look_up(name, **keywords):
    return socket.getaddrinfo(name, 80, 0, socket.SOCK_STREAM, **keywords)

def asked(name):
    '''The questions about a name that the resolver got: (function, process, thread).'''
    lines = [line.split() for line in LOG.read_text().splitlines()]
    return [(function, int(process), int(thread)) for function, about, process, thread in lines if about == name]

def threads():
    return len(os.listdir("/proc/self/task"))

def outcome(call, *arguments, **keywords):
    try:
        return call(*arguments, **keywords)
    except Exception as error:
        return type(error), error.args

def abandon(name):
    '''Have a helper look a name up that nobody waits for.'''
    while not asked(name):
        assert outcome(look_up, name, timeout=0.02) == (TimeoutError, ("timed out",))

class Call(threading.Thread):
    '''A call in a thread of its own.'''
    def __init__(self, *arguments, **keywords):
        super().__init__(daemon=True)
        self.call = lambda: outcome(*arguments, **keywords)
        self.start()
    def run(self):
        self.outcome = self.call()
    def result(self):
        self.join()
        return self.outcome
"""


@pytest.fixture
def resolving(run: Callable[..., str], with_resolver: dict[str, str]) -> Callable[..., str]:
    """`resolving(code, **environment)` runs a program that asks our resolver, and returns what it printed."""
    return lambda code, **environment: run(BEGINNING + code, env=with_resolver | environment)


@pytest.fixture
def start_resolving(program: Callable[..., Any], with_resolver: dict[str, str]) -> Callable[[str], Any]:
    """`start_resolving(code)` starts a program that asks our resolver, and returns it once the resolver was asked for the first time."""

    def start(code: str) -> Any:
        process = program(BEGINNING + code, env=with_resolver)
        log = Path(with_resolver["RESOLVER_LOG"])
        wait_until(lambda: log.read_text() or process.poll() is not None)
        return process

    return start


# Look-ups that no name server answers before the resolver is told so.
HELD = {
    "getaddrinfo": "socket.getaddrinfo('a.held.test', 80)",
    "getaddrinfo with a timeout": "socket.getaddrinfo('a.held.test', 80, timeout=100)",
    "getaddrinfo of the base module": "socket._socket.getaddrinfo('a.held.test', 80)",
    "gethostbyname": "socket.gethostbyname('a.held.test')",
    "gethostbyname_ex": "socket.gethostbyname_ex('a.held.test')",
    "gethostbyaddr of a name": "socket.gethostbyaddr('a.held.test')",
    "gethostbyaddr": "socket.gethostbyaddr('192.0.2.1')",
    "getfqdn": "socket.getfqdn('192.0.2.1')",
    "getnameinfo": "socket.getnameinfo(('192.0.2.1', 80), 0)",
    "connect": "sock.connect(('a.held.test', 80))",
    "connect_ex": "sock.connect_ex(('a.held.test', 80))",
    "bind": "sock.bind(('a.held.test', 0))",
    "sendto": "udp.sendto(b'x', ('a.held.test', 80))",
    "create_connection": "socket.create_connection(('a.held.test', 80))",
}
SOCKETS = "sock = socket.socket()\nudp = socket.socket(type=socket.SOCK_DGRAM)\n"


@only_oxisocket
@pytest.mark.parametrize("call", HELD.values(), ids=HELD)
def test_ctrl_c_ends_a_look_up_at_once(start_resolving: Callable[[str], Any], call: str) -> None:
    process = start_resolving(f"""
{SOCKETS}
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", flush=True)
sock.close()
udp.close()
""")
    process.send_signal(signal.SIGINT)
    # The resolver would answer only after a longer time.
    assert process.communicate(timeout=HANG_TIMEOUT) == ("interrupted\n", "")
    assert process.returncode == 0


@only_oxisocket
def test_a_handler_that_returns_does_not_end_the_look_up(resolving: Callable[..., str]) -> None:
    resolving("""
seen = []
def handler(*arguments):
    seen.append(arguments)
    if len(seen) == 3:
        signal.setitimer(signal.ITIMER_REAL, 0)
        RELEASE.touch()
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
assert look_up("a.held.test") == ADDRESS
assert len(seen) >= 3 and len(asked("a.held.test")) == 1
""")


@only_oxisocket
@pytest.mark.parametrize("restart", [False, True])
def test_a_handler_may_restart_system_calls(resolving: Callable[..., str], restart: bool) -> None:
    """As asyncio's handlers do."""
    resolving(f"""
def handler(signal, frame):
    raise LookupError("from the handler")
signal.signal(signal.SIGALRM, handler)
signal.siginterrupt(signal.SIGALRM, {not restart})
signal.setitimer(signal.ITIMER_REAL, 0.05)
assert outcome(look_up, "a.held.test") == (LookupError, ("from the handler",))
""")


@only_oxisocket
def test_a_handler_may_look_names_up(resolving: Callable[..., str]) -> None:
    resolving("""
found = []
def handler(signal, frame):
    found.extend([look_up("quick.test"), outcome(look_up, "a.held.test", timeout=0.01)])
    RELEASE.touch()
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.05)
assert look_up("a.held.test") == ADDRESS
assert found == [ADDRESS, (TimeoutError, ("timed out",))] and len(asked("a.held.test")) == 1
""")


@only_oxisocket
@pytest.mark.parametrize("where", ["main", "thread"])
def test_a_timeout(resolving: Callable[..., str], where: str) -> None:
    resolving(f"""
def act():
    start = time.monotonic()
    assert outcome(look_up, "a.held.test", timeout=0.1) == (TimeoutError, ("timed out",))
    assert 0.1 <= time.monotonic() - start < 10
    assert look_up("quick.test", timeout=50) == ADDRESS
    assert outcome(look_up, "unknown.test", timeout=50)[0] is socket.gaierror
    RELEASE.touch()
    assert look_up("b.held.test", timeout=50) == ADDRESS
assert Call(act).result() is None if {where == "thread"} else act() is None
""")


@only_oxisocket
@pytest.mark.parametrize("call", [name for name in HELD if name not in ("getaddrinfo with a timeout", "getfqdn")])
def test_the_deadline_of_a_thread(resolving: Callable[..., str], call: str) -> None:
    """The nearest counts. `getfqdn` catches the error, as every OSError."""
    resolving(f"""
{SOCKETS}
def act():
    with socket.deadline(0.1):
        return outcome(lambda: {HELD[call]})
assert act() == (TimeoutError, ("timed out",))
assert Call(act).result() == (TimeoutError, ("timed out",))
with socket.deadline(0.1):
    assert outcome(look_up, "b.held.test", timeout=50) == (TimeoutError, ("timed out",))
with socket.deadline(50):
    assert outcome(look_up, "b.held.test", timeout=0.1) == (TimeoutError, ("timed out",))
sock.close()
udp.close()
""")


@only_oxisocket
@needs_localhost
def test_a_timeout_of_zero_waits_for_no_name_server(resolving: Callable[..., str]) -> None:
    resolving("""
for host in "127.0.0.1", "127.1", "::1", "localhost", None:
    assert outcome(look_up, host, timeout=0) == outcome(look_up, host)
assert outcome(look_up, "quick.test", timeout=0) == (TimeoutError, ("timed out",))
assert asked("quick.test") == []
""")


@only_oxisocket
@pytest.mark.parametrize("timeout", [None, 1, 2.5, True, 1e6, 0, -1, -0.5, float("nan"), float("inf"), 1e10, 2**70, "1", b"1", [], 1j],
                         ids=repr)  # fmt: skip
def test_timeouts_are_those_of_settimeout(socket: Any, outcome: Callable[..., Any], timeout: Any) -> None:
    with socket.socket() as sock:
        expected = outcome(sock.settimeout, timeout)
    found = outcome(socket.getaddrinfo, "127.0.0.1", 80, timeout=timeout)
    assert found[1:] == expected[1:] if expected[0] == "raised" else found[0] == "returned"


@pytest.mark.holds("`getaddrinfo` has the keyword-only argument")
def test_the_signature(socket: Any, ours: bool) -> None:
    parameters = inspect.signature(socket.getaddrinfo).parameters
    assert list(parameters) == ["host", "port", "family", "type", "proto", "flags", *["timeout"] * ours]
    if not ours:
        return
    assert parameters["timeout"].kind is inspect.Parameter.KEYWORD_ONLY and parameters["timeout"].default is None
    for arguments, keywords in (("127.0.0.1", 80, 0, 0, 0, 0, 5), {}), (("127.0.0.1",), {"timeout": 1}), ((), {"timeout": 1}):
        with pytest.raises(TypeError, match=r"^getaddrinfo\(\) "):
            socket.getaddrinfo(*arguments, **keywords)
    with pytest.raises(TypeError):
        socket._socket.getaddrinfo("127.0.0.1", 80, timeout=1)


SAME = {
    "a name": "look_up('quick.test')",
    "an unknown name": "look_up('unknown.test')",
    "no answer now": "look_up('again.test')",
    "a failed system call": "look_up('system.test')",
    "another family": "socket.getaddrinfo('quick.test', 80, socket.AF_INET6)",
    "a canonical name": "socket.getaddrinfo('quick.test', 'http', flags=socket.AI_CANONNAME)",
    "an unknown service": "socket.getaddrinfo('quick.test', 'no-such-service')",
    "gethostbyname": "socket.gethostbyname('quick.test'), outcome(socket.gethostbyname, 'unknown.test')",
    "gethostbyname_ex": "socket.gethostbyname_ex('quick.test')",
    # Before 3.14 the number is the h_errno that another look-up left in the thread.
    "gethostbyaddr": "socket.gethostbyaddr('192.0.2.1')",
    "gethostbyaddr after a failed look-up": "outcome(socket.getaddrinfo, 'no-such-host', 80, flags=socket.AI_NUMERICHOST), outcome(socket.gethostbyaddr, '192.0.2.1')",
    "getnameinfo": "outcome(socket.getnameinfo, ('192.0.2.1', 80), 0), socket.getnameinfo(('192.0.2.1', 80), socket.NI_NUMERICHOST)",
}


@pytest.mark.parametrize("call", SAME.values(), ids=SAME)
def test_answers_are_those_of_the_stdlib(with_resolver: dict[str, str], call: str) -> None:
    """In the main thread, and in another, where there is no helper."""
    code = f"""
RELEASE.touch()
for run in outcome, lambda call: Call(call).result():
    print(repr(run(lambda: ({call}))).replace("oxisocket", "socket"))
"""
    said = []
    for module in "socket", "oxisocket":
        command = [sys.executable, "-P", "-W", "error", "-c", f"import {module} as socket\n{BEGINNING}{code}"]
        said.append(subprocess.run(command, env=with_resolver, capture_output=True, text=True, timeout=HANG_TIMEOUT, check=False))
    assert said[0].returncode == said[1].returncode == 0, (said[0].stderr, said[1].stderr)
    assert said[0].stdout == said[1].stdout


@pytest.mark.holds("In the main thread a name or address that is not in")
def test_the_main_thread_gets_a_helper(resolving: Callable[..., str], ours: bool) -> None:
    resolving(f"""
for call in look_up, socket.gethostbyname, socket.gethostbyname_ex:
    call(f"{{call.__name__}}.test")
    for _, process, thread in asked(f"{{call.__name__}}.test"):
        assert process == os.getpid() and (thread != process) is {ours}
""")


@pytest.mark.holds("Signal handlers run meanwhile, and a handler", "In the original they run after the look-up")
def test_when_signal_handlers_run(resolving: Callable[..., str], ours: bool) -> None:
    resolving(f"""
seen = []
def handler(*arguments):
    seen.append(RELEASE.exists())
    RELEASE.touch()
    raise LookupError("from the handler")
signal.signal(signal.SIGALRM, handler)
if not {ours}:
    threading.Timer(0.3, RELEASE.touch).start()
signal.setitimer(signal.ITIMER_REAL, 0.05)
assert outcome(look_up, "a.held.test") == (LookupError, ("from the handler",))
assert seen == [{not ours}]
""")


@only_oxisocket
def test_who_gets_a_helper(resolving: Callable[..., str]) -> None:
    """The main thread, and a caller with a timeout."""
    resolving("""
look_up("main.test")
Call(look_up, "thread.test").result()
thread = Call(look_up, "timeout.test", timeout=50)
thread.result()
Call(look_up, "none.test", timeout=None).result()
[(_, process, helper)] = asked("main.test")
assert process == os.getpid() != helper
[(_, _, here)] = asked("thread.test")
assert here != os.getpid()
assert asked("timeout.test")[0][2] != thread.native_id
""")


@only_oxisocket
@pytest.mark.holds("That thread has ended when the call returns")
def test_no_thread_and_no_descriptor_is_left(resolving: Callable[..., str]) -> None:
    resolving("""
descriptors = os.listdir("/proc/self/fd")
for number in range(200):
    look_up(f"{number}.test")
    assert threads() == 1 and os.listdir("/proc/self/fd") == descriptors
assert Call(lambda: [look_up(f"{number}.test", timeout=50) for number in range(50)] and threads()).result() == 2
""")


@only_oxisocket
def test_a_fork_after_a_look_up_brings_no_warning(resolving: Callable[..., str]) -> None:
    """Since 3.12 there is one in a process with several threads, which is an error here."""
    resolving("""
for number in range(20):
    look_up(f"{number}.test")
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
""")


@only_oxisocket
@pytest.mark.holds("If the call was given up, the thread ends")
def test_an_abandoned_look_up_ends_by_itself(resolving: Callable[..., str]) -> None:
    resolving("""
for number in range(20):
    abandon(f"{number}.held.test")
assert threads() == 21
RELEASE.touch()
wait_until(lambda: threads() == 1)
""")


@only_oxisocket
def test_an_equal_question_joins_the_look_up_that_runs(resolving: Callable[..., str]) -> None:
    resolving("""
abandon("a.held.test")
calls = [Call(look_up, "a.held.test", timeout=50) for _ in range(5)]
other = Call(socket.getaddrinfo, "a.held.test", 81, 0, socket.SOCK_STREAM, timeout=50)
wait_until(lambda: len(asked("a.held.test")) == 2)
assert outcome(look_up, "a.held.test", timeout=0.1)[0] is TimeoutError
assert len(asked("a.held.test")) == 2 and threads() == 1 + 6 + 2
RELEASE.touch()
assert [call.result() for call in calls] == [ADDRESS] * 5
assert other.result()[0][4] == ("127.0.0.1", 81)
assert look_up("a.held.test") == ADDRESS and len(asked("a.held.test")) == 3  # answers are not kept
""")


@only_oxisocket
def test_the_number_of_abandoned_look_ups_is_bounded(resolving: Callable[..., str]) -> None:
    resolving("""
MOST = 64
for number in range(MOST):
    abandon(f"{number}.held.test")
assert threads() == 1 + MOST
assert outcome(look_up, "quick.test", timeout=0.1) == (TimeoutError, ("timed out",))
assert asked("quick.test") == [] and threads() == 1 + MOST
assert look_up("quick.test") == ADDRESS  # without a timeout it is asked directly
assert asked("quick.test") == [("getaddrinfo", os.getpid(), os.getpid())]
waiting = Call(look_up, "other.test", timeout=50)
RELEASE.touch()
assert waiting.result() == ADDRESS
""")


@only_oxisocket
def test_a_fork_while_a_look_up_runs(resolving: Callable[..., str]) -> None:
    """The child has no helper, and makes its own."""
    resolving("""
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
call = Call(look_up, "a.held.test", timeout=50)
abandon("a.held.test")
wait_until(lambda: asked("a.held.test"))
pid = os.fork()
if not pid:
    assert outcome(look_up, "a.held.test", timeout=0.1)[0] is TimeoutError
    RELEASE.touch()
    assert look_up("a.held.test") == look_up("quick.test") == ADDRESS
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert call.result() == ADDRESS
assert {process for _, process, _ in asked("a.held.test")} == {os.getpid(), pid}
""")


@only_oxisocket
def test_a_handler_that_forks(resolving: Callable[..., str]) -> None:
    """The child returns from the handler into a look-up whose helper it does not have."""
    resolving("""
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
pids = []
signal.signal(signal.SIGALRM, lambda *_: (pids.append(os.fork()), RELEASE.touch()))
signal.setitimer(signal.ITIMER_REAL, 0.05)
found = look_up("a.held.test")
if not pids[0]:
    os._exit(found != ADDRESS)
assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 0
assert found == ADDRESS and sorted(process for _, process, _ in asked("a.held.test")) == sorted([os.getpid(), *pids])
""")


@only_oxisocket
@pytest.mark.parametrize("arguments", ["happy_eyeballs_delay=0.25", "total_timeout=15"])
def test_a_handler_that_forks_in_create_connection(resolving: Callable[..., str], arguments: str) -> None:
    """The child asks again: the threads that have asked are the parent's."""
    printed = resolving(f"""
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
server = socket.create_server(("127.0.0.1", 0))
pids = []

def fork(*_):
    pids.append(os.fork())
    RELEASE.touch()

signal.signal(signal.SIGALRM, fork)
signal.setitimer(signal.ITIMER_REAL, 0.2)
with socket.create_connection(("a.held.test", server.getsockname()[1]), {arguments}) as client:
    connected = client.getpeername() == server.getsockname()
[pid] = pids
if not pid:
    os._exit(0 if connected else 1)
server.close()
print(connected, os.waitpid(pid, 0)[1])
""")
    assert printed == "True 0\n"


@only_oxisocket
def test_forks_while_threads_look_names_up(resolving: Callable[..., str]) -> None:
    resolving("""
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
RELEASE.touch()
over = False
def repeat(name):
    while not over:
        assert look_up(name, timeout=50) == ADDRESS
calls = [Call(repeat, f"{number % 2}.held.test") for number in range(4)]
for _ in range(20):
    pid = os.fork()
    if not pid:
        signal.alarm(15)
        os._exit(look_up("0.held.test", timeout=10) != ADDRESS)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
over = True
assert [call.result() for call in calls] == [None] * 4
""")


@only_oxisocket
@pytest.mark.parametrize("end", ["", "sys.exit()", "os._exit(0)"])
def test_the_program_ends_while_look_ups_run(resolving: Callable[..., str], end: str) -> None:
    said = resolving(f"""
for number in range(5):
    abandon(f"{{number}}.held.test")
Call(look_up, "5.held.test", timeout=50)
Call(look_up, "6.held.test")
wait_until(lambda: asked("5.held.test") and asked("6.held.test"))
print("done", flush=True)
{end}
""")
    assert said == "done\n"


@only_oxisocket
def test_without_threads_the_look_up_is_made_directly(resolving: Callable[..., str]) -> None:
    resolving(
        """
for keywords in {}, {"timeout": 50}:
    assert look_up("quick.test", **keywords) == ADDRESS
    assert outcome(look_up, "unknown.test", **keywords)[0] is socket.gaierror
assert {thread for _, _, thread in asked("quick.test") + asked("unknown.test")} == {os.getpid()}
""",
        RESOLVER_NO_THREADS="1",
    )


@only_oxisocket
def test_without_memory_nothing_aborts(resolving: Callable[..., str]) -> None:
    said = resolving("""
import ctypes, resource
malloc = ctypes.CDLL(None).malloc
malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
name = "quick.test"
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used, resource.RLIM_INFINITY))
for size in 1 << 16, 1 << 12, 1 << 9, 1 << 6, 1 << 3:
    while malloc(size) is not None:
        pass
try:
    socket.getaddrinfo(name, 80)
except (MemoryError, OSError):
    pass
os.write(1, b"done")
os._exit(0)
""")
    assert said == "done"


@only_oxisocket
def test_signals_do_not_run_in_helpers(resolving: Callable[..., str]) -> None:
    resolving("""
abandon("a.held.test")
[helper] = set(map(int, os.listdir("/proc/self/task"))) - {os.getpid()}
status = Path(f"/proc/self/task/{helper}/status").read_text()
mask = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:")), 16)
wanted = [number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]
assert all(mask >> (number - 1) & 1 for number in wanted)
assert Path(f"/proc/self/task/{helper}/comm").read_text() == "oxisocket-names\\n"
RELEASE.touch()
""")


@only_oxisocket
def test_a_socket_that_is_closed_while_its_address_is_looked_up(resolving: Callable[..., str]) -> None:
    resolving("""
sock = socket.socket()
signal.signal(signal.SIGALRM, lambda *_: (sock.close(), RELEASE.touch()))
signal.setitimer(signal.ITIMER_REAL, 0.05)
assert outcome(sock.connect, ("a.held.test", 80))[1][0] == 9  # EBADF
""")
