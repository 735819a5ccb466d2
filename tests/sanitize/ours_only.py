"""Leaves out what the tests expect of the standard library's module, whose code no instrument is asked about: a plugin for pytest."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that run on the standard library's module."""
    on_it = [item for item in items if getattr(item, "callspec", None) and item.callspec.params.get("socket") == "stdlib"]
    if on_it:
        config.hook.pytest_deselected(items=on_it)
        left = set(on_it)
        items[:] = [item for item in items if item not in left]
