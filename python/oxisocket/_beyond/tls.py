"""Deadlines for the calls of native ``ssl``, whose input and output OpenSSL does itself, on the bare descriptor.

OpenSSL waits as long as the socket's timeout says. So while a thread has a deadline, these calls run with a timeout that ends
with it. The methods are replaced when the first deadline is entered: a program without deadlines does not pay for them.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from oxisocket import _socket

if TYPE_CHECKING:
    from collections.abc import Callable

# The methods of SSLSocket that call OpenSSL. The others (recv, recv_into, sendall) call these, or oxisocket's own before TLS.
_WAITING = ("do_handshake", "read", "send", "unwrap", "write")


def heed_deadlines() -> None:
    """Have native ``ssl`` heed deadlines, if it was imported and has not done so before."""
    cls = getattr(sys.modules.get("ssl"), "SSLSocket", None)
    if not isinstance(cls, type) or not issubclass(cls, _socket.Socket):
        return
    for name in _WAITING:
        method = cls.__dict__.get(name)
        if method is not None and not hasattr(method, "heeds_deadlines"):
            setattr(cls, name, _with_deadline(method))


def _with_deadline(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def heeding(self: Any, *args: Any, **kwargs: Any) -> Any:
        left = _socket._remaining_time()
        if left is None:
            return method(self, *args, **kwargs)
        if left == 0.0:
            raise TimeoutError("timed out")
        timeout = self.gettimeout()
        if timeout is not None and timeout <= left:
            return method(self, *args, **kwargs)
        self.settimeout(left)
        try:
            return method(self, *args, **kwargs)
        finally:
            if self.fileno() >= 0:
                self.settimeout(timeout)

    heeding.heeds_deadlines = True  # type: ignore[attr-defined]
    return heeding
