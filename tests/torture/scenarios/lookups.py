"""Look-ups of hosts, services and interfaces, in the main thread and in another."""

from __future__ import annotations

import threading
from typing import Any

from environment import Environment, scenario


@scenario()
def hosts(env: Environment) -> None:
    socket = env.socket
    with env.program():
        env.attempt(socket.getaddrinfo, "localhost", "http")
        env.attempt(socket.getaddrinfo, "127.0.0.1", 80)
        env.attempt(socket.gethostbyname, "localhost")
        env.attempt(socket.gethostbyname_ex, "localhost")
        env.attempt(socket.gethostbyaddr, "127.0.0.1")
        env.attempt(socket.getnameinfo, ("127.0.0.1", 80), socket.NI_NUMERICHOST)
        env.attempt(socket.getnameinfo, ("127.0.0.1", 80), 0)
        env.attempt(socket.getfqdn, "127.0.0.1")
        env.attempt(socket.gethostname)


@scenario()
def names_of_a_server(env: Environment) -> None:
    """Names that are not in /etc/hosts: oxisocket has a thread for them."""
    socket = env.socket
    with env.program():
        env.attempt(socket.getaddrinfo, "name.test", 80)
        env.attempt(socket.getaddrinfo, b"name.test", 80, type=socket.SOCK_STREAM)
        env.attempt(socket.gethostbyname, "name.test")


@scenario()
def names_in_another_thread(env: Environment) -> None:
    socket = env.socket
    found: list[Any] = []

    def ask() -> None:
        for function in (
            lambda: socket.getaddrinfo("name.test", 80),
            lambda: socket.gethostbyname("localhost"),
            lambda: socket.getnameinfo(("127.0.0.1", 80), 0),
        ):
            try:
                found.append(type(function()))
            except OSError as error:
                found.append(f"{type(error).__name__}: {error}")

    def in_a_thread() -> str:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        return str(found)

    with env.program():
        env.do(in_a_thread)


@scenario(only_ours=True)
def names_with_a_time(env: Environment) -> None:
    socket = env.socket
    with env.program():
        env.attempt(socket.getaddrinfo, "name.test", 80, timeout=5.0)
        with socket.deadline(5.0):
            env.attempt(socket.getaddrinfo, "other.test", 80)
            env.attempt(socket.gethostbyname, "name.test")


@scenario()
def addresses_by_name(env: Environment) -> None:
    """The look-ups of connect, bind and sendto."""
    socket = env.socket
    listener = env.listener()
    port = listener.getsockname()[1]
    with env.program():
        env.attempt(env.new().connect, ("localhost", port))
        env.attempt(env.new().connect, ("name.test", port))
        env.attempt(env.new().connect_ex, ("name.test", port))
        env.attempt(env.new().bind, ("name.test", 0))
        datagrams = env.new(socket.AF_INET, socket.SOCK_DGRAM)
        env.attempt(datagrams.sendto, b"x", ("name.test", port))


@scenario()
def services(env: Environment) -> None:
    socket = env.socket
    with env.program():
        env.attempt(socket.getservbyname, "http", "tcp")
        env.attempt(socket.getservbyname, "http")
        env.attempt(socket.getservbyport, 80)
        env.attempt(socket.getservbyport, 80, "tcp")
        env.attempt(socket.getprotobyname, "tcp")


@scenario()
def interfaces(env: Environment) -> None:
    socket = env.socket
    with env.program():
        env.attempt(socket.if_nameindex)
        env.attempt(socket.if_nametoindex, "lo")
        env.attempt(socket.if_indextoname, 1)
