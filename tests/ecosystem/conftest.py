"""What the programs need: a certificate, a redis-server, a PostgreSQL server; and a file for their times."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machine import ephemeral_ports

HOW_TO_INSTALL = "on Debian: apt-get install {}"


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


def find(program: str, package: str, *folders: Path) -> str:
    """The path of a server's program; without it the test is skipped."""
    path = shutil.which(program) or shutil.which(program, path=os.pathsep.join(map(str, folders)))
    if path is None:
        pytest.skip(f"there is no {program} ({HOW_TO_INSTALL.format(package)})")
    return path


def free_port() -> int:
    """A port that the kernel does not give to clients, if possible: a client that connects before the server listens must not connect to itself."""
    first, last = ephemeral_ports()
    others = [*range(10_000, first), *range(last + 1, 65_536)]
    while True:
        port = random.choice(others or range(10_000, 65_536))
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path, **settings: Any) -> Iterator[None]:
    """Runs a server: its port accepts connections when the context begins, and the server has ended when the context ends."""
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, **settings) as server,
    ):
        try:
            deadline = time.monotonic() + 20
            while not answers(port):
                assert server.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
            yield
        finally:
            server.terminate()


def answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a file with a key and its self-signed certificate for localhost."""
    openssl = find("openssl", "openssl")
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
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The port of a redis-server without persistence."""
    server = find("redis-server", "redis-server")
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command, port, folder / "log"):
        yield str(port)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The port of a PostgreSQL server in a temporary folder. PostgreSQL refuses to run as root; under root, its own user runs it."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    initdb, server = (find(program, "postgresql", *folders) for program in ("initdb", "postgres"))
    settings = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as temporary:
        folder, port = Path(temporary), free_port()
        (folder / "password").write_text("a test")
        if settings:
            for path in folder, folder / "password":
                shutil.chown(path, **settings)
        command = [
            initdb,
            "--auth=scram-sha-256",
            "--username=tester",
            f"--pwfile={folder / 'password'}",
            "--no-sync",
            "--locale=C",
        ]
        subprocess.run(
            [*command, "--encoding=UTF8", f"--pgdata={folder / 'data'}"], check=True, capture_output=True, cwd=folder, **settings
        )
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off"}
        command = [server, "-D", str(folder / "data"), "-p", str(port), *(f"--{name}={value}" for name, value in options.items())]
        with running(command, port, folder / "log", cwd=folder, **settings):
            yield str(port)
