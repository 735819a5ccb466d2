"""An asyncio echo server in a thread, and its clients in another process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import cast

from cases.clients import echo_clients
from cases.computation import beside
from cases.loop import Loop

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
        server = runner.run(_open())
        port = server.sockets[0].getsockname()[1]
        loop = runner.get_loop()
        serving = Thread(target=loop.run_forever)
        serving.start()
        with echo_clients(port, CLIENTS) as answered:
            yield (lambda count: beside(lambda: answered(count))) if computing else answered
        loop.call_soon_threadsafe(loop.stop)
        serving.join()
        runner.run(_close(server))


async def _open() -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)


async def _close(server: asyncio.Server) -> None:
    server.close()
    await server.wait_closed()
