"""Replaces the standard library's ``socket`` by oxisocket, and undoes that.

Three things change: the two entries in ``sys.modules``, for later imports; the names in the standard library's module itself, for
modules that have imported it already; and the names that other modules have taken out of it (``from socket import socket``). Each
change is recorded, so that it can be undone.

Only the standard library's own objects are replaced. If a library has put another object in the
place of one, that object stays, and both modules have it.
"""

from __future__ import annotations

import enum
import sys
import types

from oxisocket import _origin
from oxisocket._twins import ABSENT, Twins, lock

TYPE_CHECKING = False  # see `_program` on what is imported before a program runs
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import Any, NamedTuple

    class _Findings(NamedTuple):
        #: Whether ``ssl.SSLSocket`` is, or will be, a subclass of oxisocket's class. False if ``ssl`` was imported before:
        #: its class then still derives from the standard library's, and still wraps oxisocket's sockets.
        native_ssl: bool
        #: The modules that had taken names out of ``socket``, and now have oxisocket's.
        rebound: tuple[str, ...]
        #: What other libraries had put in place of the standard library's own objects, and what was therefore not replaced, by
        #: full name, as ``{"socket.socket": <class 'socks.socksocket'>}``; an attribute set in the class itself is
        #: ``"socket.socket.connect"``.
        kept: Mapping[str, object] = types.MappingProxyType({})
        #: Whether each ``create_connection`` that does not say otherwise lets its attempts overlap (Happy Eyeballs, RFC 8305).
        happy_eyeballs: bool = False
else:
    _DEFAULTS = {"kept": types.MappingProxyType({}), "happy_eyeballs": False}

    class _Findings(tuple):
        """A named tuple, without the modules that ``collections`` imports."""

        __slots__ = ()
        __match_args__ = _fields = ("native_ssl", "rebound", "kept", "happy_eyeballs")
        _field_defaults = _DEFAULTS

        def __new__(_cls, native_ssl, rebound, kept=_DEFAULTS["kept"], happy_eyeballs=False):
            return tuple.__new__(_cls, (native_ssl, rebound, kept, happy_eyeballs))

        @classmethod
        def _make(cls, iterable):
            values = tuple(iterable)
            if len(values) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(values)}")
            return tuple.__new__(cls, values)

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            shown = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({shown})"

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, /, **changes):
            replaced = self._make(map(changes.pop, self._fields, self))
            if changes:
                error = TypeError if sys.version_info >= (3, 13) else ValueError
                raise error(f"Got unexpected field names: {list(changes)!r}")
            return replaced

        if sys.version_info >= (3, 13):
            __replace__ = _replace

    for _index, _name in enumerate(_Findings._fields):
        setattr(_Findings, _name, property(lambda self, index=_index: self[index], doc=f"Alias for field number {_index}"))


class Installation(_Findings):
    """What ``install()`` found and did."""

    __slots__ = ()

    @property
    def native_socket(self) -> bool:
        """Whether ``socket.socket`` is oxisocket's class: no library had put another class in its place, or changed it."""
        stops = ("socket", "_socket", "socket.socket")
        return not any(name in stops or name.startswith("socket.socket.") for name in self.kept)


# Names that work only with the class of the same implementation: its base, the capsule in which `_ssl` finds the base, the
# default timeout, the class of raw files. Where the class stays, these stay with it, and so does the module `_socket`.
_TIED_TO_THE_CLASS = frozenset({"socket", "SocketType", "SocketIO", "CAPI", "getdefaulttimeout", "setdefaulttimeout"})

_current: _Takeover | None = None
_users = 0  # how many running with-statements rely on the installation
_outlives_users = False  # whether it was installed before the first of them
_logged: set[str] = set()
_notes_before: bool | None = None  # whether errors had notes before install() was told; None if it was not told

