"""Putting oxisocket in the place of the standard library's ``socket``, and taking it away again.

What has to change: the two entries in ``sys.modules``, for those who import from now on; the names in the standard
library's module itself, for those who hold that module already; and what was taken out of it by name
(``from socket import socket``), in whatever module it went to. All of it is written down, so that it can be undone.

Only what is still the standard library's own is replaced. What somebody has put in its place stays, and both modules have it.
"""

from __future__ import annotations

import contextlib
import copyreg
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from oxisocket import _origin
from oxisocket._twins import ABSENT, Twins, lock


class Installation(NamedTuple):
    """What ``install()`` found and did."""

    #: Whether ``ssl.SSLSocket`` is, or will be, a subclass of oxisocket's class. False where ``ssl`` was imported before:
    #: its own class then stays on the standard library's, and still wraps oxisocket's sockets.
    native_ssl: bool
    #: The modules that had taken something out of ``socket`` by name, and now have oxisocket's.
    rebound: tuple[str, ...]
    #: What others had put in the place of the standard library's own, and what was therefore not replaced, by its full name, as
    #: ``{"socket.socket": <class 'socks.socksocket'>}``; what was set in the class itself is ``"socket.socket.connect"``.
    kept: Mapping[str, object] = types.MappingProxyType({})

    @property
    def native_socket(self) -> bool:
        """Whether ``socket.socket`` is oxisocket's class: nobody had put another in its place, or changed it."""
        stops = ("socket", "_socket", "socket.socket")
        return not any(name in stops or name.startswith("socket.socket.") for name in self.kept)


# What works only with a class of the same make: its base, the capsule in which `_ssl` finds the base, the timeout that sockets
# begin with, their files. Where the class stays, these stay with it, and so does the module `_socket`.
_WITH_THE_CLASS = frozenset({"socket", "SocketType", "SocketIO", "CAPI", "getdefaulttimeout", "setdefaulttimeout"})

_current: _Takeover | None = None
_users = 0  # with-statements under way that rely on the installation
_outlives_users = False  # it was there before the first of them
_told: set[str] = set()


def install(oxisocket: types.ModuleType) -> Installation:
    """Make ``import socket`` give this module, which is oxisocket, in the whole program, and return what was found.

    Works before and after ``ssl``, ``asyncio``, ``http`` and others were imported: those that hold the standard library's
    ``socket`` use oxisocket from now on. Sockets made before stay what they are, and go on. What a library has put in the place
    of the standard library's own stays (``Installation.kept``); doing it again replaces what has become the standard library's
    own since, and nothing else. ``uninstall()`` undoes it.
    """
    global _current
    with lock:
        takeover = _current
        if takeover is None:
            takeover = _Takeover(oxisocket)
            try:
                takeover.start()
            except BaseException:
                takeover.withdraw()
                raise
            if takeover.stands:
                _current = takeover
        elif takeover.found.kept:
            takeover.go_on()
        _tell(takeover.found)
        return takeover.found


def uninstall() -> None:
    """Undo ``install()``: everything is as before. Sockets made meanwhile stay what they are, and go on."""
    global _current
    with lock:
        if _current is not None:
            takeover, _current = _current, None
            takeover.withdraw()


@contextlib.contextmanager
def installed(oxisocket: types.ModuleType) -> Iterator[Installation]:
    """``install()`` for the time of a with-statement; what was installed before it stays so."""
    global _users, _outlives_users
    with lock:
        if not _users:
            _outlives_users = _current is not None
        installation = install(oxisocket)
        _users += 1
    try:
        yield installation
    finally:
        with lock:
            _users -= 1
            if not _users and not _outlives_users:
                uninstall()


def _tell(found: Installation) -> None:
    """Say once what could only be half done. Who has not loaded ``logging`` does not listen."""
    if found.kept:
        _tell_once(f"oxisocket left what others had put there: {', '.join(found.kept)}")
    if found.native_socket and not found.native_ssl:
        _tell_once("ssl was imported before oxisocket was installed: SSLSocket stays on the standard library's socket")


def _tell_once(text: str) -> None:
    logging = sys.modules.get("logging")
    if logging is not None and text not in _told:
        _told.add(text)
        logging.getLogger("oxisocket").info(text)


