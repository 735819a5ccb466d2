"""What a scenario is made with: sockets, a program of steps in which calls fail, other threads, and streams whose bytes are counted."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import re
import select
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from shim import Shim

ARRIVAL = 10  # milliseconds in which what was sent over loopback has arrived
JOIN = 5  # seconds in which the other threads of a scenario have ended
DEFERRED_CLOSE = 2  # seconds in which a number is closed whose calls had to be interrupted

PORT = re.compile(r"(?<=127\.0\.0\.1', )\d+")  # in a text: it differs from run to run

SCENARIOS: dict[str, Callable[[Environment], None]] = {}
VARYING: set[str] = set()
WATCHED: set[str] = set()
ONLY_OURS: set[str] = set()


Scenario = Callable[["Environment"], None]


def scenario(*, varies: bool = False, watched: bool = False, only_ours: bool = False) -> Callable[[Scenario], Scenario]:
    """Add a function to the scenarios. `varies`: how many calls it makes, and what they bring, is a matter of time. `watched`: a trace makes
    calls of its own in ours. `only_ours`: the stdlib cannot run it."""

    def add(function: Scenario) -> Scenario:
        name = function.__name__
        SCENARIOS[name] = function
        if varies:
            VARYING.add(name)
        if watched:
            WATCHED.add(name)
        if only_ours:
            ONLY_OURS.add(name)
        return function

    return add


class Environment:
    """One run of a scenario."""

    def __init__(self, module: ModuleType, shim: Shim) -> None:
        self.socket, self.shim = module, shim
        self.ours = module.__name__ == "oxisocket"
        self.log: list[str] = []
        self.wrong: list[str] = []
        self._step = 0
        self._streams: list[Stream] = []
        self._threads: list[threading.Thread] = []
        self._sockets: list[Any] = []
        self._closing = contextlib.ExitStack()

    # What a program does

    @contextlib.contextmanager
    def program(self) -> Iterator[None]:
        """The program under test, which ends with its first error."""
        try:
            yield
            self.log.append("ended well")
        except BaseException as error:
            self.log.append(f"ended with {_described(error)}")
            _forget(error)

    def do(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """A step of the program: a call in which calls may fail."""
        self._step += 1
        number = self._step
        try:
            self.shim.enter(number)
            try:
                value = function(*arguments, **keywords)
            finally:
                self.shim.leave()
        except BaseException as error:
            self.log.append(f"{number}: {_described(error)}")
            raise
        self.log.append(f"{number}: {_described(value)}")
        return value

    def attempt(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """The same, in a program that goes on after an error; None then."""
        try:
            return self.do(function, *arguments, **keywords)
        except Exception as error:
            _forget(error)
            return None

    # What it is made of

    def keep(self, thing: Any) -> Any:
        """Close a thing at the end."""
        if thing is not None:
            self._closing.callback(_close, thing)
            if hasattr(thing, "getsockopt"):
                self._sockets.append(thing)
        return thing

    def temporary(self) -> Path:
        """A folder."""
        return Path(self._closing.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))

    def new(self, *arguments: Any, timeout: float | None = None) -> Any:
        """A socket."""
        made = self.keep(self.socket.socket(*arguments))
        made.settimeout(timeout)
        return made

    def pair(self, timeout: float | None = None, kind: int | None = None) -> tuple[Any, Any]:
        """Two connected UNIX sockets."""
        pair = self.socket.socketpair(self.socket.AF_UNIX, kind or self.socket.SOCK_STREAM)
        for each in pair:
            self.keep(each).settimeout(timeout)
        return pair

    def listener(self, timeout: float | None = None) -> Any:
        """A TCP socket that listens on a free port."""
        listening = self.new(timeout=timeout)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        return listening

    def tcp(self, timeout: float | None = None) -> tuple[Any, Any]:
        """Two connected TCP sockets."""
        listening = self.listener()
        client = self.new()
        client.connect(listening.getsockname())
        server = self.keep(listening.accept()[0])
        for each in client, server:
            each.settimeout(timeout)
        return client, server

    def udp(self, timeout: float | None = None) -> tuple[Any, Any]:
        """Two UDP sockets with addresses."""
        pair = tuple(self.new(self.socket.AF_INET, self.socket.SOCK_DGRAM, timeout=timeout) for _ in range(2))
        for each in pair:
            each.bind(("127.0.0.1", 0))
        return pair  # type: ignore[return-value]

    def stream(self, sender: Any, receiver: Any) -> Stream:
        """What goes from one socket to another; at the end it is checked."""
        self._streams.append(Stream(self, sender, receiver))
        return self._streams[-1]

    def thread(self, function: Callable[..., Any], *arguments: Any) -> threading.Thread:
        """Another thread, whose calls do not fail, and whose errors are those of a peer."""

        def run() -> None:
            with contextlib.suppress(OSError, ValueError):
                function(*arguments)

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def until_end(self, action: Callable[..., Any], *arguments: Any) -> None:
        """Do something at the end, before things are closed."""
        self._closing.callback(action, *arguments)

    def expect(self, what: str, found: object, expected: object) -> None:
        """Something that must hold, whatever failed."""
        if found != expected:
            self.wrong.append(f"{what}: {found!r}, not {expected!r}")

    # How it ends

    def finish(self) -> None:
        """Check what arrived, end the other threads and close everything."""
        for stream in self._streams:
            stream.check()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(self.socket.SHUT_RDWR)
        self._closing.close()
        for thread in self._threads:
            thread.join(JOIN)
            if thread.is_alive():
                self.wrong.append("a thread did not end")
        self._sockets.clear()
        self._streams.clear()
        gc.collect()


class Stream:
    """Bytes from one socket to another: none may be lost, and none invented."""

    def __init__(self, env: Environment, sender: Any, receiver: Any) -> None:
        self._env, self.sender, self.receiver = env, sender, receiver
        self.sent = bytearray()
        self.perhaps = b""  # what may have been sent, in part, by a call that failed
        self.received = bytearray()

    def send(self, data: bytes, *more: Any) -> int:
        """A step that sends what fits."""
        count = self._env.do(self.sender.send, data, *more)
        self.sent += data[:count]
        return count

    def sendall(self, data: bytes, *more: Any) -> None:
        """A step that sends everything."""
        self.tell(data, lambda: self._env.do(self.sender.sendall, data, *more))

    def tell(self, data: bytes, action: Callable[[], Any]) -> None:
        """Send all this by an action, which may fail after a part of it."""
        try:
            action()
        except BaseException as error:
            count = getattr(error, "bytes_sent", None)
            if count is None:
                self.perhaps = data
            self.sent += data[: count or 0]
            raise
        self.sent += data

    def recv(self, size: int, *more: Any) -> bytes:
        """A step that receives."""
        data = self._env.do(self.receiver.recv, size, *more)
        self.received += data
        return data

    def check(self) -> None:
        """Receive the rest, and compare."""
        self.received += drained(self.receiver, len(self.sent) - len(self.received))
        sent, received = bytes(self.sent), bytes(self.received)
        if received[: len(sent)] != sent or not self.perhaps.startswith(received[len(sent) :]):
            self._env.wrong.append(f"lost: {len(received)} bytes came of {len(sent)}, and perhaps {len(self.perhaps)} more")


def drained(receiver: Any, expected: int) -> bytes:
    """What is left in a socket, without waiting for more than is expected."""
    rest = bytearray()
    number = receiver.fileno()
    if number < 0:
        return b""
    os.set_blocking(number, False)
    while True:
        ready = select.select([number], [], [], ARRIVAL / 1000 * (20 if len(rest) < expected else 0.1))
        if not ready[0]:
            return bytes(rest)
        try:
            data = os.read(number, 1 << 16)
        except OSError:
            return bytes(rest)
        if not data:
            return bytes(rest)
        rest += data


def _close(thing: Any) -> None:
    with contextlib.suppress(OSError):
        thing.close()


def _forget(error: BaseException) -> None:
    """The frames of an error hold what the program had: sockets that it would have closed."""
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is not None:
            each.__traceback__ = None
            pending += [each.__context__, each.__cause__]
            pending += getattr(each, "exceptions", ())


def _described(value: Any) -> str:
    """What two implementations must agree on."""
    if isinstance(value, BaseException):
        number = getattr(value, "errno", None)
        name = errno.errorcode.get(number, str(number)) if isinstance(number, int) and number > 0 else number
        text = PORT.sub("port", str(value))
        return f"{type(value).__name__}({name}): {text}"
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, bytes | str):
        return f"{value[:60]!r} ({len(value)})"
    return type(value).__name__


def unexpected_errors(into: list[str]) -> None:
    """Note the errors that nobody sees: those of finalizers and threads."""
    sys.unraisablehook = lambda hooked: into.append(f"unraisable {_described(hooked.exc_value)}")
    threading.excepthook = lambda hooked: into.append(f"in a thread: {_described(hooked.exc_value)}")
