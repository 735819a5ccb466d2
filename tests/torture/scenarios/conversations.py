"""Streams: with and without a timeout, without blocking, in pieces, waiting for the peer."""

from __future__ import annotations

import threading
import time
from typing import Any

from environment import ARRIVAL, JOIN, Environment, Stream, scenario
from waiting import BUFFER_SIZE, limit_buffers

LARGE = bytes(range(256)) * (BUFFER_SIZE >> 5)  # several times what the sockets hold after `limit_buffers`


def converse(env: Environment, left: Any, right: Any) -> None:
    """Two messages each way, and the end of one direction."""
    there, back = env.stream(left, right), env.stream(right, left)
    with env.program():
        there.send(b"one ")
        there.sendall(b"question")
        there.recv(4)
        there.recv(100)
        back.sendall(b"and an answer")
        back.recv(1 << 20)
        env.do(left.shutdown, env.socket.SHUT_WR)
        there.recv(100)
        back.send(b"bye")
        back.recv(3, env.socket.MSG_WAITALL)


@scenario()
def conversation(env: Environment) -> None:
    converse(env, *env.tcp())


@scenario()
def conversation_with_timeout(env: Environment) -> None:
    converse(env, *env.tcp(timeout=5))


@scenario()
def conversation_without_blocking(env: Environment) -> None:
    converse(env, *env.tcp(timeout=0))


@scenario()
def conversation_of_a_pair(env: Environment) -> None:
    converse(env, *env.pair())


@scenario()
def nothing_to_receive(env: Environment) -> None:
    """Calls that would block, and timeouts that end."""
    left, right = env.tcp(timeout=0)
    listener = env.listener(timeout=0)
    slow, _peer = env.tcp(timeout=0.02)
    idle = env.listener(timeout=0.02)
    with env.program():
        for call in (left.recv, 10), (left.recvmsg, 10, 100), (left.recv_into, bytearray(10)), (listener.accept,):
            env.attempt(*call)
        for call in (slow.recv, 10), (slow.recvfrom, 10), (slow.recv, 100_000), (idle.accept,):
            env.attempt(*call)
        env.attempt(right.recv, 1)


def receive_in_pieces(env: Environment, timeout: float | None) -> None:
    left, right = env.tcp(timeout)
    there = env.stream(left, right)
    buffer = bytearray(6)

    def into(call: Any, *arguments: Any) -> None:
        found = env.do(call, *arguments)
        count = found[0] if isinstance(found, tuple) else found
        if isinstance(count, bytes):
            there.received.extend(count)
        else:
            there.received.extend(buffer[:count])

    with env.program():
        there.sendall(b"abcdefghijklmnopqrstuvwxyz")
        into(right.recv_into, buffer)
        into(right.recvfrom, 3)
        into(right.recvfrom_into, buffer)
        into(right.recvmsg, 2, 50)
        into(right.recvmsg_into, [memoryview(buffer)[:2], memoryview(buffer)[2:4]])
        env.do(right.recv, 3, env.socket.MSG_PEEK)
        into(right.recv, 5, env.socket.MSG_WAITALL)


@scenario()
def pieces(env: Environment) -> None:
    receive_in_pieces(env, None)


@scenario()
def pieces_with_timeout(env: Environment) -> None:
    receive_in_pieces(env, 5)


@scenario()
def several_buffers(env: Environment) -> None:
    streams = [env.stream(*env.tcp()), env.stream(*env.pair(timeout=5))]
    with env.program():
        for stream in streams:
            count = env.do(stream.sender.sendmsg, [b"one", bytearray(b"two"), memoryview(b"three")])
            stream.sent += b"onetwothree"[:count]
            stream.recv(100)


def waited_for(env: Environment, timeout: float | None) -> None:
    """Each message comes while the receiver waits."""
    left, right = env.tcp(timeout)
    there = env.stream(left, right)
    wanted = threading.Semaphore(0)

    def answer() -> None:
        for word in b"one", b"two", b"three":
            wanted.acquire(timeout=JOIN / 5)
            time.sleep(ARRIVAL / 1000)
            there.sent += word
            left.sendall(word)

    with env.program():
        env.thread(answer)
        for _ in range(3):
            wanted.release()
            there.recv(100)


@scenario(varies=True)
def waiting(env: Environment) -> None:
    waited_for(env, None)


@scenario(varies=True)
def waiting_with_timeout(env: Environment) -> None:
    waited_for(env, 5)


def much(env: Environment, timeout: float | None) -> Stream:
    """A stream whose buffers are small."""
    left, right = env.tcp(timeout)
    limit_buffers(left, right)
    return env.stream(left, right)


def send_much(env: Environment, timeout: float | None) -> None:
    """More than the buffers hold, to a thread that receives it."""
    there = much(env, timeout)
    there.receiver.settimeout(None)

    def take() -> None:
        while data := there.receiver.recv(1 << 15):
            there.received.extend(data)

    thread = env.thread(take)
    with env.program():
        there.sendall(LARGE)
    there.sender.shutdown(env.socket.SHUT_WR)
    thread.join()


def receive_much(env: Environment, timeout: float | None) -> None:
    """More than the buffers hold, from a thread that sends it."""
    there = much(env, timeout)
    there.sender.settimeout(None)
    with env.program():
        env.thread(there.sender.sendall, LARGE)
        there.sent += LARGE
        while len(there.received) < len(LARGE):
            there.recv(1 << 17)


@scenario(varies=True)
def much_sent(env: Environment) -> None:
    send_much(env, None)


@scenario(varies=True)
def much_sent_with_timeout(env: Environment) -> None:
    send_much(env, 5)


@scenario(varies=True)
def much_received(env: Environment) -> None:
    receive_much(env, None)


@scenario(varies=True)
def much_received_with_timeout(env: Environment) -> None:
    receive_much(env, 5)
