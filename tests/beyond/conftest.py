"""Sockets of oxisocket, for tests of what it has beyond the standard library."""

from __future__ import annotations

import pytest


@pytest.fixture
def new(oxisocket, keep):
    """Makes a socket, and closes it after the test."""
    return lambda *args: keep(oxisocket.socket(*args))


@pytest.fixture
def listener(oxisocket, keep):
    return keep(oxisocket.create_server(("127.0.0.1", 0)))


@pytest.fixture
def refusing(new):
    """An address of a socket that does not listen."""
    bound = new()
    bound.bind(("127.0.0.1", 0))
    return bound.getsockname()


@pytest.fixture
def pair(listener, new, keep):
    """Two connected TCP sockets."""
    client = new()
    client.connect(listener.getsockname())
    return client, keep(listener.accept()[0])
