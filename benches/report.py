"""What is shown of the figures: lines on a terminal, and docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bound import BARE, OURS, STDLIB, times
from cases.loop import Sample
from memory import Weighed
from rounds import Measured

if TYPE_CHECKING:
    from results import Results

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

HOLDS = """\
## What holds a figure where it is

- **The least that a method costs.** A method in C that does nothing but `send(2)` or `recv(2)` of the same 64 bytes, with no look
  at a timeout, a flag or an error, has an overhead of 0.28 to 0.36 on CPython 3.11, as its memory happens to lie: what is left
  is the interpreter's loop, the bytes object, and the kernel, which finds less of itself in the processor's caches than beside a
  bare loop. On 3.11 "UNIX pair" stands within 0.03 of that in the same run, and so on either side of its bound.
- **The kernel's own time.** TCP over loopback takes 3.2 µs a call on this machine, and the standard library's `poll` for a
  timeout another 0.7: a module that cost nothing at all would be 1.3 times as fast with one. `perf` finds 96 % of that case's
  time in the kernel, 2 % in the interpreter, 1.4 % in libc and 0.8 % in this module. The overhead is the figure to see.
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
    taken = [_time(results.get(name)) for name in (STDLIB, OURS, BARE)]
    if not case.bounds:
        ratio = results[STDLIB].seconds / results[OURS].seconds
        yield Row((case.title, *taken, times(ratio), "", ""), None)
    for number, bound in enumerate(case.bounds):
        figure = bound.figure(results)
        held = bound.held(figure)
        judged = (bound.shown(figure), str(bound), _word(held))
        # What does not come from the times has no times beside it.
        yield Row((case.title, *taken, *judged) if number == 0 else ("— the thread", *_kept(results), *judged), held)


def weighed_row(weighed: Weighed) -> Row:
    sizes = (f"{weighed.stdlib:,} B", f"{weighed.ours:,} B", "")
    return Row((weighed.title, *sizes, f"{weighed.ours - weighed.stdlib:+,} B", weighed.bound, _word(weighed.held)), weighed.held)


def page(all_results: Sequence[Results], plot: str) -> str:
    """Return the whole of docs/benchmarks.md, the newest Python first."""
    return "\n".join([
        "# Benchmarks",
        "",
        EXPLANATION,
        f"![How many times as fast as the standard library each case is]({plot})",
        "",
        *(line for results in reversed(all_results) for line in _section(results)),
        HOLDS,
    ])  # fmt: skip


def _section(results: Results) -> list[str]:
    bounds = [row.held for row in results.rows if row.held is not None]
    table = [HEAD, ("---", "---:", "---:", "---:", "---:", "---", "---")]
    return [
        f"## {results.machine['Python']}",
        "",
        f"{sum(bounds)} of {len(bounds)} bounds are held.",
        "",
        *(f"| {' | '.join(cells)} |" for cells in table),
        *(row.for_markdown() for row in results.rows),
        "",
        "Instructions of one call outside the kernel, with the interpreter's own for the loop around it, counted by callgrind:",
        "figures that do not move with the machine.",
        "",
        results.instructions,
        "",
        f"Measured on: {'; '.join(f'{what.lower()} {value}' for what, value in results.machine.items() if what != 'Python')}.",
        "",
    ]


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
