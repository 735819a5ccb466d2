"""`python -m oxisocket diagram`: what it writes, where to, and what it says when it cannot."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from oxisocket._seeing import diagram
from records import Recorded, tutorial

HANG_TIMEOUT = 30  # seconds

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def records(tmp_path: Path) -> list[str]:
    server, client = tutorial()
    return [str(server.write(tmp_path / "server.jsonl")), str(client.write(tmp_path / "client.jsonl"))]


@pytest.fixture
def command(tmp_path: Path) -> Run:
    """Runs `python -m oxisocket diagram` with these arguments."""

    def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-P", "-W", "error", "-m", "oxisocket", "diagram", *arguments]
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80", **more.pop("environment", {})}
        return subprocess.run(
            line, check=False, capture_output=True, text=True, timeout=HANG_TIMEOUT, env=environment, cwd=tmp_path, **more
        )

    return run


def test_terminal(command: Run, records: list[str]) -> None:
    done = command(*records)
    assert (done.returncode, done.stderr) == (0, "")
    assert "◀──────────── 12 bytes ────────────┤" in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert command("-o", "-", *records).stdout == done.stdout
    assert command(*records, "-").stdout == done.stdout


def test_output_that_is_not_unicode(command: Run, records: list[str]) -> None:
    done = command(*records, environment={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "sendall(b'Hello, world')" in done.stdout


def test_several_targets(command: Run, records: list[str], tmp_path: Path) -> None:
    done = command(*records, "-o", "a.txt", "--output=b.mmd", "-oc.txt", "--output", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert "12 bytes" in done.stdout
    assert "12 bytes" in (tmp_path / "a.txt").read_text()
    assert (tmp_path / "b.mmd").read_text().startswith("sequenceDiagram\n")
    assert (tmp_path / "c.txt").read_text() == (tmp_path / "a.txt").read_text()
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.mmd", "c.txt", "client.jsonl", "server.jsonl"]


def test_target_is_replaced_whole(records: list[str], tmp_path: Path) -> None:
    """Also through a link, which stays one."""
    (tmp_path / "there.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("there.txt")
    diagram.main([*records, "-o", str(tmp_path / "link.txt")])
    assert (tmp_path / "link.txt").is_symlink()
    assert "12 bytes" in (tmp_path / "there.txt").read_text()


def test_program_that_is_still_running(command: Run, tmp_path: Path) -> None:
    recorded = Recorded()
    recorded.wait(1, "accept")
    (tmp_path / "a.jsonl").write_text(recorded.text() + '{"event": "call", "t"')
    done = command("a.jsonl")
    assert done.returncode == 0
    assert "still waiting" in done.stdout


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(command: Run, option: str) -> None:
    done = command(option)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python -m oxisocket diagram ")
    assert all(suffix in done.stdout for suffix in diagram.SUFFIXES)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no record is given; record a program with: python -m oxisocket --trace=FILE.jsonl program.py"),
        (["none.jsonl"], "there is no file none.jsonl; record a program with: python -m oxisocket --trace=FILE.jsonl program.py"),
        (["."], ". is a folder; give the records in it, *.jsonl"),
        (["page.txt"], "page.txt is not a record, which begins with an event `process`; record a program with: "),
        (["empty.jsonl"], "empty.jsonl is empty: nothing has been recorded yet; "),
        (["server.jsonl", "-o", "a.pdf"], "what to draw is told by the suffix, and a.pdf has none of .svg, .html, .mmd, "),
        (["server.jsonl", "-o", "server.jsonl"], "what to draw is told by the suffix"),
        (["trace.json", "-o", "trace.json"], "trace.json is a record; give the drawing another name"),
        (["server.jsonl", "-o", "no/folder/a.txt"], "no/folder/a.txt: No such file or directory"),
        (["server.jsonl", "-o"], "argument expected for the -o option"),
        (["--colour", "server.jsonl"], "unknown option --colour"),
    ],
)
def test_refusals_say_what_to_do(command: Run, records: list[str], tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "page.txt").write_text("some text\n")
    (tmp_path / "empty.jsonl").touch()
    tutorial()[0].write(tmp_path / "trace.json")
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"oxisocket: {said}")
    assert done.stderr.endswith("\ntry `python -m oxisocket diagram --help`\n")


def test_reader_that_goes_away(records: list[str], tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    line = [sys.executable, "-P", "-m", "oxisocket", "diagram", *records]
    with open(write_end, "wb") as pipe:
        done = subprocess.run(
            line,
            check=False,
            stdout=pipe,
            stderr=subprocess.PIPE,
            timeout=HANG_TIMEOUT,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
    assert (done.returncode, done.stderr) == (1, b"")


def test_record_that_is_given_twice(command: Run, records: list[str]) -> None:
    assert command(*records, records[0]).stdout == command(*records).stdout


def test_convert(records: list[str], tmp_path: Path) -> None:
    diagram.convert(records[0], str(tmp_path / "a.mmd"))
    assert (tmp_path / "a.mmd").read_text().startswith("sequenceDiagram\n    participant L0 as server.py (100)\n")
    with pytest.raises(ValueError, match="what to draw is told by the suffix"):
        diagram.convert(records[0], str(tmp_path / "a.pdf"))
    with pytest.raises(FileNotFoundError):
        diagram.convert(str(tmp_path / "none.jsonl"), str(tmp_path / "a.mmd"))


class Terminal:
    """A pseudo-terminal, and all that is written to it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.text = ""
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            with self.news:
                self.text += data.decode(errors="replace")
                self.news.notify_all()

    def wait_for(self, text: str) -> str:
        """All that was written, once this text is in it. What was written is then forgotten."""
        with self.news:
            assert self.news.wait_for(lambda: text in self.text, HANG_TIMEOUT), self.text
            found, self.text = self.text, ""
            return found

    def close(self) -> None:
        os.close(self.slave)
        self.reader.join(HANG_TIMEOUT)
        os.close(self.master)


