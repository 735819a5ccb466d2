"""64 threads open, close, accept and connect, beside one that computes: it is not starved, and neither are they."""

from __future__ import annotations

import contextlib
import hashlib
import struct
import threading
import time
from random import Random
from typing import Any

from conditions import HANG_TIMEOUT, Conditions
from machine import HAS_LOOPBACK6

THREADS = 64
ACCEPTING = 12
PAIRS = 10


class Crowd:
    """The listeners, and what each thread repeats."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions, self.socket = conditions, conditions.socket
        self.longest = 0.0
        hosts = ["127.0.0.1", "::1"] if HAS_LOOPBACK6 else ["127.0.0.1"]
        self.listeners = [self.listen(hosts[number % len(hosts)]) for number in range(ACCEPTING // 2)]
        self.addresses = [listener.getsockname() for listener in self.listeners]

    def listen(self, host: str) -> Any:
        family = self.socket.AF_INET6 if ":" in host else self.socket.AF_INET
        return self.socket.create_server((host, 0), family=family, backlog=128)

    def connect(self, rng: Random) -> None:
        """A conversation of one message each way. A reset at the end leaves no TIME_WAIT, so that a long run has ports enough."""
        address = rng.choice(self.addresses)
        message = rng.randbytes(rng.choice((1, 60, 5000)))
        with self.socket.create_connection(address[:2], HANG_TIMEOUT) as client:
            client.settimeout(rng.choice((None, HANG_TIMEOUT)))
            client.setsockopt(self.socket.SOL_SOCKET, self.socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(struct.pack("!I", len(message)) + message)
            with client.makefile("rb") as file:
                assert file.read(len(message)) == message, "other bytes came back"
        self.conditions.count("connections")

    def accept(self, number: int) -> None:
        """Answer with the same bytes, until the listener is closed."""
        listener = self.listeners[number % len(self.listeners)]
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                if not self.conditions.over():
                    self.conditions.fail("accept failed")
                return
            self.conditions.count("accepted")
            with connection, contextlib.suppress(ConnectionError):
                size = connection.recv(4, self.socket.MSG_WAITALL)
                if len(size) == 4:
                    connection.sendall(connection.recv(struct.unpack("!I", size)[0], self.socket.MSG_WAITALL))
                connection.recv(1)

    def open(self, rng: Random) -> None:
        """Sockets of all kinds, opened and closed."""
        kinds = (self.socket.SOCK_STREAM, self.socket.SOCK_DGRAM)
        for _ in range(rng.randrange(1, 20)):
            with self.socket.socket(rng.choice((self.socket.AF_INET, self.socket.AF_UNIX)), rng.choice(kinds)) as opened:
                if rng.random() < 0.3:
                    opened.dup().close()
            self.conditions.count("opened and closed")

    def compute(self, rng: Random) -> None:
        """Hash in the interpreter's loop; how long it once had to wait for its turn."""
        began = time.monotonic()
        value = b""
        for number in range(200):
            value = hashlib.blake2s(value + bytes([number])).digest()
        self.longest = max(self.longest, time.monotonic() - began)
        self.conditions.count("turns of the thread that computes")

    def close_under_accept(self, rng: Random) -> None:
        """Close a listener under its accept."""
        listener = self.listen("127.0.0.1")
        waiting = threading.Thread(target=self.wait, args=(listener,), daemon=True)
        waiting.start()
        time.sleep(rng.random() * 0.002)
        listener.close()
        waiting.join(HANG_TIMEOUT)
        assert not waiting.is_alive(), "accept hangs"
        self.conditions.count("listeners closed under accept")

    def wait(self, listener: Any) -> None:
        with contextlib.suppress(OSError):
            listener.accept()
            self.conditions.fail("accept returned without a connection")


def storm(conditions: Conditions) -> None:
    """See above. The stdlib's accept is not ended by close, so nothing is closed under it there."""
    crowd = Crowd(conditions)
    ours = conditions.socket.__name__ == "oxisocket"
    accepting = [threading.Thread(target=crowd.accept, args=(number,), daemon=True) for number in range(ACCEPTING)]
    for thread in accepting:
        thread.start()
    acts = [crowd.close_under_accept] * 4 * ours + [crowd.open] * PAIRS
    acts += [crowd.connect] * (THREADS - ACCEPTING - len(acts))
    threads = list(conditions.threads([crowd.compute, *acts]))
    while not conditions.over():
        time.sleep(0.05)
    conditions.join(threads)
    for listener in crowd.listeners:
        if not ours:
            for _ in range(2):
                listener.shutdown(conditions.socket.SHUT_RDWR)
        listener.close()
    conditions.join(accepting)
    conditions.counts["ms that computing waited at most"] = round(crowd.longest * 1000)
