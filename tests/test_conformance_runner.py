"""The conformance runner notices each kind of loss, in small made-up test modules and with a made-up candidate."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

RUNNER = Path(__file__).resolve().with_name("conformance")

# In the place of oxisocket: the stdlib's socket with a mark, which the made-up tests below look for.
CANDIDATE = {
    "made_up/__init__.py": "from socket import *\nMARK = True\n__version__ = '7'\n",
    "made_up/_socket.py": "from _socket import *\nMARK = True\n",
}
PROLOGUE = """
import ctypes, os, unittest
import socket
import _socket
MARKED = hasattr(socket, "MARK") and hasattr(_socket, "MARK")
"""


class Workspace:
    """A folder with made-up test modules, and the way to run the runner on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in CANDIDATE.items():
            self._write(name, text)

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def module(self, name: str, body: str) -> None:
        """Write a made-up test module."""
        self._write(f"{name}.py", PROLOGUE + dedent(body))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the runner."""
        return subprocess.run(
            [sys.executable, str(RUNNER), "--json", str(self.folder / "results.json"), *arguments],
            env=os.environ | {"PYTHONPATH": str(self.folder), "PYTHONIOENCODING": "utf-8"},
            encoding="utf-8",
            capture_output=True,
            check=False,
            timeout=120,
        )

    def results(self) -> Any:
        """Return the first module's results."""
        return json.loads((self.folder / "results.json").read_text(encoding="utf-8"))["modules"][0]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A fresh workspace."""
    return Workspace(tmp_path)


def compare(workspace: Workspace, body: str, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Run a made-up module on the stdlib and on the made-up candidate; return what was printed and which tests were lost."""
    workspace.module("made_up_tests", body)
    printed = workspace.run("--candidate", "made_up", "--reruns", "0", *arguments, "made_up_tests")
    assert not printed.stderr
    return printed, {name.rpartition(".")[2]: change for name, change in workspace.results()["lost"].items()}


def test_nothing_lost(workspace: Workspace) -> None:
    """A test with the same outcome on both is not lost, whatever the outcome is."""
    printed, lost = compare(
        workspace,
        """
        class Tests(unittest.TestCase):
            def test_pass(self): pass
            def test_fail(self): self.fail()
            def test_error(self): 1 / 0
            def test_skip(self): self.skipTest("here and there")
            @unittest.expectedFailure
            def test_expected(self): self.fail()
            @unittest.expectedFailure
            def test_unexpected(self): pass
        """,
    )
    assert (printed.returncode, lost) == (0, {})
    kinds = [outcome["outcome"] for outcome in workspace.results()["candidate"].values()]
    assert kinds == ["error", "expected failure", "fail", "pass", "skip", "unexpected success"]
    assert "lost 0" in printed.stdout


def test_lost_pass(workspace: Workspace) -> None:
    """A test that passes on the stdlib alone is lost, and the end of its traceback is printed."""
    printed, lost = compare(
        workspace,
        """
        class Tests(unittest.TestCase):
            def test_fine(self): pass
            def test_fails(self): self.assertFalse(MARKED, "a mark")
            def test_raises(self):
                if MARKED: raise OSError(9, "no good")
            def test_subtests(self):
                for number in range(3):
                    with self.subTest(number=number): self.assertFalse(MARKED and number == 1)
        """,
    )
    assert printed.returncode == 1
    assert lost == {
        "test_fails": "pass → fail",
        "test_raises": "pass → error",
        "test_subtests": "pass → fail",
    }
    assert "LOST made_up_tests.Tests.test_fails: pass → fail" in printed.stdout
    assert "AssertionError: True is not false : a mark" in printed.stdout
    assert "OSError: [Errno 9] no good" in printed.stdout


