"""What is told on standard error, in the middle of anything and at the program's end."""

from __future__ import annotations

import contextlib
import errno
import os
import sys


def number() -> int:
    """The descriptor of standard error. Raises OSError if there is none: descriptor 2 may be another file of the program then."""
    if sys.__stderr__ is None or sys.__stderr__.closed:
        raise OSError(errno.EBADF, "there is no standard error")
    return 2


def tell(text: str) -> None:
    """Write a text. Raises nothing.

    A program may have no standard error, have put something else in its place, or be writing to it when a signal comes.
    """
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (AttributeError, OSError, RuntimeError, ValueError):
        with contextlib.suppress(OSError):
            os.write(number(), text.encode(errors="replace"))
