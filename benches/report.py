"""What is shown of the figures: lines on a terminal, and docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bound import BARE, OURS, STDLIB
from cases.loop import Sample
from memory import Weighed
from rounds import Measured

HEAD = ("case", "stdlib", "oxisocket", "bare", "figure", "bound", "held")

# Each up to where the next one reads better.
UNITS = (("ns", 1e-9, 1e-5), ("µs", 1e-6, 1e-2), ("ms", 1e-3, float("inf")))

EXPLANATION = """\
Made by `make bench`. Each case is one program, run on the standard library's `socket` and on oxisocket, and beside them the same
system calls with nothing around them ("bare"), made by a native program. The three are processes that take turns, a few
milliseconds each, in several sets of processes. A figure is the best of a contender's turns; where threads compete for the
interpreter, and a turn can be lucky, the median. Times are for one call, or for what the case names.

"x": how many times as fast as the standard library. "Overhead": the time above the bare system calls, ours over the standard
library's. "Keeps": what a thread that computes gets done while another sends and receives, of what it gets done alone. The
standard library's figures beside that thread need a second core that is idle: on a busy machine the thread wakes too late to
take the interpreter away.
"""


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    cells: tuple[str, ...]
    held: bool | None

    def for_terminal(self) -> str:
        title, stdlib, ours, bare, figure, bound, held = self.cells
        return f"{title:<40}{stdlib:>12}{ours:>12}{bare:>12}  {figure:<14}{bound:<17}{held}"

    def for_markdown(self) -> str:
        return f"| {' | '.join(self.cells)} |"


def rows(measured: Measured) -> Iterator[Row]:
    """Yield a row for each bound of a case; one without any has a row too."""
    case, results = measured.case, measured.results
    times = [_time(results.get(name)) for name in (STDLIB, OURS, BARE)]
    if not case.bounds:
        ratio = results[STDLIB].seconds / results[OURS].seconds
        yield Row((case.title, *times, f"{ratio:.3g}x", "", ""), None)
    for number, bound in enumerate(case.bounds):
        figure = bound.figure(results)
        held = bound.held(figure)
        judged = (bound.shown(figure), str(bound), _word(held))
        # What does not come from the times has no times beside it.
        yield Row((case.title, *times, *judged) if number == 0 else ("— the thread", *_kept(results), *judged), held)


def weighed_row(weighed: Weighed) -> Row:
    sizes = (f"{weighed.stdlib:,} B", f"{weighed.ours:,} B", "")
    return Row((weighed.title, *sizes, f"{weighed.ours - weighed.stdlib:+,} B", weighed.bound, _word(weighed.held)), weighed.held)


def page(all_rows: Sequence[Row], instructions: str, machine: Iterable[tuple[str, str]], plot: str) -> str:
    """Return the whole of docs/benchmarks.md."""
    bounds = [row.held for row in all_rows if row.held is not None]
    table = [HEAD, ("---", "---:", "---:", "---:", "---:", "---", "---")]
    return "\n".join([
        "# Benchmarks",
        "",
        EXPLANATION,
        f"{sum(bounds)} of {len(bounds)} bounds are held.",
        "",
        f"![How many times as fast as the standard library each case is]({plot})",
        "",
        *(f"| {' | '.join(cells)} |" for cells in table),
        *(row.for_markdown() for row in all_rows),
        "",
        "## Instructions",
        "",
        "Those of one call outside the kernel, with the interpreter's own for the loop around it, counted by callgrind: figures",
        "that do not move with the machine.",
        "",
        instructions,
        "",
        "## Measured on",
        "",
        *(f"- {what}: {value}" for what, value in machine),
        "",
    ])  # fmt: skip


def _word(held: bool) -> str:
    return "held" if held else "**missed**"


def _kept(results: dict[str, Sample]) -> list[str]:
    return [f"{kept:.0%}" if (kept := results[name].kept) is not None else "" for name in (STDLIB, OURS)] + [""]


def _time(sample: Sample | None) -> str:
    if sample is None:
        return ""
    unit, one = next((unit, one) for unit, one, below in UNITS if sample.seconds < below)
    value = sample.seconds / one
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
