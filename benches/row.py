"""A row of the table: a case, one of its figures, and whether its bound holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bound import BARE, OURS, STDLIB
from memory import Weighed
from rounds import Measured


@dataclass(frozen=True)
class Row:
    """The cells are the title, one for each of the three contenders, the figure, its bound, and whether that holds."""

    cells: tuple[str, ...]
    held: bool | None
    # Whether it is of a whole program, and not of single calls.
    whole: bool = False

    def for_terminal(self) -> str:
        title, stdlib, ours, bare, figure, bound, held = self.cells
        return f"{title:<40}{stdlib:>28}{ours:>28}{bare:>12}  {figure:<14}{bound:<17}{held}"


def rows(measured: Measured) -> Iterator[Row]:
    """Yield a row for each bound of a case."""
    case, results = measured.case, measured.results
    for number, bound in enumerate(case.bounds):
        title = bound.title if number else case.title
        taken = [bound.taken(results[name]) if name in results else "" for name in (STDLIB, OURS, BARE)]
        figure = bound.figure(results)
        held = bound.held(figure)
        yield Row((title, *taken, bound.shown(figure), str(bound), _word(held)), held, case.whole)


def weighed_row(weighed: Weighed) -> Row:
    sizes = (f"{weighed.stdlib:,} B", f"{weighed.ours:,} B", "")
    return Row((weighed.title, *sizes, f"{weighed.ours - weighed.stdlib:+,} B", weighed.bound, _word(weighed.held)), weighed.held)


def _word(held: bool | None) -> str:
    return {True: "held", False: "**missed**", None: ""}[held]
