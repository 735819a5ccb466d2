"""Which names may be in the hosts file: they are not looked up one family at a time."""

from __future__ import annotations

import os
import threading

import pytest
from marks import only_oxisocket
from oxisocket._beyond import hosts_file, lookup
from oxisocket._beyond.hosts_file import HostsFile

TEXT = b"127.0.0.1\tlocalhost Other\n# comment\n203.0.113.1 Example.COM www.example.com xn--bcher-kva.example\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "hosts"
    path.write_bytes(TEXT)
    return path


@pytest.fixture
def hosts(path):
    return HostsFile(str(path))


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST", "other", "example.com", b"EXAMPLE.com", "www.example.com", "bücher.example"]
)
def test_names_in_it(hosts, name):
    assert hosts.may_have(name)


@pytest.mark.parametrize("name", ["localhost2", "example.org", b"127.0.0.2", "bücher.org"])
def test_names_not_in_it(hosts, name):
    assert not hosts.may_have(name)


def test_a_name_that_cannot_be_is_left_to_the_resolver(hosts):
    assert hosts.may_have("bü..b")


def test_a_file_that_changes(hosts, path):
    assert not hosts.may_have("new.name")
    path.write_bytes(TEXT + b"10.0.0.1 new.name\n")
    assert hosts.may_have("new.name")
    os.unlink(path)
    assert not hosts.may_have("new.name")


def test_no_file(tmp_path):
    assert not HostsFile(str(tmp_path / "missing")).may_have("localhost")


@only_oxisocket
@pytest.mark.parametrize("more", [{"happy_eyeballs_delay": 1000}, {"happy_eyeballs_delay": 1000, "total_timeout": 1000}])
def test_a_name_in_it_is_looked_up_once(socket, listener, keep, path, monkeypatch, more):
    """The resolver would answer with an IPv6 address of that name from the DNS, although the file has another address for it."""
    asked = []

    def ask(host, port, family, seconds=None):
        asked.append((host, port, family))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname())]

    monkeypatch.setattr(lookup, "ask", ask)
    monkeypatch.setattr(hosts_file, "_installed", HostsFile(str(path)))
    client = keep(socket.create_connection(("example.com", 80), **more))
    assert client.getpeername() == listener.getsockname()
    assert asked == [("example.com", 80, 0)]


def test_it_is_read_by_many_threads(hosts, path):
    """While it changes, each thread sees one text or the other."""
    wrong, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            if not hosts.may_have("localhost") or hosts.may_have("missing.name"):
                wrong.append(1)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(50):
        new = path.with_name(f"hosts.{turn}")
        new.write_bytes(TEXT + b"#" * turn)
        os.replace(new, path)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
