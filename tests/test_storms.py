"""Under a storm nothing crashes, hangs, leaks or is lost: `make storms` for a few seconds. OXISOCKET_STORM sets how many the storm of
closing threads lasts; the sum of the others is about half a minute."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).with_name("storms")
SECONDS = dict.fromkeys(sorted(path.stem for path in FOLDER.glob("*.py") if "def storm(" in path.read_text()), 2.0)
SECONDS["closing"] = float(os.environ.get("OXISOCKET_STORM", "3"))


@pytest.mark.timeout(max(SECONDS.values()) * 3 + 90)
@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.usefixtures("oxisocket")
def test_a_storm(name: str) -> None:
    command = [sys.executable, "-P", str(FOLDER), "--name", name, "--seconds", str(SECONDS[name])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
