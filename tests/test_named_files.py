"""What the documents for those who work on oxisocket name is there: a file that was renamed has its new name in them too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
DOCUMENTS = [
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/seeing.md",
    "docs/trace-format.md",
    "docs/beyond.md",
    "docs/reliability.md",
]
FOLDERS = ["src", "python", "tests", "docs", "benches", "examples"]
# In `…`, with a folder: a name alone may be one of the reader's own programs.
NAMED = re.compile(r"`((?:[\w.]+/)+\w+\.(?:rs|py|toml|md|svg))`")
# What a target makes.
MADE = ("target/",)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_a_document_names_exist(document: str) -> None:
    """By the end of its path, which tells it apart where the document names it."""
    there = [f"/{path.relative_to(TOP).as_posix()}" for folder in FOLDERS for path in (TOP / folder).rglob("*.*")]
    named = set(NAMED.findall((TOP / document).read_text(encoding="utf-8")))
    missing = [
        name for name in sorted(named) if not name.startswith(MADE) and not any(path.endswith(f"/{name}") for path in there)
    ]
    assert not missing


def test_documents_name_files() -> None:
    assert sum(len(NAMED.findall((TOP / document).read_text(encoding="utf-8"))) for document in DOCUMENTS) > 50
