"""What `make fuzz` does for minutes, for seconds: records that went wrong once, and mutations of them, are read and drawn as they should be.

The corpus of the targets in Rust is replayed by `make unit`."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("fuzz")))
import drawings
import mutants
import recorder
from cases import BETWEEN, CORPUS, mutated, records_of, seeds
from oxisocket._seeing import svg

SEED = 20261
RUNS = 300


@pytest.mark.parametrize("path", sorted(CORPUS.iterdir()), ids=lambda path: path.name)
def test_the_corpus_is_drawn_in_every_form(path: Path) -> None:
    drawings.check(records_of(path.read_bytes()))


def test_mutations_are_drawn(tmp_path: Path) -> None:
    report = mutants.fuzz("drawings", runs=RUNS, seconds=30, seed=SEED, folder=tmp_path)
    print(report)
    assert report.runs == RUNS
    assert not report.found, "".join(found.error for found in report.found.values())


def test_programs_are_recorded(tmp_path: Path) -> None:
    report = recorder.fuzz(runs=400, seconds=30, seed=SEED, folder=tmp_path)
    print(report)
    assert report.runs >= 400
    assert not report.found, "".join(found.error for found in report.found.values())


def test_what_goes_wrong_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drawn = svg.draw

    def wrong(conversation: drawings.Conversation) -> str:
        assert not any("detach" in step.call.call for step in conversation.steps), "a planted fault"
        return drawn(conversation)

    monkeypatch.setattr(svg, "draw", wrong)
    # Which case has it depends on the lines that the cases before it have reached, and so on the interpreter's release.
    report = mutants.fuzz("drawings", runs=10 * RUNS, seconds=30, seed=SEED, folder=tmp_path)
    found = next(each for each in report.found.values() if "a planted fault" in each.error)
    assert found.path.read_bytes() == found.case
    assert len(found.case.splitlines()) <= 4


def test_the_same_seed_makes_the_same_mutations() -> None:
    pool = seeds()
    first, second = ([mutated(pool[-1], pool, random.Random(seed)) for seed in range(50)] for _ in range(2))
    assert first == second
    assert all(len(records_of(case)) <= case.count(BETWEEN) + 1 for case in first)


@pytest.mark.parametrize("ci", [False, True])
@pytest.mark.parametrize("missing", ["rustup", "c++"])
def test_what_cannot_be_built_is_skipped_where_tests_run_and_fails_where_it_is_asked_for(
    ci: bool, missing: str, tmp_path: Path
) -> None:
    for name in ("cargo", "rustc", "cc", "c++", "rustup"):
        if name != missing:
            (tmp_path / name).write_text("#!/bin/sh\necho host: here\n")
            (tmp_path / name).chmod(0o755)
    environment = {"PATH": str(tmp_path)} | ({"CI": "true"} if ci else {})
    fuzz = Path(__file__).with_name("fuzz")
    done = subprocess.run(
        [sys.executable, str(fuzz), "filter"], capture_output=True, text=True, timeout=50, check=False, env=environment
    )
    assert done.stdout.startswith("skipped: ") and "\nNext: install " in done.stdout, done
    assert done.returncode == (0 if ci else 1)
