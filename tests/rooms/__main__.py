"""Holds the house in order: no circle of files or of rooms, few entries at the top of `src/`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from house import House
from rust_paths import Unreadable

PICTURE = Path("docs", "rooms.svg")


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="rooms", description=__doc__)
    parser.add_argument("--top", type=Path, default=Path(__file__).parents[2], help="the project's folder, when not this one")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the rooms of src/ into this file")
    parser.add_argument("--check", action="store_true", help=f"hold {PICTURE} to the code too")
    options = parser.parse_args()
    top = Path(os.path.relpath(options.top))
    try:
        house = House(top)
    except Unreadable as error:
        return _told([str(error)])
    # What has circles cannot be drawn.
    if wrong := list(house.wrong()):
        return _told(wrong)
    if options.picture:
        options.picture.write_text(house.picture())
    if options.check and not _is(top / PICTURE, house.picture()):
        return _told([f"{top / PICTURE} does not show the rooms as they are. Next: draw it anew, with `make rooms`."])
    return 0


def _is(file: Path, text: str) -> bool:
    return file.exists() and file.read_text() == text


def _told(wrong: list[str]) -> int:
    print(*wrong, sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
