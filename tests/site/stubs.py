"""What the package's stubs and sources say of its names: signatures, types, comments; since which Python each exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from folders import PACKAGE

#: The oldest Python that has a name; None if all have it.
Since = tuple[int, int] | None


@dataclass
class Name:
    """A name of a module, with all its definitions: an overloaded function has several."""

    name: str
    since: Since
    nodes: list[ast.stmt] = field(default_factory=list)

    @property
    def node(self) -> ast.stmt:
        """The first definition."""
        return self.nodes[0]


class Stub:
    """The names that a module defines, and those that it takes from another."""

    def __init__(self, path: Path) -> None:
        text = path.read_text("utf-8")
        self.lines = text.splitlines()
        self.defined: dict[str, Name] = {}
        #: The module and the name there, for each name that is taken from another module of the package.
        self.taken: dict[str, tuple[str, str]] = {}
        self.all: list[str] = []
        for node, since in _statements(ast.parse(text).body):
            self._note(node, since)

    def _note(self, node: ast.stmt, since: Since) -> None:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("oxisocket."):
            for each in node.names:
                self.taken[each.asname or each.name] = (node.module or "", each.name)
        elif isinstance(node, ast.ImportFrom) and node.module == "socket":
            # The standard library's own objects.
            for each in node.names:
                self.defined[each.name] = Name(each.name, since, [node])
        elif isinstance(node, ast.Assign | ast.AugAssign) and ast.unparse(node).startswith("__all__"):
            self.all += ast.literal_eval(node.value)
        elif name := defined(node):
            self.defined.setdefault(name, Name(name, since)).nodes.append(node)

    def heading(self, name: str) -> str:
        """The comment above the block of lines in which a constant is."""
        line = self.defined[name].node.lineno - 1
        while not (found := re.fullmatch(r"# (.+)", self.lines[line])):
            line -= 1
        return found[1]


@cache
def stub(module: str) -> Stub:
    """The stub of a module, or its source where it needs none."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    choices = path / "__init__.pyi", path.with_suffix(".pyi"), path.with_suffix(".py")
    return Stub(next(choice for choice in choices if choice.exists()))


def find(name: str, module: str = "oxisocket") -> Name:
    """The definition of a name, in the module that it comes from."""
    where = stub(module)
    if name in where.defined:
        return where.defined[name]
    source, original = where.taken[name]
    return find(original, source)


def defined(node: ast.stmt) -> str | None:
    """The name that a statement defines."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


def members(node: ast.ClassDef) -> dict[str, Name]:
    """What a class defines."""
    found: dict[str, Name] = {}
    for each, since in _statements(node.body):
        if name := defined(each):
            found.setdefault(name, Name(name, since)).nodes.append(each)
    return found


def is_property(node: ast.stmt) -> bool:
    """Whether a method is read like an attribute."""
    return isinstance(node, ast.FunctionDef) and any(ast.unparse(each) == "property" for each in node.decorator_list)


def type_of(node: ast.stmt) -> str:
    """The type of an attribute or a property."""
    if isinstance(node, ast.FunctionDef):
        return tidy(ast.unparse(node.returns)) if node.returns else ""
    return tidy(ast.unparse(node.annotation)) if isinstance(node, ast.AnnAssign) else ""


def signature(node: ast.FunctionDef, *, method: bool) -> str:
    """The arguments and the result, without `self`."""
    arguments = tidy(ast.unparse(node.args))
    if method:
        arguments = re.sub(r"^(self|cls)(, /)?(, |$)", "", arguments)
    result = "" if node.returns is None else tidy(ast.unparse(node.returns))
    return f"({arguments})" + (f" -> {result}" if result and node.name not in ("__init__", "__new__") else "")


def tidy(text: str) -> str:
    """A type by its plain name: `_socket._ReturnedAddress` is an Address."""
    text = text.replace("_socket._ReturnedAddress", "Address").replace("_ReturnedAddress", "Address")
    text = re.sub(r"\b(?:oxisocket|_socket)\.", "", text)
    return re.sub(r"\b_(?=[A-Z])", "", text)


def comment(node: ast.stmt, lines: list[str], following: ast.stmt | None) -> str:
    """What is said of an attribute: in a string below it, or in lines above it that begin with `#:`."""
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant) and isinstance(following.value.value, str):
        return following.value.value
    said: list[str] = []
    line = node.lineno - 2
    while lines[line].strip().startswith("#:"):
        said.insert(0, lines[line].strip()[2:].strip())
        line -= 1
    return " ".join(said)


def _statements(body: list[ast.stmt], since: Since = None) -> Iterator[tuple[ast.stmt, Since]]:
    for node in body:
        if isinstance(node, ast.If):
            # Where both halves define a name, all Pythons have it.
            newer = since if node.orelse else _version(node.test) or since
            yield from _statements(node.body, newer)
            yield from _statements(node.orelse, since)
        else:
            yield node, since


def _version(test: ast.expr) -> Since:
    found = re.fullmatch(r"sys\.version_info >= \((\d+), (\d+)\)", ast.unparse(test))
    return (int(found[1]), int(found[2])) if found else None
