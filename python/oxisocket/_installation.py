"""Putting oxisocket in the place of the standard library's ``socket``, and taking it away again.

What has to change: the two entries in ``sys.modules``, for those who import from now on; the names in the standard
library's module itself, for those who hold that module already; and what was taken out of it by name
(``from socket import socket``), in whatever module it went to. All of it is written down, so that it can be undone.
"""

from __future__ import annotations

import contextlib
import copyreg
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any, NamedTuple


class Installation(NamedTuple):
    """What ``install()`` found and did."""

    #: Whether ``ssl.SSLSocket`` is, or will be, a subclass of oxisocket's class. False where ``ssl`` was imported before:
    #: its own class then stays on the standard library's, and still wraps oxisocket's sockets.
    native_ssl: bool
    #: The modules that had taken something out of ``socket`` by name, and now have oxisocket's.
    rebound: tuple[str, ...]


class _Undo:
    """A list of changes to dictionaries, undone from the last to the first."""

    _ABSENT = object()

    def __init__(self) -> None:
        self._changes: list[tuple[dict[Any, Any], Any, Any, Any]] = []

    def set(self, names: dict[Any, Any], name: Any, value: Any) -> None:
        self._changes.append((names, name, names.get(name, self._ABSENT), value))
        names[name] = value

    def undo(self) -> None:
        while self._changes:
            names, name, before, after = self._changes.pop()
            if names.get(name, self._ABSENT) is not after:
                continue  # Somebody changed it meanwhile: that is not ours to undo.
            if before is self._ABSENT:
                del names[name]
            else:
                names[name] = before


class _Twin(types.ModuleType):
    """The class of both modules while one stands in for the other: what is set in one is set in both.

    Programs replace ``socket.getaddrinfo`` and the like; it must not matter which of the two modules they, and those who
    call it, hold.
    """

    def __setattr__(self, name: str, value: object) -> None:
        for module in _twins_for(self, name):
            types.ModuleType.__setattr__(module, name, value)

    def __delattr__(self, name: str) -> None:
        for module in _twins_for(self, name):
            types.ModuleType.__delattr__(module, name)


def _twins_for(module: types.ModuleType, name: str) -> tuple[types.ModuleType, ...]:
    """Whom a change concerns: both, but for the names that say what a module is."""
    return (module,) if name.startswith("__") or not _twins else _twins


_lock = threading.RLock()
_undo: _Undo | None = None
_twins: tuple[types.ModuleType, ...] = ()
_last = Installation(native_ssl=False, rebound=())
_users = 0  # with-statements under way that rely on the installation
_outlives_users = False  # it was there before the first of them
_told = False


def install() -> Installation:
    """Make ``import socket`` give oxisocket, in the whole program, and return what was found.

    Works before and after ``ssl``, ``asyncio``, ``http`` and others were imported: those that hold the standard library's
    ``socket`` use oxisocket from now on. Sockets made before stay what they are, and go on. Doing it twice does nothing
    more. ``uninstall()`` undoes it.
    """
    global _undo, _last
    with _lock:
        if _undo is None:
            undo = _Undo()
            try:
                _last = _install(undo)
            except BaseException:
                _part()
                undo.undo()
                raise
            _undo = undo
            if not _last.native_ssl:
                _tell()
        return _last


def uninstall() -> None:
    """Undo ``install()``: everything is as before. Sockets made meanwhile stay what they are, and go on."""
    global _undo
    with _lock:
        if _undo is None:
            return
        twins = _twins
        _part()
        _undo.undo()
        _undo = None
        if twins:
            _give_back(*twins)


@contextlib.contextmanager
def installed() -> Iterator[Installation]:
    """``install()`` for the time of a with-statement; what was installed before it stays so."""
    global _users, _outlives_users
    with _lock:
        if not _users:
            _outlives_users = _undo is not None
        installation = install()
        _users += 1
    try:
        yield installation
    finally:
        with _lock:
            _users -= 1
            if not _users and not _outlives_users:
                uninstall()


