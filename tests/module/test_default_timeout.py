"""getdefaulttimeout and setdefaulttimeout: the timeout of new sockets."""

import pytest


def test_none_at_first(socket):
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("timeout", [None, 0, 0.0, 1, 2.5, 1e-9, 3_000_000, True, False], ids=repr)
def test_set_and_get(both, timeout):
    answers = []
    for each in both:
        try:
            assert each.setdefaulttimeout(timeout) is None
            answers.append(each.getdefaulttimeout())
            with each.socket() as sock:
                answers.append((sock.gettimeout(), sock.getblocking(), sock.timeout))
        finally:
            each.setdefaulttimeout(None)
    assert answers[:2] == answers[2:]
    assert type(answers[0]) is type(answers[2])


@pytest.mark.parametrize(
    "timeout", [-1, -0.001, -1e-9, "1", b"1", [], 1j, float("nan"), float("inf"), float("-inf"), 1e30, 2**63, 2**70, -(2**70)],
    ids=repr,
)  # fmt: skip
def test_refused_timeouts_change_nothing(both, answer, timeout):
    outcomes = []
    for each in both:
        each.setdefaulttimeout(5)
        try:
            outcomes.append(answer(each.setdefaulttimeout, timeout))
            assert each.getdefaulttimeout() == 5
        finally:
            each.setdefaulttimeout(None)
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_a_huge_timeout_is_kept(both, answer):
    outcomes = []
    for each in both:
        try:
            outcomes.append(answer(each.setdefaulttimeout, 9_000_000_000))
            outcomes.append(each.getdefaulttimeout())
        finally:
            each.setdefaulttimeout(None)
    assert outcomes[:2] == outcomes[2:]


def test_only_new_sockets_have_it(socket, keep, default_timeout):
    before = keep(socket.socket())
    default_timeout(7)
    after = keep(socket.socket())
    default_timeout(None)
    assert (before.gettimeout(), after.gettimeout()) == (None, 7)


def test_accepted_sockets_have_the_default(socket, listener, keep, default_timeout):
    listener.settimeout(10)
    keep(socket.create_connection(listener.getsockname()))
    assert keep(listener.accept()[0]).gettimeout() is None
    default_timeout(8)
    keep(socket.create_connection(listener.getsockname()))
    assert keep(listener.accept()[0]).gettimeout() == 8


def test_zero_makes_sockets_non_blocking(socket, keep, default_timeout):
    default_timeout(0)
    left, right = map(keep, socket.socketpair())
    with pytest.raises(BlockingIOError):
        left.recv(1)


def test_a_socket_from_a_descriptor_has_it_too(socket, keep, default_timeout):
    default_timeout(6)
    number = socket.socket().detach()
    assert keep(socket.socket(fileno=number)).gettimeout() == 6


def test_one_default_for_the_package_and_its_extension(socket, default_timeout):
    default_timeout(11)
    assert socket._socket.getdefaulttimeout() == 11


def test_arity(both, answer):
    for name, arguments in (("getdefaulttimeout", (1,)), ("setdefaulttimeout", ()), ("setdefaulttimeout", (1, 2))):
        outcomes = [answer(getattr(each, name), *arguments) for each in both]
        assert outcomes[0] == outcomes[1]
        assert outcomes[0][1] is TypeError
