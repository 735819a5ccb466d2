"""Run the interpreter's own test modules on the stdlib's `socket` and on oxisocket, and compare test by test.

    python tests/conformance                                   test_socket and test_timeout
    python tests/conformance test_ssl test_asyncio             any module of the interpreter's suite, by name
    python tests/conformance --json 3.13.json                  keep the results
    python tests/conformance --merge 3.1*.json --report docs/conformance.md

The exit status is 1 when a test is lost.
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
from runner import Implementation, run_module


def main() -> int:
    """Run or merge, print the results, and return the exit status."""
    # An exception ends the child too, which a signal to this process group does not reach: the child has its own session.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    options = _options()
    if options.merge:
        records = [Record.read(path) for path in options.merge]
        for record in records:
            print(f"Python {record.python}, {record.candidate}")
            print(*map(row, record.comparisons), sep="\n")
            _print_losses(record.comparisons)
    else:
        candidate = Implementation(options.candidate, options.limit, tuple(options.use))
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
    parser.add_argument("--merge", type=Path, nargs="+", metavar="JSON", help="run no tests, report on these results")
    parser.add_argument("--candidate", default="oxisocket", metavar="PACKAGE", help="the package to compare with the stdlib")
    parser.add_argument("--limit", type=float, default=30.0, metavar="SECONDS", help="the time limit of one test (30)")
    parser.add_argument("--use", nargs="*", default=[], metavar="RESOURCE", help="enable these of regrtest's resources")
    parser.add_argument("--reruns", type=int, default=2, metavar="N", help="run a lost test again, alone, up to N times (2)")
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
    except ModuleNotFoundError:  # its package does not exist either
        return False


def _run(modules: list[str], candidate: Implementation, reruns: int) -> Record:
    """Run the modules on both implementations, and each lost test again alone. One after the other: they would disturb each other."""
    implementations = (replace(candidate, name="stdlib"), candidate)
    about = candidate.name
    comparisons = []
    print(f"Python {platform.python_version()}", flush=True)
    for module in modules:
        stdlib, other = (run_module(module, implementation) for implementation in implementations)
        comparison = Comparison(module, stdlib.outcomes, other.outcomes)
        comparison.rerun_lost(partial(_run_alone, module, implementations), reruns)
        comparisons.append(comparison)
        print(row(comparison), flush=True)
        about = " ".join(other.about.values()) or about
    _print_losses(comparisons)
    return Record.here(about, list(candidate.use), comparisons)


def _print_losses(comparisons: Iterable[Comparison]) -> None:
    """Print the lost tests, below the rows."""
    for comparison in comparisons:
        for line in losses(comparison):
            print(line)


def _run_alone(module: str, implementations: tuple[Implementation, Implementation], name: str) -> tuple[Outcomes, Outcomes]:
    """Run one test alone on both implementations."""
    stdlib, candidate = (run_module(module, implementation, [name]).outcomes for implementation in implementations)
    return stdlib, candidate


if __name__ == "__main__":
    sys.exit(main())
