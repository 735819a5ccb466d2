"""`oxisocket.deadline`: one deadline for all socket calls of a thread."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
import time

import pytest
from waiting import BIG, HANG_TIMEOUT, fill, fill_backlog, limit_buffers

SOON = 0.2
NEVER = 60.0


@pytest.fixture
def pair(oxisocket, keep):
    return [keep(each) for each in oxisocket.socketpair()]


@pytest.fixture
def listener(oxisocket, keep):
    return keep(oxisocket.create_server(("127.0.0.1", 0)))


@pytest.fixture
def times_out(oxisocket):
    """Checks that a call ends with its deadline, whatever else it would do."""

    def check(call, seconds=SOON):
        started = time.monotonic()
        with pytest.raises(TimeoutError, match=r"(?m)^timed out$"):
            with oxisocket.deadline(seconds):
                call()
        assert seconds <= time.monotonic() - started < HANG_TIMEOUT

    return check


def test_deadlines_that_are_freed_in_another_thread_end(oxisocket, pair):
    """A generator may be closed by any thread."""

    def within():
        with oxisocket.deadline(SOON):
            yield

    waiting = [within() for _ in range(100)]
    for each in waiting:
        next(each)
    wrong = set()

    def close():
        while waiting:
            try:
                waiting.pop().close()
            except RuntimeError as error:
                wrong.add(str(error))

    thread = threading.Thread(target=close)
    thread.start()
    thread.join()
    gc.collect()
    time.sleep(SOON)
    assert wrong == {"this deadline is not entered in this thread"}
    pair[0].send(b"x")
    assert pair[1].recv(1) == b"x"


class TestWaitingCalls:
    @pytest.mark.parametrize("timeout", [None, NEVER])
    @pytest.mark.parametrize(
        "call",
        [
            lambda s: s.recv(1),
            lambda s: s.recv(1 << 20),
            lambda s: s.recv_into(bytearray(1)),
            lambda s: s.recvfrom(1),
            lambda s: s.recvmsg(1),
            lambda s: s.recvmsg_into([bytearray(1)]),
        ],
    )
    def test_receives(self, pair, times_out, timeout, call):
        pair[0].settimeout(timeout)
        times_out(lambda: call(pair[0]))

    @pytest.mark.parametrize("timeout", [None, NEVER])
    def test_a_send_without_room(self, pair, times_out, timeout):
        fill(pair[0])
        pair[0].settimeout(timeout)
        times_out(lambda: pair[0].send(b"x"))

    def test_sendall_has_one_deadline(self, pair, times_out):
        limit_buffers(*pair)
        times_out(lambda: pair[0].sendall(BIG * 4))

    def test_accept(self, listener, times_out):
        times_out(listener.accept)

    def test_an_accept_whose_connection_another_thread_takes(self, oxisocket, listener, keep):
        """Two threads wait for one connection: the one that gets none ends with its deadline, although accept(2) itself would block."""
        ended = []

        def wait():
            try:
                with oxisocket.deadline(1.0):
                    keep(listener.accept()[0])
                ended.append("accepted")
            except TimeoutError:
                ended.append("timed out")

        threads = [threading.Thread(target=wait) for _ in range(2)]
        for thread in threads:
            thread.start()
        keep(oxisocket.create_connection(listener.getsockname()))
        for thread in threads:
            thread.join(HANG_TIMEOUT)
        assert sorted(ended) == ["accepted", "timed out"]

    @pytest.mark.parametrize("timeout", [None, NEVER])
    def test_connect_to_a_full_backlog(self, oxisocket, keep, times_out, timeout):
        listener = keep(oxisocket.create_server(("127.0.0.1", 0), backlog=0))
        fill_backlog(listener, keep)
        client = keep(oxisocket.socket())
        client.settimeout(timeout)
        times_out(lambda: client.connect(listener.getsockname()))

    def test_connect_to_a_full_unix_backlog(self, oxisocket, keep, tmp_path, times_out):
        listener = keep(oxisocket.socket(oxisocket.AF_UNIX))
        listener.bind(str(tmp_path / "s"))
        listener.listen(0)
        fill_backlog(listener, keep)
        client = keep(oxisocket.socket(oxisocket.AF_UNIX))
        times_out(lambda: client.connect(listener.getsockname()))

    def test_connect_ex_returns_the_errno_of_a_timeout(self, oxisocket, keep):
        listener = keep(oxisocket.create_server(("127.0.0.1", 0), backlog=0))
        fill_backlog(listener, keep)
        client = keep(oxisocket.socket())
        with oxisocket.deadline(SOON):
            assert client.connect_ex(listener.getsockname()) == oxisocket.EWOULDBLOCK

    @pytest.mark.parametrize("mode", ["rb", "r"])
    def test_a_file_object(self, pair, keep, times_out, mode):
        times_out(keep(pair[0].makefile(mode)).readline)

    def test_sendfile(self, pair, times_out, tmp_path):
        limit_buffers(*pair)
        (tmp_path / "big").write_bytes(BIG * 4)
        with open(tmp_path / "big", "rb") as file:
            times_out(lambda: pair[0].sendfile(file))


class TestReadyCalls:
    def test_a_loop_of_ready_calls_ends(self, pair, times_out):
        one, other = pair

        def converse():
            while True:
                one.send(b"x")
                assert other.recv(1) == b"x"

        times_out(converse)

    def test_a_non_blocking_socket(self, oxisocket, pair):
        pair[0].setblocking(False)
        with oxisocket.deadline(0):
            with pytest.raises(TimeoutError):
                pair[0].send(b"x")
            with pytest.raises(TimeoutError):
                pair[0].recv(1)
        assert pair[0].send(b"y") == 1
        assert pair[1].recv(9) == b"y"

    def test_a_call_before_the_deadline_succeeds(self, oxisocket, pair):
        with oxisocket.deadline(NEVER):
            pair[0].sendall(b"data")
            assert pair[1].recv(4) == b"data"

    def test_waiting_calls_that_are_answered(self, oxisocket, pair):
        threading.Timer(SOON, pair[0].sendall, [b"late"]).start()
        with oxisocket.deadline(NEVER):
            assert pair[1].recv(4) == b"late"

    def test_nothing_received_is_lost(self, oxisocket, pair):
        pair[0].sendall(b"data")
        with oxisocket.deadline(0), pytest.raises(TimeoutError):
            pair[1].recv(4)
        assert pair[1].recv(4) == b"data"


class TestScopes:
    def test_the_smaller_of_timeout_and_deadline_counts(self, oxisocket, pair, times_out):
        pair[0].settimeout(SOON)
        started = time.monotonic()
        with oxisocket.deadline(NEVER), pytest.raises(TimeoutError):
            pair[0].recv(1)
        assert time.monotonic() - started < HANG_TIMEOUT

    def test_the_nearest_of_nested_deadlines_counts(self, oxisocket, pair, times_out):
        def outer_is_nearer():
            with oxisocket.deadline(NEVER) as inner:
                assert inner.remaining > NEVER / 2
                pair[0].recv(1)

        times_out(outer_is_nearer)
        with oxisocket.deadline(NEVER):
            times_out(lambda: pair[0].recv(1))
            pair[1].send(b"x")
            assert pair[0].recv(1) == b"x"

    def test_other_threads_have_none(self, oxisocket, pair):
        received = []
        with oxisocket.deadline(0):
            thread = threading.Thread(target=lambda: received.append(pair[0].recv(1)))
            thread.start()
            with pytest.raises(TimeoutError):
                pair[1].send(b"x")
        pair[1].send(b"x")
        thread.join(HANG_TIMEOUT)
        assert received == [b"x"]

    def test_remaining(self, oxisocket):
        deadline = oxisocket.deadline(NEVER)
        assert deadline.remaining == deadline.seconds == NEVER
        assert oxisocket._socket._remaining_time() is None
        with deadline as entered:
            assert entered is deadline
            assert 0 < deadline.remaining <= NEVER
            assert 0 < oxisocket._socket._remaining_time() <= NEVER
            assert not deadline.passed
        with oxisocket.deadline(-1) as passed:
            assert passed.remaining == 0.0 and passed.passed
            assert oxisocket._socket._remaining_time() == 0.0
        assert oxisocket._socket._remaining_time() is None

    @pytest.mark.parametrize("seconds", [float("inf"), 1e300])
    def test_a_deadline_beyond_all_time(self, oxisocket, pair, seconds):
        with oxisocket.deadline(seconds) as deadline:
            assert deadline.remaining > NEVER
            pair[0].send(b"x")
            assert pair[1].recv(1) == b"x"

    def test_wrong_values(self, oxisocket):
        with pytest.raises(ValueError, match="NaN"):
            oxisocket.deadline(float("nan"))
        for wrong in ("soon", "5", None, [1], 1j):
            with pytest.raises(TypeError):
                oxisocket.deadline(wrong)

    def test_it_is_entered_once(self, oxisocket):
        with oxisocket.deadline(NEVER) as deadline, pytest.raises(RuntimeError, match="make one for each"):
            deadline.__enter__()
        with pytest.raises(RuntimeError, match="not entered"):
            deadline.__exit__(None, None, None)

    def test_it_is_left_in_its_own_thread(self, oxisocket):
        deadline = oxisocket.deadline(NEVER)
        thread = threading.Thread(target=deadline.__enter__)
        thread.start()
        thread.join()
        with pytest.raises(RuntimeError, match="not entered in this thread"):
            deadline.__exit__(None, None, None)
        assert oxisocket._socket._remaining_time() is None

    def test_its_own_thread_leaves_it_although_another_has_tried(self, oxisocket, start):
        deadline = oxisocket.deadline(NEVER)
        with deadline, pytest.raises(RuntimeError, match="not entered in this thread"):
            start(deadline.__exit__, None, None, None).result()
        assert oxisocket._socket._remaining_time() is None


class Interruption(Exception):
    """What a signal handler raises."""


def test_a_signal_handler_that_raises_leaves_no_deadline_behind(oxisocket):
    """Wherever it runs: within `__enter__` and `__exit__` it never does, and after `__enter__` the deadline is freed."""

    def interrupt(*_):
        raise Interruption

    def enter_and_leave():
        while True:
            with oxisocket.deadline(NEVER):
                pass

    oxisocket.deadline(NEVER)  # the first one imports, and the import system swallows what a handler raises in its callbacks
    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # as the callbacks of the collector do
    try:
        for turn in range(3000):
            with contextlib.suppress(Interruption):
                signal.setitimer(signal.ITIMER_REAL, 1e-6 + turn % 60 * 1e-6)
                enter_and_leave()
            assert oxisocket._socket._remaining_time() is None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()


def test_a_deadline_that_was_never_left_ends_with_its_object(oxisocket):
    manager = oxisocket.deadline(NEVER)
    manager.__enter__()
    assert oxisocket._socket._remaining_time() > 0
    del manager
    assert oxisocket._socket._remaining_time() is None


def test_deadlines_are_left_in_any_order(oxisocket):
    """Generators may be closed in any order. Each takes away its own deadline, and no other."""

    def within(seconds):
        with oxisocket.deadline(seconds):
            yield

    outer, inner, last = (within(seconds) for seconds in (NEVER, NEVER / 2, NEVER / 3))
    for each in (outer, inner):
        next(each)
    outer.close()
    assert NEVER / 3 < oxisocket._socket._remaining_time() <= NEVER / 2
    next(last)
    inner.close()
    assert oxisocket._socket._remaining_time() <= NEVER / 3
    last.close()
    assert oxisocket._socket._remaining_time() is None


def test_a_signal_handler_runs_while_a_call_waits(oxisocket, pair, times_out):
    ran = []
    before = signal.signal(signal.SIGALRM, lambda *_: ran.append(True))
    try:
        signal.setitimer(signal.ITIMER_REAL, SOON / 4)
        times_out(lambda: pair[0].recv(1), 2 * SOON)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ran


def test_a_child_keeps_the_deadline_of_the_thread_that_forked(oxisocket, run):
    program = """
import os, oxisocket
one, other = oxisocket.socketpair()
with oxisocket.deadline(0):
    child = os.fork()
    try:
        one.recv(1)
    except TimeoutError:
        if not child:
            os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
one.close(), other.close()
print("done")
"""
    assert run(program).strip() == "done"
