"""docs/tutorial.md does what it says: every program in it is run, and what it prints compared with what is shown there.

The tutorial's conventions, which its readers see as well:

- a ```python block is a whole program; its first line is a comment with the name of its file;
- a ```console block is a terminal: `$ python …`, then what is printed; a line `^C` is Ctrl-C, pressed when all before it
  has been printed;
- console blocks with nothing between them are terminals side by side: the first is started, and when it has printed its
  first line the others run, one after the other;
- the port in that first line stands for any free one;
- what is no program (two short fragments) is indented, not fenced.
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
HANG_TIMEOUT = 20  # seconds for one terminal; none needs it when all is well

BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"# (\w+\.py)\n")
COMMAND = re.compile(r"\$ python ((?:-m oxisocket )?\w+\.py.*)\n")
PORT = re.compile(r"\bport (\d+)$")
LINK = re.compile(r"\]\(#([^)]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

# How the programs come to their `socket`: as written; with the original in its place; the original's
# place taken by `python -m oxisocket`.
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
        """What the program prints; the `^C` itself is the terminal's echo."""
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
    """The tutorial's programs by the names of their files."""
    named: dict[str, str] = {}
    for block in blocks("python"):
        title = TITLE.match(block["body"])
        assert title, f"a python block that is no program: {block['body']!r}"
        assert title[1] not in named, f"two programs are called {title[1]}"
        named[title[1]] = block["body"]
    return named


def sessions() -> list[Session]:
    """The tutorial's terminals, those side by side together."""
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
    """The terminal's program, running; ended at the latest when its time is over."""
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


def heard(process: subprocess.Popen[str], lines: int) -> str:
    assert process.stdout
    return "".join(process.stdout.readline() for _ in range(lines))


def rest(process: subprocess.Popen[str]) -> str:
    """What is printed from here to the program's end, which must be a good one."""
    assert process.stdout
    said = process.stdout.read()
    return said if process.wait() == 0 else f"{said}(exit status {process.returncode})"


def as_printed_there(said: str, ports: dict[str, str]) -> str:
    for there, here in ports.items():
        said = re.sub(rf"\b{here}\b", there, said)
    return said


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Children of a process that ignores SIGINT, as background jobs do, would ignore it as well."""
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
        said = heard(process, 1)
        found = PORT.search(said.rstrip("\n"))
        ports = {first.port: found[1]} if first.port and found else {}
        for terminal in others:
            with started(terminal, tmp_path, way, ports) as other:
                assert as_printed_there(rest(other), ports) == terminal.printed
        if first.interrupted:
            said += heard(process, first.lines_before_interrupt - 1)
            until_blocked(process)  # or the signal comes just before the call that it should end
            process.send_signal(signal.SIGINT)
        said += rest(process)
    assert as_printed_there(said, ports) == first.printed


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


def test_links_within_the_tutorial_lead_somewhere() -> None:
    text = TUTORIAL.read_text("utf-8")
    headings = HEADING.findall(BLOCK.sub("", text))
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(LINK.findall(text)) <= anchors
