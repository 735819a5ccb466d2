"""A descriptor that is handed over by its number to a class whose `__init__` raises: who has it then? Nobody loses it, and nobody
closes it twice, when the number may be a stranger's."""

from __future__ import annotations

import gc
import os
from unittest import mock

import pytest

MAKING = {
    "dup": lambda m, s: s.dup(),
    "accept": lambda m, s: s.accept(),
    "fromfd": lambda m, s: m.fromfd(s.fileno(), m.AF_INET, m.SOCK_STREAM),
    "socketpair": lambda m, s: m.socketpair(),
}


def failing(oxisocket, how, stranger):
    class Failing(oxisocket.socket):
        is_armed = False

        def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
            if not (self.is_armed and fileno is not None):
                super().__init__(family, type, proto, fileno)
                return
            how(self, (family, type, proto, fileno), super().__init__, stranger)
            raise ZeroDivisionError

    return Failing


def before(sock, arguments, init, stranger):
    pass


def after(sock, arguments, init, stranger):
    init(*arguments)


def closed(sock, arguments, init, stranger):
    init(*arguments)
    sock.close()


def closed_and_taken(sock, arguments, init, stranger):
    init(*arguments)
    sock.close()
    os.dup2(stranger, arguments[3])


def number_closed(sock, arguments, init, stranger):
    os.close(arguments[3])


def number_taken(sock, arguments, init, stranger):
    os.dup2(stranger, arguments[3])


def detached(sock, arguments, init, stranger):
    init(*arguments)
    sock.detach()


HOW = (before, after, closed, closed_and_taken, number_closed, number_taken, detached)
# Whose numbers stay open: the stranger's, and what the class keeps for itself.
KEEPING = (closed_and_taken, number_taken, detached)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("make", MAKING)
@pytest.mark.parametrize("how", HOW, ids=lambda how: how.__name__)
def test_nothing_is_lost_and_no_stranger_closed(oxisocket, keep, open_files, how, make):
    with open(os.devnull) as null:
        cls = failing(oxisocket, how, null.fileno())
        s = keep(cls())
        s.bind(("127.0.0.1", 0))
        s.listen()
        keep(oxisocket.create_connection(s.getsockname()))
        open_before = open_files()
        cls.is_armed = True
        with mock.patch.object(oxisocket, "socket", cls), pytest.raises(ZeroDivisionError):
            MAKING[make](oxisocket, s)
        gc.collect()
        kept = open_files() - open_before
        for number in kept:
            os.close(number)
        assert len(kept) == (how in KEEPING)
        assert open_files() == open_before


def test_arguments_that_are_refused_lose_nothing(oxisocket, keep, open_files):
    s = keep(oxisocket.socket())
    open_before = open_files()
    with pytest.raises(TypeError):
        oxisocket.fromfd(s.fileno(), "AF_INET", oxisocket.SOCK_STREAM)
    assert open_files() == open_before
