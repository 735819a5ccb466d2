"""Texts, times and sizes as pictures show them. A text from a record may be a peer's: nothing in it is to act on the page."""

from __future__ import annotations

import re
import unicodedata

# Controls, marks that turn the direction of what follows, lone surrogates, and what no font has.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

# How Python writes a socket among the results of accept() and socketpair().
_SOCKET = re.compile(r"<[\w.]*[sS]ocket[^<>]*?\bfd=(\d+)[^<>]*>")


def legible(text: str) -> str:
    r"""The text with everything that cannot be seen written as Python writes it: `\n`, `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(each) if unicodedata.category(each) in _UNSEEN else each for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def brief(text: str) -> str:
    """The text with each socket in it as its descriptor: `fd 5`."""
    return _SOCKET.sub(r"fd \1", text) if "ocket" in text else text


def width(text: str) -> int:
    """How many columns of a font of one width the text takes: most of East Asia's characters take two."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF") for each in text)


def shortened(text: str, columns: int) -> str:
    """The text, cut where it takes more than so many columns; an ellipsis tells."""
    if width(text) <= columns:
        return text
    room = columns - 1
    for index, each in enumerate(text):
        room -= width(each)
        if room < 0:
            return text[:index] + "…"
    return text


def duration(ns: int) -> str:
    """A time in the unit that fits it, with three digits: `1.25 ms`."""
    for unit, size in ("s", 10**9), ("ms", 10**6), ("µs", 10**3):
        # What would be rounded to 1000 of a unit is 1 of the next.
        if ns >= size * 0.9995:
            return f"{_three_digits(ns / size)} {unit}"
    return f"{ns} ns"


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:,.0f}"
    text = f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".")


def size(count: int) -> str:
    """A number of bytes: `5 bytes`, `64 kB`. A kB has 1000."""
    if count < 10_000:
        return f"{count:,} byte{'s' * (count != 1)}"
    for unit, factor in ("GB", 10**9), ("MB", 10**6):
        if count >= factor * 0.9995:
            return f"{_three_digits(count / factor)} {unit}"
    return f"{_three_digits(count / 1000)} kB"


def times(count: int) -> str:
    """How often: `once`, `999 times`."""
    return "once" if count == 1 else f"{count:,} times"