class _Takeover:
    """What there is from install() to uninstall()."""

    def __init__(self, oxisocket: types.ModuleType) -> None:
        self._oxisocket = oxisocket
        self.found = Installation(native_ssl=False, rebound=())
        #: Whether anything was done.
        self.stands = False
        self._undo = _Undo()
        self._twins: Twins | None = None
        self._open: set[str] = set()  # the names under which something else than oxisocket's still stands
        self._has_class = False
        self._moved: list[tuple[Any, Any]] = []  # what others may have by name, and what it became
        self._default_timeout: float | None = None

    def start(self) -> None:
        """Replace what is the standard library's own."""
        module = sys.modules.get("socket", ABSENT)
        if module is ABSENT or _is_oxisocket(module) or _origin.is_called(module, "socket"):
            self._meet(module)
            self._take(self._strange_base() | self._strange_names())
        else:
            self.found = self.found._replace(kept=types.MappingProxyType({"socket": module}))

    def go_on(self) -> None:
        """Replace what was kept and has become the standard library's own again."""
        before, kept = self.found.kept, self._strange_base() | self._strange_names()
        if kept.keys() != before.keys() or any(kept[name] is not before[name] for name in kept):
            self._take(kept)

    def withdraw(self) -> None:
        """Undo it all."""
        from oxisocket import _socket

        if self._twins is not None:
            self._twins.part()
        self._undo.undo()
        if self._twins is not None:
            self._give_back(self._twins)
        if self._default_timeout is not None and _socket.getdefaulttimeout() == self._default_timeout:
            _socket.setdefaulttimeout(None)

    def _meet(self, module: Any) -> None:
        """Put oxisocket into ``sys.modules``, and make it the twin of the module that was there."""
        self.stands = True
        if module is not ABSENT and not _is_oxisocket(module):
            # Asking it for anything loads a lazy module. It has to be loaded while it is the one in `sys.modules`.
            hasattr(module, "__all__")
            twins = self._twins = Twins(module, self._oxisocket)
            theirs, ours = twins.theirs, twins.ours
            shared = [name for name in list(theirs) if name in ours and not name.startswith("_")]
            self._open = {name for name in shared if theirs[name] is not ours[name]}
            for name in list(theirs):
                # What somebody has added is for all. And modules have the mark for "no timeout given" in the defaults of their
                # functions, and ask whether a timeout is that very one.
                added = name not in ours and not name.startswith("__")
                if (added or name == "_GLOBAL_DEFAULT_TIMEOUT") and not twins.knows(name):
                    twins.put(name, theirs[name])
            twins.join()
        self._undo.set(sys.modules, "socket", self._oxisocket)

    def _take(self, kept: dict[str, object]) -> None:
        """Replace all that has not been replaced yet, but for what is kept."""
        found = self.found._replace(kept=types.MappingProxyType(kept))
        ready = self._open - {name.split(".")[1] for name in kept if "." in name}
        if not found.native_socket:
            ready -= _WITH_THE_CLASS
        elif not self._has_class:
            found = found._replace(native_ssl=self._take_base())
            self._has_class = True
        if self._twins is not None:
            found = found._replace(rebound=tuple(sorted({*found.rebound, *self._take_names(self._twins, ready)})))
        self.found = found

    def _strange_base(self) -> dict[str, object]:
        """What somebody has put in the place of the module ``_socket``."""
        base = sys.modules.get("_socket", ABSENT)
        free = self._has_class or base is ABSENT or _is_oxisocket(base) or _origin.is_base(base)
        return {} if free else {"_socket": base}

    def _strange_names(self) -> dict[str, object]:
        """What somebody has put into the module, or into a class of it, of that which has not been replaced yet."""
        strange: dict[str, object] = {}
        if self._twins is not None:
            origin, theirs, ours = self._twins.origin, self._twins.theirs, self._twins.ours
            for name in sorted(self._open & theirs.keys()):
                value = theirs[name]
                if not origin.made(name, value, ours[name]):
                    strange[f"socket.{name}"] = value
                elif name in ("socket", "SocketIO"):
                    strange |= {f"socket.{name}.{each}": it for each, it in origin.strangers(value).items()}
        return strange

    def _take_base(self) -> bool:
        """Replace the module that the class stands on; returns whether ``ssl`` stands on it, or will."""
        from oxisocket import _socket

        base = _origin.names_of(sys.modules.get("_socket"))
        if base is not None and base is not vars(_socket):
            # Who has derived from the base himself, as gevent has, hands such sockets to `_ssl`: it must know that base.
            if any(_origin.module_of(each) != "socket" for each in type.__subclasses__(base["socket"])):
                with contextlib.suppress(ImportError):
                    import _ssl  # noqa: F401
            timeout = base["getdefaulttimeout"]()
            if timeout is not None and _socket.getdefaulttimeout() is None:
                _socket.setdefaulttimeout(timeout)
                self._default_timeout = timeout
        self._undo.set(sys.modules, "_socket", _socket)
        return "_ssl" not in sys.modules or _stands_on_oxisocket(sys.modules.get("ssl"))

    def _take_names(self, twins: Twins, ready: set[str]) -> set[str]:
        """Replace these names, for those too who had taken them; returns which modules had. The others stay, for both modules."""
        theirs, ours = twins.theirs, twins.ours
        ready &= theirs.keys()
        moved = [(theirs[name], ours[name]) for name in sorted(ready) if _is_one_of_its_kind(theirs[name])]
        if "socket" in ready:
            moved += _methods(theirs["socket"], ours["socket"])
            for reducers in _reducers():
                if theirs["socket"] in reducers:
                    self._undo.set(reducers, ours["socket"], reducers[theirs["socket"]])
        rebound = self._rebind(moved)
        self._moved += moved
        for name in self._open & theirs.keys():
            if name in ready:
                twins.put(name, ours[name])
            elif not twins.knows(name):
                twins.put(name, theirs[name])
        self._open -= ready
        return rebound

    def _rebind(self, moved: list[tuple[Any, Any]]) -> set[str]:
        """Replace what modules have taken by name; returns which had."""
        pairs = {id(old): (old, new) for old, new in moved}
        bases = [old for old, _ in moved if _origin.is_class(old)]
        rebound = set()
        for module_name, names in _other_namespaces():
            found = [(name, pairs[id(value)][1]) for name, value in list(names.items()) if id(value) in pairs]
            if found:
                # A class that calls its base by such a name is of that base, and of no other.
                fixed = _origin.names_used_by_derived_classes(names, bases)
                for name, new in found:
                    if name not in fixed:
                        self._undo.set(names, name, new)
                        rebound.add(module_name)
        return rebound

    def _give_back(self, twins: Twins) -> None:
        """Give the standard library's modules that were imported meanwhile what they would have got without us.

        They said ``import socket``; of others that hold oxisocket nobody knows what they said.
        """
        back = {id(new): old for old, new in [*self._moved, (twins.original, twins.replacement)]}
        for module_name, names in _other_namespaces():
            if module_name.partition(".")[0] in sys.stdlib_module_names and module_name != "__main__":
                for name, value in list(names.items()):
                    if id(value) in back:
                        names[name] = back[id(value)]
        for old, new in self._moved:
            for reducers in _reducers() if _origin.is_class(old) else ():
                if new in reducers:
                    reducers.setdefault(old, reducers[new])


