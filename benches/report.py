"""Writes the report of all figures: docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence

from results import Results

HEAD = ("case", "stdlib", "oxisocket", "bare", "figure", "bound", "held")

EXPLANATION = """\
`make bench` writes this page. Each case is one program. It runs on the standard library's `socket` and on oxisocket, and a
native program makes the same system calls with nothing around them ("bare"). Each of these three contenders is a process.
They take turns of a few milliseconds, and several sets of processes are measured. A figure is the best of a contender's
turns. Where threads compete for the interpreter, a turn can be fast by luck, and the figure is the median. Times are for one
call, or for the operation that the case names.

- "x": how many times as fast as the standard library oxisocket is.
- "Overhead": the time that oxisocket adds to the bare system calls, divided by the time that the standard library adds.
- "Keeps": how much work a computing thread does while another thread sends and receives, as a part of the work that it does
  alone. The standard library's figures for these cases need a second core that is idle: on a busy machine the computing
  thread wakes up too late to take the interpreter away.

The cases of `http.server` are the standard library's server with a thread for each connection. Its clients are in another
process. Each client sends its next request when it has received its answer. A sample takes one second. It gives the requests
per second, and p50 and p99: the times within which half of the requests, and 99 of 100, were answered. Each figure is the
median of the samples, with the range of the middle half of the samples in parentheses. "Spreads" says how much worse
oxisocket is than the standard library; one spread is the width of that range in the standard library's samples. A number
below 0 means that oxisocket is better.
"""

HOLDS = """\
## What limits the figures

- **The least that a method can cost.** A method in C that only calls `send(2)` or `recv(2)` for the same 64 bytes, and does
  not look at a timeout, a flag or an error, has an overhead of 0.28 to 0.36 on CPython 3.11. The figure depends on where its
  memory happens to be. The rest of the cost is the interpreter's loop, the bytes object, and the kernel, which finds less of
  its own code and data in the processor's caches than it does with a bare loop. On 3.11 the case "UNIX pair" differs from
  that by at most 0.03 in the same run, so it is sometimes above its bound and sometimes below.
- **The kernel's own time.** On this machine, a call on TCP over loopback takes 3.2 µs in the kernel, and the `poll` that the
  standard library makes for a timeout takes another 0.7 µs. So, with a timeout, even a module that cost nothing would be only
  1.3 times as fast as the standard library. `perf` finds 96% of that case's time in the kernel, 2% in the interpreter,
  1.4% in libc and 0.8% in this module. For such a case, read the overhead.
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
        "Instructions that one call executes outside the kernel, including the interpreter's own for the loop around the call.",
        "callgrind counts them, so these figures do not depend on how busy the machine is.",
        "",
        results.instructions,
        "",
        f"Measured on: {'; '.join(f'{what.lower()} {value}' for what, value in results.machine.items() if what != 'Python')}.",
        "",
    ]
