"""Measures the standard library's socket, oxisocket and the bare system calls, in turns, and says which bounds are held."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import instructions
import memory
from contenders import TARGET, build_bare
from machine import described
from plot import draw
from record import save
from report import Row, page, rows, weighed_row
from rounds import Measured, measure
from table import TIMED

NAMES = [case.name for case in TIMED] + [memory.SIZE, memory.GROWTH]


def main() -> int:
    options = _parser().parse_args()
    machine = list(described())
    build_bare()
    names = options.case or NAMES
    measured: list[Measured] = []
    shown: list[Row] = []

    def show(more: Sequence[Row]) -> None:
        shown.extend(more)
        for row in more:
            print(row.for_terminal(), flush=True)

    for case in TIMED:
        if case.name in names:
            measured.append(measure(case, 30 if options.quick else options.rounds))
            show(list(rows(measured[-1])))
    for name in (memory.SIZE, memory.GROWTH):
        if name in names:
            show([weighed_row(memory.weigh(name, 1_000_000 if options.quick else 10_000_000))])

    save(measured, TARGET)
    if options.report:
        _write(options.report, shown, measured, machine)
    missed = sum(row.held is False for row in shown)
    print(f"\n{missed} bounds missed" if missed else "\nall bounds held")
    # A machine can be too busy for a bound: that is for a reader to judge, and no failure of the program.
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benches", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, metavar="N", help="turns of each contender (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of it all, to see where things stand")
    parser.add_argument("--case", action="append", choices=NAMES, metavar="NAME", help=f"only this one of: {', '.join(NAMES)}")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures there, and a plot beside it")
    return parser


def _write(report: Path, shown: Sequence[Row], measured: Sequence[Measured], machine: Sequence[tuple[str, str]]) -> None:
    plot = report.with_suffix(".svg")
    draw(measured, plot)
    counted = instructions.table() if shutil.which("valgrind") else "valgrind is not installed: nothing was counted."
    report.write_text(page(shown, counted, machine, plot.name))


if __name__ == "__main__":
    sys.exit(main())
