"""Descriptors are not inherited by started programs (PEP 446), unless the program makes them inheritable."""

from __future__ import annotations

import array
import fcntl
import os
import subprocess
import sys

import pytest


def close_on_exec(number):
    return bool(fcntl.fcntl(number, fcntl.F_GETFD) & fcntl.FD_CLOEXEC)


MAKERS = {
    "socket": lambda socket, keep, listener: [socket.socket()],
    "udp": lambda socket, keep, listener: [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)],
    "socketpair": lambda socket, keep, listener: list(socket.socketpair()),
    "fromfd": lambda socket, keep, listener: [socket.fromfd(listener.fileno(), socket.AF_INET, socket.SOCK_STREAM)],
    "dup": lambda socket, keep, listener: [listener.dup()],
    "create_server": lambda socket, keep, listener: [socket.create_server(("127.0.0.1", 0))],
    "create_connection": lambda socket, keep, listener: [socket.create_connection(listener.getsockname())],
    "accept": lambda socket, keep, listener: [keep(socket.create_connection(listener.getsockname())) and listener.accept()[0]],
}


@pytest.mark.parametrize("name", MAKERS)
def test_not_inheritable_from_the_start(socket, keep, listener, name):
    for s in MAKERS[name](socket, keep, listener):
        keep(s)
        assert s.get_inheritable() is False
        assert os.get_inheritable(s.fileno()) is False
        assert close_on_exec(s.fileno())


def test_dup_of_a_number(socket, listener):
    number = socket.dup(listener.fileno())
    try:
        assert close_on_exec(number)
    finally:
        socket.close(number)


def test_set_inheritable(socket, listener, keep):
    assert listener.set_inheritable(True) is None
    assert listener.get_inheritable() is True
    assert not close_on_exec(listener.fileno())
    copy = keep(listener.dup())
    assert copy.get_inheritable() is False
    listener.set_inheritable(False)
    assert listener.get_inheritable() is False
    assert close_on_exec(listener.fileno())
    os.set_inheritable(listener.fileno(), True)
    assert listener.get_inheritable() is True


@pytest.mark.parametrize("value", [1, 0, -1, 2**31, "", "x", None, [], 1.5])
def test_any_value_is_true_or_false(agree, outcome, value):
    def put(socket):
        with socket.socket() as s:
            return outcome(s.set_inheritable, value), s.get_inheritable()

    agree(put)


@pytest.fixture(params=["recvmsg", "recvmsg_into"])
def receive(request, socket, unix_pair, listener):
    """Passes a descriptor; returns whether the received one has FD_CLOEXEC, and the flags of the message."""
    left, right = unix_pair
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener.fileno()]))]
    where = 1 if request.param == "recvmsg" else [bytearray(1)]

    def receive(flags):
        left.sendmsg([b"x"], rights)
        _, [(_, _, data)], came, _ = getattr(right, request.param)(where, 100, flags)
        [number] = array.array("i", data)
        try:
            return close_on_exec(number), came
        finally:
            os.close(number)

    return receive


def test_received_descriptors_are_not_inheritable_with_cmsg_cloexec(socket, receive):
    assert receive(socket.MSG_CMSG_CLOEXEC) == (True, socket.MSG_CMSG_CLOEXEC)


def test_the_returned_flags_have_cmsg_cloexec_only_if_given(socket, receive):
    assert receive(0)[1] == 0


@pytest.mark.holds(
    "Descriptors that `recvmsg` receives are not inheritable",
    "In the original they are inheritable, unless",
    "Other programs inherit only the descriptors",
)
def test_received_descriptors_are_never_inheritable(socket, ours, receive):
    assert receive(0)[0] is ours
    assert receive(socket.MSG_CMSG_CLOEXEC)[0] is True


@pytest.mark.parametrize("inheritable", [False, True])
def test_a_started_program_inherits_it_or_not(socket, listener, inheritable):
    listener.set_inheritable(inheritable)
    code = f"import os\ntry:\n os.fstat({listener.fileno()})\n print('here')\nexcept OSError:\n print('gone')"
    result = subprocess.run([sys.executable, "-S", "-E", "-c", code], close_fds=False, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ("here" if inheritable else "gone")
