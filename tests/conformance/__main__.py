"""Run the interpreter's own test modules on the stdlib's `socket` and on oxisocket, and compare test by test.

    python tests/conformance                                   test_socket and test_timeout
    python tests/conformance test_ssl test_asyncio             any module of the interpreter's suite, by name
    python tests/conformance --json 3.13.json                  keep the results
    python tests/conformance --merge 3.1*.json --report docs/conformance.md

The exit status is 1 when anything is lost.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import signal
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from comparison import Comparison
from outcome import Outcomes
from record import Record
from report import as_markdown, losses, row
from side import Side, run_module


def main() -> int:
    """Run or merge, show, and return the exit status."""
    # As an exception it ends the child too, which leads a session of its own.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    options = _options()
    if options.merge:
        records = [Record.read(path) for path in options.merge]
        for record in records:
            print(f"Python {record.python}, {record.candidate}")
            print(*map(row, record.comparisons), sep="\n")
            _print_losses(record.comparisons)
    else:
        candidate = Side(options.candidate, options.limit, tuple(options.use))
        records = [_run(options.tests, candidate, options.reruns)]
    if options.json:
        records[0].write(options.json)
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(as_markdown(records), encoding="utf-8")
    return 1 if any(record.lost for record in records) else 0


def _options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python tests/conformance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tests", nargs="*", metavar="TESTS", help="test modules by name (test_socket test_timeout)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write this interpreter's results to FILE")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report to FILE, such as docs/conformance.md")
    parser.add_argument("--merge", type=Path, nargs="+", metavar="JSON", help="run nothing, report on these results")
    parser.add_argument("--candidate", default="oxisocket", metavar="PACKAGE", help="what to compare with the stdlib")
    parser.add_argument("--limit", type=float, default=30.0, metavar="SECONDS", help="the time limit of one test (30)")
    parser.add_argument("--use", nargs="*", default=[], metavar="RESOURCE", help="enable these of regrtest's resources")
    parser.add_argument("--reruns", type=int, default=2, metavar="N", help="run a lost test again alone up to N times (2)")
    options = parser.parse_args()
    if options.merge and (options.tests or options.json):
        parser.error("--merge runs no tests")
    options.tests = options.tests or ["test_socket", "test_timeout"]
    for name in () if options.merge else options.tests:
        if not (_exists(f"test.{name}") or _exists(name)):
            version = platform.python_version()
            parser.error(f"Python {version} has no {name} (Debian has its suite in a package, libpython3.x-testsuite)")
    return options


def _exists(module: str) -> bool:
    """Say whether there is such a module."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor is there its package
        return False


def _run(modules: list[str], candidate: Side, reruns: int) -> Record:
    """Run the modules on both sides, one after the other as they would disturb each other; run what is lost again alone."""
    sides = (replace(candidate, candidate="stdlib"), candidate)
    about = candidate.candidate
    comparisons = []
    print(f"Python {platform.python_version()}", flush=True)
    for module in modules:
        stdlib, other = (run_module(module, side) for side in sides)
        comparison = Comparison(module, stdlib.outcomes, other.outcomes)
        comparison.settle(partial(_again, module, sides), reruns)
        comparisons.append(comparison)
        print(row(comparison), flush=True)
        about = " ".join(other.about.values()) or about
    _print_losses(comparisons)
    return Record.here(about, list(candidate.use), comparisons)


def _print_losses(comparisons: Iterable[Comparison]) -> None:
    """Print what is lost, below the rows."""
    for comparison in comparisons:
        for line in losses(comparison):
            print(line)


def _again(module: str, sides: tuple[Side, Side], name: str) -> tuple[Outcomes, Outcomes]:
    """Run one test alone on both sides."""
    first, second = (run_module(module, side, [name]).outcomes for side in sides)
    return first, second


if __name__ == "__main__":
    sys.exit(main())
