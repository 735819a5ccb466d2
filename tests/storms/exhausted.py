"""No descriptor is left (RLIMIT_NOFILE): each call that makes some fails as the stdlib's does, or succeeds as it does; nothing leaks, and
an accept loop recovers."""

from __future__ import annotations

import array
import asyncio
import contextlib
import errno
import os
import resource
import socket as stdlib
import threading
import time
from collections.abc import Callable, Iterator
from random import Random
from types import ModuleType
from typing import Any

from conditions import HANG_TIMEOUT, Conditions
from descriptors import open_numbers

LIMIT = 200
MOST_SPARE = 6


class Stage:
    """What the calls are made on, for one implementation."""

    def __init__(self, socket: ModuleType) -> None:
        self.socket = socket
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(HANG_TIMEOUT)
        self.left, self.right = socket.socketpair()
        self.right.settimeout(HANG_TIMEOUT)
        self.client = socket.socket()
        self.null = os.open(os.devnull, os.O_RDONLY)

    def close(self) -> None:
        for each in (self.listener, self.left, self.right, self.client):
            each.close()
        os.close(self.null)


def accept(stage: Stage) -> Any:
    """The client has connected before, while there were descriptors; one that is not accepted is accepted later."""
    return stage.listener.accept()[0].close()


def base_accept(stage: Stage) -> Any:
    return os.close(stage.listener._accept()[0])


def receive_descriptors(stage: Stage) -> Any:
    data, control, flags, _ = stage.right.recvmsg(10, stage.socket.CMSG_SPACE(12))
    numbers = array.array("i")
    for level, kind, payload in control:
        numbers.frombytes(payload[: len(payload) - len(payload) % numbers.itemsize])
        assert (level, kind) == (stage.socket.SOL_SOCKET, stage.socket.SCM_RIGHTS)
    for number in numbers:
        os.close(number)
    return data, len(numbers), flags


def recv_fds(stage: Stage) -> Any:
    data, numbers, flags, _ = stage.socket.recv_fds(stage.right, 10, 3)
    for number in numbers:
        os.close(number)
    return data, len(numbers), flags


def pair(stage: Stage) -> Any:
    for end in stage.socket.socketpair():
        end.close()


def datagrams(stage: Stage) -> Any:
    stage.socket.socket(stage.socket.AF_INET, stage.socket.SOCK_DGRAM).close()


def create_connection(stage: Stage) -> Any:
    with stage.socket.create_connection(stage.listener.getsockname(), HANG_TIMEOUT):
        pass


def create_connections(stage: Stage) -> Any:
    address = ("localhost", stage.listener.getsockname()[1])
    with stage.socket.create_connection(address, HANG_TIMEOUT, all_errors=True):
        pass


CALLS: dict[str, Callable[[Stage], Any]] = {
    "socket": lambda stage: stage.socket.socket().close(),
    "UDP": datagrams,
    "dup": lambda stage: stage.left.dup().close(),
    "module's dup": lambda stage: os.close(stage.socket.dup(stage.left.fileno())),
    "fromfd": lambda stage: stage.socket.fromfd(stage.left.fileno(), stage.socket.AF_UNIX, stage.socket.SOCK_STREAM).close(),
    "socketpair": pair,
    "accept": accept,
    "_accept": base_accept,
    "recvmsg": receive_descriptors,
    "recv_fds": recv_fds,
    "create_connection": create_connection,
    "create_connection to localhost": create_connections,
    "create_server": lambda stage: stage.socket.create_server(("127.0.0.1", 0)).close(),
    "getaddrinfo": lambda stage: len(stage.socket.getaddrinfo("localhost", 80, type=stage.socket.SOCK_STREAM)) > 0,
    "has_dualstack_ipv6": lambda stage: stage.socket.has_dualstack_ipv6(),
    "if_nameindex": lambda stage: len(stage.socket.if_nameindex()) > 0,
}
TAKES_CONNECTION = {"accept", "_accept"}
TAKES_DESCRIPTORS = {"recvmsg", "recv_fds"}


@contextlib.contextmanager
def only(spare: int) -> Iterator[None]:
    """All descriptors of this process are used, but for `spare` of them."""
    taken = []
    try:
        while True:
            try:
                taken.append(os.dup(0))
            except OSError:
                break
        for _ in range(spare):
            os.close(taken.pop())
        yield
    finally:
        for number in taken:
            os.close(number)


