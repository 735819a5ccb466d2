"""The interpreter ends while daemon threads are blocked in every call that can block, or come out of it: 500 times in a long run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from random import Random

from conditions import Conditions

TIMES = 500  # at least, in a long run
AT_ONCE = 4

PROGRAM = """
import io, os, random, sys, tempfile, threading, time
import {module} as socket
from waiting import fill, fill_backlog, limit_buffers

seed = int(sys.argv[1])
rng = random.Random(seed)
kept = []
keep = kept.append

def pair():
    ends = socket.socketpair()
    keep(ends)
    return ends

def full():
    ends = pair()
    limit_buffers(*ends)
    fill(ends[0])
    return ends[0]

def listening(family=socket.AF_INET):
    listener = socket.socket(family)
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    keep(listener)
    return listener

def udp():
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    keep(datagrams)
    return datagrams

full_listener = listening()
fill_backlog(full_listener, keep)
address = full_listener.getsockname()

BIG = b"x" * (1 << 22)
file = tempfile.TemporaryFile()
file.write(BIG)
file.flush()

def connect(timeout):
    client = socket.socket()
    keep(client)
    client.settimeout(timeout)
    return lambda: client.connect(address)

def create_connection(timeout):
    return lambda: socket.create_connection(address, timeout)

def on(make, call):
    def prepared(timeout):
        s = make()
        s.settimeout(timeout)
        return lambda: call(s)
    return prepared

def of_file(call, mode="rb"):
    def prepared(timeout):
        left, right = pair()
        left.settimeout(timeout)
        opened = left.makefile(mode)
        keep(opened)
        return lambda: call(opened)
    return prepared

first = lambda: pair()[0]
CALLS = [
    on(listening, lambda s: s.accept()),
    on(listening, lambda s: s._accept()),
    on(first, lambda s: s.recv(10)),
    on(first, lambda s: s.recv(1 << 20)),
    on(first, lambda s: s.recv(10, socket.MSG_WAITALL)),
    on(first, lambda s: s.recv_into(bytearray(10))),
    on(first, lambda s: s.recvmsg(10, 100)),
    on(first, lambda s: s.recvmsg_into([bytearray(10)], 100)),
    on(first, lambda s: socket.recv_fds(s, 10, 3)),
    on(udp, lambda s: s.recvfrom(10)),
    on(udp, lambda s: s.recvfrom_into(bytearray(10))),
    on(full, lambda s: s.send(BIG)),
    on(full, lambda s: s.sendall(BIG)),
    on(full, lambda s: s.sendmsg([BIG, BIG])),
    on(full, lambda s: s.sendfile(file)),
    on(full, lambda s: s.sendfile(io.BytesIO(BIG))),
    connect,
    create_connection,
    of_file(lambda f: f.readline()),
    of_file(lambda f: f.read(10)),
    of_file(lambda f: f.readinto(bytearray(10))),
    of_file(lambda f: f.readline(), "r"),
]

def block(call):
    while True:
        try:
            call()
        except OSError:
            pass

def busy():
    # Comes out of a call and goes into the next while the interpreter ends.
    left, right = socket.socketpair()
    left.settimeout(rng.choice((None, 10)))
    while True:
        left.sendall(b"x" * 10)
        right.recv(10)
        with socket.socket() as opened:
            opened.dup().close()

def lookups():
    while True:
        socket.getaddrinfo("127.0.0.1", 80)
        socket.getaddrinfo("localhost", 80)
        socket.gethostbyname("localhost")

# Questions that nobody answers: see tests/beyond/resolver.c.
QUESTIONS = [
    lambda: socket.getaddrinfo("a.held.test", 80),
    lambda: socket.gethostbyname("b.held.test"),
    lambda: socket.gethostbyname_ex("c.held.test"),
    lambda: socket.getnameinfo(("192.0.2.1", 80), 0),
    lambda: socket.create_connection(("d.held.test", 80), 60),
    lambda: socket.socket().connect(("e.held.test", 80)),
]

def closing():
    # Closes a socket under a call, which wakes that call, and maybe the thread that interrupts again.
    while True:
        left, right = socket.socketpair()
        thread = threading.Thread(target=block_once, args=(left,), daemon=True)
        try:
            thread.start()
            time.sleep(0.001)
        except RuntimeError:
            return  # from Python 3.12 on an interpreter that ends starts no thread
        finally:
            left.close()
            right.close()

def block_once(s):
    try:
        s.recv(1)
    except OSError:
        pass

started = 0
for prepare in rng.sample(CALLS, len(CALLS)):
    for timeout in (None, 60, 0.005):
        threading.Thread(target=block, args=(prepare(timeout),), daemon=True).start()
        started += 1
if "RESOLVER_LOG" in os.environ:
    for question in QUESTIONS:
        threading.Thread(target=block, args=(question,), daemon=True).start()
        started += 1
for act in (busy, busy, lookups, closing):
    threading.Thread(target=act, daemon=True).start()
    started += 1
time.sleep(rng.random() * 0.05)
print(started, flush=True)
{end}
"""
# How a program ends: by its end, by an exception that nobody catches, or by sys.exit.
ENDS = ["", "sys.exit(0)", "raise SystemExit", "threading.Thread(target=time.sleep, args=(0.01,)).start()"]


class Exits:
    """Programs that end."""

    def __init__(self, conditions: Conditions, folder: Path) -> None:
        self.conditions = conditions
        self.environment = os.environ | with_held_lookups(folder)
        self.environment.pop("OXISOCKET_TRACE", None)

    def run(self, rng: Random) -> None:
        """One program."""
        code = PROGRAM.replace("{module}", self.conditions.socket.__name__).replace("{end}", rng.choice(ENDS))
        command = [sys.executable, "-P", "-X", "faulthandler", "-W", "ignore::ResourceWarning", "-c", code]
        seed = str(rng.randrange(1 << 32))
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen([*command, seed], text=True, env=self.environment, **pipes)
        try:
            output, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            output, errors = process.communicate()
            errors = f"it hangs\n{errors}"
        if process.returncode or errors:
            self.conditions.fail(f"seed {seed}, exit status {process.returncode}: {errors}")
        self.conditions.count("programs ended")
        self.conditions.count("daemon threads in them", int(output or 0))

    def repeat(self, number: int) -> None:
        """Until the time is over, but at least so often."""
        rng = self.conditions.rng(number)
        least = TIMES if self.conditions.is_long else AT_ONCE
        while not self.conditions.wrong and (not self.conditions.over() or self.conditions.counts["programs ended"] < least):
            self.run(rng)


def with_held_lookups(folder: Path) -> dict[str, str]:
    """The environment in which some names are never answered; nothing where there is no C compiler."""
    if shutil.which("cc") is None:
        return {}
    made = folder / "resolver.so"
    source = Path(__file__).parents[1] / "beyond" / "resolver.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(made), "RESOLVER_LOG": str(folder / "log"), "RESOLVER_RELEASE": str(folder / "never")}


def storm(conditions: Conditions) -> None:
    """Some programs at once, so that each is interrupted in its end."""
    with tempfile.TemporaryDirectory() as folder:
        exits = Exits(conditions, Path(folder))
        threads = [threading.Thread(target=exits.repeat, args=(number,)) for number in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
