"""`send_fds` and `recv_fds` with `honor_arguments`, and what becomes of descriptors."""

from __future__ import annotations

import errno
import os

import pytest
from marks import only_oxisocket

pytestmark = only_oxisocket


@pytest.fixture
def file(tmp_path, keep):
    return keep(open(tmp_path / "file", "w+"))


@pytest.fixture
def received():
    """`received(recv_fds(...))` returns its argument, and closes the received descriptors after the test."""
    numbers = []

    def received(answer):
        numbers.extend(answer[1])
        return answer

    yield received
    for number in numbers:
        os.close(number)


def test_flags_of_receiving(socket, unix_pair, file, received):
    left, right = unix_pair
    socket.send_fds(left, [b"data"], [file.fileno()])
    # MSG_PEEK leaves the message there. Each call gives duplicates of its own.
    answers = [received(socket.recv_fds(right, 4, 1, socket.MSG_PEEK, honor_arguments=True)) for _ in range(2)]
    answers.append(received(socket.recv_fds(right, 4, 1, honor_arguments=True)))
    numbers = [number for _, (number,), _, _ in answers]
    assert len({*numbers, file.fileno()}) == 4
    assert all(os.path.sameopenfile(number, file.fileno()) for number in numbers)
    assert not any(os.get_inheritable(number) for number in numbers)
    with pytest.raises(BlockingIOError):
        socket.recv_fds(right, 4, 1, socket.MSG_DONTWAIT, honor_arguments=True)


def test_flags_of_receiving_are_ignored_by_default(socket, unix_pair, file, received):
    left, right = unix_pair
    for arguments in ({}, {"honor_arguments": False}):
        socket.send_fds(left, [b"data"], [file.fileno()])
        received(socket.recv_fds(right, 4, 1, socket.MSG_PEEK, **arguments))
        right.setblocking(False)
        with pytest.raises(BlockingIOError):
            right.recv(4)


def test_flags_of_sending(socket, unix_pair, file):
    left, _ = unix_pair
    with pytest.raises(BlockingIOError):
        while True:
            socket.send_fds(left, [bytes(10_000)], [file.fileno()], socket.MSG_DONTWAIT, honor_arguments=True)
    assert not file.closed and os.fstat(file.fileno())


def test_an_address(socket, keep, tmp_path, file, received):
    receiver, sender = (keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) for _ in range(2))
    path = str(tmp_path / "s")
    receiver.bind(path)
    for arguments in ({}, {"honor_arguments": False}):
        with pytest.raises(OSError) as caught:
            socket.send_fds(sender, [], [file.fileno()], address=path, **arguments)
        assert caught.value.errno == errno.ENOTCONN
    assert socket.send_fds(sender, [], [file.fileno()], address=path, honor_arguments=True) == 0
    assert socket.send_fds(sender, [b"x"], [file.fileno()], 0, path, honor_arguments=True) == 1
    for data in (b"", b"x"):
        answer = received(socket.recv_fds(receiver, 10, 1))
        assert (answer[0], len(answer[1])) == (data, 1)


def test_without_flags_and_address_nothing_changes(socket, unix_pair, file, received):
    left, right = unix_pair
    assert socket.send_fds(left, [b"ab", b"c"], [file.fileno()], honor_arguments=True) == 3
    data, numbers, flags, address = received(socket.recv_fds(right, 10, 3, honor_arguments=True))
    assert (data, len(numbers), flags & socket.MSG_CTRUNC) == (b"abc", 1, 0)
    assert not address


def test_wrong_flags_are_refused(socket, unix_pair, file):
    left, right = unix_pair
    with pytest.raises(TypeError):
        socket.send_fds(left, [b"x"], [file.fileno()], "flags", honor_arguments=True)
    with pytest.raises(TypeError):
        socket.recv_fds(right, 1, 1, "flags", honor_arguments=True)
    with pytest.raises(TypeError):
        socket.recv_fds(right, 1, 1, 0, True)


def test_descriptors_without_room_are_closed_and_told(socket, unix_pair, file, received, open_files):
    left, right = unix_pair
    socket.send_fds(left, [b"x"], [file.fileno()] * 5)
    before = open_files()
    _, numbers, flags, _ = received(socket.recv_fds(right, 1, 2, honor_arguments=True))
    assert len(numbers) == 2 and flags & socket.MSG_CTRUNC
    assert open_files() - before == set(numbers)


def test_a_failed_send_leaves_the_callers_descriptors_open(socket, unix_pair, file):
    left, right = unix_pair
    right.close()
    with pytest.raises(BrokenPipeError):
        socket.send_fds(left, [b"x"], [file.fileno()], honor_arguments=True)
    assert os.fstat(file.fileno())