# The default of `happy_eyeballs_delay` after `install(happy_eyeballs=True)`, in seconds: what RFC 8305 recommends.
_HAPPY_EYEBALLS_DELAY = 0.25


def install(oxisocket: types.ModuleType, happy_eyeballs: bool | None = None, notes: bool | None = None) -> Installation:
    """Make ``import socket`` give this module, which is oxisocket, in the whole program, and return what was found.

    Works before and after ``ssl``, ``asyncio``, ``http`` and others were imported: those that have imported the standard
    library's ``socket`` use oxisocket from now on. Sockets made before keep their class, and still work. What a library has put
    in place of the standard library's own objects stays (``Installation.kept``). Calling this again replaces only what has become
    the standard library's own since. ``happy_eyeballs`` is for each ``create_connection`` that leaves it open, and ``notes`` says
    whether errors get notes; None changes nothing. ``uninstall()`` undoes it.
    """
    global _current, _notes_before
    with lock:
        takeover = _current
        if takeover is None:
            takeover = _Takeover(oxisocket)
            try:
                takeover.start()
            except BaseException:
                takeover.undo()
                raise
            if takeover.is_installed:
                _current = takeover
                _name_module(oxisocket, "oxisocket", "socket")
        elif takeover.found.kept:
            takeover.update()
        if notes is not None:
            before = _switch_notes(notes)
            _notes_before = before if _notes_before is None else _notes_before
        if happy_eyeballs is not None:
            _set_happy_eyeballs(oxisocket, happy_eyeballs)
        takeover.report(happy_eyeballs=_has_happy_eyeballs(oxisocket))
        _log(takeover.found)
        return takeover.found


def uninstall(oxisocket: types.ModuleType) -> None:
    """Undo ``install()``: everything is as before. Sockets made meanwhile keep their class, and still work."""
    global _current, _notes_before
    with lock:
        _set_happy_eyeballs(oxisocket, False)
        if _notes_before is not None:
            _switch_notes(_notes_before)
            _notes_before = None
        if _current is not None:
            takeover, _current = _current, None
            _name_module(oxisocket, "socket", "oxisocket")
            takeover.undo()


def installed(
    oxisocket: types.ModuleType, happy_eyeballs: bool | None = None, notes: bool | None = None
) -> AbstractContextManager[Installation]:
    """``install()`` for the duration of a with-statement. An earlier installation stays, and gets its two switches back."""
    import contextlib

    return contextlib.contextmanager(_installed)(oxisocket, happy_eyeballs, notes)


def _installed(oxisocket: types.ModuleType, happy_eyeballs: bool | None, notes: bool | None) -> Iterator[Installation]:
    global _users, _outlives_users
    with lock:
        if not _users:
            _outlives_users = _current is not None
        had_happy_eyeballs = _has_happy_eyeballs(oxisocket)
        installation = install(oxisocket, happy_eyeballs)
        before = None if notes is None else _switch_notes(notes)
        _users += 1
    try:
        yield installation
    finally:
        with lock:
            _users -= 1
            if before is not None:
                _switch_notes(before)
            if not _users and not _outlives_users:
                uninstall(oxisocket)
            elif happy_eyeballs is not None:
                install(oxisocket, had_happy_eyeballs)


def _name_module(oxisocket: types.ModuleType, before: str, after: str) -> None:
    """Change the name of the module that the package's functions and enums say they are of.

    Pickles have it, and may be read by a Python without oxisocket.
    """
    for value in list(vars(oxisocket).values()):
        is_ours = type(value) is types.FunctionType or type(value) is enum.EnumMeta
        if is_ours and value.__module__ == before:
            value.__module__ = after


def _has_happy_eyeballs(oxisocket: types.ModuleType) -> bool:
    return vars(oxisocket)["_happy_eyeballs_delay"] is not None


def _set_happy_eyeballs(oxisocket: types.ModuleType, wanted: bool) -> None:
    # Not by `setattr`: that would set the name in the standard library's module too.
    vars(oxisocket)["_happy_eyeballs_delay"] = _HAPPY_EYEBALLS_DELAY if wanted else None


