"""What a build needs besides Python: a Rust toolchain that is new enough, and a linker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import rustup
from find import TOP, Python, all_pythons, default_python


def check() -> None:
    """Exit with advice if the package cannot be built here."""
    oldest = _oldest()
    if shutil.which("cargo") is None or shutil.which("rustc") is None:
        sys.exit(f"oxisocket is built with Rust {oldest} or newer, and there is no cargo on PATH.\n{_HOW}")
    told = subprocess.run(["rustc", "--version"], cwd=TOP, capture_output=True, text=True, check=False).stdout
    version = re.match(r"rustc (\d+)\.(\d+)", told)
    if version and (int(version[1]), int(version[2])) < tuple(map(int, oldest.split(".")[:2])):
        sys.exit(f"oxisocket is built with Rust {oldest} or newer, and this is {told.strip()}.\n{_HOW}")
    if shutil.which("cc") is None:
        sys.exit("Rust needs a linker, and there is no cc on PATH.\nNext: install one (on Debian: apt-get install gcc)")


def _oldest() -> str:
    """The oldest Rust version that the package supports."""
    with (TOP / "Cargo.toml").open("rb") as file:
        oldest: str = tomllib.load(file)["package"]["rust-version"]
    return oldest


_HOW = "Next: install it from https://rustup.rs (or 'rustup update stable'), open a new terminal, and try again."


def cargo(arguments: Sequence[str], build: str = "check") -> int:
    """Run cargo for the default Python, in another target folder than the wheels, which are built with other settings.

    `build` is one of `BUILDS`. A build whose Rust toolchain or standard library is not available is skipped, with success.
    """
    check()
    # What is behind `--` is for the program that cargo runs.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    command = ["cargo", *arguments[:end], *_arguments(build), *arguments[end:]]
    if build == "macos" and not rustup.prepare_target(MACOS):
        return 0
    if build in _OTHER_RUST:
        name, components = _OTHER_RUST[build]
        name = name or _oldest()
        if not rustup.prepare(name, components):
            return 0
        command = rustup.run(name, command)
    return _linkable().run(command, **environment(build)).returncode


def environment(build: str) -> dict[str, str]:
    """The variables with which cargo builds, and what was built runs."""
    python = _linkable()
    target = TOP / "target" / build
    paths = [python.library_folder, os.environ.get("LD_LIBRARY_PATH", "")]
    variables = {
        "PYO3_PYTHON": python.executable,
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, paths)),
        "CARGO_TARGET_DIR": str(target),
    }
    if build == "free-threaded":
        variables["PYO3_CONFIG_FILE"] = str(_made_up(target, "build_flags=Py_GIL_DISABLED\n"))
    if build in ("big-endian", "macos"):
        variables["PYO3_CONFIG_FILE"] = str(_made_up(target))
    if build.startswith("loom"):
        # The models take seconds either way, and linking less.
        variables |= {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"}
    if build in _RUSTFLAGS:
        variables["RUSTFLAGS"] = _rustflags(build)
    return variables


def package_command(maturin: Sequence[str], build: str) -> list[str]:
    """The command that builds the package in one of the ways in `PACKAGES`. Its Rust toolchain is there (`package_toolchain`)."""
    if build not in _OTHER_RUST:
        return [*maturin, *(["--release"] if build == "release" else [])]
    # A wheel that is linked to a runtime which only a preloaded library has suits no platform that can be named.
    return rustup.run("nightly", [*maturin, *_arguments(build), "--compatibility", "linux"])


def package_environment(build: str) -> dict[str, str]:
    """The variables with which the package is built in one of the ways in `PACKAGES`."""
    # The project's own backend, which calls maturin's, is no mistake.
    quiet = {"MATURIN_NO_MISSING_BUILD_BACKEND_WARNING": "1"}
    return quiet | ({"RUSTFLAGS": _rustflags(build)} if build in _RUSTFLAGS else {})


def package_toolchain(build: str) -> bool:
    """Whether the Rust toolchain is there that builds the package in this way; if not, it is said why."""
    name, components = _OTHER_RUST.get(build, (None, ()))
    return name is None or rustup.prepare(name, components)


def _arguments(build: str) -> list[str]:
    """What cargo is told besides its command."""
    # Named, the machine is another one than that of the build scripts, which are built without what the targets are built with.
    others = {"big-endian": BIG_ENDIAN, "macos": MACOS}
    named = machine() if build in ("fuzz", *_SANITIZERS) else others.get(build)
    arguments = ["--target", named] if named else []
    # Rust's own library is built with the sanitizer too, so that it sees what that does.
    return [*arguments, "-Zbuild-std"] if build in _SANITIZERS else arguments


def _rustflags(build: str) -> str:
    return " ".join([os.environ.get("RUSTFLAGS", ""), _RUSTFLAGS[build]]).strip()


def machine() -> str:
    """What rustc calls this machine: x86_64-unknown-linux-gnu."""
    told = subprocess.run(["rustc", "-vV"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    return told.partition("host: ")[2].split()[0]


# What cargo can run for: this machine's Python; one without a GIL, to check only, so that none is needed here; loom's models, with a GIL
# and without; Miri, which interprets the tests, and the same as if this machine were big-endian; the oldest supported Rust; libFuzzer,
# which counts the edges that are reached, with AddressSanitizer; AddressSanitizer and ThreadSanitizer by themselves; macOS, to check only.
BUILDS = (
    "check",
    "free-threaded",
    "loom",
    "loom-free-threaded",
    "miri",
    "big-endian",
    "msrv",
    "fuzz",
    "address",
    "thread",
    "macos",
)
BIG_ENDIAN = "s390x-unknown-linux-gnu"
MACOS = "aarch64-apple-darwin"
_SANITIZERS = ("address", "thread")

# How the package is built: as a user has it; with the assertions of Rust, for an interpreter with assertions of its own; with a sanitizer.
PACKAGES = ("release", "debug", *_SANITIZERS)
# Those whose interpreter has an environment for this build only.
OWN_INTERPRETER = ("release", "debug")

# The builds that need another Rust than the machine's: its name (None means the oldest supported one), and its components.
_OTHER_RUST: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "miri": ("nightly", ("miri", "rust-src")),
    "big-endian": ("nightly", ("miri", "rust-src")),
    "msrv": (None, ()),
    "fuzz": ("nightly", ()),
    "address": ("nightly", ("rust-src",)),
    "thread": ("nightly", ("rust-src",)),
}

_RUSTFLAGS = {
    "loom": "--cfg loom",
    "loom-free-threaded": "--cfg loom --cfg loom_without_gil",
    "fuzz": "--cfg fuzzing -Zsanitizer=address -Ccodegen-units=1 -Cpasses=sancov-module "
    "-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters "
    "-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares",
    "address": "-Zsanitizer=address -Cforce-frame-pointers=yes",
    "thread": "-Zsanitizer=thread -Cforce-frame-pointers=yes",
}


def _made_up(target: Path, flags: str = "") -> Path:
    """Write the configuration that PyO3 would otherwise get from an interpreter, for one with these flags that is not here."""
    target.mkdir(parents=True, exist_ok=True)
    answers = target / "interpreter.txt"
    text = f"implementation=CPython\nversion=3.14\nshared=true\n{flags}suppress_build_script_link_lines=true\n"
    # A new date would cause a build.
    if not answers.exists() or answers.read_text() != text:
        answers.write_text(text)
    return answers


def _linkable() -> Python:
    for python in (default_python(), *all_pythons()):
        if python.linkable:
            return python
    sys.exit(
        "The Rust tests link to Python's shared library, and no Python here has one.\n"
        "Next: install one (on Debian: apt-get install libpython3-dev; pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared)."
    )
