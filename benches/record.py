"""Every sample, in pyperf's form: `python -m pyperf compare_to stdlib.json oxisocket.json --table` and the like read it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyperf  # type: ignore[import-untyped]
from rounds import PROCESSES, Measured


def save(measured: Iterable[Measured], folder: Path) -> None:
    """Write a file for each contender."""
    folder.mkdir(parents=True, exist_ok=True)
    benchmarks: dict[str, list[pyperf.Benchmark]] = {}
    for one in measured:
        for contender, samples in one.samples.items():
            seconds = [sample.seconds for sample in samples]
            of_process = len(seconds) // PROCESSES
            about = {"name": one.case.name, "title": one.case.title, "unit": "second"}
            runs = [
                pyperf.Run(seconds[start : start + of_process], metadata=about, collect_metadata=False)
                for start in range(0, len(seconds), of_process)
            ]
            benchmarks.setdefault(contender, []).append(pyperf.Benchmark(runs))
    for contender, suite in benchmarks.items():
        pyperf.BenchmarkSuite(suite).dump(str(folder / f"{contender}.json"), replace=True)
