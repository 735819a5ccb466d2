"""Text in the cells of a terminal: how wide it is, cut to fit, and harmless whatever is in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# The SGR parameters of ECMA-48.
STYLES = {
    "": "",
    "time": "2",
    "lane": "2",
    "quiet": "2",
    "title": "1",
    "call": "",
    "connect": "32",
    "data": "36",
    "datagram": "36",
    "end": "2",
    "error": "31",
    "warning": "33",
}


@dataclass(slots=True)
class Piece:
    """A text in one style, at a column of its row."""

    column: int
    text: str
    style: str = ""


def harmless(text: str) -> str:
    r"""The text with whatever is not printable written as Python writes it, `\x1b`: a terminal would obey it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    # The selectors make the character before them wider in some terminals, and the joining letters are drawn into it.
    if character.isprintable() and not "\ufe00" <= character <= "\ufe0f" and not "\u1160" <= character <= "\u11ff":
        return character
    return character.encode("unicode_escape").decode()


def width_of(text: str) -> int:
    """How many cells a harmless text takes."""
    return len(text) if text.isascii() else sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def cut(text: str, width: int) -> str:
    """A harmless text, cut to this many cells; an ellipsis says so."""
    if width_of(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += _width(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + "…" if width > 0 else ""


def row(pieces: Iterable[Piece], width: int, colour: bool) -> str:
    """One line of text from pieces; where two overlap, the later one is seen."""
    cells: list[tuple[str, str]] = [(" ", "")] * width
    for piece in pieces:
        at = piece.column
        for character in piece.text:
            wide = _width(character)
            if wide == 0 and 0 < at <= width:
                cells[at - 1] = (cells[at - 1][0] + character, cells[at - 1][1])
            elif wide and at + wide <= width:
                cells[at : at + wide] = [(character, piece.style)] + [("", piece.style)] * (wide - 1)
            at += wide
    return _painted(cells) if colour else "".join(text for text, _ in cells).rstrip()


def _painted(cells: list[tuple[str, str]]) -> str:
    while cells and cells[-1][0] == " ":
        cells.pop()
    painted, style = [], ""
    for text, wanted in cells:
        if wanted != style and text != " ":
            painted.append(f"\x1b[0;{STYLES[wanted]}m" if STYLES[wanted] else "\x1b[0m")
            style = wanted
        painted.append(text)
    return "".join(painted) + ("\x1b[0m" if style else "")
