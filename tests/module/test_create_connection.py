"""create_connection: the first address that answers, and the error when none does."""

import errno
import gc
import warnings

import pytest
from machine import needs_localhost, needs_loopback6

# When the error is not an OSError, the stdlib leaves its socket to the garbage collector
leaks = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture
def refusing(socket, keep):
    """The address of a TCP port that refuses connections. It is bound, so that no other test can listen on it."""
    taken = keep(socket.socket())
    taken.bind(("127.0.0.1", 0))
    return taken.getsockname()


@pytest.fixture
def resolves_to(socket, monkeypatch):
    """Makes every name resolve to the given addresses. Programs replace `socket.getaddrinfo`, and the module must call the replacement."""

    def resolves_to(*addresses):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **keywords: found)

    return resolves_to


def test_connects(socket, listener, keep):
    client = keep(socket.create_connection(listener.getsockname()))
    server = keep(listener.accept()[0])
    client.sendall(b"hello")
    assert server.recv(5) == b"hello"
    assert type(client) is socket.socket
    assert (client.family, client.type) == (socket.AF_INET, socket.SOCK_STREAM)
    assert client.getpeername() == listener.getsockname()
    assert not client.get_inheritable()


@needs_localhost
def test_connects_by_name(socket, listener, keep):
    client = keep(socket.create_connection(("localhost", listener.getsockname()[1])))
    assert client.getpeername() == listener.getsockname()


@pytest.mark.parametrize("as_type", [str, lambda port: str(port).encode()])
def test_port_as_a_str(socket, listener, keep, as_type):
    host, port = listener.getsockname()
    assert keep(socket.create_connection([host, as_type(port)])).getpeername() == (host, port)


@needs_loopback6
def test_ipv6(socket, keep):
    listening = keep(socket.create_server(("::1", 0), family=socket.AF_INET6))
    client = keep(socket.create_connection(("::1", listening.getsockname()[1])))
    assert client.family == socket.AF_INET6
    assert client.getpeername() == listening.getsockname()


@pytest.mark.parametrize("timeout", [None, 5, 7.5, True])
def test_timeout(socket, listener, keep, timeout):
    assert keep(socket.create_connection(listener.getsockname(), timeout)).gettimeout() == timeout
    assert keep(socket.create_connection(listener.getsockname(), timeout=timeout)).gettimeout() == timeout


def test_timeout_is_the_default_timeout_unless_given(socket, listener, keep, default_timeout):
    assert keep(socket.create_connection(listener.getsockname())).gettimeout() is None
    default_timeout(30)
    assert keep(socket.create_connection(listener.getsockname())).gettimeout() == 30
    assert keep(socket.create_connection(listener.getsockname(), None)).gettimeout() is None


def test_timeout_of_zero_cannot_block(socket, listener):
    with pytest.raises(BlockingIOError) as caught:
        socket.create_connection(listener.getsockname(), timeout=0)
    assert caught.value.errno == errno.EINPROGRESS


def test_source_address(socket, listener, keep):
    client = keep(socket.create_connection(listener.getsockname(), source_address=("127.0.0.1", 0)))
    connection, address = listener.accept()
    keep(connection)
    assert client.getsockname() == address


def test_source_address_by_position(socket, listener, keep):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        source = free.getsockname()
    try:
        client = keep(socket.create_connection(listener.getsockname(), 5, source))
    except OSError as error:  # another program took the port in between
        assert error.errno == errno.EADDRINUSE
    else:
        assert client.getsockname() == source


@pytest.mark.parametrize("nothing", [None, (), "", 0])
def test_no_source_address(socket, listener, keep, nothing):
    assert keep(socket.create_connection(listener.getsockname(), source_address=nothing)).fileno() >= 0


@leaks
@pytest.mark.parametrize("all_errors", [False, True])
@pytest.mark.parametrize("source", [("203.0.113.1", 0), ("127.0.0.1", 70000), ("127.0.0.1",), 5, "text"], ids=repr)
def test_wrong_source_address(both, keep, answer, source, all_errors):
    listening = keep(both[0].create_server(("127.0.0.1", 0)))
    outcomes = [answer(each.create_connection, listening.getsockname(), 5, source, all_errors=all_errors) for each in both]
    assert outcomes[0][0] == "raised"
    assert repr(outcomes[0]) == repr(outcomes[1])


def test_refused(socket, refusing):
    with pytest.raises(ConnectionRefusedError) as caught:
        socket.create_connection(refusing)
    assert caught.value.errno == errno.ECONNREFUSED


def test_all_errors_of_one_address(socket, refusing):
    with pytest.raises(ExceptionGroup) as caught:
        socket.create_connection(refusing, all_errors=True)
    assert caught.value.message == "create_connection failed"
    assert [type(error) for error in caught.value.exceptions] == [ConnectionRefusedError]


