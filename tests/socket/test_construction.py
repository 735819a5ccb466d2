"""Construction of sockets: families, types, protocols, from a descriptor, and what is refused."""

from __future__ import annotations

import errno
import os
import stat

import pytest
from machine import HAS_64_BITS, needs_inet6


@pytest.mark.parametrize(
    ("family", "kind"),
    [
        ("AF_INET", "SOCK_STREAM"),
        ("AF_INET", "SOCK_DGRAM"),
        pytest.param("AF_INET6", "SOCK_STREAM", marks=needs_inet6),
        pytest.param("AF_INET6", "SOCK_DGRAM", marks=needs_inet6),
        ("AF_UNIX", "SOCK_STREAM"),
        ("AF_UNIX", "SOCK_DGRAM"),
        ("AF_UNIX", "SOCK_SEQPACKET"),
    ],
)
def test_family_and_type_are_as_requested(socket, family, kind):
    with socket.socket(getattr(socket, family), getattr(socket, kind)) as s:
        assert s.family is getattr(socket, family)
        assert s.type is getattr(socket, kind)
        assert s.proto == 0
        assert s.fileno() > 2
        assert s.gettimeout() is None
        assert stat.S_ISSOCK(os.fstat(s.fileno()).st_mode)


def test_without_arguments_it_is_tcp_over_ipv4(socket):
    with socket.socket() as s:
        assert (s.family, s.type, s.proto) == (socket.AF_INET, socket.SOCK_STREAM, 0)


def test_keyword_arguments(socket):
    with socket.socket(family=socket.AF_INET, type=socket.SOCK_DGRAM, proto=socket.IPPROTO_UDP, fileno=None) as s:
        assert (s.family, s.type, s.proto) == (socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP)


def test_plain_ints_instead_of_enum_members(socket):
    with socket.socket(int(socket.AF_INET), int(socket.SOCK_DGRAM)) as s:
        assert s.family is socket.AF_INET
        assert s.type is socket.SOCK_DGRAM


def test_minus_one_means_the_default(socket):
    with socket.socket(-1, -1, -1) as s:
        assert (s.family, s.type, s.proto) == (socket.AF_INET, socket.SOCK_STREAM, 0)


def test_flags_in_the_type_apply_and_are_hidden(socket):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as s:
        assert s.type is socket.SOCK_STREAM
        assert s.gettimeout() == 0
        assert s.getblocking() is False
        assert os.get_blocking(s.fileno()) is False


@pytest.mark.parametrize(
    ("args", "number"),
    [
        ((12345,), errno.EAFNOSUPPORT),
        ((-2,), errno.EAFNOSUPPORT),
        ((2, 12345), errno.EINVAL),
        ((2, -2), errno.EINVAL),
        ((2, 1, 12345), errno.EINVAL),
        ((2, 1, 17), errno.EPROTONOSUPPORT),
    ],
)
def test_an_error_of_the_kernel_is_an_oserror(socket, args, number):
    with pytest.raises(OSError) as caught:
        socket.socket(*args)
    assert caught.value.errno == number
    assert caught.value.strerror == os.strerror(number)


class TestFromDescriptor:
    @pytest.mark.parametrize(
        ("family", "kind"),
        [
            ("AF_INET", "SOCK_DGRAM"),
            pytest.param("AF_INET6", "SOCK_STREAM", marks=needs_inet6),
            ("AF_UNIX", "SOCK_DGRAM"),
        ],
    )
    def test_family_type_and_proto_are_detected(self, socket, family, kind):
        with socket.socket(getattr(socket, family), getattr(socket, kind)) as original:
            number, proto = original.fileno(), original.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)
            with socket.socket(fileno=original.detach()) as s:
                assert (s.family, s.type) == (getattr(socket, family), getattr(socket, kind))
                assert (s.fileno(), s.proto) == (number, proto)

    def test_given_family_and_type_are_not_checked(self, socket):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as original:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, 33, fileno=original.detach()) as s:
                assert (s.family, s.type, s.proto) == (socket.AF_INET6, socket.SOCK_DGRAM, 33)

    def test_the_descriptor_is_not_duplicated(self, socket, unix_pair):
        left, right = unix_pair
        with socket.socket(fileno=left.detach()) as s:
            s.sendall(b"over")
            assert right.recv(10) == b"over"

    def test_a_file_is_not_a_socket_and_stays_open(self, socket, tmp_path):
        with open(tmp_path / "file", "wb") as file:
            with pytest.raises(OSError) as caught:
                socket.socket(fileno=file.fileno())
            assert caught.value.errno == errno.ENOTSOCK
            file.write(b"still open")

    def test_a_closed_number_is_refused(self, socket):
        with socket.socket() as s:
            number = s.fileno()
        with pytest.raises(OSError) as caught:
            socket.socket(fileno=number)
        assert caught.value.errno == errno.EBADF

    def test_a_negative_number_is_refused(self, both, outcome):
        mine, theirs = (outcome(module.socket, fileno=-1) for module in both)
        assert mine == theirs
        assert mine[1] is ValueError

    def test_the_mode_of_the_descriptor_is_not_changed(self, socket, unix_pair):
        left, _ = unix_pair
        left.setblocking(False)
        with socket.socket(fileno=left.detach()) as s:
            assert s.gettimeout() is None
            assert os.get_blocking(s.fileno()) is False


