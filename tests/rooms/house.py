"""The house: the files of the project, their arrows, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from arrows import Arrow, first_arrows
from circles import circles, graph_of, shortest
from picture import Room, draw, sentence
from python_imports import python_arrows
from rust_paths import rust_arrows

ENTRIES = 12  # at the top of `src/`


class House:
    """The project in a folder; what it lacks of the project's parts is not looked for."""

    def __init__(self, top: Path) -> None:
        self.src = top / "src"
        self.rust = first_arrows(rust_arrows(self.src / "lib.rs"))
        self._others = first_arrows(_arrows_outside(top))

    def room(self, file: Path) -> str:
        """The room of a file: the folder at the top of `src/` that it is in, or the file itself; `name.rs` is in the room `name`."""
        return Path(file.relative_to(self.src).parts[0]).stem

    def picture(self) -> str:
        """The picture of the rooms; they have no circles."""
        uses = graph_of((self.room(arrow.file), self.room(arrow.target)) for arrow in self.rust)
        rooms = {}
        for entry in self._entries():
            file = entry / "mod.rs" if (entry / "mod.rs").exists() else entry.with_suffix(".rs")
            if file.exists():
                room = self.room(entry)
                name = f"{room}/" if (self.src / room).is_dir() else entry.name
                rooms[room] = Room(name, sentence(file.read_text()), uses.get(room, set()))
        return draw(rooms)

    def wrong(self) -> Iterator[str]:
        """What is wrong, each with what to do next."""
        entries = [entry.name for entry in self._entries()]
        if len(entries) > ENTRIES:
            yield f"{self.src} has {len(entries)} entries, more than {ENTRIES}: {', '.join(entries)}."
            yield "Next: put what is one concept into one folder."
        yield from _circles([*self.rust, *self._others], "files", str)
        yield from _circles(self.rust, "rooms", self.room)

    def _entries(self) -> list[Path]:
        return sorted(entry for entry in self.src.iterdir() if not entry.name.startswith("."))


def _arrows_outside(top: Path) -> Iterator[Arrow]:
    """The arrows of all but `src/`."""
    native = top / "benches" / "bare" / "src" / "main.rs"
    if native.exists():
        yield from rust_arrows(native)
    for name in ("python", "benches", "examples"):
        yield from python_arrows(top / name)
    # The tests of pytest cannot import each other; what stands in `parts` is for all.
    for folder in sorted((top / "tests").glob("*/")):
        yield from python_arrows(folder, [top / "tests" / "parts"])


def _circles(arrows: Sequence[Arrow], what: str, node: Callable[[Path], str]) -> Iterator[str]:
    """Text about each circle of what these arrows tie together, where `node` tells what a file belongs to."""
    graph = graph_of((node(arrow.file), node(arrow.target)) for arrow in arrows)
    for circle in circles(graph):
        yield f"A circle of {len(circle)} {what}; the shortest way round: {' -> '.join(shortest(graph, circle))}. It is tied by:"
        for file, line, target in arrows:
            if node(file) != node(target) and {node(file), node(target)} <= circle:
                yield f"  {file}:{line} uses {target}"
        yield "Next: move what both sides use to a file below them, or let the lower one be given it as an argument."
