"""Conversations put together by hand, for the tests of the pictures."""

from __future__ import annotations

from typing import Any

from oxisocket._seeing.conversation import Arrow, Connection, Conversation, End, Lane, Step
from oxisocket._seeing.record import Call, Process, Record, Socket

US = 1000
MS = 1000 * US
SECOND = 1000 * MS
START = 1_790_000_000 * SECOND


class Talk:
    """A conversation that grows call by call. A call begins where the last one of its lane ended, or after so long a `pause`."""

    def __init__(self) -> None:
        self.talk = Conversation([], [], [], [], [], [], [])
        self.now: dict[int, int] = {}

    def program(self, name: str, ended: bool = True, lost: int = 0) -> Lane:
        pid = 4000 + len(self.talk.records)
        process = Process(pid, None, name, [], "3.13.5", "0.2.0", 32, START)
        self.talk.records.append(Record(f"{name}.jsonl", process, {}, {}, [], ended, lost, 0))
        return self.thread(len(self.talk.records) - 1, "")

    def thread(self, record: int, name: str) -> Lane:
        process = self.talk.records[record].process
        lane = Lane(len(self.talk.lanes), record, process.pid + 1000 * len(self.talk.lanes), process.program, process.pid, name)
        self.talk.records[record].threads[lane.thread] = name or "MainThread"
        self.talk.lanes.append(lane)
        self.now[lane.index] = START
        return lane

    def socket(self, lane: Lane, fd: int = 3, **more: Any) -> End:
        sockets = self.talk.records[lane.record].sockets
        number = len(sockets) + 1
        known: dict[str, Any] = {
            "family": "AF_INET",
            "type": "SOCK_STREAM",
            "proto": 0,
            "cookie": None,
            "local": None,
            "peer": None,
        }
        known |= {"listening": False, "by": "socket", "of": None, "twin": None, "opened": "server.py:8", "began": START} | more
        sockets[number] = Socket(number, fd, **known)
        return End(lane.record, number)

    def connection(self, client: End | None, server: End | None, description: str = "") -> Connection:
        connection = Connection(len(self.talk.connections), client, server, description or "127.0.0.1:41234 → 127.0.0.1:5001")
        self.talk.connections.append(connection)
        return connection

    def call(
        self,
        lane: Lane,
        name: str,
        arguments: str = "",
        result: str | None = None,
        end: End | None = None,
        connection: Connection | None = None,
        pause: int = 20 * US,
        took: int = 8 * US,
        until: int | None = None,
        closed_by: str | None = None,
        **more: Any,
    ) -> Step:
        began = self.now[lane.index] + pause
        if until is not None:
            took = max(until - began, took)
        more.setdefault("waited", took - 5 * US if took > 50 * US else 0)
        more.setdefault("caller", "server.py:14")
        number = None if end is None else end.socket
        fd = None if end is None else self.talk.records[end.record].sockets[end.socket].fd
        call = Call(
            t=began, took=took, thread=lane.thread, socket=number, fd=fd, call=name, arguments=arguments, result=result, **more
        )
        self.now[lane.index] = began + took
        step = Step(len(self.talk.steps), lane, call, end, connection, closed_by)
        self.talk.steps.append(step)
        self.talk.records[lane.record].calls.append(call)
        return step

    def arrow(self, source: Step, target: Step, kind: Any = "data", first: int = 0, last: int = 0) -> None:
        self.talk.arrows.append(Arrow(source, target, kind, first, last))

    def send(self, lane: Lane, data: bytes, end: End, connection: Connection, **more: Any) -> Step:
        return self.call(lane, "send", repr(data), str(len(data)), end, connection, sent=len(data), data=data, **more)

    def recv(self, lane: Lane, data: bytes, sent: Step, end: End, connection: Connection, first: int = 0, **more: Any) -> Step:
        """Receives what was sent, just after it was."""
        until = max(sent.ended + 10 * US, self.now[lane.index] + 2 * US)
        step = self.call(lane, "recv", "1024", repr(data), end, connection, until=until, received=len(data), data=data, **more)
        self.arrow(sent, step, "data", first, first + len(data))
        return step

    def closing(self, lane: Lane, end: End, connection: Connection | None = None, by: str = "close") -> Step:
        step = self.call(lane, "close", "", None, end, connection, took=0, closed_by=by)
        socket = self.talk.records[end.record].sockets[end.socket]
        socket.closed, socket.closed_by = step.ended, by
        return step

    def done(self) -> Conversation:
        self.talk.steps.sort(key=lambda step: step.began)
        for index, step in enumerate(self.talk.steps):
            step.index = index
        return self.talk


