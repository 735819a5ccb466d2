"""Builds and runs the targets that are written in Rust, with libFuzzer and AddressSanitizer."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import toolchain
from find import TOP

HERE = Path(__file__).parent
MANIFEST = HERE / "Cargo.toml"


def _targets() -> list[str]:
    with MANIFEST.open("rb") as file:
        return [each["name"] for each in tomllib.load(file)["bin"]]


TARGETS = _targets()


def build() -> bool:
    """Build the programs. False if that is not possible here: why, and what to do, was printed."""
    if shutil.which("c++") is None:
        print(
            "skipped: libFuzzer is built with a C++ compiler, and there is no c++ on PATH.\nNext: install one (on Debian: apt-get install g++)"
        )
        return False
    for target in TARGETS:
        _program(target).unlink(missing_ok=True)
    arguments = ["build", "--quiet", "--release", "--bins", "--manifest-path", str(MANIFEST)]
    return toolchain.cargo(arguments, "fuzz") == 0 and _program(TARGETS[0]).exists()


def _program(target: str) -> Path:
    return TOP / "target" / "fuzz" / toolchain.machine() / "release" / target


def run(target: str, *, runs: float, seconds: float, seed: int, found: Path) -> bool:
    """Run a target, until it was executed so often or for so long, and print what was tried. False if it has failed."""
    # Inputs that reach something new go to the first folder; they are no business of git's.
    grown = TOP / "target" / "fuzz" / "corpus" / target
    for folder in (grown, found):
        folder.mkdir(parents=True, exist_ok=True)
    options = [
        f"-seed={seed}",
        f"-artifact_prefix={found}/{target}-",
        "-max_len=512",
        "-timeout=10",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    options += [f"-runs={runs:.0f}"] if math.isfinite(runs) else []
    options += [f"-max_total_time={seconds:.0f}"] if math.isfinite(seconds) else []
    # The interpreter frees little of what it has at its end.
    sanitizer = "detect_leaks=0:quarantine_size_mb=8"
    command = [_program(target), *options, grown, HERE / "corpus" / target]
    told = subprocess.run(
        list(map(str, command)), cwd=TOP, env={**os.environ, **toolchain.environment("fuzz"), "ASAN_OPTIONS": sanitizer},
        capture_output=True, check=False,
    )  # fmt: skip
    said = told.stderr.decode("utf-8", "replace")
    print(_summary(target, said), flush=True)
    if told.returncode != 0:
        print(_failure(said), flush=True)
    return told.returncode == 0


def _summary(target: str, said: str) -> str:
    """What libFuzzer tells of a run, in a line."""
    last = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", said)
    edges, _, inputs = last[-1] if last else ("0", "0", "0")
    executions, a_second = (
        re.findall(rf"stat::{name}: *(\d+)", said) for name in ("number_of_executed_units", "average_exec_per_sec")
    )
    return (
        f"{target:<10} {int((executions or ['0'])[-1]):>12,} executions, {int((a_second or ['0'])[-1]):,} a second; "
        f"{int(edges):,} edges reached by {int(inputs):,} inputs"
    )


def _failure(said: str) -> str:
    """The lines that tell what went wrong: from the panic, or the sanitizer's report, to where the input is."""
    begun = re.search(r"^(thread .* panicked|==\d+==\s*ERROR)", said, flags=re.MULTILINE)
    return said[begun.start() if begun else -3000 :][:6000]
