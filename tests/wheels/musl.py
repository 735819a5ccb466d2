"""A Python for musl, on this machine: built with zig from the sources that are brought for Debian 11, and run with Debian's musl."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bullseye import Bullseye
from debian import FOLDER
from find import TOP

_BUILD = """
exec > "$HERE/log" 2>&1
mkdir -p musl zlib python
(cd musl && apt-get download -q musl && dpkg-deb -x musl_*.deb .)
printf '#!/bin/sh\\nexec "%s" -m ziglang cc -target x86_64-linux-musl "$@"\\n' "$ZIG" > cc
printf '#!/bin/sh\\nexec "%s" -m ziglang ar "$@"\\n' "$ZIG" > ar
chmod +x cc ar
export CC="$HERE/cc" AR="$HERE/ar" RANLIB=true
tar xf "$SOURCES"/zlib_*.orig.tar.* -C zlib --strip-components=1
(cd zlib && CFLAGS="-O2 -fPIC" ./configure --static --prefix="$HERE/zlib-made" && make -s libz.a && make -s install)
tar xf "$SOURCES"/python3.11_*.orig.tar.* -C python --strip-components=1
cd python
export LDFLAGS="-L$HERE/zlib-made/lib -dynamic -Wl,--dynamic-linker=$LOADER" CPPFLAGS="-I$HERE/zlib-made/include"
# The headers are zig's, of a musl that may be younger than Debian's.
export ac_cv_func_preadv2=no ac_cv_func_pwritev2=no
# -fPIC: zig does not know which names in the C library are the same variable, as environ and __environ; a program must not have copies.
./configure -q --build=x86_64-pc-linux-musl --prefix="$HERE/made" --disable-test-modules CFLAGS="-O1 -fPIC -Wno-date-time"
make -s -j2
make -s install
touch "$HERE/complete"
"""


class Musl:
    """The folder of that Python."""

    folder = FOLDER / "musl"

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.folder / "made" / "bin" / "python3"

    def missing(self) -> list[str]:
        """What this machine lacks to build it, each with what to do."""
        found = Bullseye().missing()
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            found.append("apt-get and dpkg-deb, which bring musl")
        return found

    def make(self) -> bool:
        """Build it, unless it is there; False if that fails, after printing why."""
        if (self.folder / "complete").exists():
            return True
        sources = Bullseye()
        if not sources.make():
            return False
        print(f"building Python in {self.folder}, a few minutes …", file=sys.stderr, flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        variables = {
            "HERE": str(self.folder),
            "SOURCES": str(sources.sources),
            "ZIG": sys.executable,
            "LOADER": str(self.folder / "musl" / "lib" / "ld-musl-x86_64.so.1"),
        }
        if subprocess.run(["/bin/sh", "-ec", _BUILD], cwd=self.folder, env=os.environ | variables, check=False).returncode == 0:
            return True
        log = self.folder / "log"
        print("building Python failed:", *log.read_text(errors="replace").splitlines()[-20:], f"(the rest is in {log})", sep="\n")
        return False

    def run(self, command: Sequence[str]) -> int:
        """Run a command at the top of the project; return its exit status."""
        sys.stdout.flush()
        return subprocess.run(command, cwd=TOP, check=False).returncode
