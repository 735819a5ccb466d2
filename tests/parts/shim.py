"""The shim that makes calls fail: how it is compiled, and what tells it which call to fail. It is preloaded into a program."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from calls import KINDS, NAMES

SOURCE = Path(__file__).with_name("shim.c")
STEPS = 64


def why_not() -> str | None:
    """Why there can be no shim here; None if there can."""
    if shutil.which("cc") is None:
        return "there is no C compiler (cc)"
    if not hasattr(ctypes.CDLL(None), "__libc_malloc"):
        return "the C library is not glibc"
    return None


def compile_shim(folder: Path) -> Path:
    """Compile the shim into a folder."""
    library = folder / "shim.so"
    command = [
        "cc",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-shared",
        "-fPIC",
        "-ftls-model=initial-exec",
        "-o",
        str(library),
        str(SOURCE),
    ]
    subprocess.run([*command, "-ldl", "-pthread"], check=True)
    return library


def compile_replacements(source: Path, folder: Path) -> Path:
    """Compile a file of functions that stand in for those of the C library, into a folder: a library to preload."""
    library = folder / f"{source.stem}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


class _Control(ctypes.Structure):
    """`struct control` of the shim."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("kind", "step", "nth", "value", "onwards", "hits")),
        ("first", ctypes.c_size_t),
        ("last", ctypes.c_size_t),
        ("counts", ctypes.c_uint * len(NAMES) * STEPS),
    ]


class Shim:
    """The shim that this process was started with."""

    def __init__(self) -> None:
        library = ctypes.PyDLL(None)  # keeps the GIL: entering and leaving are no occasion for another thread
        self._control = _Control.in_dll(library, "torture_control")
        self.enter, self.leave = library.torture_enter, library.torture_leave

    def fail(self, kind: str, step: int, nth: int, error: str, onwards: bool) -> None:
        """Fail the n-th call of a kind in a step; `onwards`, all later ones too."""
        control = self._control
        control.step, control.nth, control.value, control.onwards = step, nth, KINDS[kind].value(error), onwards
        control.kind = NAMES.index(kind)

    def forget(self) -> None:
        """Forget what was counted."""
        ctypes.memset(ctypes.addressof(self._control) + _Control.counts.offset, 0, _Control.counts.size)

    @property
    def hits(self) -> int:
        """How many calls have failed."""
        return self._control.hits

    def counts(self) -> Counter[tuple[int, str]]:
        """How many calls of each kind there were in each step."""
        counts = self._control.counts
        return Counter(
            {(step, name): counts[step][kind] for step in range(STEPS) for kind, name in enumerate(NAMES) if counts[step][kind]}
        )

    def count_allocations_of(self, library: str) -> None:
        """Count, and fail, the allocations of the library at this path."""
        ranges = [
            line.split()[0].split("-") for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(library)
        ]
        self._control.first, self._control.last = int(ranges[0][0], 16), int(ranges[-1][1], 16)

    @contextlib.contextmanager
    def step(self, number: int) -> Iterator[None]:
        """Calls of this thread count meanwhile, as those of this step."""
        self.enter(number)
        try:
            yield
        finally:
            self.leave()


def preloaded(library: Path) -> dict[str, str]:
    """The environment of a program that is started with the shim."""
    return os.environ | preloading(library)


def preloading(library: Path) -> dict[str, str]:
    """The variable that starts a program with a library, behind those that this one was started with: an instrument wants to be first."""
    return {"LD_PRELOAD": ":".join(filter(None, (os.environ.get("LD_PRELOAD"), str(library))))}
