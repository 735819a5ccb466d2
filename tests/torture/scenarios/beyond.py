"""What `socket` has not. The stdlib's program does the same by hand where it can."""

from __future__ import annotations

from functools import partial
from typing import Any

from environment import Environment, scenario


@scenario(only_ours=True)
def deadlines(env: Environment) -> None:
    socket = env.socket
    left, right = env.tcp()
    there = env.stream(left, right)
    with env.program(), socket.deadline(5):
        there.sendall(b"question")
        there.recv(100)
        listener = env.listener()
        client = env.new()
        env.do(client.connect, listener.getsockname())
        env.keep(env.do(listener.accept)[0])
        with socket.deadline(0.01):
            env.attempt(right.recv, 1)
        there.sendall(b"more")
        there.recv(100)


def exactly(env: Environment, timeout: float | None) -> None:
    """The bytes that had come when it failed are in the error."""
    left, right = env.tcp(timeout)
    there = env.stream(left, right)
    buffer = bytearray(6)

    def take(function: Any, *arguments: Any) -> None:
        try:
            found = env.do(function, *arguments)
        except (OSError, EOFError) as error:
            there.received += error.partial  # type: ignore[union-attr]
            raise
        there.received += buffer if found is None or isinstance(found, int) else found

    there.sent += b"abcdefghijklmnopqrstuvwxyz"
    left.sendall(there.sent[:20])
    env.thread(left.sendall, there.sent[20:])
    with env.program():
        take(right.recv_exactly, 5)
        take(right.recv_exactly_into, buffer)
        take(right.recv_exactly, 15)


@scenario(only_ours=True, varies=True)
def exact(env: Environment) -> None:
    exactly(env, None)


@scenario(only_ours=True, varies=True)
def exact_with_timeout(env: Environment) -> None:
    exactly(env, 5)


def read_messages(env: Environment, timeout: float | None) -> None:
    """After an error the reader goes on where it was."""
    left, right = env.tcp(timeout)
    there = env.stream(left, right)
    reader = env.socket.Reader(right)
    there.sent += b"first\nhead\r\n\r\n12345the rest"
    left.sendall(there.sent)
    left.shutdown(env.socket.SHUT_WR)

    def take(function: Any, *arguments: Any) -> None:
        there.received.extend(env.do(function, *arguments))

    with env.program():
        take(reader.readline)
        take(reader.readuntil, b"\r\n\r\n")
        take(reader.readexactly, 5)
        take(reader.read, 3)
        take(reader.read, -1)
    there.received += reader.read(-1)


@scenario(only_ours=True)
def messages(env: Environment) -> None:
    read_messages(env, None)


@scenario(only_ours=True)
def messages_with_timeout(env: Environment) -> None:
    read_messages(env, 5)


@scenario(only_ours=True)
def descriptions(env: Environment) -> None:
    socket = env.socket
    left, _right = env.tcp(timeout=5)
    listener = env.listener()
    with env.program():
        for describe in (
            left.describe,
            listener.describe,
            left.tcp_info,
            partial(left.getsockopt_bytes, socket.SOL_SOCKET, socket.SO_TYPE),
            partial(left.getsockopt_bytes, socket.IPPROTO_TCP, socket.TCP_INFO),
            socket.sockets,
            socket.getifaddrs,
        ):
            env.attempt(class_of, describe)


def class_of(describe: Any) -> str:
    """What is said varies with the time, and with what could be found out."""
    return type(describe()).__name__
