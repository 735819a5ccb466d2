"""`create_connection` whose attempts overlap (Happy Eyeballs, RFC 8305), on real sockets."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import re
import signal
import threading
import time
from functools import partial

import pytest
from machine import needs_localhost, needs_loopback6
from marks import only_oxisocket
from oxisocket._beyond import attempts, connection, eyeballs, lookup
from waiting import HANG_TIMEOUT, wait_until

pytestmark = only_oxisocket

NAME = ("a.name", 1)
# Long: a test that waits for it would fail by its own time limit. Or short: a test waits for it on purpose.
LONG, SHORT = 1000, 0.02


@pytest.fixture
def race(socket, keep):
    """`race(delay, **arguments)` connects to NAME and keeps the socket."""
    return lambda delay=SHORT, **arguments: keep(socket.create_connection(NAME, happy_eyeballs_delay=delay, **arguments))


@pytest.fixture
def dead6(socket, keep):
    """An address ::1 that refuses."""
    taken = keep(socket.socket(socket.AF_INET6))
    taken.bind(("::1", 0))
    return taken.getsockname()


def errors_of(call, *args, **keywords):
    """The errors that a call raises as one group, each by its class and errno."""
    with pytest.raises(ExceptionGroup) as caught:
        call(*args, all_errors=True, **keywords)
    assert caught.value.message == "create_connection failed"
    return [(type(error), error.errno) for error in caught.value.exceptions]


REFUSED = (ConnectionRefusedError, errno.ECONNREFUSED)
TIMED_OUT = (TimeoutError, None)


@pytest.mark.parametrize("delay", [SHORT, None])
def test_the_error_has_notes_on_all_attempts(socket, refusing, full, resolves_to, race, delay):
    resolves_to(refusing, full.getsockname(), refusing)
    with pytest.raises(OSError) as caught:
        race(delay, timeout=SHORT, total_timeout=60)
    notes = caught.value.__notes__
    assert len(notes) == 3
    for note, (_, port) in zip(notes, (refusing, refusing, full.getsockname()), strict=True):
        assert f"connecting to 127.0.0.1:{port} (a.name)" in note
        if port == refusing[1]:
            assert re.search(r" \(a\.name\) from 127\.0\.0\.1:\d+, failed after \d", note)


class TestWinner:
    @needs_loopback6
    def test_the_other_family_wins_at_once_where_the_first_refuses(self, listener, resolves_to, dead6, race):
        resolves_to(dead6, listener.getsockname())
        assert race(LONG).getpeername() == listener.getsockname()

    def test_an_address_that_does_not_answer_is_overtaken(self, full, listener, resolves_to, race):
        resolves_to(full.getsockname(), listener.getsockname())
        client, server = race(), listener.accept()[0]
        with server:
            client.sendall(b"hello")
            assert server.recv(5) == b"hello"
        assert client.getpeername() == listener.getsockname()

    def test_many_that_do_not_answer(self, full, listener, resolves_to, race, open_files):
        resolves_to(*[full.getsockname()] * 5, listener.getsockname())
        before = open_files()
        client = race(0.001)
        assert open_files() - before == {client.fileno()}

    def test_a_delay_of_zero(self, full, listener, resolves_to, race):
        resolves_to(full.getsockname(), full.getsockname(), listener.getsockname())
        assert race(0).getpeername() == listener.getsockname()

    def test_a_winner_is_seen_together_with_a_failure(self, listener, refusing, resolves_to, race, open_files):
        # Loopback answers at once: both attempts have ended when the race looks for the first time.
        resolves_to(listener.getsockname(), refusing)
        before = open_files()
        client = race(0)
        assert client.getpeername() == listener.getsockname()
        assert len(open_files() - before) == 1

    def test_a_slow_attempt_is_not_given_up_when_the_next_ones_start(self, socket, keep, full, resolves_to, start):
        """The first address answers long after all other attempts have started. The kernel repeats the SYN after a second."""
        resolves_to(full.getsockname(), full.getsockname())
        call = start(partial(socket.create_connection, NAME, happy_eyeballs_delay=0.001)).until_blocked()

        def accept():
            while call.is_alive():
                full.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    full.accept()[0].close()

        start(accept)
        assert keep(call.result()).getpeername() == full.getsockname()

    @needs_localhost
    def test_by_name(self, socket, listener, keep):
        port = listener.getsockname()[1]
        client = keep(socket.create_connection(("localhost", port), happy_eyeballs_delay=LONG))
        assert client.getpeername() == listener.getsockname()

    @pytest.mark.parametrize("host", ["127.0.0.1", None])
    def test_by_address(self, socket, listener, keep, monkeypatch, host):
        """A numeric host needs no resolver."""
        monkeypatch.setattr(lookup, "ask", None)
        client = keep(socket.create_connection((host, listener.getsockname()[1]), happy_eyeballs_delay=LONG))
        assert client.getpeername() == listener.getsockname()

    def test_interleave_without_a_delay(self, socket, listener, resolves_to, refusing, keep, monkeypatch):
        tried = []
        taken = socket.socket

        class Remembering(socket.socket):
            def connect(self, address):
                tried.append(address)
                taken.connect(self, address)

        monkeypatch.setattr(socket, "socket", Remembering)
        nowhere = ("::1", 1, 0, "no scope")
        resolves_to(refusing, ("127.0.0.1", 0), listener.getsockname(), ("::ffff:127.0.0.1", refusing[1], 0, 0))
        client = keep(socket.create_connection(NAME, interleave=1))
        assert nowhere not in tried
        assert [address[0] for address in tried[:2]] == ["127.0.0.1", "::ffff:127.0.0.1"]
        assert client.getpeername() == listener.getsockname()


class TestTimeouts:
    @pytest.mark.parametrize("timeout", [None, 5, 7.5, True])
    def test_the_winner_has_the_timeout_asked_for(self, refusing, listener, resolves_to, race, timeout):
        resolves_to(refusing, listener.getsockname())
        client = race(timeout=timeout)
        assert client.gettimeout() == timeout
        assert os.get_blocking(client.fileno()) is (timeout is None)

    @pytest.mark.parametrize("default", [None, 30])
    def test_the_winner_has_the_default_timeout(self, socket, refusing, listener, resolves_to, race, default):
        resolves_to(refusing, listener.getsockname())
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(default)
        try:
            for mark in ({}, {"timeout": socket._GLOBAL_DEFAULT_TIMEOUT}, {"timeout": object()}):
                client = race(**mark)
                assert client.gettimeout() == default
                assert os.get_blocking(client.fileno()) is (default is None)
        finally:
            socket.setdefaulttimeout(before)

    def test_each_attempt_has_its_own_timeout(self, socket, full, resolves_to):
        resolves_to(full.getsockname(), full.getsockname())
        began = time.monotonic()
        assert errors_of(socket.create_connection, NAME, 0.05, happy_eyeballs_delay=0.02) == [TIMED_OUT] * 2
        assert time.monotonic() - began >= 0.07

    def test_an_attempt_that_timed_out_lets_the_next_one_start(self, full, listener, resolves_to, race):
        resolves_to(full.getsockname(), listener.getsockname())
        assert race(LONG, timeout=0.02).getpeername() == listener.getsockname()

    def test_a_timeout_of_zero_cannot_block(self, socket, listener, resolves_to):
        resolves_to(listener.getsockname(), listener.getsockname())
        in_progress = (BlockingIOError, errno.EINPROGRESS)
        assert errors_of(socket.create_connection, NAME, 0, happy_eyeballs_delay=LONG) == [in_progress] * 2


class TestErrors:
    def test_all_refuse(self, socket, refusing, resolves_to, open_files):
        resolves_to(refusing, refusing, refusing)
        before = open_files()
        with pytest.raises(ConnectionRefusedError) as caught:
            socket.create_connection(NAME, happy_eyeballs_delay=LONG)
        assert (caught.value.errno, caught.value.strerror) == (errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        assert errors_of(socket.create_connection, NAME, happy_eyeballs_delay=LONG) == [REFUSED] * 3
        assert open_files() == before

    def test_errors_are_those_of_attempts_one_by_one(self, socket, refusing, resolves_to):
        resolves_to(refusing, ("255.255.255.255", 1), ("not a host" * 100, 1), refusing)
        plain = errors_of(socket.create_connection, NAME)
        assert errors_of(socket.create_connection, NAME, happy_eyeballs_delay=LONG) == plain
        assert len(plain) == 4

    def test_the_last_error_is_raised(self, socket, refusing, resolves_to):
        resolves_to(refusing, ("255.255.255.255", 1))
        with pytest.raises(OSError) as caught:
            socket.create_connection(NAME, happy_eyeballs_delay=LONG)
        assert caught.value.errno == errno.ENETUNREACH

    def test_no_address(self, socket, resolves_to):
        resolves_to()
        with pytest.raises(OSError, match=r"^getaddrinfo returns an empty list$"):
            socket.create_connection(NAME, happy_eyeballs_delay=LONG)

    def test_another_error_ends_the_race_and_closes_all(self, socket, full, resolves_to, open_files):
        resolves_to(full.getsockname(), full.getsockname(), ("127.0.0.1", "not a port"))
        before = open_files()
        with pytest.raises(TypeError):
            socket.create_connection(NAME, happy_eyeballs_delay=0)
        assert open_files() == before

    def test_no_descriptor_is_left(self, socket, full, resolves_to, monkeypatch):
        """Sockets that cannot be made are an error like others."""
        made = []

        class Scarce(socket.socket):
            def __init__(self, *args, **keywords):
                made.append(args)
                if len(made) == 2:
                    raise OSError(errno.EMFILE, "Too many open files")
                super().__init__(*args, **keywords)

        monkeypatch.setattr(socket, "socket", Scarce)
        resolves_to(full.getsockname(), full.getsockname(), full.getsockname())
        found = errors_of(socket.create_connection, NAME, 0.05, happy_eyeballs_delay=0)
        assert found == [TIMED_OUT, (OSError, errno.EMFILE), TIMED_OUT]

    def test_no_reference_cycle(self, socket, refusing, full, resolves_to, monkeypatch):
        resolves_to(refusing, ("255.255.255.255", 1), full.getsockname())
        gc.collect()
        gc.disable()
        try:
            for arguments in ({}, {"all_errors": True}, {"total_timeout": 0.01}, {"interleave": 0, "total_timeout": 0.01}):
                with contextlib.suppress(OSError, ExceptionGroup):
                    socket.create_connection(NAME, 0.02, happy_eyeballs_delay=LONG, **arguments)
            monkeypatch.undo()
            for arguments in ({"happy_eyeballs_delay": LONG}, {"total_timeout": LONG}):
                with contextlib.suppress(OSError):
                    socket.create_connection((b"a..b", 1), **arguments)
            assert gc.collect() == 0
        finally:
            gc.enable()

    def test_what_was_neither_taken_nor_abandoned_is_closed(self, full, open_files, socket):
        before = open_files()
        answers = lookup.Answers()
        with attempts.Attempts(partial(attempts.prepare, socket.socket, None, None), answers) as running:
            for number in range(3):
                running.start(number, (socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname()))
            running.abandon(1)
            assert len(open_files() - before) == 4
        assert open_files() == before

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"happy_eyeballs_delay": -1}, ValueError),
            ({"happy_eyeballs_delay": float("nan")}, ValueError),
            ({"happy_eyeballs_delay": "1"}, TypeError),
            ({"interleave": 1.5}, TypeError),
            ({"total_timeout": -0.5}, ValueError),
            ({"total_timeout": float("nan")}, ValueError),
            ({"total_timeout": "1"}, TypeError),
            ({"happy_eyeballs_delay": 1, "timeout": "1"}, TypeError),
            ({"happy_eyeballs_delay": 1, "timeout": -1}, ValueError),
            ({"happy_eyeballs_delay": 1, "source_address": "text"}, TypeError),
            ({"happy_eyeballs_delay": 1, "source_address": ("127.0.0.1",)}, TypeError),
        ],
        ids=repr,
    )
    def test_wrong_arguments(self, socket, listener, resolves_to, open_files, arguments, error):
        resolves_to(listener.getsockname(), listener.getsockname())
        before = open_files()
        with pytest.raises(error):
            socket.create_connection(NAME, **arguments)
        assert open_files() == before

    @pytest.mark.parametrize(
        "address", [None, ("127.0.0.1",), ("127.0.0.1", -1), ("127.0.0.1", 1.5), (5, 1), ("a\0b", 1)], ids=repr
    )
    def test_a_wrong_address_is_the_same_error(self, socket, outcome, address):
        expected = outcome(socket.create_connection, address)
        assert expected[0] == "raised"
        for more in ({"happy_eyeballs_delay": 1}, {"total_timeout": 60}, {"interleave": 0}):
            assert outcome(socket.create_connection, address, **more) == expected

    def test_keywords_only(self, socket):
        with pytest.raises(TypeError, match="positional"):
            socket.create_connection(("127.0.0.1", 1), 5, None, False, 0.25)


class TestSourceAddress:
    def test_it_is_bound(self, full, listener, resolves_to, race):
        resolves_to(full.getsockname(), listener.getsockname())
        assert race(source_address=("127.0.0.2", 0)).getsockname()[0] == "127.0.0.2"

    @needs_loopback6
    def test_addresses_of_the_other_family_are_skipped(self, socket, keep, listener, resolves_to, race):
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
            resolves_to(other.getsockname(), listener.getsockname())
            assert race(LONG, source_address=("127.0.0.1", 0)).getpeername() == listener.getsockname()
            resolves_to(other.getsockname(), other.getsockname())
            found = errors_of(socket.create_connection, NAME, 5, ("127.0.0.1", 0), happy_eyeballs_delay=LONG)
            assert found == errors_of(socket.create_connection, NAME, 5, ("127.0.0.1", 0))
            assert [kind for kind, _ in found] == [socket.gaierror] * 2

    def test_a_port_is_used_by_one_attempt_at_a_time(self, socket, full, listener, resolves_to, race, monkeypatch):
        """A second socket could not be bound to it, so attempts do not overlap."""
        monkeypatch.setattr(connection, "Race", None)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            source = free.getsockname()
        resolves_to(full.getsockname(), listener.getsockname())
        try:
            assert race(timeout=0.05, source_address=source).getsockname() == source
        except OSError as error:  # another program took the port in between
            assert error.errno == errno.EADDRINUSE


class TestClasses:
    def test_a_subclass_is_used(self, socket, full, listener, resolves_to, race, monkeypatch):
        told = []

        class Careful(socket.socket):
            def settimeout(self, timeout):
                told.append(("settimeout", timeout))
                super().settimeout(7)

            def bind(self, address):
                told.append(("bind", address))
                super().bind(address)

        monkeypatch.setattr(socket, "socket", Careful)
        resolves_to(full.getsockname(), listener.getsockname())
        client = race(timeout=5, source_address=("127.0.0.1", 0))
        assert type(client) is Careful
        assert client.gettimeout() == 7
        assert told == [("settimeout", 5), ("bind", ("127.0.0.1", 0))] * 2

    def test_a_class_that_connects_in_its_own_way_is_not_raced(self, socket, refusing, listener, resolves_to, race, monkeypatch):
        tried = []

        class Proxied(socket.socket):
            def connect(self, address):
                tried.append((address, self.gettimeout()))
                super().connect(address)

        monkeypatch.setattr(socket, "socket", Proxied)
        resolves_to(refusing, listener.getsockname())
        assert race(0, timeout=5).getpeername() == listener.getsockname()
        assert tried == [(refusing, 5), (listener.getsockname(), 5)]

    def test_a_patched_method_is_called(self, socket, refusing, listener, resolves_to, race, monkeypatch):
        tried = []
        original = socket.socket.connect

        def connect(self, address):
            tried.append(address)
            return original(self, address)

        monkeypatch.setattr(socket.socket, "connect", connect)
        resolves_to(refusing, listener.getsockname())
        assert race(0).getpeername() == listener.getsockname()
        assert tried == [refusing, listener.getsockname()]

    def test_a_class_of_another_make(self, socket, refusing, listener, resolves_to, race, monkeypatch):
        import socket as stdlib

        class Foreign:
            def __init__(self, *args):
                self._sock = stdlib.socket(*args)

            def __getattr__(self, name):
                return getattr(self._sock, name)

        def make_foreign(*args):
            return Foreign(*args)

        for make in (stdlib.socket, Foreign, make_foreign):
            monkeypatch.setattr(socket, "socket", make)
            resolves_to(refusing, listener.getsockname())
            client = race(0, timeout=5, total_timeout=60)
            assert (client.getpeername(), client.gettimeout()) == (listener.getsockname(), 5)


class TestLookUps:
    """Both families of a name are looked up apart, in threads."""

    @pytest.fixture
    def answers(self, socket, monkeypatch):
        """`answers(four, six)`: what the resolver answers for each family: an address, an error, or what a function returns."""

        def answers(four, six):
            def ask(host, port, family, seconds=None):
                assert (host, port) == NAME
                answer = {socket.AF_INET: four, socket.AF_INET6: six, 0: four}[family]
                answer = answer() if callable(answer) else answer
                if isinstance(answer, BaseException):
                    raise answer
                family = socket.AF_INET6 if len(answer) == 4 else socket.AF_INET
                return [(family, socket.SOCK_STREAM, 6, "", answer)]

            monkeypatch.setattr(lookup, "ask", ask)

        return answers

    @pytest.fixture
    def stuck(self):
        """A look-up that takes until the end of the test, and how many of them have ended."""
        release, ended = threading.Event(), []

        def stuck():
            release.wait(HANG_TIMEOUT)
            ended.append(1)
            return MemoryError()

        stuck.ended = ended
        yield stuck
        release.set()

    def test_a_look_up_that_takes_long_holds_nobody_up(self, listener, answers, stuck, race, open_files):
        answers(listener.getsockname(), stuck)
        before = open_files()
        client = race(LONG)
        assert client.getpeername() == listener.getsockname()
        assert open_files() - before == {client.fileno()}

    def test_an_abandoned_look_up_ends_by_itself(self, socket, listener, answers, open_files, race):
        release, ended = threading.Event(), threading.Event()

        def slow():
            release.wait(HANG_TIMEOUT)
            ended.set()
            return OSError("too late")

        answers(listener.getsockname(), slow)
        race(LONG)
        before = open_files()
        release.set()
        assert ended.wait(HANG_TIMEOUT)
        assert open_files() == before

    @needs_loopback6
    def test_the_preferred_family_is_first(self, socket, listener, answers, race, monkeypatch):
        """Even if its answer comes a little later."""
        monkeypatch.setattr(eyeballs, "RESOLUTION_DELAY", HANG_TIMEOUT)
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
            answers(listener.getsockname(), lambda: time.sleep(0.02) or other.getsockname())
            assert race(LONG).getpeername() == other.getsockname()

    def test_later_answers_join_the_race(self, full, listener, answers, race):
        def late():
            time.sleep(lookup_delay)
            return listener.getsockname()

        lookup_delay = 0.1  # longer than the resolution delay
        answers(full.getsockname(), late)
        assert race(0.01).getpeername() == listener.getsockname()
        answers(late, full.getsockname())
        assert race(0.01).getpeername() == listener.getsockname()

    def test_one_family_is_unknown(self, socket, listener, answers, race):
        answers(listener.getsockname(), socket.gaierror(socket.EAI_AGAIN, "again"))
        assert race(LONG).getpeername() == listener.getsockname()
        answers(socket.gaierror(socket.EAI_NONAME, "unknown"), listener.getsockname())
        assert race(LONG).getpeername() == listener.getsockname()

    @pytest.mark.parametrize(
        ("four", "six", "expected"),
        [
            ("EAI_NONAME", "EAI_NONAME", "EAI_NONAME"),
            ("EAI_NODATA", "EAI_NODATA", "EAI_NODATA"),
            ("EAI_NODATA", "EAI_ADDRFAMILY", "EAI_NODATA"),
            ("EAI_NODATA", "EAI_NONAME", "EAI_NONAME"),
            ("EAI_NONAME", "EAI_AGAIN", "EAI_AGAIN"),
            ("EAI_AGAIN", "EAI_NODATA", "EAI_AGAIN"),
            ("EAI_FAIL", "EAI_AGAIN", "EAI_FAIL"),
            ("EAI_NODATA", "EAI_SERVICE", "EAI_SERVICE"),
        ],
    )
    @pytest.mark.parametrize("all_errors", [False, True])
    def test_both_are_unknown(self, socket, answers, four, six, expected, all_errors):
        answers(*(socket.gaierror(getattr(socket, code), code) for code in (four, six)))
        with pytest.raises(socket.gaierror) as caught:
            socket.create_connection(NAME, happy_eyeballs_delay=LONG, all_errors=all_errors)
        assert caught.value.args == (getattr(socket, expected), expected)

    @pytest.mark.parametrize("host", ["", b"a..b", b"x" * 64 + b".invalid", "x" * 64 + ".invalid"], ids=str)
    @pytest.mark.parametrize("more", [{"happy_eyeballs_delay": 1}, {"total_timeout": 60}])
    def test_a_name_that_cannot_be_is_the_same_error(self, socket, outcome, host, more):
        expected = outcome(socket.create_connection, (host, 1))
        assert expected[0] == "raised"
        assert outcome(socket.create_connection, (host, 1), **more) == expected

    @pytest.mark.parametrize("error", [MemoryError(), RuntimeError("of an audit hook"), KeyboardInterrupt()], ids=repr)
    @pytest.mark.parametrize("more", [{"happy_eyeballs_delay": LONG}, {"total_timeout": 60}])
    def test_other_errors_are_raised(self, socket, full, answers, open_files, error, more):
        answers(error, full.getsockname())
        before = open_files()
        with pytest.raises(type(error)) as caught:
            socket.create_connection(NAME, **more)
        assert caught.value is error
        assert open_files() == before

    def test_no_address(self, socket, monkeypatch):
        monkeypatch.setattr(lookup, "ask", lambda host, port, family, seconds=None: [])
        for more in ({"happy_eyeballs_delay": LONG}, {"total_timeout": 60}):
            with pytest.raises(OSError, match=r"^getaddrinfo returns an empty list$"):
                socket.create_connection(NAME, **more)

    @pytest.mark.parametrize("possible", [0, 1])
    def test_without_threads(self, listener, answers, stuck, monkeypatch, race, open_files, possible):
        """Where no thread can be started, one look-up of both families is made in the thread of the caller."""
        started = []
        start = lookup._thread.start_new_thread

        def refuse(*args):
            if len(started) == possible:
                raise RuntimeError("can't start new thread")
            started.append(start(*args))

        monkeypatch.setattr(lookup._thread, "start_new_thread", refuse)
        answers(listener.getsockname(), stuck)
        before = open_files()
        clients = [race(LONG), race(None, total_timeout=60)]
        assert [client.getpeername() for client in clients] == [listener.getsockname()] * 2
        assert open_files() - before == {client.fileno() for client in clients}

    def test_a_replaced_getaddrinfo_is_called_as_ever(self, socket, refusing, listener, monkeypatch, race):
        asked = []

        def getaddrinfo(*args, **keywords):
            asked.append((args, keywords, threading.get_ident()))
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (refusing, listener.getsockname())]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        for arguments in ({"delay": LONG}, {"delay": None, "total_timeout": 60}, {"delay": None, "interleave": 1}):
            race(**arguments)
        assert asked == [((*NAME, 0, socket.SOCK_STREAM), {}, threading.get_ident())] * 3

    def test_without_alternation_both_families_are_looked_up_together(self, socket, listener, monkeypatch, race):
        asked = []

        def ask(*args):
            asked.append(args)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname())]

        monkeypatch.setattr(lookup, "ask", ask)
        race(LONG, interleave=0)
        assert asked == [(*NAME, 0)]


class Stop(Exception):
    """What the signal handlers of these tests raise."""


@pytest.fixture
def alarm():
    """SIGALRM soon, again and again until its handler has run, which raises Stop."""

    def stop(*_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise Stop

    before = signal.signal(signal.SIGALRM, stop)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


class TestSignals:
    def test_a_handler_that_raises_ends_the_race(self, socket, full, resolves_to, alarm, open_files):
        resolves_to(full.getsockname(), full.getsockname())
        before = open_files()
        alarm()
        with pytest.raises(Stop):
            socket.create_connection(NAME, happy_eyeballs_delay=0.001)
        assert open_files() == before

    def test_a_handler_that_raises_when_an_attempt_has_just_been_abandoned(self, socket, full, resolves_to, monkeypatch):
        resolves_to(full.getsockname(), full.getsockname())
        abandon = attempts.Attempts.abandon

        def interrupted(self, number):
            monkeypatch.setattr(attempts.Attempts, "abandon", abandon)
            abandon(self, number)
            raise Stop

        monkeypatch.setattr(attempts.Attempts, "abandon", interrupted)
        with pytest.raises(Stop):
            socket.create_connection(NAME, SHORT, happy_eyeballs_delay=LONG)

    @pytest.mark.parametrize("more", [{"happy_eyeballs_delay": LONG}, {"total_timeout": LONG}])
    def test_a_handler_that_raises_ends_a_look_up(self, socket, alarm, monkeypatch, open_files, more):
        release = threading.Event()
        monkeypatch.setattr(lookup, "ask", lambda *args: release.wait(HANG_TIMEOUT) and [])
        before = open_files()
        alarm()
        try:
            with pytest.raises(Stop):
                socket.create_connection(NAME, **more)
            assert open_files() == before
        finally:
            release.set()

    def test_a_handler_that_returns_changes_nothing(self, socket, full, listener, resolves_to, race):
        resolves_to(full.getsockname(), listener.getsockname())
        told = []
        before = signal.signal(signal.SIGALRM, lambda *_: told.append(1))
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
            assert race(0.1).getpeername() == listener.getsockname()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert told

    def test_ctrl_c(self, program):
        process = program("""
