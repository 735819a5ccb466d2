# The lists of constants are dense: _socket.pyi has each on a line of its own. The constants of the four enums are here.

# ruff: noqa: N801 (the class keeps its usual name)

# isort: off
import sys
from _typeshed import ReadableBuffer, Unused, WriteableBuffer
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from enum import IntEnum, IntFlag
from io import BufferedReader, BufferedRWPair, BufferedWriter, RawIOBase, TextIOWrapper
from typing import Any, Final, Literal, NoReturn, Protocol, Self, SupportsIndex, TypeAlias, overload
from typing_extensions import disjoint_base

from oxisocket import _socket as _socket
from oxisocket._beyond.interfaces import (
    InterfaceAddress as InterfaceAddress,
    InterfaceFlag as InterfaceFlag,
    getifaddrs as getifaddrs,
)
from oxisocket._beyond.tcp_info import (
    TcpCaState as TcpCaState,
    TcpInfo as TcpInfo,
    TcpOption as TcpOption,
    TcpState as TcpState,
)
from oxisocket._beyond.deadline import deadline as deadline
from oxisocket._beyond.errors import IncompleteReadError as IncompleteReadError, LimitOverrunError as LimitOverrunError
from oxisocket._beyond.open_sockets import OpenSocket as OpenSocket, sockets as sockets
from oxisocket._beyond.tracing import observe as observe, trace as trace
from oxisocket._installation import Installation as _Installation
from oxisocket._socket import _GiveupOnSendfile as _GiveupOnSendfile, __version__ as __version__
from oxisocket._socket import (
    ALG_OP_DECRYPT, ALG_OP_ENCRYPT, ALG_OP_SIGN, ALG_OP_VERIFY, ALG_SET_AEAD_ASSOCLEN, ALG_SET_AEAD_AUTHSIZE, ALG_SET_IV,
    ALG_SET_KEY, ALG_SET_OP, ALG_SET_PUBKEY, BDADDR_ANY, BDADDR_LOCAL, BTPROTO_HCI, BTPROTO_L2CAP, BTPROTO_RFCOMM, BTPROTO_SCO,
    CAN_BCM, CAN_BCM_CAN_FD_FRAME, CAN_BCM_RX_ANNOUNCE_RESUME, CAN_BCM_RX_CHANGED, CAN_BCM_RX_CHECK_DLC, CAN_BCM_RX_DELETE,
    CAN_BCM_RX_FILTER_ID, CAN_BCM_RX_NO_AUTOTIMER, CAN_BCM_RX_READ, CAN_BCM_RX_RTR_FRAME, CAN_BCM_RX_SETUP, CAN_BCM_RX_STATUS,
    CAN_BCM_RX_TIMEOUT, CAN_BCM_SETTIMER, CAN_BCM_STARTTIMER, CAN_BCM_TX_ANNOUNCE, CAN_BCM_TX_COUNTEVT, CAN_BCM_TX_CP_CAN_ID,
    CAN_BCM_TX_DELETE, CAN_BCM_TX_EXPIRED, CAN_BCM_TX_READ, CAN_BCM_TX_RESET_MULTI_IDX, CAN_BCM_TX_SEND, CAN_BCM_TX_SETUP,
    CAN_BCM_TX_STATUS, CAN_EFF_FLAG, CAN_EFF_MASK, CAN_ERR_FLAG, CAN_ERR_MASK, CAN_ISOTP, CAN_J1939, CAN_RAW, CAN_RAW_FD_FRAMES,
    CAN_RAW_FILTER, CAN_RAW_JOIN_FILTERS, CAN_RAW_LOOPBACK, CAN_RAW_RECV_OWN_MSGS, CAN_RTR_FLAG, CAN_SFF_MASK, CAPI, CMSG_LEN,
    CMSG_SPACE, EAI_ADDRFAMILY, EAI_AGAIN, EAI_BADFLAGS, EAI_FAIL, EAI_FAMILY, EAI_MEMORY, EAI_NODATA, EAI_NONAME, EAI_OVERFLOW,
    EAI_SERVICE, EAI_SOCKTYPE, EAI_SYSTEM, HCI_DATA_DIR, HCI_FILTER, HCI_TIME_STAMP, INADDR_ALLHOSTS_GROUP, INADDR_ANY,
    INADDR_BROADCAST, INADDR_LOOPBACK, INADDR_MAX_LOCAL_GROUP, INADDR_NONE, INADDR_UNSPEC_GROUP, IOCTL_VM_SOCKETS_GET_LOCAL_CID,
    IP_ADD_MEMBERSHIP, IP_BIND_ADDRESS_NO_PORT, IP_DEFAULT_MULTICAST_LOOP, IP_DEFAULT_MULTICAST_TTL, IP_DROP_MEMBERSHIP,
    IP_HDRINCL, IP_MAX_MEMBERSHIPS, IP_MULTICAST_IF, IP_MULTICAST_LOOP, IP_MULTICAST_TTL, IP_OPTIONS, IP_RECVOPTS, IP_RECVRETOPTS,
    IP_RECVTOS, IP_RETOPTS, IP_TOS, IP_TRANSPARENT, IP_TTL, IPPORT_RESERVED, IPPORT_USERRESERVED, IPPROTO_AH, IPPROTO_DSTOPTS,
    IPPROTO_EGP, IPPROTO_ESP, IPPROTO_FRAGMENT, IPPROTO_GRE, IPPROTO_HOPOPTS, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_IDP,
    IPPROTO_IGMP, IPPROTO_IP, IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_MPTCP, IPPROTO_NONE, IPPROTO_PIM, IPPROTO_PUP, IPPROTO_RAW,
    IPPROTO_ROUTING, IPPROTO_RSVP, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_TP, IPPROTO_UDP, IPPROTO_UDPLITE, IPV6_CHECKSUM,
    IPV6_DONTFRAG, IPV6_DSTOPTS, IPV6_HOPLIMIT, IPV6_HOPOPTS, IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF, IPV6_MULTICAST_LOOP, IPV6_NEXTHOP, IPV6_PATHMTU, IPV6_PKTINFO, IPV6_RECVDSTOPTS, IPV6_RECVHOPLIMIT,
    IPV6_RECVHOPOPTS, IPV6_RECVPATHMTU, IPV6_RECVPKTINFO, IPV6_RECVRTHDR, IPV6_RECVTCLASS, IPV6_RTHDR, IPV6_RTHDR_TYPE_0,
    IPV6_RTHDRDSTOPTS, IPV6_TCLASS, IPV6_UNICAST_HOPS, IPV6_V6ONLY, J1939_EE_INFO_NONE, J1939_EE_INFO_TX_ABORT, J1939_FILTER_MAX,
    J1939_IDLE_ADDR, J1939_MAX_UNICAST_ADDR, J1939_NLA_BYTES_ACKED, J1939_NLA_PAD, J1939_NO_ADDR, J1939_NO_NAME, J1939_NO_PGN,
    J1939_PGN_ADDRESS_CLAIMED, J1939_PGN_ADDRESS_COMMANDED, J1939_PGN_MAX, J1939_PGN_PDU1_MAX, J1939_PGN_REQUEST, NETLINK_CRYPTO,
    NETLINK_DNRTMSG, NETLINK_FIREWALL, NETLINK_IP6_FW, NETLINK_NFLOG, NETLINK_ROUTE, NETLINK_USERSOCK, NETLINK_XFRM, NI_DGRAM,
    NI_MAXHOST, NI_MAXSERV, NI_NAMEREQD, NI_NOFQDN, NI_NUMERICHOST, NI_NUMERICSERV, PACKET_BROADCAST, PACKET_FASTROUTE,
    PACKET_HOST, PACKET_LOOPBACK, PACKET_MULTICAST, PACKET_OTHERHOST, PACKET_OUTGOING, PF_CAN, PF_PACKET, PF_RDS, SCM_CREDENTIALS,
    SCM_J1939_DEST_ADDR, SCM_J1939_DEST_NAME, SCM_J1939_ERRQUEUE, SCM_J1939_PRIO, SCM_RIGHTS, SHUT_RD, SHUT_RDWR, SHUT_WR,
    SO_ACCEPTCONN, SO_BINDTODEVICE, SO_BROADCAST, SO_DEBUG, SO_DOMAIN, SO_DONTROUTE, SO_ERROR, SO_INCOMING_CPU, SO_J1939_ERRQUEUE,
    SO_J1939_FILTER, SO_J1939_PROMISC, SO_J1939_SEND_PRIO, SO_KEEPALIVE, SO_LINGER, SO_MARK, SO_OOBINLINE, SO_PASSCRED,
    SO_PASSSEC, SO_PEERCRED, SO_PEERSEC, SO_PRIORITY, SO_PROTOCOL, SO_RCVBUF, SO_RCVLOWAT, SO_RCVTIMEO, SO_REUSEADDR,
    SO_REUSEPORT, SO_SNDBUF, SO_SNDLOWAT, SO_SNDTIMEO, SO_TYPE, SO_VM_SOCKETS_BUFFER_MAX_SIZE, SO_VM_SOCKETS_BUFFER_MIN_SIZE,
    SO_VM_SOCKETS_BUFFER_SIZE, SOL_ALG, SOL_CAN_BASE, SOL_CAN_RAW, SOL_HCI, SOL_IP, SOL_RDS, SOL_SOCKET, SOL_TCP, SOL_TIPC,
    SOL_UDP, SOMAXCONN, TCP_CONGESTION, TCP_CORK, TCP_DEFER_ACCEPT, TCP_FASTOPEN, TCP_INFO, TCP_KEEPCNT, TCP_KEEPIDLE,
    TCP_KEEPINTVL, TCP_LINGER2, TCP_MAXSEG, TCP_NODELAY, TCP_NOTSENT_LOWAT, TCP_QUICKACK, TCP_SYNCNT, TCP_USER_TIMEOUT,
    TCP_WINDOW_CLAMP, TIPC_ADDR_ID, TIPC_ADDR_NAME, TIPC_ADDR_NAMESEQ, TIPC_CFG_SRV, TIPC_CLUSTER_SCOPE, TIPC_CONN_TIMEOUT,
    TIPC_CRITICAL_IMPORTANCE, TIPC_DEST_DROPPABLE, TIPC_HIGH_IMPORTANCE, TIPC_IMPORTANCE, TIPC_LOW_IMPORTANCE,
    TIPC_MEDIUM_IMPORTANCE, TIPC_NODE_SCOPE, TIPC_PUBLISHED, TIPC_SRC_DROPPABLE, TIPC_SUB_CANCEL, TIPC_SUB_PORTS,
    TIPC_SUB_SERVICE, TIPC_SUBSCR_TIMEOUT, TIPC_TOP_SRV, TIPC_WAIT_FOREVER, TIPC_WITHDRAWN, TIPC_ZONE_SCOPE, UDPLITE_RECV_CSCOV,
    UDPLITE_SEND_CSCOV, VM_SOCKETS_INVALID_VERSION, VMADDR_CID_ANY, VMADDR_CID_HOST, VMADDR_PORT_ANY, AF_DECnet, SocketType,
    close, dup, error, gaierror, getdefaulttimeout, gethostbyaddr, gethostbyname, gethostbyname_ex, gethostname, getnameinfo,
    getprotobyname, getservbyname, getservbyport, has_ipv6, herror, htonl, htons, if_indextoname, if_nameindex, if_nametoindex,
    inet_aton, inet_ntoa, inet_ntop, inet_pton, ntohl, ntohs, setdefaulttimeout, sethostname, timeout,
)  # fmt: skip

