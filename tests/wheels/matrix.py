"""Which wheels there are: a Python, and a platform."""

from __future__ import annotations

from dataclasses import dataclass

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
# Built where they are asked for. Nobody has tried them yet.
FREE_THREADED = ("3.14t", "3.15t")


@dataclass(frozen=True)
class Platform:
    """A C library at its oldest version, and a processor: what pip calls it, and what rustc does."""

    tag: str
    rust: str

    @property
    def is_musl(self) -> bool:
        """Whether the C library is musl; otherwise it is glibc."""
        return self.tag.startswith("musllinux")

    @property
    def processor(self) -> str:
        """The name by uname(2)."""
        return self.rust.partition("-")[0]


# glibc 2.17 is the oldest that Rust's own library runs with; musl 1.2 is the one that Rust is built with.
PLATFORMS = (
    Platform("manylinux_2_17_x86_64", "x86_64-unknown-linux-gnu"),
    Platform("manylinux_2_17_aarch64", "aarch64-unknown-linux-gnu"),
    Platform("musllinux_1_2_x86_64", "x86_64-unknown-linux-musl"),
    Platform("musllinux_1_2_aarch64", "aarch64-unknown-linux-musl"),
)


@dataclass(frozen=True)
class Wheel:
    """One wheel."""

    python: str
    platform: Platform

    @property
    def name(self) -> str:
        """What it is called in the output of the targets: 3.13-musllinux_1_2_x86_64."""
        return f"{self.python}-{self.platform.tag}"

    @property
    def pattern(self) -> str:
        """The name of its file, for any version of the package."""
        number = self.python.rstrip("t").replace(".", "")
        abi = f"cp{number}t" if self.python.endswith("t") else f"cp{number}"
        return f"oxisocket-*-cp{number}-{abi}-*{self.platform.tag}.whl"


def wheels(pythons: list[str], tags: list[str]) -> list[Wheel]:
    """The wheels for these Pythons and these platforms; where none is named, for all that are built by themselves."""
    chosen = [platform for platform in PLATFORMS if platform.tag in tags or not tags]
    return [Wheel(python, platform) for platform in chosen for python in pythons or PYTHONS]
