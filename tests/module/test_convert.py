"""Conversions: byte order, addresses in presentation and packed form, sizes of control messages."""

import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

compared = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)


def byte_swapped(number, size):
    return int.from_bytes(number.to_bytes(size, sys.byteorder), "big")


@pytest.mark.parametrize("number", [0, 1, 0x1234, 0xFF00, 0xFFFF, True])
def test_short_byte_order(socket, number):
    assert socket.htons(number) == socket.ntohs(number) == byte_swapped(int(number), 2)
    assert type(socket.htons(number)) is type(socket.ntohs(number)) is int


@pytest.mark.parametrize("number", [0, 1, 0x12345678, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, True])
def test_long_byte_order(socket, number):
    assert socket.htonl(number) == socket.ntohl(number) == byte_swapped(int(number), 4)
    assert type(socket.htonl(number)) is type(socket.ntohl(number)) is int


@pytest.mark.parametrize("function", ["htons", "ntohs", "htonl", "ntohl"])
@pytest.mark.parametrize(
    "number",
    [-1, 2**16, 2**31, 2**32 - 1, 2**32, 2**63, 2**64, 2**70, -(2**31) - 1, -(2**63) - 1, -(2**70), 1.0, "1", b"1", None, [], 1j],
    ids=repr,
)  # fmt: skip
def test_byte_order_of_other_values(both, answer, function, number):
    outcomes = [answer(getattr(each, function), number) for each in both]
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("function", ["htons", "ntohs", "htonl", "ntohl"])
def test_byte_order_of_number_like_objects(both, answer, function):
    class Index:
        def __index__(self):
            return 5

    class Int:
        def __int__(self):
            return 5

    class Own(int):
        pass

    for value in (Index(), Int(), Own(5)):
        outcomes = [answer(getattr(each, function), value) for each in both]
        assert outcomes[0] == outcomes[1]


@compared
@given(number=st.integers(-(2**66), 2**66) | st.integers(0, 2**16) | st.integers(0, 2**32))
def test_byte_order_of_any_number(both, answer, number):
    for function in ("htons", "ntohs", "htonl", "ntohl"):
        outcomes = [answer(getattr(each, function), number) for each in both]
        assert outcomes[0] == outcomes[1]


IPV4 = {
    "0.0.0.0": b"\0\0\0\0",
    "127.0.0.1": b"\x7f\0\0\1",
    "255.255.255.255": b"\xff\xff\xff\xff",
    "1.2.3.4": b"\1\2\3\4",
    "10.0.0.255": b"\n\0\0\xff",
}
IPV4_ODD = [
    "127.1", "127.0.1", "1", "0", "4294967295", "4294967296", "0x7f.1", "0X7F.0.0.1", "0x7f000001", "017700000001", "010.1",
    "127.0.0.1 ", "127.0.0.1\t", "127.0.0.1 trailing", "127.0.0.1x", "127.0.0.1\n", " 127.0.0.1", "", " ", ".", "1.", "1..2",
    "1.2.3.4.5", "1.2.3.4.", "256.0.0.1", "1.256.0.1", "1.2.65535", "1.2.65536", "1.16777215", "1.16777216", "-1", "+1", "0x", "08",
    "1.2.3.08", "1.2.3.0x10", "1e3", "::1", "localhost", "\u0661.2.3.4", "1\xa02", "\xe9", "\udcff", "1.2.3.4\0", "\0", "0" * 300,
    "00000000000000000001.2.3.4", "127.0.0.01", "127.000.000.001",
]  # fmt: skip


@pytest.mark.parametrize("text", IPV4)
def test_ipv4_both_ways(socket, text):
    assert socket.inet_aton(text) == socket.inet_pton(socket.AF_INET, text) == IPV4[text]
    assert socket.inet_ntoa(IPV4[text]) == socket.inet_ntop(socket.AF_INET, IPV4[text]) == text


