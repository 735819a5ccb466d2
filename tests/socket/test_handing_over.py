"""A descriptor is handed over by its number to a class whose `__init__` raises. Depending on how far `__init__` came, either side owns
the descriptor: it must neither leak nor be closed twice, since its number may belong to another file by then."""

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


def failing(oxisocket, how, other_file):
    class Failing(oxisocket.socket):
        is_armed = False

        def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
            if not (self.is_armed and fileno is not None):
                super().__init__(family, type, proto, fileno)
                return
            how(self, (family, type, proto, fileno), super().__init__, other_file)
            raise ZeroDivisionError

    return Failing


def before(sock, arguments, init, other_file):
    pass


def after(sock, arguments, init, other_file):
    init(*arguments)


def closed(sock, arguments, init, other_file):
    init(*arguments)
    sock.close()


def closed_and_reused(sock, arguments, init, other_file):
    init(*arguments)
    sock.close()
    os.dup2(other_file, arguments[3])


def number_closed(sock, arguments, init, other_file):
    os.close(arguments[3])


def number_reused(sock, arguments, init, other_file):
    os.dup2(other_file, arguments[3])


def detached(sock, arguments, init, other_file):
    init(*arguments)
    sock.detach()


HOW = (before, after, closed, closed_and_reused, number_closed, number_reused, detached)
# In these cases a number stays open: it belongs to another file, or the class has detached it.
KEEPING = (closed_and_reused, number_reused, detached)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("make", MAKING)
@pytest.mark.parametrize("how", HOW, ids=lambda how: how.__name__)
def test_no_leak_and_no_other_file_is_closed(oxisocket, keep, open_files, how, make):
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


def test_no_leak_when_arguments_are_refused(oxisocket, keep, open_files):
    s = keep(oxisocket.socket())
    open_before = open_files()
    with pytest.raises(TypeError):
        oxisocket.fromfd(s.fileno(), "AF_INET", oxisocket.SOCK_STREAM)
    assert open_files() == open_before
