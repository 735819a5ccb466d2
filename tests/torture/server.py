"""Runs scenarios, each in a child process: python tests/torture/server.py IMPLEMENTATION, with the shim preloaded.

Everything is imported once. For each line of standard input, a case in JSON, a child runs the scenario, and a line of JSON says what
happened.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "parts"))
from descriptors import open_numbers
from environment import DEFERRED_CLOSE, SCENARIOS, Environment, unexpected_errors
from shim import Shim

HANG_TIMEOUT = 12  # seconds after which a run counts as hung; it takes milliseconds
RESULT = 1 << 20  # bytes of a result at most


def run(module: ModuleType, shim: Shim, case: dict[str, Any]) -> dict[str, Any]:
    """Run the scenario of a case in this process."""
    gc.disable()  # finalizers run when they must, and not at some call
    unexpected: list[str] = []
    unexpected_errors(unexpected)
    before = open_numbers()
    shim.forget()
    env = Environment(module, shim)
    if case.get("kind"):
        shim.fail(*(case[name] for name in ("kind", "step", "nth", "error", "onwards")))
    try:
        SCENARIOS[case["scenario"]](env)
        env.finish()
    except BaseException:
        env.wrong.append(f"outside of the program: {traceback.format_exc()}")
    leaked = _new_numbers(before)
    return {
        "log": env.log,
        "wrong": env.wrong,
        "unexpected": unexpected,
        "leaked": [f"{number} ({_target(number)})" for number in leaked],
        "hits": shim.hits,
        "counts": [[step, kind, count] for (step, kind), count in shim.counts().items()],
    }


def _new_numbers(before: set[int]) -> list[int]:
    """The numbers that were not there before, after the time in which a number may be closed later."""
    deadline = time.monotonic() + DEFERRED_CLOSE
    while (new := sorted(open_numbers() - before)) and time.monotonic() < deadline:
        time.sleep(0.02)
        gc.collect()
    return new


def _target(number: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        return "?"


def run_in_child(module: ModuleType, shim: Shim, case: dict[str, Any]) -> dict[str, Any]:
    """Run the scenario of a case in a child process: what it did, and how it ended."""
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if not child:
            _be_the_child(module, shim, case, writer, errors.fileno())
        os.close(writer)
        with open(reader, "rb") as pipe:
            said = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    result = json.loads(said) if said else {"log": [], "wrong": [], "unexpected": [], "leaked": [], "hits": 0, "counts": []}
    return result | {"status": status, "stderr": text}


def _be_the_child(module: ModuleType, shim: Shim, case: dict[str, Any], writer: int, errors: int) -> None:
    status = 1
    try:
        os.dup2(errors, 2)
        signal.alarm(HANG_TIMEOUT)
        said = json.dumps(run(module, shim, case)).encode()
        while said:
            said = said[os.write(writer, said) :]
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def main(implementation: str) -> None:
    """Serve until the end of standard input."""
    warnings.simplefilter("ignore")
    module = importlib.import_module(implementation)
    if implementation == "oxisocket":
        module.install()
    importlib.import_module("scenarios")
    faulthandler.register(signal.SIGALRM, chain=True)
    shim = Shim()
    warm: set[str] = set()
    for line in sys.stdin:
        case = json.loads(line)
        # Once without failures in this process: what is imported and cached is the same in each child.
        if case["scenario"] not in warm:
            warm.add(case["scenario"])
            signal.alarm(HANG_TIMEOUT)
            env = Environment(module, shim)
            SCENARIOS[case["scenario"]](env)
            env.finish()
            gc.collect()
            gc.freeze()  # a collection in a child looks only at what the child has made
            signal.alarm(0)
        sys.stdout.write(json.dumps(run_in_child(module, shim, case)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    faulthandler.enable()
    main(*sys.argv[1:])
