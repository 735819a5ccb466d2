"""Finds the receive of each datagram, by its addresses, length, order and what is known of its data."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .addresses import Key, host_of, key_of, on_one_machine, port_of, reaches_many
from .kernel_sockets import KernelSocket
from .steps import Arrow, Step

# A receive is compared with so many sends of its length and addresses. What lies before the one that fits was lost.
COMPARED = 64

# Where there are more lengths than this, a datagram that was cut is not looked for.
LENGTHS = 256

# A port or path of the receiver, and one of the sender if it is known.
_Way = tuple[int | str, int | str | None]
_Queue = deque[tuple[Step, KernelSocket, Key | None]]


Delivered = tuple[Arrow, KernelSocket, KernelSocket]


def deliver(sockets: list[KernelSocket], twins: dict[KernelSocket, KernelSocket]) -> Iterator[Delivered]:
    """Each datagram that was sent and received, with the sender's and the receiver's socket."""
    return _Delivery(sockets, twins).arrows()


class _Delivery:
    def __init__(self, sockets: list[KernelSocket], twins: dict[KernelSocket, KernelSocket]) -> None:
        self.twins = twins
        self.sockets = sockets
        self.names = {id(socket): index for index, socket in enumerate(sockets)}
        self.on_way: dict[_Way, dict[int, _Queue]] = {}
        self.receivers: dict[int | str, list[KernelSocket]] = {}
        for socket in sockets:
            if socket.local_key is not None:
                self.receivers.setdefault(port_of(socket.local_key), []).append(socket)

    def arrows(self) -> Iterator[Delivered]:
        sends = [(step, socket) for socket in self.sockets for step in socket.steps if step.call.sent]
        receives = [(step, socket) for socket in self.sockets for step in socket.steps if step.call.received]
        for step, socket in sorted(sends, key=lambda each: each[0].began):
            self.send(step, socket)
        for step, socket in sorted(receives, key=lambda each: each[0].ended):
            found = self.receive(step, socket)
            if found is not None:
                send, sender = found
                yield Arrow(send, step, "datagram", 0, send.call.sent), sender, socket

    def send(self, step: Step, socket: KernelSocket) -> None:
        twin = self.twins.get(socket)
        if twin is not None:
            self.queue(self.twin_name(twin), None, (step, socket, None))
            return
        target = key_of(step.call.address) or socket.peer_key
        if target is None:
            return
        sender = None if socket.local_key is None else port_of(socket.local_key)
        if reaches_many(target):
            for receiver in self.receivers.get(port_of(target), ()):
                self.queue(f"\0{self.names[id(receiver)]}", sender, (step, socket, target))
        else:
            self.queue(port_of(target), sender, (step, socket, target))

    def twin_name(self, twin: KernelSocket) -> str:
        return f"\0twin {self.names[id(twin)]}"

    def queue(self, receiver: int | str, sender: int | str | None, what: tuple[Step, KernelSocket, Key | None]) -> None:
        self.on_way.setdefault((receiver, sender), {}).setdefault(what[0].call.sent, deque()).append(what)

    def receive(self, step: Step, socket: KernelSocket) -> tuple[Step, KernelSocket] | None:
        if socket in self.twins:
            return self.come((self.twin_name(socket), None), step, socket, None)
        if socket.local_key is None:
            return None
        source = key_of(step.call.address) or socket.peer_key
        sender = None if source is None else port_of(source)
        for receiver in (port_of(socket.local_key), f"\0{self.names[id(socket)]}"):
            for known in dict.fromkeys((sender, None)):
                found = self.come((receiver, known), step, socket, source)
                if found is not None:
                    return found
        return None

    def come(self, way: _Way, step: Step, socket: KernelSocket, source: Key | None) -> tuple[Step, KernelSocket] | None:
        """Of those on this way, one of the receive's length, or a longer one: the buffer was too short for it."""
        queues = self.on_way.get(way)
        if queues is None:
            return None
        size = step.call.received
        found = self.take(queues[size], step, socket, source) if size in queues else None
        if found is None:
            longer = sorted(each for each in queues if each > size)[:COMPARED] if len(queues) <= LENGTHS else ()
            found = next(filter(None, (self.take(queues[each], step, socket, source) for each in longer)), None)
        return found

    def take(self, queue: _Queue, step: Step, socket: KernelSocket, source: Key | None) -> tuple[Step, KernelSocket] | None:
        for at in range(min(len(queue), COMPARED)):
            send, sender, target = queue[at]
            if _fits(send, step) and _hosts_fit(target, socket.local_key) and _hosts_fit(source, sender.local_key):
                if on_one_machine(source, socket.local_key) and send.began > step.ended:
                    return None
                for _ in range(at + 1):
                    queue.popleft()
                return send, sender
        if len(queue) > COMPARED:
            queue.popleft()
        return None


def _fits(send: Step, receive: Step) -> bool:
    known = min(len(send.call.data), len(receive.call.data))
    return send.call.data[:known] == receive.call.data[:known]


def _hosts_fit(one: Key | None, other: Key | None) -> bool:
    first, second = host_of(one), host_of(other)
    return not first or not second or first == second or (one is not None and reaches_many(one))
