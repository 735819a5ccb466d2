"""The picture: how many times as fast as the stdlib each case is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from bound import OURS, STDLIB
from matplotlib.figure import Figure
from rounds import Measured


def draw(measured: Sequence[Measured], path: Path) -> None:
    # Text as text, and nothing in the file that changes from one drawing to the next.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "oxisocket"})
    titles = list(_titles(measured))
    ratios = [one.results[STDLIB].seconds / one.results[OURS].seconds for one in measured]
    figure = Figure(figsize=(9, 0.8 + 0.32 * len(ratios)), layout="constrained")
    axes = figure.subplots()
    colors = ["#b7410e" if ratio >= 1 else "#8a8a8a" for ratio in ratios]
    # From 1, where nothing is won or lost, to either side.
    bars = axes.barh(titles, [ratio - 1 for ratio in ratios], left=1, color=colors)
    axes.bar_label(bars, [f"{ratio:.3g}x" for ratio in ratios], padding=4)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(y=0.01)
    axes.set_xlim(min(0.8, *ratios) * 0.6, max(4, *ratios) * 2)
    axes.set_xlabel("times as fast as the stdlib's socket (1: the same)")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def _titles(measured: Sequence[Measured]) -> list[str]:
    """Return the titles, each on its own: one that goes on with the case before it names that too."""
    titles: list[str] = []
    first = ""
    for one in measured:
        title = one.case.title
        if title.startswith("— "):
            titles.append(f"{first}, {title[2:]}")
        else:
            first = title
            titles.append(title)
    return titles
