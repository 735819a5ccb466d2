"""Writes records as packets, in a pcapng file: what Wireshark would have seen, if somebody had let it.

The bytes, their times and their addresses are those of the record. Headers, sequence numbers and acknowledgements are made up so
that they fit. A comment on each packet says which call it comes from.
"""

from __future__ import annotations

from typing import BinaryIO

from .conversation import match
from .record import Record
from .wire import blocks
from .wire.connections import Connections, largest_transfer
from .wire.datagrams import Datagrams
from .wire.frames import Frames, program_of
from .wire.hosts import STAND_IN_RANGE, Hosts
from .wire.lookups import names_of
from .wire.sockets import DATAGRAMS, STREAMS, shared_sockets

_MADE_UP = (
    "The bytes, times and addresses are those of the calls; headers, sequence numbers and acknowledgements are made up to fit."
)
_STAND_INS = f"Addresses of {STAND_IN_RANGE} stand for what has none: UNIX sockets, by their path or program."
_PLAIN = (
    "TLS: the packets of port {} carry the plain text. It was encrypted on its way, also where Wireshark warns that it is not."
)


def write(records: list[Record], file: BinaryIO) -> None:
    """Write the packets of these records into a file, in the order of time; each record is an interface of its own.

    What several records tell of is there once. Errors are those of `file.write`.
    """
    hosts, frames = Hosts(), Frames()
    conversation = match(records)
    sockets = shared_sockets(conversation)
    connections = Connections(records, sockets, hosts, frames)
    connections.add(conversation)
    Datagrams(records, sockets, hosts, frames, largest_transfer(records)).add(conversation)
    ordered = frames.in_order()

    file.write(blocks.section(_about(records, hosts, connections), _application(records)))
    file.writelines(blocks.interface(program_of(record), f"recorded by oxisocket in {program_of(record)}") for record in records)
    names = {**names_of(records), **hosts.names}
    if names:
        file.write(blocks.names(names))
    file.writelines(
        blocks.packet(each.record, each.t, each.packet, outbound=each.outbound, comment=each.comment) for each in ordered
    )
    for number, record in enumerate(records):
        if record.lost:
            file.write(blocks.statistics(number, ordered[-1].t if ordered else record.process.began, record.lost))


def _application(records: list[Record]) -> str:
    versions = {f"oxisocket {record.process.oxisocket}" for record in records}
    return ", ".join(sorted(versions))


def _about(records: list[Record], hosts: Hosts, connections: Connections) -> str:
    """What a reader of the file has to know, for the header of its section."""
    programs = ", ".join(program_of(record) for record in records)
    lines = [f"The socket calls of {programs}, as packets.", _MADE_UP]
    kept = [record.process.bytes for record in records]
    if kept:
        lines.append(f"Of each call the first {_range(kept)} bytes were kept; the rest of its packets counts as not captured.")
    if hosts.names:
        lines.append(_STAND_INS)
    if connections.plain_ports:
        ports = sorted(connections.plain_ports)
        lines.append(_PLAIN.format(", ".join(map(str, ports))))
    lines += _missing(records, connections)
    return "\n".join(lines)


def _missing(records: list[Record], connections: Connections) -> list[str]:
    lines = []
    others = {
        f"{socket.family} {socket.type}".strip() or "unknown"
        for record in records
        for socket in record.sockets.values()
        if socket.type not in STREAMS + DATAGRAMS
    }
    if others:
        lines.append(f"Not shown: sockets of the kinds {', '.join(sorted(others))}.")
    if connections.left_out:
        lines.append(f"Not shown: {connections.left_out} connections of a socket to itself.")
    lost = sum(record.lost + record.skipped for record in records)
    if lost:
        lines.append(f"{lost} events of the record could not be written or read: bytes may be missing.")
    return lines


def _range(numbers: list[int]) -> str:
    return str(numbers[0]) if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"
