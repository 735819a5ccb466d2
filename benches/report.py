"""Writes the report of all figures: docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence

from results import Results

HEAD = ("case", "stdlib", "oxisocket", "bare", "figure", "bound", "held")

EXPLANATION = """\
Made by `make bench`. Each case is one program, run on the standard library's `socket` and on oxisocket, and beside them the same
system calls with nothing around them ("bare"), made by a native program. The three are processes that take turns, a few
milliseconds each, in several sets of processes. A figure is the best of a contender's turns; where threads compete for the
interpreter, and a turn can be lucky, the median. Times are for one call, or for what the case names.

"x": how many times as fast as the standard library. "Overhead": the time above the bare system calls, ours over the standard
library's. "Keeps": what a thread that computes gets done while another sends and receives, of what it gets done alone. The
standard library's figures beside that thread need a second core that is idle: on a busy machine the thread wakes too late to
take the interpreter away.

The cases of `http.server` are the standard library's server with a thread for each connection. Its clients are another process;
each sends its next request when it has its answer. A sample is a second of that: requests a second, and p50 and p99, the times in
which half of the requests and 99 of 100 were answered. Each figure is the median of the samples, with what the middle half of
them lie between. "Spreads": how much worse ours is than the standard library's, by the width of that half of its own samples;
what is below 0 is better.
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


def page(all_results: Sequence[Results], plot: str) -> str:
    """Return the text of docs/benchmarks.md, the newest Python first."""
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
