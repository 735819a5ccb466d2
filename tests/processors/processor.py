"""The other processors: what each of the tools that build for it, and run its programs, calls it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Processor:
    """A processor. `emulator` is qemu's name for it, or None if this machine runs its programs as they are."""

    name: str  # Debian's
    about: str
    rust: str
    gnu: str  # the compiler's, and that of the folders of libraries
    wheels: str
    personality: str  # what uname(2) says there
    emulator: str | None = None

    @property
    def compiler(self) -> str:
        """The C compiler of this machine that links for the processor."""
        return f"{self.gnu.replace('i386', 'i686')}-gcc"

    @property
    def compiler_package(self) -> str:
        """Debian's package of that compiler."""
        return f"gcc-{self.gnu.replace('i386', 'i686')}"


ALL = (
    Processor("i386", "32 bits", "i686-unknown-linux-gnu", "i386-linux-gnu", "i686", "linux32"),
    Processor("s390x", "big-endian", "s390x-unknown-linux-gnu", "s390x-linux-gnu", "s390x", "linux64", "s390x"),
    Processor("arm64", "64 bits", "aarch64-unknown-linux-gnu", "aarch64-linux-gnu", "aarch64", "linux64", "aarch64"),
)
