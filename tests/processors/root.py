"""A folder with a Debian of another processor, in which programs run with this machine's kernel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import emulator
from find import TOP
from processor import Processor

# Outside of the project, because it stays.
FOLDER = Path(os.environ.get("PROCESSORS_FOLDER", Path.home() / "processors"))
# What is needed to link with Python, to have virtual environments, and for the tests that compile a shim in C or make a certificate.
PACKAGES = "python3,python3-dev,python3-venv,ca-certificates,gcc,libc6-dev,netbase"
# The next one is for the hours in which the mirror has not all of a new release.
RELEASES = ("trixie", "bookworm")
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")

_ENTER = """
mount -t proc proc "$ROOT/proc"
for each in /dev /sys; do mount --rbind "$each" "$ROOT$each"; done
for each in /etc/hosts /etc/resolv.conf; do [ -e "$each" ] && touch "$ROOT$each" && mount --bind "$each" "$ROOT$each"; done
mkdir -p "$ROOT$TOP" && mount --bind "$TOP" "$ROOT$TOP"
exec chroot "$ROOT" /bin/sh -c 'cd "$TOP"; exec "$@"' sh "$@"
"""


class Root:
    """The Debian of one processor."""

    def __init__(self, processor: Processor) -> None:
        self.processor = processor
        self.folder = FOLDER / processor.name

    @property
    def is_ready(self) -> bool:
        """Whether the folder is complete."""
        return self.folder.exists()

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
        processor = self.processor
        found = [] if os.geteuid() == 0 else ["root's rights"]
        if not self.is_ready and shutil.which("debootstrap") is None:
            found.append("debootstrap (on Debian: apt-get install debootstrap)")
        if shutil.which(processor.compiler) is None:
            found.append(f"{processor.compiler} (on Debian: apt-get install {processor.compiler_package})")
        if shutil.which("rustup") is None:
            found.append("rustup (https://rustup.rs)")
        return [*found, *filter(None, [emulator.missing(processor)])]

    def make(self) -> bool:
        """Make the folder, unless it is there; False if that fails, after printing why."""
        emulator.register(self.processor)
        if not self.is_ready and not any(self._bootstrap(release) for release in RELEASES):
            return False
        if not (self.folder / "venv" / "bin" / "python").exists():
            # Without pip: to start it there takes minutes where each instruction is translated.
            return self.run(["python3", "-m", "venv", "--without-pip", "/venv"]) == 0
        return True

    def _bootstrap(self, release: str) -> bool:
        print(f"making {self.folder}, Debian {release}: one minute, or five with an emulator …", file=sys.stderr, flush=True)
        # It gets its name when it is complete.
        partial = FOLDER / f".{self.processor.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        log = FOLDER / f"{self.processor.name}.log"
        command = ["debootstrap", f"--arch={self.processor.name}", "--variant=minbase", f"--include={PACKAGES}"]
        with log.open("wb") as output:
            told = subprocess.run([*command, release, partial, MIRROR], stdout=output, stderr=output, check=False)
        if told.returncode != 0:
            last = log.read_text(errors="replace").splitlines()[-1:]
            print(f"debootstrap failed: {' '.join(last)} (the rest is in {log})", file=sys.stderr)
            return False
        partial.rename(self.folder)
        return True

    def run(self, command: Sequence[str], **environment: str) -> int:
        """Run a command there, at the top of the project, which is at the same path; return its exit status."""
        sys.stdout.flush()
        enter = ["unshare", "--mount", "--propagation", "private", self.processor.personality, "/bin/sh", "-ec", _ENTER, "sh"]
        places = {"ROOT": str(self.folder), "TOP": str(TOP), "PATH": "/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        kept = {name: value for name, value in os.environ.items() if name.startswith(("OXISOCKET_", "PYTEST_", "HYPOTHESIS_"))}
        # This PATH finds the programs that enter it too.
        return subprocess.run([*enter, *command], env={**kept, **places, **environment}, check=False).returncode
