"""Writes all samples in pyperf's format, for `python -m pyperf compare_to stdlib.json oxisocket.json --table` and the like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyperf  # type: ignore[import-untyped]
from cases.loop import Sample
from rounds import Measured


def save(measured: Iterable[Measured], folder: Path) -> None:
    """Write a file for each contender."""
    folder.mkdir(parents=True, exist_ok=True)
    benchmarks: dict[str, list[pyperf.Benchmark]] = {}
    for one in measured:
        for contender, samples in one.samples.items():
            for suffix, seconds in _times(samples):
                about = {"name": one.case.name + suffix, "title": one.case.title, "unit": "second"}
                benchmarks.setdefault(contender, []).append(_benchmark(seconds, len(seconds) // one.case.processes, about))
    for contender, suite in benchmarks.items():
        pyperf.BenchmarkSuite(suite).dump(str(folder / f"{contender}.json"), replace=True)


def _times(samples: list[Sample]) -> Iterator[tuple[str, list[float]]]:
    yield "", [sample.seconds for sample in samples]
    for suffix, name in (("-p50", "half"), ("-p99", "tail")):
        found = [seconds for sample in samples if (seconds := getattr(sample, name)) is not None]
        if found:
            yield suffix, found


def _benchmark(seconds: list[float], of_process: int, about: dict[str, str]) -> pyperf.Benchmark:
    return pyperf.Benchmark(
        [
            pyperf.Run(seconds[start : start + of_process], metadata=about, collect_metadata=False)
            for start in range(0, len(seconds), of_process)
        ]
    )
