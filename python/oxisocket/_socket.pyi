# The constants have the order and the headings of src/constants.rs.

# ruff: noqa: ERA001, N801, N802, N803 (headings are C names, and programs know these names)

import sys
from _io import _RawIOBase
from collections.abc import Callable, Iterable
from enum import IntEnum
from socket import gaierror as gaierror
from socket import herror as herror
from typing import Any, Final, Literal, Self, SupportsIndex, TypeAlias, TypeVar, overload

from _typeshed import ReadableBuffer, StrOrBytesPath, WriteableBuffer
from typing_extensions import CapsuleType, disjoint_base

import oxisocket

# The form of an address depends on the family: a tuple, a path or a name.
if sys.version_info >= (3, 14):
    # An int is the number of a Bluetooth device (BTPROTO_HCI).
    _Address: TypeAlias = tuple[Any, ...] | StrOrBytesPath | ReadableBuffer | int
else:
    _Address: TypeAlias = tuple[Any, ...] | StrOrBytesPath | ReadableBuffer
# The family is not part of a socket's type: the caller knows the form of the address, and a union would only be in the way.
_ReturnedAddress: TypeAlias = Any
# Level, type and data of a control message.
_Ancillary: TypeAlias = tuple[int, int, bytes]
_AncillaryToSend: TypeAlias = tuple[int, int, ReadableBuffer]

_S = TypeVar("_S")

__version__: Final[str]

error = OSError
timeout = TimeoutError

class _GiveupOnSendfile(Exception): ...

