"""Subinterpreters: oxisocket refuses to be imported outside of the main interpreter, and the stdlib's socket works there as usual."""

from __future__ import annotations

import subprocess
import sys

import pytest

RUN = """
import os, sys

def run(code, kind):
    '''Run code in a new interpreter of the given kind, by the API of this version, and return how it ended.'''
    if sys.version_info >= (3, 13):
        import _interpreters
        interpreter = _interpreters.create(kind)
        try:
            error = _interpreters.exec(interpreter, code)
        finally:
            _interpreters.destroy(interpreter)
        return error and f"{error.type.__name__}: {error.msg}"
    import _xxsubinterpreters
    interpreter = _xxsubinterpreters.create(isolated=kind == "isolated")
    try:
        _xxsubinterpreters.run_string(interpreter, code)
    except _xxsubinterpreters.RunFailedError as error:
        return str(error).replace("<class '", "").replace("'>", "")
    finally:
        _xxsubinterpreters.destroy(interpreter)

def talk():
    import oxisocket
    left, right = oxisocket.socketpair()
    with left, right, oxisocket.create_server(("127.0.0.1", 0)) as listening:
        left.sendall(b"x")
        assert right.recv(1) == b"x"
        with oxisocket.create_connection(listening.getsockname()) as client, listening.accept()[0] as far:
            client.sendall(b"y")
            assert far.makefile("rb").read(1) == b"y"
"""


@pytest.fixture(params=["isolated", "legacy"])
def interpreters(request):
    """Runs a program that can create subinterpreters of one kind."""

    def run(code):
        program = RUN + code.replace("KIND", repr(request.param))
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=50, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


REFUSED = """
refused = run("import oxisocket", KIND)
assert refused and refused.startswith("ImportError: ") and "subinterpreters" in refused, refused
"""


@pytest.mark.holds("Subinterpreters cannot import `oxisocket`")
def test_a_subinterpreter_is_refused(interpreters):
    assert interpreters("talk()\n" + REFUSED + REFUSED + "talk()\n") == ""


def test_a_subinterpreter_that_imports_first_is_refused_too(interpreters):
    """And the main interpreter can import it afterwards."""
    assert interpreters(REFUSED + "talk()\n" + REFUSED + "talk()\n") == ""


def test_the_stdlibs_socket_works(interpreters):
    assert (
        interpreters("""
talk()
code = '''
import socket
left, right = socket.socketpair()
left.sendall(b"x")
assert right.recv(1) == b"x"
left.close()
right.close()
'''
assert run(code, KIND) is None
talk()
""")
        == ""
    )


def test_the_main_interpreter_on_oxisocket_has_others_on_the_stdlib(interpreters):
    assert (
        interpreters("""
import oxisocket
oxisocket.install()
import socket
assert socket.socket is oxisocket.socket
assert run("import socket, sys; assert 'oxisocket' not in sys.modules; socket.socket().close()", KIND) is None
talk()
""")
        == ""
    )
