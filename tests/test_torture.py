"""Whatever call fails, nothing crashes, hangs or leaks, and a program sees what it would see on the stdlib: a sample of `make torture`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from shim import why_not

TORTURE = Path(__file__).with_name("torture")
SAMPLE = 400
# What was once wrong.
MENDED = [
    "options:ioctl:11:1:EACCES",  # set_inheritable, where a policy forbids ioctl(2)
    "taken_over:ioctl:4:1:EBADF",
    "traced:fstat:5:1:EOVERFLOW",  # the record's number was lost
]

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


def torture(*arguments: str) -> str:
    command = [sys.executable, "-P", str(TORTURE), "--jobs", "2", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("oxisocket")
def test_a_sample_of_failing_calls() -> None:
    assert "wrong: 0" in torture("--sample", str(SAMPLE)).splitlines()[-1]


@pytest.mark.parametrize("case", MENDED)
@pytest.mark.usefixtures("oxisocket")
def test_what_was_mended(case: str) -> None:
    torture("--case", case)
