"""The instruments that watch the memory: how each is put under a Python program, and what it reports."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "pythons"))
from find import OLDEST, Python, all_pythons, default_python  # noqa: E402


@dataclass(frozen=True)
class Instrument:
    """One instrument. `build` is how the package is built for it, and `begins` matches the first line of a report. `runtime` is its
    library, and `more` the source of what that lacks. `oldest` is the oldest Python of which it reports nothing."""

    name: str
    build: str
    begins: re.Pattern[str]
    needs: tuple[str, str]
    command: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    runtime: str = ""
    more: str = ""
    oldest: tuple[int, int] = OLDEST

    def why_not(self) -> str | None:
        """Why it cannot be used here, and what to do; None if it can."""
        program, package = self.needs
        if shutil.which(program) is None:
            return f"{self.name}: {program} is missing\nNext: on Debian: apt-get install {package}"
        if self.runtime and self._library() is None:
            return f"{self.name}: {self.runtime} is missing, which comes with gcc\nNext: on Debian: apt-get install gcc libgcc-12-dev"
        if self.python() is None:
            version = "{}.{}".format(*self.oldest)
            return f"{self.name}: it needs Python {version} or newer\nNext: with pyenv: pyenv install {version}"
        return None

    def python(self) -> Python | None:
        """The Python that runs under it: the default one, or, if that is too old, the oldest that is not; None if there is none."""
        for python in (default_python(), *all_pythons()):
            if not python.inside and python.order[:2] >= self.oldest:
                return python
        return None

    def environment(self, logs: Path) -> dict[str, str]:
        """The variables of a program under it, whose reports go into this folder: the programs that it starts are watched too."""
        # Each object has memory of its own, and not a part of the interpreter's.
        own = {name: value.format(logs=logs, suppressions=HERE / f"{self.name}.supp") for name, value in self.variables.items()}
        variables = {**os.environ, "PYTHONMALLOC": "malloc", **own}
        if self.runtime:
            variables["LD_PRELOAD"] = ":".join(map(str, (self._library(), *self._compiled(logs))))
        return variables

    def under(self, command: list[str], logs: Path) -> list[str]:
        """The command that runs a command under it."""
        return [*(word.format(logs=logs, suppressions=HERE / f"{self.name}.supp") for word in self.command), *command]

    def reports(self, logs: Path) -> list[str]:
        """What it has found."""
        found = []
        for log in sorted(logs.glob("log*")):
            text = log.read_text(errors="replace")
            begins = [match.start() for match in self.begins.finditer(text)]
            found += [text[begin:end] for begin, end in itertools.pairwise([*begins, len(text)])]
        return found

    def _compiled(self, folder: Path) -> list[Path]:
        """The library of what the runtime lacks, if it lacks anything, in a folder."""
        if not self.more:
            return []
        made = folder / "more.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-fno-builtin", "-o", made, HERE / self.more], check=True)
        return [made]

    def _library(self) -> Path | None:
        """The runtime as a library to preload, gcc's: Rust's own comes only with executables."""
        told = subprocess.run(["gcc", f"-print-file-name={self.runtime}"], capture_output=True, text=True, check=False).stdout
        path = Path(told.strip())
        return path.resolve() if path.is_absolute() and path.exists() else None


_FIRST_LINE = r"^==\d+==\s?ERROR: AddressSanitizer|^==\d+==ERROR: LeakSanitizer"
INSTRUMENTS = {
    each.name: each
    for each in (
        Instrument(
            "address", "address", re.compile(_FIRST_LINE, re.MULTILINE), ("gcc", "gcc"),
            # The interpreter keeps memory to its end; leaks are looked for by other tests.
            variables={"ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1:handle_segv=0:"
                       "allocator_may_return_null=1:log_path={logs}/log"},
            runtime="libasan.so",
        ),
        Instrument(
            "thread", "thread", re.compile(r"^WARNING: ThreadSanitizer", re.MULTILINE), ("gcc", "gcc"),
            variables={"TSAN_OPTIONS": "suppressions={suppressions}:ignore_noninstrumented_modules=1:handle_segv=0:exitcode=0:"
                       "report_signal_unsafe=0:die_after_fork=0:allocator_may_return_null=1:log_path={logs}/log"},
            runtime="libtsan.so",
            more="memory.c",
        ),
        Instrument(
            "memcheck", "release", re.compile(r"^==\d+== (?=[A-Z](?!.*(?:LEAK|ERROR) SUMMARY).*\n==\d+==    at )", re.MULTILINE),
            ("valgrind", "valgrind"),
            # For zero bytes Python 3.11's `int.from_bytes` looks among the small ints by a digit that it has not written
            # (maybe_small_long), and memcheck reports each use of what it finds there.
            oldest=(3, 12),
            command=("valgrind", "--tool=memcheck", "--quiet", "--trace-children=yes", "--num-callers=30", "--error-limit=no",
                     "--suppressions={suppressions}", "--log-file={logs}/log.%p", "--trace-children-skip=/usr/bin/*,/bin/*,/usr/sbin/*"),
        ),
    )
}  # fmt: skip