if sys.version_info >= (3, 12):
    from oxisocket._socket import (
        ETH_P_ALL, ETHERTYPE_ARP, ETHERTYPE_IP, ETHERTYPE_IPV6, ETHERTYPE_VLAN, IP_ADD_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE,
        IP_DROP_SOURCE_MEMBERSHIP, IP_PKTINFO, IP_UNBLOCK_SOURCE, TCP_CC_INFO, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_KEY,
        TCP_FASTOPEN_NO_COOKIE, TCP_INQ, TCP_MD5SIG, TCP_MD5SIG_EXT, TCP_QUEUE_SEQ, TCP_REPAIR, TCP_REPAIR_OPTIONS,
        TCP_REPAIR_QUEUE, TCP_REPAIR_WINDOW, TCP_SAVE_SYN, TCP_SAVED_SYN, TCP_THIN_DUPACK, TCP_THIN_LINEAR_TIMEOUTS,
        TCP_TIMESTAMP, TCP_TX_DELAY, TCP_ULP, TCP_ZEROCOPY_RECEIVE,
    )  # fmt: skip

if sys.version_info >= (3, 13):
    from oxisocket._socket import (
        NI_IDN, SO_BINDTOIFINDEX,
    )  # fmt: skip

if sys.version_info >= (3, 14):
    from oxisocket._socket import (
        BDADDR_BREDR, BDADDR_LE_PUBLIC, BDADDR_LE_RANDOM, BT_CHANNEL_POLICY, BT_CHANNEL_POLICY_BREDR_ONLY,
        BT_CHANNEL_POLICY_BREDR_PREFERRED, BT_CODEC, BT_DEFER_SETUP, BT_FLUSHABLE, BT_FLUSHABLE_OFF, BT_FLUSHABLE_ON, BT_ISO_QOS,
        BT_MODE, BT_MODE_BASIC, BT_MODE_ERTM, BT_MODE_EXT_FLOWCTL, BT_MODE_LE_FLOWCTL, BT_MODE_STREAMING, BT_PHY,
        BT_PHY_BR_1M_1SLOT, BT_PHY_BR_1M_3SLOT, BT_PHY_BR_1M_5SLOT, BT_PHY_EDR_2M_1SLOT, BT_PHY_EDR_2M_3SLOT, BT_PHY_EDR_2M_5SLOT,
        BT_PHY_EDR_3M_1SLOT, BT_PHY_EDR_3M_3SLOT, BT_PHY_EDR_3M_5SLOT, BT_PHY_LE_1M_RX, BT_PHY_LE_1M_TX, BT_PHY_LE_2M_RX,
        BT_PHY_LE_2M_TX, BT_PHY_LE_CODED_RX, BT_PHY_LE_CODED_TX, BT_PKT_STATUS, BT_POWER, BT_POWER_FORCE_ACTIVE_OFF,
        BT_POWER_FORCE_ACTIVE_ON, BT_RCVMTU, BT_SECURITY, BT_SECURITY_FIPS, BT_SECURITY_HIGH, BT_SECURITY_LOW, BT_SECURITY_MEDIUM,
        BT_SECURITY_SDP, BT_SNDMTU, BT_VOICE, BT_VOICE_CVSD_16BIT, BT_VOICE_TRANSPARENT, BT_VOICE_TRANSPARENT_16BIT,
        CAN_RAW_ERR_FILTER, HCI_CHANNEL_CONTROL, HCI_CHANNEL_LOGGING, HCI_CHANNEL_MONITOR, HCI_CHANNEL_RAW, HCI_CHANNEL_USER,
        HCI_DEV_NONE, IP_FREEBIND, IP_RECVERR, IP_RECVORIGDSTADDR, IP_RECVTTL, IPV6_RECVERR, L2CAP_LM, L2CAP_LM_AUTH,
        L2CAP_LM_ENCRYPT, L2CAP_LM_MASTER, L2CAP_LM_RELIABLE, L2CAP_LM_SECURE, L2CAP_LM_TRUSTED, SO_ORIGINAL_DST, SOL_BLUETOOTH,
        SOL_L2CAP, SOL_RFCOMM, SOL_SCO, VMADDR_CID_LOCAL,
    )  # fmt: skip

