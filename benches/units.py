"""Figures as text."""

from __future__ import annotations

# The units, each up to the value where the next one reads better.
UNITS = (("ns", 1e-9, 1e-5), ("µs", 1e-6, 1e-2), ("ms", 1e-3, float("inf")))


def times(ratio: float) -> str:
    """Return a ratio as text."""
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.3g}x"


def time(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    unit, one = _unit(seconds)
    return f"{_number(seconds / one)} {unit}"


def time_range(median: float, low: float, high: float) -> str:
    """Return the median and the range of several times, all in the unit of the median."""
    unit, one = _unit(median)
    return f"{_number(median / one)} {unit} ({_number(low / one)} to {_number(high / one)})"


def _unit(seconds: float) -> tuple[str, float]:
    return next((unit, one) for unit, one, below in UNITS if seconds < below)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
