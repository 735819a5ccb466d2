"""`make demo` runs examples/demo.py: the conversation, its diagram, and where the page lies."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[1] / "examples" / "demo.py"
HANG_TIMEOUT = 50  # seconds; the demo itself gives up after 30


def demo(program: Path, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")} | variables
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", program, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=HANG_TIMEOUT,
        check=False,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The examples, away from the project: the package is the installed one."""
    for each in DEMO.parent.glob("*.py"):
        (tmp_path / each.name).write_text(each.read_text())
    return tmp_path / DEMO.name


def test_the_demo(tmp_path: Path) -> None:
    done = demo(DEMO, tmp_path / "new" / "folder", PYTHONUTF8="1", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    talk, diagram, where = re.split(r"\nThe calls of both.*\n\n|\n\nThe same to look around in.*: ", done.stdout)
    assert "server | From the client: Hello, is anybody there?" in talk
    assert "client" in talk and "Python, as before." in talk
    lines = diagram.splitlines()
    assert re.fullmatch(r" +server\.py +client\.py", lines[0])
    assert max(map(len, lines)) <= 80
    # What is received late is drawn late, with the time at which it was sent.
    assert re.findall(r"[◀├][─╌]+ ([^─╌]+?)(?: sent at [\d.]+…?)? [─╌]+[┤▶]", diagram) == [
        *("connect", "24 bytes", "30 bytes", "29 bytes", "18 bytes", "end of stream"),
    ]
    assert "never closed" not in diagram and "garbage" not in diagram
    assert "\x1b" not in done.stdout
    page = tmp_path / "new" / "folder" / "conversation.html"
    assert where.strip() == str(page)
    assert "Hello, is anybody there?" in page.read_text()
    assert sorted(each.name for each in page.parent.iterdir()) == ["client.jsonl", "conversation.html", "server.jsonl"]


def test_the_demo_elsewhere(copied: Path, tmp_path: Path) -> None:
    """It needs neither the project nor a folder."""
    done = demo(copied, TMPDIR=str(tmp_path), PYTHONUTF8="1")
    assert (done.returncode, done.stderr) == (0, "")
    page = Path(done.stdout.splitlines()[-1].rpartition(": ")[2])
    assert page.parent.parent == tmp_path and page.is_file()


def test_a_conversation_that_is_wrong_is_told(copied: Path, tmp_path: Path) -> None:
    client = copied.with_name("client.py")
    client.write_text(client.read_text().replace("message.encode()", "message[::-1].encode()"))
    done = demo(copied, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("demo: exit statuses [0, 0]; never shown: ['HELLO, IS ANYBODY THERE?', ")
    assert "conversation.html" not in done.stdout
