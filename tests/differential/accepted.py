"""The differences that are meant, each with its reason; docs/conformance.md tells them to the users."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A call and its two outcomes that match are not a divergence. The patterns search; `call` is the expression."""

    reason: str
    call: str
    expected: str
    actual: str

    def covers(self, call: str, expected: str, actual: str) -> bool:
        """Whether this is the reason why these two outcomes differ."""
        found = zip((self.call, self.expected, self.actual), (call, expected, actual), strict=True)
        return all(re.search(pattern, text) for pattern, text in found)


ACCEPTED: tuple[Difference, ...] = ()


def is_accepted(call: str, expected: str, actual: str) -> bool:
    """Whether one of ACCEPTED covers it."""
    return any(difference.covers(call, expected, actual) for difference in ACCEPTED)
