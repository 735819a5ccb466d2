"""Finds the two ends of each connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from .addresses import Key
from .kernel_sockets import KernelSocket
from .steps import End

# So many clients of one path are tried for an accepted socket. They come in the order in which they connected, but for
# threads that connect at the same moment.
TRIED = 16

Pair = tuple[KernelSocket | None, KernelSocket | None]


def pair(found: dict[End, KernelSocket]) -> list[Pair]:
    """The connections, each with its client and its server. The other one is None where it is not among the records."""
    sockets = [socket for socket in dict.fromkeys(found.values()) if socket.is_stream]
    paired: list[tuple[KernelSocket, KernelSocket]] = []
    for way in (lambda left: _twins(left, found), _by_addresses, _by_order):
        done = {socket for each in paired for socket in each}
        paired += way([socket for socket in sockets if socket not in done])
    done = {socket for each in paired for socket in each}
    alone: list[Pair] = [
        (None, socket) if socket.accepted else (socket, None)
        for socket in sockets
        if socket not in done and (socket.accepted or socket.peer_key or _has_traffic(socket))
    ]
    return [*paired, *alone]


def _twins(sockets: Iterable[KernelSocket], found: dict[End, KernelSocket]) -> Iterator[tuple[KernelSocket, KernelSocket]]:
    done: set[KernelSocket] = set()
    for socket in sockets:
        twin = None if socket.twin is None else found.get(socket.twin)
        if twin is not None and socket not in done and twin not in done:
            done.update((socket, twin))
            yield socket, twin


def _by_addresses(sockets: list[KernelSocket]) -> Iterator[tuple[KernelSocket, KernelSocket]]:
    """Those whose addresses are each other's, reversed. A client's port may be used again, one connection after the other."""
    between: dict[tuple[Key, Key], list[KernelSocket]] = {}
    for socket in sockets:
        local, peer = socket.local_key, socket.peer_key
        if local is not None and peer is not None:
            between.setdefault((local, peer), []).append(socket)
    for (local, peer), here in between.items():
        if local == peer:  # TCP can connect a socket to itself
            yield from zip(here, here, strict=True)
            continue
        there = between.get((peer, local), [])
        here_accepted, there_accepted = _any_accepted(here), _any_accepted(there)
        if there and (there_accepted, str((peer, local))) > (here_accepted, str((local, peer))):
            yield from _in_time(here, there)


def _any_accepted(sockets: list[KernelSocket]) -> bool:
    return any(socket.accepted for socket in sockets)


def _in_time(clients: list[KernelSocket], servers: list[KernelSocket]) -> Iterator[tuple[KernelSocket, KernelSocket]]:
    if len(clients) == len(servers):
        yield from zip(clients, servers, strict=True)
        return
    coming = deque(clients)
    for server in servers:
        latest = None
        while coming and (latest is None or coming[0].began <= server.began):
            latest = coming.popleft()
        if latest is not None:
            yield latest, server


def _by_order(sockets: list[KernelSocket]) -> Iterator[tuple[KernelSocket, KernelSocket]]:
    """Clients without a name of their own: those that connect to one address are accepted in that order."""
    coming: dict[Key, list[tuple[int, KernelSocket]]] = {}
    for socket in sockets:
        if socket.peer_key is None or socket.accepted or (socket.local_key is not None and not isinstance(socket.peer_key, str)):
            continue
        connect = socket.connect_step()
        coming.setdefault(socket.peer_key, []).append((socket.began if connect is None else connect.ended, socket))
    queues = {key: deque(socket for _, socket in sorted(each, key=lambda one: one[0])) for key, each in coming.items()}
    for socket in sorted((each for each in sockets if each.accepted), key=lambda each: each.began):
        queue = queues.get(socket.local_key) if socket.local_key is not None else None
        client = _first_that_fits(queue, socket) if queue else None
        if client is not None:
            yield client, socket


def _first_that_fits(queue: deque[KernelSocket], server: KernelSocket) -> KernelSocket | None:
    for at in range(min(len(queue), TRIED)):
        client = queue[at]
        if client.began <= server.began and _agree(client, server) and _agree(server, client):
            del queue[at]
            return client
    return None


def _agree(source: KernelSocket, target: KernelSocket) -> bool:
    """Whether what is known of the first bytes that were sent is what was received."""
    sent = next((step.call.data for step in source.steps if step.call.sent), b"")
    received = next((step.call.data for step in target.steps if step.call.received), b"")
    known = min(len(sent), len(received))
    return sent[:known] == received[:known]


def _has_traffic(socket: KernelSocket) -> bool:
    return any(step.call.sent or step.call.received for step in socket.steps)
