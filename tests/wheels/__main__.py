"""Builds the wheels, holds them to their names, and tries them.

    python tests/wheels build [3.13 …] [manylinux_2_17_x86_64 …]      into dist/, and the source distribution
    python tests/wheels check [PLACE …]                               tries what is in dist/; all places, if none is named
    python tests/wheels again [3.13 …] [manylinux_2_17_x86_64 …]      builds once more, elsewhere: the bytes must be the same
    python tests/wheels release | dated                               whether this commit can be released; dates the changelog

Without the name of a Python, those of the variable PYTHONS are meant, or else all; a free-threaded one only where it is named.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "processors"))
sys.path.insert(1, str(Path(__file__).parents[1] / "pythons"))
import again
import findings
import from_sources
import inspection
import places
import readme_table
import release
import zigbuild
from find import TOP
from matrix import FREE_THREADED, PLATFORMS, PYTHONS, Wheel, wheels


def main() -> int:
    """Carry out the command line."""
    verb, *words = sys.argv[1:] or [""]
    if verb == "build":
        return _build(_chosen(words))
    if verb == "check":
        return _check(words)
    if verb == "again":
        return _again(_chosen(words or ["3.13", "manylinux_2_17_x86_64", "musllinux_1_2_x86_64"]))
    if verb == "release":
        return _told(list(release.wrong(release.version(), release.tag(), release.CHANGELOG.read_text())))
    if verb == "dated":
        changelog = release.dated(release.version(), release.CHANGELOG.read_text(), dt.datetime.now(dt.UTC).date())
        release.CHANGELOG.write_text(changelog)
        return 0
    sys.exit(__doc__)


def _chosen(words: list[str]) -> list[Wheel]:
    tags = [platform.tag for platform in PLATFORMS]
    unknown = [word for word in words if word not in (*PYTHONS, *FREE_THREADED, *tags)]
    if unknown:
        sys.exit(f"there is no {', '.join(unknown)}; there are: {', '.join((*PYTHONS, *FREE_THREADED, *tags))}")
    pythons = [word for word in words if word not in tags] or os.environ.get("PYTHONS", "").replace(",", " ").split()
    return wheels(pythons, [word for word in words if word in tags])


def _build(chosen: list[Wheel]) -> int:
    missing = zigbuild.prepare(chosen)
    failed = [
        wheel.name for wheel in chosen if not any(wheel.platform.rust in each for each in missing) and not zigbuild.build(wheel)
    ]
    source = zigbuild.build_sources()
    problems = [*missing, *(f"{name}: not built" for name in failed)]
    if source is None:
        problems.append("the source distribution: not built")
    for wheel in chosen:
        problems += _inspected(wheel)
    for path in sorted(zigbuild.DIST.glob("oxisocket-*")):
        print(f"{path.stat().st_size / 1e6:5.2f} MB  {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}  {path.name}")
    return _told(problems)


def _inspected(wheel: Wheel) -> list[str]:
    found = list(zigbuild.DIST.glob(wheel.pattern))
    if len(found) != 1:
        return [f"{wheel.name}: there are {len(found)} such wheels in {zigbuild.DIST.name}/. Next: make wheels"]
    return [f"{found[0].name}: {each}" for each in inspection.wrong(wheel, found[0])]


def _check(names: list[str]) -> int:
    present = [wheel for wheel in wheels([*PYTHONS, *FREE_THREADED], []) if list(zigbuild.DIST.glob(wheel.pattern))]
    problems = [each for wheel in present for each in _inspected(wheel)]
    if not present:
        return _told(["there is no wheel in dist/. Next: make wheels"])
    tried = []
    for place in places.places():
        if names and place.name not in names:
            continue
        print(f"--- {place.name}", flush=True)
        if missing := place.missing():
            print(f"skipped: {place.name}: there is no", "; no ".join(missing))
            continue
        found = places.visit(place) if place.make() else None
        if found is None:
            problems.append(f"{place.name}: failed")
        else:
            print(*(f"{name} {value}" for name, value in found.items()), sep=", ", flush=True)
            tried.append(found)
    if not names or "sources" in names:
        print("--- sources", flush=True)
        if told := _sources():
            problems += told
        else:
            print("built without git; without Rust it says what to do")
    if not tried and names != ["sources"]:
        problems.append("no wheel was tried")
    readme_table.write(TOP / "README.md", findings.keep(present, tried))
    return _told(problems)


def _sources() -> list[str]:
    source = next(zigbuild.DIST.glob("oxisocket-*.tar.gz"), None)
    if source is None:
        return ["there is no source distribution in dist/. Next: make wheels"]
    return [f"{source.name}: {each}" for each in from_sources.wrong(source)]


def _again(chosen: list[Wheel]) -> int:
    missing = zigbuild.prepare(chosen)
    return _told(missing or [f"{wheel.name}: not the same" for wheel in chosen if not again.is_same(wheel)])


def _told(problems: list[str]) -> int:
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
