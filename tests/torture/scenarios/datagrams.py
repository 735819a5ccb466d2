"""Datagrams: each comes whole, or not at all."""

from __future__ import annotations

from typing import Any

from environment import Environment, scenario


class Datagrams:
    """Datagrams from one socket to another: what was sent comes, in order, and nothing else."""

    def __init__(self, env: Environment, sender: Any, receiver: Any) -> None:
        self.env, self.sender, self.receiver = env, sender, receiver
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        env.until_end(self.check)

    def send(self, data: bytes, call: Any, *arguments: Any) -> None:
        self.env.do(call, *arguments)
        self.sent.append(data)

    def check(self) -> None:
        self.receiver.setblocking(False)
        while True:
            try:
                data = self.receiver.recv(1000)
            except OSError:
                break
            if not data:
                break
            self.received.append(data)
        self.env.expect("datagrams", self.received, self.sent)


def datagrams(env: Environment, sender: Any, receiver: Any, *, connected: bool) -> None:
    both = Datagrams(env, sender, receiver)
    target = receiver.getsockname()
    buffer = bytearray(10)
    with env.program():
        both.send(b"one", sender.sendto, b"one", target)
        both.send(b"two", sender.sendto, b"two", 0, target)
        both.send(b"three", sender.sendmsg, [b"th", b"ree"], [], 0, target)
        if connected:
            env.do(sender.connect, target)
            both.send(b"four", sender.send, b"four")
            both.send(b"five", sender.sendall, b"five")
        both.received.append(env.do(receiver.recvfrom, 100)[0])
        both.received.append(bytes(buffer[: env.do(receiver.recvfrom_into, buffer)[0]]))
        both.received.append(bytes(buffer[: env.do(receiver.recvmsg_into, [buffer], 50)[0]]))
        if connected:
            both.received.append(env.do(receiver.recv, 100))
            both.received.append(env.do(receiver.recvmsg, 100)[0])


@scenario()
def udp(env: Environment) -> None:
    datagrams(env, *env.udp(), connected=True)


@scenario()
def udp_with_timeout(env: Environment) -> None:
    datagrams(env, *env.udp(timeout=5), connected=True)


@scenario()
def udp_without_blocking(env: Environment) -> None:
    datagrams(env, *env.udp(timeout=0), connected=False)


@scenario()
def unix_datagrams(env: Environment) -> None:
    socket = env.socket
    folder = env.temporary()
    one, other = (env.new(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
    one.bind(str(folder / "one"))
    with env.program():
        env.do(other.bind, str(folder / "other"))
    if other.getsockname():
        datagrams(env, one, other, connected=True)


@scenario()
def unix_packets(env: Environment) -> None:
    left, right = env.pair(kind=env.socket.SOCK_SEQPACKET)
    both = Datagrams(env, left, right)
    with env.program():
        both.send(b"one", left.send, b"one")
        both.send(b"two", left.sendmsg, [b"two"])
        both.received.append(env.do(right.recv, 100))
        both.received.append(env.do(right.recvmsg, 100, 100)[0])
