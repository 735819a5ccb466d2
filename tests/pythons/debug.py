"""A debug interpreter (Py_DEBUG): it counts all references, and asserts what it otherwise takes on trust."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from find import OLDEST, TOP, Python, ask

# Debian's packages are unpacked here, not installed: the machine stays as it is, and no rights are needed.
UNPACKED = TOP / "target" / "debug-python"
PACKAGES = (
    "python{0}-dbg", "libpython{0}-dbg", "libpython{0}-stdlib", "libpython{0}-minimal", "libpython{0}-dev", "python{0}-venv",
    "libpython{0}-testsuite",
)  # fmt: skip


def python() -> Python | None:
    """A debug interpreter: an installed one, or Debian's, which is brought for the purpose. None where there is none; it is said why."""
    for executable in (*_installed(), *_unpacked()):
        found = _asked(executable)
        if found is not None:
            return found
    version, names = _debians(), _names()
    if version and version in (names or [version]) and _unpack(version):
        for executable in _unpacked():
            found = _asked(executable)
            if found is not None:
                return found
    version = (names or [version or "3.13"])[0]
    print(
        "skipped: there is no debug interpreter here, and none could be brought.\n"
        f"Next: on Debian: apt-get install python{version}-dbg python{version}-venv libpython{version}-testsuite;"
        f" with pyenv: pyenv install --debug {version}",
        flush=True,
    )
    return None


def _asked(executable: Path) -> Python | None:
    counts = subprocess.run([executable, "-c", "import sys; sys.gettotalrefcount()"], capture_output=True, check=False)
    found = ask(str(executable)) if counts.returncode == 0 else None
    return replace(found, version=f"{found.version}d") if found and found.order >= OLDEST else None


def _installed() -> Iterator[Path]:
    """Those of pyenv and on PATH, in the order of PYTHONS where that is given: `python3.11-dbg` is Debian's name, `python3.11d` its own."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = sorted(pyenv.glob("versions/*-debug/bin"))
    folders += [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for folder in folders:
        yield from _named(folder)


def _unpacked() -> Iterator[Path]:
    yield from _named(UNPACKED / "usr" / "bin")


def _named(folder: Path) -> list[Path]:
    names = _names()
    found = [(path, re.fullmatch(r"python(3\.\d+)(?:d|-dbg)", path.name)) for path in sorted(folder.glob("python3.*"))]
    return [path for path, name in found if name and (not names or name[1] in names)]


def _names() -> list[str]:
    return os.environ.get("PYTHONS", "").replace(",", " ").split()


def _debians() -> str | None:
    """The version of Debian's own Python, whose libraries its debug interpreter needs; None if this is another system."""
    system = Path("/usr/bin/python3")
    if not system.exists() or shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return None
    command = [str(system), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None


def _unpack(version: str) -> bool:
    """Bring Debian's packages, and unpack them."""
    print(f"bringing Debian's debug interpreter {version} …", file=sys.stderr, flush=True)
    shutil.rmtree(UNPACKED, ignore_errors=True)
    UNPACKED.mkdir(parents=True)
    packages = [package.format(version) for package in PACKAGES]
    brought = subprocess.run(["apt-get", "download", "-q", *packages], cwd=UNPACKED, capture_output=True, text=True, check=False)
    if brought.returncode != 0:
        print(brought.stderr.strip(), file=sys.stderr)
        return False
    for package in UNPACKED.glob("*.deb"):
        if subprocess.run(["dpkg-deb", "-x", package, UNPACKED], check=False).returncode != 0:
            return False
        package.unlink()
    return True
