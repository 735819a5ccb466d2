"""Errors of calls, and the notes on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

UNKNOWN = "unknown.invalid"  # RFC 2606: no name server knows it


def failure(call: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """The error of a call."""
    with pytest.raises(OSError) as raised:
        call(*args, **keywords)
    return raised.value


def note(call: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """The one note on the error of a call."""
    notes = failure(call, *args, **keywords).__notes__
    assert len(notes) == 1
    return notes[0]


def shown(address: tuple[Any, ...]) -> str:
    """An address as notes show it."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def matches(pattern: str, text: str) -> None:
    assert re.fullmatch(pattern, text), f"{text!r} does not match {pattern!r}"
