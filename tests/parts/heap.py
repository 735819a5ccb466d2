"""How much memory this process has allocated."""

from __future__ import annotations

import ctypes


class Information(ctypes.Structure):
    """`struct mallinfo2`."""

    _names = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    _fields_ = [(name, ctypes.c_size_t) for name in _names]


def heap():
    """The bytes that malloc has given out, to the interpreter and to Rust; None if the C library does not tell."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return None
    ask.restype = Information
    information = ask()
    return information.uordblks + information.hblkhd
