"""Distinguishes the objects that the standard library's module made from those that other libraries have put in their place.

Libraries replace names of ``socket`` by their own classes and functions, whose own attributes prove nothing:
``functools.wraps`` copies a function's names, a mock has any attribute, and a proxy or a cffi library lies about its
class. So only what the interpreter wrote and no library can copy counts: the type, by ``type()``; the globals that a
function was defined in; the module of a C function; the class of a method descriptor. No code of the object runs
to find this out.

Comparing with a second copy of the module would not work: executing it makes its enums write their members into the module
that is in ``sys.modules``.
"""

from __future__ import annotations

import enum
import types

TYPE_CHECKING = False  # see `_program` on what is imported before a program runs
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# The interpreter's own getters: a class, or the class of a module, can override the access to an attribute.
_module_names: Any = vars(types.ModuleType)["__dict__"].__get__
_class_names = vars(type)["__dict__"].__get__
_class_module = vars(type)["__module__"].__get__
_class_name = vars(type)["__qualname__"].__get__
_class_mro = vars(type)["__mro__"].__get__

_DESCRIPTORS_IN_C: tuple[type, ...] = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
_PLAIN = (str, int, tuple, list, dict, frozenset, type(None))


def names_of(module: object) -> dict[str, Any] | None:
    """The names in a module, without loading a lazy one; None for an object that is not a module, even if it claims to be one."""
    names = _module_names(module) if issubclass(type(module), types.ModuleType) else None
    return names if type(names) is dict else None


def is_called(module: object, name: str) -> bool:
    """Whether this is a module whose name is ``name``."""
    return name_of(names_of(module)) == name


def name_of(names: dict[str, Any] | None) -> str | None:
    """The ``__name__`` of a module with these names, or None."""
    name = (names or {}).get("__name__")
    return name if type(name) is str else None


def is_base(module: object) -> bool:
    """Whether this is the extension module ``_socket``."""
    names = names_of(module) or {}
    timeout = names.get("getdefaulttimeout")
    return name_of(names) == "_socket" and is_class(names.get("socket")) and type(timeout) is types.BuiltinFunctionType


def is_class(value: object) -> bool:
    """Whether this is a class, and does not only claim to be one."""
    return issubclass(type(value), type)


def derives(value: object, bases: Iterable[type]) -> bool:
    """Whether this is a class derived from one of ``bases``."""
    return is_class(value) and any(each is base for each in _class_mro(value)[1:] for base in bases)


def module_of(cls: type) -> object:
    """The ``__module__`` of a class, or None."""
    try:
        return _class_module(cls)
    except AttributeError:
        return None


class Origin:
    """The standard library's module as the origin of objects."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names

    def made(self, name: str, value: Any, like: object) -> bool:
        """Whether the module itself made the value of this name; ``like`` is oxisocket's counterpart."""
        kind = type(value)
        if kind is types.FunctionType:
            return self._made_function(value) and bool(value.__code__.co_name == name)
        if kind is types.BuiltinFunctionType:
            return is_called(value.__self__, "_socket") and bool(value.__name__ == name)
        if issubclass(kind, type):
            return self._made_class(name, value)
        if kind in (int, bool, str) or _is_member(kind):
            return bool(value == like)  # A plain value in both: oxisocket has no other kind of value under such a name.
        # A capsule. Modules are the same object in both.
        return kind is type(like) and kind is not types.ModuleType

    def foreign_attributes(self, cls: type) -> dict[str, object]:
        """What other libraries have set in a class that the module made."""
        return {name: value for name, value in _class_names(cls).items() if not self._made_attribute(cls, name, value)}

    def _made_function(self, value: Any) -> bool:
        return type(value) is types.FunctionType and value.__globals__ is self._names

    def _made_class(self, name: str, cls: Any) -> bool:
        if (names_of(self._names.get("_socket")) or {}).get(name) is cls:  # The base class, and exceptions.
            return True
        if module_of(cls) != "socket" or _class_name(cls) != name:
            return False
        # A second copy of the module, as eventlet makes one, has classes of the same names.
        return type(cls) is enum.EnumMeta or any(map(self._made_function, _class_names(cls).values()))

    def _made_attribute(self, cls: type, name: str, value: Any) -> bool:
        kind = type(value)
        if kind is types.FunctionType:
            return self._made_function(value)
        if kind is property:
            return all(each is None or self._made_function(each) for each in (value.fget, value.fset, value.fdel))
        if kind in _DESCRIPTORS_IN_C:
            return value.__name__ == name and any(each is value.__objclass__ for each in _class_mro(cls))
        return name == "_abc_impl" or (name.startswith("__") and kind in _PLAIN)


def _is_member(kind: type) -> bool:
    """Whether this is one of the module's enums."""
    return issubclass(kind, int) and type(kind) is enum.EnumMeta and module_of(kind) == "socket"


def methods_of(cls: type) -> Iterator[tuple[str, Any]]:
    """The methods that a class defines itself, as an access through the class returns them."""
    for name, value in _class_names(cls).items():
        if type(value) in (types.FunctionType, types.MethodDescriptorType):
            yield name, value


def names_used_by_derived_classes(names: dict[str, Any], bases: Iterable[type]) -> set[str]:
    """The names used in the methods of classes that a module itself has derived from ``bases``."""
    used: set[str] = set()
    for value in list(names.values()):
        if derives(value, bases) and module_of(value) == name_of(names):
            for method in _class_names(value).values():
                for code in _codes_of(method):
                    used.update(code.co_names)
    return used


def _codes_of(method: Any) -> Iterator[types.CodeType]:
    """The code of a method, of the function that it wraps, and of nested functions."""
    if type(method) in (staticmethod, classmethod):
        method = method.__func__
    waiting: list[Any] = [method.fget, method.fset, method.fdel] if type(method) is property else [method]
    while waiting:
        value = waiting.pop()
        if type(value) is types.CodeType:
            yield value
            waiting += value.co_consts
        elif type(value) is types.FunctionType:
            waiting += [value.__code__, value.__dict__.get("__wrapped__")]
