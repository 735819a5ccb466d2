"""What the kernel knows of a TCP connection: ``struct tcp_info`` of ``linux/tcp.h``, decoded from its bytes."""

from __future__ import annotations

import os
import re
import struct
import sys
from bisect import bisect_right
from enum import IntEnum, IntFlag
from itertools import accumulate
from typing import Any, Literal, NamedTuple, Self


class _Numbered(IntEnum):
    """An enumeration that a later kernel may extend: an unknown number becomes a member named ``UNKNOWN_`` and the number."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{int(value)}"
        member._value_ = int(value)
        return member

    def __reduce_ex__(self, protocol: object, /) -> tuple[type[Self], tuple[int]]:
        # Early releases of Python 3.11 pickle a member by its name, by which an unknown one is not found.
        return type(self), (int(self),)


class TcpState(_Numbered):
    """The state of a TCP socket, by the kernel's names (RFC 9293)."""

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11
    NEW_SYN_RECV = 12
    BOUND_INACTIVE = 13


class TcpCaState(_Numbered):
    """The state of the congestion control: ``TCP_CA_`` and the name."""

    OPEN = 0
    DISORDER = 1
    CWR = 2
    RECOVERY = 3
    LOSS = 4


class TcpOption(IntFlag):
    """What the two ends have agreed on: ``TCPI_OPT_`` and the name."""

    TIMESTAMPS = 1
    SACK = 2
    WSCALE = 4
    ECN = 8
    ECN_SEEN = 16
    SYN_DATA = 32
    USEC_TS = 64
    TFO_CHILD = 128


class TcpInfo(NamedTuple):
    """What the kernel knows of a TCP connection, field by field as in ``struct tcp_info`` of ``linux/tcp.h``.

    A name ends with its unit where it is a time (``_us``, ``_ms``) or a rate. Names with ``segs`` count segments, names with
    ``bytes`` bytes; ``mss``, ``pmtu``, windows and ``ssthresh`` of the receiver are bytes, those of the sender (``snd_cwnd``,
    ``snd_ssthresh``) segments. A field that this kernel does not have is None. On a listening socket ``unacked`` is the number of
    connections that wait for ``accept()``, and ``sacked`` the backlog.
    """

    state: TcpState
    ca_state: TcpCaState
    retransmits: int
    """Retransmissions by timeout since the last acknowledgement."""
    probes: int
    """Unanswered probes of a zero window or of keep-alive."""
    backoff: int
    """How often ``rto_us`` was doubled."""
    options: TcpOption
    snd_wscale: int
    rcv_wscale: int
    delivery_rate_app_limited: bool
    """Whether the delivery rate was limited by the program, which had nothing to send."""
    fastopen_client_fail: int
    """Why TCP Fast Open failed: 0 unspecified, 1 no cookie, 2 data not acknowledged, 3 SYN retransmitted."""
    rto_us: int
    """The retransmission timeout."""
    ato_us: int
    """The timeout of delayed acknowledgements."""
    snd_mss: int
    rcv_mss: int
    unacked: int
    """Segments sent and not acknowledged."""
    sacked: int
    """Segments acknowledged selectively."""
    lost: int
    """Segments that are taken for lost."""
    retrans: int
    """Segments retransmitted and not acknowledged."""
    fackets: int
    """0 since Linux 4.15."""
    last_data_sent_ms: int
    """The time since data was last sent."""
    last_ack_sent_ms: int
    """Always 0: the kernel does not remember it."""
    last_data_recv_ms: int
    """The time since data was last received."""
    last_ack_recv_ms: int
    """The time since an acknowledgement was last received."""
    pmtu: int
    """The path MTU."""
    rcv_ssthresh: int
    rtt_us: int
    """The round-trip time, smoothed."""
    rttvar_us: int
    """How much the round-trip time varies."""
    snd_ssthresh: int
    """2147483647: no limit known."""
    snd_cwnd: int
    """The congestion window, in segments."""
    advmss: int
    reordering: int
    rcv_rtt_us: int
    """The round-trip time as the receiver estimates it."""
    rcv_space: int
    """The bytes that the program has read in the last round-trip time, at least."""
    total_retrans: int
    """Segments retransmitted in the life of the connection."""
    pacing_rate_bytes_per_second: int | None
    """18446744073709551615: no limit. Linux 3.15."""
    max_pacing_rate_bytes_per_second: int | None
    """18446744073709551615: no limit. Linux 3.15."""
    bytes_acked: int | None
    """Linux 4.1."""
    bytes_received: int | None
    """Linux 4.1."""
    segs_out: int | None
    """Linux 4.2."""
    segs_in: int | None
    """Linux 4.2."""
    notsent_bytes: int | None
    """Bytes that ``send()`` has taken and the kernel has not sent. Linux 4.6."""
    min_rtt_us: int | None
    """4294967295: not measured. Linux 4.6."""
    data_segs_in: int | None
    """Linux 4.6."""
    data_segs_out: int | None
    """Linux 4.6."""
    delivery_rate_bytes_per_second: int | None
    """Linux 4.9."""
    busy_time_us: int | None
    """How long there was data to send. Linux 4.10."""
    rwnd_limited_us: int | None
    """How long of this the peer's window was full. Linux 4.10."""
    sndbuf_limited_us: int | None
    """How long of this the send buffer was too small. Linux 4.10."""
    delivered: int | None
    """Segments delivered. Linux 4.18."""
    delivered_ce: int | None
    """Segments delivered with a congestion mark. Linux 4.18."""
    bytes_sent: int | None
    """With the retransmitted ones. Linux 4.19."""
    bytes_retrans: int | None
    """Linux 4.19."""
    dsack_dups: int | None
    """Duplicates that the peer has reported. Linux 4.19."""
    reord_seen: int | None
    """How often segments were seen out of order. Linux 4.19."""
    rcv_ooopack: int | None
    """Segments received out of order. Linux 5.4."""
    snd_wnd: int | None
    """The window that the peer advertises, in bytes. Linux 5.4."""
    rcv_wnd: int | None
    """The window that this end advertises, in bytes. Linux 6.2."""
    rehash: int | None
    """How often another path was tried. Linux 6.2."""
    total_rto: int | None
    """Retransmission timeouts in the life of the connection. Linux 6.7."""
    total_rto_recoveries: int | None
    """Linux 6.7."""
    total_rto_time_ms: int | None
    """The time spent in recovery from such timeouts. Linux 6.7."""
    received_ce: int | None
    """Segments received with a congestion mark. Linux 6.18."""
    delivered_e1_bytes: int | None
    delivered_e0_bytes: int | None
    delivered_ce_bytes: int | None
    received_e1_bytes: int | None
    received_e0_bytes: int | None
    received_ce_bytes: int | None
    """These six: the byte counters of Accurate ECN (RFC 9768). Linux 6.18."""
    ecn_mode: int | None
    """0 disabled, 1 RFC 3168, 2 Accurate ECN, 3 pending. Linux 7.0."""
    accecn_opt_seen: int | None
    accecn_fail_mode: int | None
    """Linux 6.18."""
    options2: int | None
    """More options, 24 bits. Linux 7.0."""


