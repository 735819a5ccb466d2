"""Runs one case on the `socket` that it finds: each line of standard input is a number of rounds.

The answer to each is a line with the nanoseconds they took, and what a computing thread kept, if there is one.
"""

from __future__ import annotations

import sys

from cases.exchange import ANSWER, answer
from table import TIMED


def main() -> None:
    name, *rest = sys.argv[1:]
    if name == ANSWER:
        answer(None if rest == ["None"] else float(rest[0]))
        return
    case = next(case for case in TIMED if case.name == name)
    with case.program() as loop:
        for line in sys.stdin:
            sample = loop(int(line))
            print(round(sample.seconds * 1e9), *([] if sample.kept is None else [sample.kept]), flush=True)


main()
