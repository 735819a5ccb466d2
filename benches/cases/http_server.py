"""The standard library's threaded HTTP server, and its clients in another process."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import thread_time

from contenders import BARE

from cases.clients import http_clients
from cases.computation import beside, compute
from cases.loop import Loop

BODY = b"x" * 64
BUSY = 0.002
QUESTIONS = 5


class Load(Enum):
    """What the server has to do beside serving."""

    NOTHING = "nobody computes"
    THREAD = "one thread computes"
    HANDLERS = "handlers compute 2 ms"
    QUESTIONS = "handlers ask a line server five times"


class Handler(BaseHTTPRequestHandler):
    """Answers."""

    protocol_version = "HTTP/1.1"
    # An answer in one packet: a second packet would wait for the peer's delayed acknowledgement.
    wbufsize = -1

    def do_GET(self) -> None:
        self.work()
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def work(self) -> None:
        """Do what an answer needs: nothing, here."""

    def log_message(self, format: str, *args: object) -> None:
        pass


class Computing(Handler):
    """Computes for a while, then answers."""

    def work(self) -> None:
        # Measured in CPU time, not in wall-clock time: the work is the same, however many other threads run.
        end = thread_time() + BUSY
        while thread_time() < end:
            compute()


class Asking(Handler):
    """Asks a line server, then answers."""

    lines: int

    def setup(self) -> None:
        super().setup()
        self.line_server = socket.create_connection(("127.0.0.1", self.lines))
        self.line_server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers = self.line_server.makefile("rb")

    def work(self) -> None:
        for _ in range(QUESTIONS):
            self.line_server.sendall(b"What is the answer?\n")
            self.answers.readline()

    def finish(self) -> None:
        self.answers.close()
        self.line_server.close()
        super().finish()


@contextmanager
def line_server() -> Iterator[type[Handler]]:
    """Run a line server, which is a native program: the class of the handlers that ask it."""
    with subprocess.Popen([BARE, "lines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield type("AskingIt", (Asking,), {"lines": int(process.stdout.readline())})
        process.communicate()


HANDLERS: dict[Load, Callable[[], AbstractContextManager[type[Handler]]]] = {
    Load.NOTHING: lambda: nullcontext(Handler),
    Load.THREAD: lambda: nullcontext(Handler),
    Load.HANDLERS: lambda: nullcontext(Computing),
    Load.QUESTIONS: line_server,
}


@contextmanager
def http_server(number: int, load: Load) -> Iterator[Loop]:
    with HANDLERS[load]() as handler, ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        with http_clients(server.server_port, number) as answered:
            yield (lambda count: beside(lambda: answered(count))) if load is Load.THREAD else answered
        server.shutdown()
        serving.join()
