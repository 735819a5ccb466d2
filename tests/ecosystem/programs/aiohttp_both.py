"""`aiohttp`'s server and its client: 1,000 requests, 20 at a time; 20 MB in each direction; a WebSocket."""

import asyncio
import hashlib
import io

import aiohttp
from aiohttp import web
from stopwatch import stopwatch

BIG = bytes(range(256)) * (20 * 4096)


async def greet(request):
    return web.json_response({"hello": request.match_info["name"]})


async def digest(request):
    return web.Response(text=hashlib.sha1(await request.read()).hexdigest())


async def big(_):
    return web.Response(body=BIG)


async def upper(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data.upper())
    return socket


async def main():
    application = web.Application(client_max_size=1 << 30)
    application.add_routes(
        [
            web.get("/hello/{name}", greet),
            web.post("/digest", digest),
            web.get("/big", big),
            web.get("/upper", upper),
        ]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = "http://{}:{}".format(*runner.addresses[0])
    connector = aiohttp.TCPConnector(limit=20)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(number):
            async with session.get(f"{address}/hello/{number}") as answer:
                return int((await answer.json())["hello"])

        print(sum(await asyncio.gather(*map(ask, range(1000)))))
        async with session.get(f"{address}/big") as answer:
            print(await answer.read() == BIG)
        async with session.post(f"{address}/digest", data=io.BytesIO(BIG)) as answer:
            print(await answer.text() == hashlib.sha1(BIG).hexdigest())
        async with session.ws_connect(f"{address}/upper") as socket:
            for number in range(200):
                await socket.send_str(f"message {number}")
                assert (await socket.receive_str()) == f"MESSAGE {number}"
            print("WebSocket")
    await runner.cleanup()


with stopwatch():
    asyncio.run(main())
