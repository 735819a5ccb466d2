"""An exception with a note is as it was before, and whoever looks at its notes finds strings, which are made only then."""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import json
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
import traceback
import weakref

import pytest
from descriptors import open_numbers
from noting import UNKNOWN, failure, matches, note, shown
from waiting import HANG_TIMEOUT


@pytest.fixture
def socket(oxisocket):
    """Only oxisocket has notes."""
    return oxisocket


def raw(notes, index=0):
    """An item of a list as it is in memory."""
    return list.__getitem__(notes, index)


def match_only(notes):
    match notes:
        case [only]:
            return [only]
    return None


LOOKS = {
    "index": lambda notes: [notes[0], *notes[1:]],
    "negative index": lambda notes: [notes[-1]],
    "slice": lambda notes: notes[:],
    "iteration": lambda notes: [each for each in notes],  # noqa: C416
    "unpacking": lambda notes: [*notes],
    "list": list,
    "tuple": lambda notes: (*notes,),
    "set": lambda notes: list(set(notes)),
    "sorted": sorted,
    "reversed": lambda notes: list(reversed(notes)),
    "concatenation": lambda notes: notes + [],  # noqa: RUF005
    "concatenation from the left": lambda notes: [] + notes,  # noqa: RUF005
    "concatenation of two": lambda notes: (notes + notes)[:1],
    "repetition": lambda notes: notes * 1,
    "repetition from the left": lambda notes: 1 * notes,
    "extension": lambda notes: (all_notes := [], all_notes.extend(notes))[0],
    "slice assignment": lambda notes: (all_notes := [], all_notes.__setitem__(slice(0, 0), notes))[0],
    "copy": lambda notes: notes.copy(),
    "copy.copy": copy.copy,
    "pop": lambda notes: [notes.pop()],
    "join": lambda notes: ["".join(notes)],
    "map": lambda notes: list(map(str, notes)),
    "json": lambda notes: json.loads(json.dumps(notes)),
    "repr": lambda notes: eval(repr(notes)),
    "min": lambda notes: [min(notes)],
    "enumerate": lambda notes: [each for _, each in enumerate(notes)],
    "match": match_only,
}


class TestTheException:
    """Is as before, but for its notes."""

    def test_text_and_arguments(self, oxisocket, new, refusing):
        import socket as stdlib

        def outcome(module):
            with module.socket() as client, pytest.raises(OSError) as raised:
                client.connect(refusing)
            error = raised.value
            return type(error), str(error), repr(error), error.args, error.errno, error.strerror, error.filename

        assert outcome(oxisocket) == outcome(stdlib)

    def test_it_has_nothing_but_notes(self, new, refusing):
        assert list(vars(failure(new().connect, refusing))) == ["__notes__"]

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_a_list_that_contains_itself_is_pickled(self, new, refusing, protocol):
        """As a list is; so the items come after the list."""
        error = failure(new().connect, refusing)
        error.__notes__.append(error.__notes__)
        notes = pickle.loads(pickle.dumps(error.__notes__, protocol))
        assert type(notes) is list
        assert notes[1] is notes
        assert notes[0] == error.__notes__[0]

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    @pytest.mark.parametrize("looked_at", [False, True])
    def test_pickling(self, new, refusing, protocol, looked_at):
        error = failure(new().connect, refusing)
        if looked_at:
            assert error.__notes__[0]
        pickled = pickle.dumps(error, protocol)
        assert b"oxisocket" not in pickled
        copied = pickle.loads(pickled)
        assert (type(copied), copied.args, str(copied)) == (type(error), error.args, str(error))
        assert type(copied.__notes__) is list
        assert type(copied.__notes__[0]) is str
        assert copied.__notes__ == error.__notes__

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
    def test_copying(self, new, refusing, copied):
        error = failure(new().connect, refusing)
        again = copied(error)
        assert again.args == error.args
        assert again.__notes__ == error.__notes__
        assert type(copied(error.__notes__)) is list

    def test_raised_again_it_has_no_further_note(self, new, refusing):
        error = failure(new().connect, refusing)
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                raise error
        assert len(error.__notes__) == 1

    def test_notes_can_be_added(self, new, refusing):
        for look in False, True:
            error = failure(new().connect, refusing)
            if look:
                assert error.__notes__
            error.add_note("more")
            assert [type(each) for each in error.__notes__] == [str, str]
            assert error.__notes__[1] == "more"

    def test_an_exception_group_keeps_them(self, new, refusing):
        group = ExceptionGroup("several", [failure(new().connect, refusing), ValueError()])
        matched, _ = group.split(OSError)
        assert matched.exceptions[0].__notes__[0].startswith("connecting to")


