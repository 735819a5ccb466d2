"""Compares the candidate's outcomes with the stdlib's, test by test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from outcome import EXPECTED_FAILURE, KINDS, PASS, SKIP, Outcome, Outcomes

# More losses than this come from a defect, not from flaky tests: running each of them again would only take time.
MOST_RERUN = 30


@dataclass
class Comparison:
    """The outcomes of one test module on both implementations."""

    module: str
    stdlib: Outcomes
    candidate: Outcomes
    flaky: list[str] = field(default_factory=list)

    @property
    def lost(self) -> dict[str, str]:
        """The lost tests, by name, and how each was lost. A test that was not lost when it ran again alone is flaky, not lost."""
        changes = {name: loss(self.stdlib.get(name), self.candidate.get(name)) for name in self.names()}
        return {name: change for name, change in changes.items() if change and name not in self.flaky}

    def names(self) -> list[str]:
        """Return every test that either implementation has an outcome for, in the order they ran."""
        return list(self.stdlib | self.candidate)

    def rerun_lost(self, run_alone: Callable[[str], tuple[Outcomes, Outcomes]], times: int) -> None:
        """Run each lost test again alone, at most `times` times. A test that is then not lost is flaky."""
        if len(self.lost) > MOST_RERUN:
            return
        for name in self.lost:
            for _ in range(times):
                stdlib, candidate = run_alone(name)
                stdlib_again, candidate_again = stdlib.get(name), candidate.get(name)
                if stdlib_again and candidate_again and not loss(stdlib_again, candidate_again):
                    self.flaky.append(name)
                    break

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as a JSON object."""
        return {
            "module": self.module,
            "lost": self.lost,
            "flaky": self.flaky,
            "stdlib": {name: outcome.to_json() for name, outcome in self.stdlib.items()},
            "candidate": {name: outcome.to_json() for name, outcome in self.candidate.items()},
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        stdlib, candidate = (
            {name: Outcome.from_json(each) for name, each in value[key].items()} for key in ("stdlib", "candidate")
        )
        return cls(value["module"], stdlib, candidate, value["flaky"])


def loss(stdlib: Outcome | None, candidate: Outcome | None) -> str | None:
    """Say how a test is lost, or return None. The candidate must pass what the stdlib passes; what the stdlib does not pass does not matter."""
    fine = (PASS, EXPECTED_FAILURE)
    if candidate is None:
        return f"{stdlib.kind} → absent" if stdlib else None
    if stdlib is None:  # such as the tear-down of a class, which is reported only when it fails
        return None if candidate.kind in (*fine, SKIP) else f"absent → {candidate.kind}"
    change = f"{stdlib.kind} → {candidate.kind}"
    if candidate.kind == SKIP:
        if stdlib.kind != SKIP:
            return change
        return None if candidate.reasons() <= stdlib.reasons() else "skip → skip for another reason"
    if stdlib.kind == SKIP:
        return None if candidate.kind in fine else change
    return change if stdlib.kind in fine and candidate.kind != stdlib.kind else None


def counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Count outcomes by kind, in the order of `KINDS`, without those that did not occur."""
    tally = Counter(outcome.kind for outcome in outcomes)
    return {kind: tally[kind] for kind in KINDS if tally[kind]}
