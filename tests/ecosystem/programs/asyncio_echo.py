"""An echo server with asyncio streams: 200 clients at once, 50 messages each.

If the argument is a certificate, over TLS. With "used-heap", the process has freed a large block before: asyncio receives into 256 KiB
each time, and that costs the standard library less then, since glibc has such blocks ready instead of asking the kernel for each.
"""

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


certificate = None
if sys.argv[1:] == ["used-heap"]:
    bytearray(4 << 20)
elif sys.argv[1:]:
    certificate = sys.argv[1]
with stopwatch():
    asyncio.run(main(certificate))
