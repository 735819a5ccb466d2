"""The table of cases: what each measures, and its bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from bound import NOT_SLOWER, Bound, Compared, Faster, Half, Keeps, KeepsOf, Overhead, Served, Tail
from cases import databases, transfer
from cases.bulk import bulk
from cases.computing import send_and_recv_beside
from cases.connected import tcp, unix
from cases.echo_server import echo_server
from cases.exchange import exchange, exchange_of_threads
from cases.http_server import Load, http_server
from cases.lifecycle import connections, lookups, sockets
from cases.loop import Opened
from cases.startup import startup
from cases.transfer import send_and_recv

TIMEOUT = 5.0


@dataclass(frozen=True)
class Case:
    """A program with a loop, the corresponding bare program, and the bounds."""

    name: str
    title: str
    program: Callable[[], Opened]
    bounds: tuple[Bound, ...]
    bare: tuple[str, ...] | None = None
    # How many calls a round makes: the figures are for one call.
    calls: int = 1
    # The length of a sample: long enough for a clock, but so short that the machine's other work does not hit many samples.
    seconds: float = 0.002
    # A case with long samples takes part in one of this many rounds.
    one_in: int = 1
    one_core: bool = True
    # Whether a sample can be too good. Where threads compete for the GIL, the best sample says nothing, and the median is used.
    luck: bool = False
    # Whether it is a whole program, and not single calls.
    whole: bool = False
    # The speed of a process depends on its memory layout, so each case is measured in several processes.
    processes: int = 5

    def __post_init__(self) -> None:
        assert self.bare or not any(isinstance(bound, Overhead) for bound in self.bounds), self.name


def _pair(name: str, title: str, program: Callable[[], Opened], bound: Bound, *bare: str) -> Case:
    return Case(name, title, program, (bound,), bare, calls=2)


def _one(name: str, title: str, program: Callable[[], Opened], bound: Bound, *bare: str) -> Case:
    return Case(name, title, program, (bound,), bare)


def _processes(name: str, title: str, timeout: float | None, bound: Bound) -> Case:
    return Case(name, title, partial(exchange, timeout), (bound,), ("exchange",))


def _computing(name: str, title: str, timeout: float | None, bound: Bound) -> Case:
    program = partial(send_and_recv_beside, unix, timeout)
    # The threads take turns of a few milliseconds: a sample must contain many turns.
    return Case(name, title, program, (bound, Keeps(0.35)), seconds=0.25, one_in=10, one_core=False, luck=True)


def _asked(name: str, title: str, program: Callable[[], Opened], *bounds: Bound) -> Case:
    # A sample must have enough requests for a 99th percentile, and one of each process suffices for a median.
    return Case(name, title, program, bounds, seconds=1, one_in=60, one_core=False, luck=True, whole=True)


def _asked_quietly(name: str, title: str, program: Callable[[], Opened]) -> Case:
    """A program in which nobody computes. It answers thousands of requests a second, and small differences need more samples."""
    return replace(_asked(name, title, program, *NOT_WORSE), seconds=0.4, processes=11)


def _http(clients: int, load: Load) -> tuple[str, str, Callable[[], Opened]]:
    title = f"http.server, {clients} connection{'s' if clients > 1 else ''}, {load.value}"
    return f"http-{clients}-{load.name.lower()}", title, partial(http_server, clients, load)


ONLY_TOLD = (Served(None), Half(), Tail(None), KeepsOf(None))

# What computes in one thread takes the interpreter for 5 ms at a time: a request that comes then waits. See docs/architecture.md.
NOT_WORSE = (Served(NOT_SLOWER), Half(), Tail(1.1))
CONNECTIONS = (1, 4, 16)
GAINS_OF_ASYNCIO = (Served(2), Half(), Tail(None), KeepsOf(None))
GAINS = {1: (Served(10), Half(), Tail(0.7)), 4: (Served(2.5), Half(), Tail(0.7)), 16: (Served(None), Half(), Tail(None))}

# Whole programs.
SERVERS = (
    *(_asked(*_http(clients, Load.THREAD), *GAINS[clients], KeepsOf(0.75)) for clients in CONNECTIONS),
    *(_asked_quietly(*_http(clients, load)) for load in Load if load is not Load.THREAD for clients in CONNECTIONS),
    _asked("redis", "redis in 8 threads, one thread computes", databases.redis, *ONLY_TOLD),
    _asked("pg8000", "pg8000 in 8 threads, one thread computes", databases.postgresql, *ONLY_TOLD),
    _asked_quietly("asyncio", "asyncio echo server, 20 clients", partial(echo_server, computing=False)),
    _asked("asyncio-computing", "— one thread computes", partial(echo_server, computing=True), *GAINS_OF_ASYNCIO),
)

# Single calls.
CALLS = (
    _pair("unix", "UNIX pair, send + recv", partial(send_and_recv, unix, None), Overhead(0.35), "pair"),
    _pair("unix-nonblocking", "— non-blocking", partial(send_and_recv, unix, 0.0), Overhead(0.35), "pair", "nonblocking"),
    _pair("unix-timeout", "— with a timeout", partial(send_and_recv, unix, TIMEOUT), Faster(1.9), "pair", "nonblocking"),
    _pair("tcp", "TCP, send + recv", partial(send_and_recv, tcp, None), Overhead(0.45), "tcp"),
    _pair("tcp-timeout", "— with a timeout", partial(send_and_recv, tcp, TIMEOUT), Faster(1.4), "tcp", "nonblocking"),
    _one("recv-64k", "recv(65536) of 64 bytes", partial(transfer.recv, 65536), Overhead(0.5), "receive", "65536"),
    _one("recv-256k", "recv(262144) of 64 bytes", partial(transfer.recv, 262144), Faster(5), "receive", "262144"),
    _pair("recv_into", "UNIX pair, sendall + recv_into", partial(transfer.sendall_and_recv_into, unix), Faster(1.15), "pair"),
    _pair("udp", "UDP, sendto + recvfrom", transfer.datagrams, Overhead(0.45), "datagrams"),
    _one("connections", "socket, connect, accept, close, close", connections, Overhead(0.4), "connections"),
    _one("sockets", "socket().close()", sockets, Faster(1.08), "sockets"),
    _one("readline", "send + makefile('rb').readline()", partial(transfer.readline, unix), Faster(1.3), "pair"),
    _one("lookups", "getaddrinfo('127.0.0.1', 80)", lookups, Faster(2), "lookups"),
    _processes("exchange", "Two processes, request and response", None, Faster(NOT_SLOWER)),
    _processes("exchange-timeout", "— with a timeout", TIMEOUT, Faster(1.03)),
    _one("exchange-threads", "Two threads, request and response", exchange_of_threads, Faster(NOT_SLOWER), "exchange"),
    Case(
        "bulk",
        "256 MiB, sendall to a recv_into thread",
        bulk,
        (Faster(NOT_SLOWER),),
        ("bulk",),
        one_in=5,
        one_core=False,
        luck=True,
    ),
    _computing("computing", "Beside a computing thread, send + recv", None, Faster(50)),
    _computing("computing-nonblocking", "— non-blocking", 0.0, Faster(50)),
    _computing("computing-timeout", "— with a timeout", TIMEOUT, Faster(2)),
    Case("startup", "import socket", startup, (Compared(),), one_in=5),
)

TIMED = (*SERVERS, *CALLS)
