"""Runs a test module on one implementation of `socket`, in as many child processes as it takes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outcome import CRASH, NOT_RUN, TIMEOUT, Outcome, Outcomes

WORKER = Path(__file__).resolve().with_name("worker.py")
# ThreadedVSOCKSocketStreamTest hangs where the kernel has no VSOCK loopback.
LEFT_OUT = ("ThreadedVSOCKSocketStreamTest",)
# These modules require regrtest's resource `network` as a whole although they stay on loopback, except the classes named here.
ON_LOOPBACK: dict[str, tuple[str, ...]] = {"test_socketserver": (), "test_timeout": ("TCPTimeoutTestCase",)}
# After this many broken children the rest of the module is recorded as not run.
CHILDREN = 10
TAIL = 30


@dataclass(frozen=True)
class Implementation:
    """A `socket` to run tests on: "stdlib", or a package to put in its place."""

    name: str
    limit: float = 30.0
    use: tuple[str, ...] = ()


@dataclass
class Progress:
    """What the event stream of one module's run has reported so far."""

    outcomes: Outcomes = field(default_factory=dict)
    planned: list[str] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)
    running: str | None = None
    done: bool = False

    def read(self, events: Path) -> None:
        """Read a child's events. The last line may be incomplete."""
        self.running = None
        for line in events.read_text(encoding="utf-8").splitlines() if events.exists() else ():
            with contextlib.suppress(json.JSONDecodeError):
                self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        if "begin" in event:
            self.running = event["begin"]
        elif "end" in event:
            if event["end"] == self.running:
                self.running = None
            if event["outcome"] is not None:
                self.outcomes[event["end"]] = Outcome.from_json(event)
        elif "planned" in event:
            self.planned = event["planned"]
        elif "about" in event:
            self.about = event["about"]
        elif "done" in event:
            self.done = True


def run_module(module: str, implementation: Implementation, only: Collection[str] | None = None) -> Progress:
    """Run `module` on `implementation`: all of it, or the tests named in `only`. A new child resumes after each broken one."""
    progress = Progress()
    for _ in range(CHILDREN):
        with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
            broken = _run_child(module, implementation, only, progress, Path(folder))
        if broken is None:
            break
        culprit = progress.running or "the process"
        print(f"  {implementation.name}: {broken.kind} in {culprit}", flush=True)
        resumable = culprit in progress.planned
        progress.outcomes[culprit if resumable else f"{culprit} ({module})"] = broken
        if progress.done or not resumable:
            break
    for name in progress.planned:
        progress.outcomes.setdefault(name, Outcome(NOT_RUN, ("the process ended before this test",)))
    return progress


def _run_child(
    module: str, implementation: Implementation, only: Collection[str] | None, progress: Progress, folder: Path
) -> Outcome | None:
    """Run one child and read its events; return how it broke, or None."""
    events, plan, log, scratch = (folder / name for name in ("events", "plan", "log", "scratch"))
    scratch.mkdir()
    plan.write_text(
        json.dumps(
            {
                "module": module,
                "candidate": implementation.name,
                "events": str(events),
                "limit": implementation.limit,
                "use": _resources(module, implementation),
                "leave_out": _left_out(module, implementation),
                "only": None if only is None else sorted(only),
                "done": sorted(progress.outcomes),
            }
        ),
        encoding="utf-8",
    )
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", str(WORKER), str(plan)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=scratch,
            start_new_session=True,
        )
        try:
            in_time = _wait(child, events, implementation.limit)
        finally:
            _end(child)
    progress.read(events)
    if in_time and child.returncode == 0 and progress.done:
        return None
    said = log.read_text(encoding="utf-8", errors="replace").splitlines()
    dumps = [number for number, line in enumerate(said) if re.match(r"Timeout \(\d+:\d\d:\d\d", line)]
    if dumps or not in_time:
        return Outcome(TIMEOUT, tuple(said[dumps[-1] :][:TAIL] if dumps else (f"over {implementation.limit:g} s, killed",)))
    return Outcome(CRASH, (*said[-TAIL:], _status(child.returncode)))


def _resources(module: str, implementation: Implementation) -> list[str]:
    """Return the resources to enable for `module`."""
    return [*implementation.use, "network"] if module in ON_LOOPBACK else list(implementation.use)


def _left_out(module: str, implementation: Implementation) -> list[str]:
    """Return the classes of `module` to leave out."""
    return [*LEFT_OUT, *(() if "network" in implementation.use else ON_LOOPBACK.get(module, ()))]


def _wait(child: subprocess.Popen[bytes], events: Path, limit: float) -> bool:
    """Wait as long as the child makes progress. The child's own watchdog ends it first, unless a test has disarmed it."""
    size = -1
    while True:
        try:
            child.wait(timeout=limit * 1.5 + 10)
            return True
        except subprocess.TimeoutExpired:
            grown = events.stat().st_size if events.exists() else 0
            if grown == size:
                return False
            size = grown


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and the processes that its tests left running: they share a session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _status(code: int) -> str:
    """Put an exit status into words."""
    if code >= 0:
        return f"the process ended with status {code}"
    try:
        return f"the process was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"the process was ended by signal {-code}"
