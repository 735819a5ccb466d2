"""Fuzzes what writes records: random programs run with and without a trace. The trace changes nothing of what they see; each line of its record
is an event, and all that is made from it is as it should be."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import drawings
import oxisocket
from oxisocket._seeing.record import read
from report import Found, Report

sys.path.insert(0, str(Path(__file__).parents[1] / "differential"))
from environment import BLOCKING_MODES, TRANSPORTS
from executor import Executor, Program, temporary_executor
from grammar import expand

LENGTH = 40  # calls of a program
CONFIRMATIONS = 3


def fuzz(*, runs: float, seconds: float, seed: int, folder: Path) -> Report:
    """Run programs until so many calls were made. The record of one that goes wrong is written to `folder`."""
    rng = random.Random(seed)
    report = Report("recorder", unit="calls")
    started = time.monotonic()
    with temporary_executor() as executor:
        while report.runs < runs and time.monotonic() - started < seconds:
            program = random_program(rng)
            begun = time.process_time()
            if (found := compare(executor, program)) and all(compare(executor, program) for _ in range(CONFIRMATIONS)):
                path = folder / f"recorder-{len(report.found)}.py"
                folder.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{program!r}\n{found}\n", errors="backslashreplace")
                report.found.setdefault(found.splitlines()[0], Found(b"", found, path))
            report.runs += len(program.calls)
            report.slowest = max(report.slowest, time.process_time() - begun)
    report.seconds = time.monotonic() - started
    report.reached = f"{LENGTH} calls are one program"
    return report


def random_program(rng: random.Random) -> Program:
    """Most with sockets that do not block, as in the differential test."""
    calls = tuple(expand("call", rng.choice) for _ in range(LENGTH))
    return Program(rng.choice(tuple(TRANSPORTS)), rng.choices(tuple(BLOCKING_MODES), (60, 1, 1))[0], calls)


def compare(executor: Executor, program: Program) -> str:
    """What is wrong with the trace of a program; nothing if all is well."""
    expected = executor.execute(program, oxisocket)
    events: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        with oxisocket.trace(Path(folder, "trace.jsonl"), callers=True, bytes=100), oxisocket.observe(events.append):
            actual = executor.execute(program, oxisocket)
        for call, one, other in zip((*program.calls, "the end"), expected, actual, strict=True):
            if one != other:
                return f"a trace changes {call}\nwithout: {one}\nwith:    {other}"
        try:
            parts = [path.read_bytes().splitlines(keepends=True) for path in sorted(Path(folder).iterdir())]
            for lines in parts:
                lines_are_events(lines)
            drawings.check(parts)
        except AssertionError as error:
            return f"{error or 'an assertion'}\n{error.__traceback__ and error.__traceback__.tb_lineno}"
    if not events:
        return "nothing was observed"
    return ""


def lines_are_events(lines: list[bytes]) -> None:
    for line in lines:
        assert line.endswith(b"}\n"), f"a line without an end: {line!r}"
        event = json.loads(line, parse_constant=drawings.refuse)
        assert isinstance(event["event"], str) and isinstance(event["t"], int), f"no event: {line!r}"
    record = read(lines)
    assert record.skipped == 0, f"{record.skipped} lines cannot be read"
    assert record.lost == 0, f"{record.lost} events were lost"
