"""What is kept of the checks: which wheels there were, and where they were tried."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from find import TOP
from matrix import Wheel

FILE = TOP / "docs" / "platforms.json"
# What makes a place another one.
_PLACE = ("system", "libc", "processor", "python", "emulator")

# "wheels": for each platform, the Pythons; "tried": what was found in each place.
Record = dict[str, Any]


def kept() -> Record:
    """The record of the checks so far."""
    empty: Record = {"wheels": {}, "tried": []}
    record: Record = json.loads(FILE.read_text()) if FILE.exists() else empty
    return record


def keep(wheels: Iterable[Wheel], tried: Iterable[dict[str, Any]]) -> Record:
    """Add to the record; what was found in the same place before is forgotten."""
    record = kept()
    for wheel in wheels:
        pythons = record["wheels"].setdefault(wheel.platform.tag, [])
        if wheel.python not in pythons:
            pythons.append(wheel.python)
            pythons.sort(key=_order)
    places = {_place(found): found for found in [*record["tried"], *tried]}
    record["tried"] = [places[place] for place in sorted(places)]
    record["wheels"] = dict(sorted(record["wheels"].items()))
    FILE.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    return record


def _place(found: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(found.get(name, "")) for name in _PLACE)


def _order(python: str) -> tuple[int, bool]:
    return int(python.rstrip("t").partition(".")[2]), python.endswith("t")
