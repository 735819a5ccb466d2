"""The figures of one Python, kept in a file, so that one report can show several Pythons."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bound import OURS, STDLIB
from rounds import Measured
from row import Row


@dataclass(frozen=True)
class Results:
    """The measured figures, and the machine."""

    machine: dict[str, str]
    rows: Sequence[Row]
    # For each case, how many times as fast as the stdlib it is.
    ratios: dict[str, float]
    instructions: str

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> Results:
        kept = json.loads(path.read_text())
        rows = [Row(tuple(row["cells"]), row["held"], row["whole"]) for row in kept.pop("rows")]
        return cls(rows=rows, **kept)


def ratios(measured: Sequence[Measured]) -> dict[str, float]:
    """Return the ratios by title. The title of a case that continues the case before includes that case's title."""
    found: dict[str, float] = {}
    first = ""
    for one in measured:
        title = one.case.title
        if title.startswith("— "):
            title = f"{first}, {title[2:]}"
        else:
            first = title
        found[title] = one.results[STDLIB].seconds / one.results[OURS].seconds
    return found
