"""Closing under a running call in adverse programs: no descriptor, thread or signal is left, the program uses all signals itself, or
closes all descriptors. The close must succeed, the call must end if it can be interrupted, and other code must not notice."""

from __future__ import annotations

import pytest
from marks import only_oxisocket

pytestmark = only_oxisocket

BEGINNING = """
import contextlib, errno, os, resource, signal, sys, threading, time
from descriptors import is_open
from threads import Call, closing_threads

def closes_under_a_call(name="recv", argument=10):
    left, right = socket.socketpair()
    number = left.fileno()
    call = Call(getattr(left, name), argument).until_blocked()
    left.close()
    assert call.result() == errno.EBADF, call.outcome
    assert not is_open(number)
    right.close()

def same_file(number, other):
    return os.path.samestat(os.fstat(number), os.fstat(other))
"""


@pytest.fixture
def quiet_run(run):
    """Runs a program that must succeed and print nothing."""

    def quiet_run(code, *args):
        assert run(BEGINNING + code, *args) == ""

    return quiet_run


def test_no_descriptor_is_left(quiet_run):
    quiet_run("""
left, right = socket.socketpair()
number = left.fileno()
call = Call(left.recv, 10).until_blocked()
resource.setrlimit(resource.RLIMIT_NOFILE, (number + 20, number + 20))
taken = []
with contextlib.suppress(OSError):
    while True:
        taken.append(os.open("/dev/null", os.O_RDONLY))
left.close()
assert call.result() == errno.EBADF
taken.append(os.open("/dev/null", os.O_RDONLY))
assert taken[-1] == number
right.close()
""")


def test_the_number_is_above_the_limit(quiet_run):
    quiet_run("""
import fcntl
left, right = socket.socketpair()
high = fcntl.fcntl(left.fileno(), fcntl.F_DUPFD, 200)
left.close()
left = socket.socket(fileno=high)
call = Call(left.recv, 10).until_blocked()
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
left.close()
assert call.result() == errno.EBADF
assert not is_open(high)
right.close()
""")


@pytest.mark.parametrize("masked", [False, True])
def test_the_program_closes_all_descriptors(quiet_run, masked):
    """As daemons do. Other files then get the numbers, also the numbers of descriptors that this library may have kept open."""
    quiet_run(f"""
closes_under_a_call()
os.closerange(3, 256)
left, right = socket.socketpair()
reading, writing = os.pipe()
others = [os.dup(reading) for _ in range(20)]
number = left.fileno()
call = Call(left.recv, 10, masked={masked}).until_blocked()
left.close()
assert not (is_open(number) and same_file(number, reading))
if {masked}:
    right.shutdown(socket.SHUT_RDWR)
assert call.result() in (errno.EBADF, b"")
assert not is_open(number)
assert all(same_file(other, reading) for other in others)
os.write(writing, b"x")
assert os.read(reading, 10) == b"x"
right.close()
""")


def test_the_program_closes_all_descriptors_under_calls(quiet_run):
    """When the call ends, its number belongs to another file."""
    quiet_run("""
left, right = socket.socketpair()
call = Call(left.recv, 10, masked=True).until_blocked()
peer = os.dup(right.fileno())
os.dup2(peer, 100)
left.close()
os.closerange(3, 90)
others = [os.open("/dev/null", os.O_RDONLY) for _ in range(50)]
os.write(100, b"late")
assert call.result() == b"late"
assert all(map(is_open, others))
right.detach()
""")


# What a program may do to the signals. `called` has the numbers that its own handlers were called with.
SIGNALS = {
    "saved and restored": """
for number in every:
    with contextlib.suppress(OSError, ValueError):
        before = signal.signal(number, lambda *_: None)
        signal.signal(number, signal.SIG_DFL if before is None else before)
""",
    "reset": "change(every, signal.SIG_DFL)",
    "handled": "change(every, lambda number, frame: called.append(number))",
    "ignored": "change(every, signal.SIG_IGN)",
    "real-time ones handled": "change(real_time, lambda number, frame: called.append(number))",
    "SIGURG handled": "change([signal.SIGURG], lambda number, frame: called.append(number))",
    "SIGURG ignored": "change([signal.SIGURG], signal.SIG_IGN)",
}
ALL_TAKEN = ("handled", "ignored")
SIGNAL_BEGINNING = (
    BEGINNING
    + """
called = []
real_time = range(signal.SIGRTMIN, signal.SIGRTMAX + 1)
every = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGALRM})

def change(numbers, action):
    for number in numbers:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, action)

"""
)


@pytest.mark.parametrize("warm", [False, True], ids=["", "after a close"])
@pytest.mark.parametrize("how", [how for how in SIGNALS if how not in ALL_TAKEN])
def test_the_program_changes_signals(run, how, warm):
    code = f"""
if {warm}:
    closes_under_a_call()
{SIGNALS[how]}
for name, argument in ("recv", 10), ("sendall", bytes(10_000_000)), ("recvmsg", 10):
    closes_under_a_call(name, argument)
assert not called
"""
    assert run(SIGNAL_BEGINNING + code) == ""


