"""What pip calls where there is no wheel for a machine says what to do, if that machine cannot build one."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
RUST = tomllib.loads((TOP / "Cargo.toml").read_text())["package"]["rust-version"]
# In the place of maturin, which is not needed to be asked.
MADE_UP = """
import sys
get_requires_for_build_sdist = build_sdist = None
def get_requires_for_build_wheel(settings): return []
def prepare_metadata_for_build_wheel(*arguments): return "metadata"
def build_wheel(*arguments): sys.exit(1)
build_editable = build_wheel
"""
PROGRAMS = {"cargo": "", "rustc": f"echo 'rustc {RUST}.0 (made-up)'", "cc": ""}

Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """`ask(call, programs)`: the exit status and the words of a call, on a machine with these programs and no others."""

    def ask(call: str, programs: dict[str, str]) -> tuple[int, str]:
        (tmp_path / "maturin.py").write_text(MADE_UP)
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, text in programs.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", f"import oxisocket_backend as backend; print(backend.{call})"],
            env={"PATH": str(folder), "PYTHONPATH": f"{TOP / 'backend'}:{tmp_path}", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return ask


def test_a_machine_that_can_build(ask: Ask) -> None:
    assert ask("get_requires_for_build_wheel()", PROGRAMS) == (0, "[]\n")


def test_metadata(ask: Ask) -> None:
    assert ask("prepare_metadata_for_build_wheel('folder')", PROGRAMS) == (0, "metadata\n")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"cargo": None}, "there is no Rust (no cargo on PATH)"),
        ({"rustc": "echo 'rustc 1.70.0 (90c541806 2023-05-31)'"}, "this Rust is too old: 1.70.0"),
        ({"cc": None}, "there is no C compiler to link with (no cc on PATH)"),
    ],
)
def test_a_machine_that_cannot(ask: Ask, change: dict[str, str | None], why: str) -> None:
    programs = {name: text for name, text in (PROGRAMS | change).items() if text is not None}
    status, said = ask("get_requires_for_build_wheel()", programs)
    assert status == 1
    assert f"cannot build one here: {why}.\n" in said
    assert "Wheels are there for CPython 3.11 to 3.15 on Linux" in said
    assert f"Install Rust {RUST} or newer (https://rustup.rs)" in said
    assert "Traceback" not in said


def test_a_build_that_fails(ask: Ask) -> None:
    status, said = ask("build_wheel('folder')", PROGRAMS)
    assert status == 1
    assert "the build failed (exit status 1); its words are above" in said
    assert "Next" in said


def test_another_system(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    call = "sys.__setattr__('platform', 'win32') or backend.get_requires_for_build_wheel()"
    status, said = ask(call, PROGRAMS)
    assert (status, "oxisocket is for Linux" in said) == (1, True)


def test_it_promises_the_wheels_that_there_are(ask: Ask) -> None:
    """In words, so that a change of what is built is noticed here."""
    pythons = [line for line in (TOP / "pyproject.toml").read_text().splitlines() if "Python :: 3." in line]
    assert "3.11" in pythons[0]
    assert "3.15" in pythons[-1]
    assert "CPython 3.11 to 3.15" in (TOP / "backend" / "oxisocket_backend.py").read_text()
