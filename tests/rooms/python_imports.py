"""The arrows of Python code: which file imports which.

An import in a function counts as any other, and so does one for type checkers: it is no less a thing to know before the file can be
understood. That Python runs a package's `__init__.py` before any module in it is no arrow; what is taken out of it by name is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from arrows import Arrow


def python_arrows(folder: Path, shared: Sequence[Path] = ()) -> Iterator[Arrow]:
    """The arrows of the files in a folder, whose modules are looked up there and in the shared folders, as in `sys.path`."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(), file)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name in _names(node):
                    if target := _target(file, name, (folder, *shared)):
                        yield Arrow(file, node.lineno, target)


def _names(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """What it imports, as full names; relative ones begin with their dots."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    else:
        module = "." * node.level + (f"{node.module}." if node.module else "")
        yield from (module + alias.name for alias in node.names)


def _target(file: Path, name: str, folders: Sequence[Path]) -> Path | None:
    """The file of the module, or of the module that has what is named; None where it is another's."""
    level = len(name) - len(name.lstrip("."))
    if level:
        folders = [file.parents[level - 1]]
    parts = name[level:].split(".")
    for folder in folders:
        for length in range(len(parts), -1 if level else 0, -1):
            if found := _file(folder.joinpath(*parts[:length])):
                return found
    return None


def _file(module: Path) -> Path | None:
    # A module in another language has a stub.
    candidates = (module.with_name(f"{module.name}.py"), module / "__init__.py", module.with_name(f"{module.name}.pyi"))
    return next((file for file in candidates if file.exists()), None)