def _switch_notes(on: bool) -> bool:
    """Switch notes on errors on or off; return whether they were on."""
    from oxisocket import _socket

    return _socket._switch_notes(on)


def _log(found: Installation) -> None:
    """Log, once each, what could not be replaced. A program that has not imported ``logging`` gets no message."""
    if found.kept:
        _log_once(f"oxisocket left what others had put there: {', '.join(found.kept)}")
    if found.native_socket and not found.native_ssl:
        _log_once("ssl was imported before oxisocket was installed: SSLSocket stays on the standard library's socket")


def _log_once(text: str) -> None:
    logging = sys.modules.get("logging")
    if logging is not None and text not in _logged:
        _logged.add(text)
        logging.getLogger("oxisocket").info(text)


class _Takeover:
    """The state between install() and uninstall()."""

    def __init__(self, oxisocket: types.ModuleType) -> None:
        self._oxisocket = oxisocket
        self.found = Installation(native_ssl=False, rebound=())
        #: Whether anything was replaced.
        self.is_installed = False
        self._undo = _Undo()
        self._twins: Twins | None = None
        self._pending: set[str] = set()  # the names that do not have oxisocket's object yet
        self._has_class = False
        self._replaced: list[tuple[Any, Any]] = []  # the objects that other modules may have taken, and their replacements
        self._default_timeout: float | None = None

    def start(self) -> None:
        """Replace the standard library's own objects."""
        module = sys.modules.get("socket", ABSENT)
        if module is ABSENT or _is_oxisocket(module) or _origin.is_called(module, "socket"):
            self._link_with(module)
            self._replace_all(self._foreign_base() | self._foreign_names())
        else:
            self.found = self.found._replace(kept=types.MappingProxyType({"socket": module}))

    def update(self) -> None:
        """Replace what was kept and has become the standard library's own again."""
        before, kept = self.found.kept, self._foreign_base() | self._foreign_names()
        if kept.keys() != before.keys() or any(kept[name] is not before[name] for name in kept):
            self._replace_all(kept)

    def report(self, *, happy_eyeballs: bool) -> None:
        """Let the result of ``install()`` say what is the default now."""
        if happy_eyeballs != self.found.happy_eyeballs:
            self.found = self.found._replace(happy_eyeballs=happy_eyeballs)

    def undo(self) -> None:
        """Undo all changes."""
        from oxisocket import _socket

        if self._twins is not None:
            self._twins.unlink()
        self._undo.undo()
        if self._twins is not None:
            self._restore_meanwhile(self._twins)
        if self._default_timeout is not None and _socket.getdefaulttimeout() == self._default_timeout:
            _socket.setdefaulttimeout(None)

    def _link_with(self, module: Any) -> None:
        """Put oxisocket into ``sys.modules``, and link it with the module that was there."""
        self.is_installed = True
        if module is not ABSENT and not _is_oxisocket(module):
            # Any access to an attribute loads a lazy module. It must be loaded while it is in `sys.modules`.
            hasattr(module, "__all__")
            twins = self._twins = Twins(module, self._oxisocket)
            theirs, ours = twins.theirs, twins.ours
            shared = [name for name in list(theirs) if name in ours and not name.startswith("_")]
            self._pending = {name for name in shared if theirs[name] is not ours[name]}
            for name in list(theirs):
                # Names that a library has added are set in both. So is the object for "no timeout given": other modules have it
                # in default values of their functions, and compare timeouts with it by identity.
                added = name not in ours and not name.startswith("__")
                if (added or name == "_GLOBAL_DEFAULT_TIMEOUT") and not twins.knows(name):
                    twins.set_both(name, theirs[name])
            twins.link()
        self._undo.set(sys.modules, "socket", self._oxisocket)

    def _replace_all(self, kept: dict[str, object]) -> None:
        """Replace all that has not been replaced yet, except what is kept."""
        found = self.found._replace(kept=types.MappingProxyType(kept))
        ready = self._pending - {name.split(".")[1] for name in kept if "." in name}
        if not found.native_socket:
            ready -= _TIED_TO_THE_CLASS
        elif not self._has_class:
            found = found._replace(native_ssl=self._replace_base())
            self._has_class = True
        if self._twins is not None:
            found = found._replace(rebound=tuple(sorted({*found.rebound, *self._replace_names(self._twins, ready)})))
        self.found = found

    def _foreign_base(self) -> dict[str, object]:
        """What another library has put in place of the module ``_socket``."""
        base = sys.modules.get("_socket", ABSENT)
        free = self._has_class or base is ABSENT or _is_oxisocket(base) or _origin.is_base(base)
        return {} if free else {"_socket": base}

    def _foreign_names(self) -> dict[str, object]:
        """What other libraries have put into the module or into its classes, under names that have not been replaced yet."""
        foreign: dict[str, object] = {}
        if self._twins is not None:
            origin, theirs, ours = self._twins.origin, self._twins.theirs, self._twins.ours
            for name in sorted(self._pending & theirs.keys()):
                value = theirs[name]
                if not origin.made(name, value, ours[name]):
                    foreign[f"socket.{name}"] = value
                elif name in ("socket", "SocketIO"):
                    foreign |= {f"socket.{name}.{each}": it for each, it in origin.foreign_attributes(value).items()}
        return foreign

    def _replace_base(self) -> bool:
        """Replace the module of the base class; return whether ``ssl`` uses it, or will."""
        from oxisocket import _socket

        base = _origin.names_of(sys.modules.get("_socket"))
        if base is not None and base is not vars(_socket):
            # A library that has derived a class from the base, as gevent has, passes its sockets to `_ssl`, which must know that
            # base.
            if any(_origin.module_of(each) != "socket" for each in type.__subclasses__(base["socket"])):
                try:  # noqa: SIM105
                    import _ssl  # noqa: F401
                except ImportError:
                    pass
            timeout = base["getdefaulttimeout"]()
            if timeout is not None and _socket.getdefaulttimeout() is None:
                _socket.setdefaulttimeout(timeout)
                self._default_timeout = timeout
        self._undo.set(sys.modules, "_socket", _socket)
        return "_ssl" not in sys.modules or _uses_oxisocket(sys.modules.get("ssl"))

    def _replace_names(self, twins: Twins, ready: set[str]) -> set[str]:
        """Replace these names, also in modules that had taken them; return those modules. Other names stay in both modules."""
        theirs, ours = twins.theirs, twins.ours
        ready &= theirs.keys()
        replaced = [(theirs[name], ours[name]) for name in sorted(ready) if _has_known_origin(theirs[name])]
        if "socket" in ready:
            replaced += _methods(theirs["socket"], ours["socket"])
            for reducers in _reducers():
                if theirs["socket"] in reducers:
                    self._undo.set(reducers, ours["socket"], reducers[theirs["socket"]])
        rebound = self._rebind(replaced)
        self._replaced += replaced
        for name in self._pending & theirs.keys():
            if name in ready:
                twins.set_both(name, ours[name])
            elif not twins.knows(name):
                twins.set_both(name, theirs[name])
        self._pending -= ready
        return rebound

    def _rebind(self, replaced: list[tuple[Any, Any]]) -> set[str]:
        """Replace the names that modules have taken; return those modules."""
        pairs = {id(old): (old, new) for old, new in replaced}
        bases = [old for old, _ in replaced if _origin.is_class(old)]
        rebound = set()
        for module_name, names in _other_namespaces():
            found = [(name, pairs[id(value)][1]) for name, value in list(names.items()) if id(value) in pairs]
            if found:
                # A class that calls its base by such a name needs exactly this base.
                fixed = _origin.names_used_by_derived_classes(names, bases)
                for name, new in found:
                    if name not in fixed:
                        self._undo.set(names, name, new)
                        rebound.add(module_name)
        return rebound

    def _restore_meanwhile(self, twins: Twins) -> None:
        """Give modules of the standard library that were imported meanwhile what they would have got without oxisocket.

        They have executed ``import socket``. Other modules that have oxisocket may have imported it by its own name.
        """
        back = {id(new): old for old, new in [*self._replaced, (twins.original, twins.replacement)]}
        for module_name, names in _other_namespaces():
            if module_name.partition(".")[0] in sys.stdlib_module_names and module_name != "__main__":
                for name, value in list(names.items()):
                    if id(value) in back:
                        names[name] = back[id(value)]
        for old, new in self._replaced:
            for reducers in _reducers() if _origin.is_class(old) else ():
                if new in reducers:
                    reducers.setdefault(old, reducers[new])