@pytest.mark.parametrize(("text", "packed"), [("127.1", IPV4["127.0.0.1"]), ("0x7f.1", IPV4["127.0.0.1"]),
                                              ("127.0.0.1 ", IPV4["127.0.0.1"]), ("0177.1", IPV4["127.0.0.1"])])  # fmt: skip
def test_ipv4_in_old_forms(socket, text, packed):
    assert socket.inet_aton(text) == packed
    with pytest.raises(OSError, match="illegal IP address string"):
        socket.inet_pton(socket.AF_INET, text)


@pytest.mark.parametrize("text", IPV4_ODD, ids=lambda text: repr(text)[:30])
def test_ipv4_in_odd_forms(both, answer, text):
    for function, arguments in (("inet_aton", (text,)), ("inet_pton", (2, text))):
        outcomes = [answer(getattr(each, function), *arguments) for each in both]
        assert outcomes[0] == outcomes[1]


IPV6 = {
    "::": bytes(16),
    "::1": bytes(15) + b"\1",
    "1::": b"\0\1" + bytes(14),
    "fe80::1": b"\xfe\x80" + bytes(13) + b"\1",
    "2001:db8::ff00:42:8329": bytes.fromhex("20010db8000000000000ff0000428329"),
    "::ffff:1.2.3.4": bytes(10) + b"\xff\xff\1\2\3\4",
    "1:2:3:4:5:6:7:8": bytes.fromhex("00010002000300040005000600070008"),
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": b"\xff" * 16,
}
IPV6_ODD = [
    "", ":", ":::", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7", "::1.2.3.4", "::1.2.3.256",
    "::1.2.3", "1::1.2.3.4:5", "::ABCD", "::abcg", "::12345", "00001::", "fe80::1%lo", "fe80::1%1", "::1 ", " ::1", "::1\0", "[::1]",
    "0:0:0:0:0:0:0:0", "0000:0000:0000:0000:0000:0000:0000:0001", "1:0:0:2:0:0:0:3", "::0.0.0.0", "127.0.0.1", "::\xe9", "\udcff",
    "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4",
]  # fmt: skip


@pytest.mark.parametrize("text", IPV6)
def test_ipv6_both_ways(socket, text):
    assert socket.inet_pton(socket.AF_INET6, text) == IPV6[text]
    assert socket.inet_ntop(socket.AF_INET6, IPV6[text]) == text


