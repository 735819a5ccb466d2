"""Figures in words."""

from __future__ import annotations

# Each up to where the next one reads better.
UNITS = (("ns", 1e-9, 1e-5), ("µs", 1e-6, 1e-2), ("ms", 1e-3, float("inf")))


def times(ratio: float) -> str:
    """Return how many times as fast something is."""
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.3g}x"


def time(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    unit, one = next((unit, one) for unit, one, below in UNITS if seconds < below)
    value = seconds / one
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def time_range(median: float, least: float, most: float) -> str:
    """Return the time of several samples: the median, the least and the most."""
    return f"{median * 1e3:.2f} ms ({least * 1e3:.2f} to {most * 1e3:.2f})"
