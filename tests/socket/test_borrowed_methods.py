"""Methods that other classes take from `socket.socket`. In the standard library they are Python functions, which work on any object
that has the attributes."""

from __future__ import annotations

import io

import pytest


class Wrapped:
    """What a library, such as one for TLS, puts around a socket: it has the attributes that file objects use."""

    def __init__(self, inner):
        self.inner, self._io_refs, self._closed = inner, 0, False

    def fileno(self):
        return self.inner.fileno()

    def recv_into(self, buffer):
        return self.inner.recv_into(buffer)

    def send(self, data):
        return self.inner.send(data)

    def close(self):
        self._closed = True
        if self._io_refs < 1:
            self.inner.close()


@pytest.fixture
def wrapped(socket, keep):
    """An object around one end of a pair, whose class has taken the methods; and the other end."""
    names = ("makefile", "_decref_socketios", "__enter__", "__exit__")
    taken = type("Taken", (Wrapped,), {name: vars(socket.socket)[name] for name in names})
    one, other = socket.socketpair()
    return taken(keep(one)), keep(other)


@pytest.mark.parametrize(("mode", "buffering"), [("rb", 0), ("rb", None), ("r", None), ("rwb", None)])
def test_a_file_reads_through_the_attributes(wrapped, mode, buffering):
    ours, other = wrapped
    other.sendall(b"hello\n")
    with ours.makefile(mode, buffering) as file:
        assert ours._io_refs == 1
        assert file.readline() in (b"hello\n", "hello\n")
    assert ours._io_refs == 0


def test_a_file_writes_through_the_attributes(wrapped):
    ours, other = wrapped
    with ours.makefile("w") as file:
        file.write("hello")
    assert other.recv(10) == b"hello"


def test_the_last_file_closes_it(wrapped):
    ours, _ = wrapped
    file = ours.makefile("rb")
    ours.close()
    assert ours.fileno() != -1
    file.close()
    assert ours.fileno() == -1


def test_the_with_statement_closes_once(wrapped):
    ours, _ = wrapped
    with ours as entered:
        assert entered is ours
    assert ours.fileno() == -1
    ours.close = lambda: pytest.fail("closed again")
    ours.__exit__(None, None, None)


@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # from the file object that exists by then
@pytest.mark.parametrize("call", ["makefile", "_decref_socketios", "__exit__"])
def test_an_error_names_the_missing_attribute(agree, outcome, call):
    def called(socket):
        # The text names the missing attribute; makefile checks the mode before.
        return type(outcome(lambda: getattr(socket.socket, call)(object()))).__name__

    agree(called)


def test_wrong_arguments_are_refused_as_on_a_socket(wrapped):
    ours, _ = wrapped
    with pytest.raises(ValueError, match=r"invalid mode 'x'"):
        ours.makefile("x")
    with pytest.raises(TypeError):
        ours.makefile(1, 2, 3)
    assert ours._io_refs == 0


def test_sockets_are_unchanged(socket, keep):
    one, other = map(keep, socket.socketpair())
    with one.makefile("rb") as file:
        assert isinstance(file, io.BufferedReader)
        assert one._io_refs == 1
    with other as entered:
        assert entered is other
    assert other.fileno() == -1