if sys.version_info >= (3, 15):
    from oxisocket._socket import (
        CAN_ISOTP_CHK_PAD_DATA, CAN_ISOTP_CHK_PAD_LEN, CAN_ISOTP_DEFAULT_EXT_ADDRESS, CAN_ISOTP_DEFAULT_FLAGS,
        CAN_ISOTP_DEFAULT_FRAME_TXTIME, CAN_ISOTP_DEFAULT_LL_MTU, CAN_ISOTP_DEFAULT_LL_TX_DL, CAN_ISOTP_DEFAULT_LL_TX_FLAGS,
        CAN_ISOTP_DEFAULT_PAD_CONTENT, CAN_ISOTP_DEFAULT_RECV_BS, CAN_ISOTP_DEFAULT_RECV_STMIN, CAN_ISOTP_DEFAULT_RECV_WFTMAX,
        CAN_ISOTP_EXTEND_ADDR, CAN_ISOTP_FORCE_RXSTMIN, CAN_ISOTP_FORCE_TXSTMIN, CAN_ISOTP_HALF_DUPLEX, CAN_ISOTP_LISTEN_MODE,
        CAN_ISOTP_LL_OPTS, CAN_ISOTP_OPTS, CAN_ISOTP_RECV_FC, CAN_ISOTP_RX_EXT_ADDR, CAN_ISOTP_RX_PADDING, CAN_ISOTP_RX_STMIN,
        CAN_ISOTP_SF_BROADCAST, CAN_ISOTP_TX_PADDING, CAN_ISOTP_TX_STMIN, CAN_ISOTP_WAIT_TX_DONE, IPV6_HDRINCL, SO_PASSRIGHTS,
        SOL_CAN_ISOTP,
    )  # fmt: skip
# isort: on

