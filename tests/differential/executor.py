"""Programs, and what executes them. A program is executed with one implementation of `socket` after the other, and the outcomes are
text, so that two executions can be compared.

Each execution starts from the same open descriptors, so the descriptor numbers must be the same too. The outcomes leave out only what
no program can rely on: ports that the kernel picked, names it made up, and addresses in memory."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FrameType, ModuleType
from typing import Any

from environment import PRELUDE, setup_code
from outcomes import failure
from ports import ephemeral_ports

HANG_TIMEOUT = 10  # seconds
PORT = re.compile(r"(?<=', )\d{2,5}(?=[,)])")
FIRST_PORT, LAST_PORT = ephemeral_ports()
MADE_UP = re.compile(r"0x[0-9a-f]{6,}|(?<=\\x00)[0-9a-f]{5}(?=')")


@dataclass(frozen=True)
class Program:
    """An environment, by its two keys in `environment`, and a sequence of calls: expressions of `grammar`."""

    transport: str
    blocking_mode: str
    calls: tuple[str, ...]


class Hang(BaseException):
    """The program takes much too long: some call does not return."""


@lru_cache(maxsize=50_000)
def compiled(text: str, mode: str) -> CodeType:
    """The code of a text. The same text comes often, and at least twice."""
    with warnings.catch_warnings(action="ignore"):  # some texts are odd on purpose
        return compile(text, "<call>", mode)


def masked_port(port: str, ports: dict[str, str]) -> str:
    """A port that the kernel may have picked, as its place among those seen so far; any other port unchanged."""
    return ports.setdefault(port, f"port {len(ports)}") if FIRST_PORT <= int(port) <= LAST_PORT else port


def open_descriptors() -> set[int]:
    """The numbers of the descriptors that are open."""
    numbers = set(map(int, os.listdir("/proc/self/fd")))
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    return numbers - {free}  # this one was open only during listdir


class Executor:
    """Executes programs in one folder, and interrupts calls that do not return."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.data = os.path.join(folder, "data")
        with open(self.data, "wb") as file:
            file.write(b"0123456789")
        self.names: dict[str, Any] = {}
        exec(PRELUDE, self.names)

    def execute(self, program: Program, module: ModuleType) -> list[str]:
        """The outcome of each call, and at the end which descriptors are left open."""
        before = open_descriptors()
        with self._recorded() as notes, contextlib.chdir(self.folder):  # a call may create a file under any relative path
            names = {**self.names, "socket": module, "_socket": module._socket, "d": self.folder}
            exec(compiled(setup_code(program.transport, program.blocking_mode), "exec"), names)
            ports: dict[str, str] = {}
            outcomes: list[str] = []
            signal.setitimer(signal.ITIMER_REAL, HANG_TIMEOUT)
            try:
                for call in program.calls:
                    outcomes.append(self._outcome(call, names, notes, ports))  # noqa: PERF401 (a hang must not lose those before it)
            except Hang:
                outcomes += ["hung"] * (len(program.calls) - len(outcomes))
            signal.setitimer(signal.ITIMER_REAL, 0)
            module.setdefaulttimeout(None)
            names.clear()
            outcomes.append(f"left open: {self._clean_up(before)}")
        return outcomes

    def _outcome(self, call: str, names: dict[str, Any], notes: list[str], ports: dict[str, str]) -> str:
        try:
            outcome = repr(eval(compiled(call, "eval"), names))
        except Exception as error:
            outcome = failure(error)
        if notes:
            outcome += "".join(notes)
            notes.clear()
        if "0" in outcome:  # most outcomes have nothing to leave out
            outcome = PORT.sub(lambda found: masked_port(found[0], ports), outcome)
            outcome = MADE_UP.sub("…", outcome)
        return outcome

    def _clean_up(self, before: set[int]) -> list[int]:
        """Empty the folder and close the new descriptors; return the numbers of those that no object would ever close."""
        left = open_descriptors() - before
        if left:
            gc.collect()
            left = open_descriptors() - before
        for number in left:
            os.close(number)
        for name in os.listdir(os.fsencode(self.folder)):
            if name != b"data":
                os.unlink(os.path.join(os.fsencode(self.folder), name))
        return sorted(left)

    @contextlib.contextmanager
    def _recorded(self) -> Iterator[list[str]]:
        """Record warnings and unraisable exceptions: the list is filled as they happen."""
        notes: list[str] = []

        def warned(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
            notes.append(f" warned {category.__name__}: {message}")

        def unraisable(lost: Any) -> None:
            notes.append(f" lost {lost.exc_value!r}")

        def hang(number: int, frame: FrameType | None) -> None:
            raise Hang

        hook, sys.unraisablehook = sys.unraisablehook, unraisable
        handler = signal.signal(signal.SIGALRM, hang)
        try:
            gc.disable()  # a collection at a random moment would close descriptors in one execution and not in the other
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.showwarning = warned
                yield notes
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler)
            sys.unraisablehook = hook
            gc.enable()


@contextlib.contextmanager
def temporary_executor() -> Iterator[Executor]:
    """An executor in a temporary folder, whose path is short enough for UNIX sockets in it."""
    with tempfile.TemporaryDirectory(prefix="oxi") as folder:
        gc.freeze()  # the collections after each program need not visit the objects that exist already
        try:
            yield Executor(folder)
        finally:
            gc.unfreeze()