def _tell() -> None:
    """Say once what could only be half done. Who has not loaded ``logging`` does not listen."""
    global _told
    logging = sys.modules.get("logging")
    if logging is not None and not _told:
        _told = True
        text = "ssl was imported before oxisocket was installed: SSLSocket stays on the standard library's socket"
        logging.getLogger("oxisocket").info(text)


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
    return Installation(native_ssl, rebound)


def _stands_on_oxisocket(ssl: types.ModuleType | None) -> bool:
    import oxisocket

    return ssl is not None and issubclass(ssl.SSLSocket, oxisocket.socket)


def _replace(undo: _Undo, original: types.ModuleType, replacement: types.ModuleType) -> tuple[str, ...]:
    """Fill the standard library's module with oxisocket's names; returns the modules that had taken some of them."""
    global _twins
    shared = _shared_names(original, replacement)
    moved = {id(old): (old, new) for old, new in shared.values() if _is_one_of_its_kind(old)}
    rebound = []
    for module_name, names in _namespaces_beside(original, replacement):
        for name, value in list(names.items()):
            old, new = moved.get(id(value), (None, None))
            if new is not None and old is value:
                undo.set(names, name, new)
                rebound.append(module_name)
    for reducers in _reducers():
        if original.socket in reducers:
            undo.set(reducers, replacement.socket, reducers[original.socket])
    for name, (_, new) in shared.items():
        undo.set(vars(original), name, new)
    # Modules have the mark for "no timeout given" in the defaults of their functions, and ask whether a timeout is that very one.
    undo.set(vars(replacement), "_GLOBAL_DEFAULT_TIMEOUT", original.__dict__["_GLOBAL_DEFAULT_TIMEOUT"])
    _twins = (original, replacement)
    for module in _twins:
        module.__class__ = _Twin
    return tuple(sorted(set(rebound)))


def _part() -> None:
    """Make modules like others of the twins again."""
    global _twins
    for module in _twins:
        module.__class__ = types.ModuleType
    _twins = ()


def _give_back(original: types.ModuleType, replacement: types.ModuleType) -> None:
    """Give the standard library's modules that were imported meanwhile what they would have got without us.

    They said ``import socket``; of others that hold oxisocket nobody knows what they said.
    """
    back = {id(new): (new, old) for old, new in _shared_names(original, replacement).values() if _is_one_of_its_kind(new)}
    back[id(replacement)] = (replacement, original)
    for module_name, names in _namespaces_beside(original, replacement):
        if module_name.partition(".")[0] in sys.stdlib_module_names and module_name != "__main__":
            for name, value in list(names.items()):
                new, old = back.get(id(value), (None, None))
                if old is not None and new is value:
                    names[name] = old
    for reducers in _reducers():
        if replacement.socket in reducers:
            reducers.setdefault(original.socket, reducers[replacement.socket])


def _shared_names(original: types.ModuleType, replacement: types.ModuleType) -> dict[str, tuple[Any, Any]]:
    """What the two modules have under the same name, where it differs.

    Without the private names: the standard library's own class, on which an earlier ``ssl`` stands, goes on working with its own.
    """
    theirs, ours = vars(original), vars(replacement)
    names = [name for name in theirs if not name.startswith("_") and name in ours and ours[name] is not theirs[name]]
    return {name: (theirs[name], ours[name]) for name in names}


def _is_one_of_its_kind(value: Any) -> bool:
    """Whether who has it has it from its module: a class or a function. Numbers are the same in both, and belong to anybody."""
    return callable(value) and not isinstance(value, int)


def _namespaces_beside(*modules: types.ModuleType) -> Iterator[tuple[str, dict[str, Any]]]:
    """The names of all loaded modules but these; lazy ones stay unloaded."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, types.ModuleType) and not any(module is each for each in modules):
            yield name, object.__getattribute__(module, "__dict__")


def _reducers() -> Iterator[dict[Any, Any]]:
    """The tables that say how objects of a class are sent: by ``pickle``, and by ``multiprocessing`` where it is loaded."""
    yield copyreg.dispatch_table
    reduction = sys.modules.get("multiprocessing.reduction")
    if reduction is not None:
        yield reduction.ForkingPickler._extra_reducers
