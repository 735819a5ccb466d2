"""Cases for the reader of records: one record or several, as the text of a file, and their mutations.

A case is bytes: the records of several programs, with a line of `=` between them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

BETWEEN = b"======\n"
CORPUS = Path(__file__).with_name("corpus") / "records"
LONGEST = 60_000  # bytes

# Texts that some form or other of output takes for its own.
TEXTS = (
    "", " ", "\0", "\n", "\r\n", "\x1b[2J\x1b]0;title\x07", "\x7f", "\x85", "\u200b", "\u202eright to left", "\u2028", "\ud800", "\udcff", "\ufffe", "\U0010ffff",
    "<script>alert(1)</script>", "</script><!--", "]]>", "<!DOCTYPE x>", "&amp;&#0;&lt;", "\"'`", "' onload='x", "%%{init: {}}%%", "end", "wrap: text", "; participant x", "#35;", "@data@",
    "a" * 300, "長い" * 100, "e\u0301" * 40, "👩\u200d👩\u200d👧", "\u1100\u1161\u11a8", "1" * 5000, "\uff19" * 5000, "-1", "0x10", "nan", "[]", "{", "\\", "'\\", "('127.0.0.1', 80)", "b'\\x00'",
    "127.0.0.1", "::1", "fe80::1%lo", "255.255.255.255", "224.0.0.1", "::ffff:1.2.3.4", "\0abstract", "/tmp/socket", "AF_INET", "AF_INET6", "AF_UNIX", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET",
    "connect", "connect_ex", "accept", "recv", "send", "sendall", "close", "detach", "shutdown", "setsockopt", "getsockopt", "getaddrinfo", "gethostbyaddr", "socketpair", "dup", "sendto", "recvfrom",
    "finalizer", "found", "SHUT_WR", "SHUT_RDWR", "SHUT_RD", "SOL_SOCKET, SO_ERROR", "SOL_SOCKET, SO_LINGER, b'\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00'", "MSG_PEEK", "TimeoutError: timed out", "eA==", "===",
)  # fmt: skip
NUMBERS = (
    0,
    1,
    2,
    3,
    -1,
    4,
    104,
    111,
    115,
    65535,
    65536,
    2**31,
    2**32,
    2**53,
    2**63 - 1,
    2**63,
    2**64,
    -(2**63),
    10**30,
    0.5,
    1e308,
    float("nan"),
    float("inf"),
)
OTHERS = (None, True, False, [], {}, [[]], [1], [1, 2], [2, 1], ["127.0.0.1", 5000], ["127.0.0.1", 41234], ["::1", 1, 2, 3], ["", 0], [None], {"a": 1}, ["x", "y"], [2**64, "a"])  # fmt: skip
NAMES = (
    "event", "t", "thread", "socket", "fd", "call", "arguments", "result", "error", "errno", "took", "waited", "in", "out", "peeked", "eof", "data", "address", "new", "rights", "tls", "caller",
    "name", "family", "type", "proto", "cookie", "local", "peer", "listening", "by", "of", "twin", "opened", "format", "pid", "parent", "program", "python", "oxisocket", "bytes", "open", "lost",
)  # fmt: skip
EVENTS = ("process", "thread", "socket", "wait", "call", "close", "exit", "unknown")


def seeds() -> list[bytes]:
    """The cases of the corpus."""
    return [path.read_bytes() for path in sorted(CORPUS.iterdir())]


def records_of(case: bytes) -> list[list[bytes]]:
    """The lines of each record of a case."""
    return [part.splitlines(keepends=True) for part in case.split(BETWEEN)[:4]]


def mutated(case: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """A case that differs from `case` in a few places. What is put in comes from `others`, or is hostile."""
    records = records_of(case)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        rng.choice(MUTATIONS)(records, others, rng)
    return BETWEEN.join(b"".join(lines) for lines in records)[:LONGEST]


Records = list[list[bytes]]


def _line(records: Records, rng: random.Random) -> tuple[list[bytes], int] | None:
    lines = rng.choice(records)
    return (lines, rng.randrange(len(lines))) if lines else None


def _drop(records: Records, others: list[bytes], rng: random.Random) -> None:
    if found := _line(records, rng):
        lines, at = found
        del lines[at : at + rng.choice((1, 1, 1, 5))]


def _repeat(records: Records, others: list[bytes], rng: random.Random) -> None:
    if found := _line(records, rng):
        lines, at = found
        part = lines[at : at + rng.choice((1, 1, 2, 4))]
        lines[at:at] = part * rng.choice((1, 1, 2, 3, 20))


def _swap(records: Records, others: list[bytes], rng: random.Random) -> None:
    if found := _line(records, rng):
        lines, at = found
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]


def _splice(records: Records, others: list[bytes], rng: random.Random) -> None:
    lines = rng.choice(records_of(rng.choice(others)))
    begin = rng.randrange(len(lines) + 1)
    part = lines[begin : begin + rng.choice((1, 2, 5, 100))]
    if rng.random() < 0.1 and len(records) < 4:
        records.append(lines)
    else:
        into = rng.choice(records)
        at = rng.randrange(len(into) + 1)
        into[at:at] = part


def _garble(records: Records, others: list[bytes], rng: random.Random) -> None:
    if found := _line(records, rng):
        lines, at = found
        line = bytearray(lines[at])
        for _ in range(rng.choice((1, 1, 4))):
            place = rng.randrange(len(line) + 1)
            line[place : place + rng.choice((0, 1, 1, 3))] = rng.choice(
                (b"", b'"', b"\\", b"\n", b"\xff", b"{", b"0", bytes([rng.randrange(256)]))
            )
        lines[at] = bytes(line)


def _event(records: Records, others: list[bytes], rng: random.Random) -> None:
    """Change a value of an event, or take it from another event, or leave it out."""
    found = _line(records, rng)
    event = found and _parsed(found[0][found[1]])
    if not found or not event:
        return
    name = rng.choice((*event, *event, rng.choice(NAMES)))
    how = rng.randrange(9)
    if how == 0:
        event.pop(name, None)
    elif how == 1:
        event[name] = rng.choice(OTHERS)
    elif how == 2:
        event[name] = rng.choice(NUMBERS)
    elif how in (3, 4) and isinstance(event.get(name), int):
        event[name] = event[name] + rng.choice((-1, 1, -1000, 1000, rng.randrange(-(10**8), 10**8)))
    elif how in (3, 4, 5) and isinstance(event.get(name), str):
        text = event[name]
        at = rng.randrange(len(text) + 1)
        event[name] = text[:at] + rng.choice(TEXTS) + text[rng.choice((at, len(text))) :]
    elif how in (6, 7):
        other = _parsed(rng.choice(rng.choice(records) or [b""]))
        if other and name in other:
            event[name] = other[name]
    else:
        event[name] = rng.choice(EVENTS) if name == "event" else rng.choice(TEXTS)
    found[0][found[1]] = json.dumps(event).encode() + b"\n"


def _parsed(line: bytes) -> dict[str, object] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


MUTATIONS: tuple[Callable[[Records, list[bytes], random.Random], None], ...] = (
    _drop,
    _repeat,
    _swap,
    _splice,
    _garble,
    *[_event] * 9,
)