class _Undo:
    """A list of changes to dictionaries, undone in reverse order."""

    def __init__(self) -> None:
        self._changes: list[tuple[dict[Any, Any], Any, Any, Any]] = []

    def set(self, names: dict[Any, Any], name: Any, value: Any) -> None:
        self._changes.append((names, name, names.get(name, ABSENT), value))
        names[name] = value

    def undo(self) -> None:
        while self._changes:
            names, name, before, after = self._changes.pop()
            if names.get(name, ABSENT) is not after:
                continue  # Changed by others meanwhile: leave it.
            if before is ABSENT:
                del names[name]
            else:
                names[name] = before


def _is_oxisocket(module: object) -> bool:
    return _origin.name_of(_origin.names_of(module)) in ("oxisocket", "oxisocket._socket")


def _uses_oxisocket(ssl: object) -> bool:
    from oxisocket import _socket

    return _origin.derives((_origin.names_of(ssl) or {}).get("SSLSocket"), (_socket.socket,))


def _has_known_origin(value: Any) -> bool:
    """Whether the object shows that a module took it from ``socket``: a class or a function does, an int does not."""
    return callable(value) and not isinstance(value, int)


def _methods(old: type, new: type) -> list[tuple[Any, Any]]:
    """The pairs of methods, as ``from socket import socket; connect = socket.connect`` takes them from each class."""
    pairs = []
    for old_base, new_base in zip(old.__mro__, new.__mro__, strict=False):
        for name, method in _origin.methods_of(old_base):
            # The base's own method, where the class has another one of that name.
            holder = new if getattr(old, name) is method else new_base
            pairs.append((method, getattr(holder, name, None)))
    return [(method, counterpart) for method, counterpart in pairs if counterpart is not None]


def _other_namespaces() -> Iterator[tuple[str, dict[str, Any]]]:
    """The names of all loaded modules except those that define sockets. Lazy modules are not loaded.

    Any object can be in ``sys.modules``. A second copy of the standard library's module, as eventlet has one, is not changed.
    """
    for name, module in list(sys.modules.items()):
        names = _origin.names_of(module)
        if names is not None and issubclass(type(name), str) and not _defines_sockets(names):
            yield name, names


def _defines_sockets(names: dict[str, Any]) -> bool:
    return _origin.name_of(names) in ("socket", "_socket", "oxisocket", "oxisocket._socket")


def _reducers() -> Iterator[dict[Any, Any]]:
    """The tables of reducers: of ``pickle``, and of ``multiprocessing`` if it is loaded."""
    # Who has registered a reducer has imported the module.
    table = _origin.names_of(sys.modules.get("copyreg"))
    if table is not None:
        yield table["dispatch_table"]
    reduction = _origin.names_of(sys.modules.get("multiprocessing.reduction"))
    if reduction is not None and "ForkingPickler" in reduction:
        yield reduction["ForkingPickler"]._extra_reducers
