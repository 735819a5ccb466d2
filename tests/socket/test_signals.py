"""Signals that arrive during a call (PEP 475): the handler runs, and the call goes on with the remaining time."""

from __future__ import annotations

import signal

import pytest

PREAMBLE = """
import signal, sys, threading, time
from waiting import fill
left, right = socket.socketpair()
file = right.makefile("rb", buffering=0)
listener = socket.create_server(("127.0.0.1", 0))
count = 0

def on_signal(number, frame):
    global count
    count += 1
    if count == 3:
        enough()

def drain():
    right.settimeout(0.2)
    try:
        while right.recv(1 << 20):
            pass
    except TimeoutError:
        pass

client = socket.socket()
signal.signal(signal.SIGALRM, on_signal)
"""
CLOSE = """
for each in (file, left, right, listener, client):
    each.close()
"""

# the call, and what lets it end: the handler does that at the third signal
CALLS = {
    "recv": ("right.recv(5)", "left.send(b'x')"),
    "recv_into": ("right.recv_into(bytearray(5))", "left.send(b'x')"),
    "recvfrom": ("right.recvfrom(5)", "left.send(b'x')"),
    "recvfrom_into": ("right.recvfrom_into(bytearray(5))", "left.send(b'x')"),
    "recvmsg": ("right.recvmsg(5)", "left.send(b'x')"),
    "recvmsg_into": ("right.recvmsg_into([bytearray(5)])", "left.send(b'x')"),
    "accept": ("listener.accept()[0].close()", "client.connect(listener.getsockname())"),
    "readinto": ("file.read(5)", "left.send(b'x')"),
    "send": ("fill(left) and left.send(b'x' * 9000)", "drain()"),
    "sendall": ("fill(left) and left.sendall(b'x' * 9000)", "drain()"),
    "sendmsg": ("fill(left) and left.sendmsg([b'x' * 9000])", "drain()"),
}
EVERY_10_MS = "signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)"


@pytest.mark.parametrize("timeout", ["None", "60"])
@pytest.mark.parametrize("name", CALLS)
def test_the_call_goes_on_after_the_handler(run, name, timeout):
    call, enough = CALLS[name]
    code = f"""{PREAMBLE}
def enough():
    signal.setitimer(signal.ITIMER_REAL, 0)
    {enough}
for s in (left, right, listener):
    s.settimeout({timeout})
{EVERY_10_MS}
{call}
print(count)
{CLOSE}"""
    assert int(run(code)) >= 3  # on a busy machine one more signal may come before the timer is stopped


@pytest.mark.parametrize("name", ["recv", "recv_into", "accept", "send", "sendall", "recvmsg"])
def test_the_timeout_does_not_start_again(run, name):
    """With a signal every 10 ms, a call that started its timeout again after each signal would never end."""
    call, _ = CALLS[name]
    code = f"""{PREAMBLE}
def enough():
    pass
{"fill(left)" if "fill" in call else ""}
for s in (left, right, listener):
    s.settimeout(0.1)
{EVERY_10_MS}
began = time.monotonic()
try:
    {call.removeprefix("fill(left) and ")}
except TimeoutError:
    print(time.monotonic() - began >= 0.1 and count > 0)
signal.setitimer(signal.ITIMER_REAL, 0)
{CLOSE}"""
    assert run(code).strip() == "True"


@pytest.mark.parametrize("timeout", ["None", "60"])
@pytest.mark.parametrize("name", CALLS)
def test_a_handler_that_raises_ends_the_call(run, name, timeout):
    call, _ = CALLS[name]
    code = f"""{PREAMBLE}
def enough():
    signal.setitimer(signal.ITIMER_REAL, 0)
    raise RuntimeError("from the handler")
for s in (left, right, listener):
    s.settimeout({timeout})
{EVERY_10_MS}
try:
    {call}
except RuntimeError as error:
    print(error, count)
{CLOSE}"""
    assert run(code).strip() == "from the handler 3"


@pytest.mark.parametrize("name", [name for name in CALLS if name != "readinto"])
def test_a_timeout_set_by_a_handler_applies_to_the_next_call(run, name):
    """It makes the descriptor non-blocking while a blocking call runs."""
    call, enough = CALLS[name]
    code = f"""{PREAMBLE}
def enough():
    signal.setitimer(signal.ITIMER_REAL, 0)
    for s in (left, right, listener):
        s.settimeout(60)
    freeing.start()
def free():
    {enough}
freeing = threading.Timer(0.05, free)
{EVERY_10_MS}
{call}
freeing.join()
print(count >= 3, left.gettimeout())
{CLOSE}"""
    assert run(code).strip() == "True 60.0"


def test_no_received_data_is_lost_when_a_handler_raises(run):
    """Data that arrives together with a signal is either returned or can still be received."""
    code = f"""{PREAMBLE}
def enough():
    left.send(b"data")
    signal.setitimer(signal.ITIMER_REAL, 0)
    raise RuntimeError
{EVERY_10_MS}
try:
    data = right.recv(10)
except RuntimeError:
    data = right.recv(10)
print(data)
{CLOSE}"""
    assert run(code).strip() == "b'data'"


FULL = """
full = {make}
full.bind({address})
full.listen(0)
first = {make}
first.connect(full.getsockname())
second = {make}
def enough():
    signal.setitimer(signal.ITIMER_REAL, 0)
    full.accept()[0].close()
"""


