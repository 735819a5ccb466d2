"""What the documents for those who work on oxisocket name is there: a file that was renamed has its new name in them too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
DOCUMENTS = ["CONTRIBUTING.md", "docs/architecture.md", "docs/seeing.md", "docs/trace-format.md", "docs/beyond.md"]
# In `…`, with a folder: a name alone may be one of the reader's own programs.
NAMED = re.compile(r"`((?:[\w.]+/)+\w+\.(?:rs|py|toml|md|svg))`")
# What a target makes.
MADE = ("target/",)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_a_document_names_exist(document: str) -> None:
    folders = [TOP, TOP / "src", TOP / "tests", TOP / "docs", TOP / "python", TOP / "python" / "oxisocket"]
    named = set(NAMED.findall((TOP / document).read_text(encoding="utf-8")))
    missing = [name for name in sorted(named) if not name.startswith(MADE) and not any((at / name).exists() for at in folders)]
    assert not missing


def test_documents_name_files() -> None:
    assert sum(len(NAMED.findall((TOP / document).read_text(encoding="utf-8"))) for document in DOCUMENTS) > 50
