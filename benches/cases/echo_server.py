"""An asyncio echo server, and its clients in another process."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from contenders import BARE

from cases.computation import beside
from cases.loop import Loop, Sample

CLIENTS = 20


class Echo(asyncio.Protocol):
    """Sends back what it receives."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


@contextmanager
def echo_server(*, computing: bool) -> Iterator[Loop]:
    with asyncio.Runner() as runner:
        server, clients = runner.run(_open())

        def served(count: int) -> Sample:
            return runner.run(_served(clients, count))

        def served_beside(count: int) -> Sample:
            return beside(lambda: served(count))

        yield served_beside if computing else served
        runner.run(_close(server, clients))


async def _open() -> tuple[asyncio.Server, Process]:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    clients = await asyncio.create_subprocess_exec(BARE, "clients", str(port), str(CLIENTS), stdin=PIPE, stdout=PIPE)
    return server, clients


async def _served(clients: Process, count: int) -> Sample:
    """Serve until the clients have done this many rounds. The clients measure the time."""
    assert clients.stdin is not None
    assert clients.stdout is not None
    clients.stdin.write(b"%d\n" % count)
    return Sample(int(await clients.stdout.readline()) / 1e9)


async def _close(server: asyncio.Server, clients: Process) -> None:
    assert clients.stdin is not None
    clients.stdin.close()
    await clients.wait()
    server.close()
    await server.wait_closed()
