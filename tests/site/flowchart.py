"""The flowcharts that the documents write in Mermaid, drawn as `make rooms` draws, so that no page needs a program to draw them."""

from __future__ import annotations

import re

import picture

FENCE = re.compile(r"^```mermaid\nflowchart TD\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BOX = re.compile(r'(\w+)\["([^"]*)"\]')
ARROW = re.compile(r'^\s*(\w+)(?:\["[^"]*"\])?\s*(?:-- "([^"]*)" )?-->\s*(\w+)')
TAG = re.compile(r"</?code>|`")


def draw(chart: str, title: str) -> str:
    """A flowchart as a picture: the first line of a box is its name."""
    boxes = {key: TAG.sub("", text.replace("<br>", "\n", 1)).partition("\n") for key, text in BOX.findall(chart)}
    arrows = [found.groups() for line in chart.splitlines() if (found := ARROW.match(line))]
    rooms = {}
    for key, (name, _, about) in boxes.items():
        labels = [label for source, label, _ in arrows if source == key and label]
        uses = {target for source, _, target in arrows if source == key}
        rooms[key] = picture.Room(name, " ".join([about, *(f"(by {label})" for label in labels)]).strip(), uses)
    # The picture's remark is on the rooms of the code.
    return re.sub(r" *<!--.*?-->\n", "", picture.draw(rooms, title))
