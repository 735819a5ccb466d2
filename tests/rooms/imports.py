"""What each Rust file of `src/` imports from which other: read from its paths, as the compiler resolves them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

# Comments, strings, and the tests at the end of a file, which may use what they like.
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
_TESTS = re.compile(r"#\[cfg\(.*?\btest\b.*?\)\]\s*(?:#\[[^\n]*\]\s*)*mod \w+ \{.*\Z", re.DOTALL)
_USE = re.compile(r"\b(?:pub(?:\([^)]*\))? )?use ([^;]+);", re.DOTALL)
# A path in an expression or a type; `$crate` in macros is the crate too.
_PATH = re.compile(r"(?<![\w:])\$?((?:crate|super|self|[a-z_]\w*)(?:::\w+)+)")


class Crate:
    """The modules of a crate, by their paths (`("socket", "class")`), and what each imports."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.files = {self._module(path): path for path in sorted(source.rglob("*.rs"))}

    def _module(self, path: Path) -> tuple[str, ...]:
        parts = path.relative_to(self.source).with_suffix("").parts
        return () if parts == ("lib",) else parts[:-1] if parts[-1] == "mod" else parts

    @cached_property
    def imports(self) -> dict[tuple[str, ...], set[tuple[str, ...]]]:
        """Every module with those it imports from; itself is none of them."""
        found = {}
        for module, path in self.files.items():
            text = _code(path)
            resolved = (self._resolve(module, names) for names in _paths(text))
            # What the root declares and passes on is imported by nobody but by the compiler.
            found[module] = set() if module == () else {other for other in resolved if other is not None and other != module}
        return found

    @cached_property
    def _passed_on(self) -> dict[str, tuple[str, ...]]:
        """What the root exports under its own name: macros, as `crate::name!`."""
        exported = {}
        for names in _paths(_code(self.files[()])):
            module = self._deepest(names)
            if module and len(names) > len(module):
                exported[names[-1]] = module
        return exported

    def _resolve(self, module: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...] | None:
        """The module that a path, as written in `module`, leads to; None for another crate's, or an item of its own."""
        first, *rest = names
        if first == "crate":
            if rest and rest[0] in self._passed_on:
                return self._passed_on[rest[0]]
            return self._deepest(tuple(rest)) or None
        base = module
        if first == "self":
            names = tuple(rest)
        while names and names[0] == "super":
            base, names = base[:-1], names[1:]
        if (*base, *names[:1]) not in self.files:
            return base if first == "super" and base != () else None
        return self._deepest((*base, *names))

    def _deepest(self, names: tuple[str, ...]) -> tuple[str, ...]:
        while names and names not in self.files:
            names = names[:-1]
        return names


def _code(path: Path) -> str:
    text = _COMMENT.sub("", path.read_text())
    return _TESTS.sub("", _STRING.sub('""', text))


def _paths(text: str) -> Iterator[tuple[str, ...]]:
    for use in _USE.findall(text):
        for path in _expand(" ".join(use.split())):
            yield tuple(path.split(" as ")[0].strip().split("::"))
    for path in _PATH.findall(_USE.sub("", text)):
        yield tuple(path.split("::"))


def _expand(use: str) -> Iterator[str]:
    """The paths of a `use` with braces."""
    start = use.find("{")
    if start < 0:
        yield use
        return
    prefix, inside = use[:start], use[start + 1 : use.rindex("}")]
    depth, part = 0, ""
    for letter in inside + ",":
        if letter == "," and depth == 0:
            if part.strip():
                yield from _expand(prefix + part.strip())
            part = ""
            continue
        depth += {"{": 1, "}": -1}.get(letter, 0)
        part += letter
