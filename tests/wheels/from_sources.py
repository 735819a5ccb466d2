"""The source distribution, as pip takes it where there is no wheel: it is built without git, and who has no Rust is told what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import programs


def wrong(source: Path) -> Iterator[str]:
    """What is wrong with the source distribution."""
    with tempfile.TemporaryDirectory(prefix="oxisocket-sources-") as made:
        folder = Path(made)
        python = folder / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        compiler = programs.folder(folder / "compiler", programs.COMPILER)
        yield from _without_rust(source, python, compiler)
        rust = programs.folder(folder / "rust", (*programs.COMPILER, *programs.RUST))
        yield from _without_git(source, python, rust)


def _without_git(source: Path, python: Path, path: Path) -> Iterator[str]:
    assert shutil.which("git", path=path) is None
    told = _install(source, python, path)
    if told.returncode != 0:
        yield f"it cannot be built without git:\n{told.stdout}{told.stderr}"
        return
    code = "import oxisocket, sys; a, b = oxisocket.socketpair(); a.send(b'1'); sys.exit(b.recv(1) != b'1')"
    if subprocess.run([python, "-I", "-c", code], check=False).returncode != 0:
        yield "what was built without git does not work"


def _without_rust(source: Path, python: Path, path: Path) -> Iterator[str]:
    told = _install(source, python, path)
    said = told.stdout + told.stderr
    if told.returncode == 0:
        yield "it was built without Rust"
    yield from (
        f"without Rust pip does not say {word!r}:\n{said}" for word in ("no Rust", "Next", "rustup.rs") if word not in said
    )


def _install(source: Path, python: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """Install it as a user would: pip brings maturin by itself."""
    command: list[str | Path] = [python, "-m", "pip", "install", "--force-reinstall", "--no-cache-dir", "--no-input", source]
    rust = {name: str(Path.home() / f".{name.partition('_')[0].lower()}") for name in ("CARGO_HOME", "RUSTUP_HOME")}
    variables = {**rust, **os.environ, "PATH": str(path), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    return subprocess.run(command, env=variables, cwd=python.parent, capture_output=True, text=True, check=False)