@pytest.mark.parametrize("warm", [False, True], ids=["", "after a close"])
@pytest.mark.parametrize("how", ALL_TAKEN)
def test_the_program_takes_every_signal(run, how, warm):
    """No signal is left for the interruption: the call goes on until it ends by itself, and no handler of the program is called."""
    code = f"""
if {warm}:
    closes_under_a_call()
{SIGNALS[how]}
left, right = socket.socketpair()
number = left.fileno()
call = Call(left.recv, 10).until_blocked()
left.close()
time.sleep(0.1)
assert is_open(number) and not called
right.send(b"late")
assert call.result() == b"late"
assert not is_open(number) and not called
right.close()
"""
    assert run(SIGNAL_BEGINNING + code) == ""


def test_the_actions_of_signals_stay_as_python_knows_them(run):
    code = """
before = [signal.getsignal(number) for number in signal.valid_signals()]
closes_under_a_call()
assert [signal.getsignal(number) for number in signal.valid_signals()] == before
"""
    assert run(SIGNAL_BEGINNING + code) == ""


@pytest.mark.parametrize("how", ["reset", "saved and restored"])
def test_a_pending_interruption_does_not_kill_the_process(run, how):
    """It is pending in a thread with blocked signals. Then the program resets all signals to their defaults, and the thread unblocks them."""
    code = f"""
left, right = socket.socketpair()
call = Call(left.recv, 10, masked=True).until_blocked()
left.close()
{SIGNALS[how]}
right.send(b"late")
assert call.result() == b"late"
right.close()
"""
    assert run(SIGNAL_BEGINNING + code) == ""


def test_an_interruption_reaches_no_other_call(run):
    """Other calls of the thread, and other threads, are not interrupted."""
    code = """
for _ in range(20):
    left, right = socket.socketpair()
    one, other = socket.socketpair()
    reading, writing = os.pipe()
    bystanders = Call(one.recv, 1).until_blocked(), Call(os.read, reading, 1).until_blocked()

    def two_calls():
        try:
            left.recv(1)
        except OSError:
            return one.recv(1)

    call = Call(two_calls).until_blocked()
    left.close()
    call.until_blocked()
    assert all(bystander.is_alive() for bystander in bystanders)
    other.send(b"12")
    os.write(writing, b"3")
    assert {call.result(), bystanders[0].result()} == {b"1", b"2"} and bystanders[1].result() == b"3"
    for each in right, one, other:
        each.close()
    os.close(reading)
    os.close(writing)
"""
    assert run(BEGINNING + code) == ""


def test_the_queue_of_signals_is_full(quiet_run):
    """The limit counts per user: other programs may have filled the queue."""
    quiet_run("""
resource.setrlimit(resource.RLIMIT_SIGPENDING, (0, 0))
for _ in range(5):
    closes_under_a_call()
""")


def test_no_thread_can_be_started(quiet_run):
    quiet_run("""
pairs = [socket.socketpair() for _ in range(3)]
calls = [Call(left.recv, 10, masked=True).until_blocked() for left, _ in pairs]
simple, other = socket.socketpair()
simple_call = Call(simple.recv, 10).until_blocked()
if os.geteuid() == 0:
    os.setuid(65534)  # the limit does not apply to root
soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
resource.setrlimit(resource.RLIMIT_NPROC, (1, hard))
try:
    threading.Thread(target=print).start()
except RuntimeError:
    pass
else:
    sys.exit()  # nor to this user
simple.close()
assert simple_call.result() == errno.EBADF
pairs[0][0].close()
pairs[1][0].close()
assert closing_threads() == 0
resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
pairs[2][0].close()
other.close()
while closing_threads() == 0:
    time.sleep(0.001)
for call, (_, right) in zip(calls, pairs):
    right.send(b"late")
    assert call.result() == b"late"
    right.close()
""")


def test_sigpipe_does_not_kill_the_process(run):
    """With SIGPIPE at its default action, closing sockets under threads that send must not raise the signal."""
    code = """
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
block = bytes(100_000)

def send(sock):
    while True:
        sock.send(block)

def drain(sock):
    while sock.recv(1 << 20):
        pass

for _ in range(100):
    left, right = socket.socketpair()
    senders, drainer = [Call(send, left) for _ in range(3)], Call(drain, right)
    time.sleep(0.002)
    left.close()
    for sender in senders:
        assert sender.result() == errno.EBADF
    drainer.result()
    right.close()
"""
    assert run(BEGINNING + code) == ""


@pytest.mark.parametrize("closes", ["left.close()", "pass"])
def test_the_program_ends_under_calls(run, closes):
    """Daemon threads are blocked in calls, and some of their sockets have just been closed."""
    code = f"""
pairs = [socket.socketpair() for _ in range(5)]
calls = [Call(left.recv, 10, masked=number > 2).until_blocked() for number, (left, _) in enumerate(pairs)]
for left, right in pairs:
    {closes}
    right.detach()
for left, _ in pairs:
    left.detach()
"""
    assert run(BEGINNING + code) == ""
