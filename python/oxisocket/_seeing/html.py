"""Makes a page of a conversation: one HTML file, which takes nothing from anywhere and tells nothing to anybody."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from pathlib import Path

from .addresses import text_of
from .cells import cut, harmless
from .conversation import Conversation, Step
from .layout import Entry, Fold, Layout, arrange, unclosed
from .record import Address, Record, Socket
from .words import short

MOST_DATA = 4096
"""How many bytes of a call's data the page has at most."""

# The names in page.js, and their order in the rows of calls.
_COLUMNS = (
    *("lane", "connection", "t", "took", "waited", "call", "arguments", "outcome", "sign", "full", "sent", "received", "peeked"),
    *("eof", "rights", "tls", "address", "data", "caller", "socket"),
)


def page(conversation: Conversation) -> str:
    """A page that shows who called what: in order or to scale, with the data and the caller of each call, by mouse or keyboard.

    Write it as UTF-8. Its policy lets nothing run but its own script, and nothing load.
    """
    style, script = _read("page.css"), _read("page.js")
    parts = {
        "policy": _policy(style, script),
        "title": escape(_title(conversation)),
        "style": style,
        "script": script,
        # In a script "<" could end it, or begin a comment; in JSON it is only ever part of a text.
        "data": json.dumps(_data(arrange(conversation)), separators=(",", ":")).replace("<", r"\u003c"),
    }
    # In one pass: what was put in is not looked at again.
    return re.sub("@([a-z]+)@", lambda found: parts[found[1]], _read("page.html"))


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    own = f"script-src {_digest(script)}; style-src {_digest(style)}"
    return f"default-src 'none'; {own}; img-src data:; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _title(conversation: Conversation) -> str:
    names = list(dict.fromkeys(harmless(short(lane.program)) or "a program" for lane in conversation.lanes))
    return cut(" and ".join([", ".join(names[:-1]), *names[-1:]] if len(names) > 1 else names) or "No calls", 120)


# --- Data ---


def _data(layout: Layout) -> dict[str, object]:
    """What the script draws. Times are nanoseconds since the first call, which was at `start`."""
    conversation = layout.conversation
    sockets = _Sockets(conversation)
    start = min((step.call.t for step in conversation.steps), default=0)
    return {
        # A text: the numbers of JavaScript have 53 bits.
        "start": str(start),
        "lanes": [_lane(layout, lane) for lane in range(len(conversation.lanes))],
        "connections": [harmless(each.description) for each in conversation.connections],
        "columns": _COLUMNS,
        "calls": [_row(step, entry, start, sockets) for step, entry in zip(conversation.steps, layout.entries, strict=True)],
        "order": [2 * step + is_end for step, is_end in layout.order],
        "arrows": [[source, target, each.kind, each.first, each.last] for source, target, each in layout.arrows],
        "cycles": [_fold(each) for each in layout.cycles],
        "alike": [_fold(each) for each in layout.alike],
        "groups": layout.groups,
        "merged": list(layout.merged.items()),
        "sockets": sockets.told,
        "unclosed": [unclosed(conversation, end) for end in conversation.unclosed],
        "notes": [harmless(note) for note in conversation.notes],
    }


def _lane(layout: Layout, number: int) -> dict[str, object]:
    lane = layout.conversation.lanes[number]
    ended = layout.conversation.records[lane.record].ended
    return {
        "program": harmless(short(lane.program)) or "a program",
        "path": harmless(lane.program),
        "pid": lane.pid,
        "thread": harmless(lane.name),
        "ended": ended,
    }


def _fold(fold: Fold) -> dict[str, object]:
    return {"lane": fold.lane, "connection": fold.connection, "calls": fold.calls, "text": fold.text()}


def _row(step: Step, entry: Entry, start: int, sockets: _Sockets) -> list[object]:
    """The values of a call, named by _COLUMNS."""
    call = step.call
    whole = harmless(call.error or call.result or "")
    return [
        *(entry.lane, entry.connection, call.t - start, call.took, min(call.waited, call.took)),
        *(entry.call, entry.arguments, entry.outcome, entry.sign),
        whole if whole not in (entry.outcome, "None") else "",
        *(call.sent, call.received, call.peeked, int(call.eof), call.rights, int(call.tls)),
        _address(call.address),
        base64.b64encode(call.data[:MOST_DATA]).decode(),
        harmless(call.caller or ""),
        None if call.socket is None else sockets.number(step.lane.record, call.socket),
    ]


def _address(address: Address) -> str:
    return "" if address is None else harmless(text_of(address))


class _Sockets:
    """Tells of each socket that a call names once, however many calls there are."""

    def __init__(self, conversation: Conversation) -> None:
        self.records = conversation.records
        self.told: list[dict[str, str]] = []
        self.numbers: dict[tuple[int, int], int] = {}

    def number(self, record: int, socket: int) -> int | None:
        known = self.records[record].sockets.get(socket)
        if known is None:
            return None
        if (record, socket) not in self.numbers:
            self.numbers[record, socket] = len(self.told)
            self.told.append(_socket(self.records[record], known))
        return self.numbers[record, socket]


def _socket(record: Record, socket: Socket) -> dict[str, str]:
    kind = " ".join(filter(None, (socket.family, socket.type)))
    where = f"{_address(socket.local)} → {_address(socket.peer)}" if socket.peer is not None else _address(socket.local)
    parts = (f"descriptor {socket.fd}" if socket.fd >= 0 else "", kind, where, "listens" if socket.listening else "")
    return {
        "text": harmless(", ".join(filter(None, parts))),
        "opened": harmless(socket.opened or ""),
        "closed": _closed(record, socket),
    }


def _closed(record: Record, socket: Socket) -> str:
    if socket.closed is None:
        return "never" if record.ended else ""
    how = {"finalizer": "by the garbage collector", "detach": "no, but detached"}.get(socket.closed_by or "", "")
    return harmless(" ".join(filter(None, (how, f"at {socket.closed_at}" if socket.closed_at else "")))) or "by the program"
