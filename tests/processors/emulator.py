"""qemu's emulators, with which the kernel starts the programs of other processors (binfmt_misc)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from processor import Processor

FORMATS = Path("/proc/sys/fs/binfmt_misc")
# Debian's package says here how the kernel tells a program of a processor.
DESCRIPTIONS = Path("/usr/lib/binfmt.d")


def missing(processor: Processor) -> str | None:
    """Why the programs of a processor cannot be started here, and what to do; None if they can, or will after `register`."""
    if processor.emulator is None:
        return None
    if shutil.which(f"qemu-{processor.emulator}-static") is None or not _description(processor).exists():
        return f"qemu for {processor.emulator} (on Debian: apt-get install qemu-user-static)"
    if "binfmt_misc" not in Path("/proc/filesystems").read_text() and not (FORMATS / "register").exists():
        return "a kernel with binfmt_misc"
    return None


def register(processor: Processor) -> None:
    """Make the kernel start the programs of a processor with qemu, which it opens now: also below another root."""
    if processor.emulator is None:
        return
    if not (FORMATS / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "none", FORMATS], check=True)
    if not (FORMATS / f"qemu-{processor.emulator}").exists():
        (FORMATS / "register").write_bytes(_description(processor).read_bytes().strip())


def _description(processor: Processor) -> Path:
    return DESCRIPTIONS / f"qemu-{processor.emulator}.conf"
