"""File objects of sockets, and files that are sent."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from environment import Environment, scenario


def read_lines(env: Environment, timeout: float | None) -> None:
    left, right = env.tcp(timeout)
    there = env.stream(left, right)
    file = env.keep(right.makefile("rb"))

    def take(function: Any, *arguments: Any) -> None:
        there.received.extend(env.do(function, *arguments))

    there.sent += b"first\nsecond\n12345the rest"
    left.sendall(there.sent)
    left.shutdown(env.socket.SHUT_WR)
    with env.program():
        take(file.readline)
        take(next, file)
        take(file.read, 5)
        take(file.read)
        env.do(file.read)
    with contextlib.suppress(OSError):  # after a timeout it does not read any more
        there.received += file.read1(100)


@scenario()
def lines(env: Environment) -> None:
    read_lines(env, None)


@scenario()
def lines_with_timeout(env: Environment) -> None:
    read_lines(env, 5)


@scenario()
def unbuffered(env: Environment) -> None:
    left, right = env.pair()
    there = env.stream(left, right)
    with env.program():
        reader = env.keep(env.do(right.makefile, "rb", 0))
        writer = env.keep(env.do(left.makefile, "wb", 0))
        there.sent += b"written"[: env.do(writer.write, b"written")]
        there.received += env.do(reader.read, 3)
        buffer = bytearray(10)
        there.received += buffer[: env.do(reader.readinto, buffer)]
        env.do(reader.close)
        env.do(writer.close)


def write_lines(env: Environment, timeout: float | None) -> None:
    """What could not be written stays in the buffer."""
    left, right = env.tcp(timeout)
    there = env.stream(left, right)
    file = left.makefile("wb")
    with env.program():
        there.sent += b"one\n"
        env.do(file.write, b"one\n")
        env.do(file.flush)
        there.recv(10)
        there.sent += b"two\n" * 5000
        env.do(file.write, b"two\n" * 5000)
        env.attempt(file.flush)
    file.close()


@scenario()
def written(env: Environment) -> None:
    write_lines(env, None)


@scenario()
def written_with_timeout(env: Environment) -> None:
    write_lines(env, 5)


@scenario()
def text(env: Environment) -> None:
    left, right = env.tcp()
    there = env.stream(left, right)
    with env.program():
        file = env.keep(env.do(left.makefile, "rw", encoding="utf-8", newline="\n"))
        env.do(file.write, "Grüße\n")
        there.sent += "Grüße\n".encode()
        env.attempt(file.flush)
        right.sendall(b"answer\n")
        env.do(file.readline)
        env.do(left.close)
        env.do(file.close)


def send_files(env: Environment, timeout: float | None) -> None:
    """From a regular file, whole and in part, and from a file without a descriptor."""
    left, right = env.tcp(timeout)
    there = env.stream(left, right)
    file = env.keep(open(env.temporary() / "file", "w+b"))
    data = bytes(range(256)) * 8
    file.write(data)
    file.seek(0)  # also flushes it: without sendfile(2) it is read from here

    def sent(content: bytes, source: Any, *arguments: Any) -> None:
        # How much of it was sent is where the file's position is.
        try:
            env.do(left.sendfile, source, *arguments)
        finally:
            there.sent.extend(content[: source.tell() - (arguments[0] if arguments else 0)])

    with env.program():
        sent(data, file, 0)
        there.recv(5000)
        sent(data[100:400], file, 100, 300)
        memory = io.BytesIO(data)
        try:
            env.do(left.sendfile, memory)
            there.sent += data
        except BaseException:
            there.perhaps = data
            raise


@scenario()
def sent_files(env: Environment) -> None:
    send_files(env, None)


@scenario()
def sent_files_with_timeout(env: Environment) -> None:
    send_files(env, 5)