def test_new_skip(workspace: Workspace) -> None:
    """A test, subtest, class or module that is not skipped on the stdlib must not be skipped on the candidate."""
    printed, lost = compare(
        workspace,
        """
        class Tests(unittest.TestCase):
            @unittest.skipIf(MARKED, "no such name")
            def test_skipped(self): pass
            def test_subtests(self):
                for number in range(2):
                    with self.subTest(number=number):
                        if MARKED or number: self.skipTest("no %s" % ("nought", "one")[number])
        @unittest.skipIf(MARKED, "no such class")
        class Others(unittest.TestCase):
            def test_class(self): pass
        class Fixture(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                if MARKED: raise unittest.SkipTest("not today")
            def test_set_up(self): pass
        """,
    )
    assert printed.returncode == 1
    assert lost == {
        "test_skipped": "pass → skip",
        "test_subtests": "skip → skip for another reason",
        "test_class": "pass → skip",
        "test_set_up": "pass → skip",
    }
    printed, lost = compare(
        workspace,
        """
        if MARKED: raise unittest.SkipTest("all of it")
        class Tests(unittest.TestCase):
            def test_one(self): pass
        """,
    )
    assert (printed.returncode, lost["test_one"]) == (1, "pass → absent")


def test_gain_is_no_loss(workspace: Workspace) -> None:
    """The candidate may pass what the stdlib skips or fails."""
    printed, lost = compare(
        workspace,
        """
        class Tests(unittest.TestCase):
            @unittest.skipUnless(MARKED, "not there")
            def test_skipped(self): pass
            def test_failed(self): self.assertTrue(MARKED)
        """,
    )
    assert (printed.returncode, lost) == (0, {})


def test_crash(workspace: Workspace) -> None:
    """A crash is the outcome of the test that was running, and the tests after it run."""
    printed, lost = compare(
        workspace,
        """
        class Tests(unittest.TestCase):
            def test_1(self): pass
            def test_2(self):
                if MARKED: ctypes.string_at(0)
            def test_3(self):
                if MARKED: os._exit(3)
            def test_4(self): self.assertFalse(MARKED)
            def test_5(self): pass
        """,
    )
    assert printed.returncode == 1
    assert lost == {"test_2": "pass → crash", "test_3": "pass → crash", "test_4": "pass → fail"}
    assert "the process was ended by SIGSEGV" in printed.stdout
    assert "the process ended with status 3" in printed.stdout


def test_hang(workspace: Workspace) -> None:
    """A hang ends at the time limit with the traceback of each thread, and the tests after it run."""
    printed, lost = compare(
        workspace,
        """
        import threading
        class Tests(unittest.TestCase):
            def test_1(self):
                if MARKED: threading.Event().wait()
            def test_2(self): pass
        """,
        "--limit",
        "0.5",
    )
    assert printed.returncode == 1
    assert lost == {"test_1": "pass → timeout"}
    outcomes = workspace.results()["candidate"]
    assert any("in test_1" in line for line in outcomes["made_up_tests.Tests.test_1"]["detail"])
    assert outcomes["made_up_tests.Tests.test_2"]["outcome"] == "pass"


def test_trouble_outside_tests(workspace: Workspace) -> None:
    """When a set-up fails, its tests are lost. A failure in a tear-down, an import or the end of the interpreter is a loss too."""
    printed, lost = compare(
        workspace,
        """
        import atexit
        if MARKED: atexit.register(os._exit, 5)
        class A(unittest.TestCase):
            @classmethod
            def setUpClass(cls): assert not MARKED
            def test_a(self): pass
        class B(unittest.TestCase):
            @classmethod
            def tearDownClass(cls): assert not MARKED
            def test_b(self): pass
        """,
    )
    assert printed.returncode == 1
    assert sorted(lost.values()) == ["absent → crash", "absent → error", "pass → error"]
    assert lost["test_a"] == "pass → error"
    printed, lost = compare(
        workspace,
        """
        assert not MARKED
        class Tests(unittest.TestCase):
            def test_one(self): pass
        """,
    )
    assert printed.returncode == 1
    assert set(lost.values()) == {"pass → absent", "absent → error"}


def test_flaky(workspace: Workspace) -> None:
    """A test that is lost at first, but not when it runs again alone, is reported as flaky and not as lost."""
    printed, lost = compare(
        workspace,
        f"""
        class Tests(unittest.TestCase):
            def test_sometimes(self):
                if MARKED:
                    try: os.mkdir({str(workspace.folder / "seen")!r})
                    except FileExistsError: pass
                    else: self.fail("the first time")
        """,
        "--reruns",
        "1",
    )
    assert (printed.returncode, lost) == (0, {})
    assert workspace.results()["flaky"] == ["made_up_tests.Tests.test_sometimes"]
    assert "lost 0, flaky 1" in printed.stdout