@pytest.fixture
def screen(keep: Callable[[Any], Any]) -> Terminal:
    return keep(Terminal())


@pytest.mark.parametrize(("no_colour", "coloured"), [("", True), ("1", False)])
def test_colours(records: list[str], screen: Terminal, no_colour: str, coloured: bool) -> None:
    environment = {**os.environ, "NO_COLOR": no_colour, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    line = [sys.executable, "-P", "-m", "oxisocket", "diagram", *records]
    subprocess.run(line, stdout=screen.slave, timeout=HANG_TIMEOUT, env=environment, check=True)
    assert ("\x1b[" in screen.wait_for("╵")) is coloured


def test_follow(tmp_path: Path, screen: Terminal) -> None:
    """The drawing grows with the record, and the command ends when the programs have."""
    server, client = tutorial()
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "80", "LINES": "50", "PYTHONIOENCODING": "utf-8"}
    line = [
        sys.executable,
        "-P",
        "-W",
        "error",
        "-m",
        "oxisocket",
        "diagram",
        "--follow",
        "server.jsonl",
        "client.jsonl",
        "-o",
        "-",
        "-o",
        "a.mmd",
    ]
    begun = Recorded()
    begun.wait(1, "accept")
    begun.write(tmp_path / "server.jsonl")
    with subprocess.Popen(line, stdout=screen.slave, stderr=subprocess.PIPE, env=environment, cwd=tmp_path) as process:
        try:
            assert "still waiting" in screen.wait_for("Waiting for client.jsonl")
            client.write(tmp_path / "client.jsonl")
            screen.wait_for("sendall(b'Hello, world')")
            server.write(tmp_path / "server.jsonl")
            _, errors = process.communicate(timeout=HANG_TIMEOUT)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, b"")
    assert "12 bytes" in screen.wait_for("╵")
    assert "L1->>L0: 12 bytes" in (tmp_path / "a.mmd").read_text()


def test_follow_to_a_file_writes_it_once(command: Run, records: list[str]) -> None:
    assert command("--follow", *records).stdout == command(*records).stdout
