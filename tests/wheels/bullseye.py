"""Debian 11, the oldest system on which the wheels are tried. Its own Python is too old: one is built there from Debian 12's sources."""

from __future__ import annotations

import sys
from pathlib import Path

from debian import MIRROR, Debian

PYTHON = "/opt/python/bin/python3"
SOURCES = "/usr/src/python"
_PACKAGES = "ca-certificates,gcc,libc6-dev,libffi-dev,make,xz-utils,zlib1g-dev"
# apt checks the signature of what it brings. Without much optimization: what is tried is the wheel.
_BUILD = f"""
exec > /usr/src/python.log 2>&1
rm -rf {SOURCES} /opt/python
mkdir -p {SOURCES}
cd {SOURCES}
echo "deb-src {MIRROR} bookworm main" > /etc/apt/sources.list.d/bookworm.list
apt-get update -q
apt-get source -q --download-only python3.11 zlib
tar xf python3.11_*.orig.tar.* --strip-components=1
./configure -q --prefix=/opt/python --disable-test-modules CFLAGS=-O1
make -s -j2
make -s install
touch /opt/python/.complete
"""


class Bullseye(Debian):
    """Debian 11, with a Python."""

    def __init__(self) -> None:
        super().__init__("debian11", "amd64", ["bullseye"], _PACKAGES)

    @property
    def sources(self) -> Path:
        """The folder of Python's sources, as it is called from outside."""
        return self.folder / SOURCES.lstrip("/")

    def make(self) -> bool:
        """Make it, unless it is there; False if that fails, after printing why."""
        if not super().make():
            return False
        if (self.folder / "opt" / "python" / ".complete").exists():
            return True
        print(f"building Python in {self.folder}, a few minutes …", file=sys.stderr, flush=True)
        if self.run(["/bin/sh", "-ec", _BUILD]) == 0:
            return True
        log = self.folder / "usr" / "src" / "python.log"
        print("building Python failed:", *log.read_text(errors="replace").splitlines()[-20:], f"(the rest is in {log})", sep="\n")
        return False
