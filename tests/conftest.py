"""The fixtures that all tests share: the module under test, sockets that are closed after the test, calls in other threads,
programs in other interpreters, and the outcome of a call in a form that can be compared."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

# Modules that tests share. The programs that tests start import some of them too.
sys.path.insert(0, str(Path(__file__).with_name("parts")))
from descriptors import open_numbers
from waiting import HANG_TIMEOUT, wait_until_blocked

# A shell that runs the tests in the background makes them ignore SIGINT, and so the programs that they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# The path of a UNIX socket has at most 107 bytes, and pytest's folders take up to 80 of them; multiprocessing makes such paths too.
if len(os.fsencode(tempfile.gettempdir())) > 24 and os.access("/tmp", os.W_OK | os.X_OK):
    os.environ["TMPDIR"] = tempfile.tempdir = "/tmp"


def load(name: str) -> ModuleType:
    """The implementation called `name`. A missing oxisocket is an error, except in a run for the stdlib only."""
    if name == "stdlib":
        return importlib.import_module("socket")
    if os.environ.get("OXISOCKET_TESTS") == "stdlib-only":
        pytest.skip("OXISOCKET_TESTS=stdlib-only")
    return importlib.import_module("oxisocket")


@pytest.fixture(params=["stdlib", "oxisocket"])
def socket(request: pytest.FixtureRequest) -> ModuleType:
    """The module under test. A test with this fixture runs on the stdlib, which defines what is expected, and on oxisocket."""
    return load(request.param)


@pytest.fixture
def oxisocket() -> ModuleType:
    """oxisocket, for the few tests of what only oxisocket promises."""
    return load("oxisocket")


@pytest.fixture
def ours(socket: ModuleType) -> bool:
    """Whether the module under test is oxisocket: for a test of an intended difference, which checks both behaviours. Its mark `holds`
    quotes the beginnings of the sentences that describe the difference to users."""
    return socket.__name__ == "oxisocket"


@pytest.fixture(autouse=True)
def watched(request: pytest.FixtureRequest) -> Iterator[None]:
    """With OXISOCKET_TRACE=1, each test runs while a trace and a callback watch: its outcome must be the same. (Not the tests of traces
    themselves, which expect to be alone: their modules set `WATCHES`.)"""
    if not os.environ.get("OXISOCKET_TRACE") or hasattr(request.module, "WATCHES"):
        yield
        return
    oxisocket = load("oxisocket")
    with tempfile.TemporaryDirectory() as folder:
        with oxisocket.trace(Path(folder, "record.jsonl"), callers=True), oxisocket.observe(lambda event: None, bytes=1000):
            yield


@pytest.fixture
def both() -> tuple[ModuleType, ModuleType]:
    """The stdlib and oxisocket, for tests that make the same call on each and compare. A run for the stdlib only compares the stdlib with
    itself, which shows that the outcomes do not vary from call to call."""
    only_stdlib = os.environ.get("OXISOCKET_TESTS") == "stdlib-only"
    return load("stdlib"), load("stdlib" if only_stdlib else "oxisocket")


@pytest.fixture
def keep() -> Iterator[Callable[[Any], Any]]:
    """`keep(thing)` returns `thing` and closes it after the test."""
    with contextlib.ExitStack() as stack:

        def keep(thing: Any) -> Any:
            stack.callback(thing.close)
            return thing

        yield keep


def connect_tcp(socket: ModuleType, keep: Callable[[Any], Any], host: str = "127.0.0.1") -> tuple[Any, Any]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.bind((host, 0))
        listening.listen()
        client = keep(socket.socket(family, socket.SOCK_STREAM))
        client.connect(listening.getsockname())
        return client, keep(listening.accept()[0])


@pytest.fixture
def listener(socket: ModuleType, keep: Callable[[Any], Any]) -> Any:
    """A TCP socket that listens on a free port of 127.0.0.1."""
    listening = keep(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    return listening


@pytest.fixture
def tcp_pair(socket: ModuleType, keep: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Two connected TCP sockets: the client and the accepted one."""
    return connect_tcp(socket, keep)


