"""An echo server of asyncio's streams with 200 clients at once, 50 messages each; over TLS if there is a certificate."""

import asyncio
import ssl
import sys

from stopwatch import stopwatch

CLIENTS, MESSAGES = 200, 50


async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def converse(address, tls, number):
    reader, writer = await asyncio.open_connection(*address, ssl=tls, server_hostname="localhost" if tls else None)
    heard = 0
    for message in range(MESSAGES):
        line = f"client {number}, message {message}\n".encode()
        writer.write(line)
        heard += await reader.readline() == line
    writer.close()
    await writer.wait_closed()
    return heard


async def main(certificate):
    server_side = client_side = None
    if certificate:
        server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server_side.load_cert_chain(certificate)
        client_side = ssl.create_default_context(cafile=certificate)
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_side, backlog=CLIENTS)
    async with server:
        address = server.sockets[0].getsockname()
        print(sum(await asyncio.gather(*(converse(address, client_side, number) for number in range(CLIENTS)))), "echoes")


with stopwatch():
    asyncio.run(main(*sys.argv[1:] or [None]))
