"""Which lines of a package were reached: so that a case that reaches a new one is kept, and mutated further."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Self

TOOL = 4  # none of the numbers that sys.monitoring reserves


class Reached:
    """Counts lines of a Python file, or of those under a folder, while it is entered. Before Python 3.12, which can tell each line once, it
    counts none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: set[tuple[str, int]] = set()
        self.news = False

    def __enter__(self) -> Self:
        if sys.version_info >= (3, 12):
            monitoring = sys.monitoring
            monitoring.use_tool_id(TOOL, "oxisocket's fuzzer")
            monitoring.register_callback(TOOL, monitoring.events.LINE, self._line)
            monitoring.set_events(TOOL, monitoring.events.LINE)
            monitoring.restart_events()
        return self

    def __exit__(self, *_: object) -> None:
        if sys.version_info >= (3, 12):
            sys.monitoring.set_events(TOOL, sys.monitoring.events.NO_EVENTS)
            sys.monitoring.free_tool_id(TOOL)

    def _line(self, code: CodeType, line: int) -> object:
        if code.co_filename.startswith(str(self.path)):
            self.lines.add((code.co_filename, line))
            self.news = True
        return sys.monitoring.DISABLE

    def anything_new(self) -> bool:
        """Whether a line was reached for the first time since this was asked last."""
        news, self.news = self.news, False
        return news

    def __str__(self) -> str:
        if sys.version_info < (3, 12):
            return "lines are counted from Python 3.12 on"
        paths = self.path.rglob("*.py") if self.path.is_dir() else [self.path]
        every = sum(len(set(_lines(path))) for path in paths)
        return f"{len(self.lines):,} of {every:,} lines reached"


def _lines(path: Path) -> Iterator[int]:
    """The lines in functions of a file: those outside have run already."""
    todo = [each for each in compile(path.read_text("utf-8"), str(path), "exec").co_consts if isinstance(each, CodeType)]
    while todo:
        code = todo.pop()
        if code.co_flags & 1:  # CO_OPTIMIZED: a function, not the body of a class
            yield from (line for _, _, line in code.co_lines() if line)
        todo += [each for each in code.co_consts if isinstance(each, CodeType)]
