"""A storm: threads that make connections, transfer over them and close them under each other, all at random.

Every connection carries bytes of its own, so that one that went astray is seen; files and pipes are opened, used and closed in the
same storm, as a number that is given back too early falls to them.

OXISOCKET_STORM sets how many seconds it lasts; OXISOCKET_STORM_SEED repeats the choices, if not their order.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import random
import struct
import threading
import time

import pytest
from marks import only_oxisocket

SECONDS = float(os.environ.get("OXISOCKET_STORM", "3"))
SEED = int(os.environ.get("OXISOCKET_STORM_SEED", random.randrange(1 << 32)))
CONNECTIONS = 12  # at once
WEATHER = {errno.EBADF, errno.EPIPE, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.EAGAIN, errno.ENOTCONN}

pytestmark = pytest.mark.timeout(SECONDS + 60)


class Connection:
    """Two connected sockets, and the byte that each end sends."""

    def __init__(self, ends, values):
        self.ends = ends
        self.values = values

    def use(self, chance):
        """One call on one end; whatever comes out of it must be what the other end sends."""
        which = chance.randrange(2)
        end, sends, gets = self.ends[which], self.values[which], self.values[1 - which]
        size = chance.choice((1, 100, 5000, 200_000))
        call = chance.choice(CALLS)
        call(end, size, sends, gets)

    def close(self, chance):
        for end in chance.sample(self.ends, 2):
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


def ask(end, size, sends, gets):
    end.getsockname()
    repr(end)


CALLS = [send, sendall, sendmsg, recv, recv, recv, recv_into, recvmsg, set_timeout, ask]


def check(data, value):
    assert not data.strip(bytes([value])), f"not {value}: {set(data)}"


class Storm:
    def __init__(self, socket):
        self.socket = socket
        self.over = threading.Event()
        self.values = itertools.cycle(range(1, 255, 2))
        self.connections = []
        self.failures = []
        self.counts = dict.fromkeys(("opened", "used", "closed", "accepted", "bystanders"), 0)

    def blow(self, seconds):
        acts = [self.open] * 2 + [self.use] * 6 + [self.close] * 2 + [self.accept, self.stand_by]
        threads = [
            threading.Thread(target=self.go_on, args=(act, random.Random(SEED + number)), daemon=True)
            for number, act in enumerate(acts)
        ]
        for thread in threads:
            thread.start()
        self.over.wait(seconds)
        self.over.set()
        deadline = time.monotonic() + 30
        while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
            self.close_all()  # what a thread is still blocked in
            for thread in threads:
                thread.join(0.05)
        self.close_all()
        assert not any(thread.is_alive() for thread in threads), "a thread is stuck"

    def go_on(self, act, chance):
        while not self.over.is_set():
            try:
                act(chance)
            except TimeoutError:
                pass
            except OSError as error:
                if error.errno not in WEATHER:
                    self.fail(error)
            except BaseException as error:
                self.fail(error)

    def fail(self, error):
        self.failures.append(error)
        self.over.set()

    def close_all(self):
        chance = random.Random(SEED)
        for connection in list(self.connections):
            connection.close(chance)

    def count(self, what):
        self.counts[what] += 1

    def open(self, chance):
        if len(self.connections) >= CONNECTIONS:
            time.sleep(0.0005)
            return
        value = next(self.values)
        ends = self.tcp_pair() if chance.random() < 0.4 else self.socket.socketpair()
        for end in ends:
            end.settimeout(chance.choice((None, None, 0.001, 0.1)))
        self.connections.append(Connection(ends, (value, value + 1)))
        self.count("opened")

    def tcp_pair(self):
        with self.socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            client = self.socket.socket()
            self.leave_no_trace(client)
            client.connect(listening.getsockname())
            return client, listening.accept()[0]

    def leave_no_trace(self, client):
        """Closing resets the connection: it does not stay in TIME_WAIT, or a long storm would use up the machine's ports."""
        client.setsockopt(self.socket.SOL_SOCKET, self.socket.SO_LINGER, struct.pack("ii", 1, 0))

    def use(self, chance):
        try:
            connection = chance.choice(self.connections)
        except IndexError:
            return
        for _ in range(chance.randrange(20)):
            connection.use(chance)
            self.count("used")

    def close(self, chance):
        time.sleep(chance.random() * 0.002)
        try:
            connection = self.connections.pop(chance.randrange(len(self.connections)))
        except (IndexError, ValueError):
            return
        if chance.random() < 0.3:
            with contextlib.suppress(OSError):
                connection.ends[0].shutdown(self.socket.SHUT_RDWR)
        connection.close(chance)
        self.count("closed")

    def accept(self, chance):
        """A listener that is closed while a thread waits for a connection."""
        listening = self.socket.create_server(("127.0.0.1", 0))
        waiting = threading.Thread(target=self.wait_for_connections, args=(listening,), daemon=True)
        waiting.start()
        address = listening.getsockname()
        try:
            for _ in range(chance.randrange(5)):
                with self.socket.create_connection(address, 5) as client:
                    self.leave_no_trace(client)
                    assert client.recv(5) == b"hello"
        finally:
            listening.close()
            waiting.join(10)
            if waiting.is_alive():
                self.fail(AssertionError("accept is stuck"))

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

    def stand_by(self, chance):
        """Someone who has nothing to do with sockets, and must not notice them."""
        data = chance.randbytes(50)
        reading, writing = os.pipe()
        try:
            os.write(writing, data)
            time.sleep(chance.random() * 0.001)
            assert os.read(reading, 100) == data
        finally:
            os.close(reading)  # EBADF here would be a number that somebody else gave back
            os.close(writing)
        self.count("bystanders")


@only_oxisocket
def test_a_storm(socket, start, open_files):
    left, right = socket.socketpair()
    blocked = start(left.recv, 1).until_blocked()
    left.close()  # makes what is made once, when the first call is woken, and stays open for ever
    with pytest.raises(OSError):
        blocked.result()
    right.close()
    before = open_files()
    storm = Storm(socket)
    storm.blow(SECONDS)
    assert not storm.failures, (SEED, storm.failures)
    assert all(storm.counts.values()), storm.counts
    assert open_files() == before, SEED
