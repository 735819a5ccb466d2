"""The functions that watch calls, and what else a thread has over its calls: a deadline, a race.

They are Python code, or call it. Their modules are imported before: without memory, CPython 3.13 reads code from a file that crashes it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pkgutil
import sys
from functools import partial

import oxisocket._beyond
from operations import operation, table

# In these, CPython 3.12 and 3.13 crash by themselves: they make a function without memory, and use it. The library's own allocations fail there as well.
MAKING_FUNCTIONS = {"begin a trace", "begin to observe", "sockets", "connect in a race"}
CRASHING = MAKING_FUNCTIONS if (3, 12) <= sys.version_info[:2] <= (3, 13) else set()

for found in pkgutil.iter_modules(oxisocket._beyond.__path__, "oxisocket._beyond."):
    importlib.import_module(found.name)


def a_trace(env):
    return env.module.trace(os.path.join(env.folder.name, "record.jsonl"))


@contextlib.contextmanager
def silent():
    """Without the sentence that events were lost, as they are when there is no memory."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield


@operation("watching")
def begin_a_trace(env):
    trace = a_trace(env)
    with silent():
        yield trace.start, ()
        trace.stop()


@operation("watching")
def end_a_trace(env):
    trace = a_trace(env)
    with silent():
        trace.start()
        env.left.send(b"x")
        yield trace.stop, ()
        trace.stop()
    env.clean_up()


@operation("watching")
def begin_to_observe(env):
    watch = env.module.observe(lambda event: None)
    yield watch.start, ()
    watch.stop()


@table("watching")
def deadlines_and_descriptions(env):
    module = env.module
    with module.deadline(5) as deadline:
        pass
    return {
        "sockets": (None, lambda: type(module.sockets()).__name__),
        "a deadline": (None, module.deadline, 5),
        "leave a deadline that was not entered": (None, deadline.__exit__, None, None, None),
        "the time left": (None, lambda: deadline.remaining > 0),
    }


@operation("watching")
def begin_a_deadline(env):
    deadline = env.module.deadline(5)
    if (yield deadline.__enter__, ()) is not None:
        deadline.__exit__(None, None, None)


@operation("watching")
def begin_a_deadline_twice(env):
    with env.module.deadline(5) as deadline:
        yield deadline.__enter__, ()


@operation("watching")
def recv_until_a_deadline(env):
    with env.module.deadline(0.001):
        yield env.left.recv, (10,)


@operation("watching")
def connect_in_a_race(env):
    """With Happy Eyeballs."""
    new = yield partial(env.module.create_connection, env.address, happy_eyeballs_delay=0.2), ()
    if new is not None:
        new.close()
    env.clean_up()