# The fields as they lie in memory, in groups of one size; the structure has no padding between them. Two bytes at the beginning
# and the last four hold bit-fields.
_LAYOUT = ["8B", "24I", "4Q", "6I", "4Q", "2I", "2Q", "6I", "2H", "I", "7I", "I"]
_UNITS = "".join(unit[-1] * int(unit[:-1] or 1) for unit in _LAYOUT)
_ENDS = list(accumulate(struct.calcsize(f"={unit}") for unit in _UNITS))
_STRUCTS = {"little": struct.Struct(f"<{_UNITS}"), "big": struct.Struct(f">{_UNITS}")}

_NONE = (None, None, None, None)


def _version(release: str) -> tuple[int, ...]:
    """The first two numbers of a kernel's version; ``(0, 0)`` if there are none."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return tuple(map(int, found.groups())) if found else (0, 0)


_KERNEL = _version(os.uname().release)


def decode(data: bytes, byteorder: Literal["little", "big"] = sys.byteorder, kernel: tuple[int, ...] = _KERNEL) -> TcpInfo:
    """Decode the bytes of a ``struct tcp_info``, which may be shorter or longer than the one that is known here.

    Raises ValueError if they do not even have the fields that each kernel since Linux 2.6 has.
    """
    known = bisect_right(_ENDS, len(data))
    if known < _UNITS.index("Q"):
        raise ValueError(f"a struct tcp_info of {len(data)} bytes is too short")
    decoder = _STRUCTS[byteorder]
    values: list[Any] = list(decoder.unpack(data[: decoder.size].ljust(decoder.size, b"\0")))
    values[known:] = [None] * (len(_UNITS) - known)
    state, ca_state, retransmits, probes, backoff, options, scales, flags, *numbers, accurate_ecn = values
    # A compiler fills a unit from its low bits on in little-endian machines, and from its high bits in big-endian ones.
    if byteorder == "little":
        snd_wscale, rcv_wscale, app_limited, fastopen = scales & 15, scales >> 4, flags & 1, flags >> 1 & 3
    else:
        snd_wscale, rcv_wscale, app_limited, fastopen = scales >> 4, scales & 15, flags >> 7, flags >> 5 & 3
    bits = (snd_wscale, rcv_wscale, bool(app_limited), fastopen)
    last = _NONE if accurate_ecn is None else _accurate_ecn(accurate_ecn, byteorder, kernel)
    first = (TcpState(state), TcpCaState(ca_state), retransmits, probes, backoff, TcpOption(options))
    return TcpInfo._make((*first, *bits, *numbers, *last))


def _accurate_ecn(
    word: int, byteorder: Literal["little", "big"], kernel: tuple[int, ...]
) -> tuple[int | None, int | None, int | None, int | None]:
    """``ecn_mode``, ``accecn_opt_seen``, ``accecn_fail_mode`` and ``options2``.

    Linux 6.18 and 6.19 have two numbers of 16 bits there, the fail mode first. Since 7.0 there are four bit-fields.
    """
    little = byteorder == "little"
    if kernel < (7, 0):
        fail_mode, seen = (word & 0xFFFF, word >> 16) if little else (word >> 16, word & 0xFFFF)
        return None, seen, fail_mode, None
    if little:
        return word & 3, word >> 2 & 3, word >> 4 & 15, word >> 8
    return word >> 30, word >> 28 & 3, word >> 24 & 15, word & 0xFFFFFF


# The module that programs take them from.
for _public in (TcpState, TcpCaState, TcpOption, TcpInfo):
    _public.__module__ = "oxisocket"
