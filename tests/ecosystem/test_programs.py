"""Real programs: each runs on the stdlib, by `python -m oxisocket`, and with oxisocket installed late, and must do the same each time."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("programs")
ROUNDS = 5  # of a measurement; the fastest one counts, since other work of the machine only makes a round slower

LATE = """
import asyncio, http.client, http.server, runpy, selectors, socket, socketserver, ssl, sys, urllib.request
import oxisocket
assert not oxisocket.install().native_ssl
sys.path[0:0] = [sys.argv[1].rpartition("/")[0]]
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
WAYS = {"stdlib": [], "oxisocket": ["-m", "oxisocket"], "late": ["-c", LATE]}

# For each title in the documentation: the program with its arguments (one may be the name of a fixture), and the packages it needs.
CASES = {
    "http.server, urllib": ("urllib_client",),
    "http.server, requests": ("requests_client", "requests"),
    "asyncio streams": ("asyncio_echo",),
    "asyncio streams, used heap": ("asyncio_echo used-heap",),
    "asyncio streams, TLS": ("asyncio_echo certificate",),
    "asyncio, other calls": ("asyncio_calls",),
    "uvloop": ("asyncio_calls uvloop", "uvloop"),
    "socketserver, threads": ("socketserver_echo threads",),
    "socketserver, processes": ("socketserver_echo processes",),
    "ssl on threads": ("tls_echo certificate",),
    "redis": ("redis_client redis", "redis"),
    "pg8000": ("pg8000_client postgresql", "pg8000"),
    "aiohttp": ("aiohttp_both", "aiohttp"),
    "websocket-client": ("websocket_client", "websocket"),
    "dnspython": ("dnspython_query", "dns"),
    "paramiko": ("paramiko_both", "paramiko"),
}
FIXTURES = ("certificate", "redis", "postgresql")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", CASES)
def test_does_the_same(name, request, times, tmp_path):
    command, *packages = CASES[name]
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed (`make ecosystem` does that)")
    script, *arguments = command.split()
    arguments = [request.getfixturevalue(word) if word in FIXTURES else word for word in arguments]

    def run(way):
        return run_program([*WAYS[way], str(PROGRAMS / f"{script}.py"), *arguments], tmp_path)

    expected, measured = run("stdlib")
    assert expected and measured["socket"] == "socket"
    seconds = {"stdlib": [], "oxisocket": []}
    for way in "oxisocket", "late":
        output, measured = run(way)
        assert output == expected, way
        assert measured["socket"] == "oxisocket"
    if times is not None:
        for _ in range(ROUNDS):
            for way, taken in seconds.items():
                taken.append(run(way)[1]["seconds"])
        times[name] = {way: min(taken) for way, taken in seconds.items()}


def run_program(arguments, folder):
    """Run a program to its end, without errors or warnings; return the lines that it printed, and the time of its stopwatch."""
    command = [sys.executable, "-W", "error", *arguments]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHON_COLORS": "0", "PYTHONUTF8": "1"}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50, check=False, cwd=folder, env=environment
    )
    assert done.stderr == ""
    assert done.returncode == 0
    *lines, last = done.stdout.splitlines()
    return lines, json.loads(last)
