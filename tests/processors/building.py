"""Builds the package and the Rust tests for another processor, with this machine's compilers, and installs the package there.

A compiler that is emulated would take hours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from find import TOP
from root import Root

TARGET = TOP / "target" / "processors"


def install(root: Root) -> bool:
    """Install the package, and what the tests need, in the virtual environment of `root`; False if that fails."""
    return _has_rust(root) and _install_tools(root) and _install_package(root)


def unit(root: Root, enter: Path) -> bool:
    """Run the Rust tests, each program by `enter`, which is `__main__.py` of this folder; False if one fails."""
    if not _has_rust(root):
        return False
    configuration = TARGET / f"{root.processor.name}.txt"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    text = f"implementation=CPython\nversion={root.python}\nshared=true\nlib_name=python{root.python}\nlib_dir={root.libraries}\n"
    bits = 32 if root.processor.personality == "linux32" else 64
    configuration.write_text(f"{text}pointer_width={bits}\n")
    variables = _variables(root) | {
        "CARGO_TARGET_DIR": str(TARGET / "unit"),
        "PYO3_CONFIG_FILE": str(configuration),
        # The C library must be that of libpython.
        "RUSTFLAGS": f"-C link-arg=--sysroot={root.folder}",
        f"{_cargo_name(root)}_RUNNER": f"{sys.executable} {enter} --inside {root.processor.name}",
    }
    return _run(["cargo", "test", "--quiet", "--target", root.processor.rust], variables)


def _has_rust(root: Root) -> bool:
    return _run(["rustup", "--quiet", "target", "add", root.processor.rust])


def _install_tools(root: Root) -> bool:
    with (TOP / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["dependency-groups"]["test"]
    stamp = root.site / "installed-tools"
    if stamp.exists() and stamp.read_text() == "\n".join(wanted):
        return True
    wheels = root.processor.wheels
    platforms = [f"manylinux2014_{wheels}", f"manylinux_2_17_{wheels}", f"manylinux_2_5_{wheels}"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--upgrade"]
    where = ["--target", str(root.site), "--only-binary", ":all:", "--python-version", root.python, "--implementation", "cp"]
    if not _run([*command, *where, *(f"--platform={each}" for each in platforms), *wanted], {"PIP_ROOT_USER_ACTION": "ignore"}):
        return False
    stamp.write_text("\n".join(wanted))
    return True


def _install_package(root: Root) -> bool:
    out = TARGET / "wheels" / root.processor.name
    shutil.rmtree(out, ignore_errors=True)
    variables = _variables(root) | {
        "MATURIN_NO_MISSING_BUILD_BACKEND_WARNING": "1",
        "CARGO_TARGET_DIR": str(TARGET / f"python-{root.python}"),
        "PYO3_CROSS_LIB_DIR": str(root.folder / "usr" / "lib" / f"python{root.python}"),
    }
    command = [sys.executable, "-m", "maturin", "build", "--quiet", "--release", "--compatibility", "linux"]
    where = ["--target", root.processor.rust, "--out", str(out)]
    if not _run([*command, *where], variables):
        return False
    for old in root.site.glob("oxisocket*"):
        shutil.rmtree(old)
    (wheel,) = out.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(root.site)
    return True


def _variables(root: Root) -> dict[str, str]:
    return {f"{_cargo_name(root)}_LINKER": root.processor.compiler}


def _cargo_name(root: Root) -> str:
    return f"CARGO_TARGET_{root.processor.rust.upper().replace('-', '_')}"


def _run(command: list[str], variables: dict[str, str] | None = None) -> bool:
    sys.stdout.flush()
    return subprocess.run(command, cwd=TOP, env={**os.environ, **(variables or {})}, check=False).returncode == 0