@pytest.mark.parametrize(
    ("args", "keywords"),
    [
        (("2",), {}),
        ((2.0,), {}),
        ((None,), {}),
        ((2, None), {}),
        ((2, 1, None), {}),
        ((2, 1, "tcp"), {}),
        ((2, 1.5), {}),
        ((2**31,), {}),
        ((2, 2**64), {}),
        ((2, 1, -(2**40)), {}),
        ((2, 1, 0, None, None), {}),
        ((), {"fileno": "3"}),
        ((), {"fileno": 3.5}),
        ((), {"fileno": -7}),
        ((), {"fileno": -(2**70)}),
        ((), {"fileno": 10**6}),
        ((), {"famly": 2}),
        ((2,), {"family": 2}),
    ],
)
def test_wrong_arguments_are_refused_with_the_same_text(both, outcome, args, keywords):
    mine, theirs = (outcome(module.socket, *args, **keywords) for module in both)
    assert mine == theirs
    assert mine[0] == "raised"


@pytest.mark.holds("A descriptor number that does not fit into a C `int`", "The original keeps the low 32 bits, which")
@pytest.mark.parametrize("more", [2**32, 2**40, -(2**32)])
@pytest.mark.parametrize("take", ["socket", "fromfd", "dup", "close"])
def test_a_number_that_fits_no_c_int_is_not_truncated(socket, ours, take, more):
    number = os.open(os.devnull, os.O_RDONLY) if take == "close" else socket.socket().detach()
    calls = {
        "socket": lambda odd: socket.socket(fileno=odd),
        "fromfd": lambda odd: socket.fromfd(odd, socket.AF_INET, socket.SOCK_STREAM),
        "dup": lambda odd: os.close(socket.dup(odd)),
        "close": socket.close,
    }
    try:
        if ours:
            refusal = OverflowError if take == "socket" or not HAS_64_BITS else OSError
            with pytest.raises(refusal, match=r"int too large to convert to C (int|long)$|Bad file descriptor$"):
                calls[take](number + more)
        elif not HAS_64_BITS:  # it does not fit a C `long` either
            with pytest.raises(OverflowError):
                calls[take](number + more)
        elif take == "close":
            assert socket.close(number + more) is None
            with pytest.raises(OSError):
                os.fstat(number)
        else:
            taken = calls[take](number + more)
            if taken is not None:
                assert os.path.samestat(os.fstat(taken.fileno()), os.fstat(number))
                (taken.detach if take == "socket" else taken.close)()
    finally:
        if ours or take != "close" or not HAS_64_BITS:
            os.close(number)


@pytest.mark.holds("A socket whose `__init__` never ran", "`close()`, the with-statement and `makefile()` work on it")
@pytest.mark.parametrize("missed", ["_closed", "_io_refs"])
@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # from the file object that the stdlib has made then
def test_init_that_never_ran(socket, ours, outcome, missed):
    made = socket.socket.__new__(socket.socket)
    assert (made.fileno(), hasattr(made, missed)) == (-1, ours)
    outcomes = [outcome(made.close), outcome(made.__exit__, None, None, None)]
    made = socket.socket.__new__(socket.socket)
    outcomes.append(outcome(made.__exit__, None, None, None))
    if ours:
        assert outcomes == [("returned", None)] * 3
        with made.makefile("rb") as file, pytest.raises(OSError) as caught:
            file.read()
        assert caught.value.errno == errno.EBADF
    else:
        with pytest.raises(AttributeError, match="'_io_refs'"):
            made.makefile("rb")
        assert [each[1] for each in outcomes] == [AttributeError, None, AttributeError]


def test_a_refused_socket_leaks_no_descriptor(socket, open_files):
    before = open_files()
    for args in [(12345,), (2, 12345), ("x",), (2, 1, 17)]:
        with pytest.raises((OSError, TypeError)):
            socket.socket(*args)
    assert open_files() == before


def test_init_may_be_called_again(socket, keep):
    s = keep(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    number = s.detach()
    s.__init__(socket.AF_INET, socket.SOCK_STREAM, 0, number)
    assert s.fileno() == number
    assert s.type is socket.SOCK_STREAM
