"""Rounds: the contenders take turns, so that whatever else the machine does, it does to all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from bound import Best
from cases.loop import Sample
from contenders import Contender, bare, ours, stdlib
from table import Case

# A process is as fast as its memory happens to lie: each case is measured in several.
PROCESSES = 3


@dataclass(frozen=True)
class Measured:
    """The samples of one case, for each contender; the seconds are those of one call."""

    case: Case
    samples: dict[str, list[Sample]]

    @property
    def best(self) -> dict[str, Best]:
        return {name: _best(samples) for name, samples in self.samples.items()}


def measure(case: Case, rounds: int) -> Measured:
    samples: dict[str, list[Sample]] = {}
    for _ in range(PROCESSES):
        for name, sample in _in_turn(case, max(1, rounds // PROCESSES)):
            seconds = sample.seconds / case.calls
            samples.setdefault(name, []).append(Sample(seconds, sample.kept))
    return Measured(case, samples)


def _in_turn(case: Case, rounds: int) -> Iterator[tuple[str, Sample]]:
    """Yield the samples of one set of processes, each the mean of a round."""
    commands = {"stdlib": stdlib(case.name), "oxisocket": ours(case.name)}
    if case.bare:
        commands["bare"] = bare(*case.bare)
    cores = os.sched_getaffinity(0)
    with ExitStack() as stack:
        names = list(commands)
        contenders = {
            name: stack.enter_context(Contender(command, {max(cores)} if case.one_core else cores))
            for name, command in commands.items()
        }
        counts = {name: _calibrate(contender, case.seconds) for name, contender in contenders.items()}
        for _ in range(rounds):
            for name in names:
                sample = contenders[name].run(counts[name])
                yield name, Sample(sample.seconds / counts[name], sample.kept)
            # Nobody is always the one who comes after another.
            names.append(names.pop(0))


def _calibrate(contender: Contender, seconds: float) -> int:
    """How many rounds take about so long; the first ones warm the contender up."""
    count = 1
    while (took := contender.run(count).seconds) < seconds:
        count = max(count + 1, min(count * 10, round(count * 1.1 * seconds / took)))
    return count


def _best(samples: list[Sample]) -> Best:
    kept = sorted(sample.kept for sample in samples if sample.kept is not None)
    return Best(min(sample.seconds for sample in samples), kept[len(kept) // 2] if kept else None)