@pytest.fixture
def udp_pair(socket: ModuleType, keep: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Two UDP sockets, bound to free ports of 127.0.0.1 and not connected."""
    pair = tuple(keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2))
    for each in pair:
        each.bind(("127.0.0.1", 0))
    return pair


@pytest.fixture
def unix_pair(socket: ModuleType, keep: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Two connected UNIX stream sockets without a path."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return keep(left), keep(right)


@pytest.fixture
def open_files() -> Callable[[], set[int]]:
    """The numbers of the descriptors that are open in this process."""
    return open_numbers


class Call(threading.Thread):
    """One call in its own thread."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        super().__init__(daemon=True)
        self._call = lambda: function(*args)
        self._value: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:
            self._error = error

    def result(self) -> Any:
        self.join(HANG_TIMEOUT)
        assert not self.is_alive(), "the call hangs"
        if self._error is not None:
            raise self._error
        return self._value

    def until_blocked(self) -> Call:
        """Wait until the thread is blocked in a system call, other than by waiting for the GIL."""
        assert wait_until_blocked(f"/proc/self/task/{self.native_id}/syscall", self.is_alive), (
            f"the call ended instead of blocking: {self._error or self._value!r}"
        )
        return self


def wait_until_process_blocked(process: subprocess.Popen[str]) -> None:
    assert wait_until_blocked(f"/proc/{process.pid}/syscall", lambda: process.poll() is None), "the program ended"


@pytest.fixture
def until_blocked() -> Callable[[subprocess.Popen[str]], None]:
    """`until_blocked(process)` waits until the main thread of a process is blocked in a system call."""
    return wait_until_process_blocked


class Program(subprocess.Popen[str]):
    """Another interpreter, with pipes for its standard input and output."""

    def until_blocked(self) -> Program:
        """Wait until its main thread is blocked in a system call."""
        wait_until_process_blocked(self)
        return self


@pytest.fixture
def start() -> Iterator[Callable[..., Call]]:
    """`start(function, *args)` makes the call in a thread, which is joined at the end of the test."""
    calls: list[Call] = []

    def start(function: Callable[..., Any], *args: Any) -> Call:
        calls.append(Call(function, *args))
        return calls[-1]

    yield start
    for call in calls:
        call.join(HANG_TIMEOUT)
    assert not any(call.is_alive() for call in calls), "a thread did not end"


@pytest.fixture
def with_parts() -> dict[str, str]:
    """The environment for a program that imports shared modules: `from waiting import fill`."""
    parts = str(Path(__file__).with_name("parts"))
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [parts, os.environ.get("PYTHONPATH")]))}


@pytest.fixture
def program(socket: ModuleType, with_parts: dict[str, str]) -> Iterator[Callable[..., Program]]:
    """`program(code, *args)` starts an interpreter in which `socket` is the module under test."""
    with contextlib.ExitStack() as stack:

        def program(code: str, *args: str, **options: Any) -> Program:
            command = [
                sys.executable,
                "-P",
                "-W",
                "error",
                "-c",
                f"import {socket.__name__} as socket\n{code}",
                *args,
            ]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            process = stack.enter_context(Program(command, text=True, **{"env": with_parts, **pipes, **options}))
            stack.callback(process.kill)
            return process

        yield program


@pytest.fixture
def collected() -> Iterator[None]:
    """Collects garbage after the test: for objects of the stdlib whose finalizer raises an unraisable error."""
    yield
    gc.collect()


@pytest.fixture
def run(program: Callable[..., Program]) -> Callable[..., str]:
    """`run(code, *args)` runs a program to its end and returns what it printed. Its status must be 0, and its standard error empty."""

    def run(code: str, *args: str, **options: Any) -> str:
        process = program(code, *args, **options)
        output, errors = process.communicate(timeout=HANG_TIMEOUT)
        assert (process.returncode, errors) == (0, "")
        return output

    return run


def describe(value: Any) -> Any:
    """What two implementations must agree on in a result: its type, and its value unless that belongs to one socket."""
    if hasattr(value, "close") and hasattr(value, "fileno"):
        value.close()
        return "something open"
    if isinstance(value, tuple):
        return tuple(describe(each) for each in value)
    if value is None or isinstance(value, bool | float | str | bytes):
        return value
    return type(value).__name__


def outcome_of(function: Callable[..., Any], *args: Any, **keywords: Any) -> tuple[Any, ...]:
    try:
        return ("returned", describe(function(*args, **keywords)))
    except Exception as error:
        return ("raised", type(error), getattr(error, "errno", None), str(error))


@pytest.fixture
def outcome() -> Callable[..., tuple[Any, ...]]:
    """`outcome(function, *args, **keywords)` makes the call and returns its outcome, for a comparison with another one."""
    return outcome_of


@pytest.fixture
def agree(both: tuple[ModuleType, ModuleType]) -> Callable[[Callable[[ModuleType], Any]], Any]:
    """`agree(act)` calls `act` with the stdlib and with oxisocket, and returns what both returned."""

    def agree(act: Callable[[ModuleType], Any]) -> Any:
        expected, actual = (act(module) for module in both)
        assert actual == expected
        return expected

    return agree
