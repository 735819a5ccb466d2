"""The plot: how many times as fast as the stdlib each case is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from results import Results
from units import times

# A shade of rust for each Python, the newest darkest; slower cases are grey.
SHADES = ("#b7410e", "#e0956f", "#efc4ae")
SLOWER = "#8a8a8a"


def draw(all_results: Sequence[Results], path: Path) -> None:
    # Text as text, and nothing in the file that changes from run to run.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "oxisocket"})
    newest_first = all_results[::-1]
    titles = list(newest_first[0].ratios)
    height = 0.8 / len(newest_first)
    figure = Figure(figsize=(9, 0.8 + (0.16 + 0.2 * len(newest_first)) * len(titles)), layout="constrained")
    axes = figure.subplots()
    largest, smallest = 4.0, 0.8
    for number, (results, shade) in enumerate(zip(newest_first, SHADES, strict=False)):
        places = [place + (number + 0.5) * height - 0.4 for place in range(len(titles))]
        ratios = [results.ratios[title] for title in titles]
        colors = [shade if ratio >= 1 else SLOWER for ratio in ratios]
        # The bars start at 1 (as fast as the stdlib), to either side; all figures are on the right, away from the titles.
        lengths = [ratio - 1 for ratio in ratios]
        axes.barh(places, lengths, height, left=1, color=colors, label=results.machine["Python"])
        for place, ratio in zip(places, ratios, strict=True):
            axes.text(max(ratio, 1) * 1.07, place, times(ratio), va="center", fontsize=8)
        largest, smallest = max(largest, *ratios), min(smallest, *ratios)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(range(len(titles)), titles)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(y=0.01)
    axes.set_xlim(smallest * 0.6, largest * 2)
    axes.set_xlabel("times as fast as the stdlib's socket (1: the same)")
    axes.invert_yaxis()
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
