"""Errors of calls that receive until something is complete. Their names and attributes are those of asyncio's errors."""

from __future__ import annotations


class IncompleteReadError(EOFError):
    """The other end closed the connection before all that was asked for had come."""

    #: The bytes that came before the end.
    partial: bytes
    #: How many bytes were asked for; None if that was not known.
    expected: int | None

    __module__ = "oxisocket"

    def __init__(self, partial: bytes, expected: int | None) -> None:
        total = "undefined" if expected is None else expected
        super().__init__(f"{len(partial)} bytes read on a total of {total} expected bytes")
        self.partial = partial
        self.expected = expected

    def __reduce__(self) -> tuple[type[IncompleteReadError], tuple[bytes, int | None]]:
        return type(self), (self.partial, self.expected)


class LimitOverrunError(ValueError):
    """No separator came within the limit of a Reader. What was read is still in its buffer."""

    #: How many bytes of the buffer certainly come before the separator.
    consumed: int

    __module__ = "oxisocket"

    def __init__(self, message: str, consumed: int) -> None:
        super().__init__(message)
        self.consumed = consumed

    def __reduce__(self) -> tuple[type[LimitOverrunError], tuple[str, int]]:
        return type(self), (self.args[0], self.consumed)
