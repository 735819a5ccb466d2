"""Fuzzes what comes from outside.

    python tests/fuzz                              each target for a minute
    python tests/fuzz --runs 10000000 idna inet    these, ten million executions each

The variables FUZZ_SECONDS and FUZZ_RUNS say the same. What is found is in target/fuzz/found; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "pythons"))
import libfuzzer
from find import TOP

FOUND = TOP / "target" / "fuzz" / "found"
# In Python, and run by another program: a run of libFuzzer needs no oxisocket that is installed.
IN_PYTHON = ("record", "drawings", "recorder")


def main() -> int:
    """Run the targets, and say what each has tried."""
    options = _options()
    targets = options.targets or [*libfuzzer.TARGETS, *IN_PYTHON]
    failed = []
    in_rust = [target for target in targets if target in libfuzzer.TARGETS]
    if in_rust and not libfuzzer.build():
        # On a machine for tests that is told and accepted; who asks for it by hand has not got it.
        failed += [] if os.environ.get("CI") else in_rust
        in_rust = []
    for target in in_rust:
        if not libfuzzer.run(target, runs=options.runs, seconds=options.seconds, seed=options.seed, found=FOUND):
            failed.append(target)
    for target in targets:
        if target in IN_PYTHON and not _run_mutants(target, options):
            failed.append(target)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _run_mutants(target: str, options: argparse.Namespace) -> bool:
    import mutants
    import recorder

    how = {"runs": options.runs, "seconds": options.seconds, "seed": options.seed, "folder": FOUND}
    report = recorder.fuzz(**how) if target == "recorder" else mutants.fuzz(target, **how)
    print(report, flush=True)
    for found in report.found.values():
        print(f"\n{found.path}\n{found.error}", flush=True)
    return not report.found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python tests/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = (*libfuzzer.TARGETS, *IN_PYTHON)
    parser.add_argument("targets", nargs="*", choices=[*known, []], metavar="TARGET", help=f"of these: {', '.join(known)}")
    runs, seconds = (float(os.environ.get(name) or 0) for name in ("FUZZ_RUNS", "FUZZ_SECONDS"))
    parser.add_argument(
        "--runs", type=float, default=runs, help="how often to execute each target (as often as there is time for)"
    )
    parser.add_argument(
        "--seconds", type=float, default=seconds, help="how long to run each target (a minute, unless --runs is given)"
    )
    parser.add_argument("--seed", type=int, default=20261, help="the same seed makes the same mutations of the same corpus")
    options = parser.parse_args()
    options.seconds = options.seconds or (float("inf") if options.runs else 60)
    options.runs = options.runs or float("inf")
    return options


if __name__ == "__main__":
    sys.exit(main())
