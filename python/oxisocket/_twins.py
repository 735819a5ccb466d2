"""Links the standard library's module and oxisocket's while oxisocket is installed: what is set in one is set in both.

Programs replace ``socket.getaddrinfo`` and other names. It must not matter which of the two modules they, and the callers of the
function, have imported.
"""

from __future__ import annotations

import _thread
import types

from oxisocket import _origin

TYPE_CHECKING = False  # see `_program` on what is imported before a program runs
if TYPE_CHECKING:
    from typing import Any

ABSENT: Any = object()

lock = _thread.RLock()
_pair: Twins | None = None


class _Twin(types.ModuleType):
    """The class of both modules while they are linked."""

    def __setattr__(self, name: str, value: object) -> None:
        with lock:
            if _pair is None or not _pair.set(name, value):
                types.ModuleType.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        with lock:
            if _pair is None or name not in self.__dict__ or not _pair.set(name, ABSENT):
                types.ModuleType.__delattr__(self, name)


class Twins:
    """The two linked modules: what each had before, and what both have now. The caller must hold ``lock``."""

    def __init__(self, original: types.ModuleType, replacement: types.ModuleType) -> None:
        self.original, self.replacement = original, replacement
        #: The names of the standard library's module, as they are now.
        self.theirs: dict[str, Any] = vars(original)
        #: The names of oxisocket's module, as they were before the link.
        self.ours: dict[str, Any] = dict(vars(replacement))
        self.origin = _origin.Origin(self.theirs)
        self._names = vars(replacement)
        self._before: dict[str, tuple[Any, Any]] = {}
        self._classes: list[tuple[types.ModuleType, type, type]] = []
        self._unlinked = False
        if _pair is not None and _pair.original is original and _pair.replacement is replacement:
            self._continue(_pair)

    def link(self) -> None:
        """Link the two modules."""
        global _pair
        if _pair is not None:
            _pair._restore_classes()
        for module in (self.original, self.replacement):
            before = type(module)
            twin = _Twin if before is types.ModuleType else type("_Twin", (_Twin, before), {})
            module.__class__ = twin
            self._classes.append((module, before, twin))
        _pair = self

    def set_both(self, name: str, value: object) -> None:
        """Set a name in both. Unlinking restores the values that the two have at this moment."""
        self._before[name] = (self.theirs.get(name, ABSENT), self.ours.get(name, ABSENT))
        self._put_in_both(name, value)

    def knows(self, name: str) -> bool:
        """Whether this name was set in both."""
        return name in self._before

    def set(self, name: str, value: object) -> bool:
        """Set in both what a program sets in one of them. Return False for a name that belongs to one module only."""
        if name.startswith("__") or _origin.is_called(value, f"oxisocket.{name}"):
            return False  # An attribute of the module itself, or a submodule of the package that was imported.
        before = self._before.get(name)
        if not self._unlinked:
            if before is None:
                self._before[name] = (self.theirs.get(name, ABSENT), self._names.get(name, ABSENT))
        elif before is None:
            return False
        elif any(value is each for each in before):
            self._restore(name)
            return True
        self._put_in_both(name, value)
        return True

    def unlink(self) -> None:
        """Restore each module's own values, except for names that a program has patched meanwhile.

        For these names they stay linked until the patch is undone: that restores the value found before, and only in one of the
        two modules.
        """
        self._unlinked = True
        for name, before in list(self._before.items()):
            now = self.theirs.get(name, ABSENT)
            if any(now is each for each in before):
                self._restore(name)
            elif name in self.ours and self.origin.made(name, now, self.ours[name]):
                # A patch from before was undone meanwhile.
                _put(self._names, name, before[1])
                del self._before[name]
        if not self._before:
            self._restore_classes()

    def _continue(self, earlier: Twins) -> None:
        """Take over what each module had before, for names that are patched in both since an earlier installation."""
        self._before.update(earlier._before)
        for name, (_, ours) in earlier._before.items():
            _put(self.ours, name, ours)

    def _put_in_both(self, name: str, value: object) -> None:
        _put(self.theirs, name, value)
        _put(self._names, name, value)

    def _restore(self, name: str) -> None:
        theirs, ours = self._before.pop(name)
        _put(self.theirs, name, theirs)
        _put(self._names, name, ours)
        if self._unlinked and not self._before:
            self._restore_classes()

    def _restore_classes(self) -> None:
        """Give the modules their own classes again."""
        global _pair
        for module, before, twin in self._classes:
            if type(module) is twin:
                module.__class__ = before
        self._classes.clear()
        if _pair is self:
            _pair = None


def _put(names: dict[str, Any], name: str, value: object) -> None:
    if value is ABSENT:
        names.pop(name, None)
    else:
        names[name] = value
