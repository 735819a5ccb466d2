"""Runs the tests under instruments that watch the memory: python tests/sanitize [--short] [address] [thread] [memcheck] [-- ARGUMENTS]

AddressSanitizer and ThreadSanitizer are built into the library, and into Rust's own; the Rust tests run with the first too. Valgrind's
memcheck watches the library as users have it. Every report is an error, but for those in the files with suppressions, each with its
reason. An instrument that is not there is skipped, and it is said what to install.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from instruments import INSTRUMENTS, Instrument

TOP = Path(__file__).resolve().parents[2]
PYTHONS = TOP / "tests" / "pythons"
REPORTS = TOP / "target" / "sanitize"

# What a short run takes: the receiving and sending of everything, and what fails.
SHORT = (
    "tests/socket/test_message.py",
    "tests/socket/test_buffers.py",
    "tests/socket/test_reentrance.py",
    "tests/beyond/test_reader.py",
)
# Left out are:
# - test_memory.py and test_torture.py, which put a library of their own where the instruments have theirs;
# - tests/seeing, test_watching.py, test_run.py and test_installation.py, whose subject is written in Python;
# - test_free_threading.py: the instruments have no interpreter without a GIL;
# - tests/ecosystem, which takes too long; tests/conformance and tests/fuzz, programs of their own (the latter has AddressSanitizer);
# - all others, which look at names, documents, types and the programs of tests/, and call next to nothing of the library.
SUITE = (
    "tests/socket",
    "tests/module",
    "tests/beyond",
    "tests/test_audit.py",
    "tests/test_differential.py",
    "tests/test_exit.py",
    "tests/test_first_look.py",
    "tests/test_fork.py",
    "tests/test_leaks.py",
    "tests/test_ssl.py",
    "tests/test_subinterpreters.py",
)
# And these of them:
LEFT_OUT = (
    # They limit the addresses of a process. An instrument takes terabytes of them.
    "tests/beyond/test_lookup.py::test_without_memory_nothing_aborts",
    "tests/beyond/test_option_value.py::test_too_much_memory_is_an_error",
    # They count the threads of a process. ThreadSanitizer has one of its own.
    "tests/beyond/test_lookup.py::test_an_abandoned_look_up_ends_by_itself",
    "tests/beyond/test_lookup.py::test_an_equal_question_joins_the_look_up_that_runs",
    "tests/beyond/test_lookup.py::test_no_thread_and_no_descriptor_is_left",
    "tests/beyond/test_lookup.py::test_signals_do_not_run_in_helpers",
    "tests/beyond/test_lookup.py::test_the_number_of_abandoned_look_ups_is_bounded",
    # A fork copies the instrument's tables, which takes too long beside busy threads.
    "tests/test_fork.py::test_forks_beside_busy_threads",
)

# And these of one instrument:
LEFT_OUT_OF = {
    "memcheck": (
        # It has descriptors of its own, just below the limit of the process.
        "tests/beyond/test_tracing.py::test_a_fork_without_descriptors_says_so",
        "tests/beyond/test_tracing.py::test_no_descriptors",
        "tests/socket/test_close_adversity.py::test_no_descriptor_is_left",
        "tests/socket/test_close_adversity.py::test_the_number_is_above_the_limit",
        "tests/test_fork.py::test_the_child_opens_and_closes_no_descriptor",
        # It runs one thread at a time, and does not know that `close` waits where SO_LINGER is set.
        "tests/socket/test_close_other_thread.py::TestLinger",
        # It sends signals itself, when it gives a thread its turn.
        "tests/socket/test_closed_meanwhile.py::test_the_signal_that_interrupts",
        # It takes ten times as long, which is too long for these.
        "tests/beyond/test_exact.py::TestSignals::test_a_handler_need_not_wait_for_a_stream_to_end",
        "tests/beyond/test_notes.py::TestBind::test_forks_while_sockets_are_bound",
        "tests/beyond/test_notes.py::TestTimeouts::test_a_deadline",
        "tests/socket/test_signals.py::test_the_timeout_does_not_start_again",
        "tests/test_differential.py",
    )
}


def main() -> int:
    """Run the instruments."""
    options, arguments = parse()
    if options.inside:
        return run(INSTRUMENTS[options.instruments[0]], options, arguments)
    wrong = False
    for name in options.instruments or list(INSTRUMENTS):
        instrument = INSTRUMENTS[name]
        reason = instrument.why_not()
        if reason is not None:
            print(f"skipped: {reason}", flush=True)
            continue
        wrong |= start(instrument, options, arguments)
    return int(wrong)


def start(instrument: Instrument, options: argparse.Namespace, arguments: list[str]) -> bool:
    """Build for an instrument, and run the tests under it; return whether something was wrong."""
    short = ["--short"] if options.short else []
    inside = ["tests/sanitize", "--inside", *short, instrument.name, "--", *arguments]
    build = ["build", "--default", "--for", instrument.build, "--with", "test"]
    python = instrument.python()
    chosen = {**os.environ, "PYTHONS": python.version if python else ""}
    wrong = subprocess.run([sys.executable, PYTHONS, *build, "--", *inside], cwd=TOP, env=chosen, check=False).returncode != 0
    if instrument.name == "address":
        unit = ["cargo", "--for", "address", "--", "test", "--quiet", "--lib"]
        # The interpreter keeps memory to its end; and a test asks for more memory than there is, which is an error that it expects.
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1"}
        wrong |= subprocess.run([sys.executable, PYTHONS, *unit], cwd=TOP, env=environment, check=False).returncode != 0
    return wrong


def run(instrument: Instrument, options: argparse.Namespace, arguments: list[str]) -> int:
    """Run the tests with this interpreter, and say what the instrument reports."""
    logs = REPORTS / instrument.name
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    tests = arguments or list(SHORT if options.short else SUITE)
    left_out = [word for test in (*LEFT_OUT, *LEFT_OUT_OF.get(instrument.name, ())) for word in ("--deselect", test)]
    plugins = ["-p", "no:cacheprovider", "-p", "tests.sanitize.ours_only"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "-n", "auto", "-o", "timeout=600", *left_out, *tests]
    started = time.monotonic()
    ended = subprocess.run(
        instrument.under(command, logs), cwd=TOP, env=instrument.environment(logs), check=False, stdout=subprocess.PIPE, text=True
    )
    reports = instrument.reports(logs)
    summary = re.findall(r"^.*\d+ passed.*$", ended.stdout, re.MULTILINE)
    if ended.returncode != 0:
        print(ended.stdout)
    for report in reports:
        print(report)
    said = summary[-1].strip("= ") if summary else f"exit status {ended.returncode}"
    print(f"{instrument.name}: {said}; {len(reports)} reports, {time.monotonic() - started:.0f} s", flush=True)
    return int(bool(reports) or ended.returncode != 0)


def parse() -> tuple[argparse.Namespace, list[str]]:
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(
        prog="python tests/sanitize", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "instruments", nargs="*", choices=[*INSTRUMENTS, []], metavar="INSTRUMENT", help=f"of {', '.join(INSTRUMENTS)}"
    )
    parser.add_argument("--short", action="store_true", help="a selection of the tests")
    parser.add_argument("--inside", action="store_true", help="with this interpreter, for which all is built")
    return parser.parse_args(words[:end]), words[end + 1 :]


if __name__ == "__main__":
    sys.exit(main())
