"""The standard library's threaded HTTP server, and its clients in another process: the latency of requests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import thread_time

from contenders import BARE

from cases.computation import beside, compute
from cases.loop import Loop, Sample

BODY = b"x" * 64


class Handler(BaseHTTPRequestHandler):
    """Computes for a while, then answers."""

    protocol_version = "HTTP/1.1"
    # An answer in one packet: a second packet would wait for the peer's delayed acknowledgement.
    wbufsize = -1
    busy = 0.0

    def do_GET(self) -> None:
        # Measured in CPU time, not in wall-clock time: the work is the same, however many other threads run.
        end = thread_time() + self.busy
        while thread_time() < end:
            compute()
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def http_server(clients: int, busy: float, *, computing: bool) -> Iterator[Loop]:
    handler = type("Busy", (Handler,), {"busy": busy})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        command = [str(BARE), "requests", str(server.server_port), str(clients)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as others:

            def served(count: int) -> Sample:
                return _served(others, count)

            def served_beside(count: int) -> Sample:
                return beside(lambda: served(count))

            yield served_beside if computing else served
        server.shutdown()
        serving.join()


def _served(clients: subprocess.Popen[str], count: int) -> Sample:
    """Serve until the clients have received this many answers. The clients measure the time."""
    assert clients.stdin is not None
    assert clients.stdout is not None
    clients.stdin.write(f"{count}\n")
    clients.stdin.flush()
    seconds, half, tail = (int(nanoseconds) / 1e9 for nanoseconds in clients.stdout.readline().split())
    return Sample(seconds, half=half, tail=tail)
