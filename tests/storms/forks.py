"""Forks in the middle of calls and closes: each child has sockets that work, no lock that is held, and no descriptor too many."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from random import Random
from typing import Any

from conditions import HANG_TIMEOUT, Conditions
from descriptors import open_numbers

CLOSED = {errno.EBADF, errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN}


class Forks:
    """Threads that are in calls, close sockets under calls, and fork."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions, self.socket = conditions, conditions.socket
        self.stream = self.socket.socketpair()
        self.listener = self.socket.create_server(("127.0.0.1", 0))
        self.lock = threading.Lock()

    def talk(self, rng: Random) -> None:
        """Numbers go through a connection that every child has too; none of them may be lost."""
        left, right = self.stream
        number = rng.randbytes(8) * rng.randrange(1, 20_000)
        with self.lock:
            sender = threading.Thread(target=left.sendall, args=(number,))
            sender.start()
            received = bytearray()
            while len(received) < len(number):
                received += right.recv(len(number) - len(received))
            sender.join()
        assert received == number, "a byte is lost"
        self.conditions.count("messages of the parent")

    def close_under_calls(self, rng: Random) -> None:
        """Close sockets under calls that block, so that a fork comes in the middle of it."""
        left, right = self.socket.socketpair()
        calls = [lambda: left.recv(10), lambda: right.recv(10), lambda: left.recv_into(bytearray(10))]
        for end in (left, right):
            end.settimeout(rng.choice((None, HANG_TIMEOUT)))
        threads = [threading.Thread(target=self.blocks, args=(call,), daemon=True) for call in calls]
        for thread in threads:
            thread.start()
        time.sleep(rng.random() * 0.003)
        closers = [threading.Thread(target=end.close) for end in (left, right, left)]
        for thread in closers:
            thread.start()
        for thread in (*closers, *threads):
            thread.join(HANG_TIMEOUT)
            assert not thread.is_alive(), "a call is not ended by close"
        self.conditions.count("sockets closed under calls", 2)

    def blocks(self, call: Any) -> None:
        try:
            while call():
                pass
        except OSError as error:
            if error.errno not in CLOSED:
                self.conditions.fail(error)

    def accept(self, rng: Random) -> None:
        """A connection to a listener that every child has too. The child closes it, so that only the parent accepts."""
        client = self.socket.create_connection(self.listener.getsockname(), HANG_TIMEOUT)
        accepted, _ = self.listener.accept()
        with client, accepted:
            accepted.sendall(b"here")
            assert client.recv(4, self.socket.MSG_WAITALL) == b"here"
        self.conditions.count("connections of the parent")

    def fork(self, rng: Random) -> None:
        """One child."""
        time.sleep(rng.random() * 0.002)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            self.child(rng)
        deadline = time.monotonic() + HANG_TIMEOUT
        while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise AssertionError("a child hangs")
            time.sleep(0.0005)
        status = os.waitstatus_to_exitcode(ended[1])
        assert status == 0, f"a child ended with {status}"
        self.conditions.count("children")

    def child(self, rng: Random) -> None:
        """What a child does: its sockets work, closing works under calls of its own, and every descriptor is closed in the end."""
        status = 1
        try:
            for inherited in (*self.stream, self.listener):
                number = inherited.fileno()
                inherited.close()
                try:
                    os.fstat(number)
                except OSError:
                    continue
                raise AssertionError(f"descriptor {number} is still open")
            before = open_numbers()
            left, right = self.socket.socketpair()
            left.settimeout(rng.choice((None, HANG_TIMEOUT)))
            thread = threading.Thread(target=self.blocks, args=(lambda: left.recv(10),), daemon=True)
            thread.start()
            right.sendall(b"x")
            time.sleep(rng.random() * 0.001)
            left.close()
            thread.join(HANG_TIMEOUT)
            assert not thread.is_alive(), "a call of the child is not ended by close"
            right.close()
            assert open_numbers() == before, "the child leaks"
            status = 1 if self.conditions.wrong else 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)


def storm(conditions: Conditions) -> None:
    """Two threads fork, while the others are in calls."""
    forks = Forks(conditions)
    acts = [forks.talk, forks.talk, forks.accept, forks.close_under_calls, forks.close_under_calls, forks.fork, forks.fork]
    threads = list(conditions.threads(acts))
    while not conditions.over():
        time.sleep(0.05)
    conditions.join(threads)
    for each in (*forks.stream, forks.listener):
        each.close()