@pytest.mark.parametrize("text", IPV6_ODD, ids=repr)
def test_ipv6_in_odd_forms(both, answer, text):
    outcomes = [answer(each.inet_pton, each.AF_INET6, text) for each in both]
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("function", ["inet_aton", "inet_pton"])
@pytest.mark.parametrize("text", [None, 5, b"127.0.0.1", 1.5, [], bytearray(b"1")], ids=repr)
def test_address_that_is_not_a_str(both, answer, function, text):
    arguments = (text,) if function == "inet_aton" else (2, text)
    outcomes = [answer(getattr(each, function), *arguments) for each in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


PACKED_WRONG = [b"", b"123", b"12345", bytes(15), bytes(17), "1234", None, 5, [1, 2, 3, 4], b"1234" * 1000]


@pytest.mark.parametrize("packed", PACKED_WRONG, ids=lambda packed: repr(packed)[:30])
def test_packed_address_of_a_wrong_size(both, answer, packed):
    for function, arguments in (("inet_ntoa", (packed,)), ("inet_ntop", (2, packed)), ("inet_ntop", (10, packed))):
        outcomes = [answer(getattr(each, function), *arguments) for each in both]
        assert outcomes[0] == outcomes[1]
        assert outcomes[0][0] == "raised"


@pytest.mark.parametrize("shape", [bytes, bytearray, memoryview])
def test_packed_address_in_any_buffer(socket, shape):
    assert socket.inet_ntoa(shape(b"\1\2\3\4")) == "1.2.3.4"
    assert socket.inet_ntop(socket.AF_INET, shape(b"\1\2\3\4")) == "1.2.3.4"
    assert socket.inet_ntop(socket.AF_INET6, shape(bytes(16))) == "::"


def test_packed_address_in_a_non_contiguous_view(both, answer):
    gaps = memoryview(b"1.2.3.4.")[::2]
    for function, arguments in (("inet_ntoa", (gaps,)), ("inet_ntop", (2, gaps))):
        outcomes = [answer(getattr(each, function), *arguments) for each in both]
        assert outcomes[0] == outcomes[1]
        assert outcomes[0][0] == "raised"


def test_packed_address_is_released(socket):
    for size in (4, 5):  # accepted, and refused
        packed = bytearray(size)
        for function, arguments in ((socket.inet_ntoa, (packed,)), (socket.inet_ntop, (socket.AF_INET, packed))):
            try:
                function(*arguments)
            except (OSError, ValueError):
                assert size == 5
            packed.append(0)  # raises BufferError while the buffer is exported
            packed.pop()


@pytest.mark.parametrize("family", [-1, 0, 1, 16, 99, 2**31, 2**70, "2", None, 2.0], ids=repr)
def test_families_without_text_form(both, answer, family):
    for function, value in (("inet_pton", "1.2.3.4"), ("inet_ntop", b"1234")):
        outcomes = [answer(getattr(each, function), family, value) for each in both]
        assert outcomes[0] == outcomes[1]
        assert outcomes[0][0] == "raised"


@compared
@given(packed=st.binary(max_size=20) | st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16))
def test_any_packed_address(both, answer, packed):
    for function, arguments in (("inet_ntoa", (packed,)), ("inet_ntop", (2, packed)), ("inet_ntop", (10, packed))):
        outcomes = [answer(getattr(each, function), *arguments) for each in both]
        assert outcomes[0] == outcomes[1]


number = st.integers(0, 300).map(str) | st.integers(0, 2**33).map(hex) | st.integers(0, 2**33).map("0{:o}".format)
group = st.integers(0, 0x1FFFF).map("{:x}".format) | st.just("")
text_forms = (
    st.lists(number | st.integers(0, 2**33).map(str), min_size=1, max_size=5).map(".".join)
    | st.lists(group, max_size=9).map(":".join)
    | st.ip_addresses().map(str)
    | st.text(alphabet="0123456789abcdefxX.: %\0\xe9", max_size=40)
)


@compared
@given(text=text_forms, tail=st.sampled_from(["", " ", "\t", "x", " x", "\0", "%lo"]))
def test_any_address_text(both, answer, text, tail):
    for function, arguments in (("inet_aton", ()), ("inet_pton", (2,)), ("inet_pton", (10,))):
        outcomes = [answer(getattr(each, function), *arguments, text + tail) for each in both]
        assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("function", ["CMSG_LEN", "CMSG_SPACE"])
@pytest.mark.parametrize(
    "length",
    [0, 1, 4, 7, 8, 9, 100, 2**16, 2**31 - 100, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**64, 2**70, -1, -(2**70), True, "1", 1.5, None],
    ids=repr,
)  # fmt: skip
def test_control_message_sizes(both, answer, function, length):
    outcomes = [answer(getattr(each, function), length) for each in both]
    assert outcomes[0] == outcomes[1]


def test_control_message_sizes_grow(socket):
    for length in range(100):
        assert socket.CMSG_LEN(length) == socket.CMSG_LEN(0) + length
        assert socket.CMSG_SPACE(length) >= socket.CMSG_LEN(length)


@compared
@given(length=st.integers(-10, 2**64))
def test_control_message_size_of_any_length(both, answer, length):
    for function in ("CMSG_LEN", "CMSG_SPACE"):
        outcomes = [answer(getattr(each, function), length) for each in both]
        assert outcomes[0] == outcomes[1]
