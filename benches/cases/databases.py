"""Clients of a real database, which ask it from eight threads: `redis` and `pg8000`, each thread with a connection of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import local
from time import perf_counter

from contenders import TOP

from cases.computation import beside
from cases.loop import Loop, Sample

sys.path.append(str(TOP / "tests" / "parts"))
import servers  # type: ignore[import-not-found]

THREADS = 8
TIMEOUT = 30.0

Ask = Callable[[], object]


@contextmanager
def redis() -> Iterator[Loop]:
    import redis

    with servers.redis() as port, ExitStack() as connections:

        def connect() -> Ask:
            client = connections.enter_context(
                redis.Redis("127.0.0.1", port, socket_timeout=TIMEOUT, single_connection_client=True)
            )
            client.set("key", "value")
            return lambda: client.get("key")

        with _asking(connect) as loop:
            yield loop


@contextmanager
def postgresql() -> Iterator[Loop]:
    import pg8000.native  # type: ignore[import-untyped]

    with servers.postgresql() as port, ExitStack() as connections:
        access = {"user": servers.USER, "password": servers.PASSWORD, "database": servers.DATABASE}

        def connect() -> Ask:
            connection = pg8000.native.Connection(host="127.0.0.1", port=port, timeout=TIMEOUT, **access)
            statement = connections.enter_context(connection).prepare("SELECT 1")
            return lambda: statement.run()  # noqa: PLW0108 - what it is, mypy does not know

        with _asking(connect) as loop:
            yield loop


@contextmanager
def _asking(connect: Callable[[], Ask]) -> Iterator[Loop]:
    """A round is one question, of whichever thread, beside a thread that computes."""
    own = local()

    def ask(count: int) -> list[float]:
        if not hasattr(own, "ask"):
            own.ask = connect()
        times = []
        for _ in range(count):
            started = perf_counter()
            own.ask()
            times.append(perf_counter() - started)
        return times

    with ThreadPoolExecutor(THREADS) as threads:

        def together(count: int) -> Sample:
            started = perf_counter()
            shares = [count // THREADS + (number < count % THREADS) for number in range(THREADS)]
            times = sorted(time for found in threads.map(ask, shares) for time in found)
            return Sample(perf_counter() - started, half=_of_hundred(times, 50), tail=_of_hundred(times, 99))

        yield lambda count: beside(lambda: together(count))


def _of_hundred(times: list[float], part: int) -> float:
    """Return the time within which so many of a hundred were answered."""
    return times[-(-len(times) * part // 100) - 1]