__all__ = [
    "AF_ALG", "AF_APPLETALK", "AF_ASH", "AF_ATMPVC", "AF_ATMSVC", "AF_AX25", "AF_BLUETOOTH", "AF_BRIDGE", "AF_CAN", "AF_ECONET",
    "AF_INET", "AF_INET6", "AF_IPX", "AF_IRDA", "AF_KEY", "AF_LLC", "AF_NETBEUI", "AF_NETLINK", "AF_NETROM", "AF_PACKET",
    "AF_PPPOX", "AF_QIPCRTR", "AF_RDS", "AF_ROSE", "AF_ROUTE", "AF_SECURITY", "AF_SNA", "AF_TIPC", "AF_UNIX", "AF_UNSPEC",
    "AF_VSOCK", "AF_WANPIPE", "AF_X25", "AI_ADDRCONFIG", "AI_ALL", "AI_CANONNAME", "AI_NUMERICHOST", "AI_NUMERICSERV",
    "AI_PASSIVE", "AI_V4MAPPED", "ALG_OP_DECRYPT", "ALG_OP_ENCRYPT", "ALG_OP_SIGN", "ALG_OP_VERIFY", "ALG_SET_AEAD_ASSOCLEN",
    "ALG_SET_AEAD_AUTHSIZE", "ALG_SET_IV", "ALG_SET_KEY", "ALG_SET_OP", "ALG_SET_PUBKEY", "BDADDR_ANY", "BDADDR_LOCAL",
    "BTPROTO_HCI", "BTPROTO_L2CAP", "BTPROTO_RFCOMM", "BTPROTO_SCO", "CAN_BCM", "CAN_BCM_CAN_FD_FRAME",
    "CAN_BCM_RX_ANNOUNCE_RESUME", "CAN_BCM_RX_CHANGED", "CAN_BCM_RX_CHECK_DLC", "CAN_BCM_RX_DELETE", "CAN_BCM_RX_FILTER_ID",
    "CAN_BCM_RX_NO_AUTOTIMER", "CAN_BCM_RX_READ", "CAN_BCM_RX_RTR_FRAME", "CAN_BCM_RX_SETUP", "CAN_BCM_RX_STATUS",
    "CAN_BCM_RX_TIMEOUT", "CAN_BCM_SETTIMER", "CAN_BCM_STARTTIMER", "CAN_BCM_TX_ANNOUNCE", "CAN_BCM_TX_COUNTEVT",
    "CAN_BCM_TX_CP_CAN_ID", "CAN_BCM_TX_DELETE", "CAN_BCM_TX_EXPIRED", "CAN_BCM_TX_READ", "CAN_BCM_TX_RESET_MULTI_IDX",
    "CAN_BCM_TX_SEND", "CAN_BCM_TX_SETUP", "CAN_BCM_TX_STATUS", "CAN_EFF_FLAG", "CAN_EFF_MASK", "CAN_ERR_FLAG", "CAN_ERR_MASK",
    "CAN_ISOTP", "CAN_J1939", "CAN_RAW", "CAN_RAW_FD_FRAMES", "CAN_RAW_FILTER", "CAN_RAW_JOIN_FILTERS", "CAN_RAW_LOOPBACK",
    "CAN_RAW_RECV_OWN_MSGS", "CAN_RTR_FLAG", "CAN_SFF_MASK", "CAPI", "CMSG_LEN", "CMSG_SPACE", "EAI_ADDRFAMILY", "EAI_AGAIN",
    "EAI_BADFLAGS", "EAI_FAIL", "EAI_FAMILY", "EAI_MEMORY", "EAI_NODATA", "EAI_NONAME", "EAI_OVERFLOW", "EAI_SERVICE",
    "EAI_SOCKTYPE", "EAI_SYSTEM", "HCI_DATA_DIR", "HCI_FILTER", "HCI_TIME_STAMP", "INADDR_ALLHOSTS_GROUP", "INADDR_ANY",
    "INADDR_BROADCAST", "INADDR_LOOPBACK", "INADDR_MAX_LOCAL_GROUP", "INADDR_NONE", "INADDR_UNSPEC_GROUP",
    "IOCTL_VM_SOCKETS_GET_LOCAL_CID", "IPPORT_RESERVED", "IPPORT_USERRESERVED", "IPPROTO_AH", "IPPROTO_DSTOPTS", "IPPROTO_EGP",
    "IPPROTO_ESP", "IPPROTO_FRAGMENT", "IPPROTO_GRE", "IPPROTO_HOPOPTS", "IPPROTO_ICMP", "IPPROTO_ICMPV6", "IPPROTO_IDP",
    "IPPROTO_IGMP", "IPPROTO_IP", "IPPROTO_IPIP", "IPPROTO_IPV6", "IPPROTO_MPTCP", "IPPROTO_NONE", "IPPROTO_PIM", "IPPROTO_PUP",
    "IPPROTO_RAW", "IPPROTO_ROUTING", "IPPROTO_RSVP", "IPPROTO_SCTP", "IPPROTO_TCP", "IPPROTO_TP", "IPPROTO_UDP",
    "IPPROTO_UDPLITE", "IPV6_CHECKSUM", "IPV6_DONTFRAG", "IPV6_DSTOPTS", "IPV6_HOPLIMIT", "IPV6_HOPOPTS", "IPV6_JOIN_GROUP",
    "IPV6_LEAVE_GROUP", "IPV6_MULTICAST_HOPS", "IPV6_MULTICAST_IF", "IPV6_MULTICAST_LOOP", "IPV6_NEXTHOP", "IPV6_PATHMTU",
    "IPV6_PKTINFO", "IPV6_RECVDSTOPTS", "IPV6_RECVHOPLIMIT", "IPV6_RECVHOPOPTS", "IPV6_RECVPATHMTU", "IPV6_RECVPKTINFO",
    "IPV6_RECVRTHDR", "IPV6_RECVTCLASS", "IPV6_RTHDR", "IPV6_RTHDRDSTOPTS", "IPV6_RTHDR_TYPE_0", "IPV6_TCLASS",
    "IPV6_UNICAST_HOPS", "IPV6_V6ONLY", "IP_ADD_MEMBERSHIP", "IP_BIND_ADDRESS_NO_PORT", "IP_DEFAULT_MULTICAST_LOOP",
    "IP_DEFAULT_MULTICAST_TTL", "IP_DROP_MEMBERSHIP", "IP_HDRINCL", "IP_MAX_MEMBERSHIPS", "IP_MULTICAST_IF", "IP_MULTICAST_LOOP",
    "IP_MULTICAST_TTL", "IP_OPTIONS", "IP_RECVOPTS", "IP_RECVRETOPTS", "IP_RECVTOS", "IP_RETOPTS", "IP_TOS", "IP_TRANSPARENT",
    "IP_TTL", "J1939_EE_INFO_NONE", "J1939_EE_INFO_TX_ABORT", "J1939_FILTER_MAX", "J1939_IDLE_ADDR", "J1939_MAX_UNICAST_ADDR",
    "J1939_NLA_BYTES_ACKED", "J1939_NLA_PAD", "J1939_NO_ADDR", "J1939_NO_NAME", "J1939_NO_PGN", "J1939_PGN_ADDRESS_CLAIMED",
    "J1939_PGN_ADDRESS_COMMANDED", "J1939_PGN_MAX", "J1939_PGN_PDU1_MAX", "J1939_PGN_REQUEST", "MSG_CMSG_CLOEXEC", "MSG_CONFIRM",
    "MSG_CTRUNC", "MSG_DONTROUTE", "MSG_DONTWAIT", "MSG_EOR", "MSG_ERRQUEUE", "MSG_FASTOPEN", "MSG_MORE", "MSG_NOSIGNAL",
    "MSG_OOB", "MSG_PEEK", "MSG_TRUNC", "MSG_WAITALL", "NETLINK_CRYPTO", "NETLINK_DNRTMSG", "NETLINK_FIREWALL", "NETLINK_IP6_FW",
    "NETLINK_NFLOG", "NETLINK_ROUTE", "NETLINK_USERSOCK", "NETLINK_XFRM", "NI_DGRAM", "NI_MAXHOST", "NI_MAXSERV", "NI_NAMEREQD",
    "NI_NOFQDN", "NI_NUMERICHOST", "NI_NUMERICSERV", "PACKET_BROADCAST", "PACKET_FASTROUTE", "PACKET_HOST", "PACKET_LOOPBACK",
    "PACKET_MULTICAST", "PACKET_OTHERHOST", "PACKET_OUTGOING", "PF_CAN", "PF_PACKET", "PF_RDS", "SCM_CREDENTIALS",
    "SCM_J1939_DEST_ADDR", "SCM_J1939_DEST_NAME", "SCM_J1939_ERRQUEUE", "SCM_J1939_PRIO", "SCM_RIGHTS", "SHUT_RD", "SHUT_RDWR",
    "SHUT_WR", "SOCK_CLOEXEC", "SOCK_DGRAM", "SOCK_NONBLOCK", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET", "SOCK_STREAM", "SOL_ALG",
    "SOL_CAN_BASE", "SOL_CAN_RAW", "SOL_HCI", "SOL_IP", "SOL_RDS", "SOL_SOCKET", "SOL_TCP", "SOL_TIPC", "SOL_UDP", "SOMAXCONN",
    "SO_ACCEPTCONN", "SO_BINDTODEVICE", "SO_BROADCAST", "SO_DEBUG", "SO_DOMAIN", "SO_DONTROUTE", "SO_ERROR", "SO_INCOMING_CPU",
    "SO_J1939_ERRQUEUE", "SO_J1939_FILTER", "SO_J1939_PROMISC", "SO_J1939_SEND_PRIO", "SO_KEEPALIVE", "SO_LINGER", "SO_MARK",
    "SO_OOBINLINE", "SO_PASSCRED", "SO_PASSSEC", "SO_PEERCRED", "SO_PEERSEC", "SO_PRIORITY", "SO_PROTOCOL", "SO_RCVBUF",
    "SO_RCVLOWAT", "SO_RCVTIMEO", "SO_REUSEADDR", "SO_REUSEPORT", "SO_SNDBUF", "SO_SNDLOWAT", "SO_SNDTIMEO", "SO_TYPE",
    "SO_VM_SOCKETS_BUFFER_MAX_SIZE", "SO_VM_SOCKETS_BUFFER_MIN_SIZE", "SO_VM_SOCKETS_BUFFER_SIZE", "TCP_CONGESTION", "TCP_CORK",
    "TCP_DEFER_ACCEPT", "TCP_FASTOPEN", "TCP_INFO", "TCP_KEEPCNT", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_LINGER2", "TCP_MAXSEG",
    "TCP_NODELAY", "TCP_NOTSENT_LOWAT", "TCP_QUICKACK", "TCP_SYNCNT", "TCP_USER_TIMEOUT", "TCP_WINDOW_CLAMP", "TIPC_ADDR_ID",
    "TIPC_ADDR_NAME", "TIPC_ADDR_NAMESEQ", "TIPC_CFG_SRV", "TIPC_CLUSTER_SCOPE", "TIPC_CONN_TIMEOUT", "TIPC_CRITICAL_IMPORTANCE",
    "TIPC_DEST_DROPPABLE", "TIPC_HIGH_IMPORTANCE", "TIPC_IMPORTANCE", "TIPC_LOW_IMPORTANCE", "TIPC_MEDIUM_IMPORTANCE",
    "TIPC_NODE_SCOPE", "TIPC_PUBLISHED", "TIPC_SRC_DROPPABLE", "TIPC_SUBSCR_TIMEOUT", "TIPC_SUB_CANCEL", "TIPC_SUB_PORTS",
    "TIPC_SUB_SERVICE", "TIPC_TOP_SRV", "TIPC_WAIT_FOREVER", "TIPC_WITHDRAWN", "TIPC_ZONE_SCOPE", "UDPLITE_RECV_CSCOV",
    "UDPLITE_SEND_CSCOV", "VMADDR_CID_ANY", "VMADDR_CID_HOST", "VMADDR_PORT_ANY", "VM_SOCKETS_INVALID_VERSION", "AF_DECnet",
    "AddressFamily", "SocketKind", "SocketType", "close", "create_connection", "create_server", "dup", "error", "fromfd",
    "gaierror", "getaddrinfo", "getdefaulttimeout", "getfqdn", "gethostbyaddr", "gethostbyname", "gethostbyname_ex",
    "gethostname", "getnameinfo", "getprotobyname", "getservbyname", "getservbyport", "has_dualstack_ipv6", "has_ipv6", "herror",
    "htonl", "htons", "if_indextoname", "if_nameindex", "if_nametoindex", "inet_aton", "inet_ntoa", "inet_ntop", "inet_pton",
    "ntohl", "ntohs", "recv_fds", "send_fds", "setdefaulttimeout", "sethostname", "socket", "socketpair", "timeout",
]  # fmt: skip

