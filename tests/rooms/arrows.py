"""Arrows: what uses what."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Arrow(NamedTuple):
    """A line of a file that uses another file."""

    file: Path
    line: int
    target: Path


def first_arrows(arrows: Iterable[Arrow]) -> list[Arrow]:
    """For each file and each other file that it uses the first line that does, sorted; what a file uses of itself is left out."""
    first: dict[tuple[Path, Path], Arrow] = {}
    for arrow in sorted(arrows):
        if arrow.file != arrow.target:
            first.setdefault((arrow.file, arrow.target), arrow)
    return list(first.values())
