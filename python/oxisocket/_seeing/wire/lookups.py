"""Which names the recorded programs looked up, and what addresses they got."""

from __future__ import annotations

import re
from collections.abc import Iterable

from oxisocket._seeing.record import Call, Record

from .hosts import packed

#: A text in Python's words: what it is asked for, and what it answers. One that has no end goes to the end.
_TEXT = re.compile(r"""'((?:[^'\\]|\\.)*)(?:'|\\?\Z)|"((?:[^"\\]|\\.)*)(?:"|\\?\Z)""", re.DOTALL)

_MOST = 16
"""Wireshark shows the first name of an address; so many are kept."""

_ASK_FOR_NAME = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")
_ASK_FOR_ADDRESS = ("gethostbyaddr", "getnameinfo")


def names_of(records: Iterable[Record]) -> dict[bytes, list[str]]:
    """The names of each address, 4 or 16 bytes, in the order in which they were looked up."""
    found: dict[bytes, list[str]] = {}
    for record in records:
        for call in record.calls:
            for host, name in _answers(call):
                names = found.setdefault(host, [])
                if name not in names and len(names) < _MOST:
                    names.append(name)
    return found


def _answers(call: Call) -> list[tuple[bytes, str]]:
    if call.result is None or call.call not in _ASK_FOR_NAME + _ASK_FOR_ADDRESS:
        return []
    asked, answered = _texts(call.arguments)[:1], _texts(call.result)
    if call.call in _ASK_FOR_ADDRESS:
        asked, answered = answered[:1], asked
    # An address that was "looked up" is not a name of itself.
    if not asked or not asked[0].strip() or packed(asked[0]) is not None:
        return []
    return [(host, asked[0]) for host in map(packed, answered) if host is not None]


def _texts(words: str) -> list[str]:
    """The texts among words of Python: `('127.0.0.1', 80)` has one. No name has anything in it that Python would escape."""
    texts = [single or double for single, double in _TEXT.findall(words)]
    return [each for each in texts if each.isprintable() and "\\" not in each]