class TestLaziness:
    def test_nothing_is_formatted_before_somebody_looks(self, new, refusing):
        error = failure(new().connect, refusing)
        notes = error.__notes__
        assert type(raw(notes)).__name__ == "Note"
        assert len(notes) == 1
        assert type(raw(notes)).__name__ == "Note"
        assert type(notes[0]) is str
        assert type(raw(notes)) is str

    @pytest.mark.parametrize("look", LOOKS)
    def test_whoever_looks_finds_strings(self, new, refusing, look):
        notes = failure(new().connect, refusing).__notes__
        found = LOOKS[look](notes)
        assert [type(each) for each in found] == [str]
        assert found[0].startswith("connecting to")

    def test_comparisons(self, new, refusing):
        def fresh():
            return failure(new().connect, refusing).__notes__

        notes = fresh()
        text = notes[0]
        assert notes == [text]
        assert [text] == notes
        assert fresh() != [text + "x"]
        assert ["receiving"] > fresh() > ["binding"]
        assert text in notes
        assert "x" not in fresh()
        assert notes.index(text) == 0
        assert notes.count(text) == 1
        assert bool(fresh())
        assert fresh() != 5
        with pytest.raises(TypeError):
            fresh() + 5
        with pytest.raises(TypeError):
            5 + fresh()
        with pytest.raises(TypeError):
            hash(fresh())
        with pytest.raises(IndexError):
            fresh()[1]

    def test_changes(self, new, refusing):
        notes = failure(new().connect, refusing).__notes__
        notes += ["a"]
        notes.append("b")
        notes.insert(0, "c")
        notes[0] = "d"
        assert [each[:1] for each in notes] == ["d", "c", "a", "b"]
        del notes[1:]
        assert notes == ["d"]
        notes.clear()
        assert not notes

    def test_a_note_itself_is_text_to_whoever_reads_memory(self, new, refusing):
        notes = failure(new().connect, refusing).__notes__
        single = raw(notes)
        assert str(single).startswith("connecting to")
        assert pickle.loads(pickle.dumps(single)) == str(single) == notes[0]
        with pytest.raises(TypeError):
            type(single)()

    def test_the_text_is_what_was_true_at_the_failure(self, new, refusing):
        client = new()
        client.bind(("127.0.0.1", 0))
        own = client.getsockname()
        error = failure(client.connect, refusing)
        client.close()
        time.sleep(0.02)
        text = error.__notes__[0]
        assert f"from {shown(own)}, " in text
        time.sleep(0.02)
        assert error.__notes__[0] == text


class TestReaders:
    """Who shows notes."""

    @pytest.fixture
    def error(self, new, refusing):
        return failure(new().connect, refusing)

    def test_traceback(self, error):
        first, second = traceback.format_exception_only(error)
        assert first.startswith("ConnectionRefusedError: ")
        assert second.startswith("connecting to ")

    def test_each_line_of_a_hint(self, new, listener):
        lines = traceback.format_exception_only(failure(new().bind, listener.getsockname()))
        assert [line.split()[0] for line in lines] == ["OSError:", "binding", shown(listener.getsockname())]

    def test_logging(self, error):
        stream = io.StringIO()
        logger = logging.getLogger("test of notes")
        handler = logging.StreamHandler(stream)
        logger.addHandler(handler)
        try:
            logger.error("failed", exc_info=error)
        finally:
            logger.removeHandler(handler)
        assert "\nconnecting to " in stream.getvalue()

    def test_pytest(self, new, refusing):
        with pytest.raises(ConnectionRefusedError, match=r"\nconnecting to "):
            new().connect(refusing)

    @pytest.mark.parametrize("hook", ["", "import sys; sys.excepthook = sys.__excepthook__; del sys.modules['traceback']\n"])
    def test_the_interpreter(self, program, refusing, hook):
        code = f"{hook}s = socket.socket()\ntry:\n    s.connect({refusing!r})\nfinally:\n    s.close()"
        _, errors = program("import traceback\n" + code).communicate()
        matches(rf"connecting to {shown(refusing)}.*", errors.splitlines()[-1])


class TestNothingIsKeptAlive:
    def test_the_socket(self, oxisocket, refusing):
        client = oxisocket.socket()
        notes = failure(client.connect, refusing).__notes__
        client.close()
        gone = weakref.ref(client)
        del client
        gc.collect()
        assert gone() is None
        assert notes[0]

    def test_frames(self, oxisocket, refusing):
        class Local:
            pass

        def fail():
            local = Local()
            with oxisocket.socket() as client:
                client.bind(("127.0.0.1", 0))
                return failure(client.connect, refusing).__notes__, weakref.ref(local)

        notes, local = fail()
        gc.collect()
        assert local() is None
        assert notes[0]

    def test_no_cycle(self, oxisocket, refusing):
        """Without the collector, an exception that is dropped is gone at once, with its notes."""
        gc.collect()
        gc.disable()
        try:
            before = open_numbers()
            for _ in range(10):
                with contextlib.suppress(ConnectionRefusedError):
                    oxisocket.create_connection(refusing)
            assert open_numbers() == before
        finally:
            gc.enable()

    def test_the_code_that_has_bound_a_socket(self, oxisocket):
        names = {"socket": oxisocket}
        exec(compile("def bind(s): s.bind(('127.0.0.1', 0))", "<code>", "exec"), names)
        bind = names.pop("bind")
        code = weakref.ref(bind.__code__)
        s = oxisocket.socket()
        bind(s)
        del bind
        gc.collect()
        assert code() is not None
        s.close()
        gc.collect()
        assert code() is None


