"""What `make refleaks` does for a thousand calls under a debug interpreter: the runner finds a leak, and says what is missing."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def refleaks(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = importlib.util.spec_from_file_location("refleaks_program", HERE / "refleaks" / "__main__.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


def test_a_leak_is_found(refleaks):
    kept = []

    def operation(env):
        yield kept.append, (object(),)

    made, leak = refleaks.look_for_leaks(operation, None, 100)
    assert made == 30 + 100 * refleaks.WINDOWS
    assert leak is not None


def test_a_leaked_descriptor_is_found(refleaks):
    kept = []

    def operation(env):
        kept.append((yield os.dup, (0,)))

    try:
        assert "10 descriptors" in refleaks.look_for_leaks(operation, None, 10)[1]
    finally:
        for number in kept:
            os.close(number)


def test_a_call_that_fails_and_one_that_succeeds_do_not_leak(refleaks, oxisocket):
    left, right = oxisocket.socketpair()
    left.setblocking(False)

    def operation(env):
        yield left.recv, (10,)

    with left, right:
        assert refleaks.look_for_leaks(operation, None, 100)[1] is None


def test_it_is_said_which_packages_are_missing(tmp_path):
    """On a machine without a debug interpreter, and without a way to bring one."""
    code = (
        f"import sys; sys.path.insert(0, {str(HERE / 'pythons')!r}); import debug, pathlib\n"
        "debug.UNPACKED = pathlib.Path('nowhere'); debug._debians = lambda: None; print(debug.python())"
    )
    environment = os.environ | {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("skipped: ") and "\nNext: on Debian: apt-get install python3." in done.stdout
    assert done.stdout.endswith("None\n")


def test_only_the_wanted_version_is_brought():
    """Debian has one version; another that PYTHONS names does not replace what is there."""
    code = (
        f"import sys; sys.path.insert(0, {str(HERE / 'pythons')!r}); import debug, pathlib\n"
        "debug.UNPACKED = pathlib.Path('nowhere'); debug._debians = lambda: '3.11'; debug._unpack = exit\n"
        "debug._installed = lambda: (); print(debug.python())"
    )
    environment = os.environ | {"PYTHONS": "3.99"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "pyenv install --debug 3.99" in done.stdout


def test_what_the_interpreters_own_tests_leak_is_read(refleaks):
    output = (
        "beginning 6 repetitions\n123456\n......\n"
        "test_socket leaked [2, 2, 2] references, sum=6\ntest_socket leaked [1, 1, 1] file descriptors, sum=3\n"
        "test_socket failed (reference leak)\n"
    )
    assert refleaks.leaks(output) == {("test_socket", "references"), ("test_socket", "file descriptors")}
    assert refleaks.leaks("beginning 6 repetitions\n123456\n......\nResult: SUCCESS\n") == set()
