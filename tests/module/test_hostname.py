"""The name of this machine."""

import os
from pathlib import Path

import pytest


def test_name_of_this_machine(socket):
    assert socket.gethostname() == os.uname().nodename
    assert type(socket.gethostname()) is str


def test_fully_qualified_name(both):
    assert both[0].getfqdn() == both[1].getfqdn()
    for name in ("", " ", "0.0.0.0", "::", "localhost", " localhost\n", "127.0.0.1"):
        assert both[0].getfqdn(name) == both[1].getfqdn(name)
        assert both[0].getfqdn(name=name) == both[1].getfqdn(name=name)


def test_fully_qualified_name_has_a_dot_where_an_alias_has(socket, monkeypatch):
    asked = []

    def gethostbyaddr(name):
        asked.append(name)
        return "short", ["also-short", "long.example"], ["127.0.0.1"]

    monkeypatch.setattr(socket, "gethostbyaddr", gethostbyaddr)
    assert socket.getfqdn(" some-name ") == "long.example"
    assert asked == ["some-name"]


def test_fully_qualified_name_of_an_unknown_host(socket, monkeypatch):
    def gethostbyaddr(name):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "gethostbyaddr", gethostbyaddr)
    assert socket.getfqdn("some-name") == "some-name"
    assert socket.getfqdn() == socket.gethostname()


@pytest.mark.parametrize("name", [5, 1.5, b"localhost", [], object], ids=repr)
def test_fully_qualified_name_of_wrong_types(both, answer, name):
    outcomes = [answer(each.getfqdn, name) for each in both]
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("arguments", [(), (5,), (None,), (1.5,), ([],), (object,), (5, "b")], ids=repr)
def test_wrong_arguments_to_sethostname(both, answer, arguments):
    """None of these can be a host name: a broken version, run by root, must not change the name of this machine."""
    outcomes = [answer(each.sethostname, *arguments) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may change the name")
@pytest.mark.parametrize(
    "name",
    ["", "a", b"a", "a\0b", "a" * 64, "a" * 65, b"a" * 1000, "\udcff", "\xe9", Path("a")],
    ids=lambda name: repr(name)[:10],
)
def test_not_permitted(both, answer, name):
    outcomes = [answer(each.sethostname, name) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_gethostname_takes_no_argument(both, answer):
    outcomes = [answer(each.gethostname, 1) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] is TypeError
