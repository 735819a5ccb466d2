"""docs/tutorial.md is right: every program in it runs, and its output is compared with the output shown there.

The tutorial's conventions:

- a ```python block is a complete program; its first line is a comment with the file name;
- a ```console block is a terminal: `$ python …`, then the output; a line `^C` is Ctrl-C, pressed after the output before it
  has been printed;
- console blocks with nothing between them are terminals side by side: the first one starts, and when it has printed its
  first line, the others run one after the other;
- the port in that first line stands for any free port;
- code that is not a program (two short fragments) is indented, not fenced.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest
from machine import KNOWS_LOCALHOST

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
HANG_TIMEOUT = 20  # seconds for one terminal; a test that passes never takes as long

BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"# (\w+\.py)\n")
COMMAND = re.compile(r"\$ python ((?:-m oxisocket )?\w+\.py.*)\n")
PORT = re.compile(r"\bport (\d+)$")
LINK = re.compile(r"\]\(#([^)]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

# How the programs get their `socket`: as written; with the stdlib's module instead; the stdlib's module, replaced
# by `python -m oxisocket`.
WAYS = ("oxisocket", "stdlib", "taken-over")
AS_WRITTEN, ORIGINAL = "import oxisocket as socket", "import socket"


@dataclass(frozen=True)
class Terminal:
    """One console block: a command and what appears below it."""

    arguments: tuple[str, ...]
    output: str

    @classmethod
    def read(cls, body: str) -> Terminal:
        command = COMMAND.match(body)
        assert command, f"not a terminal that runs a program: {body!r}"
        return cls(tuple(shlex.split(command[1])), body[command.end() :])

    @property
    def program(self) -> str:
        return next(argument for argument in self.arguments if argument.endswith(".py"))

    @property
    def interrupted(self) -> bool:
        return "^C\n" in self.output

    @property
    def printed(self) -> str:
        """The output of the program. The `^C` itself is the terminal's echo."""
        return self.output.replace("^C\n", "\n")

    @property
    def lines_before_interrupt(self) -> int:
        return len(list(takewhile(lambda line: line != "^C", self.output.splitlines())))

    @property
    def port(self) -> str | None:
        found = PORT.search(self.output.partition("\n")[0])
        return found[1] if found else None


Session = tuple[Terminal, ...]


def blocks(kind: str) -> list[re.Match[str]]:
    return [block for block in BLOCK.finditer(TUTORIAL.read_text("utf-8")) if block["kind"] == kind]


def programs() -> dict[str, str]:
    """The tutorial's programs by file name."""
    named: dict[str, str] = {}
    for block in blocks("python"):
        title = TITLE.match(block["body"])
        assert title, f"a python block that is no program: {block['body']!r}"
        assert title[1] not in named, f"two programs are called {title[1]}"
        named[title[1]] = block["body"]
    return named


def sessions() -> list[Session]:
    """The tutorial's terminals; those side by side are one session."""
    text = TUTORIAL.read_text("utf-8")
    grouped: list[list[Terminal]] = []
    end = None
    for block in blocks("console"):
        terminal = Terminal.read(block["body"])
        if end is not None and not text[end : block.start()].strip():
            grouped[-1].append(terminal)
        else:
            grouped.append([terminal])
        end = block.end()
    return [tuple(terminals) for terminals in grouped]


def save(folder: Path, way: str) -> None:
    for name, source in programs().items():
        written = source if way == "oxisocket" else source.replace(AS_WRITTEN, ORIGINAL)
        (folder / name).write_text(written, "utf-8")


@contextmanager
def started(terminal: Terminal, folder: Path, way: str, ports: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The terminal's program as a running process, which is killed after HANG_TIMEOUT."""
    arguments = [ports.get(argument, argument) for argument in terminal.arguments]
    if way != "oxisocket" and arguments[:2] == ["-m", "oxisocket"]:
        del arguments[:2]
    if way == "taken-over" and arguments[:1] != ["-m"]:
        arguments[:0] = ["-m", "oxisocket"]
    with subprocess.Popen(
        [sys.executable, "-u", "-X", "utf8", "-W", "error", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        overtime = threading.Timer(HANG_TIMEOUT, process.kill)
        overtime.start()
        try:
            yield process
        finally:
            process.kill()
            overtime.cancel()
            overtime.join()


def read_lines(process: subprocess.Popen[str], lines: int) -> str:
    assert process.stdout
    return "".join(process.stdout.readline() for _ in range(lines))


def read_rest(process: subprocess.Popen[str]) -> str:
    """The output from here to the end of the program, whose exit status must be 0."""
    assert process.stdout
    said = process.stdout.read()
    return said if process.wait() == 0 else f"{said}(exit status {process.returncode})"


def with_ports_of_tutorial(said: str, ports: dict[str, str]) -> str:
    for there, here in ports.items():
        said = re.sub(rf"\b{here}\b", there, said)
    return said


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """The children of a process that ignores SIGINT, as background jobs do, would ignore it too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("session", sessions(), ids=lambda session: "+".join(t.program for t in session))
def test_programs_print_what_the_tutorial_shows(
    session: Session, way: str, tmp_path: Path, until_blocked: Callable[[subprocess.Popen[str]], None]
) -> None:
    if way != "stdlib" and os.environ.get("OXISOCKET_TESTS") == "stdlib-only":
        pytest.skip("OXISOCKET_TESTS=stdlib-only")
    if not KNOWS_LOCALHOST and any('"localhost"' in programs()[terminal.program] for terminal in session):
        pytest.skip("this machine does not know localhost")
    save(tmp_path, way)
    first, *others = session
    anywhere = {first.port: "0"} if first.port else {}
    with started(first, tmp_path, way, anywhere) as process:
        said = read_lines(process, 1)
        found = PORT.search(said.rstrip("\n"))
        ports = {first.port: found[1]} if first.port and found else {}
        for terminal in others:
            with started(terminal, tmp_path, way, ports) as other:
                assert with_ports_of_tutorial(read_rest(other), ports) == terminal.printed
        if first.interrupted:
            said += read_lines(process, first.lines_before_interrupt - 1)
            until_blocked(process)  # otherwise the signal could come just before the call that it should end
            process.send_signal(signal.SIGINT)
        said += read_rest(process)
    assert with_ports_of_tutorial(said, ports) == first.printed


def test_every_program_is_run() -> None:
    run = {terminal.program for session in sessions() for terminal in session}
    assert run == set(programs())


def test_every_program_runs_on_oxisocket() -> None:
    taken_over = {t.program for session in sessions() for t in session if t.arguments[:2] == ("-m", "oxisocket")}
    for name, source in programs().items():
        assert (AS_WRITTEN in source.splitlines()) != (name in taken_over), name


def test_every_block_is_of_a_known_kind() -> None:
    kinds = {block["kind"] for block in BLOCK.finditer(TUTORIAL.read_text("utf-8"))}
    assert kinds <= {"python", "console", "text"}


def test_only_the_first_of_several_terminals_is_interrupted() -> None:
    assert not [terminal.program for _, *others in sessions() for terminal in others if terminal.interrupted]


def test_links_within_the_tutorial_have_targets() -> None:
    text = TUTORIAL.read_text("utf-8")
    headings = HEADING.findall(BLOCK.sub("", text))
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(LINK.findall(text)) <= anchors
