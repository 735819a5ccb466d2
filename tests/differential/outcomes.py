"""The outcome of a call, as text."""

from __future__ import annotations

from collections.abc import Callable


def failure(error: BaseException) -> str:
    """All that a program can learn from an exception."""
    kind = type(error)
    number = f" errno={error.errno} file={error.filename}" if isinstance(error, OSError) else ""
    return f"raised {kind.__module__}.{kind.__qualname__}{error.args!r}{number}: {error}"


def outcome(call: Callable[[], object]) -> str:
    """The result of a call, or its exception. A result is released before this returns."""
    try:
        return repr(call())
    except Exception as error:
        return failure(error)
