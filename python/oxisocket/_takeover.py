"""Putting oxisocket in the place of the standard library's ``socket`` and ``_socket``."""

import sys


def take_over() -> None:
    """From now on ``import socket`` and ``import _socket`` give oxisocket."""
    import oxisocket
    from oxisocket import _socket

    sys.modules["socket"] = oxisocket
    sys.modules["_socket"] = _socket
