"""The README's table "Where it runs", as the kept record of the checks says."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from findings import Record
from matrix import FREE_THREADED, PLATFORMS, Platform

BEGIN = "<!-- This table is written by `make wheelcheck`, from docs/platforms.json. -->\n"
END = "<!-- The end of that table. -->\n"
_PROCESSORS = {"x86_64": "x86-64", "aarch64": "arm64"}
# What no wheel is built for.
_OTHERS = (
    ("Linux", "others", "none: pip builds it, with Rust", "`make processors` runs the tests on i386 and s390x"),
    ("macOS", "arm64", "none", "compiles; not run here"),
    ("Windows", "all", "none", "no: sockets are no descriptors there"),
)


def write(readme: Path, record: Record) -> None:
    """Put the table between its marks."""
    before, table, after = split(readme.read_text())
    if table != text(record):
        readme.write_text(before + text(record) + after)


def split(readme: str) -> tuple[str, str, str]:
    """What is before the table, the table, and what is after it."""
    before, begin, rest = readme.partition(BEGIN)
    table, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README has no lines {BEGIN!r} and {END!r}")
    return before + begin, table, end + after


def text(record: Record) -> str:
    """The table."""
    rows = [("system", "processor", "wheel for CPython", "pip installed it, and programs talked"), ("---",) * 4]
    for platform in PLATFORMS:
        pythons = [each for each in record["wheels"].get(platform.tag, []) if each not in FREE_THREADED]
        rows.append((_system(platform), _PROCESSORS[platform.processor], ", ".join(pythons) or "none", _tried(platform, record)))
    unlocked = ", ".join(FREE_THREADED)
    rows.append(("Linux, free-threaded", "both", f"{unlocked}: `make wheels ARGS='{' '.join(FREE_THREADED)}'`", "not tried"))
    return "".join(f"| {' | '.join(row)} |\n" for row in [*rows, *_OTHERS])


def _system(platform: Platform) -> str:
    kind, major, minor, _ = platform.tag.split("_", 3)
    return f"Linux, {'musl' if kind == 'musllinux' else 'glibc'} {major}.{minor} or newer"


def _tried(platform: Platform, record: Record) -> str:
    """Debian 12 (glibc 2.36): 3.11.7, 3.13.0; Debian 13 (glibc 2.41), in qemu: 3.13.5."""
    tried = [found for found in record["tried"] if any(tag.endswith(f"-{platform.tag}") for tag in found["wheel"])]
    tried.sort(key=lambda found: (_numbers(found["libc"]), _place(found), _numbers(found["python"])))
    texts = [f"{place}: {', '.join(found['python'] for found in those)}" for place, those in groupby(tried, key=_place)]
    return "; ".join(texts) or ("built, not tried" if record["wheels"].get(platform.tag) else "not tried")


def _place(found: dict[str, Any]) -> str:
    where = f"{found['system']} ({found['libc']})"
    return f"{where}, in {found['emulator'].partition('-')[0]}" if "emulator" in found else where


def _numbers(text: str) -> list[int]:
    return [int("".join(filter(str.isdigit, part)) or 0) for part in text.rpartition(" ")[2].split(".")]
