"""The whole outcome of a call, for tests that compare two implementations value by value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def typed(value: Any) -> Any:
    """A value with its type: `2`, `True` and `AddressFamily.AF_INET` are equal, but not the same answer."""
    if hasattr(value, "close") and hasattr(value, "fileno"):
        with value:
            return "a socket", value.family, value.type, value.proto, value.gettimeout()
    if isinstance(value, list | tuple):
        return type(value).__name__, [typed(each) for each in value]
    return type(value).__name__, value


def whole_outcome(function: Callable[..., Any], *args: Any, **keywords: Any) -> tuple[Any, ...]:
    try:
        return "returned", typed(function(*args, **keywords))
    except Exception as error:
        # A UnicodeError's arguments hold the codec's own view of the text, its message says the same
        arguments = str(error) if isinstance(error, UnicodeError) else typed(error.args)
        return "raised", type(error), arguments


@pytest.fixture(scope="session")
def answer() -> Callable[..., tuple[Any, ...]]:
    """`answer(function, *args, **keywords)`: what the call returned, types and all, or what it raised."""
    return whole_outcome


@pytest.fixture
def default_timeout(socket: Any) -> Any:
    """Sets the default timeout of the module under test, and puts it back when the test is over."""
    before = socket.getdefaulttimeout()
    yield socket.setdefaulttimeout
    socket.setdefaulttimeout(before)