if sys.version_info >= (3, 12):
    __all__ += [
        "ETHERTYPE_ARP", "ETHERTYPE_IP", "ETHERTYPE_IPV6", "ETHERTYPE_VLAN", "ETH_P_ALL", "IP_ADD_SOURCE_MEMBERSHIP",
        "IP_BLOCK_SOURCE", "IP_DROP_SOURCE_MEMBERSHIP", "IP_PKTINFO", "IP_UNBLOCK_SOURCE", "TCP_CC_INFO", "TCP_FASTOPEN_CONNECT",
        "TCP_FASTOPEN_KEY", "TCP_FASTOPEN_NO_COOKIE", "TCP_INQ", "TCP_MD5SIG", "TCP_MD5SIG_EXT", "TCP_QUEUE_SEQ", "TCP_REPAIR",
        "TCP_REPAIR_OPTIONS", "TCP_REPAIR_QUEUE", "TCP_REPAIR_WINDOW", "TCP_SAVED_SYN", "TCP_SAVE_SYN", "TCP_THIN_DUPACK",
        "TCP_THIN_LINEAR_TIMEOUTS", "TCP_TIMESTAMP", "TCP_TX_DELAY", "TCP_ULP", "TCP_ZEROCOPY_RECEIVE",
    ]  # fmt: skip

