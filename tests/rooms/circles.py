"""Circles in a graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TypeVar

Node = TypeVar("Node", Path, str)
Graph = Mapping[Node, AbstractSet[Node]]


def graph_of(pairs: Iterable[tuple[Node, Node]]) -> dict[Node, set[Node]]:
    """The graph with these arrows, from the first of each pair to the second; an arrow to itself is none."""
    graph: dict[Node, set[Node]] = {}
    for start, end in pairs:
        if start != end:
            graph.setdefault(start, set()).add(end)
            graph.setdefault(end, set())
    return graph


def circles(graph: Graph[Node]) -> list[set[Node]]:
    """The strongly connected components of more than one node: each node of such a set can be reached from each other."""
    below = {node: reached(graph, node) for node in graph}
    found: list[set[Node]] = []
    for node in sorted(graph):
        if node in below[node] and not any(node in circle for circle in found):
            found.append({other for other in below[node] if node in below[other]})
    return found


def shortest(graph: Graph[Node], circle: AbstractSet[Node]) -> list[Node]:
    """The shortest way round through nodes of the circle, from a node back to itself."""
    return min((_way_back(graph, node) for node in sorted(circle)), key=len)


def layers(graph: Graph[Node]) -> list[list[Node]]:
    """The nodes of a graph without circles, such that every arrow points to a later layer, and each node lies as low as it can."""
    height: dict[Node, int] = {}

    def height_of(node: Node) -> int:
        if node not in height:
            height[node] = 1 + max((height_of(other) for other in graph[node]), default=-1)
        return height[node]

    top = max((height_of(node) for node in graph), default=-1)
    return [sorted(node for node in graph if height[node] == level) for level in range(top, -1, -1)]


def without_detours(graph: Graph[Node]) -> dict[Node, set[Node]]:
    """A graph without circles, without the arrows that other arrows imply."""
    return {node: set(ends).difference(*(reached(graph, other) for other in ends)) for node, ends in graph.items()}


def reached(graph: Graph[Node], start: Node) -> set[Node]:
    """The nodes that arrows lead to from this one."""
    found: set[Node] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found


def _way_back(graph: Graph[Node], start: Node) -> list[Node]:
    before: dict[Node, Node] = {}
    waiting = deque([start])
    while start not in before:
        node = waiting.popleft()
        for further in sorted(graph[node] - before.keys()):
            before[further] = node
            waiting.append(further)
    way = [start, before[start]]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]
