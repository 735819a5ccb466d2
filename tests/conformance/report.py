"""Prints the results: a row for each module on the terminal, and docs/conformance.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from comparison import Comparison, counts
from outcome import PASS, SKIP, Outcome
from record import Record
from runner import LEFT_OUT, ON_LOOPBACK

# Written by hand, and copied into each report.
DIFFERENCES = Path(__file__).resolve().with_name("differences.md")
SHOWN_LINES = 6


def row(comparison: Comparison) -> str:
    """Return a module's row for a terminal."""
    start = f"  {comparison.module:<20}"
    vacuous = f"\n{start} says nothing: the stdlib passes none of it here" if _is_vacuous(comparison) else ""
    return (
        f"{start} stdlib: {_in_words(comparison.stdlib.values())}"
        f" · candidate: {_in_words(comparison.candidate.values())}"
        f" · lost {len(comparison.lost)}, flaky {len(comparison.flaky)}{vacuous}"
    )


def losses(comparison: Comparison) -> Iterator[str]:
    """Yield the lines for a terminal that name each lost test, with the end of its traceback."""
    absent = [name for name in comparison.lost if name not in comparison.candidate]
    for name, change in comparison.lost.items():
        if name in comparison.candidate:
            yield f"\nLOST {name}: {change}"
            for line in comparison.candidate[name].detail[-SHOWN_LINES:]:
                yield f"    {line}"
    if absent:
        more = "" if len(absent) <= SHOWN_LINES else " …"
        yield f"\nLOST, absent altogether: {len(absent)}: {', '.join(absent[:SHOWN_LINES])}{more}"
    for name in comparison.flaky:
        yield f"\nflaky {name}: lost at first, not when run again alone"


def as_markdown(records: list[Record]) -> str:
    """Return docs/conformance.md: a table for each Python, the lost tests, and the intended differences."""
    outside = [name for names in ON_LOOPBACK.values() for name in names]
    lines = [
        "# Conformance",
        "",
        "Each interpreter runs CPython's own tests, as they are installed with it, twice: on the stdlib's `socket`, and with",
        "oxisocket in place of `socket` and `_socket`. Each run has fresh processes, and the results are compared test by test.",
        "A test is *lost* if the stdlib passes it and oxisocket does not, or if oxisocket skips it and the stdlib does not (a",
        "missing name would make whole classes skip in silence). A test is *flaky* if it was lost at first, but not when both",
        "sides ran it again alone. `make conformance` writes this page; only its last section is written by hand.",
        "",
        f"Left out on both sides: {_names(LEFT_OUT)}, which hangs if the kernel has no VSOCK loopback; and",
        f"{_names(outside)}, which looks up names on other machines, unless the resource `network` is asked for.",
        "",
    ]
    records = sorted(records, key=Record.order)
    for record in records:
        lines += [f"## Python {record.python}", "", *_table(record), ""]
    lost = [(record, comparison, name) for record in records for comparison in record.comparisons for name in comparison.lost]
    lines += ["## Lost", ""]
    if not lost:
        lines.append("Nothing.")
    for record, comparison, name in lost:
        outcome = comparison.candidate.get(name)
        because = f": `{_code(outcome.headline())}`" if outcome and outcome.headline() else ""
        lines.append(f"- {record.python}, `{_code(name)}`: {comparison.lost[name]}{because}")
    lines += ["", "## What differs, and why", "", DIFFERENCES.read_text(encoding="utf-8").strip(), ""]
    return "\n".join(lines)


def _table(record: Record) -> Iterator[str]:
    """Yield the lines for one Python: what was run, and the table."""
    resources = f", resources: {', '.join(record.use)}" if record.use else ""
    yield f"{record.candidate}; {record.platform}{resources}."
    yield ""
    yield "| module | stdlib: pass | skip | other | oxisocket: pass | skip | other | lost | flaky |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for comparison in record.comparisons:
        cells = [*_numbers(comparison.stdlib), *_numbers(comparison.candidate)]
        cells += [len(comparison.lost), len(comparison.flaky)]
        yield f"| {comparison.module} | " + " | ".join(map(str, cells)) + " |"
    vacuous = [comparison.module for comparison in record.comparisons if _is_vacuous(comparison)]
    if vacuous:
        yield ""
        yield f"The stdlib passes no test of {', '.join(vacuous)} here: the comparison says nothing."
    flaky = [name for comparison in record.comparisons for name in comparison.flaky]
    if flaky:
        yield ""
        yield f"Flaky: {_names(flaky)}."


def _numbers(outcomes: dict[str, Outcome]) -> list[int]:
    """Return how many passed, how many were skipped, and how many ended otherwise."""
    tally = counts(outcomes.values())
    passed, skipped = tally.get(PASS, 0), tally.get(SKIP, 0)
    return [passed, skipped, sum(tally.values()) - passed - skipped]


def _in_words(outcomes: Iterable[Outcome]) -> str:
    """Return the counts as words."""
    return ", ".join(f"{number} {kind}" for kind, number in counts(outcomes).items()) or "no tests"


def _is_vacuous(comparison: Comparison) -> bool:
    """Say whether the stdlib passed no test, so that none could be lost."""
    return PASS not in counts(comparison.stdlib.values())


def _names(names: Iterable[str]) -> str:
    """Return names as a list of code."""
    return ", ".join(f"`{_code(name)}`" for name in names)


def _code(text: str) -> str:
    """Make `text` safe between backquotes on one line."""
    return text.replace("`", "'").replace("\n", " ")
