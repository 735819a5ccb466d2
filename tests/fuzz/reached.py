"""Which lines of a package were reached: so that a case that reaches a new one is kept, and mutated further."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType


class Reached:
    """Counts lines of the Python files under a folder. Before Python 3.12, which can tell each line once, it counts none."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder) + os.sep
        self.lines: set[tuple[str, int]] = set()
        self.news = False
        if sys.version_info >= (3, 12):
            monitoring = sys.monitoring
            monitoring.use_tool_id(monitoring.COVERAGE_ID, "fuzz")
            monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.LINE, self._line)
            monitoring.set_events(monitoring.COVERAGE_ID, monitoring.events.LINE)

    def _line(self, code: CodeType, line: int) -> object:
        if code.co_filename.startswith(self.folder):
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
        every = sum(len(set(_lines(path))) for path in Path(self.folder).rglob("*.py"))
        return f"{len(self.lines):,} of {every:,} lines reached"


def _lines(path: Path) -> Iterator[int]:
    """The lines of a file that a run of it can reach."""
    todo = [compile(path.read_text("utf-8"), str(path), "exec")]
    while todo:
        code = todo.pop()
        yield from (line for _, _, line in code.co_lines() if line)
        todo += [each for each in code.co_consts if isinstance(each, CodeType)]
