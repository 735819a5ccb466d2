"""Looks for circles of files and of rooms in the code: there must be none.

A room is a folder or a file at the top of `src/`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from arrows import Arrow, first_arrows
from circles import circles, graph_of, shortest
from rust import rust_arrows

SRC = Path("src")
ENTRIES = 12


def main() -> int:
    """Print what is wrong."""
    arrows = first_arrows(rust_arrows(SRC / "lib.rs"))
    wrong = [*_entries(), *_circles(arrows, "files", str), *_circles(arrows, "rooms", _room)]
    for text in wrong:
        print(text)
    return 1 if wrong else 0


def _entries() -> Iterator[str]:
    entries = sorted(entry.name for entry in SRC.iterdir())
    if len(entries) > ENTRIES:
        yield f"{SRC}/ has {len(entries)} entries, more than {ENTRIES}: {' '.join(entries)}. Next: put into one folder what is one concept."


def _room(file: Path) -> str:
    return Path(file.relative_to(SRC).parts[0]).stem


def _circles(arrows: Sequence[Arrow], what: str, node: Callable[[Path], str]) -> Iterator[str]:
    """A text about each circle of these arrows, where a file belongs to the node that is told."""
    graph = graph_of((node(arrow.file), node(arrow.target)) for arrow in arrows)
    for circle in circles(graph):
        yield f"A circle of {len(circle)} {what}. The shortest way round: {' -> '.join(shortest(graph, circle))}. What ties it:"
        for file, line, target in arrows:
            if node(file) != node(target) and {node(file), node(target)} <= circle:
                yield f"  {file}:{line} uses {target}"
        yield "Next: move what is used from both sides to a file below both, or hand it in as an argument."


if __name__ == "__main__":
    sys.exit(main())
