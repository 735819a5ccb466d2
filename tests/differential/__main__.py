"""Make the same random calls on the stdlib's sockets and on oxisocket's, and compare what they do.

    python tests/differential                             a million calls
    python tests/differential --seconds 600 --seed 7      for ten minutes

The exit status is 1 when anything differs that is not meant to.
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
from grammar import expand
from play import Play, theatre
from stage import OPENINGS, PATIENCE

CALLS = 1_000_000
LENGTH = 60  # calls on one stage
ENOUGH = 25  # divergences


def main() -> int:
    """Play, show, and return the exit status."""
    options = _options()
    print(f"Python {platform.python_version()}, seed {options.seed}")
    chance = random.Random(options.seed)
    tally = Tally()
    found: dict[str, Divergence] = {}
    with theatre() as stage:
        comparison = Comparison(stage, importlib.import_module("socket"), importlib.import_module(options.candidate))
        started = time.monotonic()
        while tally.calls < options.calls and time.monotonic() - started < options.seconds and len(found) < ENOUGH:
            play = _random_play(chance)
            divergence = comparison.compare(play)
            tally.count(play.calls, comparison.outcomes)
            if divergence and _kind(divergence) not in found and (smallest := comparison.confirmed(divergence)):
                found[_kind(divergence)] = smallest
        seconds = time.monotonic() - started
    print(tally)
    for divergence in comparison.unsteady:
        print(f"did not come again: {divergence}")
    for divergence in found.values():
        print(f"\n{divergence}\n\n{divergence.reproduction()}")
    print(
        f"seed {options.seed}: {tally.calls:,} calls on each side, {tally.calls / seconds:,.0f} a second; "
        f"divergences: {len(found)}, accepted: {comparison.accepted}, did not come again: {len(comparison.unsteady)}"
    )
    return 1 if found else 0


def _options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python tests/differential", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=CALLS, help="how many (a million)")
    parser.add_argument("--seed", type=int, default=20261, help="the same seed makes the same calls")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so long, whatever is left")
    parser.add_argument(
        "--candidate", default="oxisocket", metavar="MODULE", help="compare this one with the stdlib's (oxisocket)"
    )
    return parser.parse_args()


def _random_play(chance: random.Random) -> Play:
    """Most plays are for sockets that do not wait: the others take milliseconds where a call would block."""
    opening = chance.choice(tuple(OPENINGS))
    patience = chance.choices(tuple(PATIENCE), (60, 1, 1))[0]
    return Play(opening, patience, tuple([expand("call", chance.choice) for _ in range(LENGTH)]))


@lru_cache(maxsize=50_000)
def _names(call: str) -> tuple[str, ...]:
    """The methods and functions in an expression."""
    return tuple(re.findall(r"\b(?:_?socket|[abcefglxyz]|raw)\.(\w+)\(", call)) or ("(attributes and operators)",)


def _kind(found: Divergence) -> str:
    """What two divergences of one cause have in common, mostly."""
    outcomes = [
        re.split(r"[(:]", outcome)[0] if outcome.startswith("raised") else "returned"
        for outcome in (found.expected, found.actual)
    ]
    return f"{_names(found.call)} {outcomes}"


class Tally:
    """Which calls were made, and how many of them did something else than fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.made: Counter[str] = Counter()
        self.succeeded: Counter[str] = Counter()

    def count(self, calls: tuple[str, ...], outcomes: list[str]) -> None:
        """Add a play's."""
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