def test_second_address_answers(socket, refusing, listener, keep, resolves_to):
    resolves_to(refusing, listener.getsockname())
    for all_errors in (False, True):
        client = keep(socket.create_connection(("any.name", 1), all_errors=all_errors))
        assert client.getpeername() == listener.getsockname()


def test_last_error_is_raised(socket, refusing, resolves_to):
    resolves_to(refusing, ("a host that is too long" * 100, 1), ("255.255.255.255", 1))
    with pytest.raises(OSError) as caught:
        socket.create_connection(("any.name", 1))
    assert caught.value.errno == errno.ENETUNREACH


@leaks
def test_only_an_oserror_leads_to_the_next_address(socket, refusing, resolves_to):
    resolves_to(("127.0.0.1", "not a port"), refusing)
    with pytest.raises(TypeError):
        socket.create_connection(("any.name", 1))


@pytest.mark.holds("`create_connection` leaves no reference cycle behind", "If it leaves a socket unclosed")
def test_no_reference_cycle(socket, ours, refusing, resolves_to):
    resolves_to(refusing, "no address")
    gc.collect()
    gc.disable()
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with pytest.raises(TypeError):
                socket.create_connection(("anything", 1))
            assert len(told) == (1 if ours else 0)
            gc.collect()
            assert ["unclosed" in str(warning.message) for warning in told] == [True]
    finally:
        gc.enable()


@pytest.mark.holds("`create_connection` accepts any plain `object()`", "The original accepts only its own mark")
@leaks
def test_default_timeout_object_of_another_module(socket, ours, listener, keep):
    for mark in (socket._GLOBAL_DEFAULT_TIMEOUT, object()):
        try:
            made = keep(socket.create_connection(listener.getsockname(), mark))
        except TypeError:
            assert not ours and mark is not socket._GLOBAL_DEFAULT_TIMEOUT
        else:
            assert ours or mark is socket._GLOBAL_DEFAULT_TIMEOUT
            assert made.gettimeout() is None


def test_all_errors_in_order(socket, refusing, resolves_to):
    resolves_to(refusing, refusing, refusing)
    with pytest.raises(ExceptionGroup) as caught:
        socket.create_connection(("any.name", 1), all_errors=True)
    assert [error.errno for error in caught.value.exceptions] == [errno.ECONNREFUSED] * 3


@pytest.mark.parametrize("all_errors", [False, True])
def test_no_address(both, answer, monkeypatch, all_errors):
    outcomes = []
    for each in both:
        with monkeypatch.context() as patch:
            patch.setattr(each, "getaddrinfo", lambda *args, **keywords: [])
            outcomes.append(answer(each.create_connection, ("any.name", 1), all_errors=all_errors))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_asks_for_stream_sockets(socket, monkeypatch):
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **keywords: asked.append((args, keywords)) or [])
    with pytest.raises(OSError):
        socket.create_connection(("any.name", "http"))
    assert asked == [(("any.name", "http", 0, socket.SOCK_STREAM), {})]


def test_no_leak_when_it_fails(socket, refusing, open_files):
    before = open_files()
    for all_errors in (False, True):
        with pytest.raises((OSError, ExceptionGroup)):
            socket.create_connection(refusing, all_errors=all_errors)
        with pytest.raises((OSError, ExceptionGroup)):
            socket.create_connection(refusing, source_address=("203.0.113.1", 0), all_errors=all_errors)
    assert open_files() == before


@pytest.mark.parametrize(
    "address",
    [
        None, 5, "", "abc", b"abc", (), ("127.0.0.1",), ("127.0.0.1", 1, 2), [], {},
        ("127.0.0.1", 70000), ("127.0.0.1", -1), ("127.0.0.1", "no-such-service"), ("127.0.0.1", 1.5),
        ("127.0.0.1", b"\xff"), ("a\0b", 1), (5, 1), ("x" * 64 + ".invalid", 1), ("\udcff", 1),
    ],
    ids=repr,
)  # fmt: skip
def test_wrong_address(both, answer, address):
    outcomes = [answer(each.create_connection, address) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


@leaks
@pytest.mark.parametrize("timeout", [-1, -0.5, "5", float("nan"), 1e400, 1e30, 2**70, object], ids=repr)
def test_wrong_timeout(both, keep, answer, timeout):
    listening = keep(both[0].create_server(("127.0.0.1", 0)))
    outcomes = [answer(each.create_connection, listening.getsockname(), timeout) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_all_errors_is_a_keyword_only(both, answer):
    outcomes = [answer(each.create_connection, ("127.0.0.1", 1), 5, None, True) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] is TypeError
