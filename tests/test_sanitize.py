"""What the instruments of `make sanitize` report is recognised, and an instrument that is missing is skipped with a reason."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

SANITIZE = Path(__file__).with_name("sanitize")

REPORTS = {
    "address": "==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n    #0 0x1 in recv\n",
    "thread": "WARNING: ThreadSanitizer: data race (pid=12)\n  Write of size 8\n",
    "memcheck": "==12== Invalid read of size 1\n==12==    at 0x1: recv (receive.rs:1)\n==12== \n",
}


@pytest.fixture
def instruments(monkeypatch):
    monkeypatch.syspath_prepend(SANITIZE)
    yield importlib.import_module("instruments").INSTRUMENTS
    sys.modules.pop("instruments")


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_is_found(instruments, name, tmp_path):
    (tmp_path / "log.1").write_text(REPORTS[name] * 2)
    (tmp_path / "log.2").write_text("")
    assert instruments[name].reports(tmp_path) == [REPORTS[name]] * 2


def test_the_variables_of_the_caller_stay_as_they_are(instruments, monkeypatch, tmp_path):
    """Make's own have braces."""
    monkeypatch.setenv("MAKEFLAGS", "-- ${-*-command-variables-*-}")
    environment = instruments["address"].environment(tmp_path)
    assert environment["MAKEFLAGS"] == "-- ${-*-command-variables-*-}"
    assert f"log_path={tmp_path}/log" in environment["ASAN_OPTIONS"]


def test_a_missing_instrument_is_skipped(tmp_path):
    done = subprocess.run(
        [sys.executable, SANITIZE], capture_output=True, text=True, timeout=50, check=False, env={"PATH": str(tmp_path)}
    )
    assert done.returncode == 0, done
    assert done.stdout.count("skipped: ") == 3
    assert done.stdout.count("\nNext: on Debian: apt-get install ") == 3
