"""Where the wheels are tried: the Pythons of this machine, and folders with other systems and other processors."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bullseye
import musl
from find import TOP, all_pythons
from processor import ALL
from root import Root
from zigbuild import DIST

VISIT = TOP / "tests" / "wheels" / "visit.py"

# What was found in a place: its system, C library, processor, Python, wheel, and with which emulator, if any.
Found = dict[str, object]


@dataclass(frozen=True)
class Place:
    """A system with a Python. `missing` says what is needed to enter it, `make` makes it, `run` runs a command in it."""

    name: str
    python: str
    missing: Callable[[], list[str]]
    make: Callable[[], bool]
    run: Callable[[Sequence[str]], int]
    emulator: str | None = None


def places() -> Iterator[Place]:
    """All of them, those that are quick first."""
    for python in all_pythons():
        yield Place(
            "here",
            python.executable,
            list,
            lambda: True,
            lambda command, python=python: python.run(command).returncode,  # type: ignore[misc]
        )
    old = bullseye.Bullseye()
    yield Place("debian11", bullseye.PYTHON, old.missing, old.make, old.run)
    root = Root(next(processor for processor in ALL if processor.name == "arm64"))
    yield Place("arm64", "/usr/bin/python3", root.missing, root.make, root.run, f"qemu-{root.processor.emulator}")
    built = musl.Musl()
    yield Place("musl", str(built.python), built.missing, built.make, built.run)


def visit(place: Place) -> Found | None:
    """Try the wheel in a place that has been made; None if that fails, after printing why."""
    # In a folder that the place can see.
    with tempfile.TemporaryDirectory(dir=TOP / "target") as folder:
        answer = Path(folder, "answer")
        if place.run([place.python, str(VISIT), str(DIST), str(answer)]) != 0:
            print(f"{place.name}: failed; its words are above", file=sys.stderr)
            return None
        found: Found = json.loads(answer.read_text())
    return found | ({"emulator": place.emulator} if place.emulator else {})
