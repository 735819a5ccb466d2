"""What could not be matched, and why: a sentence for each kind, however often it happened."""

from __future__ import annotations

from dataclasses import dataclass, field

from .record import Record
from .steps import Arrow, Connection, End
from .streams import Flow
from .words import short


@dataclass(slots=True)
class _Bytes:
    """A sum of bytes over some connections, of which one is named."""

    size: int = 0
    connections: list[Connection] = field(default_factory=list)

    def add(self, size: int, connection: Connection) -> None:
        if size:
            self.size += size
            self.connections.append(connection)

    def on(self) -> str:
        more = len(self.connections) - 1
        return self.connections[0].description + (f" and {more} more" if more else "")


class Notes:
    """Collects what is noticed while records are matched."""

    def __init__(self, records: list[Record]) -> None:
        self.records = records
        self.alone: list[Connection] = []
        self.unsent: dict[int, _Bytes] = {}
        self.unreceived: dict[int, _Bytes] = {}
        self.left: dict[int, _Bytes] = {}
        self.mixed: list[Connection] = []
        self.behind: dict[tuple[int, int], int] = {}

    def on_missing_end(self, connection: Connection) -> None:
        """The program at one end was not recorded."""
        self.alone.append(connection)

    def on_flow(self, flow: Flow, connection: Connection, source: End, target: End) -> None:
        """The bytes of one direction were matched."""
        if flow.mixed:
            self.mixed.append(connection)
            return
        self.unsent.setdefault(target.record, _Bytes()).add(flow.unsent, connection)
        self.unreceived.setdefault(target.record, _Bytes()).add(flow.unreceived, connection)
        if self.records[target.record].ended and not flow.unreceived:
            self.left.setdefault(target.record, _Bytes()).add(flow.left, connection)

    def on_clocks(self, arrows: list[Arrow]) -> None:
        """Whether something came before it was sent."""
        for arrow in arrows:
            early = arrow.source.began - arrow.target.ended
            ways = (arrow.source.lane.record, arrow.target.lane.record)
            if early > 0 and arrow.kind != "end" and ways[0] != ways[1]:
                self.behind[ways] = max(early, self.behind.get(ways, 0))

    def texts(self) -> list[str]:
        """The notes, as sentences."""
        return [*self._on_records(), *self._on_connections(), *self._on_bytes(), *self._on_times()]

    def _on_records(self) -> list[str]:
        found = []
        for record in self.records:
            if record.lost:
                found.append(f"{_count(record.lost, 'event')} of {record.path} could not be written.")
            if record.skipped:
                found.append(f"{_count(record.skipped, 'line')} of {record.path} could not be read.")
        return found

    def _on_connections(self) -> list[str]:
        found = []
        if self.alone:
            what = _count(len(self.alone), "connection")
            found.append(f"The other end of {what} was not recorded: {_some(self.alone)}.")
        if self.mixed:
            why = "One end has the plain text of TLS and the other its ciphertext, so that no bytes could be followed"
            found.append(f"{why}: {_some(self.mixed)}.")
        return found

    def _on_bytes(self) -> list[str]:
        found = []
        for sums, what in (
            (self.unsent, "came to {} that no recorded call sent"),
            (self.unreceived, "that were sent to {} were received by no recorded call"),
            (self.left, "that were sent to {} were never received"),
        ):
            for record, bytes_ in sums.items():
                if bytes_.size:
                    text = what.format(self.program(record))
                    found.append(f"{_count(bytes_.size, 'byte')} {text}: {bytes_.on()}.")
        return found

    def _on_times(self) -> list[str]:
        return [
            f"The clock of {self.program(target)} is behind that of {self.program(source)} by {early / 1e6:.3g} ms or more."
            for (source, target), early in self.behind.items()
        ]

    def program(self, record: int) -> str:
        """The program that a record is of."""
        return short(self.records[record].process.program)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number:,} {thing}s"


def _some(connections: list[Connection]) -> str:
    shown = ", ".join(connection.description for connection in connections[:3])
    return shown + (f" and {len(connections) - 3} more" if len(connections) > 3 else "")