class TestSwitches:
    @pytest.fixture(autouse=True)
    def restored(self, oxisocket):
        before = oxisocket._socket._switch_notes(True)
        yield
        oxisocket._socket._switch_notes(before)

    @pytest.fixture
    def has_note(self, new, refusing):
        return lambda: hasattr(failure(new().connect, refusing), "__notes__")

    def test_install(self, oxisocket, has_note):
        try:
            oxisocket.install(notes=False)
            assert not has_note()
            oxisocket.install()
            assert not has_note()
            oxisocket.install(notes=True)
            assert has_note()
            oxisocket.install(notes=False)
        finally:
            oxisocket.uninstall()
        assert has_note()

    def test_uninstall_restores_what_was_before(self, oxisocket, has_note):
        oxisocket._socket._switch_notes(False)
        try:
            oxisocket.install(notes=True)
            assert has_note()
        finally:
            oxisocket.uninstall()
        assert not has_note()
        try:
            oxisocket.install()
            assert not has_note()
        finally:
            oxisocket.uninstall()

    def test_installed(self, oxisocket, has_note):
        with oxisocket.installed(notes=False):
            assert not has_note()
            with oxisocket.installed(notes=True):
                assert has_note()
            assert not has_note()
            with oxisocket.installed():
                assert not has_note()
        assert has_note()

    def test_everything_is_off(self, oxisocket, new, tcp_pair, refusing, listener):
        oxisocket._socket._switch_notes(False)
        tcp_pair[0].settimeout(0.01)
        calls = (
            lambda: new().connect(refusing),
            lambda: new().bind(listener.getsockname()),
            lambda: tcp_pair[0].recv(1),
            lambda: oxisocket.getaddrinfo(UNKNOWN, 80),
            lambda: oxisocket.create_connection(refusing),
            lambda: oxisocket.create_server(listener.getsockname()),
        )
        for call in calls:
            assert not hasattr(failure(call), "__notes__")

    def test_sockets_that_were_bound_before_are_known(self, oxisocket, new, listener):
        oxisocket._socket._switch_notes(False)
        unknown = new()
        unknown.bind(("127.0.0.1", 0))
        oxisocket._socket._switch_notes(True)
        assert "is taken by" in note(new().bind, listener.getsockname())
        assert "is taken by" not in note(new().bind, unknown.getsockname())

    CODE = """
s = socket.socket()
try:
    s.connect("/nowhere" if s.family == 1 else ("127.0.0.1", 1))
except OSError as error:
    print(getattr(error, "__notes__", []) != [])
s.close()
"""

    @pytest.mark.parametrize(("value", "expected"), [("0", False), ("1", True), ("", True), (None, True)])
    def test_the_environment(self, run, with_parts, value, expected):
        environment = {**with_parts} if value is None else {**with_parts, "OXISOCKET_NOTES": value}
        assert run(self.CODE, env=environment) == f"{expected}\n"

    @pytest.mark.parametrize(("value", "expected"), [("0", False), ("1", True)])
    def test_the_environment_of_a_program(self, oxisocket, value, expected):
        command = [sys.executable, "-P", "-m", "oxisocket", "-c", "import socket\n" + self.CODE]
        environment = {**os.environ, "OXISOCKET_NOTES": value}
        assert subprocess.check_output(command, env=environment, text=True, timeout=HANG_TIMEOUT) == f"{expected}\n"


def test_threads(oxisocket, new, refusing):
    """Errors are made and read, and sockets bound, in many threads at once."""
    wrong = []

    def fail():
        for _ in range(200):
            with oxisocket.socket() as client:
                client.bind(("127.0.0.1", 0))
                error = failure(client.connect, refusing)
                if not error.__notes__[0].startswith("connecting to "):
                    wrong.append(error)

    threads = [threading.Thread(target=fail) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong


def test_threads_that_look_at_one_list(new, refusing):
    errors = [failure(new().connect, refusing) for _ in range(50)]
    barrier = threading.Barrier(4)
    found = []

    def look():
        barrier.wait()
        found.append([error.__notes__[0] for error in errors])

    threads = [threading.Thread(target=look) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert all(each == found[0] for each in found)
