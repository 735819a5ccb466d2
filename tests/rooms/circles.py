"""Circles in a graph: the strongly connected components of more than one node."""

from __future__ import annotations

import graphlib
from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def circle(graph: Mapping[Node, AbstractSet[Node]]) -> list[Node]:
    """One circle, as the nodes on its way; empty where there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        found: list[Node] = error.args[1]
        return found
    return []
