"""What the programs need: a certificate, a redis-server, a PostgreSQL server; and a file for their times."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--times", metavar="FILE", help="measure each program, and write how long it took to this file")


@pytest.fixture(scope="session")
def times(request: pytest.FixtureRequest) -> Iterator[dict[str, Any] | None]:
    """Collects the times of the programs; None without the option `--times`."""
    path = request.config.getoption("--times", None)
    if path is None:
        yield None
        return
    programs: dict[str, Any] = {}
    yield programs
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps({"python": ".".join(map(str, sys.version_info[:3])), "programs": programs}, indent=1))


@contextlib.contextmanager
def skipped_without_it() -> Iterator[None]:
    """A test whose server is not installed is skipped."""
    try:
        yield
    except servers.NotInstalledError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a file with a key and its self-signed certificate for localhost."""
    with skipped_without_it():
        openssl = servers.find("openssl", "openssl")
    folder = tmp_path_factory.mktemp("certificate")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        "key.pem",
        "-out",
        "certificate.pem",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "certificate.pem").read_text())
    return str(both)


@pytest.fixture(scope="session")
def redis() -> Iterator[str]:
    """The port of a redis-server without persistence."""
    with skipped_without_it(), servers.redis() as port:
        yield str(port)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The port of a PostgreSQL server."""
    with skipped_without_it(), servers.postgresql() as port:
        yield str(port)
