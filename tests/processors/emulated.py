"""What an emulator cannot do: a plugin for pytest that leaves these tests out, each with the reason."""

from __future__ import annotations

import pytest

# The beginnings of the tests' names, by reason.
CANNOT: dict[str, tuple[str, ...]] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that are listed."""
    for item in items:
        for reason, names in CANNOT.items():
            if item.nodeid.startswith(names):
                item.add_marker(pytest.mark.skip(reason=f"qemu: {reason}"))
