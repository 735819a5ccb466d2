"""Connections: made, accepted, refused, raced."""

from __future__ import annotations

import contextlib
import errno
from typing import Any

from environment import Environment, scenario


def refusing(env: Environment) -> Any:
    """The address of a TCP port that refuses connections."""
    taken = env.new()
    taken.bind(("127.0.0.1", 0))
    return taken.getsockname()


def resolves_to(env: Environment, *addresses: Any) -> None:
    """From now on every name has these addresses."""
    socket = env.socket
    former = socket.getaddrinfo
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    socket.getaddrinfo = lambda *arguments, **keywords: found
    env.until_end(setattr, socket, "getaddrinfo", former)


def accept(env: Environment, listener: Any, client: Any) -> Any:
    """The other end of a connection. There may be others before it, which a race has given up."""
    while True:
        server, peer = env.do(listener.accept)
        if peer == client.getsockname():
            return env.keep(server)
        server.close()


def greet(env: Environment, client: Any, server: Any) -> None:
    there = env.stream(client, server)
    there.sendall(b"hello")
    there.recv(5)


def connect_and_accept(env: Environment, timeout: float | None) -> None:
    socket = env.socket
    with env.program():
        listener = env.keep(env.do(socket.socket))
        env.do(listener.settimeout, timeout)
        env.do(listener.setsockopt, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        env.do(listener.bind, ("127.0.0.1", 0))
        env.do(listener.listen, 5)
        client = env.keep(env.do(socket.socket, socket.AF_INET, socket.SOCK_STREAM))
        env.do(client.settimeout, timeout)
        env.do(client.connect, listener.getsockname())
        server, _ = env.do(listener.accept)
        greet(env, client, env.keep(server))
        env.do(server.close)
        env.do(client.close)
        env.do(listener.close)


@scenario()
def connected(env: Environment) -> None:
    connect_and_accept(env, None)


@scenario()
def connected_with_timeout(env: Environment) -> None:
    connect_and_accept(env, 5)


@scenario()
def connected_without_blocking(env: Environment) -> None:
    socket = env.socket
    listener = env.listener(timeout=1)
    client = env.new(timeout=0)
    with env.program():
        done = env.do(client.connect_ex, listener.getsockname())
        if done == errno.EINPROGRESS:
            with contextlib.suppress(OSError):
                env.do(client.connect, listener.getsockname())
        env.do(client.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR)
        server, _ = env.do(listener.accept)
        env.keep(server)
        env.do(client.getpeername)
        env.do(client.connect_ex, refusing(env))


@scenario()
def refused(env: Environment) -> None:
    with env.program():
        for timeout in None, 5:
            client = env.new(timeout=timeout)
            env.attempt(client.connect, refusing(env))
            env.attempt(env.new(timeout=timeout).connect_ex, refusing(env))
        env.do(env.socket.create_connection, refusing(env))


@scenario()
def connected_by_path(env: Environment) -> None:
    socket = env.socket
    path = str(env.temporary() / "socket")
    with env.program():
        listener = env.keep(env.do(socket.socket, socket.AF_UNIX))
        env.do(listener.bind, path)
        env.do(listener.listen)
        for timeout in None, 5:
            client = env.keep(env.do(socket.socket, socket.AF_UNIX))
            client.settimeout(timeout)
            env.do(client.connect, path)
            server, _ = env.do(listener.accept)
            greet(env, client, env.keep(server))


@scenario()
def several_addresses(env: Environment) -> None:
    """The last of three addresses takes the connection."""
    listener = env.listener(timeout=1)
    resolves_to(env, refusing(env), refusing(env), listener.getsockname())
    with env.program():
        client = env.keep(env.do(env.socket.create_connection, ("name.test", 80), timeout=5, source_address=("127.0.0.1", 0)))
        greet(env, client, accept(env, listener, client))


@scenario()
def no_address_answers(env: Environment) -> None:
    resolves_to(env, refusing(env), refusing(env))
    with env.program():
        env.attempt(env.socket.create_connection, ("name.test", 80))
        env.do(env.socket.create_connection, ("name.test", 80), 5, all_errors=True)


@scenario()
def raced(env: Environment) -> None:
    """Happy Eyeballs; the stdlib tries one address after the other."""
    listener = env.listener(timeout=1)
    resolves_to(env, refusing(env), listener.getsockname(), listener.getsockname())
    more = {"happy_eyeballs_delay": 0.2} if env.ours else {}
    with env.program():
        client = env.keep(env.do(env.socket.create_connection, ("name.test", 80), 5, **more))
        greet(env, client, accept(env, listener, client))


@scenario()
def raced_by_name(env: Environment) -> None:
    """The same with a look-up of the name."""
    listener = env.listener(timeout=1)
    more = {"happy_eyeballs_delay": 0.2, "total_timeout": 5.0} if env.ours else {}
    with env.program():
        client = env.keep(env.do(env.socket.create_connection, ("name.test", listener.getsockname()[1]), 5, **more))
        greet(env, client, accept(env, listener, client))


@scenario()
def total_timeout(env: Environment) -> None:
    listener = env.listener(timeout=1)
    resolves_to(env, refusing(env), listener.getsockname())
    more = {"total_timeout": 5.0} if env.ours else {}
    with env.program():
        client = env.keep(env.do(env.socket.create_connection, ("name.test", 80), 5, **more))
        greet(env, client, accept(env, listener, client))


@scenario()
def servers(env: Environment) -> None:
    socket = env.socket
    with env.program():
        first = env.keep(env.do(socket.create_server, ("127.0.0.1", 0), backlog=3))
        env.keep(env.do(socket.create_server, ("127.0.0.1", 0), reuse_port=True))
        env.attempt(socket.create_server, first.getsockname())
        env.do(socket.has_dualstack_ipv6)
        env.keep(env.do(socket.create_server, ("", 0), family=socket.AF_INET6, dualstack_ipv6=True))


def accept_loop(env: Environment, timeout: float | None) -> None:
    """A server that goes on after an error; each of its clients gets its answer in the end."""
    listener = env.listener(timeout)
    clients = []
    for _ in range(3):
        client = env.new(timeout=5)
        client.connect(listener.getsockname())
        clients.append(client)
    served = 0
    with env.program():
        for _ in range(5):
            if served == len(clients):
                break
            found = env.attempt(listener.accept)
            if found is None:
                continue
            with env.keep(found[0]) as server:
                served += 1
                server.sendall(b"welcome")
    listener.setblocking(False)
    with contextlib.suppress(OSError):
        while True:
            with listener.accept()[0] as server:
                served += 1
                server.sendall(b"welcome")
    env.expect("clients", served, len(clients))
    env.expect("answers", [client.recv(10) for client in clients], [b"welcome"] * len(clients))


@scenario()
def accepting(env: Environment) -> None:
    accept_loop(env, None)


@scenario()
def accepting_with_timeout(env: Environment) -> None:
    accept_loop(env, 5)


@scenario()
def accepting_without_blocking(env: Environment) -> None:
    accept_loop(env, 0)
