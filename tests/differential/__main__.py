"""Make the same random calls on the stdlib's sockets and on oxisocket's, and compare the outcomes.

    python tests/differential                             a million calls
    python tests/differential --seconds 600 --seed 7      for ten minutes

The exit status is 1 when there is a difference that is not accepted.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import random
import re
import sys
import time
from collections import Counter
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.with_name("parts")))
from divergence import Comparison, Divergence
from environment import BLOCKING_MODES, TRANSPORTS
from executor import Program, temporary_executor
from grammar import expand

CALLS = 1_000_000
LENGTH = 60  # calls of one program
MOST_DIVERGENCES = 25
CALLED = re.compile(r"\b(?:_?socket|[abcefglxyz]|raw)\.(\w+)\(|\b(aside|interrupted|race|in_child)\(")


def main() -> int:
    """Execute random programs, print what was found, and return the exit status."""
    options = _options()
    print(f"Python {platform.python_version()}, seed {options.seed}")
    rng = random.Random(options.seed)
    tally = Tally()
    found: dict[str, Divergence] = {}
    with temporary_executor() as executor:
        comparison = Comparison(executor, importlib.import_module("socket"), importlib.import_module(options.candidate))
        started = time.monotonic()
        while tally.calls < options.calls and time.monotonic() - started < options.seconds and len(found) < MOST_DIVERGENCES:
            program = _random_program(rng)
            divergence = comparison.compare(program)
            tally.count(program.calls, comparison.outcomes)
            if divergence and _kind(divergence) not in found and (smallest := comparison.confirm(divergence)):
                found[_kind(divergence)] = smallest
        seconds = time.monotonic() - started
    print(tally)
    for divergence in comparison.flaky:
        print(f"flaky: {divergence}")
    for divergence in found.values():
        print(f"\n{divergence}\n\n{divergence.reproduction()}")
    print(
        f"seed {options.seed}: {tally.calls:,} calls on each implementation, {tally.calls / seconds:,.0f} a second; "
        f"divergences: {len(found)}, accepted: {comparison.accepted}, matters of time: {comparison.matters_of_time}, flaky: {len(comparison.flaky)}"
    )
    return 1 if found else 0


def _options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python tests/differential", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=CALLS, help="how many calls to make (a million)")
    parser.add_argument("--seed", type=int, default=20261, help="the same seed makes the same calls")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after this time, even if calls are left")
    parser.add_argument(
        "--candidate", default="oxisocket", metavar="MODULE", help="compare this one with the stdlib's (oxisocket)"
    )
    return parser.parse_args()


def _random_program(rng: random.Random) -> Program:
    """Most programs use non-blocking sockets: with the others, a call that would block takes milliseconds."""
    transport = rng.choice(tuple(TRANSPORTS))
    blocking_mode = rng.choices(tuple(BLOCKING_MODES), (60, 1, 1))[0]
    return Program(transport, blocking_mode, tuple([expand("call", rng.choice) for _ in range(LENGTH)]))


@lru_cache(maxsize=50_000)
def _names(call: str) -> tuple[str, ...]:
    """The names of the methods and functions that an expression calls."""
    return tuple(found[1] or found[2] for found in CALLED.finditer(call)) or ("(attributes and operators)",)


def _kind(found: Divergence) -> str:
    """A key that divergences of the same cause mostly share."""
    outcomes = [
        re.split(r"[(:]", outcome)[0] if outcome.startswith("raised") else "returned"
        for outcome in (found.expected, found.actual)
    ]
    return f"{_names(found.call)} {outcomes}"


class Tally:
    """How often each function was called, and how often it succeeded."""

    def __init__(self) -> None:
        self.calls = 0
        self.made: Counter[str] = Counter()
        self.succeeded: Counter[str] = Counter()

    def count(self, calls: tuple[str, ...], outcomes: list[str]) -> None:
        """Add the calls of a program."""
        for call, outcome in zip(calls, outcomes, strict=False):
            self.calls += 1
            names = _names(call)
            self.made.update(names)
            if not outcome.startswith("raised "):
                self.succeeded.update(names)

    def __str__(self) -> str:
        lines = [f"{'call':32}{'made':>10}{'succeeded':>12}"]
        lines += [f"{name:32}{made:10,}{self.succeeded[name] / made:12.0%}" for name, made in sorted(self.made.items())]
        return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
