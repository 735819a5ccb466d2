"""A target that needs another Rust toolchain, or another system's standard library, installs it if possible, and otherwise is skipped with a
reason. Tested with a made-up rustup."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

PYTHONS = Path(__file__).resolve().with_name("pythons")

# The folders next to it have the installed toolchains, a file for each, and those that can be installed.
MADE_UP = """#!/bin/sh
cd "$(dirname "$0")/.."
echo "$*" >> calls
case "$*" in
"component list --installed --toolchain "*) exec cat "installed/$5";;
"component add --toolchain "*) toolchain=$4; can="add $4"; shift 4;;
"toolchain install "*) toolchain=$3; can="install $3"; shift 5; echo rustc-on-this-machine >> "new";;
"target add "*) can="target $3";;
esac
if ! grep -qx "$can" can; then echo "made-up: no $can" >&2; exit 1; fi
if [ "$1" = target ]; then mkdir -p "libraries/$3" && touch "libraries/$3/libstd-1.rlib"; exit; fi
for word in "$@"; do [ "$word" = --component ] || echo "$word-on-this-machine" >> new; done
cat new >> "installed/$toolchain"
"""

# `rustc --print target-libdir --target X`
MADE_UP_RUSTC = """#!/bin/sh
echo "$(dirname "$0")/../libraries/$4"
"""


class Machine:
    """A machine with a made-up rustup and a made-up rustc."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "bin"
        for path in (self.programs, folder / "installed"):
            path.mkdir()
        for name, text in [("rustup", MADE_UP), ("rustc", MADE_UP_RUSTC)]:
            program = self.programs / name
            program.write_text(text)
            program.chmod(0o755)
        self.can()

    def can(self, *actions: str) -> None:
        """Set what its rustup can do."""
        (self.folder / "can").write_text("".join(f"{action}\n" for action in actions))

    def has(self, toolchain: str, *components: str) -> None:
        """Add an installed toolchain."""
        (self.folder / "installed" / toolchain).write_text("".join(f"{name}-on-this-machine\n" for name in components))

    def calls(self) -> list[str]:
        """Return the changes that its rustup was asked for."""
        calls = (self.folder / "calls").read_text().splitlines()
        return [call for call in calls if not call.startswith("component list")]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{machine.programs}:/usr/bin:/bin")
    return machine


@pytest.fixture
def rustup(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module under test. The modules in its folder are removed from `sys.modules` again, since their names are generic."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(PYTHONS)
    yield importlib.import_module("rustup")
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(PYTHONS)):
            del sys.modules[name]


def test_an_installed_toolchain_is_used(machine: Machine, rustup: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has("nightly", "rustc", "miri")
    assert rustup.prepare("nightly", ["miri"])
    assert machine.calls() == []
    assert capfd.readouterr() == ("", "")


def test_a_missing_component_does_not_update_the_toolchain(machine: Machine, rustup: ModuleType) -> None:
    machine.has("nightly", "rustc")
    machine.can("add nightly", "install nightly")
    assert rustup.prepare("nightly", ["miri", "rust-src"])
    assert machine.calls() == ["component add --toolchain nightly miri rust-src"]


def test_a_date_without_the_component_is_updated(machine: Machine, rustup: ModuleType) -> None:
    machine.has("nightly", "rustc")
    machine.can("install nightly")
    assert rustup.prepare("nightly", ["miri"])
    assert machine.calls()[-1] == "toolchain install nightly --profile minimal --component miri"


def test_a_missing_toolchain_is_installed(machine: Machine, rustup: ModuleType) -> None:
    machine.can("install 1.89")
    assert rustup.prepare("1.89")
    assert machine.calls() == ["toolchain install 1.89 --profile minimal"]


def test_an_unavailable_toolchain_is_skipped_with_a_reason(
    machine: Machine, rustup: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not rustup.prepare("nightly", ["miri"])
    said, warned = capfd.readouterr()
    assert said.startswith("skipped: Rust nightly could not be installed")
    assert "'rustup toolchain install nightly --profile minimal --component miri'" in said
    assert "made-up: no install nightly" in warned


def test_an_installation_without_effect_is_noticed(machine: Machine, rustup: ModuleType) -> None:
    machine.has("nightly", "rustc")
    machine.can("add nightly")
    (machine.programs / "rustup").write_text(MADE_UP.replace("cat new", ": cat new"))
    assert not rustup.prepare("nightly", ["miri"])


def test_without_rustup_it_says_where_to_get_it(
    rustup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not rustup.prepare("nightly", ["miri"])
    said, _ = capfd.readouterr()
    assert said.startswith("skipped: Rust nightly is missing")
    assert "Next: install rustup" in said


def test_a_missing_standard_library_is_installed(machine: Machine, rustup: ModuleType) -> None:
    machine.can("target made-up")
    assert rustup.prepare_target("made-up")
    assert machine.calls() == ["target add made-up"]
    assert rustup.prepare_target("made-up"), "it is there now"
    assert machine.calls() == ["target add made-up"]


def test_an_unavailable_standard_library_is_skipped_with_a_reason(
    machine: Machine, rustup: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not rustup.prepare_target("made-up")
    said, warned = capfd.readouterr()
    assert said.startswith("skipped: Rust's standard library for made-up could not be installed")
    assert "'rustup target add made-up'" in said
    assert "made-up: no target made-up" in warned