def outcome(socket: ModuleType, name: str, spare: int) -> tuple[Any, ...]:
    """What a call does, whether it leaks, and what it does after there are descriptors again."""
    stage = Stage(socket)
    before = open_numbers()
    try:
        if name in TAKES_CONNECTION:
            stage.client.connect(stage.listener.getsockname())
        if name in TAKES_DESCRIPTORS:
            stdlib.send_fds(stage.left, [b"data"], [stage.null] * 3)
        with only(spare):
            first = told(CALLS[name], stage)
        leaked = len(open_numbers() - before)
        if name in TAKES_DESCRIPTORS:  # the message is gone: another one
            stdlib.send_fds(stage.left, [b"data"], [stage.null] * 3)
        if name in TAKES_CONNECTION and first[0] == "returned":
            stage.client.close()
            stage.client = socket.create_connection(stage.listener.getsockname())
        return first, leaked, told(CALLS[name], stage)
    finally:
        stage.close()


def told(call: Callable[[Stage], Any], stage: Stage) -> tuple[Any, ...]:
    try:
        return "returned", call(stage)
    except Exception as error:
        return "raised", type(error).__name__, getattr(error, "errno", None), str(error)


def compare(conditions: Conditions, rng: Random) -> None:
    """One call, on both, with a few descriptors left."""
    name, spare = rng.choice(list(CALLS)), rng.randrange(MOST_SPARE)
    expected, actual = outcome(stdlib, name, spare), outcome(conditions.socket, name, spare)
    if actual != expected:
        conditions.fail(f"{name} with {spare} descriptors left: {actual}, but the stdlib: {expected}")
    conditions.count("calls compared with the stdlib's")
    conditions.count("of which failed", actual[0][0] == "raised")


def serve(conditions: Conditions, rng: Random) -> None:
    """A server whose accept fails for a while; each client is served in the end."""
    socket = conditions.socket
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(rng.choice((None, HANG_TIMEOUT)))
        clients = [socket.create_connection(listener.getsockname()) for _ in range(10)]
        served = threading.Thread(target=accept_loop, args=(conditions, listener, len(clients)), daemon=True)
        with only(rng.randrange(2)):
            served.start()
            time.sleep(rng.random() * 0.01)
        for client in clients:
            client.settimeout(HANG_TIMEOUT)
            with client:
                assert client.recv(5, socket.MSG_WAITALL) == b"hello"
        served.join(HANG_TIMEOUT)
        assert not served.is_alive(), "the accept loop does not recover"
    conditions.count("clients served after accept had failed", len(clients))


def accept_loop(conditions: Conditions, listener: Any, count: int) -> None:
    while count:
        try:
            connection, _ = listener.accept()
        except OSError as error:
            if error.errno != errno.EMFILE:
                conditions.fail(error)
                return
            conditions.count("failures of that accept")
            time.sleep(0.0005)
            continue
        with connection:
            connection.sendall(b"hello")
        count -= 1


async def loop_recovers(conditions: Conditions) -> None:
    """asyncio stops accepting for a second when it has no descriptor, and goes on then."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()
        await writer.wait_closed()

    listener = conditions.socket.create_server(("127.0.0.1", 0), backlog=64)
    async with await asyncio.start_server(hello, sock=listener):
        clients = [conditions.socket.socket() for _ in range(10)]
        with only(0):
            for client in clients:
                client.connect(listener.getsockname())
            await asyncio.sleep(0.05)
        for client in clients:
            client.setblocking(False)
            assert await asyncio.wait_for(loop.sock_recv(client, 5), HANG_TIMEOUT) == b"hello"
            client.close()
    conditions.count("clients served by asyncio after its accept had failed", len(clients))


def storm(conditions: Conditions) -> None:
    """All calls in any order, and the loops."""
    # At its first look-up the C library reads how to look up. Where it cannot, for lack of a descriptor, that look-up fails otherwise than
    # later ones.
    stdlib.getaddrinfo("localhost", None)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, limits[1]))
    rng = conditions.rng()
    try:
        asyncio.run(loop_recovers(conditions))
        while not conditions.over():
            for _ in range(50):
                compare(conditions, rng)
            serve(conditions, rng)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
