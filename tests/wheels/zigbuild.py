"""Builds the wheels, and the source distribution, with zig as the linker: zig knows the C libraries of all platforms, of any age."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import programs
from environment import SOURCES, fingerprint
from find import TOP
from matrix import Wheel

DIST = TOP / "dist"
STAMPS = TOP / "target" / "wheels-built"
MATURIN = (sys.executable, "-m", "maturin")
# What is in a wheel, or makes it: its metadata has the README.
IN_A_WHEEL = (*SOURCES, "README.md", "LICENSE-*")
# A release is dated by the last commit that changed it. Without git there is none: zip files begin in 1980.
NO_DATE = "315532800"


def prepare(wheels: list[Wheel]) -> list[str]:
    """Bring Rust's own library for the platforms; what cannot be brought is returned, with what to do."""
    missing = []
    if shutil.which("rustup") is None:
        return ["rustup is missing. Next: install it from https://rustup.rs"]
    for rust in sorted({wheel.platform.rust for wheel in wheels}):
        told = subprocess.run(["rustup", "--quiet", "target", "add", rust], cwd=TOP, capture_output=True, text=True, check=False)
        if told.returncode != 0:
            missing.append(f"Rust for {rust} is missing: {told.stderr.strip()}. Next: 'rustup target add {rust}' with a network")
    return missing


def build(wheel: Wheel) -> bool:
    """Build a wheel into dist/, unless the one there is of the same sources and tools; False if that fails."""
    stamp = STAMPS / wheel.name
    state = "\n".join([fingerprint(IN_A_WHEEL), *tools(), source_date()])
    if stamp.exists() and stamp.read_text() == state and len(list(DIST.glob(wheel.pattern))) == 1:
        return True
    print(f"[{wheel.name}] building …", flush=True)
    for old in DIST.glob(wheel.pattern):
        old.unlink()
    if not run(wheel, TOP, DIST, TOP / "target" / "wheels-of-all"):
        return False
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(state)
    return True


def run(wheel: Wheel, sources: Path, out: Path, target: Path, environment: Mapping[str, str] = os.environ) -> bool:
    """Build a wheel of the sources in a folder, in the folder `target`."""
    command = [*MATURIN, "build", "--quiet", "--release", "--locked", "--zig"]
    where = ["--target", wheel.platform.rust, "--compatibility", wheel.platform.tag, "--interpreter", f"python{wheel.python}"]
    variables = {
        **environment,
        "MATURIN_NO_MISSING_BUILD_BACKEND_WARNING": "1",  # ours calls maturin's
        # No Python: it would be asked, in place of maturin's own knowledge of the released ones, and may be built in its own way.
        "PATH": str(programs.folder(TOP / "target" / "wheels-programs", (*programs.RUST, *programs.COMPILER))),
        "CARGO_ZIGBUILD_ZIG_PATH": str(_zig()),
        "CARGO_TARGET_DIR": str(target),
        "SOURCE_DATE_EPOCH": source_date(),
        "RUSTFLAGS": " ".join([environment.get("RUSTFLAGS", ""), *_remapped(sources, environment)]).strip(),
    }
    return subprocess.run([*command, *where, "--out", out], cwd=sources, env=variables, check=False).returncode == 0


def build_sources() -> Path | None:
    """Make the source distribution in dist/, and return its path; None if that fails."""
    for old in DIST.glob("oxisocket-*.tar.gz"):
        old.unlink()
    variables = {**os.environ, "SOURCE_DATE_EPOCH": source_date(), "MATURIN_NO_MISSING_BUILD_BACKEND_WARNING": "1"}
    command: list[str | Path] = [*MATURIN, "sdist", "--out", DIST]
    if subprocess.run(command, cwd=TOP, env=variables, check=False).returncode != 0:
        return None
    return next(DIST.glob("oxisocket-*.tar.gz"), None)


def source_date() -> str:
    """The seconds since 1970 that stand for the date of everything that is built."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    patterns = [f":(glob){pattern}" for pattern in IN_A_WHEEL]
    command = ["git", "log", "-1", "--format=%ct", "--", *patterns]
    told = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    return told.stdout.strip() or NO_DATE


def tools() -> list[str]:
    """The versions of what builds: with others the bytes are others."""
    commands = (["rustc", "--version"], [*MATURIN, "--version"], [sys.executable, "-m", "ziglang", "version"])
    return [subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout.strip() for command in commands]


def _zig() -> Path:
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        sys.exit("there is no zig. Next: make wheels, which installs it")
    return Path(found.origin).with_name("zig")


def _remapped(sources: Path, environment: Mapping[str, str]) -> list[str]:
    """The options that keep the folders of this machine out of the messages of panics."""
    cargo = Path(environment.get("CARGO_HOME", Path.home() / ".cargo")).resolve()
    return [f"--remap-path-prefix={sources.resolve()}=/oxisocket", f"--remap-path-prefix={cargo}=/cargo"]
