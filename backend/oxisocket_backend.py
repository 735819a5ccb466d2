"""What pip calls where there is no wheel: maturin builds one, and whoever cannot build is told what to do."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import maturin  # type: ignore[import-untyped]

Settings = Mapping[str, Any] | None

_WHEELS = "Wheels are there for CPython 3.11 to 3.15 on Linux, on x86-64 and arm64, with glibc 2.17 or musl 1.2, or newer ones."
_NEXT = """\
Next, one of these:
- 'python -m pip install --upgrade pip', and try again: an old pip does not know the names of today's wheels.
- Use a Python that has a wheel.
- Install Rust {rust} or newer (https://rustup.rs) and a C compiler (on Debian: apt-get install gcc), and try again."""

get_requires_for_build_sdist = maturin.get_requires_for_build_sdist
build_sdist = maturin.build_sdist


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What has to be installed to build a wheel. Exit with advice where no wheel can be built."""
    if sys.platform not in ("linux", "darwin"):
        sys.exit(f"oxisocket is for Linux. It does not run on {platform.system()}.")
    if shutil.which("cargo") is None:
        _stop("there is no Rust (no cargo on PATH)")
    if (version := _rust()) and version < _numbers(_oldest()):
        _stop(f"this Rust is too old: {'.'.join(map(str, version))}")
    if shutil.which("cc") is None:
        _stop("there is no C compiler to link with (no cc on PATH)")
    needed: list[str] = maturin.get_requires_for_build_wheel(config_settings)
    return needed


get_requires_for_build_editable = get_requires_for_build_wheel


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    """Write the metadata of the wheel."""
    return _with_advice(maturin.prepare_metadata_for_build_wheel, metadata_directory, config_settings)


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Build a wheel, and return the name of its file."""
    return _with_advice(maturin.build_wheel, wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Build a wheel that refers to this folder, and return the name of its file."""
    return _with_advice(maturin.build_editable, wheel_directory, config_settings, metadata_directory)


def _with_advice(step: Callable[..., str], *arguments: object) -> str:
    try:
        return step(*arguments)
    except SystemExit as end:
        _stop(f"the build failed (exit status {end.code}); its words are above")


def _stop(why: str) -> NoReturn:
    here = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    advice = _NEXT.format(rust=_oldest())
    sys.exit(f"\noxisocket: pip has taken no wheel for {here}, and cannot build one here: {why}.\n{_WHEELS}\n{advice}\n")


def _oldest() -> str:
    """The oldest Rust that can build it."""
    with Path(__file__).parents[1].joinpath("Cargo.toml").open("rb") as file:
        oldest: str = tomllib.load(file)["package"]["rust-version"]
    return oldest


def _rust() -> tuple[int, ...] | None:
    """The version of this machine's Rust; None if it does not tell."""
    told = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False).stdout.split()
    return _numbers(told[1].partition("-")[0]) if told[:1] == ["rustc"] else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
