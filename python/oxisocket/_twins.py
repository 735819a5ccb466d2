"""The standard library's module and oxisocket's while one stands in for the other: what is set in one is set in both.

Programs replace ``socket.getaddrinfo`` and the like; it must not matter which of the two modules they, and those who call it,
hold.
"""

from __future__ import annotations

import threading
import types
from typing import Any

from oxisocket import _origin

ABSENT: Any = object()

lock = threading.RLock()
_pair: Twins | None = None


class _Twin(types.ModuleType):
    """The class of both modules meanwhile."""

    def __setattr__(self, name: str, value: object) -> None:
        with lock:
            if _pair is None or not _pair.set(name, value):
                types.ModuleType.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        with lock:
            if _pair is None or name not in self.__dict__ or not _pair.set(name, ABSENT):
                types.ModuleType.__delattr__(self, name)


class Twins:
    """What each of the two modules had, and what both have now. To be used under ``lock``."""

    def __init__(self, original: types.ModuleType, replacement: types.ModuleType) -> None:
        self.original, self.replacement = original, replacement
        #: The names of the standard library's module, as they are now.
        self.theirs: dict[str, Any] = vars(original)
        #: What oxisocket's module has without the other.
        self.ours: dict[str, Any] = dict(vars(replacement))
        self.origin = _origin.Origin(self.theirs)
        self._names = vars(replacement)
        self._before: dict[str, tuple[Any, Any]] = {}
        self._classes: list[tuple[types.ModuleType, type, type]] = []
        self._parted = False
        if _pair is not None and _pair.original is original and _pair.replacement is replacement:
            self._go_on_from(_pair)

    def join(self) -> None:
        """From now on they are twins."""
        global _pair
        if _pair is not None:
            _pair._separate()
        for module in (self.original, self.replacement):
            before = type(module)
            twin = _Twin if before is types.ModuleType else type("_Twin", (_Twin, before), {})
            module.__class__ = twin
            self._classes.append((module, before, twin))
        _pair = self

    def put(self, name: str, value: object) -> None:
        """Give a value to both. What the original has at this moment is what it gets back."""
        self._before[name] = (self.theirs.get(name, ABSENT), self.ours.get(name, ABSENT))
        self._put_in_both(name, value)

    def knows(self, name: str) -> bool:
        """Whether both were given something under this name."""
        return name in self._before

    def set(self, name: str, value: object) -> bool:
        """Give both what somebody sets in one of them. False where it is the business of that one only."""
        if name.startswith("__") or _origin.is_called(value, f"oxisocket.{name}"):
            return False  # It says what a module is, or is a part of the package that was imported.
        before = self._before.get(name)
        if not self._parted:
            if before is None:
                self._before[name] = (self.theirs.get(name, ABSENT), self._names.get(name, ABSENT))
        elif before is None:
            return False
        elif any(value is each for each in before):
            self._give_back(name)
            return True
        self._put_in_both(name, value)
        return True

    def part(self) -> None:
        """Give each its own back, but for names where somebody has put something meanwhile that is still there.

        For these they stay twins till it is taken away: who does that knows what he had found, and knows only one of the two.
        """
        self._parted = True
        for name, before in list(self._before.items()):
            now = self.theirs.get(name, ABSENT)
            if any(now is each for each in before):
                self._give_back(name)
            elif name in self.ours and self.origin.made(name, now, self.ours[name]):
                # What somebody had put there before was taken away meanwhile.
                _put(self._names, name, before[1])
                del self._before[name]
        if not self._before:
            self._separate()

    def _go_on_from(self, earlier: Twins) -> None:
        """Know what each of the two had, under names where somebody has had something in both since an earlier time."""
        self._before.update(earlier._before)
        for name, (_, ours) in earlier._before.items():
            _put(self.ours, name, ours)

    def _put_in_both(self, name: str, value: object) -> None:
        _put(self.theirs, name, value)
        _put(self._names, name, value)

    def _give_back(self, name: str) -> None:
        theirs, ours = self._before.pop(name)
        _put(self.theirs, name, theirs)
        _put(self._names, name, ours)
        if self._parted and not self._before:
            self._separate()

    def _separate(self) -> None:
        """Make modules like others of them again."""
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
