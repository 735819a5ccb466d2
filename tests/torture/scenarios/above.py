"""What stands on sockets: native TLS, asyncio, selectors, HTTP."""

from __future__ import annotations

import asyncio
import functools
import http.client
import http.server
import selectors
import shutil
import socketserver
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from environment import Environment, scenario


@functools.cache
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a client and of a server that has a certificate which the client knows."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.pem")
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "30",
        ]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
        subprocess.run(command, check=True, capture_output=True)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(certificate)
    return client, server


def converse_in_tls(env: Environment, timeout: float | None) -> None:
    near, far = env.tcp(timeout)
    client, server = contexts()

    def serve() -> None:
        with server.wrap_socket(far, server_side=True) as wrapped:
            while data := wrapped.recv(100):
                wrapped.sendall(data.upper())

    env.thread(serve)
    with env.program():
        wrapped = env.keep(env.do(client.wrap_socket, near, server_hostname="localhost"))
        env.do(wrapped.sendall, b"question")
        env.do(wrapped.recv, 100)
        env.do(wrapped.send, b"more")
        env.do(wrapped.recv_into, bytearray(10))
        env.do(wrapped.close)


if shutil.which("openssl"):

    @scenario(varies=True)
    def tls(env: Environment) -> None:
        converse_in_tls(env, None)

    @scenario(varies=True)
    def tls_with_timeout(env: Environment) -> None:
        converse_in_tls(env, 5)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read(100))
    await writer.drain()
    writer.close()


async def _talk(host: str) -> bytes:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 5)
        writer.write(b"question")
        answer = await asyncio.wait_for(reader.read(100), 5)
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), 5)
    return answer


def run_in_a_loop(coroutine: Any) -> Any:
    """What `asyncio.run` does. A loop that has lost its own pair of sockets waits for ever for its threads, and so it has none."""
    return asyncio.run(asyncio.wait_for(coroutine, 6))


@scenario(varies=True)
def event_loop(env: Environment) -> None:
    with env.program():
        env.do(run_in_a_loop, _talk("127.0.0.1"))


@scenario()
def selected(env: Environment) -> None:
    left, right = env.tcp(timeout=0)
    there = env.stream(left, right)
    with env.program(), selectors.DefaultSelector() as selector:
        selector.register(right, selectors.EVENT_READ)
        there.send(b"one")
        selector.select(5)
        there.recv(10)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Send the body back."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *arguments: object) -> None:
        """Say nothing: the client has gone."""


@scenario(varies=True)
def http_client(env: Environment) -> None:
    server = env.keep(_Server(("127.0.0.1", 0), _Handler))
    server.close = server.server_close  # type: ignore[attr-defined]
    server.block_on_close = True
    env.thread(server.serve_forever, 0.01)
    env.until_end(server.shutdown)
    client = env.keep(http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5))

    def ask() -> bytes:
        client.request("POST", "/", b"body", {"Connection": "keep-alive"})
        with client.getresponse() as response:
            return response.read()

    with env.program():
        env.expect("answer", env.do(ask), b"body")
        env.expect("answer", env.do(ask), b"body")
        env.do(client.close)


@scenario()
def http_server(env: Environment) -> None:
    """The server's own calls fail, in the thread that serves one request."""
    server = _Single(("127.0.0.1", 0), _Handler)
    env.until_end(server.server_close)
    client = env.new(timeout=5)
    client.connect(server.server_address)
    client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody")
    with env.program():
        env.do(server.handle_request)
        env.do(client.recv, 1000)


class _Single(http.server.HTTPServer):
    timeout = 0.05

    def handle_error(self, *arguments: object) -> None:
        """Raise it."""
        error = sys.exc_info()[1]
        assert error is not None
        raise error

    def server_bind(self) -> None:
        """Without a look-up of the host's name."""
        socketserver.TCPServer.server_bind(self)
