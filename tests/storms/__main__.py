"""Storms, one a file: python tests/storms [--seconds N] [--name NAME] [--seed N] [--module NAME]

Each runs in a process of its own, for two minutes if nothing else is said, and prints what it tried. Whatever happens in it: no crash, no
hang, no leaked descriptor and no lost byte. Only 127.0.0.1, ::1 and UNIX sockets are used.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
NOT_STORMS = {"__main__", "conditions", "process"}
STORMS = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_STORMS)
GRACE = 60  # seconds that a storm may take longer than was said


def run(name: str, seconds: float, seed: int, module: str) -> bool:
    """Run one storm; print its report. Whether nothing was wrong."""
    began = time.monotonic()
    command = [sys.executable, "-P", "-X", "faulthandler", str(HERE / "process.py"), name, module, str(seconds), str(seed)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent / "parts")))}
    # A session of its own, so that what it has started ends with it.
    process = subprocess.Popen(command, text=True, env=environment, start_new_session=True, stdout=subprocess.PIPE)
    hangs = False
    try:
        output, _ = process.communicate(timeout=3 * seconds + GRACE)
    except subprocess.TimeoutExpired:
        hangs = True
        process.send_signal(signal.SIGABRT)  # faulthandler tells where its threads are
        output, _ = process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    good = process.returncode == 0 and not hangs
    ended = "it hangs" if hangs else f"exit status {process.returncode}"
    print(f"{name}, {time.monotonic() - began:.0f} s, seed {seed}: {'nothing wrong' if good else 'WRONG, ' + ended}")
    print("".join(f"  {line}\n" for line in output.splitlines()), end="", flush=True)
    return good


def main() -> int:
    """Run the storms, one after the other."""
    parser = argparse.ArgumentParser(
        prog="python tests/storms", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=120, help="how long each lasts")
    parser.add_argument("--name", action="append", default=[], choices=STORMS, help="only this one")
    parser.add_argument("--seed", type=int, help="repeats the choices, but not their order in time")
    parser.add_argument("--module", default="oxisocket", choices=["oxisocket", "socket"], help="socket: the stdlib's")
    options = parser.parse_args()
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    good = [run(name, options.seconds, seed, options.module) for name in options.name or STORMS]
    print(f"{len(good)} storms, wrong: {good.count(False)}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
