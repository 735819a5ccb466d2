"""Steps, sizes and times in words."""

from __future__ import annotations

import re
from collections import Counter

from .addresses import text_of
from .record import Address, Record, Socket
from .steps import Arrow, Step

TIMES = "\N{MULTIPLICATION SIGN}"

# How Python writes a socket among the results of accept(), socketpair() and others.
_SOCKET = re.compile(r"<[\w.]*[sS]ocket[^<>]*?\bfd=(\d+)[^<>]*>")


def duration(nanoseconds: int) -> str:
    """Such as `850 ns`, `18.2 ms`, `2 min 5 s`."""
    if nanoseconds < 0:
        return f"-{duration(-nanoseconds)}"
    if nanoseconds >= 99_950_000_000:
        minutes, seconds = divmod(round(nanoseconds / 1e9), 60)
        return f"{minutes} min {seconds} s"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        value = nanoseconds / size
        if value >= 0.9995:
            return f"{value:.0f} {unit}" if value >= 99.95 else f"{value:.3g} {unit}"
    return f"{nanoseconds} ns"


def size(count: int) -> str:
    """Such as `1 byte`, `900 bytes`, `1.2 MB`."""
    if count < 10_000:
        return "1 byte" if count == 1 else f"{count:,} bytes"
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}" if count < 999.5 * factor else f"{count / factor:,.0f} {unit}"
    raise AssertionError


def short(path: str) -> str:
    """The last part of a program's path, or of a caller's: the folders above it would fill the picture."""
    return path.rstrip("/").rpartition("/")[2] or path


def brief(text: str) -> str:
    """The text with each socket in it as its descriptor: `fd 5`."""
    return _SOCKET.sub(r"fd \1", text) if "ocket" in text else text


def call(step: Step) -> str:
    """What was called: `recv(1024)`. A closing by the garbage collector says so."""
    if step.closed_by == "finalizer":
        return "closed by the garbage collector"
    return f"{step.call.call}({brief(step.call.arguments)})"


def outcome(step: Step, record: Record) -> str:
    """What came of it; empty where nothing did. `record` is the one that the step is from."""
    found = step.call
    if step.closed_by == "finalizer" and found.socket is not None:
        opened = record.sockets[found.socket].opened
        return f"opened at {short(opened)}" if opened else ""
    if found.unfinished:
        # Nothing was recorded after it had begun to wait, if it took no time.
        return f"still waiting after {duration(found.took)}" if found.took else "still waiting"
    if would_block(step):
        return "in progress" if found.call.startswith("connect") else "would block"
    if found.error is not None:
        return found.error
    if found.call == "accept" and len(found.new) == 1:
        return _accepted(record.sockets[found.new[0]], found.address)
    if found.eof:
        return f"{found.result or ''} end of the stream".strip()
    return "" if found.result in (None, "None") else brief(str(found.result))


def _accepted(made: Socket, address: Address) -> str:
    """The socket that `accept` made, and for whom: a UNIX socket that is not bound has no name."""
    peer = address or made.peer
    return f"fd {made.fd} for {text_of(peer)}" if peer else f"fd {made.fd}"


def would_block(step: Step) -> bool:
    """Whether it failed only because the socket does not block: no error to speak of."""
    return step.call.error is not None and step.call.error.startswith("BlockingIOError")


def label(arrows: list[Arrow]) -> str:
    """What these arrows of one kind carry."""
    kind, count = arrows[0].kind, len(arrows)
    if kind in ("data", "datagram"):
        total = size(sum(arrow.last - arrow.first for arrow in arrows))
        things = "datagrams" if kind == "datagram" else "pieces"
        return total if count == 1 else f"{total} in {count:,} {things}"
    name = "end of stream" if kind == "end" else kind
    return name if count == 1 else f"{name} {TIMES}{count:,}"


def repeated(steps: list[Step], period: int) -> str:
    """Many steps as one: a pattern that comes so many times, or with a period of 0 so many of each."""
    if period:
        names = ", ".join(step.call.call for step in steps[:period])
        return f"{names} {TIMES}{len(steps) // period:,}"
    return ", ".join(f"{name} {TIMES}{count:,}" for name, count in Counter(step.call.call for step in steps).most_common())


def traffic(steps: list[Step]) -> str:
    """How many bytes these steps moved, and how long it took from the first to the last."""
    received, sent = sum(step.call.received for step in steps), sum(step.call.sent for step in steps)
    parts = [f"{size(count)} {way}" for count, way in ((received, "in"), (sent, "out")) if count]
    parts.append(duration(max(step.ended for step in steps) - steps[0].began))
    return ", ".join(parts)
