"""What must hold in every case, and what the stdlib's run of the same case says of ours."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from calls import CODES
from case import Case, Run

CRASHES = ("panicked at", "Fatal Python error", "memory allocation of", "PanicException", "SystemError")


@dataclass(frozen=True)
class Known:
    """Cases in which our run and the stdlib's need not be the same, or a descriptor is left open on purpose, and why."""

    reason: str
    holds: Callable[[Case], bool]


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a run, and whether it was compared; if not, why not."""

    wrong: tuple[str, ...]
    compared: str = ""
    why_not: str = ""
    # Whether nothing else is wrong than that it does not compare.
    only_differs: bool = False


@dataclass(frozen=True)
class Counterparts:
    """What our run of a case is compared with: our run in which nothing fails (`quiet`), and the stdlib's in which the same call fails
    (`same`), or, where its calls do not correspond, all those in which a call of this kind fails in this step (`others`)."""

    quiet: Run
    same: Run | None = None
    others: tuple[Run, ...] = ()
    only_ours: bool = False
    varies: bool = False


def judge(case: Case, ours: Run, counterparts: Counterparts, known: Sequence[Known], leaks: Sequence[Known]) -> Verdict:
    """What is wrong with our run of a case."""
    wrong = list(_invariants(case, ours, counterparts, leaks))
    if not ours.hits:
        return Verdict(tuple(wrong), why_not="the call was not reached in this run")
    compared, expected = _comparison(case, ours, counterparts)
    if expected is None:
        return Verdict(tuple(wrong), compared)
    if reason := _reason(case, known):
        return Verdict(tuple(wrong), why_not=reason)
    if case.onwards:
        return Verdict(tuple(wrong), why_not="all later calls fail too, and ours makes others there")
    return Verdict((*wrong, f"{compared}: {expected}"), compared, only_differs=not wrong)


def _invariants(case: Case, run: Run, counterparts: Counterparts, leaks: Sequence[Known]) -> Iterator[str]:
    """What must hold, whatever the stdlib does: it ends, it does not crash, it leaks no descriptor and loses no byte."""
    if run.status < 0:
        yield f"it ended by signal {-run.status}{' (it hung)' if run.status == -14 else ''}"
    elif run.status:
        yield f"it ended with status {run.status}"
    if run.leaked and not _reason(case, leaks):
        yield f"descriptors leaked: {', '.join(run.leaked)}"
    text = "\n".join((run.stderr, *run.log, *run.unexpected))
    yield from (f"it said {word!r}" for word in CRASHES if word in text)
    stdlib = [counterparts.same] if counterparts.same else counterparts.others
    # What the interpreter's own buffers lose, they lose on both.
    yield from (wrong for wrong in run.wrong if not any(wrong in other.wrong for other in stdlib))


def _reason(case: Case, known: Sequence[Known]) -> str | None:
    return next((each.reason for each in known if each.holds(case)), None)


def _comparison(case: Case, ours: Run, counterparts: Counterparts) -> tuple[str, str | None]:
    """With what it was compared, and how it differs; None if it does not."""
    end = _end if counterparts.varies else _whole
    mine, quiet = end(ours), end(counterparts.quiet)
    if counterparts.only_ours:
        return "with the error given", None if mine == quiet or _raises(case, ours.log, counterparts.quiet.log) else difference(
            mine, quiet
        )
    if counterparts.same:
        its = end(counterparts.same)
        return "with the same call of the stdlib", None if mine == its else difference(mine, its)
    allowed = dict.fromkeys([quiet, *map(end, counterparts.others)])
    what = "with the stdlib's calls of this kind, and with no failure"
    return what, None if mine in allowed else " or ".join(dict.fromkeys(difference(mine, its) for its in allowed))


def _whole(run: Run) -> tuple[str, ...]:
    return run.log


def _end(run: Run) -> tuple[str, ...]:
    """How the program ended; what came before depends on the time."""
    return run.log[-1:]


def _raises(case: Case, ours: Sequence[str], quiet: Sequence[str]) -> bool:
    """Whether the first thing that differs is the error that was given, as the interpreter makes it."""
    first = next((mine for mine, its in zip(ours, quiet, strict=False) if mine != its), "")
    return re.sub(r"^\d+: |^ended with ", "", first).startswith(_as_raised(case.error))


def _as_raised(error: str) -> str:
    if error.startswith("EAI_") and "+" not in error:
        return f"gaierror({CODES[error]}): [Errno {CODES[error]}] "
    if error.startswith("H_") and "+" not in error:
        return f"herror({CODES[error]}): [Errno {CODES[error]}] "
    number = getattr(errno, error.rpartition("+")[2])
    made = OSError(number, os.strerror(number))
    return f"{type(made).__name__}({errno.errorcode[number]}): {made}"


def difference(ours: Sequence[str], other: Sequence[str]) -> str:
    """Where two logs part."""
    for mine, its in zip(ours, other, strict=False):
        if mine != its:
            return f"{its} (ours: {mine})"
    return f"{list(other[len(ours) :])} (ours ended: {list(ours[len(other) :])})"
