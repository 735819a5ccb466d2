"""The contenders: a process each, which reads numbers of rounds and answers with the times they took."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cases.loop import Sample

TOP = Path(__file__).resolve().parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target"), "benches")
BARE = TARGET / "release" / "bare"
WORKER = Path(__file__).with_name("worker.py")


def build_bare() -> None:
    manifest = Path(__file__).with_name("bare") / "Cargo.toml"
    command = [
        "cargo",
        "build",
        "--quiet",
        "--release",
        "--locked",
        "--manifest-path",
        str(manifest),
        "--target-dir",
        str(TARGET),
    ]
    if subprocess.run(command, check=False).returncode != 0:
        sys.exit("the bare system calls could not be built; cargo's words are above")


def stdlib(*words: str) -> list[str]:
    return [sys.executable, str(WORKER), *words]


def ours(*words: str) -> list[str]:
    return [sys.executable, "-m", "oxisocket", str(WORKER), *words]


def bare(*words: str) -> list[str]:
    return [str(BARE), *words]


def same_worker(*words: str) -> list[str]:
    """A worker on the `socket` of this program."""
    import socket

    return ours(*words) if socket.__name__ == "oxisocket" else stdlib(*words)


class Contender:
    """A process that sleeps until it is its turn."""

    def __init__(self, command: Sequence[str], cores: set[int]) -> None:
        before = os.sched_getaffinity(0)
        # The process inherits its parent's cores from its start, and so do its own children.
        os.sched_setaffinity(0, cores)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        os.sched_setaffinity(0, before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()

    def run(self, count: int) -> Sample:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().split()
        if not answer:
            sys.exit(f"{' '.join(map(str, self._process.args))} ended with status {self._process.wait()}")  # type: ignore[arg-type]
        nanoseconds, *others = answer
        return Sample(int(nanoseconds) / 1e9, **{name: float(value) for name, value in (other.split("=") for other in others)})
