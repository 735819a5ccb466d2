"""Libraries that put their own objects into `socket` or into `sys.modules`. With oxisocket installed before or after them, a program that
uses them must do the same as without oxisocket."""

import functools
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMPANIONS = Path(__file__).with_name("companions")

# For each program: the modules it needs, the orders of installation, and the names that are kept when oxisocket is installed last.
CASES = {
    "gevent_green": (["gevent"], ["first", "between", "last"], {"socket.socket", "socket.SocketType", "socket.getaddrinfo"}),
    "eventlet_green": (["eventlet"], ["first", "between", "last"], {"socket.socket", "socket.getaddrinfo"}),
    "socks_proxy": (["socks", "requests"], ["first", "between", "last"], {"socket.socket"}),
    "guarded": (["pytest_socket"], ["first", "between", "last"], {"socket.socket", "socket.getaddrinfo"}),
    "vcr_cassette": (["vcr", "requests"], ["first", "between", "last"], set()),
    "cffi_loaded": (["nacl"], ["first", "last"], set()),
}
ORDERS = [(program, order) for program, (_, orders, _) in CASES.items() for order in orders]


@functools.cache
def run(program, order, *arguments):
    """Run a program to its end; return the lines that it printed, and what install() found."""
    command = [sys.executable, "-W", "error", str(COMPANIONS / f"{program}.py"), order, *arguments]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHON_COLORS": "0", "PYTHONUTF8": "1"}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50, check=False, env=environment
    )
    assert done.stderr == ""
    assert done.returncode == 0
    *lines, found = done.stdout.splitlines()
    return lines, json.loads(found)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("program", "order"), ORDERS)
def test_does_the_same(program, order, certificate):
    modules, _, patched = CASES[program]
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed (`make ecosystem` does that where it can be had for this Python)")
    expected, nothing = run(program, "never", certificate)
    assert expected and nothing is None
    lines, found = run(program, order, certificate)
    assert lines == expected
    if order == "last":
        assert patched <= set(found["kept"]) and found["class"] is (not patched)
    else:
        assert found["kept"] == [] and found["class"]
