"""The flowcharts that the documents write in Mermaid, drawn as `make rooms` draws, so that no page needs a program to draw them."""

from __future__ import annotations

import re

import picture

FENCE = re.compile(r"^```mermaid\nflowchart TD\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BOX = re.compile(r'(\w+)\["([^"]*)"\]')
ARROW = re.compile(r'^\s*(\w+)(?:\["[^"]*"\])?\s*(?:-- "[^"]*" )?-->\s*(\w+)')
TAG = re.compile(r"</?code>|`")


def draw(chart: str, title: str) -> str:
    """A flowchart as a picture: the first line of a box is its name."""
    about = {key: text.partition("<br>") for key, text in BOX.findall(chart)}
    uses: dict[str, set[str]] = {key: set() for key in about}
    for line in chart.splitlines():
        if found := ARROW.match(line):
            uses[found[1]].add(found[2])
    rooms = {key: picture.Room(TAG.sub("", name), TAG.sub("", text), uses[key]) for key, (name, _, text) in about.items()}
    return picture.draw(rooms, title)
