"""`tcp_info()`: struct tcp_info as a named tuple."""

from __future__ import annotations

import errno
import pickle
import struct
import sys
import threading

import pytest
from marks import only_oxisocket
from waiting import wait_until

pytestmark = only_oxisocket

# Where linux/tcp.h has the fields of Linux 7.0 that are no bit-fields: written down by hand, each with its offset and its format.
FIELDS = {
    "state": (0, "B"),
    "ca_state": (1, "B"),
    "retransmits": (2, "B"),
    "probes": (3, "B"),
    "backoff": (4, "B"),
    "options": (5, "B"),
    "rto_us": (8, "I"),
    "ato_us": (12, "I"),
    "snd_mss": (16, "I"),
    "rcv_mss": (20, "I"),
    "unacked": (24, "I"),
    "sacked": (28, "I"),
    "lost": (32, "I"),
    "retrans": (36, "I"),
    "fackets": (40, "I"),
    "last_data_sent_ms": (44, "I"),
    "last_ack_sent_ms": (48, "I"),
    "last_data_recv_ms": (52, "I"),
    "last_ack_recv_ms": (56, "I"),
    "pmtu": (60, "I"),
    "rcv_ssthresh": (64, "I"),
    "rtt_us": (68, "I"),
    "rttvar_us": (72, "I"),
    "snd_ssthresh": (76, "I"),
    "snd_cwnd": (80, "I"),
    "advmss": (84, "I"),
    "reordering": (88, "I"),
    "rcv_rtt_us": (92, "I"),
    "rcv_space": (96, "I"),
    "total_retrans": (100, "I"),
    "pacing_rate_bytes_per_second": (104, "Q"),
    "max_pacing_rate_bytes_per_second": (112, "Q"),
    "bytes_acked": (120, "Q"),
    "bytes_received": (128, "Q"),
    "segs_out": (136, "I"),
    "segs_in": (140, "I"),
    "notsent_bytes": (144, "I"),
    "min_rtt_us": (148, "I"),
    "data_segs_in": (152, "I"),
    "data_segs_out": (156, "I"),
    "delivery_rate_bytes_per_second": (160, "Q"),
    "busy_time_us": (168, "Q"),
    "rwnd_limited_us": (176, "Q"),
    "sndbuf_limited_us": (184, "Q"),
    "delivered": (192, "I"),
    "delivered_ce": (196, "I"),
    "bytes_sent": (200, "Q"),
    "bytes_retrans": (208, "Q"),
    "dsack_dups": (216, "I"),
    "reord_seen": (220, "I"),
    "rcv_ooopack": (224, "I"),
    "snd_wnd": (228, "I"),
    "rcv_wnd": (232, "I"),
    "rehash": (236, "I"),
    "total_rto": (240, "H"),
    "total_rto_recoveries": (242, "H"),
    "total_rto_time_ms": (244, "I"),
    "received_ce": (248, "I"),
    "delivered_e1_bytes": (252, "I"),
    "delivered_e0_bytes": (256, "I"),
    "delivered_ce_bytes": (260, "I"),
    "received_e1_bytes": (264, "I"),
    "received_e0_bytes": (268, "I"),
    "received_ce_bytes": (272, "I"),
}
SIZE = 280
ACCURATE_ECN = ["ecn_mode", "accecn_opt_seen", "accecn_fail_mode", "options2"]
BIT_FIELDS = ["snd_wscale", "rcv_wscale", "delivery_rate_app_limited", "fastopen_client_fail", *ACCURATE_ECN]
# The bytes at 6 and 7 and those from 276 on, as gcc lays these out: snd_wscale 7, rcv_wscale 9, app_limited 1, client_fail 2,
# ecn_mode 2, opt_seen 1, fail_mode 9, options2 0xABCDEF.
BITS = {"little": ("9705", "96efcdab"), "big": ("79c0", "99abcdef")}


@pytest.fixture
def decode(socket):
    from oxisocket._beyond import tcp_info

    return tcp_info.decode


