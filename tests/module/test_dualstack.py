"""One IPv6 socket that also serves IPv4, where the platform supports it."""

import socket as original

import pytest
from machine import needs_loopback6

needs_dualstack = pytest.mark.skipif(not original.has_dualstack_ipv6(), reason="this machine has no dual-stack IPv6")


def test_same_result(both):
    assert both[0].has_ipv6 is both[1].has_ipv6
    assert both[0].has_dualstack_ipv6() is both[1].has_dualstack_ipv6()


def test_no_leak(socket, open_files):
    before = open_files()
    socket.has_dualstack_ipv6()
    assert open_files() == before


def test_no_dualstack_without_ipv6(socket, monkeypatch):
    monkeypatch.setattr(socket, "has_ipv6", False)
    assert socket.has_dualstack_ipv6() is False


@needs_dualstack
@pytest.mark.parametrize("dualstack", [False, True])
def test_v6only(socket, keep, dualstack):
    server = keep(socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=dualstack))
    assert server.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == (not dualstack)


@needs_dualstack
@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=needs_loopback6)])
def test_serves_both(socket, keep, host):
    server = keep(socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True))
    client = keep(socket.create_connection((host, server.getsockname()[1])))
    connection, address = server.accept()
    keep(connection)
    assert address[0] in (host, f"::ffff:{host}")
    client.sendall(b"x")
    assert connection.recv(1) == b"x"


@needs_dualstack
def test_refused_where_absent(both, answer, monkeypatch):
    outcomes = []
    for each in both:
        with monkeypatch.context() as patch:
            patch.setattr(each, "has_dualstack_ipv6", lambda: False)
            outcomes.append(answer(each.create_server, ("::1", 0), family=each.AF_INET6, dualstack_ipv6=True))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] is ValueError
