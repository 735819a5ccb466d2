"""Records of a trace, written by hand: for the tests of what is made from records."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from oxisocket._seeing.record import Record, read

BEGAN = 1_700_000_000_000_000_000  # nanoseconds since 1970
MS = 1_000_000


class Recorded:
    """A program that is being recorded. Times are in milliseconds since BEGAN; each call goes on where the last one ended."""

    def __init__(self, program: str = "server.py", pid: int = 100, **more: Any) -> None:
        self.now = 0.0
        self.pid = pid
        self.lines: list[str] = []
        self.event(
            "process", 0, format=1, pid=pid, program=program, arguments=[], python="3.13.0", oxisocket="0.9.0", bytes=32, **more
        )
        self.thread(pid, "MainThread")

    def event(self, kind: str, at: float | None = None, **values: Any) -> None:
        self.now = self.now if at is None else at
        self.lines.append(json.dumps({"event": kind, "t": BEGAN + round(self.now * MS), **values}))

    def thread(self, number: int, name: str) -> None:
        self.event("thread", thread=number, name=name)

    def socket(self, number: int, at: float | None = None, **values: Any) -> None:
        """A socket's state; `values` may replace that it is a TCP socket that the program made."""
        plain = {"fd": number + 2, "family": "AF_INET", "type": "SOCK_STREAM", "proto": 0, "by": "socket"}
        self.event("socket", at, socket=number, **plain | values)

    def _call(self, kind: str, number: int | None, call: str, arguments: str, at: float | None, values: dict[str, Any]) -> None:
        data = values.pop("data", None)
        if data is not None:
            values["data"] = base64.b64encode(data).decode()
        if "received" in values:
            values["in"] = values.pop("received")
        if "sent" in values:
            values["out"] = values.pop("sent")
        where = {} if number is None else {"socket": number, "fd": number + 2}
        self.event(kind, at, **{"thread": self.pid, **where, "call": call, "arguments": arguments, **values})

    def call(
        self,
        number: int | None,
        call: str,
        arguments: str = "",
        *,
        at: float | None = None,
        took: float = 0.01,
        waited: float = 0,
        **values: Any,
    ) -> None:
        """A call that has ended. `received` and `sent` are the record's `in` and `out`; `data` is bytes."""
        times = {"took": round(took * MS), "waited": round(waited * MS)}
        self._call("call", number, call, arguments, at, {**times, **values})
        self.now += took

    def wait(self, number: int | None, call: str, arguments: str = "", *, at: float | None = None, **values: Any) -> None:
        """A call that has begun to wait, and has not ended."""
        self._call("wait", number, call, arguments, at, values)

    def send(self, number: int, data: bytes, call: str = "sendall", **values: Any) -> None:
        result = "None" if call == "sendall" else str(len(data))
        self.call(number, call, repr(data), **{"result": result, "sent": len(data), "data": data[:32], **values})

    def recv(self, number: int, data: bytes, size: int = 1024, **values: Any) -> None:
        """Data comes; b"" is the end of the stream."""
        found: dict[str, Any] = {"received": len(data), "data": data[:32]} if data else {"eof": True}
        self.call(number, "recv", str(size), **{"result": repr(data), **found, **values})

    def close(self, number: int, at: float | None = None, by: str = "close", **values: Any) -> None:
        self.event("close", at, socket=number, fd=number + 2, by=by, **values)

    def exit(self, *still_open: int, lost: int = 0) -> None:
        self.event("exit", open=list(still_open), lost=lost)

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def write(self, path: Path) -> Path:
        path.write_text(self.text())
        return path

    def record(self) -> Record:
        return read(self.lines, "by hand")


SERVER = ["127.0.0.1", 5000]
CLIENT = ["127.0.0.1", 41234]


def tutorial() -> tuple[Recorded, Recorded]:
    """The conversation of the tutorial: a server that answers once, and its client. Both have ended in order."""
    server = Recorded("server.py", 100)
    server.socket(1, at=1, opened="server.py:3")
    server.call(1, "bind", repr(tuple(SERVER)), result="None", address=SERVER, caller="server.py:4")
    server.socket(1, local=SERVER)
    server.call(1, "listen", "", result="None", caller="server.py:5")
    server.socket(1, local=SERVER, listening=True)
    server.socket(2, at=20.2, by="accept", of=1, local=SERVER, peer=CLIENT, opened="server.py:6", cookie="72")
    peer = tuple(CLIENT)
    server.call(
        1, "accept", "", at=2, took=18.2, waited=18, result=f"(<socket>, {peer})", new=[2], address=CLIENT, caller="server.py:6"
    )
    server.recv(2, b"Hello, world", at=20.3, took=5, waited=4.9, caller="server.py:9")
    server.send(2, b"HELLO, WORLD", at=25.4, caller="server.py:12")
    server.recv(2, b"", at=25.5, took=6, waited=5.9, caller="server.py:9")
    server.close(2, at=31.6, caller="server.py:13")
    server.close(1, at=31.7, caller="server.py:14")
    server.exit()
    client = Recorded("client.py", 200)
    client.socket(1, at=20, opened="client.py:3")
    client.call(1, "connect", repr(tuple(SERVER)), at=20, took=0.1, result="None", address=SERVER, caller="client.py:4")
    client.socket(1, local=CLIENT, peer=SERVER, cookie="71")
    client.send(1, b"Hello, world", at=25.2, caller="client.py:5")
    client.recv(1, b"HELLO, WORLD", at=25.3, took=0.3, waited=0.2, caller="client.py:6")
    client.close(1, at=31.4, caller="client.py:7")
    client.exit()
    return server, client


def busy(clients: int, rounds: int) -> tuple[Recorded, Recorded]:
    """A server that answers `clients` clients, which are one program, `rounds` times each."""
    server, program = Recorded("server.py", 100), Recorded("clients.py", 200)
    server.socket(1, at=0, local=SERVER, listening=True)
    at = 1.0
    for number in range(clients):
        client = ["127.0.0.1", 30000 + number]
        program.socket(number + 1, at=at)
        error = "BlockingIOError: [Errno 115] Operation now in progress"
        program.call(number + 1, "connect", repr(tuple(SERVER)), at=at, address=SERVER, error=error, errno=115)
        program.socket(number + 1, local=client, peer=SERVER)
        server.socket(number + 2, at=at + 0.1, by="accept", of=1, local=SERVER, peer=client)
        server.call(1, "accept", at=at + 0.1, address=client, new=[number + 2], result=f"(fd {number + 4}, {tuple(client)})")
        at += 0.2
    for turn in range(rounds):
        for number in range(clients):
            data = b"hello %d %d" % (number, turn)
            program.send(number + 1, data, "send", at=at)
            server.recv(number + 2, data, at=at + 0.05)
            server.send(number + 2, data.upper(), "send", at=at + 0.1)
            program.recv(number + 1, data.upper(), at=at + 0.15)
            at += 0.2
    for number in range(clients):
        program.close(number + 1, at=at)
        server.recv(number + 2, b"", at=at + 0.05)
        server.close(number + 2, at=at + 0.1)
        at += 0.2
    server.close(1)
    server.exit()
    program.exit()
    return server, program
