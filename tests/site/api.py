"""The pages of the API: each public name with its signature from the stubs and its docstring from the package."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import oxisocket
import stubs
from docstrings import as_rst
from groups import BEYOND, FUNCTIONS, METHODS, OTHERS, WHOLE_PROGRAM, WORDS

Lines = Iterator[str]

INDEX = """\
API
===

Every public name of ``oxisocket`` is here, with its types. What ``socket`` of the standard library has, oxisocket has too, with the
same arguments, results and errors.

.. toctree::
   :maxdepth: 1

   socket
   functions
   beyond
   program
   constants

Types that come up again and again:

``Address``
   What a socket is bound or connected to. Its form depends on the family: ``(host, port)`` for AF_INET, ``(host, port, flowinfo,
   scope_id)`` for AF_INET6, a path for AF_UNIX.
``ReadableBuffer``, ``WriteableBuffer``
   A bytes-like object: ``bytes``, ``bytearray``, ``memoryview``, ``array.array``, …; the latter can be changed.
``Ancillary``
   A control message: ``(level, type, data)``.

Times are in seconds unless a name says otherwise (``rtt_us``), and sizes in bytes. A timeout of None means no timeout.
"""


def pages() -> dict[str, str]:
    """The text of each page, by its file."""
    written = {
        "index.rst": INDEX,
        "socket.rst": _page(_socket()),
        "functions.rst": _page(_grouped("Functions and exceptions", FUNCTIONS)),
        "beyond.rst": _page(_grouped("What socket has not", BEYOND)),
        "program.rst": _page(_grouped("Under a whole program", WHOLE_PROGRAM)),
        "constants.rst": _page(_constants()),
    }
    if forgotten := sorted(public() - _shown()):
        message = f"tests/site/groups.py has no place for: {', '.join(forgotten)}"
        raise SystemExit(message)
    return written


def public() -> set[str]:
    """The names of the package that a program may use: those of its stub that do not begin with an underscore."""
    stub = stubs.stub("oxisocket")
    names = {*stub.all, *stub.defined, *stub.taken} - {"_socket"}
    return {name for name in names if not name.startswith("_")}


def constants() -> dict[str, list[stubs.Name]]:
    """The numbers, by the heading of their block in the stub."""
    stub = stubs.stub("oxisocket._socket")
    found: dict[str, list[stubs.Name]] = {}
    for name in stub.defined.values():
        if stubs.type_of(name.node) in ("Final[int]", "Final[str]") and name.name in public():
            found.setdefault(stub.heading(name.name), []).append(name)
    return found


def _shown() -> set[str]:
    groups = (*FUNCTIONS.values(), *BEYOND.values(), *WHOLE_PROGRAM.values(), *OTHERS.values())
    named = {name for group in groups for name in group}
    return named | {"socket"} | {name.name for names in constants().values() for name in names}


def _page(lines: Lines) -> str:
    return "\n".join(lines) + "\n"


def _title(text: str, mark: str) -> Lines:
    yield from (text, mark * len(text), "")


def _grouped(title: str, groups: Mapping[str, tuple[str, ...]]) -> Lines:
    yield from _title(title, "=")
    yield from (".. py:currentmodule:: oxisocket", "")
    for heading, names in groups.items():
        yield from _title(heading, "-")
        for name in names:
            yield from _object(name)


def _object(name: str) -> Lines:
    found = stubs.find(name)
    if isinstance(found.node, ast.ClassDef):
        yield from _class(name, found.node)
    elif isinstance(found.node, ast.FunctionDef):
        yield from _function("py:function", name, found, getattr(oxisocket, name))
    else:
        value = getattr(oxisocket, name)
        kind = "exception" if _is_exception(value) else "class" if isinstance(value, type) else "data"
        yield from _directive(f"py:{kind}", [name], WORDS[name])


def _class(name: str, node: ast.ClassDef) -> Lines:
    # A class that is no public name of the package, but is what a function returns.
    value = getattr(importlib.import_module(_module(name)), node.name)
    members = stubs.members(node)
    kind = "exception" if _is_exception(value) else "class"
    said = WORDS.get(name) or inspect.getdoc(value) or ""
    yield from _directive(f"py:{kind}", [name.removeprefix("_") + _made_with(members)], said)
    # The members of the standard library's enumerations are constants of the module.
    if name not in OTHERS["Enumerations"]:
        inner = _members_of_enum(members) if issubclass(value, Enum) else _members(name, node, value, members)
        yield from (f"   {line}" if line else "" for line in inner)


def _is_exception(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _made_with(members: Mapping[str, stubs.Name]) -> str:
    for name in "__init__", "__new__":
        if name in members and isinstance(node := members[name].node, ast.FunctionDef):
            return stubs.signature(node, method=True)
    return ""


def _members(owner: str, node: ast.ClassDef, value: Any, members: Mapping[str, stubs.Name]) -> Lines:
    inherited = {name: each for base in node.bases for name, each in _base(owner, base).items()}
    source = stubs.stub(_module(owner))
    for name, each in {**inherited, **members}.items():
        if name.startswith("_"):
            continue
        if isinstance(each.node, ast.FunctionDef) and not stubs.is_property(each.node):
            yield from _function("py:method", name, each, getattr(value, name))
            continue
        kind = "py:property" if stubs.is_property(each.node) else "py:attribute"
        said = inspect.getdoc(getattr(value, name, None)) if kind == "py:property" else ""
        if not said and name in members:
            body = node.body
            place = body.index(each.node)
            said = stubs.comment(each.node, source.lines, body[place + 1] if place + 1 < len(body) else None)
        yield from _directive(kind, [name], said or "", type=stubs.type_of(each.node))


def _base(owner: str, base: ast.expr) -> dict[str, stubs.Name]:
    """What a class inherits from another of the package that is not public itself."""
    name = ast.unparse(base).rpartition(".")[2]
    for module in _module(owner), "oxisocket._socket":
        found = stubs.stub(module).defined.get(name)
        if found and isinstance(found.node, ast.ClassDef) and name.startswith(("_", "Raw")):
            return stubs.members(found.node)
    return {}


def _module(name: str) -> str:
    stub = stubs.stub("oxisocket")
    return "oxisocket" if name in stub.defined else stub.taken[name][0]


def _members_of_enum(members: Mapping[str, stubs.Name]) -> Lines:
    yield from _directive("py:attribute", [name for name in members if not name.startswith("_")], "", quiet=True)


def _function(kind: str, name: str, found: stubs.Name, value: Any) -> Lines:
    method = kind == "py:method"
    static = [node for node in found.nodes if isinstance(node, ast.FunctionDef)]
    is_static = any(ast.unparse(each) == "staticmethod" for node in static for each in node.decorator_list)
    signatures = [name + stubs.signature(node, method=method and not is_static) for node in static]
    yield from _directive(kind, signatures, inspect.getdoc(value) or "", since=found.since, static=is_static)


def _directive(
    kind: str,
    signatures: list[str],
    said: str,
    *,
    type: str = "",
    since: stubs.Since = None,
    quiet: bool = False,
    static: bool = False,
) -> Lines:
    first, *others = signatures
    yield f".. {kind}:: {first}"
    space = " " * len(f".. {kind}:: ")
    yield from (space + other for other in others)
    if type:
        yield f"   :type: {type}"
    if static:
        yield "   :staticmethod:"
    if quiet:
        yield "   :no-contents-entry:"
    yield ""
    if since:
        yield from (f"   Python {since[0]}.{since[1]} and newer.", "")
    if said:
        yield from (*textwrap.indent(as_rst(said, public()), "   ").splitlines(), "")


def _socket() -> Lines:
    yield from _title("The class socket", "=")
    yield from (".. py:currentmodule:: oxisocket", "")
    node, base = stubs.find("socket").node, stubs.find("socket", "oxisocket._socket").node
    assert isinstance(node, ast.ClassDef)
    assert isinstance(base, ast.ClassDef)
    members = {**stubs.members(base), **stubs.members(node)}
    made = members["__init__"].node
    assert isinstance(made, ast.FunctionDef)
    yield from _directive(
        "py:class",
        ["socket" + stubs.signature(made, method=True)],
        (inspect.getdoc(oxisocket.socket) or "") + "\n\n" + WORDS["socket"],
    )
    left = {name for name in members if not name.startswith("_")}
    for heading, names in METHODS.items():
        yield from _title(heading, "-")
        for name in names:
            left.discard(name)
            found, value = members[name], getattr(oxisocket.socket, name)
            if stubs.is_property(found.node):
                lines = _directive("py:property", [f"socket.{name}"], inspect.getdoc(value) or "", type=stubs.type_of(found.node))
            else:
                lines = _function("py:method", f"socket.{name}", found, value)
            yield from lines
    if left:
        message = f"tests/site/groups.py has no place for the methods {sorted(left)}"
        raise SystemExit(message)


def _constants() -> Lines:
    yield from _title("Constants", "=")
    yield from (".. py:currentmodule:: oxisocket", "")
    yield from ("Each is there where the system's headers have it, as in the standard library. The numbers are the system's.", "")
    for heading, names in OTHERS.items():
        yield from _title(heading, "-")
        for name in names:
            yield from _object(name)
    for heading, found in constants().items():
        yield from _title(heading, "-")
        for since in sorted({each.since for each in found}, key=lambda each: each or (0, 0)):
            group = [each.name for each in found if each.since == since]
            yield from _directive("py:data", group, "", since=since, quiet=True)
