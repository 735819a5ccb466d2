"""`create_connection(total_timeout=…)`: one time for the look-up and for all addresses."""

from __future__ import annotations

import os
import threading
import time

import pytest
from marks import only_oxisocket
from oxisocket._beyond import lookup
from waiting import HANG_TIMEOUT

pytestmark = only_oxisocket

NAME = ("a.name", 1)
LONG = 1000  # a test that waits for it would fail by its own time limit

one_by_one_and_racing = pytest.mark.parametrize(
    "more", [{}, {"happy_eyeballs_delay": 0.01}, {"happy_eyeballs_delay": LONG}, {"interleave": 1}], ids=repr
)


@one_by_one_and_racing
@pytest.mark.parametrize("timeout", [None, LONG])
def test_no_address_answers(socket, full, resolves_to, open_files, more, timeout):
    resolves_to(*[full.getsockname()] * 3)
    before, began = open_files(), time.monotonic()
    with pytest.raises(TimeoutError, match=r"(?m)^timed out$") as caught:
        socket.create_connection(NAME, timeout, total_timeout=0.1, **more)
    assert 0.1 <= time.monotonic() - began < HANG_TIMEOUT
    assert caught.value.errno is None
    assert open_files() == before


@one_by_one_and_racing
def test_it_is_the_last_of_all_errors(socket, full, refusing, resolves_to, more):
    resolves_to(refusing, full.getsockname(), full.getsockname())
    with pytest.raises(ExceptionGroup) as caught:
        socket.create_connection(NAME, total_timeout=0.1, all_errors=True, **more)
    assert caught.value.message == "create_connection failed"
    assert {(type(error), str(error)) for error in caught.value.exceptions[1:]} == {(TimeoutError, "timed out")}
    assert type(caught.value.exceptions[0]) is ConnectionRefusedError


@one_by_one_and_racing
def test_the_smaller_of_the_two_times_counts(socket, keep, full, listener, resolves_to, more):
    resolves_to(full.getsockname(), listener.getsockname())
    client = keep(socket.create_connection(NAME, 0.05, total_timeout=LONG, **more))
    assert (client.getpeername(), client.gettimeout()) == (listener.getsockname(), 0.05)


def test_without_a_race_the_first_address_may_take_it_all(socket, full, listener, resolves_to):
    resolves_to(full.getsockname(), listener.getsockname())
    with pytest.raises(TimeoutError):
        socket.create_connection(NAME, total_timeout=0.1)


def test_with_a_race_the_first_address_does_not_take_it_all(socket, keep, full, listener, resolves_to):
    resolves_to(full.getsockname(), listener.getsockname())
    client = keep(socket.create_connection(NAME, total_timeout=LONG, happy_eyeballs_delay=0.01))
    assert client.getpeername() == listener.getsockname()


@one_by_one_and_racing
@pytest.mark.parametrize("timeout", [None, 5, 2000])
@pytest.mark.parametrize("total", [LONG, 2**70, float("inf")])
def test_the_timeout_of_the_socket_is_the_one_asked_for(socket, keep, refusing, listener, resolves_to, more, timeout, total):
    resolves_to(refusing, listener.getsockname())
    client = keep(socket.create_connection(NAME, timeout, total_timeout=total, **more))
    assert client.gettimeout() == timeout
    assert os.get_blocking(client.fileno()) is (timeout is None)


def test_an_error_of_the_last_address_is_no_timeout(socket, refusing, resolves_to):
    resolves_to(refusing)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(NAME, total_timeout=LONG)


@one_by_one_and_racing
def test_no_time_at_all(socket, listener, resolves_to, more):
    resolves_to(listener.getsockname(), listener.getsockname())
    with pytest.raises(TimeoutError, match=r"(?m)^timed out$"):
        socket.create_connection(NAME, total_timeout=0, **more)


@pytest.mark.parametrize("total", [0, 0.05])
@pytest.mark.parametrize("more", [{}, {"happy_eyeballs_delay": 0.01}, {"happy_eyeballs_delay": 0.01, "interleave": 0}], ids=repr)
def test_a_look_up_is_abandoned(socket, monkeypatch, open_files, more, total):
    release = threading.Event()
    monkeypatch.setattr(lookup, "ask", lambda *args: release.wait(HANG_TIMEOUT) and [])
    before, began = open_files(), time.monotonic()
    try:
        for all_errors in (False, True):
            with pytest.raises(ExceptionGroup if all_errors else TimeoutError) as caught:
                socket.create_connection(NAME, total_timeout=total, all_errors=all_errors, **more)
            [error] = caught.value.exceptions if all_errors else [caught.value]
            assert error.args == ("timed out",)
        assert time.monotonic() - began >= 2 * total
        assert open_files() == before
    finally:
        release.set()


