"""Sockets that are closed: again, with their files, and under a call of another thread."""

from __future__ import annotations

import os
from typing import Any

from environment import Environment, scenario
from threads import Call


@scenario()
def closed(env: Environment) -> None:
    socket = env.socket
    with env.program():
        left, right = env.tcp()
        file = env.keep(right.makefile("rb"))
        env.attempt(left.close)
        env.do(left.close)
        env.do(left.fileno)
        env.attempt(right.close)
        env.attempt(file.close)
        env.do(right.fileno)
        number = os.dup(1)
        env.attempt(socket.close, number)
        with env.keep(socket.socket()) as s:
            env.do(s.detach and s.__exit__)


@scenario()
def dropped(env: Environment) -> None:
    """Sockets whose program forgot them."""
    sockets = [env.socket.socket(), *env.socket.socketpair()]
    with env.program():
        env.do(sockets.pop)
        env.do(sockets.clear)


def closed_under(env: Environment, waits: Any, closing: Any, outcome: Any) -> None:
    """`close` ends the call in which another thread waits."""
    call = Call(*waits).until_blocked()
    with env.program():
        env.attempt(closing.close)
    env.expect("the waiting call", call.result(), outcome)


EBADF = 9


@scenario(only_ours=True)
def closed_under_recv(env: Environment) -> None:
    left, _right = env.tcp()
    closed_under(env, (left.recv, 10), left, EBADF)


@scenario(only_ours=True)
def closed_under_recv_with_timeout(env: Environment) -> None:
    left, _right = env.tcp(timeout=8)
    closed_under(env, (left.recv, 10), left, EBADF)


@scenario(only_ours=True)
def closed_under_accept(env: Environment) -> None:
    listener = env.listener()
    closed_under(env, (listener.accept,), listener, EBADF)


@scenario(only_ours=True)
def closed_under_many(env: Environment) -> None:
    """Several threads wait, and one of them has its signals blocked until something comes."""
    left, right = env.tcp()
    masked = Call(left.recv, 1, masked=True).until_blocked()
    others = [Call(left.recv, 1).until_blocked() for _ in range(2)]
    with env.program():
        env.attempt(left.close)
    for call in others:
        env.expect("a waiting call", call.result(), EBADF)
    right.send(b"x")
    env.expect("the masked call", masked.result(), b"x")
