"""Writes the report of all figures: docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence

from results import Results

HEAD = ("case", "stdlib", "oxisocket", "bare", "figure", "bound", "held")

EXPLANATION = """\
`make bench` writes this page. Each case is one program. It runs on the standard library's `socket` and on oxisocket. First
come whole programs: what they gain. Then come single calls: what they cost.

![How many times as fast as the standard library each case is]({plot})

"""

WHOLE = """\
## Whole programs

Servers and clients as people run them, alone and beside a thread that computes. A computing thread takes the interpreter for
5 ms at a time, and each request that comes meanwhile waits for it. [The model](architecture.md#beside-a-thread-that-computes)
says what oxisocket does about that.

The web server is the standard library's, with a thread for each connection. Its clients are another Python process, on the
standard library's `socket`. The clients of the echo server are a native program. `redis` and `pg8000` ask real servers, with a
timeout. Whoever asks sends the next request when the answer to the last has come. A sample takes a second, and is one of
five, each in processes of its own; where nobody computes, it takes 0.4 s, and is one of eleven. The two contenders take
turns, each alone on the machine. A figure is the median of the samples, with the range of their middle half in parentheses.

- The first line of a case: how many requests a second are answered.
- "p50" and "p99": the times within which half of the requests, and 99 of 100, are answered.
- "The thread keeps": how much work the computing thread does, as a part of what it does alone.
- "Figure": oxisocket's as a multiple of the standard library's.
"""

CALLS = """\
## Single calls

A native program makes the same system calls with nothing around them ("bare"). The contenders take turns of a few
milliseconds, and several sets of processes are measured. A figure is the best of a contender's turns. Where threads compete
for the interpreter, a turn can be fast by luck, and the figure is the median. Times are for one call, or for the operation
that the case names.

- "x": how many times as fast as the standard library oxisocket is.
- "Overhead": the time that oxisocket adds to the bare system calls, divided by the time that the standard library adds.
- "Keeps": how much work a computing thread does while another thread sends and receives data that is always ready, as a part
  of the work that it does alone. The standard library's figures for these cases need a second core that is idle: on a busy
  machine the computing thread wakes up too late to take the interpreter away.
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
    newest_first = all_results[::-1]
    return "\n".join([
        "# Benchmarks",
        "",
        EXPLANATION.format(plot=plot) + WHOLE,
        *(line for results in newest_first for line in _table(results, whole=True)),
        CALLS,
        *(line for results in newest_first for line in (*_table(results, whole=False), *_instructions(results))),
        *(line for results in newest_first for line in _machine(results)),
        HOLDS,
    ])  # fmt: skip


def _table(results: Results, *, whole: bool) -> list[str]:
    rows = [row for row in results.rows if row.whole == whole]
    if not rows:
        return []
    bounds = [row.held for row in rows if row.held is not None]
    # No native program makes the calls of a whole one.
    kept = [place for place, name in enumerate(HEAD) if not (whole and name == "bare")]
    table = [HEAD, ("---", "---:", "---:", "---:", "---:", "---", "---"), *(row.cells for row in rows)]
    return [
        f"### {results.machine['Python']}",
        "",
        f"{sum(bounds)} of {len(bounds)} bounds are held.",
        "",
        *(f"| {' | '.join(cells[place] for place in kept)} |" for cells in table),
        "",
    ]


def _instructions(results: Results) -> list[str]:
    if not results.instructions:
        return []
    return [
        "Instructions that one call executes outside the kernel, including the interpreter's own for the loop around the call.",
        "callgrind counts them, so these figures do not depend on how busy the machine is.",
        "",
        results.instructions,
        "",
    ]


def _machine(results: Results) -> list[str]:
    described = "; ".join(f"{what.lower()} {value}" for what, value in results.machine.items() if what != "Python")
    return [f"{results.machine['Python']} was measured on: {described}.", ""]
