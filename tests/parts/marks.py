"""Marks that tests share."""

from __future__ import annotations

import pytest

# For a test of what the stdlib does not promise: its fixture `socket`, and what builds on it, is oxisocket only.
only_oxisocket = pytest.mark.parametrize("socket", ["oxisocket"], indirect=True)
