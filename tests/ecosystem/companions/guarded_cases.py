"""What pytest-socket forbids and allows in each test. If oxisocket is installed last, that happens in the middle of some of them."""

import socket
import threading

import order
import pytest
from pytest_socket import SocketBlockedError, SocketConnectBlockedError

pytestmark = pytest.mark.filterwarnings("ignore")


def refused(function, *arguments):
    with pytest.raises((SocketBlockedError, SocketConnectBlockedError)):
        function(*arguments)


def test_disabled():
    order.install("last")
    refused(socket.socket)
    refused(socket.create_connection, ("127.0.0.1", 1))
    refused(socket.create_server, ("127.0.0.1", 0))
    refused(socket.getaddrinfo, "127.0.0.1", 1)
    refused(socket.gethostbyname, "127.0.0.1")


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_some_hosts_allowed():
    found = order.install("last")
    assert found is None or [*found.kept] == ["socket.socket.connect"]
    connect_to_both()


@pytest.mark.enable_socket
def test_enabled():
    found = order.install("last")
    assert found is None or found.native_socket
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        with socket.create_connection(server.getsockname()) as client:
            assert client.recv(1) == b""
        thread.join()
    assert socket.gethostbyname("127.0.0.1") == "127.0.0.1"


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_some_hosts_allowed_again():
    connect_to_both()


def connect_to_both():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
        with socket.socket() as sock:
            refused(sock.connect, ("127.0.0.2", server.getsockname()[1]))


def test_disabled_again():
    refused(socket.socket)
    refused(socket.socketpair)


@pytest.mark.enable_socket
def test_enabled_again():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
