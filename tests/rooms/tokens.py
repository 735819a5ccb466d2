"""The words and signs of Rust code, without its comments."""

from __future__ import annotations

import re
from typing import NamedTuple

# What a string says is of no interest here, but where it ends is: it may hold `//`, `{` or `"`.
_TOKEN = re.compile(
    r"""
      (?P<comment> //[^\n]* | /\* )
    | (?P<string> [bc]?r(?P<hashes>\#*)".*?"(?P=hashes) | [bc]?"(?:\\.|[^"\\])*" | b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'])' )
    | (?P<other> '\w+ | r\#\w+ | \w+ | :: | \S )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


class Token(NamedTuple):
    """A word, a sign, or a string (as `""`), with its line."""

    text: str
    line: int

    @property
    def is_name(self) -> bool:
        """Whether it is a name, or a word of the language."""
        return self.text.isidentifier()


def tokens(code: str) -> list[Token]:
    """The tokens of Rust code."""
    found = []
    place, line, counted = 0, 1, 0
    while match := _TOKEN.search(code, place):
        place = match.end()
        line += code.count("\n", counted, match.start())
        counted = match.start()
        if match["comment"] == "/*":
            place = _end_of_comment(code, place)
        elif match["string"]:
            found.append(Token('""', line))
        elif match["other"]:
            found.append(Token(match["other"].removeprefix("r#"), line))
    return found


def _end_of_comment(code: str, place: int) -> int:
    """Where the comment ends whose `/*` is just before `place`: comments of this kind can be nested."""
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(code, place)):
        depth += 1 if edge[0] == "/*" else -1
        place = edge.end()
    return place if not depth else len(code)
