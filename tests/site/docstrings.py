"""Docstrings as reStructuredText: they are plain text with code between double backquotes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Set as AbstractSet

CODE = re.compile(r"(``[^`]+``)")
MANUAL = re.compile(r"\b([a-z][a-z_0-9]*)\((\d)\)")
FORMS = re.compile(r"(\w+\(.*\)( ->.*)?\n?)+")
RFC = re.compile(r"\bRFC (\d+)\b")
METHODS_TOO = {"close", "dup", "gethostname"}
SPECIAL = re.compile(r"([\\*|`])|(?<=\w)(_)(?!\w)")


def as_rst(text: str, names: AbstractSet[str]) -> str:
    """A docstring for Sphinx: its manual pages, its RFCs and the names of the package become links, its programs code."""
    blocks = re.split(r"\n\s*\n", textwrap.dedent(text).strip("\n"))
    # The forms of a call that has several are in the signatures already.
    return "\n\n".join(_block(block, names) for block in blocks if not FORMS.fullmatch(block))


def _block(block: str, names: AbstractSet[str]) -> str:
    if all(line.startswith("    ") for line in block.splitlines()):
        return f".. code-block:: python\n\n{block}"
    parts = CODE.split(block)
    return "".join(_code(part, names) if place % 2 else _words(part) for place, part in enumerate(parts))


def _code(part: str, names: AbstractSet[str]) -> str:
    words = part.strip("`")
    name = words.removesuffix("()").removeprefix("oxisocket.")
    # `timeout` may be an argument, and `close()` a method of whatever the text is about.
    is_clear = name in names - METHODS_TOO and (words.endswith("()") or name[0].isupper())
    return f":py:obj:`{words} <oxisocket.{name}>`" if is_clear else part


def _words(part: str) -> str:
    part = SPECIAL.sub(r"\\\1\2", part)
    return RFC.sub(r":rfc:`\1`", MANUAL.sub(r":manpage:`\1(\2)`", part))
