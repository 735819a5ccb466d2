"""A folder with some programs of this machine and no others, for the variable PATH."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

RUST = ("cargo", "rustc", "rustup")
# What programs that run while others are built are linked with, and what is behind it.
COMPILER = ("cc", "gcc", "ld", "as", "ar", "sh", "env")


def folder(path: Path, names: Iterable[str]) -> Path:
    """Make the folder, and return it."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    for name in names:
        if found := shutil.which(name):
            (path / name).symlink_to(found)
    return path
