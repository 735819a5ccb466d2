"""Sockets of oxisocket, addresses that refuse or never answer, and names that resolve to them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from shim import compile_replacements, preloading
from told import Told
from waiting import fill_backlog


@pytest.fixture
def new(oxisocket: ModuleType, keep: Callable[[Any], Any]) -> Callable[..., Any]:
    """Makes a socket of oxisocket, and closes it after the test."""
    return lambda *args: keep(oxisocket.socket(*args))


@pytest.fixture
def refusing(socket: ModuleType, keep: Callable[[Any], Any]) -> Any:
    """The address of a TCP port that refuses connections. It is bound, so that no other test can listen on it."""
    taken = keep(socket.socket())
    taken.bind(("127.0.0.1", 0))
    return taken.getsockname()


@pytest.fixture
def full(socket: ModuleType, keep: Callable[[Any], Any]) -> Any:
    """A listener whose backlog is full: it does not answer to a connection."""
    listening = keep(socket.socket())
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    fill_backlog(listening, keep)
    return listening


@pytest.fixture
def resolves_to(socket: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`resolves_to(*addresses)` replaces `socket.getaddrinfo` by a function that answers with these, whatever the name."""

    def resolves_to(*addresses: Any) -> None:
        families = [socket.AF_INET6 if len(address) == 4 else socket.AF_INET for address in addresses]
        found = [(family, socket.SOCK_STREAM, 6, "", address) for family, address in zip(families, addresses, strict=True)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **keywords: found)

    return resolves_to


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The resolver, compiled."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    return compile_replacements(Path(__file__).with_name("resolver.c"), tmp_path_factory.mktemp("resolver"))


@pytest.fixture
def with_resolver(library: Path, with_parts: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment for a program that asks our resolver."""
    log = tmp_path / "log"
    log.touch()
    return with_parts | preloading(library) | {"RESOLVER_LOG": str(log), "RESOLVER_RELEASE": str(tmp_path / "release")}


@pytest.fixture
def traced(oxisocket: ModuleType, tmp_path: Path) -> Callable[..., Any]:
    """`with traced(**options) as told:` traces, and fills `told` at the end."""

    @contextmanager
    def traced(**options: Any) -> Iterator[Told]:
        told, path = Told(()), tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
        try:
            with oxisocket.trace(path, **options):
                yield told
        finally:
            told.events = Told.read(path).events

    return traced
