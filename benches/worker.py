"""What runs on the `socket` that it finds, the stdlib's or ours: `worker.py NAME [ARGUMENT]`.

Of a timed case it reads numbers of rounds, a line each; the answer to each is a line with the nanoseconds they took, and what
a computing thread kept, if there is one.
"""

from __future__ import annotations

import sys

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
            print(round(sample.seconds * 1e9), *([] if sample.kept is None else [sample.kept]), flush=True)


main()