def connect(talk: Talk, client: Lane, server: Lane, listening: End, port: int = 41234) -> tuple[Connection, End, End]:
    here, there = ["127.0.0.1", port], ["127.0.0.1", 5001]
    made = talk.socket(client, 3, local=here, peer=there, opened="client.py:6")
    accepted = talk.socket(server, 5, local=there, peer=here, by="accept", opened="server.py:11")
    connection = talk.connection(made, accepted, f"127.0.0.1:{port} → 127.0.0.1:5001")
    talk.call(
        client, "socket", "AF_INET, SOCK_STREAM", "<socket.socket fd=3, family=2, type=1, proto=0>", made, connection, new=[1]
    )
    connecting = talk.call(client, "connect", "('127.0.0.1', 5001)", None, made, connection, took=45 * US, address=there)
    accepting = talk.call(
        server,
        "accept",
        "",
        f"(<socket.socket fd=5, family=2, type=1, proto=0, laddr=('127.0.0.1', 5001)>, ('127.0.0.1', {port}))",
        listening,
        None,
        until=connecting.began + 30 * US,
        new=[accepted.socket],
        address=here,
    )
    talk.arrow(connecting, accepting, "connect")
    return connection, made, accepted


def listen(talk: Talk, server: Lane) -> End:
    listening = talk.socket(server, 3, local=["127.0.0.1", 5001], listening=True)
    talk.call(server, "socket", "AF_INET, SOCK_STREAM", "<socket.socket fd=3, family=2, type=1, proto=0>", listening)
    talk.call(server, "bind", "('127.0.0.1', 5001)", None, listening)
    talk.call(server, "listen", "1", None, listening)
    return listening


def tutorial() -> Conversation:
    """What the tutorial's server and client say, and a socket that nobody closes."""
    talk = Talk()
    server, client = talk.program("server.py"), talk.program("client.py")
    listening = listen(talk, server)
    talk.now[client.index] += 800 * MS
    connection, made, accepted = connect(talk, client, server, listening)
    positions = [0, 0]
    for question, answer in (b"hello", b"HELLO"), (b"How do you do?", b"Fine, thank you."):
        asked = talk.send(client, question, made, connection, pause=400 * MS)
        talk.recv(server, question, asked, accepted, connection, positions[0])
        said = talk.send(server, answer, accepted, connection, pause=900 * MS)
        talk.recv(client, answer, said, made, connection, positions[1])
        positions = [positions[0] + len(question), positions[1] + len(answer)]
    closing = talk.closing(client, made, connection)
    met = talk.call(server, "recv", "1024", "b''", accepted, connection, until=closing.ended + 15 * US, eof=True)
    talk.arrow(closing, met, "end", positions[0], positions[0])
    talk.closing(server, accepted, connection)
    talk.talk.unclosed.append(listening)
    return talk.done()


