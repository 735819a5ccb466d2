"""A play: a stage and the calls made on it. It is performed with one `socket` after the other, and what happened is text that
two performances can be compared by.

Each performance starts from the same open descriptors, so the numbers must come out the same too. Left out of the texts is only what
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

from machine import passed_ports
from stage import PROLOGUE, lay_out

STUCK = 10  # seconds
PORT = re.compile(r"(?<=', )\d{2,5}(?=[,)])")
FIRST_PORT, LAST_PORT = passed_ports()
MADE_UP = re.compile(r"0x[0-9a-f]{6,}|(?<=\\x00)[0-9a-f]{5}(?=')")


@dataclass(frozen=True)
class Play:
    """Two keys of `stage`, and expressions of `grammar`."""

    opening: str
    patience: str
    calls: tuple[str, ...]


class Stuck(BaseException):
    """The play takes much too long: a call does not return, or hardly."""


@lru_cache(maxsize=50_000)
def compiled(text: str, mode: str) -> CodeType:
    """The same text comes often, and twice at least."""
    with warnings.catch_warnings(action="ignore"):  # of text that is odd on purpose
        return compile(text, "<call>", mode)


def renamed(port: str, ports: dict[str, str]) -> str:
    """A port by its place among those that were seen, if the kernel may have picked it."""
    return ports.setdefault(port, f"port {len(ports)}") if FIRST_PORT <= int(port) <= LAST_PORT else port


def open_descriptors() -> set[int]:
    """The numbers that are taken."""
    numbers = set(map(int, os.listdir("/proc/self/fd")))
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    return numbers - {free}  # taken only by listdir


def failure(error: BaseException) -> str:
    """All that a program can learn from an exception."""
    kind = type(error)
    number = f" errno={error.errno} file={error.filename}" if isinstance(error, OSError) else ""
    return f"raised {kind.__module__}.{kind.__qualname__}{error.args!r}{number}: {error}"


class Theatre:
    """Where plays are performed: a folder, and an alarm for calls that do not return."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.data = os.path.join(folder, "data")
        with open(self.data, "wb") as file:
            file.write(b"0123456789")
        self.names: dict[str, Any] = {}
        exec(PROLOGUE, self.names)

    def perform(self, play: Play, module: ModuleType) -> list[str]:
        """What each call did, and at the end which descriptors are left open."""
        before = open_descriptors()
        with self._noted() as notes, contextlib.chdir(self.folder):  # a path may be anything
            names = {**self.names, "socket": module, "_socket": module._socket, "d": self.folder}
            exec(compiled(lay_out(play.opening, play.patience), "exec"), names)
            ports: dict[str, str] = {}
            happened: list[str] = []
            signal.setitimer(signal.ITIMER_REAL, STUCK)
            try:
                for call in play.calls:
                    happened.append(self._outcome(call, names, notes, ports))  # noqa: PERF401 (what there is counts when one is stuck)
            except Stuck:
                happened += ["stuck"] * (len(play.calls) - len(happened))
            signal.setitimer(signal.ITIMER_REAL, 0)
            module.setdefaulttimeout(None)
            names.clear()
            happened.append(f"left open: {self._tidy(before)}")
        return happened

    def _outcome(self, call: str, names: dict[str, Any], notes: list[str], ports: dict[str, str]) -> str:
        try:
            outcome = repr(eval(compiled(call, "eval"), names))
        except Exception as error:
            outcome = failure(error)
        if notes:
            outcome += "".join(notes)
            notes.clear()
        if "0" in outcome:  # most have nothing to leave out
            outcome = PORT.sub(lambda found: renamed(found[0], ports), outcome)
            outcome = MADE_UP.sub("…", outcome)
        return outcome

    def _tidy(self, before: set[int]) -> list[int]:
        """Back to an empty folder and to the descriptors there were; those that no object will close any more."""
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
    def _noted(self) -> Iterator[list[str]]:
        """Warnings, and errors that nobody could catch: the list is filled as they happen."""
        notes: list[str] = []

        def warned(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
            notes.append(f" warned {category.__name__}: {message}")

        def unraisable(lost: Any) -> None:
            notes.append(f" lost {lost.exc_value!r}")

        def stuck(number: int, frame: FrameType | None) -> None:
            raise Stuck

        hook, sys.unraisablehook = sys.unraisablehook, unraisable
        handler = signal.signal(signal.SIGALRM, stuck)
        try:
            gc.disable()  # it would close what it finds at any time
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
def theatre() -> Iterator[Theatre]:
    """A theatre in a folder of its own, with a path that leaves room for names of sockets."""
    with tempfile.TemporaryDirectory(prefix="oxi") as folder:
        gc.freeze()  # what there is already need not be looked through after each play
        try:
            yield Theatre(folder)
        finally:
            gc.unfreeze()
