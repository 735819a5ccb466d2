"""Holds the house in order: no circle of files or of rooms, few entries at the top of `src/`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from house import House
from rust_paths import Unreadable


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="rooms", description=__doc__)
    parser.add_argument("--top", type=Path, default=Path(__file__).parents[2], help="the project's folder, when not this one")
    parser.add_argument("--check", action="store_true", help="also hold the picture to the code")
    options = parser.parse_args()
    top = Path(os.path.relpath(options.top))
    try:
        wrong = list(House(top).wrong())
    except Unreadable as error:
        wrong = [str(error)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