import os
from waiting import fill_backlog
full, others = socket.create_server(("127.0.0.1", 0), backlog=0), []
fill_backlog(full, others.append)
socket.getaddrinfo = lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname())] * 3
before = os.listdir("/proc/self/fd")
print("ready", flush=True)
try:
    socket.create_connection(("name", 1), happy_eyeballs_delay=0.001)
except KeyboardInterrupt:
    print(len(os.listdir("/proc/self/fd")) == len(before), flush=True)
for each in full, *others:
    each.close()
""")
        assert process.stdout.readline() == "ready\n"
        process.until_blocked()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=HANG_TIMEOUT) == ("True\n", "")


def test_in_many_threads(socket, full, listener, resolves_to, open_files, start):
    resolves_to(full.getsockname(), listener.getsockname())
    before = open_files()

    def work():
        for _ in range(10):
            socket.create_connection(NAME, happy_eyeballs_delay=0.002).close()

    for call in [start(work) for _ in range(4)]:
        call.result()
    wait_until(lambda: open_files() == before)


def test_a_fork_in_the_middle(run):
    assert (
        run("""
import os, threading, warnings
from waiting import fill_backlog, until_blocked
warnings.simplefilter("ignore", DeprecationWarning)
full, others = socket.create_server(("127.0.0.1", 0), backlog=0), []
fill_backlog(full, others.append)
listening = socket.create_server(("127.0.0.1", 0))

