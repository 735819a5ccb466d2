"""The first look-up of a family or a type runs Python code of `enum`, and so tracers, finalizers and the garbage collector: each may do
such a look-up itself."""

from __future__ import annotations

import os

import pytest


def test_a_tracer_that_prints_the_socket(run):
    assert run("""
import sys
texts = []
def tracer(frame, event, argument):
    texts.append(repr(s))
    return tracer
with socket.socket() as s:
    sys.settrace(tracer)
    found = s.family, s.type
    sys.settrace(None)
    print(found == (socket.AF_INET, socket.SOCK_STREAM), found[0] is s.family, found[1] is s.type, len(texts) > 0, len(set(texts)))
""") == "True True True True 1\n"  # fmt: skip


def test_a_gc_callback_that_prints_sockets(run):
    assert run("""
import gc
texts = set()
def collected(phase, info):
    texts.add(repr(s))
    socket.getaddrinfo("::1", 80)
with socket.socket() as s:
    gc.callbacks.append(collected)
    gc.set_threshold(1, 1, 1)
    answers = socket.getaddrinfo("127.0.0.1", 80)
    found = s.family, s.type
    gc.callbacks.remove(collected)
    gc.set_threshold(700, 10, 10)
    print(sorted(answer[:2] for answer in answers)[0] == found, len(texts) <= 1)
""") == "True True\n"  # fmt: skip


def test_a_finalizer_that_looks_up(run):
    assert run("""
import gc
class Garbage:
    def __init__(self):
        self.me = self
    def __del__(self):
        seen.append((s.family, s.type, repr(s)))
seen = []
with socket.socket() as s:
    gc.disable()
    for threshold in range(30):
        Garbage()
        gc.set_threshold(gc.get_count()[0] + threshold, 10, 10)
        gc.enable()
        s.family, s.type, socket.getaddrinfo("127.0.0.1", threshold)
        gc.disable()
    gc.collect()
    print(len(seen), seen == [(socket.AF_INET, socket.SOCK_STREAM, repr(s))] * 30)
""") == "30 True\n"  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork()")
def test_a_fork_in_the_middle(run):
    assert run("""
import os, sys, threading, warnings
inside, go_on = threading.Event(), threading.Event()
def tracer(frame, event, argument):
    inside.set()
    go_on.wait(20)
def look():
    sys.settrace(tracer)
    s.family
s = socket.socket()
thread = threading.Thread(target=look)
thread.start()
inside.wait(20)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # since 3.12, for a fork in a process with threads
    pid = os.fork()
if pid == 0:
    import signal
    signal.alarm(10)
    os._exit(0 if (s.family, s.type) == (socket.AF_INET, socket.SOCK_STREAM) else 1)
print(os.waitpid(pid, 0)[1])
go_on.set()
thread.join()
s.close()
""") == "0\n"  # fmt: skip
