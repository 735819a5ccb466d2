"""The arrows of a Rust crate: which file uses which, as its paths say.

A path is followed as the compiler follows it: through modules as far as it names modules, then through the `use` that passes a name on,
to the file that defines what it names. `mod x;` is no arrow, and what is compiled for tests alone has none.

Only paths are seen. A macro that comes without one (`#[macro_use]`) and a file under another name (`#[path]`) are errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from arrows import Arrow
from tokens import Token, tokens

# What is named by a path of more than its own name: `Kind::Stream`, not `value::…`.
_TYPES = {"struct", "enum", "union", "trait", "type"}
_VALUES = {"fn", "const", "static"}
_BEFORE_VALUE = {"mut", "fn", "unsafe", "async", "extern"}
_CLOSING = {"{": "}", "(": ")", "[": "]"}


class Unreadable(Exception):
    """The code has something that is not followed here."""


@dataclass(frozen=True, eq=False)
class Written:
    """A path as it is written, with its line; `*` stands for all names that are behind it."""

    names: tuple[str, ...]
    line: int


class Scope:
    """A module, or a block within one: what its names mean, and what is used in it."""

    def __init__(self, file: Path, folder: Path, *, parent: Scope | None = None, outer: Scope | None = None) -> None:
        self.file = file
        # Where the files of its modules are.
        self.folder = folder
        # The module that `super` is.
        self.parent = parent
        # What a block lies in, where its names are looked up too.
        self.outer = outer
        self.modules: dict[str, Scope] = {}
        self.types: set[str] = set()
        self.values: set[str] = set()
        # What `use` gives a name to, and every path.
        self.uses: dict[str, list[Written]] = {}
        self.paths: list[Written] = []
        self.blocks: list[Scope] = []

    @property
    def module(self) -> Scope:
        """The module itself."""
        return self if self.outer is None else self.outer.module

    def block(self) -> Scope:
        """A new block in this one."""
        self.blocks.append(Scope(self.file, self.folder, parent=self.parent, outer=self))
        return self.blocks[-1]

    def inside(self) -> Iterator[Scope]:
        """This one with every module and block in it."""
        yield self
        for scope in (*self.modules.values(), *self.blocks):
            yield from scope.inside()


# What a path leads to: a module, or the file that defines something else.
Place = Scope | Path


def rust_arrows(root: Path) -> Iterator[Arrow]:
    """The arrows of the crate with this root (`lib.rs` or `main.rs`)."""
    crate = Crate(root)
    for scope in crate.root.inside():
        for path in scope.paths:
            for place in crate.places(scope, path.names):
                yield Arrow(scope.file, path.line, _file(place))


class Crate:
    """The modules of a crate, and where its paths lead."""

    def __init__(self, root: Path) -> None:
        self.root = Scope(root, root.parent)
        _Reader(root).read(self.root)

    def places(self, scope: Scope, names: Sequence[str], seen: frozenset[Written] = frozenset()) -> set[Place]:
        """What a path leads to that is written in this scope; a name can be a module and something else. Nothing outside the crate."""
        first, *rest = names
        match first:
            case "crate":
                found: set[Place] = {self.root}
            case "self":
                found = {scope.module}
            case "super":
                found = {scope.module.parent} if scope.module.parent else set()
            case _:
                found = self._visible(scope, first, seen, last=not rest)
        for index, name in enumerate(rest, 1):
            found = {further for place in found for further in self._behind(place, name, seen, last=index == len(rest))}
        return found

    def _visible(self, scope: Scope | None, name: str, seen: frozenset[Written], *, last: bool) -> set[Place]:
        """What a name means at the beginning of a path: in this scope or else in those around it."""
        while scope:
            if found := self._members(scope, name, seen, last=last):
                return found
            scope = scope.outer
        return set()

    def _behind(self, place: Place, name: str, seen: frozenset[Written], *, last: bool) -> set[Place]:
        """What a name means behind a module, or behind something else: then the file is known already."""
        if isinstance(place, Path) or name in ("*", "self"):
            return {place}
        if name == "super":
            return {place.parent} if place.parent else set()
        # What a macro has made there has no definition to be found.
        return self._members(place, name, seen, last=last) or {place.file}

    def _members(self, scope: Scope, name: str, seen: frozenset[Written], *, last: bool) -> set[Place]:
        found: set[Place] = set()
        if name in scope.modules:
            found.add(scope.modules[name])
        if name in scope.types or (last and name in scope.values):
            found.add(scope.file)
        for use in scope.uses.get(name, ()):
            if use not in seen:
                found |= self.places(scope, use.names, seen | {use}) or {scope.file}
        return found or self._from_all(scope, name, seen, last=last)

    def _from_all(self, scope: Scope, name: str, seen: frozenset[Written], *, last: bool) -> set[Place]:
        """What a name means that came with a `use …::*`."""
        found: set[Place] = set()
        for use in scope.uses.get("*", ()):
            if use not in seen:
                for place in self.places(scope, use.names, seen | {use}):
                    if isinstance(place, Scope):
                        found |= self._members(place, name, seen | {use}, last=last)
        return found


def _file(place: Place) -> Path:
    return place if isinstance(place, Path) else place.file


class _Reader:
    """Reads a file: what it defines, and the paths in it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.tokens = tokens(file.read_text())
        self.next = 0

    def read(self, scope: Scope) -> None:
        """Read to the end of the block, or of the file."""
        while self._text() not in ("", "}"):
            self._read_one(scope)
        self.next += 1

    def _text(self, ahead: int = 0) -> str:
        """The text of the next token, or of one further ahead or behind; nothing where there is none."""
        place = self.next + ahead
        return self.tokens[place].text if 0 <= place < len(self.tokens) else ""

    def _read_one(self, scope: Scope) -> None:
        text, after = self._text(), self._text(1)
        if text == "{":
            self.next += 1
            self.read(scope.block())
        elif text == "#" and after in ("[", "!"):
            self._attribute(scope)
        elif text == "pub" and after == "(":
            self.next += 1
            self._group()
        elif text == "use" and after != "<":
            self._use(scope)
        elif text == "mod" and self._text(2) in (";", "{"):
            self._module(scope)
        elif text == "macro_rules" and after == "!":
            scope.values.add(self._text(2))
            self.next += 3
        elif text in _TYPES and after.isidentifier():
            scope.types.add(after)
            self.next += 2
        # In `*const T` and `&raw const x` nothing is defined.
        elif text in _VALUES and self._text(-1) not in ("*", "raw"):
            self.next += 1
            while self._text() in _BEFORE_VALUE:
                self.next += 1
            scope.values.add(self._text())
        else:
            self._path(scope)

    def _path(self, scope: Scope) -> None:
        """Take a path, or a single token of whatever else."""
        if not self.tokens[self.next].is_name:
            # In `::name`, which is another crate's or a type's, in `.name` and in a macro's `$name` no path begins.
            follows = self._text() in ("::", ".", "$") and self._text(1).isidentifier() and self._text(1) != "crate"
            self.next += 2 if follows else 1
            return
        line, names = self.tokens[self.next].line, [self._text()]
        while self._text(1) == "::" and self._text(2).isidentifier():
            self.next += 2
            names.append(self._text())
        self.next += 1
        if len(names) > 1:
            scope.paths.append(Written(tuple(names), line))

    def _use(self, scope: Scope) -> None:
        self.next += 1
        for name, use in self._tree(()):
            scope.uses.setdefault(name, []).append(use)
            scope.paths.append(use)

    def _tree(self, names: tuple[str, ...]) -> Iterator[tuple[str, Written]]:
        """The names and paths of what is after `use`, or after a `{` or `,` in it."""
        if self._text() == "::":
            names = ("::",)
            self.next += 1
        while self._text().isidentifier() or self._text() == "*":
            line = self.tokens[self.next].line
            names = (*names, self._text())
            self.next += 1
            if self._text() == "::":
                self.next += 1
                continue
            # `a::{self}` is `a`.
            names = names[:-1] if len(names) > 1 and names[-1] == "self" else names
            name = names[-1]
            if self._text() == "as":
                name = self._text(1)
                self.next += 2
            yield name, Written(names, line)
            return
        if self._text() == "{":
            self.next += 1
            while self._text() not in ("", "}"):
                yield from self._tree(names)
                self.next += self._text() == ","
                if self._text() in (";", "$"):
                    return
            self.next += 1

    def _module(self, scope: Scope) -> None:
        name, is_file = self._text(1), self._text(2) == ";"
        self.next += 3
        folder = scope.folder / name
        if not is_file:
            self.read(scope.modules.setdefault(name, Scope(self.file, folder, parent=scope.module)))
            return
        file = next((file for file in (folder.with_suffix(".rs"), folder / "mod.rs") if file.exists()), None)
        if file is None:
            raise Unreadable(f"{self._here()}: there is no file for the module {name}")
        scope.modules[name] = Scope(file, folder, parent=scope.module)
        _Reader(file).read(scope.modules[name])

    def _attribute(self, scope: Scope) -> None:
        start = self.next
        whole_file = self._text(1) == "!"
        self.next += 2 if whole_file else 1
        inside = [token.text for token in self._group()]
        if inside[:1] in (["path"], ["macro_use"]):
            self.next = start
            raise Unreadable(f"{self._here()}: #[{inside[0]}] hides what is used from tests/rooms. Next: do without it")
        if inside == ["test"] or (inside[:1] == ["cfg"] and _condition(inside[2:-1]) is False):
            if whole_file:
                self.next = len(self.tokens)
            else:
                self._skip_item()
            return
        # Such an attribute may name things by their paths, as in `derive(crate::…)`.
        end, self.next = self.next, start + 2 + whole_file
        while self.next < end - 1:
            self._path(scope)
        self.next = end

    def _group(self) -> list[Token]:
        """Pass over a group in brackets: what is in it."""
        opening, start, depth = self._text(), self.next + 1, 0
        while self._text():
            depth += {opening: 1, _CLOSING[opening]: -1}.get(self._text(), 0)
            self.next += 1
            if not depth:
                break
        return self.tokens[start : self.next - 1]

    def _skip_item(self) -> None:
        """Pass over what an attribute is about: an item, a statement, a field, an arm."""
        while self._text() == "#":
            self.next += 1
            self._group()
        if self._text() == "pub":
            self.next += 1
            if self._text() == "(":
                self._group()
        words = [token.text for token in takewhile(lambda token: token.is_name, self.tokens[self.next : self.next + 4])]
        is_binding = not {"use", "const", "static", "let", "type"}.isdisjoint(words) and "fn" not in words
        is_item = not {"fn", "mod", "struct", "enum", "union", "trait", "impl", "unsafe", "extern"}.isdisjoint(words)
        while (text := self._text()) not in ("", "}", ")", "]"):
            if text in _CLOSING:
                self._group()
                if text == "{" and not is_binding:
                    return
                continue
            self.next += 1
            if text == ";" or (text == "," and not is_item and not is_binding):
                return

    def _here(self) -> str:
        return f"{self.file}:{self.tokens[min(self.next, len(self.tokens) - 1)].line}"


def _condition(words: list[str]) -> bool | None:
    """Whether a condition of `cfg` holds in a build that is for neither tests nor the models of loom; None where that depends on the build."""
    values, place = [], 0
    name = words[0] if words else ""
    if words[1:2] != ["("]:
        return False if words in (["test"], ["loom"]) else None
    depth, start = 0, 2
    for place in range(1, len(words)):
        depth += {"(": 1, ")": -1}.get(words[place], 0)
        if (words[place] == "," and depth == 1) or depth == 0:
            if words[start:place]:
                values.append(_condition(words[start:place]))
            start = place + 1
    if name == "not":
        return None if values[0] is None else not values[0]
    # What settles `all` is a condition that does not hold, and `any` one that does.
    settling = name == "any"
    if settling in values:
        return settling
    return None if None in values else not settling
