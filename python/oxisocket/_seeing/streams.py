"""Follows the bytes of a stream from the sends to the receives."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from .addresses import on_one_machine
from .kernel_sockets import KernelSocket
from .steps import Arrow, Step

# A closing may be written down when it is over, and the other end has learnt of it before.
LATE = 100_000_000

# So many bytes tell one send from another well enough.
TELLING = 4


@dataclass(slots=True)
class Flow:
    """What went from one end of a connection to the other. Sizes are bytes.

    `unsent` were received and sent by no recorded call, `unreceived` were skipped because a later send fits what was
    received, `left` were on their way at the end. `mixed` tells that one end is TLS in plain text and the other is not.
    """

    arrows: list[Arrow] = field(default_factory=list)
    unsent: int = 0
    unreceived: int = 0
    left: int = 0
    mixed: bool = False


def follow(source: KernelSocket, target: KernelSocket) -> Flow:
    """Match all that was sent at `source` with what was received at `target`, by counting bytes."""
    flow = Flow()
    one_clock = on_one_machine(source.local_key, source.peer_key or target.local_key)
    for tls in (False, True):
        sends = [step for step in source.steps if step.call.sent and step.call.tls is tls]
        receives = [step for step in target.steps if step.call.received and step.call.tls is tls]
        if target.has_messages:
            _follow_messages(sends, receives, flow)
        elif sends or receives:
            receives.sort(key=lambda step: step.ended)
            _Stream(sends, one_clock, flow).follow(receives)
    plain = {step.call.tls for step in source.steps if step.call.sent}
    flow.mixed = bool(plain) and not plain & {step.call.tls for step in target.steps if step.call.received} and flow.unsent > 0
    flow.arrows += _end(source, target, one_clock)
    return flow


def _follow_messages(sends: list[Step], receives: list[Step], flow: Flow) -> None:
    first = 0
    for send, receive in zip(sends, receives, strict=False):
        flow.arrows.append(Arrow(send, receive, "data", first, first + send.call.sent))
        first += send.call.sent
    flow.left += sum(send.call.sent for send in sends[len(receives) :])
    flow.unsent += sum(receive.call.received for receive in receives[len(sends) :])


class _Stream:
    """The bytes of the sends, of which `taken` of the one at `at` have been received, and all of those before it."""

    def __init__(self, sends: list[Step], one_clock: bool, flow: Flow) -> None:
        self.sends = sends
        self.one_clock = one_clock
        self.flow = flow
        self.at = 0
        self.taken = 0
        self.position = 0
        self.beginning_with: dict[bytes, list[int]] | None = None

    def follow(self, receives: list[Step]) -> None:
        for receive in receives:
            agreed = self.agreed(self.at, self.taken, receive)
            if agreed is None:
                agreed = self.resume(receive)
            if agreed is None:
                self.flow.unsent += receive.call.received
            else:
                self.take(receive, agreed)
        self.flow.left += sum(send.call.sent for send in self.sends[self.at :]) - self.taken

    def take(self, receive: Step, agreed: int) -> None:
        missing = receive.call.received
        while missing and self.at < len(self.sends):
            send = self.sends[self.at]
            if not self.may_be(send, receive, agreed):
                break
            size = min(missing, send.call.sent - self.taken)
            first = self.position + self.taken
            self.flow.arrows.append(Arrow(send, receive, "data", first, first + size))
            missing -= size
            self.taken += size
            if self.taken == send.call.sent:
                self.go_to(self.at + 1)
        self.flow.unsent += missing

    def go_to(self, at: int) -> None:
        """Pass over what is left of the sends before this one."""
        self.position += sum(send.call.sent for send in self.sends[self.at : at])
        self.at, self.taken = at, 0

    def may_be(self, send: Step, receive: Step, agreed: int) -> bool:
        """Whether time allows it. Between programs whose clocks may have been set meanwhile, the data tell more."""
        if send.began <= receive.ended or not self.one_clock:
            return True
        return send.lane.record != receive.lane.record and agreed >= TELLING

    def agreed(self, at: int, taken: int, receive: Step) -> int | None:
        """How many known bytes of a receive are those of the sends from here on. None if some are not, or it is too early."""
        data = receive.call.data[: receive.call.received]
        agreed = seen = 0
        for send in _from(self.sends, at):
            known = send.call.data[taken : send.call.sent]
            part = data[seen : seen + min(len(known), send.call.sent - taken)]
            if known[: len(part)] != part:
                return None
            agreed += len(part)
            seen += send.call.sent - taken
            taken = 0
            if seen >= len(data):
                break
        return agreed if at < len(self.sends) and self.may_be(self.sends[at], receive, agreed) else None

    def resume(self, receive: Step) -> int | None:
        """Find the next send that this receive may begin with: calls that nobody recorded have received what lies between."""
        if self.beginning_with is None:
            self.beginning_with = {}
            for index, send in enumerate(self.sends):
                self.beginning_with.setdefault(send.call.data[:TELLING], []).append(index)
        indexes = self.beginning_with.get(receive.call.data[:TELLING], []) if receive.call.data else []
        begin = bisect_left(indexes, self.at + bool(self.taken))
        for index in indexes[begin : begin + 8]:
            agreed = self.agreed(index, 0, receive)
            if agreed:
                self.flow.unreceived += sum(send.call.sent for send in self.sends[self.at : index]) - self.taken
                self.go_to(index)
                return agreed
        return None


def _from(sends: list[Step], at: int) -> Iterator[Step]:
    for index in range(at, len(sends)):
        yield sends[index]


def _end(source: KernelSocket, target: KernelSocket, one_clock: bool) -> Iterator[Arrow]:
    met = next((step for step in target.steps if _meets_end(step)), None)
    if met is None:
        return
    latest = met.ended + LATE if one_clock else None
    shut = next((step for step in source.steps if _shuts(step) and (latest is None or step.began <= latest)), None)
    if shut is None:
        # The last of several descriptors that are closed ends the connection.
        closings = (step for step in reversed(source.steps) if step.closed_by in ("close", "finalizer"))
        shut = next((step for step in closings if latest is None or step.began <= latest), None)
    if shut is not None:
        yield Arrow(shut, met, "end")


def _meets_end(step: Step) -> bool:
    error = step.call.error
    return step.call.eof or (error is not None and error.startswith(("ConnectionResetError", "BrokenPipeError")))


def _shuts(step: Step) -> bool:
    call = step.call
    how = call.arguments.rpartition(".")[2]
    return call.call == "shutdown" and call.error is None and ("SHUT_WR" in how or "SHUT_RDWR" in how or how in ("1", "2"))
