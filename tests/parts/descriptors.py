"""File descriptors by their numbers. The programs that tests start import this as well."""

from __future__ import annotations

import os


def is_open(number: int) -> bool:
    """Whether this process has an open descriptor of this number."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def open_numbers() -> set[int]:
    """The numbers of the descriptors that are open in this process."""
    listed = [int(name) for name in os.listdir("/proc/self/fd")]  # including the one that listdir used, which is closed now
    return {number for number in listed if is_open(number)}
