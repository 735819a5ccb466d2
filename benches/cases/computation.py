"""A thread that computes, and never releases the GIL by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Thread
from time import perf_counter, sleep
from typing import Self

from cases.loop import Sample

ALONE = 0.1


def compute() -> None:
    """A few microseconds of work."""
    number = 1
    for _ in range(100):
        number = number * 1103515245 + 12345 & 0x7FFFFFFF


class Computation:
    """Computes during a with-statement, and counts the work done."""

    def __enter__(self) -> Self:
        self.done = 0
        self._wanted = True
        self._thread = Thread(target=self._compute)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._wanted = False
        self._thread.join()

    def _compute(self) -> None:
        while self._wanted:
            compute()
            self.done += 1

    def rate_during(self, action: Callable[[], object]) -> float:
        """The work done in a second while `action` runs."""
        before, started = self.done, perf_counter()
        action()
        return (self.done - before) / (perf_counter() - started)


def beside(loop: Callable[[], Sample]) -> Sample:
    """Run `loop` beside a computing thread."""
    samples: list[Sample] = []
    with Computation() as computation:
        alone = computation.rate_during(lambda: sleep(ALONE))
        kept = computation.rate_during(lambda: samples.append(loop())) / alone
    return replace(samples[0], kept=kept)
