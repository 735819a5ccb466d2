"""Matches the records of programs that talked to each other: whose bytes went where."""

from __future__ import annotations

from dataclasses import dataclass

from .record import Record
from .steps import Arrow, Connection, End, Lane, Step

__all__ = ["Arrow", "Connection", "Conversation", "End", "Lane", "Step", "match"]


@dataclass(slots=True, eq=False)
class Conversation:
    """All calls of some records, in the order in which they began, and what went from one to another.

    `unclosed` are the sockets that a program left to the garbage collector, or had open when it ended in order. `notes` say what could
    not be matched, and why.
    """

    records: list[Record]
    lanes: list[Lane]
    steps: list[Step]
    arrows: list[Arrow]
    connections: list[Connection]
    unclosed: list[End]
    notes: list[str]


def match(records: list[Record]) -> Conversation:
    """Find out who talked to whom in these records."""
    raise NotImplementedError
