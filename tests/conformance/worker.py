"""The child: runs one test module of the interpreter's own suite in this process, and streams the outcome of each test.

    python worker.py PLAN

PLAN is a JSON file (see `runner.py`, which writes it and reads the stream). Each event is a line of JSON, written at once: after a
crash or a hang, the culprit is the test that has a `begin` and no `end`. This file imports no other file of this folder, since
nothing may import `socket` before the candidate is in its place.
"""

from __future__ import annotations

import faulthandler
import importlib
import importlib.util
import json
import os
import sys
import traceback
import unittest
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

TAIL = 12
# The worst report of a test and its subtests is the outcome of the test.
WORST_FIRST = ("error", "fail", "unexpected success", "skip", "expected failure", "pass")


class Stream:
    """The event stream, and the watchdog that ends the process when a test takes longer than the limit."""

    def __init__(self, path: str, limit: float) -> None:
        self._path = path
        self._limit = limit
        self._process = os.getpid()
        # Tests patch these functions: keep the original ones.
        self._calls = (os.getpid, os.open, os.write, os.close)

    def emit(self, **event: Any) -> None:
        """Append one event. No descriptor stays open between two events, since tests count descriptors and close them."""
        getpid, open_, write, close = self._calls
        if getpid() != self._process:  # the child of a test that forked and went on into this code
            return
        fd = open_(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            write(fd, json.dumps(event).encode() + b"\n")
        finally:
            close(fd)

    def begin(self, name: str) -> None:
        """Report that `name` begins, and start its time limit."""
        self.emit(begin=name)
        assert sys.__stderr__ is not None
        faulthandler.dump_traceback_later(self._limit, exit=True, file=sys.__stderr__)

    def end(self, name: str, outcome: str | None = None, detail: list[str] | None = None) -> None:
        """Report that `name` has ended. Without an outcome it was not a test."""
        faulthandler.cancel_dump_traceback_later()
        self.emit(end=name, outcome=outcome, detail=detail or [])


class Collector(unittest.TestResult):
    """Collects what unittest reports about the current test, and about the fixtures of classes and modules."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream
        self._reports: list[tuple[str, list[str]]] = []
        self._failed_set_ups: dict[str, tuple[str, list[str]]] = {}

    def take(self, test: unittest.TestCase) -> tuple[str, list[str]]:
        """Return the outcome of `test`, which has just run, and forget its reports."""
        reports, self._reports = self._reports, []
        if not reports:  # it never started: the set-up of its class or module failed or was skipped
            of = type(test)
            for scope in (f"{of.__module__}.{of.__qualname__}", of.__module__):
                if scope in self._failed_set_ups:
                    return self._failed_set_ups[scope]
            return "error", ["unittest reported nothing"]
        worst = min((kind for kind, _ in reports), key=WORST_FIRST.index)
        details = [detail for kind, detail in reports if kind == worst]
        if worst == "skip":
            return worst, sorted({line for detail in details for line in detail})
        return worst, details[0]

    def _report(self, test: object, kind: str, detail: list[str]) -> None:
        if isinstance(test, unittest.TestCase):
            self._reports.append((kind, detail))
            return
        fixture = str(test)  # unittest's stand-in for a fixture: "setUpClass (module.Class)"
        if fixture.startswith("setUp"):
            self._failed_set_ups[fixture.partition("(")[2].rstrip(")")] = (kind, detail)
        else:
            self._stream.emit(end=fixture, outcome=kind, detail=detail)

    def addSuccess(self, test: unittest.TestCase) -> None:
        """Collect a success."""
        self._report(test, "pass", [])

    def addFailure(self, test: unittest.TestCase, err: OptExcInfo) -> None:
        """Collect a failed assertion."""
        self._report(test, "fail", last_lines(err))

    def addError(self, test: unittest.TestCase, err: OptExcInfo) -> None:
        """Collect an exception."""
        self._report(test, "error", last_lines(err))

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        """Collect a skip of the test or of a subtest."""
        self._report(test, "skip", [reason])

    def addExpectedFailure(self, test: unittest.TestCase, err: OptExcInfo) -> None:
        """Collect a failure that the test expects."""
        self._report(test, "expected failure", last_lines(err))

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        """Collect the success of a test that expects to fail."""
        self._report(test, "unexpected success", [])

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None) -> None:
        """Report a failed subtest for its test. A subtest that passes says nothing about the whole test."""
        if err is not None:
            assert err[0] is not None
            failed = issubclass(err[0], test.failureException)
            self._report(test, "fail" if failed else "error", [str(subtest), *last_lines(err)])


class StreamingSuite(unittest.TestSuite):
    """A flat suite that reports the begin and the end of each test, including the fixtures that unittest runs before it; it empties `tests`."""

    def __init__(self, tests: dict[str, unittest.TestCase], stream: Stream, collector: Collector) -> None:
        super().__init__(tests.values())
        self._named = tests
        self._stream = stream
        self._collector = collector

    def __iter__(self) -> Iterator[unittest.TestCase]:
        """Yield each test to `TestSuite.run`, which asks for the next one after it has run this one."""
        while self._named:
            # Keep no reference to a test that has run: what it left behind would slow down each garbage collection.
            name = next(iter(self._named))
            test = self._named.pop(name)
            self._stream.begin(name)
            yield test
            kind, detail = self._collector.take(test)
            self._stream.end(name, kind, detail)
        self._stream.begin("the last class's and the module's tear-down")


def last_lines(err: OptExcInfo) -> list[str]:
    """Return the last lines of a traceback, with file names relative to the library."""
    text = "".join(traceback.format_exception(*err))
    for folder in sorted({os.path.realpath(path) for path in sys.path if path}, key=len, reverse=True):
        text = text.replace(f'File "{folder}/', 'File "')
    return text.rstrip().splitlines()[-TAIL:]


def install_candidate(candidate: str) -> dict[str, str]:
    """Put `candidate` in place of `socket` and `_socket`; return its name and version."""
    if candidate == "stdlib":
        return {"candidate": "stdlib", "version": sys.version.split()[0]}
    module = importlib.import_module(candidate)
    core = importlib.import_module(f"{candidate}._socket")
    if hasattr(module, "install"):
        module.install()
    else:
        sys.modules.update(socket=module, _socket=core)
    # Otherwise the stdlib would be compared with itself, and no test would ever be lost.
    if importlib.import_module("socket") is not module or importlib.import_module("_socket") is not core:
        raise ImportError(f"{candidate} is not in the place of socket and _socket")
    return {"candidate": candidate, "version": str(getattr(module, "__version__", ""))}


def flatten(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """Yield the tests of a suite and of the suites in it, in order."""
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from flatten(each)
        else:
            yield each


def load(module: str) -> dict[str, unittest.TestCase]:
    """Load the tests of `test.MODULE`, or of MODULE if there is no such module, by their names."""
    inside = f"test.{module}"
    full = inside if "." not in module and importlib.util.find_spec(inside) else module
    tests: dict[str, unittest.TestCase] = {}
    for test in flatten(unittest.TestLoader().loadTestsFromModule(importlib.import_module(full))):
        name, copies = test.id(), 1
        while name in tests:  # one class collected from two places
            copies += 1
            name = f"{test.id()}#{copies}"
        tests[name] = test
    return tests


def main(plan_path: str) -> None:
    """Carry out the plan."""
    with open(plan_path, encoding="utf-8") as file:
        plan = json.load(file)
    here = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.realpath(path) != here]
    stream = Stream(plan["events"], plan["limit"])
    importing = f"import ({plan['module']})"
    stream.begin(importing)
    try:
        stream.emit(about=install_candidate(plan["candidate"]))
        support: Any = importlib.import_module("test.support")
        support.use_resources = plan["use"]
        support.verbose = 0
        tests = load(plan["module"])
    except unittest.SkipTest as reason:
        stream.end(importing, "skip", [str(reason)])
        stream.emit(done=True)
        return
    except BaseException:
        stream.end(importing, "error", last_lines(sys.exc_info()))
        stream.emit(done=True)
        return
    stream.end(importing)
    for name in list(tests):
        left_out = any(part in plan["leave_out"] for part in name.split("."))
        if left_out or (plan["only"] is not None and name not in plan["only"]):
            del tests[name]
    stream.emit(planned=list(tests))
    for name in plan["done"]:
        tests.pop(name, None)
    collector = Collector(stream)
    StreamingSuite(tests, stream, collector).run(collector)
    stream.emit(done=True)
    # The watchdog covers the end of the interpreter too, which joins threads and destroys modules.
    stream.begin("the interpreter's end")


if __name__ == "__main__":
    main(sys.argv[1])
