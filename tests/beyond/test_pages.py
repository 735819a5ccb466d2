"""docs/beyond.md and the README are right: each program in them runs, and prints what is shown below it.

A ```python block that contains an import is a program. The ```text block that follows it, if one does, is its output; an ellipsis
stands for whatever differs from run to run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "beyond.md"
PROGRAM = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(#([^)]+)\)")
HANG_TIMEOUT = 20  # seconds


def programs() -> list[pytest.ParameterSet]:
    found = []
    for page in (PAGE, ROOT / "README.md"):
        text = page.read_text()
        for match in PROGRAM.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            if "import " in match["code"]:
                found.append(pytest.param(match["code"], match["output"], id=f"{page.name}:{line}"))
    return found


def pattern(output: str) -> re.Pattern[str]:
    """The output that is shown, with an ellipsis for any text within a line."""
    return re.compile(".*?".join(re.escape(part) for part in output.split("…")))


@pytest.mark.parametrize(("code", "output"), programs())
def test_a_program(code: str, output: str | None, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(code)
    environment = {name: value for name, value in os.environ.items() if name != "OXISOCKET_NOTES"}
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANG_TIMEOUT,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    if output is not None:
        assert pattern(output).fullmatch(ran.stdout), ran.stdout


def test_each_problem_has_a_line_in_the_table() -> None:
    text = PAGE.read_text()
    code = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    headings = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(code.sub("", text))[1:]]
    assert set(LINK.findall(text)) == set(headings)
    table = text[: text.index("\n## ")]
    rows = [LINK.search(line) for line in table.splitlines() if line.startswith("| [")]
    assert [row and row[1] for row in rows] == headings
