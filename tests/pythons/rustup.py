"""What rustup manages: the Rust toolchains besides the machine's own (the oldest supported one, and a nightly one for Miri), and the standard
libraries for other systems."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from find import TOP


def prepare(toolchain: str, components: Sequence[str] = ()) -> bool:
    """Whether `toolchain` is available with `components`. What is missing is installed if rustup can do that.

    If it cannot, print why, and what to do next.
    """
    rustup = shutil.which("rustup")
    if rustup is None:
        return _skip(f"Rust {toolchain} is missing, and so is rustup.\nNext: install rustup from https://rustup.rs.")
    if _has(rustup, toolchain, components):
        return True
    print("installing Rust", toolchain, *components, "…", file=sys.stderr, flush=True)
    for command in _ways(toolchain, components):
        told = _run(rustup, *command)
        if told.returncode == 0 and _has(rustup, toolchain, components):
            return True
    print(told.stderr.strip(), file=sys.stderr)
    return _skip(
        f"Rust {toolchain} could not be installed; rustup says why, above.\n"
        f"Next: where it has the network, run 'rustup {' '.join(command)}'."
    )


def prepare_target(target: str) -> bool:
    """Whether the machine's own Rust can compile for `target`: it needs that system's standard library, which is installed if rustup can do
    that.

    If it cannot, print why, and what to do next.
    """
    if _has_target(target):
        return True
    rustup = shutil.which("rustup")
    if rustup is None:
        return _skip(
            f"Rust's standard library for {target} is missing, and so is rustup.\nNext: install rustup from https://rustup.rs."
        )
    print("installing Rust's standard library for", target, "…", file=sys.stderr, flush=True)
    told = _run(rustup, "target", "add", target)
    if told.returncode == 0 and _has_target(target):
        return True
    print(told.stderr.strip(), file=sys.stderr)
    return _skip(
        f"Rust's standard library for {target} could not be installed; rustup says why, above.\n"
        f"Next: where it has the network, run 'rustup target add {target}'."
    )


def run(toolchain: str, command: Sequence[str]) -> list[str]:
    """The command that runs `command` with `toolchain`."""
    # Not `cargo +nightly`: the cargo on PATH may not be rustup's.
    return ["rustup", "run", toolchain, *command]


def _ways(toolchain: str, components: Sequence[str]) -> list[list[str]]:
    """The ways to install it, the smallest change first: an existing toolchain is not updated if its date has the components."""
    whole = ["toolchain", "install", toolchain, "--profile", "minimal"]
    for component in components:
        whole += ["--component", component]
    return [["component", "add", "--toolchain", toolchain, *components], whole] if components else [whole]


def _has(rustup: str, toolchain: str, components: Sequence[str]) -> bool:
    told = _run(rustup, "component", "list", "--installed", "--toolchain", toolchain)
    installed = told.stdout.split()
    # rustup appends the platform to most names: miri-x86_64-unknown-linux-gnu.
    return told.returncode == 0 and all(
        any(name == component or name.startswith(f"{component}-") for name in installed) for component in ("rustc", *components)
    )


def _has_target(target: str) -> bool:
    told = _run("rustc", "--print", "target-libdir", "--target", target)
    return told.returncode == 0 and any(Path(told.stdout.strip()).glob("libstd-*"))


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    # The reason of a failure is its message, not rustup's backtrace.
    environment = {**os.environ, "RUST_BACKTRACE": "0"}
    return subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, check=False)


def _skip(reason: str) -> bool:
    print(f"skipped: {reason}", flush=True)
    return False