@pytest.mark.holds("`connect()` to an AF_UNIX path continues", "The original returns without a connection")
def test_connect_to_a_unix_socket_goes_on_after_the_handler(run, ours, tmp_path):
    """The backlog is full until the handler accepts a connection."""
    code = f"""{PREAMBLE}
{FULL.format(make="socket.socket(socket.AF_UNIX)", address=repr(str(tmp_path / "s")))}
{EVERY_10_MS}
second.connect(full.getsockname())
signal.setitimer(signal.ITIMER_REAL, 0)
try:
    print(count, second.getpeername() == full.getsockname())
except OSError:
    print(count, False)
for s in (full, first, second):
    s.close()
{CLOSE}"""
    count, connected = run(code).split()
    assert connected == str(ours)
    if ours:
        assert count == "3"


@pytest.mark.parametrize("timeout", ["None", "60"])
def test_connect_goes_on_after_the_handler(run, timeout):
    code = f"""{PREAMBLE}
{FULL.format(make="socket.socket()", address='("127.0.0.1", 0)')}
second.settimeout({timeout})
{EVERY_10_MS}
second.connect(full.getsockname())
signal.setitimer(signal.ITIMER_REAL, 0)
print(second.getpeername() == full.getsockname())
for s in (full, first, second):
    s.close()
{CLOSE}"""
    assert run(code).strip() == "True"


@pytest.mark.parametrize(("timeout", "end"), [("0", "BlockingIOError InterruptedError"), ("0.2", "TimeoutError")])
def test_connect_goes_on_with_the_timeout_set_by_a_handler(run, timeout, end):
    code = f"""{PREAMBLE}
{FULL.format(make="socket.socket()", address='("127.0.0.1", 0)')}
def enough():
    signal.setitimer(signal.ITIMER_REAL, 0)
    second.settimeout({timeout})
def on_signal(number, frame):
    enough()
signal.signal(signal.SIGALRM, on_signal)
third = socket.socket()
third.setblocking(False)
third.connect_ex(full.getsockname())
{EVERY_10_MS}
try:
    second.connect(full.getsockname())
except OSError as error:
    print(type(error).__name__ in {end!r}.split())
for s in (full, first, second, third):
    s.close()
{CLOSE}"""
    assert run(code).strip() == "True"


@pytest.mark.parametrize("timeout", ["None", "60"])
@pytest.mark.parametrize(
    "call",
    [
        "listener.accept()",
        "right.recv(1)",
        "right.recv_into(bytearray(1))",
        "left.sendall(bytes(1 << 24))",
        "right.recvmsg(1)",
    ],
)
def test_ctrl_c_ends_a_blocked_call_at_once(program, call, timeout):
    process = program(f"""{PREAMBLE}
for s in (left, right, listener):
    s.settimeout({timeout})
try:
    print("ready", flush=True)
    {call}
except KeyboardInterrupt:
    print("interrupted")
{CLOSE}""")
    assert process.stdout.readline() == "ready\n"
    process.until_blocked().send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=10)
    assert (output, errors, process.returncode) == ("interrupted\n", "", 0)


@pytest.mark.parametrize("name", ["recv", "recv_into", "recvmsg", "accept"])
def test_a_handler_that_closes_the_socket_ends_the_call(run, name):
    call, _ = CALLS[name]
    code = f"""{PREAMBLE}
import errno
def enough():
    signal.setitimer(signal.ITIMER_REAL, 0)
    for each in (file, right, listener):
        each.close()
{EVERY_10_MS}
try:
    {call}
except OSError as error:
    print(error.errno == errno.EBADF, count)
{CLOSE}"""
    assert run(code).strip() == "True 3"


def test_an_unhandled_ctrl_c_ends_the_program(program):
    process = program("""
with socket.create_server(("127.0.0.1", 0)) as listener:
    print("ready", flush=True)
    listener.accept()
""")
    assert process.stdout.readline() == "ready\n"
    process.until_blocked().send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT


def test_a_signal_during_a_call_in_another_thread(run):
    """Handlers run in the main thread; an interrupted call in another thread goes on."""
    code = f"""{PREAMBLE}
received = []
thread = threading.Thread(target=lambda: received.append(right.recv(10)))
thread.start()
def enough():
    signal.setitimer(signal.ITIMER_REAL, 0)
    left.send(b"data")
for _ in range(3):
    seen = count
    signal.pthread_kill(thread.ident, signal.SIGALRM)
    while count == seen and count < 3:
        time.sleep(0.001)
thread.join()
print(received, count)
{CLOSE}"""
    output = run(code).strip()
    assert output.startswith("[b'data']")


def test_a_wakeup_descriptor_is_written_to(run):
    code = """
import signal
left, right = socket.socketpair()
left.setblocking(False)
signal.set_wakeup_fd(left.fileno())
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.raise_signal(signal.SIGUSR1)
print(right.recv(1) == bytes([signal.SIGUSR1]))
signal.set_wakeup_fd(-1)
left.close()
right.close()
"""
    assert run(code).strip() == "True"


def test_a_broken_pipe_is_an_error_and_does_not_kill_the_process(program):
    process = program("""
import signal
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
left, right = socket.socketpair()
right.close()
for send in (left.send, left.sendall, lambda data: left.sendmsg([data])):
    try:
        send(b"x")
    except BrokenPipeError:
        print("broken")
left.close()
""")
    output, errors = process.communicate(timeout=20)
    assert (output, errors, process.returncode) == ("broken\n" * 3, "", 0)
