"""A peer, in another process, is killed (SIGKILL) at random moments: what came before is right, and every call ends."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import struct
import threading
import time
from random import Random
from socket import MSG_WAITALL
from typing import Any

from conditions import HANG_TIMEOUT, Conditions

PERIOD = 251  # a prime, so that no buffer's size is a multiple of it
STREAM = bytes(range(PERIOD)) * 4096
ENDS = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN}


def check(data: Any, position: int) -> int:
    """The data must be the stream's from this position on; the next position."""
    start = position % PERIOD
    assert data == STREAM[start : start + len(data)], f"wrong bytes at {position}"
    return (position + len(data)) % PERIOD


class Peer:
    """A process that sends the stream, and takes what comes, on each of its connections."""

    def __init__(self, socket: Any, ends: list[Any], ours: list[Any], listener: Any) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            try:
                for each in ours:
                    each.close()
                self.serve(ends, listener)
            finally:
                os._exit(1)

    def serve(self, ends: list[Any], listener: Any) -> None:
        for end in ends:
            threading.Thread(target=self.send, args=(end,), daemon=True).start()
            threading.Thread(target=self.receive, args=(end,), daemon=True).start()
        while True:
            listener.accept()[0].close()

    def send(self, end: Any) -> None:
        with contextlib.suppress(OSError):
            while True:
                end.sendall(STREAM)

    def receive(self, end: Any) -> None:
        with contextlib.suppress(OSError):
            while end.recv(1 << 18):
                pass


def recv(end: Any, rng: Random) -> Any:
    return end.recv(rng.choice((1, 4000, 300_000)))


def recv_into(end: Any, rng: Random) -> Any:
    buffer = bytearray(rng.choice((1, 4000, 300_000)))
    return buffer[: end.recv_into(buffer)]


def recvmsg(end: Any, rng: Random) -> Any:
    return end.recvmsg(rng.choice((1, 4000, 300_000)))[0]


def wait_all(end: Any, rng: Random) -> Any:
    return end.recv(rng.choice((100, 50_000)), MSG_WAITALL)


class Killing:
    """Rounds: a peer with four connections, two threads on each of our ends, and the kill."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions, self.socket = conditions, conditions.socket

    def receive(self, end: Any, rng: Random) -> None:
        position = 0
        call = rng.choice((recv, recv_into, recvmsg, wait_all))
        try:
            while data := call(end, rng):
                position = check(data, position)
                self.conditions.count("receives checked")
            self.conditions.count("receives that ended with EOF")
        except OSError as error:
            self.ended(error, "receives")
        except BaseException as error:
            self.conditions.fail(error)

    def send(self, end: Any, rng: Random) -> None:
        call = rng.choice((end.send, end.sendall, lambda data: end.sendmsg([data[:100], data[100:]])))
        try:
            while True:
                call(STREAM[: rng.choice((10, 100_000, len(STREAM)))])
        except OSError as error:
            self.ended(error, "sends")
        except BaseException as error:
            self.conditions.fail(error)

    def ended(self, error: OSError, what: str) -> None:
        if error.errno in ENDS:
            self.conditions.count(f"{what} that ended with {errno.errorcode[error.errno]}")
        else:
            self.conditions.fail(error)

    def tcp_pair(self) -> tuple[Any, Any]:
        with self.socket.create_server(("127.0.0.1", 0)) as listener:
            client = self.socket.create_connection(listener.getsockname())
            client.setsockopt(self.socket.SOL_SOCKET, self.socket.SO_LINGER, struct.pack("ii", 1, 0))
            return client, listener.accept()[0]

    def round(self, rng: Random) -> None:
        pairs = [self.tcp_pair() if number % 2 else self.socket.socketpair() for number in range(4)]
        ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        with self.socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            peer = Peer(self.socket, theirs, ours, listener)
            address = listener.getsockname()
        for end in theirs:
            end.close()
        threads = []
        for number, end in enumerate(ours):
            end.settimeout(rng.choice((None, HANG_TIMEOUT)))
            for target in (self.receive, self.send):
                mine = Random(rng.random())
                threads.append(threading.Thread(target=target, args=(end, mine), daemon=True, name=f"{target.__name__} {number}"))
        threads.append(threading.Thread(target=self.connect, args=(address,), daemon=True, name="connect"))
        for thread in threads:
            thread.start()
        time.sleep(rng.random() * 0.05)
        os.kill(peer.pid, signal.SIGKILL)
        os.waitpid(peer.pid, 0)
        self.conditions.count("peers killed")
        self.conditions.join(threads)
        for end in ours:
            end.close()

    def connect(self, address: Any) -> None:
        """Connect again and again, until nobody listens any more."""
        try:
            while True:
                with self.socket.create_connection(address, HANG_TIMEOUT) as client:
                    client.setsockopt(self.socket.SOL_SOCKET, self.socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.conditions.count("connections to a peer that lives")
        except (ConnectionRefusedError, ConnectionResetError):
            self.conditions.count("connections refused or reset")
        except BaseException as error:
            self.conditions.fail(error)


def storm(conditions: Conditions) -> None:
    """Kill peers until the time is over."""
    killing, rng = Killing(conditions), conditions.rng()
    while not conditions.over():
        killing.round(rng)
