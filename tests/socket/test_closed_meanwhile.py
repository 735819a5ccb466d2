"""The outcome of a call while another thread closes its socket, as documented for both implementations."""

from __future__ import annotations

import errno
import os
import signal

import pytest
from threads import closing_threads, with_signals_blocked
from waiting import wait_until

A_WHILE = 0.3  # seconds after which a call that still runs counts as not interrupted


@pytest.mark.holds("`close()` ends these calls at once", "In the original they stay blocked")
@pytest.mark.parametrize("method", ["recv", "recvfrom", "recvmsg"])
def test_a_blocked_call(ours, unix_pair, start, method):
    left, right = unix_pair
    waiting = start(getattr(left, method), 10).until_blocked()
    left.close()
    if ours:
        with pytest.raises(OSError) as caught:
            waiting.result()
        assert caught.value.errno == errno.EBADF
    else:
        waiting.join(A_WHILE)
        assert waiting.is_alive()
        right.send(b"x")
        assert waiting.result() in (b"x", (b"x", None), (b"x", [], 0, None))


@pytest.mark.holds("A call that has already received something when the socket is closed")
def test_a_call_that_has_received(socket, ours, tcp_pair, start):
    left, right = tcp_pair
    right.send(b"some")
    waiting = start(left.recv, 100, socket.MSG_WAITALL).until_blocked()
    left.close()
    if not ours:
        right.close()  # which ends the call
    assert waiting.result() == b"some"
    assert left.fileno() == -1


@pytest.mark.holds("The descriptor's number stays in use", "In the original the next file that is opened gets it")
def test_its_number(socket, ours, keep, unix_pair, start, open_files):
    left, right = unix_pair
    number = left.fileno()
    # This call cannot be interrupted, so that there is time to look.
    waiting = start(with_signals_blocked, left.recv, 10).until_blocked()
    left.close()
    with open(os.devnull) as next_file:
        assert (next_file.fileno() == number) is not ours
        assert number in open_files()
    right.send(b"x")
    assert waiting.result() == b"x"
    assert number not in open_files()


@pytest.mark.holds("A call in a thread that blocks all signals", "It stays blocked until something arrives, as in the original")
@pytest.mark.parametrize("timeout", [None, 60])
def test_a_call_with_signals_blocked(ours, unix_pair, start, timeout):
    left, right = unix_pair
    left.settimeout(timeout)
    waiting = start(with_signals_blocked, left.recv, 10).until_blocked()
    left.close()
    waiting.join(A_WHILE)
    assert waiting.is_alive()
    right.send(b"x")
    if timeout is None:
        assert waiting.result() == b"x"
    else:  # it was in poll(), and sees the close when the socket is ready
        with pytest.raises(OSError) as caught:
            waiting.result()
        assert caught.value.errno == errno.EBADF


SIGNALS = """
import os, signal, sys, threading, time

def caught():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("SigCgt"))
    handled = int(line.split()[1], 16)
    return {number for number in range(signal.SIGRTMIN, signal.SIGRTMAX + 1) if handled >> (number - 1) & 1}

def close_under_a_call():
    left, right = socket.socketpair()
    begun = threading.Event()
    def wait():
        begun.set()
        try:
            left.recv(1)
        except OSError:
            pass
    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait()
    time.sleep(0.2)
    left.close()
    right.close()
    thread.join()

before = caught()
signal.signal(signal.SIGRTMAX, lambda *_: None)  # the program uses this signal
left, right = socket.socketpair()
left.send(b"x")
right.recv(1)
left.close()
right.close()
socket.create_server(("127.0.0.1", 0)).close()
print(caught() - before == {signal.SIGRTMAX})
close_under_a_call()
print(sorted(caught() - before - {signal.SIGRTMAX}))
signal.signal(signal.SIGRTMAX - 1, signal.SIG_IGN)
close_under_a_call()
print(sorted(caught() - before - {signal.SIGRTMAX}))
"""


@pytest.mark.holds("When a call has to be ended for the first time", "Until then every signal has the action")
def test_the_signal_that_interrupts(ours, run):
    first = signal.SIGRTMAX - 1
    expected = ["True", f"[{first}]", f"[{first - 1}]"] if ours else ["True", "[]", "[]"]
    assert run(SIGNALS).splitlines() == expected


@pytest.mark.holds("If `close()` could not end some of the calls at once")
def test_the_closing_thread(ours, unix_pair, start):
    left, right = unix_pair
    waiting = start(with_signals_blocked, left.recv, 10).until_blocked()
    assert not closing_threads()
    left.close()
    if ours:
        wait_until(closing_threads)
    else:
        waiting.join(A_WHILE)
        assert not closing_threads()
    right.send(b"x")
    waiting.result()
    wait_until(lambda: not closing_threads())
