"""The Makefile has each target that the documents, git's hooks and the hosted workflow name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
TARGETS = set(re.findall(r"^([a-z]+):.*##", (TOP / "Makefile").read_text(), flags=re.MULTILINE))

HOOKS = TOP / ".pre-commit-config.yaml"
WORKFLOW = TOP / ".github" / "workflows" / "ci.yml"


def named(path: Path, pattern: str) -> set[str]:
    """The words that the groups of `pattern` match in a file."""
    return set(re.findall(pattern, path.read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize(
    "path", [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))], ids=lambda path: path.name
)
def test_documents_name_existing_targets(path: Path) -> None:
    assert named(path, r"(?:`|^\$ )make ([a-z]+)") <= TARGETS


def test_hooks_call_targets() -> None:
    called = named(HOOKS, r"^ *entry: (.*)$")
    assert called
    assert called <= {f"make {target}" for target in TARGETS}


def test_the_workflow_calls_targets() -> None:
    called = {word for words in named(WORKFLOW, r"^ *target: \[(.*)\]$") for word in words.split(", ")}
    assert called <= TARGETS
    # The parts of `make test`, the target that needs the network, the one that takes a minute for each of its own, and the wheel of a Mac.
    parts = re.search(r"^test: (lint .*?) ##", (TOP / "Makefile").read_text(), flags=re.MULTILINE)
    assert parts is not None
    assert called == {*parts[1].split(), "deny", "fuzz", "wheel"}


def test_every_target_can_be_called() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (TOP / "Makefile").read_text(), flags=re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == TARGETS
