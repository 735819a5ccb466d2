"""Looks for leaked references under a debug interpreter: python tests/refleaks [--times N] [--group NAME] [--name NAME] [--no-suite]

Every method and function of oxisocket, in the ways in which it succeeds and those in which it fails (the operations of tests/memory), is
called again and again: without a trace, and while a trace and a callback watch. The total of all references, the blocks of memory
and the descriptors must stay as they are. Then the interpreter's own test_socket runs on oxisocket with `-R 3:3`, where it is installed.
Prints what leaks, and how much was called.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import importlib.util
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "memory"))
import group_programs
import watching  # noqa: F401  its operations add themselves
from operations import GROUPS, TABLES, Environment, operations

WARM_UP = 3  # a tenth of the calls, thrice: caches fill, and free lists
WINDOWS = 4  # a leak grows in each of them, a cache does not
FLAT = 10  # references or blocks that may be more after all calls: those of an object that a cache keeps
# The kernel has no VSOCK loopback in most machines, and the test hangs there.
LEFT_OUT = ("ThreadedVSOCKSocketStreamTest",)
SUITE = ("test_socket",)


def measure():
    """The references and blocks of the interpreter, and the descriptors of the process."""
    gc.collect()
    return getattr(sys, "gettotalrefcount", int)(), sys.getallocatedblocks(), len(os.listdir("/proc/self/fd"))


def make(operation, env, times):
    """Make the call of an operation so many times."""
    for _ in range(times):
        steps = operation(env)
        function, arguments = next(steps)
        value = None
        with contextlib.suppress(Exception):
            value = function(*arguments)
        with contextlib.suppress(StopIteration):
            steps.send(value)
        del steps, function, arguments, value


def growth(operation, env, times):
    """What grows while the call is made so many times."""
    before = measure()
    make(operation, env, times)
    return tuple(now - then for now, then in zip(measure(), before, strict=True))


def look_for_leaks(operation, env, times):
    """How many calls were made; what grew with them, again and again."""
    few = max(times // 10, 1)
    for _ in range(WARM_UP):
        make(operation, env, few)
    for window in range(1, WINDOWS + 1):
        looks = growth(operation, env, 0)  # the look itself holds references
        grown = tuple(now - own for now, own in zip(growth(operation, env, times), looks, strict=True))
        if max(grown[:2]) <= FLAT and grown[2] <= 0:
            return WARM_UP * few + window * times, None
    return WARM_UP * few + WINDOWS * times, "{} references, {} blocks and {} descriptors".format(*grown)


def run_group(options):
    """Look at each operation of one group."""
    warnings.simplefilter("ignore")
    module = importlib.import_module(options.module)
    env = Environment(module)
    watchers = contextlib.ExitStack()
    if options.traced:
        module.trace("/dev/full.jsonl", callers=True)._start_in_file("/dev/null")
        watchers.enter_context(module.observe(lambda event: None))
    calls = looked_at = 0
    with watchers:
        for name, operation in operations(options.group, env).items():
            if options.name in ("", name):
                made, leak = look_for_leaks(operation, env, options.times)
                calls, looked_at = calls + made, looked_at + 1
                if leak:
                    print(f"{name}: {leak} leak in {options.times} calls", flush=True)
    print(f"\t{looked_at}\t{calls}\t{sys.gettotalrefcount()}", flush=True)
    os._exit(0)


def run_groups(options):
    """Run all groups, each in a program of its own; return whether something was wrong."""
    groups = [options.group] if options.group else sorted({*GROUPS, *TABLES})

    def command(group, traced):
        words = ["--module", options.module, "--inside", "--group", group, "--name", options.name, "--times", str(options.times)]
        return [sys.executable, "-P", __file__, *words, *(["--traced"] if traced else [])]

    totals, wrong = [0, 0], False
    for program in group_programs.run_groups(groups, command, lambda traced: dict(os.environ)):
        if not program.counts:
            program.wrong.append(f"the program ended with status {program.status}")
        for looked_at, calls, references in program.counts:
            totals = [totals[0] + int(looked_at), totals[1] + int(calls)]
            print(
                f"{program.name}: {int(looked_at):,} operations, {int(calls):,} calls; {int(references):,} references in the end"
            )
        program.print_wrong()
        wrong |= bool(program.wrong)
    print(f"{totals[0]:,} operations, {totals[1]:,} calls{'' if wrong else '; nothing leaks'}", flush=True)
    return wrong


def run_suite(options):
    """Run the interpreter's own tests, and repeat them in one process; return whether one leaks that does not leak on the stdlib."""
    if importlib.util.find_spec("test.test_socket") is None:
        print("skipped: test_socket is not installed for this interpreter (on Debian: apt-get install libpython3.x-testsuite)")
        return False
    tests = options.suite or SUITE
    print("the interpreter's own tests, six times in one process:", *tests, flush=True)
    status, ours = run_tests(["-m", "oxisocket"], tests)
    if not ours:
        return status != 0
    print("the same on the stdlib, which may leak by itself:", flush=True)
    _, theirs = run_tests([], tests)
    return bool(ours - theirs)


def run_tests(program, tests):
    """The exit status of the interpreter's own tests, and what leaks in which module."""
    ignored = [word for name in LEFT_OUT for word in ("-i", f"*.{name}.*")]
    command = [sys.executable, *program, "-m", "test", "-R", "3:3", *ignored, *tests]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, stdin=subprocess.DEVNULL
    )
    for line in done.stdout.splitlines():
        if re.search(r"leaked|failed|ok\b|Result|SUCCESS|FAIL|ERROR|beginning|Total", line) or done.returncode:
            print(f"  {line}", flush=True)
    return done.returncode, leaks(done.stdout)


def leaks(output):
    """What regrtest says that leaks: pairs of a module's name and of what it leaks."""
    return set(re.findall(r"^(\w+) leaked \[.*\] (references|memory blocks|file descriptors)", output, re.MULTILINE))


def main():
    """Look at all operations, and run the interpreter's own tests."""
    options = parse()
    if not hasattr(sys, "gettotalrefcount"):
        sys.exit("this interpreter does not count its references\nNext: make refleaks, which finds one that does")
    if options.inside:
        return run_group(options)
    wrong = run_groups(options)
    if not options.no_suite:
        wrong |= run_suite(options)
    return int(wrong)


def parse():
    parser = argparse.ArgumentParser(
        prog="python tests/refleaks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite", nargs="*", help="the interpreter's own test modules (test_socket)")
    parser.add_argument("--module", default="oxisocket", metavar="NAME", help="the implementation (oxisocket)")
    parser.add_argument("--times", type=int, default=1000, help="how often each call is made between two looks (1000)")
    parser.add_argument("--group", default="", choices=["", *sorted({*GROUPS, *TABLES})], help="only this group of operations")
    parser.add_argument("--name", default="", help="only this operation")
    parser.add_argument("--no-suite", action="store_true", help="without the interpreter's own tests")
    parser.add_argument("--inside", action="store_true", help="in this process")
    parser.add_argument("--traced", action="store_true", help="while a trace and a callback watch; only in this process")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