if sys.version_info >= (3, 13):
    __all__ += [
        "NI_IDN", "SO_BINDTOIFINDEX",
    ]  # fmt: skip

if sys.version_info >= (3, 14):
    __all__ += [
        "BDADDR_BREDR", "BDADDR_LE_PUBLIC", "BDADDR_LE_RANDOM", "BT_CHANNEL_POLICY", "BT_CHANNEL_POLICY_BREDR_ONLY",
        "BT_CHANNEL_POLICY_BREDR_PREFERRED", "BT_CODEC", "BT_DEFER_SETUP", "BT_FLUSHABLE", "BT_FLUSHABLE_OFF", "BT_FLUSHABLE_ON",
        "BT_ISO_QOS", "BT_MODE", "BT_MODE_BASIC", "BT_MODE_ERTM", "BT_MODE_EXT_FLOWCTL", "BT_MODE_LE_FLOWCTL",
        "BT_MODE_STREAMING", "BT_PHY", "BT_PHY_BR_1M_1SLOT", "BT_PHY_BR_1M_3SLOT", "BT_PHY_BR_1M_5SLOT", "BT_PHY_EDR_2M_1SLOT",
        "BT_PHY_EDR_2M_3SLOT", "BT_PHY_EDR_2M_5SLOT", "BT_PHY_EDR_3M_1SLOT", "BT_PHY_EDR_3M_3SLOT", "BT_PHY_EDR_3M_5SLOT",
        "BT_PHY_LE_1M_RX", "BT_PHY_LE_1M_TX", "BT_PHY_LE_2M_RX", "BT_PHY_LE_2M_TX", "BT_PHY_LE_CODED_RX", "BT_PHY_LE_CODED_TX",
        "BT_PKT_STATUS", "BT_POWER", "BT_POWER_FORCE_ACTIVE_OFF", "BT_POWER_FORCE_ACTIVE_ON", "BT_RCVMTU", "BT_SECURITY",
        "BT_SECURITY_FIPS", "BT_SECURITY_HIGH", "BT_SECURITY_LOW", "BT_SECURITY_MEDIUM", "BT_SECURITY_SDP", "BT_SNDMTU",
        "BT_VOICE", "BT_VOICE_CVSD_16BIT", "BT_VOICE_TRANSPARENT", "BT_VOICE_TRANSPARENT_16BIT", "CAN_RAW_ERR_FILTER",
        "HCI_CHANNEL_CONTROL", "HCI_CHANNEL_LOGGING", "HCI_CHANNEL_MONITOR", "HCI_CHANNEL_RAW", "HCI_CHANNEL_USER",
        "HCI_DEV_NONE", "IPV6_RECVERR", "IP_FREEBIND", "IP_RECVERR", "IP_RECVORIGDSTADDR", "IP_RECVTTL", "L2CAP_LM",
        "L2CAP_LM_AUTH", "L2CAP_LM_ENCRYPT", "L2CAP_LM_MASTER", "L2CAP_LM_RELIABLE", "L2CAP_LM_SECURE", "L2CAP_LM_TRUSTED",
        "SOL_BLUETOOTH", "SOL_L2CAP", "SOL_RFCOMM", "SOL_SCO", "SO_ORIGINAL_DST", "VMADDR_CID_LOCAL",
    ]  # fmt: skip

if sys.version_info >= (3, 15):
    __all__ += [
        "CAN_ISOTP_CHK_PAD_DATA", "CAN_ISOTP_CHK_PAD_LEN", "CAN_ISOTP_DEFAULT_EXT_ADDRESS", "CAN_ISOTP_DEFAULT_FLAGS",
        "CAN_ISOTP_DEFAULT_FRAME_TXTIME", "CAN_ISOTP_DEFAULT_LL_MTU", "CAN_ISOTP_DEFAULT_LL_TX_DL",
        "CAN_ISOTP_DEFAULT_LL_TX_FLAGS", "CAN_ISOTP_DEFAULT_PAD_CONTENT", "CAN_ISOTP_DEFAULT_RECV_BS",
        "CAN_ISOTP_DEFAULT_RECV_STMIN", "CAN_ISOTP_DEFAULT_RECV_WFTMAX", "CAN_ISOTP_EXTEND_ADDR", "CAN_ISOTP_FORCE_RXSTMIN",
        "CAN_ISOTP_FORCE_TXSTMIN", "CAN_ISOTP_HALF_DUPLEX", "CAN_ISOTP_LISTEN_MODE", "CAN_ISOTP_LL_OPTS", "CAN_ISOTP_OPTS",
        "CAN_ISOTP_RECV_FC", "CAN_ISOTP_RX_EXT_ADDR", "CAN_ISOTP_RX_PADDING", "CAN_ISOTP_RX_STMIN", "CAN_ISOTP_SF_BROADCAST",
        "CAN_ISOTP_TX_PADDING", "CAN_ISOTP_TX_STMIN", "CAN_ISOTP_WAIT_TX_DONE", "IPV6_HDRINCL", "SOL_CAN_ISOTP", "SO_PASSRIGHTS",
    ]  # fmt: skip

class AddressFamily(IntEnum):
    AF_UNSPEC = 0
    AF_UNIX = 1
    AF_INET = 2
    AF_AX25 = 3
    AF_IPX = 4
    AF_APPLETALK = 5
    AF_NETROM = 6
    AF_BRIDGE = 7
    AF_ATMPVC = 8
    AF_X25 = 9
    AF_INET6 = 10
    AF_ROSE = 11
    AF_NETBEUI = 13
    AF_SECURITY = 14
    AF_KEY = 15
    AF_NETLINK = 16
    AF_ROUTE = AF_NETLINK
    AF_PACKET = 17
    AF_ASH = 18
    AF_ECONET = 19
    AF_ATMSVC = 20
    AF_RDS = 21
    AF_SNA = 22
    AF_IRDA = 23
    AF_PPPOX = 24
    AF_WANPIPE = 25
    AF_LLC = 26
    AF_CAN = 29
    AF_TIPC = 30
    AF_BLUETOOTH = 31
    AF_ALG = 38
    AF_VSOCK = 40
    AF_QIPCRTR = 42

