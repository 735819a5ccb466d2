"""`getsockopt_bytes`: the value of an option, of any length."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

import pytest
from marks import only_oxisocket

pytestmark = only_oxisocket

SO_ATTACH_FILTER = SO_GET_FILTER = 26
LONGEST_FILTER = 4096  # instructions


@pytest.fixture
def udp(socket, keep):
    return keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))


def attach_filter(socket, sock, length):
    """Attach a filter that lets everything pass, and return its bytes: `length` times a struct sock_filter."""
    program = b"".join(struct.pack("HBBI", 6, 0, 0, number) for number in range(length, 0, -1))
    memory = ctypes.create_string_buffer(program)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", length, ctypes.addressof(memory)))
    return program


@pytest.mark.parametrize("length", [1, 128, 129, 1000, LONGEST_FILTER])
def test_a_long_value(socket, udp, length):
    program = attach_filter(socket, udp, length)
    assert udp.getsockopt_bytes(socket.SOL_SOCKET, SO_GET_FILTER) == program
    assert udp.getsockopt_bytes(socket.SOL_SOCKET, SO_GET_FILTER, len(program)) == program
    assert udp.getsockopt_bytes(socket.SOL_SOCKET, SO_GET_FILTER, 100_000) == program


def test_a_filter_that_does_not_fit_is_not_cut(socket, udp):
    program = attach_filter(socket, udp, 1000)
    with pytest.raises(OSError) as caught:
        udp.getsockopt_bytes(socket.SOL_SOCKET, SO_GET_FILTER, len(program) - 1)
    assert caught.value.errno == errno.EINVAL


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can belong to so many groups")
def test_the_memory_grows_until_the_value_fits(socket, run):
    """SO_PEERGROUPS answers ERANGE when the memory is too short."""
    report = run(
        """if True:
        import os, struct
        groups = sorted(range(1000, 31_000))
        os.setgroups(groups)
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
            listener.bind("")
            listener.listen()
            client.connect(listener.getsockname())
            value = client.getsockopt_bytes(socket.SOL_SOCKET, 59)
            assert sorted(struct.unpack(f"{len(value) // 4}I", value)) == groups
            try:
                client.getsockopt_bytes(socket.SOL_SOCKET, 59, 119_999)
            except OSError as error:
                print(len(value), os.strerror(error.errno))
        """
    )
    assert report == f"120000 {os.strerror(errno.ERANGE)}\n"


@pytest.mark.parametrize("size", [None, 4, 5, 1024, 1025, 1_000_000])
def test_a_short_value(socket, udp, size):
    arguments = () if size is None else (size,)
    value = udp.getsockopt_bytes(socket.SOL_SOCKET, socket.SO_TYPE, *arguments)
    assert value == struct.pack("i", socket.SOCK_DGRAM)
    assert type(value) is bytes


def test_a_value_is_cut_to_the_size(socket, udp):
    assert udp.getsockopt_bytes(socket.SOL_SOCKET, socket.SO_TYPE, 2) == struct.pack("i", socket.SOCK_DGRAM)[:2]


def test_an_empty_value(socket, udp):
    assert udp.getsockopt_bytes(socket.SOL_SOCKET, socket.SO_BINDTODEVICE) == b""


def test_it_agrees_with_getsockopt(socket, listener):
    level, option = socket.IPPROTO_TCP, socket.TCP_INFO
    assert len(listener.getsockopt_bytes(level, option)) == len(listener.getsockopt(level, option, 1024))
    assert listener.getsockopt_bytes(level=level, option=option, size=7) == listener.getsockopt(level, option, 7)
    assert listener.getsockopt_bytes(level, option, None) == listener.getsockopt_bytes(level, option, size=None)


def test_getsockopt_itself_is_as_before(socket, udp):
    with pytest.raises(OSError, match="getsockopt buflen out of range"):
        udp.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE, 1025)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), TypeError),
        ((1,), TypeError),
        ((1, "2"), TypeError),
        ((1, 3, "4"), TypeError),
        ((1, 3, 4.0), TypeError),
        ((1, 3, 4, 5), TypeError),
        ((1, 3, 0), ValueError),
        ((1, 3, -1), ValueError),
        ((1, 3, 2**31), OverflowError),
        ((2**31, 3), OverflowError),
        ((1, 12345), OSError),
        ((1, 12345, 10), OSError),
    ],
)
def test_what_is_refused(udp, arguments, error):
    with pytest.raises(error):
        udp.getsockopt_bytes(*arguments)


def test_a_socket_that_an_argument_closes(socket, udp):
    class Closing:
        def __index__(self):
            udp.close()
            return 4

    with pytest.raises(OSError) as caught:
        udp.getsockopt_bytes(socket.SOL_SOCKET, socket.SO_TYPE, Closing())
    assert caught.value.errno == errno.EBADF


def test_too_much_memory_is_an_error(run):
    report = run(
        """if True:
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
        with socket.socket() as sock:
            try:
                sock.getsockopt_bytes(socket.SOL_SOCKET, socket.SO_TYPE, 2**31 - 1)
            except MemoryError as error:
                print(repr(error))
            print(len(sock.getsockopt_bytes(socket.SOL_SOCKET, socket.SO_TYPE, 2**20)))
        """
    )
    assert report == "MemoryError()\n4\n"
