"""The versions that were measured, and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator

import pyperf  # type: ignore[import-untyped]
from contenders import TOP


def described() -> Iterator[tuple[str, str]]:
    """Yield what a reader needs to judge the figures, but no path of this machine."""
    found = pyperf.Run([1.0]).get_metadata()
    cores = len(os.sched_getaffinity(0))
    yield "Date", f"{found['date']:.10}"
    yield "Processor", f"{found.get('cpu_model_name', platform.machine())}, {cores} {'core' if cores == 1 else 'cores'}"
    yield "Kernel", f"{platform.system()} {platform.release()}, {platform.machine()}"
    yield "C library", " ".join(platform.libc_ver())
    yield "Python", f"{platform.python_implementation()} {platform.python_version()}"
    yield "Commit", _commit()
    yield "Load before", f"{os.getloadavg()[0]:.1f}"


def _commit() -> str:
    commit = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--", "src", "python", "Cargo.toml")
    return f"{commit}, with changes" if changed else commit or "none"


def _git(*words: str) -> str:
    try:
        return subprocess.run(["git", *words], cwd=TOP, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""
