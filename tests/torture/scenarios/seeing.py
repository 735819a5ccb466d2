"""A program that is watched: its calls do what they do unwatched, whatever fails in the record."""

from __future__ import annotations

import os
from typing import Any

from environment import Environment, scenario

from .connecting import connect_and_accept
from .conversations import converse


def watched(env: Environment, target: Any) -> None:
    """The conversation of the stdlib's program is not watched."""
    if not env.ours:
        return converse(env, *env.tcp(timeout=5))
    with env.socket.trace(target):
        converse(env, *env.tcp(timeout=5))
    return None


@scenario(watched=True)
def traced(env: Environment) -> None:
    watched(env, env.temporary() / "record.jsonl")


@scenario(watched=True)
def traced_into_a_pipe(env: Environment) -> None:
    reader, writer = os.pipe()
    file = env.keep(open(writer, "w", 1))
    drain = env.keep(open(reader, "rb", 0))
    env.thread(drain.readall)
    watched(env, file)
    file.close()


@scenario(watched=True)
def traced_connections(env: Environment) -> None:
    if not env.ours:
        return connect_and_accept(env, 5)
    with env.socket.trace(env.temporary() / "record.jsonl", callers=True):
        connect_and_accept(env, 5)
    return None


@scenario(watched=True)
def observed(env: Environment) -> None:
    if not env.ours:
        return converse(env, *env.tcp(timeout=5))
    events: list[Any] = []
    with env.socket.observe(events.append, bytes=100):
        converse(env, *env.tcp(timeout=5))
    return None