class _Undo:
    """A list of changes to dictionaries, undone from the last to the first."""

    def __init__(self) -> None:
        self._changes: list[tuple[dict[Any, Any], Any, Any, Any]] = []

    def set(self, names: dict[Any, Any], name: Any, value: Any) -> None:
        self._changes.append((names, name, names.get(name, ABSENT), value))
        names[name] = value

    def undo(self) -> None:
        while self._changes:
            names, name, before, after = self._changes.pop()
            if names.get(name, ABSENT) is not after:
                continue  # Somebody changed it meanwhile: that is not ours to undo.
            if before is ABSENT:
                del names[name]
            else:
                names[name] = before


def _is_oxisocket(module: object) -> bool:
    return _origin.name_of(_origin.names_of(module)) in ("oxisocket", "oxisocket._socket")


def _stands_on_oxisocket(ssl: object) -> bool:
    from oxisocket import _socket

    return _origin.derives((_origin.names_of(ssl) or {}).get("SSLSocket"), (_socket.socket,))


def _is_one_of_its_kind(value: Any) -> bool:
    """Whether who has it has it from its module: a class or a function. Numbers are the same in both, and belong to anybody."""
    return callable(value) and not isinstance(value, int)


def _methods(old: type, new: type) -> list[tuple[Any, Any]]:
    """What ``from socket import socket; connect = socket.connect`` gives, with either class."""
    pairs = []
    for old_base, new_base in zip(old.__mro__, new.__mro__, strict=False):
        for name, method in _origin.methods_of(old_base):
            # The base's own, where the class has another of that name.
            holder = new if getattr(old, name) is method else new_base
            pairs.append((method, getattr(holder, name, None)))
    return [(method, counterpart) for method, counterpart in pairs if counterpart is not None]


def _other_namespaces() -> Iterator[tuple[str, dict[str, Any]]]:
    """The names of all loaded modules but those that define sockets; lazy ones stay unloaded.

    Anything can be in ``sys.modules``. A second copy of the standard library's module, as eventlet has one, stays as it is.
    """
    for name, module in list(sys.modules.items()):
        names = _origin.names_of(module)
        if names is not None and issubclass(type(name), str) and not _has_sockets(names):
            yield name, names


def _has_sockets(names: dict[str, Any]) -> bool:
    return _origin.name_of(names) in ("socket", "_socket", "oxisocket", "oxisocket._socket")


def _reducers() -> Iterator[dict[Any, Any]]:
    """The tables that say how objects of a class are sent: by ``pickle``, and by ``multiprocessing`` where it is loaded."""
    yield copyreg.dispatch_table
    reduction = _origin.names_of(sys.modules.get("multiprocessing.reduction"))
    if reduction is not None and "ForkingPickler" in reduction:
        yield reduction["ForkingPickler"]._extra_reducers
