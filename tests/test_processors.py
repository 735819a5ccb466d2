"""`make processors` lists its processors and says what is missing, without making anything; and what it leaves out exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("processors")))
from left_out import OLD_PYTHON, PYTHON_OF_32_BITS, QEMU
from processor import ALL

TESTS = Path(__file__).parent


def listed(folder: Path, path: str) -> str:
    environment = os.environ | {"PROCESSORS_FOLDER": str(folder), "PATH": path}
    command = [sys.executable, str(TESTS / "processors"), "--list"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_processors_are_listed(tmp_path: Path) -> None:
    output = listed(tmp_path / "none", os.environ["PATH"])
    for processor in ALL:
        assert re.search(rf"^{processor.name} .* {tmp_path}/none/{processor.name} \(not made\)$", output, flags=re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_told_with_what_to_do(tmp_path: Path) -> None:
    output = listed(tmp_path, str(tmp_path))
    for package in ("debootstrap", "gcc-s390x-linux-gnu", "qemu-user-static"):
        assert re.search(rf"^ +missing: .*apt-get install {package}\)$", output, flags=re.MULTILINE)


LEFT_OUT = QEMU | OLD_PYTHON | PYTHON_OF_32_BITS


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_what_is_left_out_exists(reason: str) -> None:
    for path, names in LEFT_OUT[reason].items():
        code = (TESTS.parent / path).read_text()
        for name in names.split():
            *classes, function = name.partition("[")[0].split("::")
            assert all(f"class {each}" in code for each in classes)
            assert f"def {function}" in code
