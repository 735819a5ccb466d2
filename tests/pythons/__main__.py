"""Builds, installs and runs the project for the Pythons of this machine.

The variable PYTHONS ("3.11 3.13") selects some of them; without it all are used.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import debug
import toolchain
from environment import Environment
from find import all_pythons, default_python, wanted_pythons


def main() -> int:
    """Carry out the command line."""
    # Split by hand: argparse would read the options of the command as its own.
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    options, command = _parser().parse_args(words[:end]), words[end + 1 :]
    if options.verb == "list":
        return _list()
    if options.verb == "cargo":
        return toolchain.cargo(command, options.build)
    if not toolchain.package_toolchain(options.build):
        return 0
    if options.build == "debug":
        found = debug.python()
        pythons = [found] if found else []
    else:
        pythons = [default_python()] if options.default else wanted_pythons()
    environments = [Environment(python, options.build) for python in pythons]
    return _each(environments, options.groups, command, package=options.package)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pythons", description=__doc__, usage="pythons VERB [OPTIONS] [-- ARGUMENTS]")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="list the Pythons found")
    cargo = verbs.add_parser("cargo", help="run cargo with ARGUMENTS for the default Python")
    cargo.add_argument("--for", dest="build", choices=toolchain.BUILDS, default=toolchain.BUILDS[0], help="what for")
    build = verbs.add_parser("build", help="build and install the package, then run Python with ARGUMENTS, if any")
    build.add_argument("--default", action="store_true", help="for the default Python only, not for each")
    build.add_argument(
        "--for",
        dest="build",
        choices=toolchain.PACKAGES,
        default=toolchain.PACKAGES[0],
        help="what for (debug: a debug interpreter)",
    )
    build.add_argument("--no-package", dest="package", action="store_false", help="but not the package itself")
    build.add_argument(
        "--with", dest="groups", action="append", default=[], metavar="GROUP", help="install this dependency group too"
    )
    return parser


def _list() -> int:
    chosen = {python.version for python in wanted_pythons()}
    for python in all_pythons():
        mark = "*" if python.version in chosen else " "
        print(mark, f"{python.version:6}", *python.inside, python.executable)
    return 0


def _each(environments: Sequence[Environment], groups: Sequence[str], arguments: Sequence[str], *, package: bool) -> int:
    """Prepare all environments, then run each, even if an earlier one fails."""
    for environment in environments:
        environment.prepare(groups, package=package)
    if not arguments:
        return 0
    if len(environments) == 1:
        return environments[0].run(arguments)

    passed: list[str] = []
    failed: list[str] = []
    for environment in environments:
        version = environment.python.version
        print(f"\n=== Python {version}: {' '.join(arguments)}")
        started = time.monotonic()
        (failed if environment.run(arguments) else passed).append(version)
        print(f"=== Python {version}: {time.monotonic() - started:.0f} s")
    print("\npassed:", *passed or ["none"])
    print("failed:", *failed or ["none"])
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        status = main()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
