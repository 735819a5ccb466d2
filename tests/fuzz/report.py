"""What a run of a target has done, and found."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Found:
    """A case that went wrong, as small as could be made, and the error."""

    case: bytes
    error: str
    path: Path


@dataclass
class Report:
    """What a run has done."""

    target: str
    unit: str = "executions"
    runs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    reached: str = ""
    found: dict[str, Found] = field(default_factory=dict)

    def __str__(self) -> str:
        a_second = self.runs / self.seconds if self.seconds else 0
        return (
            f"{self.target:<10} {self.runs:>12,} {self.unit}, {a_second:,.0f} a second; {self.reached}; "
            f"the slowest took {self.slowest:.2f} s; found: {len(self.found)}"
        )
