"""Fuzzes what is written in Python, the reader of records and all that is made from them: mutations of the corpus, those kept that reach new lines."""

from __future__ import annotations

import contextlib
import hashlib
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from cases import mutated, records_of, seeds
from drawings import FORMS, check, records_in
from oxisocket._seeing import record
from reached import Reached
from report import Found, Report

LIMIT = 3.0  # seconds of the processor for one case, of some hundred lines


class TooSlow(Exception):
    """A case takes longer than LIMIT."""


def _read(case: bytes, rng: random.Random) -> None:
    records_in(records_of(case))


def _draw(case: bytes, rng: random.Random) -> None:
    check(records_of(case), (rng.choice(tuple(FORMS)),))


# What is run, and the code whose lines count.
TARGETS: dict[str, tuple[Callable[[bytes, random.Random], None], Path]] = {
    "record": (_read, Path(record.__file__)),
    "drawings": (_draw, Path(record.__file__).parent),
}


def fuzz(target: str, *, runs: float, seconds: float, seed: int, folder: Path) -> Report:
    """Run a target. What goes wrong is written to `folder`."""
    rng = random.Random(seed)
    report = Report(target)
    pool = seeds()
    started = time.monotonic()
    with Reached(TARGETS[target][1]) as reached:
        for case in list(pool):
            _run(target, case, rng, report, folder)
        reached.anything_new()
        while report.runs < runs and time.monotonic() - started < seconds:
            case = mutated(rng.choice(pool), pool, rng)
            _run(target, case, rng, report, folder)
            if reached.anything_new():
                pool.append(case)
    report.seconds = time.monotonic() - started
    report.reached = str(reached)
    return report


def _run(target: str, case: bytes, rng: random.Random, report: Report, folder: Path) -> None:
    begun = time.process_time()
    state = rng.getstate()
    error = _error(target, case, rng)
    report.runs += 1
    report.slowest = max(report.slowest, time.process_time() - begun)
    if error is None:
        return
    kind = _kind(error)
    if kind not in report.found:
        small = _smaller(target, case, kind, state)
        path = folder / f"{target}-{hashlib.sha1(small).hexdigest()[:12]}"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(small)
        report.found[kind] = Found(small, "".join(traceback.format_exception(error)[-12:]), path)


def _error(target: str, case: bytes, rng: random.Random) -> Exception | None:
    try:
        with _limit():
            TARGETS[target][0](case, rng)
    except Exception as error:
        return error
    return None


def _kind(error: Exception) -> str:
    """Where it went wrong: errors of one cause mostly have that in common."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        type(error).__name__
        if isinstance(error, TooSlow | RecursionError)
        else f"{type(error).__name__} {last.filename}:{last.lineno}"
    )


def _smaller(target: str, case: bytes, kind: str, state: object) -> bytes:
    """The case without the lines that it does not need."""

    def goes_wrong(lines: list[bytes]) -> bool:
        rng = random.Random()
        rng.setstate(state)  # type: ignore[arg-type]
        error = _error(target, b"".join(lines), rng)
        return error is not None and _kind(error) == kind

    lines = case.splitlines(keepends=True)
    length = len(lines)
    while length := length // 2:
        at = 0
        while at < len(lines):
            fewer = lines[:at] + lines[at + length :]
            if goes_wrong(fewer):
                lines = fewer
            else:
                at += length
    return b"".join(lines)


@contextlib.contextmanager
def _limit() -> Iterator[None]:
    def too_slow(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGVTALRM, too_slow)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
