"""Measures the standard library's socket, oxisocket and the bare system calls in turns, and reports which bounds hold."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import instructions
import memory
from contenders import TARGET, build_bare
from machine import described
from plot import draw
from record import save
from report import page
from results import Results, ratios
from rounds import Measured, measure
from row import Row, rows, weighed_row
from table import TIMED

NAMES = [case.name for case in TIMED] + [memory.SIZE, memory.GROWTH]


def main() -> int:
    options = _parser().parse_args()
    if options.merge:
        all_results = [Results.read(path) for path in options.merge]
    else:
        build_bare()
        all_results = [_measure(options.case or NAMES, options.rounds, quick=options.quick)]
    if options.json:
        all_results[0].write(options.json)
    if options.report:
        plot = options.report.with_suffix(".svg")
        draw(all_results, plot)
        options.report.write_text(page(all_results, plot.name))
    # A bound may fail because the machine is busy: a reader must judge that, and the exit status is 0.
    return 0


def _measure(names: Sequence[str], rounds: int, *, quick: bool) -> Results:
    machine = dict(described())
    print(machine["Python"])
    measured: list[Measured] = []
    shown: list[Row] = []

    def show(more: Iterable[Row]) -> None:
        for row in more:
            shown.append(row)
            print(row.for_terminal(), flush=True)

    for case in TIMED:
        if case.name in names:
            measured.append(measure(case, 30 if quick else rounds))
            show(rows(measured[-1]))
    for name in (memory.SIZE, memory.GROWTH):
        if name in names:
            show([weighed_row(memory.weigh(name, 1_000_000 if quick else 10_000_000))])
    save(measured, TARGET / "pyperf" / platform.python_version())
    missed = sum(row.held is False for row in shown)
    print(f"\n{missed} bounds missed\n" if missed else "\nall bounds held\n")
    counted = instructions.table() if names == NAMES else ""
    return Results(machine, shown, ratios(measured), counted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benches", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, metavar="N", help="turns of each contender (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of it all, to see where things stand")
    parser.add_argument("--case", action="append", choices=NAMES, metavar="NAME", help=f"only this one of: {', '.join(NAMES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--merge", type=Path, nargs="+", metavar="JSON", help="measure nothing, report on these figures")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures there, and a plot beside it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
