"""What a trace has told, for tests. The programs that tests start import this as well."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class Told:
    """The events of a record."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.events: list[dict[str, Any]] = [json.loads(line) for line in lines]

    @classmethod
    def read(cls, path: Path | str) -> Told:
        with open(path, encoding="utf-8") as file:
            return cls(file)

    def of(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        """The events of this kind that have these values."""
        of_kind = [each for each in self.events if each["event"] == kind]
        return [each for each in of_kind if all(each.get(name) == value for name, value in wanted.items())]

    def names(self) -> list[str]:
        """The names of the calls."""
        return [each["call"] for each in self.of("call")]

    def call(self, name: str, **wanted: Any) -> dict[str, Any]:
        """The one call of this name."""
        (found,) = self.of("call", call=name, **wanted)
        return found

    def socket(self, number: int) -> dict[str, Any]:
        """What is known of a socket in the end."""
        return self.of("socket", socket=number)[-1]

    def total(self, direction: str, number: int) -> int:
        """How many bytes went `in` or `out` of a socket."""
        return sum(each.get(direction, 0) for each in self.of("call", socket=number))
