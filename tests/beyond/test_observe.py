"""`oxisocket.observe`: a program's own function sees the calls, and does not disturb them."""

from __future__ import annotations

import _thread
import gc
import signal
import sys
import threading
import time

import pytest
from waiting import HANG_TIMEOUT

WATCHES = True


@pytest.fixture
def pair(oxisocket, keep):
    left, right = oxisocket.socketpair()
    return keep(left), keep(right)


@pytest.fixture
def unraisable(monkeypatch):
    """What was told to `sys.unraisablehook`."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda arguments: told.append(arguments.exc_value))
    return told


def calls(events):
    return [each["call"] for each in events if each["event"] == "call"]


def test_events_are_dicts(oxisocket, pair):
    left, right = pair
    events = []
    with oxisocket.observe(events.append, bytes=3):
        left.send(b"hello")
        right.recv(10)
    assert [each["event"] for each in events] == ["process", "socket", "thread", "call", "socket", "call", "exit"]
    send, recv = (each for each in events if each["event"] == "call")
    assert (send["call"], send["data"], send["out"], recv["in"]) == ("send", b"hel", 5, 5)
    assert "test_observe.py:" in send["caller"]


def test_it_comes_in_the_thread_that_calls(oxisocket, pair):
    left, _ = pair
    seen = []
    with oxisocket.observe(lambda event: seen.append((event["event"], threading.get_native_id()))):
        thread = threading.Thread(target=left.send, args=(b"x",))
        thread.start()
        thread.join()
    assert ("call", thread.native_id) in seen


def test_a_wait_comes_before_the_call_waits(oxisocket, pair):
    """The callback can make ready what the call waits for."""
    left, right = pair
    seen = []

    def callback(event):
        seen.append(event["event"])
        if event["event"] == "wait":
            left.send(b"x")

    right.settimeout(HANG_TIMEOUT)
    with oxisocket.observe(callback):
        assert right.recv(1) == b"x"
    assert seen.count("wait") == seen.count("call") == 1


def test_what_the_callback_does_is_not_told(oxisocket, pair):
    left, right = pair
    events = []

    def callback(event):
        events.append(event)
        with oxisocket.socket() as sock:
            sock.settimeout(1)
        left.send(b"x")

    with oxisocket.observe(callback):
        right.settimeout(1)
    assert calls(events) == ["settimeout"]
    assert events[-1]["open"] == [1]


def test_a_socket_that_the_callback_closes_is_not_open(oxisocket, keep):
    sock, last = keep(oxisocket.socket()), []

    def callback(event):
        last.append(event)
        if event["event"] == "call":
            sock.close()

    with oxisocket.observe(callback):
        sock.settimeout(1)
    assert last[-1]["event"] == "exit" and last[-1]["open"] == []


def test_a_callback_that_raises(oxisocket, pair, unraisable):
    left, right = pair

    def callback(event):
        raise LookupError(event["event"])

    with oxisocket.observe(callback):
        assert left.send(b"x") == 1
        assert right.recv(1) == b"x"
        right.setblocking(False)
        with pytest.raises(BlockingIOError):
            right.recv(1)
    assert len(unraisable) > 3 and {type(each) for each in unraisable} == {LookupError}


@pytest.mark.parametrize("error", [SystemExit(5), GeneratorExit()])
def test_a_callback_that_ends_the_program(oxisocket, pair, unraisable, error):
    left, _ = pair

    def callback(event):
        raise error

    with oxisocket.observe(callback):
        assert left.send(b"x") == 1
    assert error in unraisable


def test_control_c_in_the_callback_comes_after_the_call(oxisocket, pair):
    left, right = pair

    def callback(event):
        if event["event"] == "call":
            raise KeyboardInterrupt

    received = []
    left.send(b"x")
    with pytest.raises(KeyboardInterrupt):
        with oxisocket.observe(callback):
            received.append(right.recv(1))
            time.sleep(HANG_TIMEOUT)
    assert received in ([b"x"], [])  # as when a signal comes just then


def raise_in_callback(oxisocket, handler, call):
    """Make a call, with a signal in the middle of the callback that is told about it."""
    before = signal.signal(signal.SIGUSR1, handler)
    told = []

    def callback(event):
        if event["event"] == "call":
            told.append(event["call"])
            signal.raise_signal(signal.SIGUSR1)
            for _ in range(10):
                time.sleep(0)

    try:
        with oxisocket.observe(callback):
            call()
            for _ in range(1000):
                time.sleep(0)
    finally:
        signal.signal(signal.SIGUSR1, before)
    return told


class Interrupted(Exception):
    pass


def raises(*_):
    raise Interrupted


def raises_once(number, frame):
    signal.signal(number, signal.SIG_DFL)
    raise Interrupted


class Handler:
    def __call__(self, number, frame):
        raise Interrupted

    def method(self, number, frame):
        raise Interrupted


@pytest.mark.parametrize(
    "handler",
    [raises, raises_once, Handler(), Handler().method, lambda *_: raises(), lambda number, frame: sys.exit(7)],
    ids=["function", "once", "object", "method", "any arguments", "exit"],
)
def test_what_a_signal_handler_raises_is_the_program_s(oxisocket, pair, unraisable, handler):
    with pytest.raises((Interrupted, SystemExit)) as caught:
        raise_in_callback(oxisocket, handler, lambda: pair[0].send(b"x"))
    assert (caught.type is SystemExit) == (handler.__class__.__name__ == "function" and "exit" in handler.__code__.co_names)
    assert unraisable == []
    assert pair[1].recv(10) == b"x"


def test_a_handler_that_only_looks_disturbs_nothing(oxisocket, pair, unraisable):
    came = []
    assert raise_in_callback(oxisocket, lambda *_: came.append(1), lambda: pair[0].send(b"x")) == ["send"]
    assert came == [1] and unraisable == []


def test_a_callback_that_stops_its_own_recording(oxisocket, pair):
    left, _ = pair
    events = []

    def callback(event):
        events.append(event["event"])
        if event["event"] == "call":
            recording.stop()

    recording = oxisocket.observe(callback)
    recording.start()
    left.send(b"x")
    left.send(b"y")
    recording.stop()
    assert events.count("call") == 1 and events[-1] == "exit"


def test_a_callback_that_starts_another(oxisocket, pair):
    left, _ = pair
    inner, begun = [], []

    def callback(event):
        if event["event"] == "call" and not begun:
            begun.append(oxisocket.observe(inner.append))
            begun[0].start()

    with oxisocket.observe(callback):
        left.send(b"x")
        left.send(b"y")
        begun[0].stop()
    assert calls(inner) == ["send"]


def test_a_callback_that_closes_the_socket(oxisocket, keep):
    """The call that is about to wait finds it closed, and waits on nothing else that has its number."""
    left, right = (keep(each) for each in oxisocket.socketpair())

    def callback(event):
        if event["event"] == "wait":
            left.close()
            keep(oxisocket.socket())

    with oxisocket.observe(callback), pytest.raises(OSError, match="Bad file descriptor"):
        left.recv(1)


def test_a_finalizer_in_the_callback_is_told_too(oxisocket, keep, recwarn):
    """Nobody closed a socket, and the collector finds it while the callback runs."""
    events, garbage = [], []

    def callback(event):
        events.append(event)
        if event["event"] == "call" and garbage:
            garbage.clear()

    with oxisocket.observe(callback):
        garbage.append(oxisocket.socket())
        keep(oxisocket.socket()).settimeout(1)
    closes = [each for each in events if each["event"] == "close"]
    assert [each["by"] for each in closes] == ["finalizer"]
    assert events[-1]["event"] == "exit"


def test_what_cannot_be_called(oxisocket):
    for wrong in None, 5, "print":
        with pytest.raises(TypeError, match="takes a function"):
            oxisocket.observe(wrong)


def test_a_filter(oxisocket, pair):
    left, right = pair
    events = []
    with oxisocket.observe(events.append, filter="call recv"):
        left.send(b"x")
        right.recv(1)
    assert calls(events) == ["recv"]


def test_texts_that_json_or_lines_may_break(oxisocket, keep, tmp_path):
    events = []
    path = f'{tmp_path}/a\u2028b\x85c\x1cd"\\\n'
    with oxisocket.observe(events.append):
        sock = keep(oxisocket.socket(oxisocket.AF_UNIX, oxisocket.SOCK_DGRAM))
        sock.bind(path)
    assert [each for each in events if each["event"] == "socket"][-1]["local"] == path
    assert calls(events) == ["socket", "bind"]


def test_references(oxisocket, pair):
    left, right = pair

    class Callback:
        def __call__(self, event):
            pass

    callback = Callback()
    with oxisocket.observe(callback):
        left.send(b"x")
    before = sys.getrefcount(callback)
    for _ in range(20):
        with oxisocket.observe(callback):
            left.send(b"x")
    gc.collect()
    assert sys.getrefcount(callback) == before


def test_references_stay_flat(oxisocket, pair):
    left, right = pair
    with oxisocket.observe(lambda event: None):
        for count in 50, 1000:
            gc.collect()
            before = sys.getallocatedblocks()
            for _ in range(count):
                left.send(b"x")
                right.recv(1)
    gc.collect()
    assert sys.getallocatedblocks() - before < 300


def test_threads_that_call_and_observe_at_once(oxisocket):
    counts = []

    def work():
        left, right = oxisocket.socketpair()
        with left, right:
            for _ in range(100):
                left.send(b"x")
                right.recv(1)

    with oxisocket.observe(lambda event: counts.append(event["event"])):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert counts.count("call") == 4 * (1 + 200 + 2)


def test_an_interrupt_of_another_thread_is_not_lost(oxisocket, pair):
    """Ctrl-C while the callback runs in the main thread."""
    left, _ = pair

    def callback(event):
        if event["event"] == "call":
            _thread.interrupt_main()
            time.sleep(0)

    with pytest.raises(KeyboardInterrupt):
        with oxisocket.observe(callback):
            left.send(b"x")
            time.sleep(0.1)
