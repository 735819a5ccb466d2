"""The differences between oxisocket and the stdlib are documented in tests/conformance/differences.md and in the README's paragraph
"Safer than C". A test holds each sentence: its mark `@pytest.mark.holds("A sentence that")` quotes the beginning of the sentence.

Such a test runs on both (see the fixture `ours`). So it also fails when the stdlib no longer behaves as the sentence says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
README = TESTS.parent / "README.md"
DIFFERENCES = TESTS / "conformance" / "differences.md"


def items(text: str) -> list[str]:
    """The items of a list, each on one line."""
    return [" ".join(item.split()) for item in re.findall(r"^- (.+(?:\n  .*)*)", text, re.MULTILINE)]


def sentences(item: str) -> list[str]:
    return re.split(r"(?<=[.!?]) (?=[A-Z`_])", item)


def documented() -> list[str]:
    """Every sentence that a test must hold."""
    [safer] = [item for item in items(README.read_text(encoding="utf-8")) if item.startswith("**Safer than C.** ")]
    listed = [safer.removeprefix("**Safer than C.** "), *items(DIFFERENCES.read_text(encoding="utf-8"))]
    return [sentence for item in listed for sentence in sentences(item)]


def held() -> Iterator[tuple[str, str]]:
    """Each beginning of a sentence that a mark quotes, and the file of the mark."""
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "holds":
                for argument in node.args:
                    assert isinstance(argument, ast.Constant), f"{path}:{node.lineno}: not a plain string"
                    yield str(argument.value), str(path.relative_to(TESTS))


def test_every_sentence_is_held() -> None:
    beginnings = tuple(beginning for beginning, _ in held())
    assert [sentence for sentence in documented() if not sentence.startswith(beginnings)] == []


def test_every_mark_quotes_one_sentence() -> None:
    found = {mark: sum(sentence.startswith(mark[0]) for sentence in documented()) for mark in held()}
    assert {mark: count for mark, count in found.items() if count != 1} == {}


def test_no_sentence_is_outside_of_a_list() -> None:
    """A sentence outside of a list would not be held. Only the line that introduces a list may be there."""
    text = DIFFERENCES.read_text(encoding="utf-8")
    rest = re.sub(r"^- .+(?:\n  .*)*", "", text, flags=re.MULTILINE)
    paragraphs = [paragraph for paragraph in rest.split("\n\n")[1:] if paragraph.strip()]
    assert all(re.fullmatch(r"\*\*[A-Z][a-z ]+\.\*\* [^.]+\.", paragraph.strip()) for paragraph in paragraphs), paragraphs


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("One. `two` is it, e.g. this. The third", ["One.", "`two` is it, e.g. this.", "The third"]),
        ("Since 3.12.8 it is so. _x is. 5 of it", ["Since 3.12.8 it is so.", "_x is. 5 of it"]),
    ],
)
def test_sentences(item: str, expected: list[str]) -> None:
    assert sentences(item) == expected
