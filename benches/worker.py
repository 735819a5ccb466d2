"""Runs one case on the `socket` of its process, the stdlib's or ours: `worker.py NAME [ARGUMENT]`.

For a timed case it reads numbers of rounds, one a line, and answers each with a line: the nanoseconds that the rounds took, and
the sample's other figures, such as `kept=0.5`, if there are any.
"""

from __future__ import annotations

import sys
from dataclasses import asdict

import memory
from cases.exchange import ANSWER, answer
from table import TIMED, Case


def main() -> None:
    match sys.argv[1:]:
        case [memory.SIZE, _]:
            print(memory.socket_size())
        case [memory.GROWTH, calls]:
            print(memory.growth(int(calls)))
        case [name, timeout] if name == ANSWER:
            answer(None if timeout == "None" else float(timeout))
        case [name]:
            time(next(case for case in TIMED if case.name == name))


def time(case: Case) -> None:
    with case.program() as loop:
        for line in sys.stdin:
            sample = loop(int(line))
            others = [f"{name}={value}" for name, value in asdict(sample).items() if name != "seconds" and value is not None]
            print(round(sample.seconds * 1e9), *others, flush=True)


main()
