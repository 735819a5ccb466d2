"""The other ways in which asyncio uses sockets: the `sock_*` methods, datagrams, UNIX servers, `sendfile`, sockets that the program made.

With `uvloop` as its argument, it runs on uvloop's loop.
"""

import asyncio
import os
import socket
import sys
import tempfile

from stopwatch import stopwatch

ROUNDS = 500


async def by_the_loops_methods(loop):
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        listener.setblocking(False)
        client.setblocking(False)
        accepted = asyncio.create_task(loop.sock_accept(listener))
        await loop.sock_connect(client, listener.getsockname())
        server, address = await accepted
        with server:
            print("accepted", type(server).__name__, address == client.getsockname(), server.gettimeout())
            buffer = bytearray(100)
            for number in range(ROUNDS):
                await loop.sock_sendall(client, b"%d" % number)
                size = await loop.sock_recv_into(server, buffer)
                await loop.sock_sendall(server, buffer[:size])
                assert await loop.sock_recv(client, 100) == b"%d" % number
            big = os.urandom(4 << 20)
            received = bytearray()

            async def receive():
                while part := await loop.sock_recv(server, 1 << 16):
                    received.extend(part)

            receiving = asyncio.create_task(receive())
            await loop.sock_sendall(client, big)
            client.shutdown(socket.SHUT_WR)
            await receiving
            print("sock_sendall of 4 MiB", received == big)


async def datagrams_by_the_loops_methods(loop):
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        for each in one, other:
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        await loop.sock_sendto(one, b"question", other.getsockname())
        data, address = await loop.sock_recvfrom(other, 100)
        await loop.sock_sendto(other, b"answer", address)
        buffer = bytearray(100)
        size, address = await loop.sock_recvfrom_into(one, buffer)
        print("datagrams", data, buffer[:size], address == other.getsockname())


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answers):
        self.answers = answers
        self.received = asyncio.Queue()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.received.put_nowait(data)
        if self.answers:
            self.transport.sendto(data.upper(), address)


async def datagram_endpoints(loop):
    server, _ = await loop.create_datagram_endpoint(lambda: Datagrams(True), local_addr=("127.0.0.1", 0))
    address = server.get_extra_info("sockname")
    client, protocol = await loop.create_datagram_endpoint(lambda: Datagrams(False), remote_addr=address)
    for number in range(ROUNDS):
        client.sendto(b"datagram %d" % number)
        assert await protocol.received.get() == b"DATAGRAM %d" % number
    own = socket.socket(type=socket.SOCK_DGRAM)
    own.connect(address)
    third, protocol = await loop.create_datagram_endpoint(lambda: Datagrams(False), sock=own)
    third.sendto(b"own")
    print("endpoints", await protocol.received.get())
    for each in server, client, third:
        each.close()


async def upper(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def ask(reader, writer):
    for number in range(ROUNDS):
        writer.write(b"line %d\n" % number)
        assert await reader.readline() == b"LINE %d\n" % number
    sock = writer.get_extra_info("socket")
    print("stream", sock.family == socket.AF_UNIX, sock.type == socket.SOCK_STREAM)
    writer.close()
    await writer.wait_closed()


async def unix_servers(folder):
    path = os.path.join(folder, "socket")
    async with await asyncio.start_unix_server(upper, path):
        await ask(*await asyncio.open_unix_connection(path))


async def sockets_of_the_programs_own(loop):
    async with await asyncio.start_server(upper, sock=socket.create_server(("127.0.0.1", 0))) as server:
        own = socket.create_connection(server.sockets[0].getsockname())
        await ask(*await asyncio.open_connection(sock=own))
    left, right = socket.socketpair()
    _, serving = await asyncio.open_connection(sock=right)
    reader, writer = await asyncio.open_connection(sock=left)
    serving.write(b"from the other end\n")
    print("pair", await reader.readline())
    for each in writer, serving:
        each.close()
        await each.wait_closed()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, accepted)
            transport.write(b"accepted before")
            client.settimeout(None)
            print(await loop.run_in_executor(None, client.recv, 100))
            transport.close()


async def watching(loop):
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        ready = loop.create_future()
        loop.add_reader(left, lambda: ready.done() or ready.set_result(left.recv(100)))
        right.send(b"watched")
        print("add_reader", await ready, loop.remove_reader(left))


async def sendfile(loop, folder):
    path = os.path.join(folder, "file")
    content = os.urandom(8 << 20)
    with open(path, "wb") as file:
        file.write(content)

    async def receive(reader, writer):
        received.set_result(await reader.read(-1))
        writer.close()

    async with await asyncio.start_server(receive, "127.0.0.1", 0, limit=1 << 24) as server:
        address = server.sockets[0].getsockname()
        received = loop.create_future()
        with open(path, "rb") as file, socket.socket() as client:
            client.setblocking(False)
            await loop.sock_connect(client, address)
            print("sock_sendfile", await loop.sock_sendfile(client, file))
            client.shutdown(socket.SHUT_WR)
            print(await received == content)
        received = loop.create_future()
        with open(path, "rb") as file:
            _, writer = await asyncio.open_connection(*address)
            print("sendfile", await loop.sendfile(writer.transport, file))
            writer.close()
            await writer.wait_closed()
            print(await received == content)


async def attempt(what):
    """Await it, or print that the loop does not support it: uvloop has no sendfile."""
    try:
        await what
    except (NotImplementedError, AttributeError) as error:
        print("not offered:", type(error).__name__)


async def main():
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        await by_the_loops_methods(loop)
        await attempt(datagrams_by_the_loops_methods(loop))
        await datagram_endpoints(loop)
        await unix_servers(folder)
        await sockets_of_the_programs_own(loop)
        await watching(loop)
        await attempt(sendfile(loop, folder))
        print(await loop.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV))
        print([address for *_, address in await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)])


def run():
    if sys.argv[1:] == ["uvloop"]:
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())


with stopwatch():
    run()
