"""The clients of a web server, in Python on the standard library's socket: `http_clients.py PORT NUMBER`.

Each is a thread, which sends its next request when it has read the answer. For each line of standard input, a number of
requests, a line says how many nanoseconds they took together, and within how many half of them, and 99 of 100, were answered.
"""

from __future__ import annotations

import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter_ns

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Client:
    """A client with a connection of its own."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")

    def ask(self, count: int) -> list[int]:
        """Send so many requests: the nanoseconds until each was answered."""
        times = []
        for _ in range(count):
            asked = perf_counter_ns()
            self._socket.sendall(REQUEST)
            self._read()
            times.append(perf_counter_ns() - asked)
        return times

    def _read(self) -> bytes:
        status = self._answers.readline()
        assert b" 200 " in status, status
        head = {}
        while (line := self._answers.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            head[name.lower()] = value.strip()
        return self._answers.read(int(head[b"content-length"]))


def main() -> None:
    port, number = map(int, sys.argv[1:])
    clients = [Client(port) for _ in range(number)]
    with ThreadPoolExecutor(number) as threads:
        for line in sys.stdin:
            count = int(line)
            shares = [count // number + (place < count % number) for place in range(number)]
            started = perf_counter_ns()
            times = sorted(time for found in threads.map(Client.ask, clients, shares) for time in found)
            print(perf_counter_ns() - started, _of_hundred(times, 50), _of_hundred(times, 99), flush=True)


def _of_hundred(times: list[int], part: int) -> int:
    """Return the time within which so many of a hundred were answered."""
    return times[-(-len(times) * part // 100) - 1]


if __name__ == "__main__":
    main()
