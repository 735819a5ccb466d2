"""The record of one interpreter's run, kept as JSON between the run and the report."""

from __future__ import annotations

import json
import platform
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from comparison import Comparison


@dataclass
class Record:
    """The results of one interpreter: its version, the platform, the candidate, and a comparison for each module."""

    python: str
    platform: str
    candidate: str
    use: list[str]
    comparisons: list[Comparison]

    @classmethod
    def here(cls, candidate: str, use: list[str], comparisons: list[Comparison]) -> Self:
        """Make the record of a run of this interpreter."""
        threads = ", free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
        system = f"{platform.system()} {platform.release()}, {platform.machine()}, {' '.join(platform.libc_ver())}"
        return cls(platform.python_version() + threads, system, candidate, use, comparisons)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the record that `write` wrote."""
        value = json.loads(path.read_text(encoding="utf-8"))
        comparisons = [Comparison.from_json(each) for each in value["modules"]]
        return cls(value["python"], value["platform"], value["candidate"], value["use"], comparisons)

    def write(self, path: Path) -> None:
        """Write the record as JSON."""
        value = {
            "python": self.python,
            "platform": self.platform,
            "candidate": self.candidate,
            "use": self.use,
            "modules": [comparison.to_json() for comparison in self.comparisons],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @property
    def lost(self) -> int:
        """How many tests are lost."""
        return sum(len(comparison.lost) for comparison in self.comparisons)

    def order(self) -> tuple[int, ...]:
        """Return the key that sorts records by version: 3.9 before 3.10."""
        digits = (part for part in self.python.replace(",", ".").split("."))
        return tuple(int(part) for part in digits if part.strip().isdigit())