def test_left_out_and_duplicates(workspace: Workspace) -> None:
    """The class that hangs without VSOCK loopback is left out; a test collected twice counts twice."""
    printed, lost = compare(
        workspace,
        """
        class ThreadedVSOCKSocketStreamTest(unittest.TestCase):
            def test_left_out(self): self.fail()
        class Tests(unittest.TestCase):
            def test_one(self): pass
        Again = Tests
        """,
    )
    assert (printed.returncode, lost) == (0, {})
    assert list(workspace.results()["stdlib"]) == ["made_up_tests.Tests.test_one", "made_up_tests.Tests.test_one#2"]


def test_candidate_not_in_place(workspace: Workspace) -> None:
    """When the candidate is not in the place of socket, every test is lost: the stdlib is not compared with itself."""
    with (workspace.folder / "made_up" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("def install(): pass\n")
    printed, lost = compare(
        workspace,
        """
        class Tests(unittest.TestCase):
            def test_one(self): pass
        """,
    )
    assert (printed.returncode, lost["test_one"]) == (1, "pass → absent")
    assert "made_up is not in the place of socket and _socket" in printed.stdout


def test_unknown_module(workspace: Workspace) -> None:
    """An unknown module name is a usage error, not a module without tests."""
    printed = workspace.run("--candidate", "stdlib", "test_no_such_thing")
    assert printed.returncode == 2
    assert "has no test_no_such_thing" in printed.stderr


def test_classes_that_leave_loopback(workspace: Workspace) -> None:
    """A module known to stay on loopback gets the resource `network`; its classes that leave loopback are left out."""
    workspace.module(
        "elsewhere",
        """
        from test import support
        class TCPTimeoutTestCase(unittest.TestCase):
            def test_outside(self): pass
        class Tests(unittest.TestCase):
            def test_resource(self): self.assertFalse(support.is_resource_enabled("network"))
        """,
    )
    assert workspace.run("--candidate", "stdlib", "elsewhere").returncode == 0
    assert {name: each["outcome"] for name, each in workspace.results()["stdlib"].items()} == {
        "elsewhere.TCPTimeoutTestCase.test_outside": "pass",
        "elsewhere.Tests.test_resource": "pass",
    }
    if importlib.util.find_spec("test.test_timeout") is None:
        pytest.skip("this interpreter came without its own tests")
    assert workspace.run("--candidate", "stdlib", "test_timeout").returncode == 0
    outcomes = workspace.results()["stdlib"]
    assert outcomes
    assert not [name for name in outcomes if "TCPTimeoutTestCase" in name]
    assert not [name for name, each in outcomes.items() if each["outcome"] == "skip"]


def test_merge_and_report(workspace: Workspace) -> None:
    """Results are merged into one page, in the order of the versions, and the handwritten part is at its end."""
    workspace.module("made_up_tests", "class Tests(unittest.TestCase):\n    def test_a(self): self.assertFalse(MARKED, '`')\n")
    workspace.run("--candidate", "made_up", "--reruns", "0", "made_up_tests")
    result = json.loads((workspace.folder / "results.json").read_text(encoding="utf-8"))
    paths = []
    for version in ("3.10.1", "3.9.2"):
        paths.append(workspace.folder / f"{version}.json")
        paths[-1].write_text(json.dumps(result | {"python": version}), encoding="utf-8")
    page = workspace.folder / "page.md"
    merged = subprocess.run(
        [sys.executable, str(RUNNER), "--merge", *map(str, paths), "--report", str(page)],
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (merged.returncode, merged.stderr) == (1, "")
    text = page.read_text(encoding="utf-8")
    assert text.index("## Python 3.9.2") < text.index("## Python 3.10.1") < text.index("## Lost")
    assert "| made_up_tests | 1 | 0 | 0 | 0 | 0 | 1 | 1 | 0 |" in text
    assert "- 3.9.2, `made_up_tests.Tests.test_a`: pass → fail" in text
    kept = (RUNNER / "differences.md").read_text(encoding="utf-8").strip()
    assert text.endswith(f"## What differs, and why\n\n{kept}\n")
