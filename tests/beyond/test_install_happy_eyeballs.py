"""`install(happy_eyeballs=True)`: whatever calls `create_connection` and does not say otherwise gets Happy Eyeballs."""

from __future__ import annotations

import pytest
from marks import only_oxisocket

pytestmark = only_oxisocket

# `delay()` is the delay that a call of `create_connection` uses, None if it tries one address after another.
CODE = """
from oxisocket._beyond import connection
oxisocket = socket
real = connection.Race

class Seen(Exception):
    pass

def seen(*arguments, delay, **others):
    raise Seen(delay)

def delay(**arguments):
    with oxisocket.create_server(("127.0.0.1", 0)) as listening:
        info = (oxisocket.AF_INET, oxisocket.SOCK_STREAM, 6, "", listening.getsockname())
        before = oxisocket.getaddrinfo
        oxisocket.getaddrinfo = lambda *_: [info] * 2
        connection.Race = seen
        try:
            oxisocket.create_connection(("name", 1), **arguments).close()
        except Seen as error:
            return error.args[0]
        finally:
            connection.Race = real
            oxisocket.getaddrinfo = before
"""


@pytest.fixture
def holds(run):
    """Runs a program in which `delay` and `oxisocket` are defined."""
    return lambda code: run(CODE + code)


def test_install_and_uninstall(holds):
    holds("""
assert delay() is None
assert oxisocket.install().happy_eyeballs is False and delay() is None
assert oxisocket.install(happy_eyeballs=True).happy_eyeballs is True and delay() == 0.25
assert oxisocket.install().happy_eyeballs is True and delay() == 0.25
assert oxisocket.install() is oxisocket.install()
assert oxisocket.install(happy_eyeballs=False).happy_eyeballs is False and delay() is None
oxisocket.install(happy_eyeballs=True)
oxisocket.uninstall()
assert delay() is None
assert oxisocket.install().happy_eyeballs is False
""")


def test_a_call_may_say_otherwise(holds):
    holds("""
oxisocket.install(happy_eyeballs=True)
assert delay(total_timeout=60) == 0.25
assert delay(happy_eyeballs_delay=1) == 1
assert delay(interleave=0) is None
assert delay(interleave=1) is None
""")


def test_installed(holds):
    holds("""
with oxisocket.installed(happy_eyeballs=True) as found:
    assert found.happy_eyeballs and delay() == 0.25
    with oxisocket.installed(happy_eyeballs=False) as inner:
        assert not inner.happy_eyeballs and delay() is None
    with oxisocket.installed() as inner:
        assert inner.happy_eyeballs and delay() == 0.25
    assert delay() == 0.25
assert delay() is None
oxisocket.install()
with oxisocket.installed(happy_eyeballs=True):
    assert delay() == 0.25
assert delay() is None
assert not oxisocket.install().happy_eyeballs
""")


def test_the_standard_library_s_module_gets_no_name(holds):
    holds("""
import socket as original
before = dict(vars(original))
oxisocket.install(happy_eyeballs=True)
assert "_happy_eyeballs_delay" not in vars(original)
assert original.create_connection is oxisocket.create_connection
oxisocket.uninstall()
assert vars(original) == before
""")


def test_modules_of_the_standard_library_use_it(run):
    """Their connection would hang, if the second address had to wait for the first one."""
    run("""
import http.client
from waiting import fill_backlog
full, good, others = socket.create_server(("127.0.0.1", 0), backlog=0), socket.create_server(("127.0.0.1", 0)), []
fill_backlog(full, others.append)
with socket.installed(happy_eyeballs=True):
    socket.getaddrinfo = lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", each.getsockname()) for each in (full, good)]
    client = http.client.HTTPConnection("a.name")
    client.connect()
    assert client.sock.getpeername() == good.getsockname()
    assert client.sock.gettimeout() is None
    client.close()
for each in full, good, *others:
    each.close()
""")