def laid_out(byteorder):
    """A struct tcp_info, and the values that are in it: each its own, and none a palindrome of bytes."""
    memory, values = bytearray(SIZE), {}
    for number, (name, (offset, unit)) in enumerate(FIELDS.items(), 1):
        value = number if unit == "B" else int.from_bytes(bytes([number, *range(1, struct.calcsize(unit))]), "big")
        struct.pack_into({"little": "<", "big": ">"}[byteorder] + unit, memory, offset, value)
        values[name] = value
    first, last = BITS[byteorder]
    memory[6:8], memory[276:280] = bytes.fromhex(first), bytes.fromhex(last)
    return bytes(memory), values


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_bytes_laid_out_by_hand(socket, decode, byteorder):
    memory, values = laid_out(byteorder)
    info = decode(memory, byteorder, (7, 0))
    assert sorted(info._fields) == sorted([*FIELDS, *BIT_FIELDS])
    assert {name: value for name, value in info._asdict().items() if name in FIELDS} == values
    assert [getattr(info, name) for name in BIT_FIELDS] == [7, 9, True, 2, 2, 1, 9, 0xABCDEF]
    assert (type(info), type(info.state), type(info.ca_state)) == (socket.TcpInfo, socket.TcpState, socket.TcpCaState)
    assert info.options is socket.TcpOption.SACK | socket.TcpOption.WSCALE
    assert info.delivery_rate_app_limited is True


@pytest.mark.parametrize(("byteorder", "last"), [("little", "09000100"), ("big", "00090001")])
@pytest.mark.parametrize("kernel", [(6, 18), (6, 19)])
def test_the_end_of_the_structure_before_linux_7(decode, byteorder, last, kernel):
    info = decode(laid_out(byteorder)[0][:-4] + bytes.fromhex(last), byteorder, kernel)
    assert [getattr(info, name) for name in ACCURATE_ECN] == [None, 1, 9, None]


@pytest.mark.parametrize("size", [104, 120, 136, 144, 152, 160, 168, 192, 200, 224, 232, 240, 248, SIZE])
def test_fields_that_a_kernel_does_not_have_are_none(decode, size):
    memory, values = laid_out(sys.byteorder)
    info = decode(memory[:size], kernel=(7, 0))
    for name, (offset, _) in FIELDS.items():
        assert getattr(info, name) == (values[name] if offset < size else None), name
    for name in ACCURATE_ECN:
        assert (getattr(info, name) is None) is (size < SIZE)


def test_a_field_that_is_there_in_part_is_none(decode):
    info = decode(laid_out(sys.byteorder)[0][:107])
    assert info.total_retrans is not None
    assert info.pacing_rate_bytes_per_second is None


def test_a_later_kernel_s_fields_are_ignored(decode):
    memory, _ = laid_out(sys.byteorder)
    assert decode(memory + b"\xff" * 100, kernel=(9, 9)) == decode(memory, kernel=(9, 9))


@pytest.mark.parametrize("size", [0, 8, 103])
def test_bytes_that_are_no_such_structure(decode, size):
    with pytest.raises(ValueError, match=f"{size} bytes"):
        decode(bytes(size))


def test_a_later_kernel_s_states(socket, decode):
    memory = bytearray(laid_out(sys.byteorder)[0])
    memory[0:2], memory[5] = b"\x63\x64", 0xFF
    info = decode(bytes(memory))
    assert (info.state, info.state.name, type(info.state)) == (99, "UNKNOWN_99", socket.TcpState)
    assert (info.ca_state, info.ca_state.name) == (100, "UNKNOWN_100")
    assert info.options == 255
    assert pickle.loads(pickle.dumps(info)) == info
    with pytest.raises(ValueError):
        socket.TcpState("LISTEN")


@pytest.mark.parametrize(
    ("release", "version"), [("6.18.44-generic", (6, 18)), ("7.0-rc1", (7, 0)), ("10.2.3", (10, 2)), ("odd", (0, 0))]
)
def test_versions_of_kernels(decode, release, version):
    assert sys.modules[decode.__module__]._version(release) == version


