"""SIGALRM each millisecond, in both processes, while much is sent and received in every way: checked by its hash."""

from __future__ import annotations

import hashlib
import os
import signal
import tempfile
from collections.abc import Callable
from socket import MSG_WAITALL
from typing import Any, Self

from conditions import Conditions

SHORT, LONG = 16 << 20, 1 << 30  # how much goes through each connection
INTERVAL = 0.001
PIECE = 3 << 20  # more than fits into a socket's buffers, so that a call is in the middle when a signal comes
TIMEOUTS = (None, 60.0)


def sendall(s: Any, file: Any) -> None:
    while piece := file.read(PIECE):
        s.sendall(piece)


def send(s: Any, file: Any) -> None:
    while piece := memoryview(file.read(PIECE)):
        while piece:
            piece = piece[s.send(piece) :]


def sendmsg(s: Any, file: Any) -> None:
    while piece := memoryview(file.read(PIECE)):
        while piece:
            piece = piece[s.sendmsg([piece[:1000], piece[1000:]]) :]


def sendfile(s: Any, file: Any) -> None:
    s.sendfile(file)


def makefile_write(s: Any, file: Any) -> None:
    with s.makefile("wb") as output:
        while piece := file.read(70_000):
            output.write(piece)


def recv(s: Any, take: Callable[[Any], None]) -> None:
    while piece := s.recv(1 << 20):
        take(piece)


def recv_into(s: Any, take: Callable[[Any], None]) -> None:
    buffer = memoryview(bytearray(1 << 20))
    while count := s.recv_into(buffer):
        take(buffer[:count])


def recvmsg(s: Any, take: Callable[[Any], None]) -> None:
    while piece := s.recvmsg(1 << 20)[0]:
        take(piece)


def wait_all(s: Any, take: Callable[[Any], None]) -> None:
    """MSG_WAITALL answers less than was asked for where a signal comes: nothing may be lost then."""
    flag = MSG_WAITALL
    while piece := s.recv(500_000, flag):
        take(piece)


def makefile_read(s: Any, take: Callable[[Any], None]) -> None:
    with s.makefile("rb") as file:
        while piece := file.read(200_000):
            take(piece)


WAYS = [
    (sendall, recv),
    (sendall, recv_into),
    (sendfile, recv),
    (sendmsg, recvmsg),
    (send, wait_all),
    (makefile_write, makefile_read),
]


class Alarms:
    """SIGALRM each millisecond, as long as the block lasts."""

    def __init__(self) -> None:
        self.handled = 0

    def handle(self, *_: Any) -> None:
        self.handled += 1

    def __enter__(self) -> Self:
        signal.signal(signal.SIGALRM, self.handle)
        signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)


def pair(socket: Any, kind: str) -> tuple[Any, Any]:
    if kind == "UNIX":
        return socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


def send_in_child(left: Any, right: Any, way: Callable[[Any, Any], None], path: str) -> int:
    """Send the file in a child process, which has alarms of its own; its process id."""
    child = os.fork()
    if child:
        left.close()
        return child
    status = 1
    try:
        right.close()
        with open(path, "rb") as file, Alarms():
            way(left, file)
        left.close()
        status = 0
    except BaseException as error:
        print("sending failed:", repr(error), flush=True)
    finally:
        os._exit(status)


def storm(conditions: Conditions) -> None:
    """Each way to send and receive, over TCP and UNIX, with and without a timeout; again until the time is over."""
    size = LONG if conditions.is_long else SHORT
    with tempfile.NamedTemporaryFile() as file:
        block = conditions.rng().randbytes(1 << 20)
        expected = hashlib.blake2b()
        for number in range(size >> 20):
            piece = number.to_bytes(8, "big") + block[8:]
            file.write(piece)
            expected.update(piece)
        file.flush()
        rounds = 0
        while not conditions.over() or (rounds == 0 and not conditions.wrong):
            for number, (sending, receiving) in enumerate(WAYS):
                kind = ("TCP", "UNIX")[(rounds + number) % 2]
                timeout = TIMEOUTS[(rounds + number // 2) % 2]
                transfer(conditions, file.name, expected.digest(), sending, receiving, kind, timeout)
                if conditions.over():
                    break
            rounds += 1


def transfer(
    conditions: Conditions, path: str, expected: bytes, sending: Any, receiving: Any, kind: str, timeout: float | None
) -> None:
    """One connection."""
    left, right = pair(conditions.socket, kind)
    for end in (left, right):
        end.settimeout(timeout)
    child = send_in_child(left, right, sending, path)
    digest, size = hashlib.blake2b(), 0

    def take(piece: Any) -> None:
        nonlocal size
        digest.update(piece)
        size += len(piece)

    with right, Alarms() as alarms:
        receiving(right, take)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    way = f"{sending.__name__} to {receiving.__name__} over {kind}, timeout {timeout}"
    if status or digest.digest() != expected:
        conditions.fail(f"{way}: exit status {status}, {size} bytes, hash {digest.hexdigest()[:16]}")
    conditions.count("connections")
    conditions.count("MiB checked by hash", size >> 20)
    conditions.count("alarms handled by the receiving process", alarms.handled)
