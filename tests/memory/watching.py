"""The functions that watch calls, and what else a thread has over its calls: a deadline, a race."""

from __future__ import annotations

import importlib
import os
from functools import partial

from operations import operation, table


@operation("watching")
def begin_a_trace(env):
    trace = env.module.trace(os.path.join(env.folder.name, "record.jsonl"))
    yield trace.__enter__, ()
    trace.__exit__(None, None, None)


@operation("watching")
def end_a_trace(env):
    trace = env.module.trace(os.path.join(env.folder.name, "record.jsonl"))
    trace.__enter__()
    env.left.send(b"x")
    yield trace.__exit__, (None, None, None)
    trace.__exit__(None, None, None)
    env.clean_up()


@operation("watching")
def begin_to_observe(env):
    watch = env.module.observe(lambda event: None)
    yield watch.__enter__, ()
    watch.__exit__(None, None, None)


@table("watching")
def deadlines_and_descriptions(env):
    module = env.module
    with module.deadline(5) as deadline:
        pass
    return {
        "sockets": (None, lambda: type(module.sockets())),
        "a deadline": (None, module.deadline, 5),
        "a deadline of a wrong type": (None, module.deadline, "x"),
        "the time left": (None, getattr, deadline, "remaining"),
    }


@operation("watching")
def begin_a_deadline(env):
    deadline = env.module.deadline(5)
    yield deadline.__enter__, ()
    deadline.__exit__(None, None, None)


@operation("watching")
def recv_until_a_deadline(env):
    with env.module.deadline(0.001):
        yield env.left.recv, (10,)


@operation("watching")
def connect_in_a_race(env):
    """With Happy Eyeballs; the names that it imports are there already."""
    importlib.import_module("oxisocket._beyond.connection")
    new = yield partial(env.module.create_connection, env.address, happy_eyeballs_delay=0.2), ()
    if new is not None:
        new.close()
    env.clean_up()
