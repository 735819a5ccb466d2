"""Descriptors sent over a UNIX socket: send_fds and recv_fds."""

import os
import sys

import pytest


@pytest.fixture
def files(tmp_path, keep):
    opened = [keep(open(tmp_path / str(number), "w+")) for number in range(3)]
    for number, file in enumerate(opened):
        file.write(f"file {number}")
        file.flush()
    return opened


@pytest.fixture
def numbers(files):
    return [file.fileno() for file in files]


@pytest.fixture
def received():
    """`received(recv_fds(...))` returns its argument, and closes the received descriptors after the test."""
    all_numbers = []

    def received(answer):
        all_numbers.extend(answer[1])
        return answer

    yield received
    for number in all_numbers:
        os.close(number)


def test_send_and_receive(socket, unix_pair, files, numbers, received):
    left, right = unix_pair
    assert socket.send_fds(left, [b"with ", b"files"], numbers) == 10
    data, arrived, flags, address = received(socket.recv_fds(right, 100, 3))
    assert (data, flags & ~socket.MSG_CMSG_CLOEXEC) == (b"with files", 0)
    assert not address
    assert type(arrived) is list and [type(number) for number in arrived] == [int] * 3
    for number, file in zip(arrived, files, strict=True):
        assert os.path.sameopenfile(number, file.fileno())
    assert [os.pread(number, 20, 0) for number in arrived] == [b"file 0", b"file 1", b"file 2"]


@pytest.mark.parametrize("kind", ["SOCK_DGRAM", "SOCK_SEQPACKET"])
def test_over_datagrams_and_packets(socket, keep, numbers, received, kind):
    left, right = map(keep, socket.socketpair(socket.AF_UNIX, getattr(socket, kind)))
    assert socket.send_fds(left, (b"x",), numbers[:1]) == 1
    data, arrived, _, _ = received(socket.recv_fds(right, 1, 1))
    assert data == b"x" and len(arrived) == 1


def test_passing_sockets(socket, unix_pair, tcp_pair, keep, received):
    left, right = unix_pair
    client, server = tcp_pair
    socket.send_fds(left, [b"!"], [server.fileno()])
    _, (number,), _, _ = received(socket.recv_fds(right, 1, 1))
    twin = keep(socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM))
    client.sendall(b"for either")
    assert twin.recv(20) == b"for either"


def test_fewer_than_allowed(socket, unix_pair, numbers, received):
    left, right = unix_pair
    socket.send_fds(left, [b"x"], numbers[:1])
    assert len(received(socket.recv_fds(right, 1, 8))[1]) == 1


def test_none(both):
    answers = []
    for each in both:
        left, right = each.socketpair()
        with left, right:
            assert each.send_fds(left, [b"data"], []) == 4
            answers.append(each.recv_fds(right, 10, 4))
    assert answers[0] == answers[1]
    assert answers[0][:2] == (b"data", [])


def test_eof(both):
    answers = []
    for each in both:
        left, right = each.socketpair()
        left.close()
        with right:
            answers.append(each.recv_fds(right, 10, 4))
    assert answers[0] == answers[1]
    assert answers[0][:2] == (b"", [])


def test_more_than_allowed_are_cut_off(socket, unix_pair, numbers, received, open_files):
    left, right = unix_pair
    socket.send_fds(left, [b"x"], numbers)
    before = open_files()
    data, arrived, flags, _ = received(socket.recv_fds(right, 1, 1))
    assert data == b"x"
    assert flags & socket.MSG_CTRUNC
    assert open_files() - before == set(arrived)  # each new descriptor was returned


@pytest.mark.holds("When `recv_fds` is interrupted", "In the original they stay open.")
def test_an_interruption_after_descriptors_were_received(socket, ours, unix_pair, numbers, open_files):
    """Whatever is raised then: here by a profiler, as a signal handler could."""
    left, right = unix_pair
    socket.send_fds(left, [b"x"], numbers)
    before = open_files()

    def interrupt(frame, event, argument):
        if event == "c_call" and getattr(argument, "__name__", "") == "frombytes":
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            socket.recv_fds(right, 1, len(numbers))
    finally:
        sys.setprofile(None)
    left_open = open_files() - before
    assert len(left_open) == (0 if ours else len(numbers))
    for number in left_open:
        os.close(number)


def test_any_sequence_of_numbers(socket, unix_pair, numbers, received):
    left, right = unix_pair
    for shape in (tuple, list, iter):
        socket.send_fds(left, [b"x"], shape(numbers))
        assert len(received(socket.recv_fds(right, 1, 3))[1]) == 3


def test_arguments_by_keyword(socket, unix_pair, numbers, received):
    left, right = unix_pair
    socket.send_fds(sock=left, buffers=[b"x"], fds=numbers, flags=0, address=None)
    assert len(received(socket.recv_fds(sock=right, bufsize=1, maxfds=3, flags=0))[1]) == 3


def test_any_object_with_the_methods(socket, unix_pair, numbers, received):
    """`send_fds` and `recv_fds` call methods of the object, so wrappers of sockets work."""
    left, right = unix_pair

    class Wrapper:
        def __init__(self, sock):
            self.sock = sock

        def sendmsg(self, *args):
            return self.sock.sendmsg(*args)

        def recvmsg(self, *args):
            return self.sock.recvmsg(*args)

    socket.send_fds(Wrapper(left), [b"x"], numbers)
    assert len(received(socket.recv_fds(Wrapper(right), 1, 3))[1]) == 3


def test_closed_number_is_refused(both, answer):
    outcomes = []
    for each in both:
        left, right = each.socketpair()
        with left, right:
            outcomes.append(answer(each.send_fds, left, [b"x"], [2**30]))
            right.setblocking(False)
            outcomes.append(answer(each.recv_fds, right, 1, 1))
    assert outcomes[:2] == outcomes[2:]
    assert all(outcome[0] == "raised" for outcome in outcomes)


@pytest.mark.parametrize(
    "arguments",
    [([b"x"], 5), ([b"x"], ["1"]), ([b"x"], [2**40]), ([b"x"], None), (5, [0]), ([5], [0]), (b"x", [0]), (["text"], [0]),
     ([b"x"],), (), ([b"x"], [0], 0, None, 1)],
    ids=repr,
)  # fmt: skip
def test_wrong_arguments_to_send(both, answer, arguments):
    outcomes = []
    for each in both:
        left, right = each.socketpair()
        with left, right:
            outcomes.append(answer(each.send_fds, left, *arguments))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


@pytest.mark.parametrize(
    "arguments", [(-1, 1), (1, -1), ("1", 1), (1, "1"), (1, None), (2**70, 1), (1, 2**70), (1,), (1, 1, 0, 1)], ids=repr
)
def test_wrong_arguments_to_receive(both, answer, arguments):
    outcomes = []
    for each in both:
        left, right = each.socketpair()
        with left, right:
            left.sendall(b"data")
            outcomes.append(answer(each.recv_fds, right, *arguments))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"
