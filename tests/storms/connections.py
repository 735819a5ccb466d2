"""10,000 connections at once, under selectors and under asyncio; as many as fit where RLIMIT_NOFILE does not allow so many."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import selectors
import signal
import socket as stdlib
import struct
import sys
import traceback
from typing import Any

from conditions import HANG_TIMEOUT, Conditions

WANTED, WANTED_SHORT = 10_000, 1_500
RESERVE = 100  # descriptors for everything else
HOSTS = 4  # 127.0.0.1 to 127.0.0.4: one address has some 28,000 ports, less those in use
MESSAGE = struct.Struct("!QQ")


def limit() -> int:
    """Allow as many descriptors as this process may have; how many these are."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Server:
    """A process that sends back what it gets, on as many connections as come."""

    def __init__(self, conditions: Conditions, serve: Any) -> None:
        self.listeners = [conditions.socket.create_server((f"127.0.0.{number + 1}", 0), backlog=1024) for number in range(HOSTS)]
        self.addresses = [listener.getsockname() for listener in self.listeners]
        self.pid = os.fork()
        if self.pid == 0:
            try:
                serve(conditions.socket, self.listeners)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(1)
        for listener in self.listeners:
            listener.close()

    def end(self) -> bool:
        """End it, once; whether it still ran."""
        if self.pid == 0:
            return True
        ran = os.waitpid(self.pid, os.WNOHANG)[0] == 0
        if ran:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.pid = 0
        return ran


def serve_with_selectors(socket: Any, listeners: list[Any]) -> None:
    with selectors.DefaultSelector() as selector:
        for listener in listeners:
            listener.setblocking(False)
            selector.register(listener, selectors.EVENT_READ, "accept")
        while True:
            for key, _ in selector.select():
                if key.data == "accept":
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            connection, _ = key.fileobj.accept()
                            connection.setblocking(False)
                            selector.register(connection, selectors.EVENT_READ)
                else:
                    serve_one(selector, key.fileobj)


def serve_one(selector: Any, connection: Any) -> None:
    try:
        data = connection.recv(1000)
    except ConnectionError:
        data = b""
    if data:
        connection.send(data)
    else:
        selector.unregister(connection)
        connection.close()


def serve_with_asyncio(socket: Any, listeners: list[Any]) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1000):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve() -> None:
        servers = [await asyncio.start_server(echo, sock=listener, backlog=1024) for listener in listeners]
        await asyncio.gather(*(server.serve_forever() for server in servers))

    asyncio.run(serve())


def reset_on_close(client: Any) -> None:
    """Without TIME_WAIT, a long run does not use up the machine's ports."""
    client.setsockopt(stdlib.SOL_SOCKET, stdlib.SO_LINGER, struct.pack("ii", 1, 0))


def under_selectors(conditions: Conditions, count: int) -> None:
    """All connect, then each gets its own bytes back, in any order."""
    socket, server = conditions.socket, Server(conditions, serve_with_selectors)
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        stack.callback(server.end)
        for number in range(count):
            client = stack.enter_context(socket.socket())
            reset_on_close(client)
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(server.addresses[number % HOSTS])
            selector.register(client, selectors.EVENT_WRITE, number)
            if number % 500 == 499:  # no more at once than the listeners' backlogs hold
                connected(selector, number + 1)
        connected(selector, count)
        conditions.count("connections at once under selectors", count)
        turn = 0
        while turn == 0 or not conditions.over():
            exchange(conditions, selector, count, turn)
            turn += 1
        if not server.end():
            conditions.fail("the server with selectors has ended")


def connected(selector: Any, count: int) -> None:
    """Wait until all are connected."""
    waiting = [key for key in selector.get_map().values() if key.events == selectors.EVENT_WRITE]
    left = len(waiting)
    while left:
        ready = selector.select(HANG_TIMEOUT)
        assert ready, f"{left} of {count} do not connect"
        for key, events in ready:
            if events & selectors.EVENT_WRITE:
                assert key.fileobj.getsockopt(stdlib.SOL_SOCKET, stdlib.SO_ERROR) == 0
                selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
                left -= 1


def exchange(conditions: Conditions, selector: Any, count: int, turn: int) -> None:
    for key in selector.get_map().values():
        key.fileobj.send(MESSAGE.pack(key.data, turn))
    left = count
    while left:
        ready = selector.select(HANG_TIMEOUT)
        assert ready, f"{left} answers are missing"
        for key, _ in ready:
            answer = key.fileobj.recv(100)
            assert answer == MESSAGE.pack(key.data, turn), "the bytes of another connection"
            left -= 1
    conditions.count("answers under selectors", count)


async def under_asyncio(conditions: Conditions, server: Server, count: int) -> None:
    """The same with streams."""
    writers = []

    async def client(number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = server.addresses[number % HOSTS]
        async with starting:
            made = await asyncio.wait_for(asyncio.open_connection(host, port), HANG_TIMEOUT)
        reset_on_close(made[1].get_extra_info("socket"))
        writers.append(made[1])
        return made

    async def ask(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: int) -> None:
        writer.write(MESSAGE.pack(number, turn))
        assert await reader.readexactly(MESSAGE.size) == MESSAGE.pack(number, turn), "the bytes of another connection"

    starting = asyncio.Semaphore(500)
    try:
        clients = await asyncio.gather(*map(client, range(count)))
        for writer in writers:
            assert isinstance(writer.get_extra_info("socket")._sock, conditions.socket.socket), "asyncio uses other sockets"
        conditions.count("connections at once under asyncio", count)
        turn = 0
        while turn == 0 or not conditions.over():
            asked = asyncio.gather(*(ask(number, *each, turn) for number, each in enumerate(clients)))
            await asyncio.wait_for(asked, 2 * HANG_TIMEOUT)
            conditions.count("answers under asyncio", count)
            turn += 1
    finally:
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


def storm(conditions: Conditions) -> None:
    """Half of the time each."""
    fit = limit() - RESERVE
    count = min(WANTED if conditions.is_long else WANTED_SHORT, fit)
    if fit < WANTED:
        conditions.count(f"connections at most, because RLIMIT_NOFILE is {fit + RESERVE}", fit)
    whole, conditions.seconds = conditions.seconds, conditions.seconds / 2
    under_selectors(conditions, count)
    conditions.seconds = whole
    with installed(conditions.socket):
        server = Server(conditions, serve_with_asyncio)
        try:
            asyncio.run(under_asyncio(conditions, server, count))
        finally:
            if not server.end():
                conditions.fail("the server with asyncio has ended")


@contextlib.contextmanager
def installed(socket: Any) -> Any:
    """asyncio makes its sockets of this module."""
    if socket.__name__ != "oxisocket":
        yield
        return
    socket.install()
    try:
        yield
    finally:
        socket.uninstall()
