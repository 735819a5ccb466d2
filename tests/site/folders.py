"""Where the site is made from."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
PACKAGE = TOP / "python" / "oxisocket"
