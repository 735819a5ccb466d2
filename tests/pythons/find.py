"""Finds the Pythons of this machine, and runs commands with them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)

# Newer Pythons, in a folder that another program sets up, if that program is next to the project.
NEWER = TOP.parent / "shared" / "pythons" / "newer"
NEWER_FOLDER = Path(os.environ.get("NEWER_FOLDER", Path.home() / "newer"))
# That folder has no Rust toolchain. This machine's can be reached from there, but may not be in that PATH.
_INSIDE_PATH = (
    f"PATH={Path(shutil.which('cargo') or 'cargo').parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)
NEWER_RUN = (str(NEWER), "run", str(NEWER_FOLDER), "env", _INSIDE_PATH)

_QUESTIONS = """
import importlib.util, json, sys, sysconfig
library = sysconfig.get_config_var("LIBDIR") or ""
print(json.dumps({
    "executable": sys.executable,
    "version": "%d.%d" % sys.version_info[:2] + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""),
    "full_version": sys.version,
    "implementation": sys.implementation.name,
    "has_venv": importlib.util.find_spec("ensurepip") is not None,
    "library_folder": library,
    "library": sysconfig.get_config_var("LDLIBRARY") or "",
}))
"""


@dataclass(frozen=True)
class Python:
    """One interpreter. `inside` is the prefix of a command that must run in the folder of this interpreter."""

    executable: str
    version: str
    full_version: str
    library_folder: str
    library: str
    inside: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[int, ...]:
        """Sorts 3.9 before 3.11, and 3.13 before the free-threaded 3.13t."""
        return (*(int(part) for part in self.version.rstrip("t").split(".")), self.version.endswith("t"))

    @property
    def linkable(self) -> bool:
        """Whether a Rust test, which is an executable, can link to this interpreter's library."""
        # In a framework of macOS the library is at the framework's own place, which the linker knows.
        is_framework = ".framework/" in self.library
        is_shared = self.library.endswith((".so", ".dylib")) and Path(self.library_folder, self.library).exists()
        return not self.inside and (is_framework or is_shared)

    def run(self, command: Sequence[str | Path], **environment: str) -> subprocess.CompletedProcess[bytes]:
        """Run `command` with this interpreter, from the top of the project."""
        # The output so far must come before the output of the command.
        sys.stdout.flush()
        return subprocess.run([*self.inside, *map(str, command)], cwd=TOP, env={**os.environ, **environment}, check=False)


@cache
def all_pythons() -> list[Python]:
    """All usable Pythons, one for each version, the oldest first."""
    found: dict[str, Python] = {}
    for version, executable, inside in _candidates():
        if version in found:
            continue
        python = ask(executable, inside)
        if python is not None and python.order >= OLDEST:
            found.setdefault(python.version, python)
    return sorted(found.values(), key=lambda python: python.order)


def wanted_pythons() -> list[Python]:
    """The Pythons that the variable PYTHONS names ("3.11 3.13"), or all of them; at least one."""
    known = {python.version: python for python in all_pythons()}
    if not known:
        sys.exit("No Python here can make an environment.\nNext: install its venv module, as said above.")
    unknown = [name for name in _names() if name not in known]
    if unknown:
        sys.exit(f"No Python {', '.join(unknown)} on this machine; PYTHONS can name: {' '.join(known)}")
    return [known[name] for name in _names()] or list(known.values())


def default_python() -> Python:
    """The Python for what is done only once: the running one if it is wanted, or else the first wanted one."""
    running = ask(sys.executable)
    # If the running one is wanted, do not look for others, or set them up.
    if running and running.version in (_names() or [running.version]):
        return running
    return wanted_pythons()[0]


def _names() -> list[str]:
    return os.environ.get("PYTHONS", "").replace(",", " ").split()


def _candidates() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The version in its name, its path, and the prefix of its commands, in order of preference."""
    yield "", sys.executable, ()
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    # Within a minor version the newest comes first.
    releases = sorted(pyenv.glob("versions/3.*"), key=lambda path: _numbers(path.name), reverse=True)
    folders = [release / "bin" for release in releases]
    folders += [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for folder in folders:
        for version, path in _named_pythons(folder):
            yield version, str(path), ()
    if _newer_is_ready():
        for version, path in _named_pythons(NEWER_FOLDER / "usr" / "bin"):
            yield version, f"/usr/bin/{path.name}", NEWER_RUN


def _named_pythons(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.glob("python3.*")):
        name = re.fullmatch(r"python(3\.(\d+)t?)", path.name)
        if name and int(name[2]) >= OLDEST[1]:
            yield name[1], path


def _numbers(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


@cache
def _newer_is_ready() -> bool:
    """Set up the newer Pythons if that is possible; otherwise print why it is not."""
    # Without cargo nothing can be built for any Python; the build will report that.
    if not NEWER.exists() or shutil.which("cargo") is None:
        return False
    if os.geteuid() != 0:
        print("newer Pythons are left out: setting them up needs root", file=sys.stderr)
        return False
    if not (NEWER_FOLDER / ".ready").exists():
        print(f"setting up newer Pythons in {NEWER_FOLDER}, about a minute …", file=sys.stderr)
    for command in ((str(NEWER), "setup", str(NEWER_FOLDER)), (*NEWER_RUN, "cargo", "--version")):
        if subprocess.run(command, cwd=TOP, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            print(f"newer Pythons are left out: '{' '.join(command)}' failed", file=sys.stderr)
            return False
    return True


@cache
def ask(executable: str, inside: tuple[str, ...] = ()) -> Python | None:
    """Ask an interpreter about itself; None if it does not run (a shim), or cannot make an environment."""
    try:
        answer = subprocess.run([*inside, executable, "-c", _QUESTIONS], cwd=TOP, capture_output=True, text=True, check=True)
        facts = json.loads(answer.stdout)
    except (OSError, subprocess.CalledProcessError, json.JSONDecodeError):
        return None
    if facts.pop("implementation") != "cpython":
        return None
    if not facts.pop("has_venv"):
        print(
            f"Python {facts['version']} ({executable}) is left out: it has no venv"
            f" (on Debian: apt-get install python{facts['version']}-venv)",
            file=sys.stderr,
        )
        return None
    return Python(**facts, inside=inside)
