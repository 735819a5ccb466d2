"""docs/seeing.md is right: its programs and commands run, and show what is shown there.

The page's conventions:

- a ```python block is a program; its first line is a comment with the file name;
- a ```console block is a terminal: `$ command`, then its output; a line `^C` is Ctrl-C, pressed after the output before it has been
  printed; a line `…` stands for any lines;
- console blocks with nothing between them are terminals side by side: when the first program listens, the others run;
- all of it happens in one folder, from the first block to the last.

Numbers differ from run to run, and so do the places of what comes after them: only the words of a line are compared. Whether a call had to
wait is chance as well, but where Ctrl-C ends it. Of a diagram, which has the calls of several programs, each call and each arrow is compared,
not the order of those that come at the same time.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket as original
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from originals import has_listener
from waiting import HANG_TIMEOUT, wait_until, wait_until_blocked

PAGE = Path(__file__).parents[2] / "docs" / "seeing.md"
BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"# (\w+\.py)\n")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(#([^)]+)\)")
PORT = "5000"  # stands for any free port


def blocks(kind: str) -> list[re.Match[str]]:
    return [block for block in BLOCK.finditer(PAGE.read_text("utf-8")) if block["kind"] == kind]


def terminals() -> list[list[str]]:
    """The console blocks; those side by side are together."""
    text, grouped, end = PAGE.read_text("utf-8"), [], None
    for block in blocks("console"):
        if end is not None and not text[end : block.start()].strip():
            grouped[-1].append(block["body"])
        else:
            grouped.append([block["body"]])
        end = block.end()
    return grouped


def commands(body: str) -> Iterator[tuple[str, str]]:
    """Each command of a terminal, and what is shown below it."""
    assert body.startswith("$ "), body
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


class Running:
    """A command that has been started."""

    def __init__(self, command: str, expected: str, folder: Path, port: str) -> None:
        words = [word.replace(PORT, port) for word in shlex.split(command)]
        words = [sys.executable, "-u", *words[1:]] if words[0] == "python" else words
        self.expected = expected
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "OXISOCKET_NOTES")}
        self.process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment | {"PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if words[0] == sys.executable else subprocess.DEVNULL,
            encoding="utf-8",
        )

    def until_blocked(self) -> None:
        wait_until_blocked(f"/proc/{self.process.pid}/syscall", lambda: self.process.poll() is None)

    def end(self) -> str:
        """What it has printed. Ctrl-C is pressed where the page says so."""
        assert self.process.stdout is not None
        printed = ""
        lines = self.expected.splitlines()
        if "^C" in lines:
            for line in takewhile(lambda line: line != "^C", lines):
                printed += (read := self.process.stdout.readline())
                assert plain(line) == plain(read)
            self.until_blocked()
            self.process.send_signal(signal.SIGINT)
        try:
            return printed + self.process.communicate(timeout=HANG_TIMEOUT)[0]
        finally:
            self.process.kill()


def run(together: list[str], folder: Path, port: str) -> Iterator[tuple[str, str, str]]:
    """The commands of terminals side by side, what the page shows, and what they printed."""
    (first, expected), *rest = commands(together[0])
    running = Running(first, expected, folder, port)
    if len(together) > 1:
        wait_until(lambda: has_listener(int(port)) or running.process.poll() is not None)
        for body in together[1:]:
            for command, shown in commands(body):
                yield command, shown, Running(command, shown, folder, port).end()
    yield first, expected, running.end()
    for command, shown in rest:
        yield command, shown, Running(command, shown, folder, port).end()


def plain(line: str) -> str:
    """The line without what differs from run to run."""
    line = re.sub(r"[\d.,:]+(?=…)", "", line)
    line = re.sub(r"\d[\d.,:]*", "0", line)
    line = re.sub(r"0 (ns|µs|ms|s)\b", "0 s", line)
    return re.sub(r"  +", " ", line).strip()


def same(shown: str, printed: str) -> bool:
    if "process " in shown and "├" in shown:
        return parts(shown) == parts(printed)
    pattern = "".join(".*" if line == "…" else re.escape(f"{line}\n") for line in certain(shown))
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in certain(printed)), re.DOTALL) is not None


def certain(text: str) -> list[str]:
    """The lines, without what is chance."""
    lines = [plain(line) for line in text.splitlines() if line != "^C" and " waits …" not in line]
    return [line.replace(", waited 0 s", "") for line in lines]


def parts(diagram: str) -> list[str]:
    """The calls of a diagram, its arrows and its warnings."""
    calls = re.findall(r"├ (?:\[\d+\] )?(\w+)\(", diagram)
    arrows = re.findall(r"[─╌↓] (connect|end of stream|\d+ bytes)", diagram)
    warnings = re.findall(r"[✗!] (?:fd )?(\w+)", diagram)
    return sorted([*calls, *arrows, *warnings])


def free_port() -> str:
    with original.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.timeout(120)
def test_the_page(tmp_path: Path) -> None:
    port = free_port()
    for name, source in programs().items():
        (tmp_path / name).write_text(source.replace(PORT, port), "utf-8")
    for together in terminals():
        missing = [body for body in together if not shutil.which(body.split()[1].replace("python", sys.executable))]
        if missing:
            continue  # Wireshark's programs are not installed everywhere; tests/seeing/test_pcapng.py reads the packets too.
        for command, shown, printed in run(together, tmp_path, port):
            assert same(shown, printed), f"$ {command}\n{printed}"


def programs() -> dict[str, str]:
    named = {}
    for block in blocks("python"):
        title = TITLE.match(block["body"])
        assert title, f"a program without a name: {block['body']!r}"
        assert title[1] not in named
        named[title[1]] = block["body"]
    return named


def test_every_program_is_run() -> None:
    run = " ".join(command for together in terminals() for body in together for command, _ in commands(body))
    assert [name for name in programs() if name not in run] == []


def test_each_question_has_a_line_in_the_table() -> None:
    text = PAGE.read_text("utf-8")
    headings = [
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(BLOCK.sub("", text))[1:]
    ]
    assert set(LINK.findall(text)) == set(headings)
    rows = [LINK.search(line) for line in text[: text.index("\n## ")].splitlines() if line.startswith("| [")]
    assert [row and row[1] for row in rows] == headings


def test_what_is_compared() -> None:
    """The comparison can fail."""
    assert same("05:30:20.1  3  recv(1024) = b'a'  7 µs\n", "15:31:20.225  12  recv(1024) = b'a'  1.2 ms\n")
    assert not same("05:30:20.1  3  recv(1024) = b'a'  7 µs\n", "05:30:20.1  3  recv(1024) = b'b'  7 µs\n")
    assert not same("a\n", "a\nb\n") and same("a\n…\n", "a\nb\nc\n") and not same("a\n…\nd\n", "a\nb\nc\n")
    diagram = "process 1  process 2\n0.1 ├ [3] recv(1)  │\n    ◀── 12 bytes ──┤\n0.2 ├ → b'a'  │\n"
    assert same(diagram, diagram.replace("0.1", "100.11").replace("[3]", "[4]"))
    assert not same(diagram, diagram.replace("recv", "send"))
    assert not same(diagram, diagram.replace("12 bytes", "13 bytes"))
