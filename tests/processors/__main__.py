"""Runs the tests on other processors: i386 as it is, s390x and arm64 with qemu.

    python tests/processors                               the Rust tests and the Python tests on each
    python tests/processors s390x -- tests/socket -x      on this one, with these arguments for pytest
    python tests/processors --list                        the processors, their folders, and what is missing here

The folders are in $PROCESSORS_FOLDER, or ~/processors: 0.6 GB each.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "pythons"))
import building
from processor import ALL, Processor
from root import Root

NAMES = [processor.name for processor in ALL]
# Each worker waits most of the time, and an emulated one is a tenth as fast.
PYTEST = ["/venv/bin/python", "-B", "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.processors.left_out", "-n", "2", "-q"]
TIMEOUT = 600


def main() -> int:
    """Carry out the command line."""
    words = sys.argv[1:]
    if words[:1] == ["--inside"]:  # the Rust tests are started so
        return Root(_named(words[1])).run(words[2:])
    end = words.index("--") if "--" in words else len(words)
    options, arguments = _parser().parse_args(words[:end]), words[end + 1 :]
    chosen = [_named(name) for name in options.processors] or ALL
    if options.list:
        return _list(chosen)
    results = {processor.name: _test(Root(processor), arguments) for processor in chosen}
    print()
    for name, result in results.items():
        print(f"{name:6} {result}")
    return 0 if all(result in ("passed", "skipped") for result in results.values()) else 1


def _named(name: str) -> Processor:
    return ALL[NAMES.index(name)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python tests/processors", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("processors", nargs="*", choices=[*NAMES, []], metavar="PROCESSOR", help=f"of these: {', '.join(NAMES)}")
    parser.add_argument("--list", action="store_true", help="list them, and what is missing")
    return parser


def _list(chosen: tuple[Processor, ...] | list[Processor]) -> int:
    for processor in chosen:
        root = Root(processor)
        made = f"Python {root.python}" if root.is_ready else "not made"
        how = f"qemu-{processor.emulator}" if processor.emulator else "as it is"
        print(f"{processor.name:6} {processor.about:11} {how:13} {root.folder} ({made})")
        for each in root.missing():
            print(f"       missing: {each}")
    return 0


def _test(root: Root, arguments: list[str]) -> str:
    name = root.processor.name
    print(f"\n=== {name}", flush=True)
    missing = root.missing()
    if missing:
        print("skipped: there is no", "; no ".join(missing))
        return "skipped"
    if not root.make() or not building.install(root):
        return "not built"
    failed = []
    # An emulator does not run the tests of threads that interrupt each other's calls as a kernel does; pytest says which.
    if not arguments and root.processor.emulator is None and not building.unit(root, Path(__file__)):
        failed.append("Rust tests")
    slow = ["-o", f"timeout={TIMEOUT}"] if root.processor.emulator else []
    emulated = {"OXISOCKET_EMULATED": root.processor.emulator} if root.processor.emulator else {}
    if root.run([*PYTEST, *slow, *(arguments or ["--ignore", "tests/ecosystem"])], **emulated) != 0:
        failed.append("Python tests")
    return f"failed: {', '.join(failed)}" if failed else "passed"


if __name__ == "__main__":
    sys.exit(main())