def test_a_look_up_takes_from_the_time_for_connecting(socket, full, monkeypatch):
    def ask(*args):
        time.sleep(0.1)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname())]

    monkeypatch.setattr(lookup, "ask", ask)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        socket.create_connection(NAME, total_timeout=0.2)
    assert 0.2 <= time.monotonic() - began < HANG_TIMEOUT


def test_an_unknown_name_is_raised_as_it_is(socket, monkeypatch):
    def ask(*args):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(lookup, "ask", ask)
    with pytest.raises(socket.gaierror, match="unknown"):
        socket.create_connection(NAME, total_timeout=LONG, all_errors=True)


def test_a_numeric_address_starts_no_thread(socket, keep, listener, monkeypatch):
    monkeypatch.setattr(lookup, "_thread", None)
    client = keep(socket.create_connection(listener.getsockname(), total_timeout=LONG))
    assert client.getpeername() == listener.getsockname()


def test_other_classes_keep_to_it(socket, keep, full, listener, resolves_to, monkeypatch):
    """A class that connects in its own way gets the time that is left as its timeout, and then the one asked for."""
    told = []

    class Proxied(socket.socket):
        def connect(self, address):
            told.append(self.gettimeout())
            super().connect(address)

    monkeypatch.setattr(socket, "socket", Proxied)
    resolves_to(full.getsockname(), listener.getsockname())
    with pytest.raises(TimeoutError):
        socket.create_connection(NAME, LONG, total_timeout=0.1, happy_eyeballs_delay=0)
    assert len(told) == 1 and 0 < told[0] <= 0.1
    client = keep(socket.create_connection(NAME, 0.05, total_timeout=LONG, happy_eyeballs_delay=0))
    assert told[1:] == [0.05, 0.05]
    assert client.gettimeout() == 0.05


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ValueError])
def test_other_errors_close_the_socket(socket, listener, resolves_to, monkeypatch, open_files, error):
    class Failing(socket.socket):
        def connect(self, address):
            raise error

    monkeypatch.setattr(socket, "socket", Failing)
    resolves_to(listener.getsockname(), listener.getsockname())
    before = open_files()
    with pytest.raises(error):
        socket.create_connection(NAME, total_timeout=LONG)
    assert open_files() == before


class TestWithADeadline:
    """The deadline of the thread ends a race and a look-up as `total_timeout` does: the smaller of the two counts."""

    @one_by_one_and_racing
    @pytest.mark.parametrize(("deadline", "total"), [(0.1, LONG), (LONG, 0.1)])
    def test_no_address_answers(self, socket, full, resolves_to, open_files, more, deadline, total):
        resolves_to(full.getsockname(), full.getsockname())
        before, began = open_files(), time.monotonic()
        with socket.deadline(deadline), pytest.raises(TimeoutError, match=r"(?m)^timed out$"):
            socket.create_connection(NAME, total_timeout=total, **more)
        assert 0.1 <= time.monotonic() - began < HANG_TIMEOUT
        assert open_files() == before

    def test_without_a_time_of_its_own(self, socket, full, listener, keep, resolves_to):
        resolves_to(full.getsockname(), listener.getsockname())
        with socket.deadline(LONG):
            client = keep(socket.create_connection(NAME, happy_eyeballs_delay=0.01))
        assert (client.getpeername(), client.gettimeout()) == (listener.getsockname(), None)
        resolves_to(full.getsockname(), full.getsockname())
        with socket.deadline(0.1), pytest.raises(TimeoutError, match=r"(?m)^timed out$"):
            socket.create_connection(NAME, happy_eyeballs_delay=0.01)

    @pytest.mark.parametrize("more", [{"happy_eyeballs_delay": 0.01}, {"total_timeout": LONG}], ids=repr)
    def test_a_look_up_is_abandoned(self, socket, monkeypatch, open_files, more):
        release = threading.Event()
        monkeypatch.setattr(lookup, "ask", lambda *args: release.wait(HANG_TIMEOUT) and [])
        before = open_files()
        try:
            with socket.deadline(0.05), pytest.raises(TimeoutError, match=r"(?m)^timed out$"):
                socket.create_connection(NAME, **more)
            assert open_files() == before
        finally:
            release.set()

    def test_a_deadline_that_has_passed(self, socket, listener, resolves_to):
        resolves_to(listener.getsockname(), listener.getsockname())
        with socket.deadline(0), pytest.raises(TimeoutError, match=r"(?m)^timed out$"):
            socket.create_connection(NAME, happy_eyeballs_delay=0.01)
