"""Putting oxisocket in the place of the standard library's ``socket``, and taking it away again.

What has to change: the two entries in ``sys.modules``, for those who import from now on; the names in the standard library's module
itself, for those who hold that module already; and what was taken out of it by name (``from socket import socket``), in
whatever module it went to. All of it is written down, so that it can be undone.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

class Installation(NamedTuple):
    """What ``install()`` found and did."""

    #: Whether ``ssl.SSLSocket`` is, or will be, a subclass of oxisocket's class. False where ``ssl`` was imported before: its own class
    #: then stays on the standard library's, and still wraps oxisocket's sockets.
    native_ssl: bool
    #: The modules that had taken something out of ``socket`` by name, and now have oxisocket's.
    rebound: tuple[str, ...]


class _Undo:
    """A list of changes to dictionaries, undone from the last to the first."""

    _ABSENT = object()

    def __init__(self) -> None:
        self._before: list[tuple[dict[Any, Any], Any, Any]] = []

    def set(self, names: dict[Any, Any], name: Any, value: Any) -> None:
        self._before.append((names, name, names.get(name, self._ABSENT)))
        names[name] = value

    def undo(self) -> None:
        while self._before:
            names, name, value = self._before.pop()
            if value is self._ABSENT:
                names.pop(name, None)
            else:
                names[name] = value


class _Twin(types.ModuleType):
    """The class of both modules while one stands in for the other: what is set in one is set in both.

    Programs replace ``socket.getaddrinfo`` and the like; it must not matter which of the two modules they, and those who call it, hold.
    """

    def __setattr__(self, name: str, value: object) -> None:
        for module in _twins:
            types.ModuleType.__setattr__(module, name, value)

    def __delattr__(self, name: str) -> None:
        for module in _twins:
            types.ModuleType.__delattr__(module, name)


_lock = threading.RLock()
_undo: _Undo | None = None
_twins: tuple[types.ModuleType, ...] = ()
_last = Installation(native_ssl=False, rebound=())


def install() -> Installation:
    """Make ``import socket`` give oxisocket, in the whole program, and return what was found.

    Works before and after ``ssl``, ``asyncio``, ``http`` and others were imported: those that hold the standard library's ``socket`` use
    oxisocket from now on. Sockets made before stay what they are, and go on. Doing it twice does nothing more. ``uninstall()``
    undoes it.
    """
    global _undo, _last
    with _lock:
        if _undo is None:
            _undo = _Undo()
            _last = _install(_undo)
            if not _last.native_ssl:
                import logging

                text = "ssl was imported before oxisocket was installed: SSLSocket stays on the standard library's socket"
                logging.getLogger("oxisocket").info(text)
        return _last


def uninstall() -> None:
    """Undo ``install()``: everything is as before. Sockets made meanwhile stay what they are, and go on."""
    global _undo, _twins
    with _lock:
        if _undo is None:
            return
        for module in _twins:
            module.__class__ = types.ModuleType
        _twins = ()
        _undo.undo()
        _undo = None


@contextlib.contextmanager
def installed() -> Iterator[Installation]:
    """``install()`` for the time of a with-statement; what was installed before it stays so."""
    with _lock:
        was_installed = _undo is not None
        installation = install()
    try:
        yield installation
    finally:
        if not was_installed:
            uninstall()


def _install(undo: _Undo) -> Installation:
    import oxisocket
    from oxisocket import _socket

    native_ssl = "_ssl" not in sys.modules or _stands_on_oxisocket(sys.modules.get("ssl"))
    original = sys.modules.get("socket")
    if original is oxisocket:
        original = None
    undo.set(sys.modules, "_socket", _socket)
    undo.set(sys.modules, "socket", oxisocket)
    rebound: tuple[str, ...] = ()
    if original is not None:
        rebound = _replace(undo, original, oxisocket)
    _teach_multiprocessing(undo)
    return Installation(native_ssl, rebound)


def _stands_on_oxisocket(ssl: types.ModuleType | None) -> bool:
    import oxisocket

    return ssl is not None and issubclass(ssl.SSLSocket, oxisocket.socket)


def _replace(undo: _Undo, original: types.ModuleType, replacement: types.ModuleType) -> tuple[str, ...]:
    """Fill the standard library's module with oxisocket's names; returns the modules that had taken some of them."""
    global _twins
    theirs = {
        name: value
        for name, value in vars(original).items()
        if not name.startswith("__") and name in vars(replacement) and value is not vars(replacement)[name]
    }
    # Classes and functions; numbers are the same in both, and belong to anybody.
    moved = {id(value): name for name, value in theirs.items() if callable(value) and not isinstance(value, int)}
    rebound = []
    for module_name, module in list(sys.modules.items()):
        if module in (original, replacement) or not isinstance(module, types.ModuleType):
            continue
        names = vars(module)
        for name, value in list(names.items()):
            public = moved.get(id(value))
            if public is not None and theirs[public] is value:
                undo.set(names, name, vars(replacement)[public])
                rebound.append(module_name)
    for name in theirs:
        undo.set(vars(original), name, vars(replacement)[name])
    _twins = (original, replacement)
    for module in _twins:
        module.__class__ = _Twin
    return tuple(sorted(set(rebound)))


def _teach_multiprocessing(undo: _Undo) -> None:
    """Let ``multiprocessing``, where it is loaded already, send oxisocket's sockets to other processes as it sends others."""
    reduction = sys.modules.get("multiprocessing.reduction")
    reduce = getattr(reduction, "_reduce_socket", None)
    if reduction is not None and reduce is not None:
        import oxisocket

        undo.set(reduction.ForkingPickler._extra_reducers, oxisocket.socket, reduce)
