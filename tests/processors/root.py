"""The Debian of another processor, with a Python and a virtual environment."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import emulator
from debian import Debian
from processor import Processor

# What is needed to link with Python, to have virtual environments, and for the tests that compile a shim in C or make a certificate.
PACKAGES = "python3,python3-dev,python3-venv,ca-certificates,gcc,libc6-dev,netbase"
# The next one is for the hours in which the mirror has not all of a new release.
RELEASES = ("trixie", "bookworm")


class Root(Debian):
    """The Debian of one processor."""

    def __init__(self, processor: Processor) -> None:
        super().__init__(processor.name, processor.name, RELEASES, PACKAGES, processor.personality)
        self.processor = processor

    @property
    def python(self) -> str:
        """The version of its Python: 3.13."""
        names = [path.name for path in (self.folder / "usr" / "bin").iterdir()]
        return next(found[1] for name in sorted(names) if (found := re.fullmatch(r"python(3\.\d+)", name)))

    @property
    def libraries(self) -> Path:
        """The folder of libpython."""
        return self.folder / "usr" / "lib" / self.processor.gnu

    @property
    def site(self) -> Path:
        """The folder of what is installed in its virtual environment, /venv."""
        return self.folder / "venv" / "lib" / f"python{self.python}" / "site-packages"

    def missing(self) -> list[str]:
        """What this machine lacks to make the folder and to build for it, each with what to do."""
        found = super().missing()
        compiler = self.processor.compiler
        if shutil.which(compiler) is None:
            found.append(f"{compiler} (on Debian: apt-get install {self.processor.compiler_package})")
        if shutil.which("rustup") is None:
            found.append("rustup (https://rustup.rs)")
        return [*found, *filter(None, [emulator.missing(self.processor)])]

    def make(self) -> bool:
        """Make the folder, unless it is there; False if that fails, after printing why."""
        emulator.register(self.processor)
        if not super().make():
            return False
        if not (self.folder / "venv" / "bin" / "python").exists():
            # Without pip: to start it there takes minutes where each instruction is translated.
            return self.run(["python3", "-m", "venv", "--without-pip", "/venv"]) == 0
        return True