@disjoint_base
class socket:
    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: SupportsIndex | None = None) -> None: ...
    def __del__(self) -> None: ...
    @property
    def family(self) -> int: ...
    @property
    def type(self) -> int: ...
    @property
    def proto(self) -> int: ...
    @property
    def timeout(self) -> float | None: ...
    def _accept(self) -> tuple[int, _ReturnedAddress]: ...
    def bind(self, address: _Address, /) -> None: ...
    def close(self) -> None: ...
    def connect(self, address: _Address, /) -> None: ...
    def connect_ex(self, address: _Address, /) -> int: ...
    def detach(self) -> int: ...
    def fileno(self) -> int: ...
    def getblocking(self) -> bool: ...
    def getpeername(self) -> _ReturnedAddress: ...
    def getsockname(self) -> _ReturnedAddress: ...
    @overload
    def getsockopt(self, level: int, option: int, /) -> int: ...
    @overload
    def getsockopt(self, level: int, option: int, buffersize: int, /) -> bytes: ...
    def gettimeout(self) -> float | None: ...
    def listen(self, backlog: int = 128, /) -> None: ...
    def recv(self, bufsize: int, flags: int = 0, /) -> bytes: ...
    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int: ...
    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, _ReturnedAddress]: ...
    def recvfrom_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> tuple[int, _ReturnedAddress]: ...
    def recvmsg(
        self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[bytes, list[_Ancillary], int, _ReturnedAddress]: ...
    def recvmsg_into(
        self, buffers: Iterable[WriteableBuffer], ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[int, list[_Ancillary], int, _ReturnedAddress]: ...
    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int: ...
    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None: ...
    def sendmsg(
        self,
        buffers: Iterable[ReadableBuffer],
        ancdata: Iterable[_AncillaryToSend] = (),
        flags: int = 0,
        address: _Address | None = None,
        /,
    ) -> int: ...
    def sendmsg_afalg(
        self, msg: Iterable[ReadableBuffer] = ..., *, op: int, iv: ReadableBuffer = ..., assoclen: int = ..., flags: int = 0
    ) -> int: ...
    @overload
    def sendto(self, data: ReadableBuffer, address: _Address, /) -> int: ...
    @overload
    def sendto(self, data: ReadableBuffer, flags: int, address: _Address, /) -> int: ...
    def setblocking(self, flag: bool, /) -> None: ...
    @overload
    def setsockopt(self, level: int, option: int, value: int | ReadableBuffer, /) -> None: ...
    @overload
    def setsockopt(self, level: int, option: int, value: None, optlen: int, /) -> None: ...
    def settimeout(self, value: float | None, /) -> None: ...
    def shutdown(self, how: int, /) -> None: ...

SocketType = socket

Socket: TypeAlias = oxisocket.socket

@disjoint_base
class RawSocketIO(_RawIOBase):
    _sock: socket | None
    _timeout_occurred: bool
    @property
    def _mode(self) -> Literal["rb", "wb", "rwb"]: ...
    @property
    def _reading(self) -> bool: ...
    @property
    def _writing(self) -> bool: ...
    def __init__(self, sock: oxisocket.socket, mode: Literal["r", "w", "rw", "rb", "wb", "rwb"]) -> None: ...
    @property
    def mode(self) -> Literal["rb", "wb", "rwb"]: ...
    @property
    def name(self) -> int: ...
    # None: the call on a non-blocking socket would block.
    def readinto(self, b: WriteableBuffer) -> int | None: ...
    def write(self, b: ReadableBuffer) -> int | None: ...

# The deadlines of a thread, for `oxisocket.deadline`.
@disjoint_base
class _Deadline:
    def __new__(cls, seconds: float, /) -> Self: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    @property
    def remaining(self) -> float: ...
    @property
    def seconds(self) -> float: ...

def _remaining_time() -> float | None: ...

# Notes on errors, for `create_connection` and `install`.
def _note_attempt(
    error: OSError,
    address: _ReturnedAddress,
    host: str | bytes | None,
    local: _ReturnedAddress | None = None,
    seconds: float | None = None,
    cause: Literal["timeout", "total_timeout", "deadline"] | None = None,
    /,
) -> None: ...
def _note_look_up(
    error: OSError,
    host: str | bytes | None,
    port: str | bytes | int | None,
    seconds: float | None = None,
    cause: Literal["total_timeout", "deadline"] | None = None,
    /,
) -> None: ...
def _note_attempts(errors: list[OSError], /) -> None: ...
def _switch_notes(on: bool, /) -> bool: ...
def _register(AddressFamily: type[IntEnum], SocketKind: type[IntEnum], names: dict[str, object], /) -> None: ...
def _getifaddrs() -> list[tuple[str, int, int, int | None, str | None, str | None, int | None, str | None, int]]: ...
def _reader_class() -> type[oxisocket.Reader]: ...

# Recordings of the calls, for `oxisocket.trace`, `oxisocket.observe`, `oxisocket.sockets`.
def _trace_begin(
    target: int | Callable[[str], object] | None,
    path: bytes | None,
    form: str,
    bytes: int,
    filter: str,
    program: str,
    colour: bool,
    callers: bool,
    /,
) -> int: ...
def _trace_end(handle: int, /) -> tuple[int, int, bytes | None] | None: ...
def _trace_tls(
    name: str, sock: socket, method: Callable[..., _S], arguments: tuple[object, ...], keywords: dict[str, object], /
) -> _S: ...
def _trace_not(function: Callable[..., _S], /, *arguments: object) -> _S: ...
def _trace_facts(sock: object, /) -> tuple[int, int, int, int, tuple[float, float, str | None]] | None: ...
def _hand_over(cls: type[_S], family: int, type: int, proto: int, fileno: int, is_new: bool, /) -> _S: ...
def close(fd: SupportsIndex, /) -> None: ...
def dup(fd: SupportsIndex, /) -> int: ...
def socketpair(family: int = ..., type: int = ..., proto: int = 0, /) -> tuple[socket, socket]: ...
def getdefaulttimeout() -> float | None: ...
def setdefaulttimeout(timeout: float | None, /) -> None: ...
def getaddrinfo(
    host: str | bytes | None, port: str | bytes | int | None, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]]: ...

_public_getaddrinfo = oxisocket.getaddrinfo

def getnameinfo(
    sockaddr: tuple[str, int] | tuple[str, int, int] | tuple[str, int, int, int], flags: int, /
) -> tuple[str, str]: ...
def gethostbyaddr(host: str | bytes, /) -> tuple[str, list[str], list[str]]: ...
def gethostbyname(host: str | bytes, /) -> str: ...
def gethostbyname_ex(host: str | bytes, /) -> tuple[str, list[str], list[str]]: ...
def gethostname() -> str: ...
def sethostname(name: str | bytes, /) -> None: ...
def getprotobyname(protocolname: str, /) -> int: ...
def getservbyname(servicename: str, protocolname: str = ..., /) -> int: ...
def getservbyport(port: int, protocolname: str = ..., /) -> str: ...
def if_indextoname(if_index: int, /) -> str: ...
def if_nameindex() -> list[tuple[int, str]]: ...
def if_nametoindex(oname: StrOrBytesPath, /) -> int: ...
def htonl(integer: int, /) -> int: ...
def htons(integer: int, /) -> int: ...
def ntohl(integer: int, /) -> int: ...
def ntohs(integer: int, /) -> int: ...
def inet_aton(ip_addr: str, /) -> bytes: ...
def inet_ntoa(packed_ip: ReadableBuffer, /) -> str: ...
def inet_ntop(af: int, packed_ip: ReadableBuffer, /) -> str: ...
def inet_pton(af: int, ip: str, /) -> bytes: ...
def CMSG_LEN(length: int, /) -> int: ...
def CMSG_SPACE(length: int, /) -> int: ...

CAPI: CapsuleType
has_ipv6: Final[bool]

# Address families
AF_ALG: Final[int]
AF_APPLETALK: Final[int]
AF_ASH: Final[int]
AF_ATMPVC: Final[int]
AF_ATMSVC: Final[int]
AF_AX25: Final[int]
AF_BLUETOOTH: Final[int]
AF_BRIDGE: Final[int]
AF_CAN: Final[int]
AF_DECnet: Final[int]
AF_ECONET: Final[int]
AF_INET: Final[int]
AF_INET6: Final[int]
AF_IPX: Final[int]
AF_IRDA: Final[int]
AF_KEY: Final[int]
AF_LLC: Final[int]
AF_NETBEUI: Final[int]
AF_NETLINK: Final[int]
AF_NETROM: Final[int]
AF_PACKET: Final[int]
AF_PPPOX: Final[int]
AF_QIPCRTR: Final[int]
AF_RDS: Final[int]
AF_ROSE: Final[int]
AF_ROUTE: Final[int]
AF_SECURITY: Final[int]
AF_SNA: Final[int]
AF_TIPC: Final[int]
AF_UNIX: Final[int]
AF_UNSPEC: Final[int]
AF_VSOCK: Final[int]
AF_WANPIPE: Final[int]
AF_X25: Final[int]

# Protocol families
PF_CAN: Final[int]
PF_PACKET: Final[int]
PF_RDS: Final[int]

# Socket types
SOCK_CLOEXEC: Final[int]
SOCK_DGRAM: Final[int]
SOCK_NONBLOCK: Final[int]
SOCK_RAW: Final[int]
SOCK_RDM: Final[int]
SOCK_SEQPACKET: Final[int]
SOCK_STREAM: Final[int]

# Levels
SOL_ALG: Final[int]
SOL_CAN_BASE: Final[int]
SOL_CAN_RAW: Final[int]
SOL_HCI: Final[int]
SOL_IP: Final[int]
SOL_RDS: Final[int]
SOL_SOCKET: Final[int]
SOL_TCP: Final[int]
SOL_TIPC: Final[int]
SOL_UDP: Final[int]
if sys.version_info >= (3, 14):
    SOL_BLUETOOTH: Final[int]
    SOL_L2CAP: Final[int]
    SOL_RFCOMM: Final[int]
    SOL_SCO: Final[int]
if sys.version_info >= (3, 15):
    SOL_CAN_ISOTP: Final[int]

# Ways to shut down, and the longest queue of connections
SHUT_RD: Final[int]
SHUT_RDWR: Final[int]
SHUT_WR: Final[int]
SOMAXCONN: Final[int]

# SOL_SOCKET
SO_ACCEPTCONN: Final[int]
SO_BINDTODEVICE: Final[int]
SO_BROADCAST: Final[int]
SO_DEBUG: Final[int]
SO_DOMAIN: Final[int]
SO_DONTROUTE: Final[int]
SO_ERROR: Final[int]
SO_INCOMING_CPU: Final[int]
SO_KEEPALIVE: Final[int]
SO_LINGER: Final[int]
SO_MARK: Final[int]
SO_OOBINLINE: Final[int]
SO_PASSCRED: Final[int]
SO_PASSSEC: Final[int]
SO_PEERCRED: Final[int]
SO_PEERSEC: Final[int]
SO_PRIORITY: Final[int]
SO_PROTOCOL: Final[int]
SO_RCVBUF: Final[int]
SO_RCVLOWAT: Final[int]
SO_RCVTIMEO: Final[int]
SO_REUSEADDR: Final[int]
SO_REUSEPORT: Final[int]
SO_SNDBUF: Final[int]
SO_SNDLOWAT: Final[int]
SO_SNDTIMEO: Final[int]
SO_TYPE: Final[int]
if sys.version_info >= (3, 13):
    SO_BINDTOIFINDEX: Final[int]
if sys.version_info >= (3, 14):
    SO_ORIGINAL_DST: Final[int]
if sys.version_info >= (3, 15):
    SO_PASSRIGHTS: Final[int]

# Flags of a transfer
MSG_CMSG_CLOEXEC: Final[int]
MSG_CONFIRM: Final[int]
MSG_CTRUNC: Final[int]
MSG_DONTROUTE: Final[int]
MSG_DONTWAIT: Final[int]
MSG_EOR: Final[int]
MSG_ERRQUEUE: Final[int]
MSG_FASTOPEN: Final[int]
MSG_MORE: Final[int]
MSG_NOSIGNAL: Final[int]
MSG_OOB: Final[int]
MSG_PEEK: Final[int]
MSG_TRUNC: Final[int]
MSG_WAITALL: Final[int]

# Ancillary data
SCM_CREDENTIALS: Final[int]
SCM_RIGHTS: Final[int]

# IP protocols
IPPROTO_AH: Final[int]
IPPROTO_DSTOPTS: Final[int]
IPPROTO_EGP: Final[int]
IPPROTO_ESP: Final[int]
IPPROTO_FRAGMENT: Final[int]
IPPROTO_GRE: Final[int]
IPPROTO_HOPOPTS: Final[int]
IPPROTO_ICMP: Final[int]
IPPROTO_ICMPV6: Final[int]
IPPROTO_IDP: Final[int]
IPPROTO_IGMP: Final[int]
IPPROTO_IP: Final[int]
IPPROTO_IPIP: Final[int]
IPPROTO_IPV6: Final[int]
IPPROTO_MPTCP: Final[int]
IPPROTO_NONE: Final[int]
IPPROTO_PIM: Final[int]
IPPROTO_PUP: Final[int]
IPPROTO_RAW: Final[int]
IPPROTO_ROUTING: Final[int]
IPPROTO_RSVP: Final[int]
IPPROTO_SCTP: Final[int]
IPPROTO_TCP: Final[int]
IPPROTO_TP: Final[int]
IPPROTO_UDP: Final[int]
IPPROTO_UDPLITE: Final[int]

# Ports
IPPORT_RESERVED: Final[int]
IPPORT_USERRESERVED: Final[int]

# IPv4 addresses
INADDR_ALLHOSTS_GROUP: Final[int]
INADDR_ANY: Final[int]
INADDR_BROADCAST: Final[int]
INADDR_LOOPBACK: Final[int]
INADDR_MAX_LOCAL_GROUP: Final[int]
INADDR_NONE: Final[int]
INADDR_UNSPEC_GROUP: Final[int]

# IPPROTO_IP
IP_ADD_MEMBERSHIP: Final[int]
IP_BIND_ADDRESS_NO_PORT: Final[int]
IP_DEFAULT_MULTICAST_LOOP: Final[int]
IP_DEFAULT_MULTICAST_TTL: Final[int]
IP_DROP_MEMBERSHIP: Final[int]
IP_HDRINCL: Final[int]
IP_MAX_MEMBERSHIPS: Final[int]
IP_MULTICAST_IF: Final[int]
IP_MULTICAST_LOOP: Final[int]
IP_MULTICAST_TTL: Final[int]
IP_OPTIONS: Final[int]
IP_RECVOPTS: Final[int]
IP_RECVRETOPTS: Final[int]
IP_RECVTOS: Final[int]
IP_RETOPTS: Final[int]
IP_TOS: Final[int]
IP_TRANSPARENT: Final[int]
IP_TTL: Final[int]
if sys.version_info >= (3, 12):
    IP_ADD_SOURCE_MEMBERSHIP: Final[int]
    IP_BLOCK_SOURCE: Final[int]
    IP_DROP_SOURCE_MEMBERSHIP: Final[int]
    IP_PKTINFO: Final[int]
    IP_UNBLOCK_SOURCE: Final[int]
if sys.version_info >= (3, 14):
    IP_FREEBIND: Final[int]
    IP_RECVERR: Final[int]
    IP_RECVORIGDSTADDR: Final[int]
    IP_RECVTTL: Final[int]

# IPPROTO_IPV6
IPV6_CHECKSUM: Final[int]
IPV6_DONTFRAG: Final[int]
IPV6_DSTOPTS: Final[int]
IPV6_HOPLIMIT: Final[int]
IPV6_HOPOPTS: Final[int]
IPV6_JOIN_GROUP: Final[int]
IPV6_LEAVE_GROUP: Final[int]
IPV6_MULTICAST_HOPS: Final[int]
IPV6_MULTICAST_IF: Final[int]
IPV6_MULTICAST_LOOP: Final[int]
IPV6_NEXTHOP: Final[int]
IPV6_PATHMTU: Final[int]
IPV6_PKTINFO: Final[int]
IPV6_RECVDSTOPTS: Final[int]
IPV6_RECVHOPLIMIT: Final[int]
IPV6_RECVHOPOPTS: Final[int]
IPV6_RECVPATHMTU: Final[int]
IPV6_RECVPKTINFO: Final[int]
IPV6_RECVRTHDR: Final[int]
IPV6_RECVTCLASS: Final[int]
IPV6_RTHDR: Final[int]
IPV6_RTHDRDSTOPTS: Final[int]
IPV6_RTHDR_TYPE_0: Final[int]
IPV6_TCLASS: Final[int]
IPV6_UNICAST_HOPS: Final[int]
IPV6_V6ONLY: Final[int]
if sys.version_info >= (3, 14):
    IPV6_RECVERR: Final[int]
if sys.version_info >= (3, 15):
    IPV6_HDRINCL: Final[int]

# IPPROTO_TCP
TCP_CONGESTION: Final[int]
TCP_CORK: Final[int]
TCP_DEFER_ACCEPT: Final[int]
TCP_FASTOPEN: Final[int]
TCP_INFO: Final[int]
TCP_KEEPCNT: Final[int]
TCP_KEEPIDLE: Final[int]
TCP_KEEPINTVL: Final[int]
TCP_LINGER2: Final[int]
TCP_MAXSEG: Final[int]
TCP_NODELAY: Final[int]
TCP_NOTSENT_LOWAT: Final[int]
TCP_QUICKACK: Final[int]
TCP_SYNCNT: Final[int]
TCP_USER_TIMEOUT: Final[int]
TCP_WINDOW_CLAMP: Final[int]
if sys.version_info >= (3, 12):
    TCP_CC_INFO: Final[int]
    TCP_FASTOPEN_CONNECT: Final[int]
    TCP_FASTOPEN_KEY: Final[int]
    TCP_FASTOPEN_NO_COOKIE: Final[int]
    TCP_INQ: Final[int]
    TCP_MD5SIG: Final[int]
    TCP_MD5SIG_EXT: Final[int]
    TCP_QUEUE_SEQ: Final[int]
    TCP_REPAIR: Final[int]
    TCP_REPAIR_OPTIONS: Final[int]
    TCP_REPAIR_QUEUE: Final[int]
    TCP_REPAIR_WINDOW: Final[int]
    TCP_SAVED_SYN: Final[int]
    TCP_SAVE_SYN: Final[int]
    TCP_THIN_DUPACK: Final[int]
    TCP_THIN_LINEAR_TIMEOUTS: Final[int]
    TCP_TIMESTAMP: Final[int]
    TCP_TX_DELAY: Final[int]
    TCP_ULP: Final[int]
    TCP_ZEROCOPY_RECEIVE: Final[int]

# IPPROTO_UDPLITE, RFC 3828
UDPLITE_RECV_CSCOV: Final[int]
UDPLITE_SEND_CSCOV: Final[int]

# getaddrinfo: flags
AI_ADDRCONFIG: Final[int]
AI_ALL: Final[int]
AI_CANONNAME: Final[int]
AI_NUMERICHOST: Final[int]
AI_NUMERICSERV: Final[int]
AI_PASSIVE: Final[int]
AI_V4MAPPED: Final[int]

# getaddrinfo: errors
EAI_ADDRFAMILY: Final[int]
EAI_AGAIN: Final[int]
EAI_BADFLAGS: Final[int]
EAI_FAIL: Final[int]
EAI_FAMILY: Final[int]
EAI_MEMORY: Final[int]
EAI_NODATA: Final[int]
EAI_NONAME: Final[int]
EAI_OVERFLOW: Final[int]
EAI_SERVICE: Final[int]
EAI_SOCKTYPE: Final[int]
EAI_SYSTEM: Final[int]

# getnameinfo
NI_DGRAM: Final[int]
NI_MAXHOST: Final[int]
NI_MAXSERV: Final[int]
NI_NAMEREQD: Final[int]
NI_NOFQDN: Final[int]
NI_NUMERICHOST: Final[int]
NI_NUMERICSERV: Final[int]
if sys.version_info >= (3, 13):
    NI_IDN: Final[int]

# Netlink
NETLINK_CRYPTO: Final[int]
NETLINK_DNRTMSG: Final[int]
NETLINK_FIREWALL: Final[int]
NETLINK_IP6_FW: Final[int]
NETLINK_NFLOG: Final[int]
NETLINK_ROUTE: Final[int]
NETLINK_USERSOCK: Final[int]
NETLINK_XFRM: Final[int]

# Packet sockets and Ethernet
PACKET_BROADCAST: Final[int]
PACKET_FASTROUTE: Final[int]
PACKET_HOST: Final[int]
PACKET_LOOPBACK: Final[int]
PACKET_MULTICAST: Final[int]
PACKET_OTHERHOST: Final[int]
PACKET_OUTGOING: Final[int]
if sys.version_info >= (3, 12):
    ETHERTYPE_ARP: Final[int]
    ETHERTYPE_IP: Final[int]
    ETHERTYPE_IPV6: Final[int]
    ETHERTYPE_VLAN: Final[int]
    ETH_P_ALL: Final[int]

# CAN: protocols, frames, filters
CAN_BCM: Final[int]
CAN_EFF_FLAG: Final[int]
CAN_EFF_MASK: Final[int]
CAN_ERR_FLAG: Final[int]
CAN_ERR_MASK: Final[int]
CAN_ISOTP: Final[int]
CAN_J1939: Final[int]
CAN_RAW: Final[int]
CAN_RAW_FD_FRAMES: Final[int]
CAN_RAW_FILTER: Final[int]
CAN_RAW_JOIN_FILTERS: Final[int]
CAN_RAW_LOOPBACK: Final[int]
CAN_RAW_RECV_OWN_MSGS: Final[int]
CAN_RTR_FLAG: Final[int]
CAN_SFF_MASK: Final[int]
if sys.version_info >= (3, 14):
    CAN_RAW_ERR_FILTER: Final[int]

# CAN: broadcast manager
CAN_BCM_CAN_FD_FRAME: Final[int]
CAN_BCM_RX_ANNOUNCE_RESUME: Final[int]
CAN_BCM_RX_CHANGED: Final[int]
CAN_BCM_RX_CHECK_DLC: Final[int]
CAN_BCM_RX_DELETE: Final[int]
CAN_BCM_RX_FILTER_ID: Final[int]
CAN_BCM_RX_NO_AUTOTIMER: Final[int]
CAN_BCM_RX_READ: Final[int]
CAN_BCM_RX_RTR_FRAME: Final[int]
CAN_BCM_RX_SETUP: Final[int]
CAN_BCM_RX_STATUS: Final[int]
CAN_BCM_RX_TIMEOUT: Final[int]
CAN_BCM_SETTIMER: Final[int]
CAN_BCM_STARTTIMER: Final[int]
CAN_BCM_TX_ANNOUNCE: Final[int]
CAN_BCM_TX_COUNTEVT: Final[int]
CAN_BCM_TX_CP_CAN_ID: Final[int]
CAN_BCM_TX_DELETE: Final[int]
CAN_BCM_TX_EXPIRED: Final[int]
CAN_BCM_TX_READ: Final[int]
CAN_BCM_TX_RESET_MULTI_IDX: Final[int]
CAN_BCM_TX_SEND: Final[int]
CAN_BCM_TX_SETUP: Final[int]
CAN_BCM_TX_STATUS: Final[int]

# CAN: ISO-TP
if sys.version_info >= (3, 15):
    CAN_ISOTP_CHK_PAD_DATA: Final[int]
    CAN_ISOTP_CHK_PAD_LEN: Final[int]
    CAN_ISOTP_DEFAULT_EXT_ADDRESS: Final[int]
    CAN_ISOTP_DEFAULT_FLAGS: Final[int]
    CAN_ISOTP_DEFAULT_FRAME_TXTIME: Final[int]
    CAN_ISOTP_DEFAULT_LL_MTU: Final[int]
    CAN_ISOTP_DEFAULT_LL_TX_DL: Final[int]
    CAN_ISOTP_DEFAULT_LL_TX_FLAGS: Final[int]
    CAN_ISOTP_DEFAULT_PAD_CONTENT: Final[int]
    CAN_ISOTP_DEFAULT_RECV_BS: Final[int]
    CAN_ISOTP_DEFAULT_RECV_STMIN: Final[int]
    CAN_ISOTP_DEFAULT_RECV_WFTMAX: Final[int]
    CAN_ISOTP_EXTEND_ADDR: Final[int]
    CAN_ISOTP_FORCE_RXSTMIN: Final[int]
    CAN_ISOTP_FORCE_TXSTMIN: Final[int]
    CAN_ISOTP_HALF_DUPLEX: Final[int]
    CAN_ISOTP_LISTEN_MODE: Final[int]
    CAN_ISOTP_LL_OPTS: Final[int]
    CAN_ISOTP_OPTS: Final[int]
    CAN_ISOTP_RECV_FC: Final[int]
    CAN_ISOTP_RX_EXT_ADDR: Final[int]
    CAN_ISOTP_RX_PADDING: Final[int]
    CAN_ISOTP_RX_STMIN: Final[int]
    CAN_ISOTP_SF_BROADCAST: Final[int]
    CAN_ISOTP_TX_PADDING: Final[int]
    CAN_ISOTP_TX_STMIN: Final[int]
    CAN_ISOTP_WAIT_TX_DONE: Final[int]

# CAN: J1939
J1939_EE_INFO_NONE: Final[int]
J1939_EE_INFO_TX_ABORT: Final[int]
J1939_FILTER_MAX: Final[int]
J1939_IDLE_ADDR: Final[int]
J1939_MAX_UNICAST_ADDR: Final[int]
J1939_NLA_BYTES_ACKED: Final[int]
J1939_NLA_PAD: Final[int]
J1939_NO_ADDR: Final[int]
J1939_NO_NAME: Final[int]
J1939_NO_PGN: Final[int]
J1939_PGN_ADDRESS_CLAIMED: Final[int]
J1939_PGN_ADDRESS_COMMANDED: Final[int]
J1939_PGN_MAX: Final[int]
J1939_PGN_PDU1_MAX: Final[int]
J1939_PGN_REQUEST: Final[int]
SCM_J1939_DEST_ADDR: Final[int]
SCM_J1939_DEST_NAME: Final[int]
SCM_J1939_ERRQUEUE: Final[int]
SCM_J1939_PRIO: Final[int]
SO_J1939_ERRQUEUE: Final[int]
SO_J1939_FILTER: Final[int]
SO_J1939_PROMISC: Final[int]
SO_J1939_SEND_PRIO: Final[int]

# Kernel cryptography
ALG_OP_DECRYPT: Final[int]
ALG_OP_ENCRYPT: Final[int]
ALG_OP_SIGN: Final[int]
ALG_OP_VERIFY: Final[int]
ALG_SET_AEAD_ASSOCLEN: Final[int]
ALG_SET_AEAD_AUTHSIZE: Final[int]
ALG_SET_IV: Final[int]
ALG_SET_KEY: Final[int]
ALG_SET_OP: Final[int]
ALG_SET_PUBKEY: Final[int]

# TIPC
TIPC_ADDR_ID: Final[int]
TIPC_ADDR_NAME: Final[int]
TIPC_ADDR_NAMESEQ: Final[int]
TIPC_CFG_SRV: Final[int]
TIPC_CLUSTER_SCOPE: Final[int]
TIPC_CONN_TIMEOUT: Final[int]
TIPC_CRITICAL_IMPORTANCE: Final[int]
TIPC_DEST_DROPPABLE: Final[int]
TIPC_HIGH_IMPORTANCE: Final[int]
TIPC_IMPORTANCE: Final[int]
TIPC_LOW_IMPORTANCE: Final[int]
TIPC_MEDIUM_IMPORTANCE: Final[int]
TIPC_NODE_SCOPE: Final[int]
TIPC_PUBLISHED: Final[int]
TIPC_SRC_DROPPABLE: Final[int]
TIPC_SUBSCR_TIMEOUT: Final[int]
TIPC_SUB_CANCEL: Final[int]
TIPC_SUB_PORTS: Final[int]
TIPC_SUB_SERVICE: Final[int]
TIPC_TOP_SRV: Final[int]
TIPC_WAIT_FOREVER: Final[int]
TIPC_WITHDRAWN: Final[int]
TIPC_ZONE_SCOPE: Final[int]

# Virtual machine sockets
IOCTL_VM_SOCKETS_GET_LOCAL_CID: Final[int]
SO_VM_SOCKETS_BUFFER_MAX_SIZE: Final[int]
SO_VM_SOCKETS_BUFFER_MIN_SIZE: Final[int]
SO_VM_SOCKETS_BUFFER_SIZE: Final[int]
VMADDR_CID_ANY: Final[int]
VMADDR_CID_HOST: Final[int]
VMADDR_PORT_ANY: Final[int]
VM_SOCKETS_INVALID_VERSION: Final[int]
if sys.version_info >= (3, 14):
    VMADDR_CID_LOCAL: Final[int]

# Bluetooth
BDADDR_ANY: Final[str]
BDADDR_LOCAL: Final[str]
BTPROTO_HCI: Final[int]
BTPROTO_L2CAP: Final[int]
BTPROTO_RFCOMM: Final[int]
BTPROTO_SCO: Final[int]
if sys.version_info >= (3, 14):
    BDADDR_BREDR: Final[int]
    BDADDR_LE_PUBLIC: Final[int]
    BDADDR_LE_RANDOM: Final[int]

# Bluetooth: SOL_BLUETOOTH
if sys.version_info >= (3, 14):
    BT_CHANNEL_POLICY: Final[int]
    BT_CHANNEL_POLICY_BREDR_ONLY: Final[int]
    BT_CHANNEL_POLICY_BREDR_PREFERRED: Final[int]
    BT_CODEC: Final[int]
    BT_DEFER_SETUP: Final[int]
    BT_FLUSHABLE: Final[int]
    BT_FLUSHABLE_OFF: Final[int]
    BT_FLUSHABLE_ON: Final[int]
    BT_ISO_QOS: Final[int]
    BT_MODE: Final[int]
    BT_MODE_BASIC: Final[int]
    BT_MODE_ERTM: Final[int]
    BT_MODE_EXT_FLOWCTL: Final[int]
    BT_MODE_LE_FLOWCTL: Final[int]
    BT_MODE_STREAMING: Final[int]
    BT_PHY: Final[int]
    BT_PHY_BR_1M_1SLOT: Final[int]
    BT_PHY_BR_1M_3SLOT: Final[int]
    BT_PHY_BR_1M_5SLOT: Final[int]
    BT_PHY_EDR_2M_1SLOT: Final[int]
    BT_PHY_EDR_2M_3SLOT: Final[int]
    BT_PHY_EDR_2M_5SLOT: Final[int]
    BT_PHY_EDR_3M_1SLOT: Final[int]
    BT_PHY_EDR_3M_3SLOT: Final[int]
    BT_PHY_EDR_3M_5SLOT: Final[int]
    BT_PHY_LE_1M_RX: Final[int]
    BT_PHY_LE_1M_TX: Final[int]
    BT_PHY_LE_2M_RX: Final[int]
    BT_PHY_LE_2M_TX: Final[int]
    BT_PHY_LE_CODED_RX: Final[int]
    BT_PHY_LE_CODED_TX: Final[int]
    BT_PKT_STATUS: Final[int]
    BT_POWER: Final[int]
    BT_POWER_FORCE_ACTIVE_OFF: Final[int]
    BT_POWER_FORCE_ACTIVE_ON: Final[int]
    BT_RCVMTU: Final[int]
    BT_SECURITY: Final[int]
    BT_SECURITY_FIPS: Final[int]
    BT_SECURITY_HIGH: Final[int]
    BT_SECURITY_LOW: Final[int]
    BT_SECURITY_MEDIUM: Final[int]
    BT_SECURITY_SDP: Final[int]
    BT_SNDMTU: Final[int]
    BT_VOICE: Final[int]
    BT_VOICE_CVSD_16BIT: Final[int]
    BT_VOICE_TRANSPARENT: Final[int]
    BT_VOICE_TRANSPARENT_16BIT: Final[int]

# Bluetooth: SOL_HCI
HCI_DATA_DIR: Final[int]
HCI_FILTER: Final[int]
HCI_TIME_STAMP: Final[int]
if sys.version_info >= (3, 14):
    HCI_CHANNEL_CONTROL: Final[int]
    HCI_CHANNEL_LOGGING: Final[int]
    HCI_CHANNEL_MONITOR: Final[int]
    HCI_CHANNEL_RAW: Final[int]
    HCI_CHANNEL_USER: Final[int]
    HCI_DEV_NONE: Final[int]

# Bluetooth: SOL_L2CAP
if sys.version_info >= (3, 14):
    L2CAP_LM: Final[int]
    L2CAP_LM_AUTH: Final[int]
    L2CAP_LM_ENCRYPT: Final[int]
    L2CAP_LM_MASTER: Final[int]
    L2CAP_LM_RELIABLE: Final[int]
    L2CAP_LM_SECURE: Final[int]
    L2CAP_LM_TRUSTED: Final[int]
