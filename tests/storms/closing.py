"""Threads make connections, transfer over them and close them under each other, all at random.

Each connection carries its own byte values, so that a byte of another connection is noticed. Meanwhile pipes are opened, used and
closed too: they would get a descriptor number that is closed too early. (Not for the stdlib, which closes numbers under calls.)
"""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import os
import random
import struct
import threading
import time

from conditions import HANG_TIMEOUT, Conditions

CONNECTIONS = 12  # at once
EXPECTED_ERRNOS = {
    errno.EBADF,
    errno.EPIPE,
    errno.ECONNRESET,
    errno.ECONNREFUSED,
    errno.ECONNABORTED,
    errno.EAGAIN,
    errno.ENOTCONN,
}


class Connection:
    """Two connected sockets, and the byte value that each end sends."""

    def __init__(self, ends, values):
        self.ends = ends
        self.values = values

    def use(self, rng):
        """Make one call on one end. The bytes it receives must be those that the other end sends."""
        which = rng.randrange(2)
        end, sends, gets = self.ends[which], self.values[which], self.values[1 - which]
        size = rng.choice((1, 100, 5000, 200_000))
        call = rng.choice(CALLS)
        call(end, size, sends, gets)

    def close(self, rng):
        for end in rng.sample(self.ends, 2):
            end.close()


def send(end, size, sends, gets):
    end.send(bytes([sends]) * size)


def sendall(end, size, sends, gets):
    end.sendall(bytes([sends]) * size)


def sendmsg(end, size, sends, gets):
    end.sendmsg([bytes([sends]) * size, bytes([sends])])


def recv(end, size, sends, gets):
    check(end.recv(size), gets)


def recv_into(end, size, sends, gets):
    buffer = bytearray(size)
    check(buffer[: end.recv_into(buffer)], gets)


def recvmsg(end, size, sends, gets):
    check(end.recvmsg(size)[0], gets)


def set_timeout(end, size, sends, gets):
    end.settimeout(random.choice((None, 0, 0.001, 0.1)))


def query(end, size, sends, gets):
    end.getsockname()
    repr(end)


CALLS = [send, sendall, sendmsg, recv, recv, recv, recv_into, recvmsg, set_timeout, query]


def check(data, value):
    assert not data.strip(bytes([value])), f"not {value}: {set(data)}"


class Closing:
    """The connections, and what the threads do with them."""

    def __init__(self, conditions):
        self.conditions, self.socket = conditions, conditions.socket
        self.values = itertools.cycle(range(1, 255, 2))
        self.connections = []
        self.count = conditions.count
        self.fail = conditions.fail

    def run(self):
        acts = [self.open] * 2 + [self.use] * 6 + [self.close] * 2 + [self.accept, self.use_a_pipe]
        threads = list(self.conditions.threads([functools.partial(self.act, act) for act in acts]))
        while not self.conditions.over():
            time.sleep(0.05)
        deadline = time.monotonic() + HANG_TIMEOUT
        while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
            self.close_all()  # which ends the calls that threads are still blocked in
            for thread in threads:
                thread.join(0.05)
        self.close_all()
        if any(thread.is_alive() for thread in threads):
            self.fail("a thread hangs")

    def act(self, act, rng):
        try:
            act(rng)
        except TimeoutError:
            pass
        except OSError as error:
            if error.errno not in EXPECTED_ERRNOS:
                raise

    def close_all(self):
        rng = self.conditions.rng()
        for connection in list(self.connections):
            connection.close(rng)

    def open(self, rng):
        if len(self.connections) >= CONNECTIONS:
            time.sleep(0.0005)
            return
        value = next(self.values)
        ends = self.tcp_pair() if rng.random() < 0.4 else self.socket.socketpair()
        for end in ends:
            end.settimeout(rng.choice((None, None, 0.001, 0.1)))
        self.connections.append(Connection(ends, (value, value + 1)))
        self.count("opened")

    def tcp_pair(self):
        with self.socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            client = self.socket.socket()
            self.reset_on_close(client)
            client.connect(listening.getsockname())
            return client, listening.accept()[0]

    def reset_on_close(self, client):
        """Make closing reset the connection. Without TIME_WAIT, a long run does not use up the machine's ports."""
        client.setsockopt(self.socket.SOL_SOCKET, self.socket.SO_LINGER, struct.pack("ii", 1, 0))

    def use(self, rng):
        try:
            connection = rng.choice(self.connections)
        except IndexError:
            return
        for _ in range(rng.randrange(20)):
            connection.use(rng)
            self.count("used")

    def close(self, rng):
        time.sleep(rng.random() * 0.002)
        try:
            connection = self.connections.pop(rng.randrange(len(self.connections)))
        except (IndexError, ValueError):
            return
        if rng.random() < 0.3:
            with contextlib.suppress(OSError):
                connection.ends[0].shutdown(self.socket.SHUT_RDWR)
        connection.close(rng)
        self.count("closed")

    def accept(self, rng):
        """Close a listener while a thread is blocked in accept."""
        listening = self.socket.create_server(("127.0.0.1", 0))
        waiting = threading.Thread(target=self.wait_for_connections, args=(listening,), daemon=True)
        waiting.start()
        address = listening.getsockname()
        try:
            for _ in range(rng.randrange(5)):
                with self.socket.create_connection(address, 5) as client:
                    self.reset_on_close(client)
                    assert client.recv(5) == b"hello"
        finally:
            listening.close()
            waiting.join(HANG_TIMEOUT)
            if waiting.is_alive():
                self.fail("accept hangs")

    def wait_for_connections(self, listening):
        while True:
            try:
                connection, _ = listening.accept()
            except OSError as error:
                if error.errno != errno.EBADF:
                    self.fail(error)
                return
            with connection, contextlib.suppress(ConnectionError):
                connection.sendall(b"hello")
            self.count("accepted")

    def use_a_pipe(self, rng):
        """Use a pipe, which has nothing to do with sockets: nothing may happen to its descriptors."""
        data = rng.randbytes(50)
        reading, writing = os.pipe()
        try:
            os.write(writing, data)
            time.sleep(rng.random() * 0.001)
            assert os.read(reading, 100) == data
        finally:
            os.close(reading)  # EBADF here means that another thread closed this number
            os.close(writing)
        self.count("pipes")


def storm(conditions: Conditions) -> None:
    """See above."""
    Closing(conditions).run()