AF_UNSPEC: Final = AddressFamily.AF_UNSPEC
AF_UNIX: Final = AddressFamily.AF_UNIX
AF_INET: Final = AddressFamily.AF_INET
AF_AX25: Final = AddressFamily.AF_AX25
AF_IPX: Final = AddressFamily.AF_IPX
AF_APPLETALK: Final = AddressFamily.AF_APPLETALK
AF_NETROM: Final = AddressFamily.AF_NETROM
AF_BRIDGE: Final = AddressFamily.AF_BRIDGE
AF_ATMPVC: Final = AddressFamily.AF_ATMPVC
AF_X25: Final = AddressFamily.AF_X25
AF_INET6: Final = AddressFamily.AF_INET6
AF_ROSE: Final = AddressFamily.AF_ROSE
AF_NETBEUI: Final = AddressFamily.AF_NETBEUI
AF_SECURITY: Final = AddressFamily.AF_SECURITY
AF_KEY: Final = AddressFamily.AF_KEY
AF_NETLINK: Final = AddressFamily.AF_NETLINK
AF_ROUTE: Final = AddressFamily.AF_ROUTE
AF_PACKET: Final = AddressFamily.AF_PACKET
AF_ASH: Final = AddressFamily.AF_ASH
AF_ECONET: Final = AddressFamily.AF_ECONET
AF_ATMSVC: Final = AddressFamily.AF_ATMSVC
AF_RDS: Final = AddressFamily.AF_RDS
AF_SNA: Final = AddressFamily.AF_SNA
AF_IRDA: Final = AddressFamily.AF_IRDA
AF_PPPOX: Final = AddressFamily.AF_PPPOX
AF_WANPIPE: Final = AddressFamily.AF_WANPIPE
AF_LLC: Final = AddressFamily.AF_LLC
AF_CAN: Final = AddressFamily.AF_CAN
AF_TIPC: Final = AddressFamily.AF_TIPC
AF_BLUETOOTH: Final = AddressFamily.AF_BLUETOOTH
AF_ALG: Final = AddressFamily.AF_ALG
AF_VSOCK: Final = AddressFamily.AF_VSOCK
AF_QIPCRTR: Final = AddressFamily.AF_QIPCRTR

class SocketKind(IntEnum):
    SOCK_STREAM = 1
    SOCK_DGRAM = 2
    SOCK_RAW = 3
    SOCK_RDM = 4
    SOCK_SEQPACKET = 5
    SOCK_NONBLOCK = 2048
    SOCK_CLOEXEC = 524288

SOCK_STREAM: Final = SocketKind.SOCK_STREAM
SOCK_DGRAM: Final = SocketKind.SOCK_DGRAM
SOCK_RAW: Final = SocketKind.SOCK_RAW
SOCK_RDM: Final = SocketKind.SOCK_RDM
SOCK_SEQPACKET: Final = SocketKind.SOCK_SEQPACKET
SOCK_NONBLOCK: Final = SocketKind.SOCK_NONBLOCK
SOCK_CLOEXEC: Final = SocketKind.SOCK_CLOEXEC

class MsgFlag(IntFlag):
    MSG_OOB = 0x1
    MSG_PEEK = 0x2
    MSG_DONTROUTE = 0x4
    MSG_CTRUNC = 0x8
    MSG_TRUNC = 0x20
    MSG_DONTWAIT = 0x40
    MSG_EOR = 0x80
    MSG_WAITALL = 0x100
    MSG_CONFIRM = 0x800
    MSG_ERRQUEUE = 0x2000
    MSG_NOSIGNAL = 0x4000
    MSG_MORE = 0x8000
    MSG_FASTOPEN = 0x20000000
    MSG_CMSG_CLOEXEC = 0x40000000

MSG_OOB: Final = MsgFlag.MSG_OOB
MSG_PEEK: Final = MsgFlag.MSG_PEEK
MSG_DONTROUTE: Final = MsgFlag.MSG_DONTROUTE
MSG_CTRUNC: Final = MsgFlag.MSG_CTRUNC
MSG_TRUNC: Final = MsgFlag.MSG_TRUNC
MSG_DONTWAIT: Final = MsgFlag.MSG_DONTWAIT
MSG_EOR: Final = MsgFlag.MSG_EOR
MSG_WAITALL: Final = MsgFlag.MSG_WAITALL
MSG_CONFIRM: Final = MsgFlag.MSG_CONFIRM
MSG_ERRQUEUE: Final = MsgFlag.MSG_ERRQUEUE
MSG_NOSIGNAL: Final = MsgFlag.MSG_NOSIGNAL
MSG_MORE: Final = MsgFlag.MSG_MORE
MSG_FASTOPEN: Final = MsgFlag.MSG_FASTOPEN
MSG_CMSG_CLOEXEC: Final = MsgFlag.MSG_CMSG_CLOEXEC

class AddressInfo(IntFlag):
    AI_PASSIVE = 0x1
    AI_CANONNAME = 0x2
    AI_NUMERICHOST = 0x4
    AI_V4MAPPED = 0x8
    AI_ALL = 0x10
    AI_ADDRCONFIG = 0x20
    AI_NUMERICSERV = 0x400

AI_PASSIVE: Final = AddressInfo.AI_PASSIVE
AI_CANONNAME: Final = AddressInfo.AI_CANONNAME
AI_NUMERICHOST: Final = AddressInfo.AI_NUMERICHOST
AI_V4MAPPED: Final = AddressInfo.AI_V4MAPPED
AI_ALL: Final = AddressInfo.AI_ALL
AI_ADDRCONFIG: Final = AddressInfo.AI_ADDRCONFIG
AI_NUMERICSERV: Final = AddressInfo.AI_NUMERICSERV

EBADF: Final[int]
EAGAIN: Final[int]
EWOULDBLOCK: Final[int]

# Passed as a timeout, it means that none was given: programs pass it on.
_GLOBAL_DEFAULT_TIMEOUT: Any

