"""The servers that clients are tried and measured with: a redis-server and a PostgreSQL server, each on a port of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ports import free_port

USER, PASSWORD, DATABASE = "tester", "a test", "postgres"


class NotInstalledError(Exception):
    """A server's program is missing; the text says how to install it."""


def find(program: str, package: str, *folders: Path) -> str:
    """Return the path of a server's program."""
    path = shutil.which(program) or shutil.which(program, path=os.pathsep.join(map(str, folders)))
    if path is None:
        raise NotInstalledError(f"there is no {program} (on Debian: apt-get install {package})")
    return path


@contextlib.contextmanager
def redis() -> Iterator[int]:
    """Run a redis-server without persistence: its port."""
    server = find("redis-server", "redis-server")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with running(command, port, Path(folder, "log")):
            yield port


@contextlib.contextmanager
def postgresql() -> Iterator[int]:
    """Run a PostgreSQL server: its port. PostgreSQL refuses to run as root; under root, its own user runs it."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    initdb, server = (find(program, "postgresql", *folders) for program in ("initdb", "postgres"))
    settings: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as temporary:
        folder, port = Path(temporary), free_port()
        (folder / "password").write_text(PASSWORD)
        if settings:
            for path in folder, folder / "password":
                shutil.chown(path, **settings)
        command = [initdb, "--auth=scram-sha-256", f"--username={USER}", f"--pwfile={folder / 'password'}", "--no-sync"]
        command += ["--locale=C", "--encoding=UTF8", f"--pgdata={folder / 'data'}"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **settings)
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off"}
        command = [server, "-D", str(folder / "data"), "-p", str(port), *(f"--{name}={value}" for name, value in options.items())]
        with running(command, port, folder / "log", cwd=folder, **settings):
            yield port


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path, **settings: Any) -> Iterator[None]:
    """Run a server: its port accepts connections when the context begins, and the server has ended when the context ends."""
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
    """Tell whether a server listens on a port."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
