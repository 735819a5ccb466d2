"""Descriptors: passed to another socket, duplicated, taken over and handed over. And a socket's options and addresses."""

from __future__ import annotations

import array
import os
from typing import Any

from environment import Environment, scenario


def close_numbers(numbers: Any) -> None:
    for number in numbers:
        os.close(number)


@scenario()
def passed(env: Environment) -> None:
    """By send_fds and recv_fds. Descriptors that came, and whose message could not be delivered, are closed."""
    socket = env.socket
    left, right = env.pair()
    there = env.stream(left, right)
    own = [left.fileno(), right.fileno()]
    with env.program():
        there.sent += b"two"[: env.do(socket.send_fds, left, [b"tw", b"o"], own)]
        data, numbers, *_ = env.do(socket.recv_fds, right, 10, 4)
        there.received += data
        close_numbers(numbers)
        there.sent += b"one"[: env.do(socket.send_fds, left, [b"one"], own)]
        data, numbers, *_ = env.do(socket.recv_fds, right, 10, 1)
        there.received += data
        close_numbers(numbers)


@scenario()
def passed_with_timeout(env: Environment) -> None:
    """By sendmsg and recvmsg, into several buffers."""
    socket = env.socket
    left, right = env.pair(timeout=5)
    there = env.stream(left, right)
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [left.fileno()] * 3))]
    buffers = [bytearray(2), bytearray(5)]

    def close_all(found: Any) -> None:
        for _, _, data in found:
            close_numbers(array.array("i", data))

    with env.program():
        there.sent += b"data"[: env.do(left.sendmsg, [b"data"], control)]
        data, found, *_ = env.do(right.recvmsg, 10, socket.CMSG_SPACE(12))
        there.received += data
        close_all(found)
        there.sent += b"more"[: env.do(left.sendmsg, [b"more"], control)]
        count, found, *_ = env.do(right.recvmsg_into, buffers, socket.CMSG_SPACE(12))
        there.received += (buffers[0] + buffers[1])[:count]
        close_all(found)


@scenario()
def duplicated(env: Environment) -> None:
    socket = env.socket
    left, right = env.tcp(timeout=3)
    there = env.stream(left, right)
    with env.program():
        copy = env.keep(env.do(left.dup))
        env.do(copy.send, b"one")
        there.sent += b"one"
        again = env.keep(env.do(socket.fromfd, left.fileno(), socket.AF_INET, socket.SOCK_STREAM))
        env.do(again.send, b"two")
        there.sent += b"two"
        number = env.do(socket._socket.dup, left.fileno())
        env.do(socket.close, number)
        there.recv(100)
        env.do(copy.close)
        env.do(again.close)


@scenario()
def taken_over(env: Environment) -> None:
    """When a socket object cannot take a number, its owner still has it."""
    socket = env.socket
    left, right = env.tcp()
    there = env.stream(left, right)
    number = os.dup(left.fileno())
    env.until_end(os.close, number)
    unclosed: list[Any] = []
    env.until_end(lambda: [each.detach() for each in unclosed])

    def take() -> Any:
        unclosed.append(socket.socket(fileno=number))
        return unclosed[-1]

    with env.program():
        taken = env.do(take)
        env.do(getattr, taken, "type")
        env.do(taken.send, b"one")
        there.sent += b"one"
        env.do(taken.set_inheritable, True)
        env.do(taken.get_inheritable)
        env.do(taken.detach)
        env.expect("number", number in (each.fileno() for each in unclosed), False)
        env.do(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 0, number).detach()
        there.recv(10)


@scenario()
def made_in_pairs(env: Environment) -> None:
    socket = env.socket
    with env.program():
        left, right = env.do(socket.socketpair)
        env.keep(left), env.keep(right)
        there = env.stream(left, right)
        there.send(b"one")
        there.recv(3)
        one, other = env.do(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)
        env.do(env.keep(one).send, b"two")
        env.do(env.keep(other).recv, 10)


@scenario()
def made_with_a_default_timeout(env: Environment) -> None:
    socket = env.socket
    socket.setdefaulttimeout(3)
    env.until_end(socket.setdefaulttimeout, None)
    with env.program():
        env.keep(env.do(socket.socket))
        for each in env.do(socket.socketpair):
            env.keep(each)
        listener = env.keep(env.do(socket.create_server, ("127.0.0.1", 0)))
        client = env.keep(env.do(socket.create_connection, listener.getsockname()))
        env.keep(env.do(listener.accept)[0])
        env.keep(env.do(client.dup))


@scenario()
def options(env: Environment) -> None:
    socket = env.socket
    s, _peer = env.tcp()
    with env.program():
        env.do(s.setsockopt, socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        env.do(s.getsockopt, socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        env.do(s.setsockopt, socket.SOL_SOCKET, socket.SO_RCVTIMEO, bytes(16))
        env.do(s.getsockopt, socket.SOL_SOCKET, socket.SO_LINGER, 8)
        env.do(s.setsockopt, socket.SOL_SOCKET, socket.SO_BINDTODEVICE, None, 0)
        env.do(s.getsockname)
        env.do(s.getpeername)
        env.do(s.settimeout, 3)
        env.do(s.settimeout, None)
        env.do(s.setblocking, False)
        env.do(s.set_inheritable, True)
        env.do(repr, s)
        env.do(s.shutdown, socket.SHUT_RDWR)