def crowd(clients: int, questions: int = 3, threads: bool = False) -> Conversation:
    """A server of one thread, and clients that all ask alike: in one thread, or each in its own."""
    talk = Talk()
    server, client = talk.program("server.py"), talk.program("client.py")
    listening = listen(talk, server)
    lanes = [talk.thread(1, f"asker-{each}") if threads and each else client for each in range(clients)]
    parts = []
    for each, lane in enumerate(lanes):
        talk.now[lane.index] = max(talk.now[lane.index], talk.now[server.index])
        parts.append((lane, *connect(talk, lane, server, listening, 41000 + each)))
        talk.call(
            server, "accept", "", None, listening, error="BlockingIOError: [Errno 11] Resource temporarily unavailable", errno=11
        )
    for turn in range(questions):
        asked = []
        for lane, connection, made, _ in parts:
            talk.now[lane.index] = max(talk.now[lane.index], talk.now[server.index])
            asked.append(talk.send(lane, b"question", made, connection, pause=2 * MS))
        for (lane, connection, made, accepted), question in zip(parts, asked, strict=True):
            talk.recv(server, b"question", question, accepted, connection, 8 * turn)
            answer = talk.send(server, b"answer", accepted, connection)
            talk.recv(lane, b"answer", answer, made, connection, 6 * turn)
    for lane, connection, made, accepted in parts:
        closing = talk.closing(lane, made, connection)
        met = talk.call(server, "recv", "1024", "b''", accepted, connection, until=closing.ended + 15 * US, eof=True)
        talk.arrow(closing, met, "end")
        talk.closing(server, accepted, connection)
    talk.closing(server, listening)
    return talk.done()


def echo(times: int) -> Conversation:
    """One client that asks the same again and again, and then meets an error."""
    talk = Talk()
    server, client = talk.program("server.py"), talk.program("client.py", ended=False)
    listening = listen(talk, server)
    connection, made, accepted = connect(talk, client, server, listening)
    for turn in range(times):
        asked = talk.send(client, b"x" * 64, made, connection, pause=120 * US)
        talk.recv(server, b"x" * 64, asked, accepted, connection, 64 * turn)
        said = talk.send(server, b"y" * 64, accepted, connection, pause=70 * US)
        talk.recv(client, b"y" * 64, said, made, connection, 64 * turn)
    error = "ConnectionResetError: [Errno 104] Connection reset by peer"
    talk.call(client, "send", "b'x'", None, made, connection, pause=3 * MS, error=error, errno=104)
    talk.call(client, "recv", "1024", None, made, connection, took=2 * SECOND, unfinished=True)
    talk.closing(server, accepted, connection, by="finalizer")
    talk.talk.unclosed += [listening, accepted]
    talk.talk.notes.append("client.jsonl: 12 bytes were sent by other means than a socket's calls.")
    return talk.done()


def pair() -> Conversation:
    """A program that talks to itself."""
    talk = Talk()
    lane = talk.program("pair.py")
    one, other = (talk.socket(lane, fd, family="AF_UNIX", by="socketpair") for fd in (3, 4))
    connection = talk.connection(one, other, "socketpair")
    talk.call(lane, "socketpair", "", "(<socket.socket fd=3>, <socket.socket fd=4>)", None, connection, new=[1, 2])
    sent = talk.send(lane, b"ping", one, connection)
    talk.recv(lane, b"ping", sent, other, connection)
    sent = talk.send(lane, b"pong", other, connection)
    talk.closing(lane, other, connection)
    talk.recv(lane, b"pong", sent, one, connection)
    talk.closing(lane, one, connection)
    return talk.done()


HOSTILE = "</script><script>alert(1)</script><!--]]>&\"'\u202e\ud800\x00\x1b[31m{}"


def hostile() -> Conversation:
    """One in which every text is out to do harm."""
    talk = Talk()
    lane, other = talk.program(HOSTILE), talk.program(HOSTILE * 40)
    end = talk.socket(lane, 7, family=HOSTILE, type=HOSTILE, local=HOSTILE, peer=[HOSTILE, 1], opened=HOSTILE, by=HOSTILE)
    connection = talk.connection(end, None, HOSTILE)
    sent = talk.call(lane, HOSTILE, HOSTILE, HOSTILE, end, connection, data=HOSTILE.encode("utf-8", "replace"), caller=HOSTILE)
    met = talk.call(other, HOSTILE, HOSTILE, None, None, None, error=HOSTILE, errno=1, pause=MS, caller=HOSTILE)
    talk.arrow(sent, met)
    talk.talk.unclosed.append(end)
    talk.talk.notes.append(HOSTILE)
    return talk.done()
