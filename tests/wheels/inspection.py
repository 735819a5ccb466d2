"""Holds a wheel to what its name says: the platform, the size, the files in it."""

from __future__ import annotations

import importlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matrix import Wheel

MOST_BYTES = 1_500_000
# By this name the loader of musl finds itself, on each system. auditwheel knows the one that Alpine gives it (libc.musl-x86_64.so.1).
MUSL = "libc.so"
NEEDED = ("oxisocket/__init__.py", "oxisocket/py.typed", "oxisocket/_socket.pyi")


def wrong(wheel: Wheel, path: Path) -> Iterator[str]:
    """What is wrong with a wheel."""
    if path.stat().st_size >= MOST_BYTES:
        yield f"it has {path.stat().st_size} bytes, and must have fewer than {MOST_BYTES}"
    yield from _wrong_files(path)
    yield from _wrong_platform(wheel, path)
    yield from (f"it needs {name}, which the C library had not at first" for name in _younger(wheel, path))


def _wrong_files(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        yield from (f"it has no {name}" for name in NEEDED if name not in names)
        extensions = [name for name in names if name.endswith(".so")]
        if len(extensions) != 1:
            yield f"it has {len(extensions)} extensions: {extensions}"
        # Nothing of the machine that built it.
        here = str(Path(__file__).parents[2]).encode(), str(Path.home() / ".cargo").encode()
        yield from (f"{name} has the folder {each.decode()}" for name in names for each in here if each in archive.read(name))


def _younger(wheel: Wheel, path: Path) -> Iterator[str]:
    """The functions that the extension needs without a version. glibc gives each of its own one, so that the linker has not known them in
    the version of the tag. musl gives none, and is asked by running the wheel on it."""
    if wheel.platform.is_musl:
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".so"):
                yield from needed_without_version(archive.read(name))


def needed_without_version(extension: bytes) -> Iterator[str]:
    """The functions that an extension needs without a version, but for the interpreter's. It can do without a weak one."""
    elf = importlib.import_module("elftools.elf.elffile").ELFFile(io.BytesIO(extension))
    versions = elf.get_section_by_name(".gnu.version")
    for index, symbol in enumerate(elf.get_section_by_name(".dynsym").iter_symbols()):
        is_needed = symbol["st_shndx"] == "SHN_UNDEF" and symbol["st_info"]["bind"] == "STB_GLOBAL"
        has_version = versions is not None and versions.get_symbol(index)["ndx"] not in ("VER_NDX_LOCAL", "VER_NDX_GLOBAL")
        if is_needed and not has_version and not symbol.name.startswith(("Py", "_Py")):
            yield symbol.name


def _wrong_platform(wheel: Wheel, path: Path) -> Iterator[str]:
    """What auditwheel finds: the libraries that the extension needs, and the versions of their symbols."""
    command = [sys.executable, "-m", "auditwheel", "show", "--json", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        yield f"auditwheel fails: {told.stderr.strip()}"
        return
    yield from _wrong_report(wheel, json.loads(told.stdout))


def _wrong_report(wheel: Wheel, found: dict[str, Any]) -> Iterator[str]:
    # The oldest system on which it could run; it may be older than the name says.
    oldest = found["overall_tag"]
    if wheel.platform.is_musl and set(found["external_libs"]) == {MUSL}:
        oldest = found["sym_tag"]
    if not is_as_old(oldest, wheel.platform.tag):
        yield f"it needs {oldest} ({found['versioned_symbols']}, {found['external_libs']})"


def is_as_old(found: str, promised: str) -> bool:
    """Whether the tag that was found is of the promised kind, and of its version or an older one."""
    one, other = (re.fullmatch(r"(m\w+linux)_(\d+)_(\d+)_(\w+)", tag) for tag in (found, promised))
    if one is None or other is None:
        return False
    return one.group(1, 4) == other.group(1, 4) and tuple(map(int, one.group(2, 3))) <= tuple(map(int, other.group(2, 3)))
