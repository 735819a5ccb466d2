"""Writes docs/ecosystem.md from the files that `pytest --times` wrote on each Python: `python tests/ecosystem/report.py times.json...`."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[2] / "docs" / "ecosystem.md"
BEGIN, END = "<!-- times: written by `make ecosystem` -->", "<!-- end of times -->"


def table(recorded: dict[str, Any]) -> str:
    lines = [
        f"### Python {recorded['python']}",
        "",
        "| program | stdlib s | oxisocket s | ratio |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, seconds in recorded["programs"].items():
        stdlib, oxisocket = seconds["stdlib"], seconds["oxisocket"]
        lines.append(f"| {name} | {stdlib:.3f} | {oxisocket:.3f} | {oxisocket / stdlib:.2f} |")
    return "\n".join(lines)


def main(paths: list[str]) -> None:
    recorded = sorted(
        (json.loads(Path(path).read_text()) for path in paths), key=lambda each: [int(part) for part in each["python"].split(".")]
    )
    machine = f"Measured on {platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} processors."
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(before + "\n\n".join([BEGIN, machine, *map(table, recorded), END]) + after)


if __name__ == "__main__":
    main(sys.argv[1:])
