"""Whether a wheel is the same, byte for byte, when somebody else builds it: from the source distribution, in other folders."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

import zigbuild
from find import TOP
from matrix import Wheel


def is_same(wheel: Wheel) -> bool:
    """Build a wheel again and compare; False, after printing what differs."""
    source = zigbuild.build_sources()
    if source is None or not zigbuild.build(wheel):
        return False
    (first,) = zigbuild.DIST.glob(wheel.pattern)
    # A name of another length than the project's: it would move what comes after it.
    with tempfile.TemporaryDirectory(prefix="oxisocket-again-") as made:
        folder = Path(made)
        with tarfile.open(source) as archive:
            archive.extractall(folder / "sources", filter="data")
        (sources,) = (folder / "sources").iterdir()
        print(f"[{wheel.name}] building again, from {source.name} …", flush=True)
        variables = os.environ | {"CARGO_HOME": str(_another_cargo(folder / "cargo"))}
        if not zigbuild.run(wheel, sources, folder / "dist", folder / "target", variables):
            return False
        (second,) = (folder / "dist").glob(wheel.pattern)
        if first.read_bytes() == second.read_bytes():
            print(f"the same: {hashlib.sha256(first.read_bytes()).hexdigest()} {first.name}")
            return True
        print(f"not the same: {first.name}", *_different(first, second), sep="\n  ")
        kept = TOP / "target" / "not-the-same"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder / "dist", kept)
        return False


def _another_cargo(folder: Path) -> Path:
    """A home of cargo at another path, with what has been downloaded already."""
    folder.mkdir()
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    for name in ("config.toml", "config"):
        if (home / name).exists():
            shutil.copy(home / name, folder)
    if (home / "registry").exists():
        (folder / "registry").mkdir()
        for each in ("cache", "index"):
            if (home / "registry" / each).exists():
                shutil.copytree(home / "registry" / each, folder / "registry" / each)
    return folder


def _different(first: Path, second: Path) -> list[str]:
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
        ones, others = ({each.filename: each for each in archive.infolist()} for archive in (one, other))
        names = [name for name in ones.keys() | others.keys() if name not in ones or name not in others]
        differ = [name for name in ones.keys() & others.keys() if one.read(name) != other.read(name)]
        dates = [name for name in ones.keys() & others.keys() if ones[name].date_time != others[name].date_time]
    return [
        *(f"only in one: {name}" for name in sorted(names)),
        *(f"other bytes: {name}" for name in sorted(differ)),
        *(f"other date: {name}" for name in sorted(dates)[:1]),
    ]
