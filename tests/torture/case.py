"""A case: a scenario, and which of its calls fails with what. And what a run of it was like."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from calls import KINDS, LASTING

Counts = Counter[tuple[int, str]]


@dataclass(frozen=True)
class Case:
    """The n-th call of a kind in a step of a scenario fails with an error; `onwards`, all later ones too. Without a kind, nothing fails."""

    scenario: str
    kind: str = ""
    step: int = 0
    nth: int = 0
    error: str = ""
    onwards: bool = False

    def __str__(self) -> str:
        return f"{self.scenario}:{self.kind}:{self.step}:{self.nth}:{self.error}{'+' if self.onwards else ''}"

    @classmethod
    def parse(cls, text: str) -> Case:
        """The case that was printed so."""
        scenario, kind, step, nth, error = text.split(":")
        return cls(scenario, kind, int(step), int(nth), error.rstrip("+"), error.endswith("+"))

    def request(self) -> dict[str, Any]:
        """What a server is told."""
        return asdict(self)


@dataclass(frozen=True)
class Run:
    """What one implementation did in a case."""

    log: tuple[str, ...]
    wrong: tuple[str, ...]
    unexpected: tuple[str, ...]
    leaked: tuple[str, ...]
    hits: int
    status: int
    stderr: str
    counts: Counts = field(compare=False)

    @classmethod
    def of(cls, said: dict[str, Any]) -> Run:
        """What a server said."""
        counts = Counter({(step, kind): count for step, kind, count in said["counts"]})
        lists = (tuple(said[name]) for name in ("log", "wrong", "unexpected", "leaked"))
        return cls(*lists, said["hits"], said["status"], said["stderr"], counts)


def cases(scenario: str, counts: Counts) -> Iterator[Case]:
    """Each call of a scenario in turn, with each of its errors."""
    for (step, kind), count in sorted(counts.items()):
        if kind == "alloc":
            continue  # those of a library: `make nomemory`
        for nth in range(1, count + 1):
            for error in KINDS[kind].errors:
                yield Case(scenario, kind, step, nth, error)
                if error in LASTING:
                    yield Case(scenario, kind, step, nth, error, onwards=True)


def sample(found: list[Case], count: int, seed: int) -> list[Case]:
    """So many of the cases, each kind of call and each scenario alike; the same ones for the same seed."""
    by_kind: dict[tuple[str, str], list[Case]] = {}
    for case in found:
        by_kind.setdefault((case.scenario, case.kind), []).append(case)
    rng = random.Random(seed)
    groups = [rng.sample(group, len(group)) for group in by_kind.values()]
    rng.shuffle(groups)
    rounds = (group[nth] for nth in range(max(map(len, groups), default=0)) for group in groups if nth < len(group))
    return [case for case, _ in zip(rounds, range(count), strict=False)]