def test_a_connection(socket, tcp_pair):
    client, server = tcp_pair
    client.sendall(b"x" * 1000)
    server.recv(1000, socket.MSG_WAITALL)
    info = client.tcp_info()
    assert type(info) is socket.TcpInfo
    assert info.state is socket.TcpState.ESTABLISHED
    assert info.snd_mss > 0 and info.snd_cwnd > 0 and info.rtt_us > 0
    assert isinstance(info.last_data_sent_ms, int)
    # A kernel older than 4.19 does not count them.
    assert info.bytes_sent in (None, 1000)
    assert server.tcp_info().bytes_received in (None, 1000)


def test_it_agrees_with_the_bytes(socket, tcp_pair, decode):
    sock, _ = tcp_pair
    memory = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1024)
    info, again = decode(memory), sock.tcp_info()
    assert [name for name, value in info._asdict().items() if value is None] == [
        name for name, value in again._asdict().items() if value is None
    ]
    for name in ("state", "options", "snd_mss", "rcv_mss", "advmss", "pmtu", "snd_wscale", "rcv_wscale"):
        assert getattr(info, name) == getattr(again, name)


def test_a_listener(socket, listener, keep):
    listener.listen(5)
    info = listener.tcp_info()
    assert (info.state, info.unacked, info.sacked) == (socket.TcpState.LISTEN, 0, 5)
    keep(socket.create_connection(listener.getsockname()))
    wait_until(lambda: listener.tcp_info().unacked == 1)


def test_states_follow_each_other(socket, tcp_pair):
    client, server = tcp_pair
    server.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""
    assert client.tcp_info().state is socket.TcpState.CLOSE_WAIT
    assert server.tcp_info().state in (socket.TcpState.FIN_WAIT1, socket.TcpState.FIN_WAIT2)
    with socket.socket() as new:
        assert new.tcp_info().state is socket.TcpState.CLOSE


@pytest.mark.parametrize("kind", ["udp", "unix"])
def test_other_sockets_are_refused(socket, keep, kind):
    sock = keep(socket.socket(socket.AF_INET if kind == "udp" else socket.AF_UNIX, socket.SOCK_DGRAM))
    with pytest.raises(OSError) as caught:
        sock.tcp_info()
    assert caught.value.errno in (errno.ENOPROTOOPT, errno.EOPNOTSUPP)


def test_a_closed_socket_is_refused(socket):
    sock = socket.socket()
    sock.close()
    with pytest.raises(OSError) as caught:
        sock.tcp_info()
    assert caught.value.errno == errno.EBADF


def test_arguments_are_refused(socket, listener):
    with pytest.raises(TypeError):
        listener.tcp_info(1)


def test_a_subclass_has_it_too(socket, keep):
    class Derived(socket.socket):
        pass

    assert keep(Derived()).tcp_info().state is socket.TcpState.CLOSE


def test_threads_can_ask_at_the_same_time(socket, tcp_pair):
    def ask():
        found.extend(tcp_pair[0].tcp_info().state for _ in range(200))

    found = []
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [socket.TcpState.ESTABLISHED] * 800


def test_names_say_where_they_come_from(socket, listener):
    info = listener.tcp_info()
    for each in (info, info.state, info.ca_state, info.options):
        kind = type(each)
        assert kind.__module__ == "oxisocket"
        assert getattr(socket, kind.__name__) is kind
    assert pickle.loads(pickle.dumps(info)) == info


def test_nothing_of_it_is_imported_before_it_is_used(run):
    report = run(
        """if True:
        import sys
        assert not [name for name in sys.modules if name.startswith("oxisocket._beyond")]
        assert "TcpInfo" not in vars(socket) and hasattr(socket, "TcpInfo")
        from oxisocket import TcpState
        assert vars(socket)["TcpState"] is TcpState
        try:
            socket.TcpInf
        except AttributeError as error:
            print(error, error.name, error.obj is socket)
        """
    )
    assert report == "module 'oxisocket' has no attribute 'TcpInf' TcpInf True\n"
