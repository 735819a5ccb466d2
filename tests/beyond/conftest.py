"""Sockets of oxisocket, addresses that refuse or never answer, and names that resolve to them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
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
