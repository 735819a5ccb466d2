"""A folder with a Debian of its own, in which programs run with this machine's kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from find import TOP

# Outside of the project, because it stays.
FOLDER = Path(os.environ.get("PROCESSORS_FOLDER", Path.home() / "processors"))
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")

_ENTER = """
mount -t proc proc "$ROOT/proc"
for each in /dev /sys; do mount --rbind "$each" "$ROOT$each"; done
for each in /etc/hosts /etc/resolv.conf; do [ -e "$each" ] && touch "$ROOT$each" && mount --bind "$each" "$ROOT$each"; done
for each in "$TOP" "$BESIDE"; do if [ -d "$each" ]; then mkdir -p "$ROOT$each"; mount --bind "$each" "$ROOT$each"; fi; done
exec chroot "$ROOT" /bin/sh -c 'cd "$TOP"; exec "$@"' sh "$@"
"""


class Debian:
    """A Debian by the name of its folder: the first of its releases that can be had, for its architecture, with these packages."""

    def __init__(
        self, name: str, architecture: str, releases: Sequence[str], packages: str, personality: str = "linux64"
    ) -> None:
        self.name = name
        self.architecture = architecture
        self.releases = releases
        self.packages = packages
        self.personality = personality
        self.folder = FOLDER / name

    @property
    def is_ready(self) -> bool:
        """Whether the folder is complete."""
        return self.folder.exists()

    def missing(self) -> list[str]:
        """What this machine lacks to make the folder and to enter it, each with what to do."""
        found = [] if os.geteuid() == 0 else ["root's rights"]
        if not self.is_ready and shutil.which("debootstrap") is None:
            found.append("debootstrap (on Debian: apt-get install debootstrap)")
        return found

    def make(self) -> bool:
        """Make the folder, unless it is there; False if that fails, after printing why."""
        return self.is_ready or any(self._bootstrap(release) for release in self.releases)

    def _bootstrap(self, release: str) -> bool:
        print(f"making {self.folder}, Debian {release}: one minute, or five with an emulator …", file=sys.stderr, flush=True)
        # It gets its name when it is complete.
        partial = FOLDER / f".{self.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        log = FOLDER / f"{self.name}.log"
        command = ["debootstrap", f"--arch={self.architecture}", "--variant=minbase", f"--include={self.packages}"]
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
        enter = ["unshare", "--mount", "--propagation", "private", self.personality, "/bin/sh", "-ec", _ENTER, "sh"]
        # The tutorial's programs are beside the project.
        places = {"ROOT": str(self.folder), "TOP": str(TOP), "BESIDE": str(TOP.parent / "shared"), "HOME": "/root"}
        places["PATH"] = "/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        kept = {name: value for name, value in os.environ.items() if name.startswith(("OXISOCKET_", "PYTEST_", "HYPOTHESIS_"))}
        # This PATH finds the programs that enter it too.
        return subprocess.run([*enter, *command], env={**kept, **places, **environment}, check=False).returncode
