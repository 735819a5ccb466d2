"""The complete outcome of a call, for tests that compare two implementations value by value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def typed(value: Any) -> Any:
    """A value with its type: `2`, `True` and `AddressFamily.AF_INET` may be equal, but they are different results."""
    if hasattr(value, "close") and hasattr(value, "fileno"):
        with value:
            return "a socket", value.family, value.type, value.proto, value.gettimeout()
    if isinstance(value, list | tuple):
        return type(value).__name__, [typed(each) for each in value]
    return type(value).__name__, value


def complete_outcome(function: Callable[..., Any], *args: Any, **keywords: Any) -> tuple[Any, ...]:
    try:
        return "returned", typed(function(*args, **keywords))
    except Exception as error:
        # The arguments of a UnicodeError contain the codec's own copy of the text; its message says the same.
        arguments = str(error) if isinstance(error, UnicodeError) else typed(error.args)
        return "raised", type(error), arguments


@pytest.fixture(scope="session")
def answer() -> Callable[..., tuple[Any, ...]]:
    """`answer(function, *args, **keywords)`: what the call returned, with all types, or what it raised."""
    return complete_outcome


@pytest.fixture
def default_timeout(socket: Any) -> Any:
    """`default_timeout(value)` sets the default timeout of the module under test, and the fixture restores it after the test."""
    before = socket.getdefaulttimeout()
    yield socket.setdefaulttimeout
    socket.setdefaulttimeout(before)
