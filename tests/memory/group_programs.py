"""The groups of operations, each in a program of its own, several at a time: without a trace, and with one.

A program gives its counts on lines that begin with a tab, separated by tabs. Every other line that it writes tells of something wrong.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A program that has ended: what it says of its group."""

    name: str
    counts: list[list[str]]
    wrong: list[str]
    status: int

    def print_wrong(self) -> None:
        for line in self.wrong:
            print(f"WRONG {self.name}: {line}")


def run_groups(
    groups: Iterable[str], command: Callable[[str, bool], list[str]], environment: Callable[[bool], dict[str, str]]
) -> Iterator[Program]:
    """Run each group twice, by the command and in the environment for the group and for whether it is traced. The programs, in order."""

    def run(part: tuple[str, bool]) -> Program:
        group, traced = part
        done = subprocess.run(command(group, traced), capture_output=True, text=True, check=False, env=environment(traced))
        lines = done.stdout.splitlines()
        counts = [line.split("\t")[1:] for line in lines if line.startswith("\t")]
        wrong = [line for line in lines if not line.startswith("\t")] + done.stderr.splitlines()
        return Program(f"{group}{', traced' if traced else ''}", counts, wrong, done.returncode)

    names = list(groups)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(run, [(group, traced) for traced in (False, True) for group in names])
