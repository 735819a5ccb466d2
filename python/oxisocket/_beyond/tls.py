"""Deadlines and traces for the calls of native ``ssl``, whose input and output OpenSSL does itself, on the bare descriptor.

OpenSSL waits as long as the socket's timeout says. So while a thread has a deadline, these calls run with a timeout that ends
with it. A trace gets the plain text. The methods are replaced when the first deadline is made, or the first trace begins: a
program without them does not pay.
"""

from __future__ import annotations

import functools
import sys
import threading
from typing import TYPE_CHECKING, Any

from oxisocket import _socket

if TYPE_CHECKING:
    from collections.abc import Callable

# The methods of SSLSocket that call OpenSSL. The others (recv, recv_into, sendall) call these, or oxisocket's own before TLS.
_WAITING = ("do_handshake", "read", "send", "unwrap", "write")


def heed_deadlines() -> None:
    """Have native ``ssl`` heed deadlines, if it was imported and has not done so before."""
    _wrap(_with_deadline)


def tell_calls() -> None:
    """Have native ``ssl`` tell a trace the plain text, if it was imported and has not done so before."""
    _wrap(_traced)


def _wrap(wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put a wrapper around each method of the native class that calls OpenSSL, once."""
    cls = getattr(sys.modules.get("ssl"), "SSLSocket", None)
    if not isinstance(cls, type) or not issubclass(cls, _socket.Socket):
        return
    for name in _WAITING:
        method = cls.__dict__.get(name)
        if method is not None and wrapper not in getattr(method, "wrappers", ()):
            wrapped = wrapper(method)
            wrapped.wrappers = (wrapper, *getattr(method, "wrappers", ()))  # type: ignore[attr-defined]
            setattr(cls, name, wrapped)


def _traced(method: Callable[..., Any]) -> Callable[..., Any]:
    name = method.__name__

    @functools.wraps(method)
    def traced(self: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(self, "_sslobj", None) is None:  # what is sent before the handshake is told as plain calls are
            return method(self, *args, **kwargs)
        return _socket._trace_tls(name, self, method, args, kwargs)

    return traced


class _Borrowed:
    """The timeout of a socket, while calls run with that of their deadlines in its place."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self.replaced_by = timeout
        self.calls: set[object] = set()


# By the id of the socket, which a running call keeps alive. Reentrant, because a signal handler may call a socket too.
_borrowed: dict[int, _Borrowed] = {}
_lock = threading.RLock()


def _with_deadline(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def heeding(self: Any, *args: Any, **kwargs: Any) -> Any:
        left = _socket._remaining_time()
        if left is None:
            return method(self, *args, **kwargs)
        if left == 0.0:
            raise TimeoutError("timed out")
        call = object()
        try:
            _lend(self, call, left, waits_always=method.__name__ == "do_handshake" and (*args, kwargs.get("block"))[0])
            return method(self, *args, **kwargs)
        finally:
            _give_back(self, call)

    return heeding


def _lend(sock: Any, call: object, left: float, *, waits_always: Any) -> None:
    """Give the socket so many seconds as its timeout, for the time of a call, if its own is longer.

    A handshake that is to block waits on a non-blocking socket too.
    """
    with _lock:
        borrowed = _borrowed.get(id(sock))
        timeout = sock.gettimeout() if borrowed is None else borrowed.timeout
        if timeout is not None and timeout <= left and not (waits_always and timeout == 0.0):
            return
        borrowed = _borrowed.setdefault(id(sock), _Borrowed(timeout))
        borrowed.calls.add(call)
        _socket._trace_not(sock.settimeout, left)
        borrowed.replaced_by = sock.gettimeout()


def _give_back(sock: Any, call: object) -> None:
    """After the last of the calls that run at the same time, restore the timeout.

    Unless the program has set another one meanwhile.
    """
    with _lock:
        borrowed = _borrowed.get(id(sock))
        if borrowed is None or call not in borrowed.calls:
            return
        borrowed.calls.remove(call)
        if borrowed.calls:
            return
        del _borrowed[id(sock)]
        if sock.fileno() >= 0 and sock.gettimeout() == borrowed.replaced_by:
            _socket._trace_not(sock.settimeout, borrowed.timeout)
