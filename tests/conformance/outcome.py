"""The outcome of one test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self

PASS = "pass"
FAIL = "fail"
ERROR = "error"
SKIP = "skip"
EXPECTED_FAILURE = "expected failure"
UNEXPECTED_SUCCESS = "unexpected success"
TIMEOUT = "timeout"
CRASH = "crash"
NOT_RUN = "not run"

KINDS = (PASS, SKIP, EXPECTED_FAILURE, FAIL, ERROR, UNEXPECTED_SUCCESS, TIMEOUT, CRASH, NOT_RUN)


@dataclass(frozen=True)
class Outcome:
    """The outcome of one test: its kind, and the lines that explain it (a traceback's last lines, reasons to skip)."""

    kind: str
    detail: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(value["outcome"], tuple(value.get("detail", ())))

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as a JSON object."""
        return {"outcome": self.kind, "detail": list(self.detail)} if self.detail else {"outcome": self.kind}

    def reasons(self) -> frozenset[str]:
        """Return the explaining lines with their numbers masked: ports and addresses change from run to run."""
        return frozenset(re.sub(r"\d+|0x[0-9a-f]+", "#", line) for line in self.detail)

    def headline(self) -> str:
        """Return one line: the exception of a failure, the reason of a skip."""
        return self.detail[-1].strip() if self.detail else ""


Outcomes = dict[str, Outcome]