# The letters in any order.
_TextMode: TypeAlias = Literal["", "r", "w", "rw", "wr"]
_ReadMode: TypeAlias = Literal["b", "rb", "br"]
_WriteMode: TypeAlias = Literal["wb", "bw"]
_ReadWriteMode: TypeAlias = Literal["rwb", "rbw", "wrb", "wbr", "brw", "bwr"]

# A file with a mode must be binary; a file with a descriptor is sent by sendfile(2).
class _SendableFile(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, /) -> object: ...

class socket(_socket.socket):
    __slots__ = ["__weakref__", "_closed", "_io_refs"]
    _closed: bool
    _io_refs: int
    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: SupportsIndex | None = None) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: Unused) -> None: ...
    def __getstate__(self) -> NoReturn: ...
    @property
    def family(self) -> AddressFamily: ...
    @property
    def type(self) -> SocketKind: ...
    def _check_sendfile_params(self, file: _SendableFile, offset: int, count: int | None) -> None: ...
    def _decref_socketios(self) -> None: ...
    def _real_close(self, *ignored: Unused) -> None: ...
    def _sendfile_use_send(self, file: _SendableFile, offset: int = 0, count: int | None = None) -> int: ...
    def _sendfile_use_sendfile(self, file: _SendableFile, offset: int = 0, count: int | None = None) -> int: ...
    def _sendfile_zerocopy(
        self,
        zerocopy_func: Callable[[int, int, int], int],
        giveup_exc_type: Callable[[BaseException], BaseException],
        file: _SendableFile,
        offset: int = 0,
        count: int | None = None,
    ) -> int: ...
    def accept(self) -> tuple[socket, _socket._ReturnedAddress]: ...
    def dup(self) -> Self: ...
    def get_inheritable(self) -> bool: ...
    def _readiness(self) -> tuple[int | None, int | None, int | None]: ...
    def describe(self) -> str: ...
    def getsockopt_bytes(self, level: int, option: int, size: int | None = None) -> bytes: ...
    def tcp_info(self) -> TcpInfo: ...
    def set_inheritable(self, inheritable: bool) -> None: ...
    @staticmethod
    def gethostname() -> str: ...
    @overload
    def makefile(
        self,
        mode: _TextMode = "r",
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> TextIOWrapper: ...
    @overload
    def makefile(
        self,
        mode: _ReadMode | _WriteMode | _ReadWriteMode,
        buffering: Literal[0],
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> SocketIO: ...
    @overload
    def makefile(
        self,
        mode: _ReadMode,
        buffering: Literal[-1, 1] | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> BufferedReader: ...
    @overload
    def makefile(
        self,
        mode: _WriteMode,
        buffering: Literal[-1, 1] | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> BufferedWriter: ...
    @overload
    def makefile(
        self,
        mode: _ReadWriteMode,
        buffering: Literal[-1, 1] | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> BufferedRWPair: ...
    @overload
    def makefile(
        self,
        mode: _ReadMode,
        buffering: int,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> BufferedReader | SocketIO: ...
    @overload
    def makefile(
        self,
        mode: _WriteMode,
        buffering: int,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> BufferedWriter | SocketIO: ...
    @overload
    def makefile(
        self,
        mode: _ReadWriteMode,
        buffering: int,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> BufferedRWPair | SocketIO: ...
    def sendfile(self, file: _SendableFile, offset: int = 0, count: int | None = None) -> int: ...
    # Beyond the standard library:
    def recv_exactly(self, n: int, flags: int = 0) -> bytes: ...
    def recv_exactly_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int: ...

class SocketIO(_socket.RawSocketIO, RawIOBase): ...

def create_connection(
    address: tuple[str | bytes | None, str | bytes | int | None],
    timeout: float | None = ...,
    source_address: _socket._Address | None = None,
    *,
    all_errors: bool = False,
    happy_eyeballs_delay: float | None = None,
    interleave: int | None = None,
    total_timeout: float | None = None,
) -> socket: ...
def create_server(
    address: _socket._Address,
    *,
    family: int = ...,
    backlog: int | None = None,
    reuse_port: bool = False,
    dualstack_ipv6: bool = False,
) -> socket: ...
def fromfd(fd: SupportsIndex, family: int, type: int, proto: int = 0) -> socket: ...
def getaddrinfo(
    host: str | bytes | None,
    port: str | bytes | int | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
    *,
    timeout: float | None = None,
) -> list[
    tuple[Literal[AddressFamily.AF_INET], SocketKind, int, str, tuple[str, int]]
    | tuple[Literal[AddressFamily.AF_INET6], SocketKind, int, str, tuple[str, int, int, int]]
]: ...
def getfqdn(name: str = "") -> str: ...
def has_dualstack_ipv6() -> bool: ...
def install(*, happy_eyeballs: bool | None = None, notes: bool | None = None) -> _Installation: ...
def installed(*, happy_eyeballs: bool | None = None, notes: bool | None = None) -> AbstractContextManager[_Installation]: ...
def recv_fds(
    sock: _socket.socket, bufsize: int, maxfds: int, flags: int = 0, *, honor_arguments: bool = False
) -> tuple[bytes, list[int], int, _socket._ReturnedAddress]: ...
@overload
def send_fds(
    sock: _socket.socket,
    buffers: Iterable[ReadableBuffer],
    fds: Iterable[int],
    flags: Unused = 0,
    address: Unused = None,
    *,
    honor_arguments: Literal[False] = False,
) -> int: ...
@overload
def send_fds(
    sock: _socket.socket,
    buffers: Iterable[ReadableBuffer],
    fds: Iterable[int],
    flags: int = 0,
    address: _socket._Address | None = None,
    *,
    honor_arguments: bool,
) -> int: ...
def socketpair(family: int | None = None, type: int = ..., proto: int = 0) -> tuple[socket, socket]: ...
def uninstall() -> None: ...

# Beyond the standard library:

class _Receiver(Protocol):
    def recv(self, bufsize: int, /) -> ReadableBuffer: ...

@disjoint_base
class Reader:
    def __init__(self, sock: _Receiver, limit: int = 65536) -> None: ...
    @property
    def buffered(self) -> bytes: ...
    def at_eof(self) -> bool: ...
    def read(self, n: int = -1) -> bytes: ...
    def readexactly(self, n: int) -> bytes: ...
    def readline(self) -> bytes: ...
    def readuntil(self, separator: ReadableBuffer | tuple[ReadableBuffer, ...] = b"\n") -> bytes: ...
