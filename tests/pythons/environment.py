"""A virtual environment for each Python, with the wheel built for it and installed as a user would install it."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import toolchain
from find import TOP, Python

SOURCES = ("Cargo.toml", "Cargo.lock", "build.rs", "pyproject.toml", "src/**/*", "python/**/*")


class Environment:
    """The virtual environment of one Python, `.venvs/3.x`, made in steps. A step is repeated only when needed.

    `build` is one of `toolchain.PACKAGES`: how the package is built. Each but the first has an environment of its own."""

    def __init__(self, python: Python, build: str = toolchain.PACKAGES[0]) -> None:
        self.python = python
        self.build = build
        self.name = python.version if build in toolchain.OWN_INTERPRETER else f"{python.version}-{build}"
        self.folder = TOP / ".venvs" / self.name
        self.executable = self.folder / "bin" / "python"
        self.wheels = TOP / "target" / "wheels" / self.name

    def prepare(self, groups: Iterable[str] = (), *, package: bool = True) -> None:
        """Bring the environment up to date: the package, if it is asked for, and the named groups of dependencies."""
        self._step("made", self.python.executable + self.python.full_version, self._make)
        self._install("build", _build_requirements())
        for group in groups:
            self._install(group, _group(group))
        if package:
            self._step("oxisocket", fingerprint(SOURCES), self._build)

    def run(self, arguments: Sequence[str]) -> int:
        """Run this environment's Python with `arguments`, in which {version} is replaced by its version; return its exit
        status."""
        words = [argument.replace("{version}", self.python.version) for argument in arguments]
        return self.python.run([self.executable, *words]).returncode

    def _step(self, name: str, state: str, action: Callable[[], None]) -> None:
        """Do `action`, unless the state is the same as when it was last done."""
        stamp = self.folder / "steps" / name
        if stamp.exists() and stamp.read_text() == state:
            return
        print(f"[{self.name}] {name} …", flush=True)
        stamp.unlink(missing_ok=True)
        action()
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(state)

    def _make(self) -> None:
        self._must("venv", [self.python.executable, "-m", "venv", "--clear", self.folder])

    def _install(self, group: str, requirements: list[str]) -> None:
        self._step(group, "\n".join(requirements), lambda: self._pip(*requirements))

    def _build(self) -> None:
        toolchain.check()
        shutil.rmtree(self.wheels, ignore_errors=True)
        for_this = ("--interpreter", self.executable, "--out", self.wheels)
        # Each Python has its own folder: in one folder the builds would overwrite each other.
        target = str(TOP / "target" / f"python-{self.name}")
        command = toolchain.package_command([str(self.executable), "-m", "maturin", "build", "--quiet"], self.build)
        self._must("maturin", [*command, *for_this], CARGO_TARGET_DIR=target, **toolchain.package_environment(self.build))
        self._pip("--force-reinstall", "--no-deps", "--no-index", *map(str, self.wheels.glob("*.whl")))

    def _pip(self, *arguments: str) -> None:
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        self._must("pip", [self.executable, "-m", "pip", "install", *quiet, *arguments], PIP_ROOT_USER_ACTION="ignore")

    def _must(self, tool: str, command: Sequence[str | Path], **environment: str) -> None:
        status = self.python.run(command, **environment).returncode
        if status != 0:
            sys.exit(f"[{self.name}] {tool} failed (exit status {status}); its words are above")


def _project() -> dict[str, dict[str, list[str]]]:
    with (TOP / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def _build_requirements() -> list[str]:
    return _project()["build-system"]["requires"]


def _group(name: str) -> list[str]:
    groups = _project()["dependency-groups"]
    if name not in groups:
        sys.exit(f"pyproject.toml has no dependency group {name!r}; it has: {', '.join(groups)}")
    return groups[name]


def fingerprint(patterns: Iterable[str]) -> str:
    """A digest of the contents, not of the dates: a checkout changes all dates, and must not cause a build."""
    digest = hashlib.sha256()
    paths = {path for pattern in patterns for path in TOP.glob(pattern)}
    for path in sorted(paths):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(TOP)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
