"""Rounds: the contenders take turns, so that other work of the machine affects them all alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median

from bound import BARE, OURS, STDLIB
from cases.loop import Sample
from contenders import Contender, bare, ours, stdlib
from figures import Figures, Range
from table import Case


@dataclass(frozen=True)
class Measured:
    """The samples of one case for each contender, in seconds for one call."""

    case: Case
    samples: dict[str, list[Sample]]

    @property
    def results(self) -> dict[str, Figures]:
        return {name: self._figures(samples) for name, samples in self.samples.items()}

    def _figures(self, samples: list[Sample]) -> Figures:
        seconds = [sample.seconds for sample in samples]
        kept, half, tail = ([getattr(sample, name) for sample in samples] for name in ("kept", "half", "tail"))
        others = (None if None in values else Range.of(values) for values in (kept, half, tail))
        choose = median if self.case.luck else min
        return Figures(choose(seconds), Range.of(seconds), *others)


def measure(case: Case, rounds: int) -> Measured:
    samples: dict[str, list[Sample]] = {}
    for number in range(case.processes):
        for name, sample in _take_turns(case, -(-rounds // case.one_in // case.processes), number):
            samples.setdefault(name, []).append(sample)
    return Measured(case, samples)


def _take_turns(case: Case, rounds: int, first: int) -> Iterator[tuple[str, Sample]]:
    commands = {STDLIB: stdlib(case.name), OURS: ours(case.name)}
    if case.bare:
        commands[BARE] = bare(*case.bare)
    # The order changes, so that no contender always follows the same other one.
    if case.whole:
        # Where several processes talk, whoever was started first is faster: the standard library 1.7 times as fast as
        # itself. So each is there alone.
        for name in _rotated(list(commands), first):
            with _started(case, commands[name]) as contender:
                count = _calibrate(contender, case.seconds)
                for _ in range(rounds):
                    yield name, _sample(case, contender, count)
        return
    with ExitStack() as stack:
        contenders = {name: stack.enter_context(_started(case, command)) for name, command in commands.items()}
        counts = {name: _calibrate(contender, case.seconds) for name, contender in contenders.items()}
        for turn in range(first, first + rounds):
            for name in _rotated(list(contenders), turn):
                yield name, _sample(case, contenders[name], counts[name])


def _rotated(names: list[str], turn: int) -> list[str]:
    place = turn % len(names)
    return names[place:] + names[:place]


def _started(case: Case, command: list[str]) -> Contender:
    cores = os.sched_getaffinity(0)
    return Contender(command, {max(cores)} if case.one_core else cores)


def _sample(case: Case, contender: Contender, count: int) -> Sample:
    sample = contender.run(count)
    return replace(sample, seconds=sample.seconds / count / case.calls)


def _calibrate(contender: Contender, seconds: float) -> int:
    """Return how many loops take about `seconds`. This also warms up the contender."""
    # What happens only once, such as the start of another process, must not be measured.
    contender.run(1)
    count = 1
    while (took := contender.run(count).seconds) < seconds:
        count = max(count + 1, min(count * 10, round(count * 1.1 * seconds / took)))
    return count