def connect(first, second):
    def getaddrinfo(*_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", each.getsockname()) for each in (first, second)]
    socket.getaddrinfo = getaddrinfo
    try:
        socket.create_connection(("name", 1), 1.5, happy_eyeballs_delay=0.01).close()
    except TimeoutError:
        print("timed out", flush=True)
    else:
        print("connected", flush=True)

thread = threading.Thread(target=connect, args=(full, full))
thread.start()
until_blocked(thread)
child = os.fork()
if not child:
    connect(full, listening)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
thread.join()
for each in full, listening, *others:
    each.close()
""")
        == "connected\ntimed out\n"
    )


@pytest.mark.parametrize("more", ["happy_eyeballs_delay=1", "total_timeout=0.1"])
def test_the_interpreter_does_not_wait_for_a_look_up(run, more):
    code = f"""
import time
from oxisocket._beyond import lookup
def ask(host, port, family, seconds=None):
    if family == socket.AF_INET:
        raise KeyError
    time.sleep({LONG})
lookup.ask = ask
try:
    socket.create_connection(("a.name", 1), {more})
except (KeyError, TimeoutError):
    print("over")
"""
    assert run(code) == "over\n"


def test_nothing_is_imported_unless_it_is_asked_for(run):
    assert (
        run("""
import sys
with socket.create_server(("127.0.0.1", 0)) as listening:
    address = listening.getsockname()
    socket.create_connection(address, 5, all_errors=True).close()
    print([name for name in sys.modules if name.startswith("oxisocket._beyond")])
    socket.create_connection(address, happy_eyeballs_delay=1).close()
    print("oxisocket._beyond.connection" in sys.modules)
""")
        == "[]\nTrue\n"
    )
