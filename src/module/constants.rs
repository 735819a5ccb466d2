//! The integer constants of `_socket`, as a table of names and values.
//!
//! Each name is there from the first Python version whose `_socket` has it, whatever headers that interpreter was built with. A kernel that
//! does not support a feature refuses it at run time.
//!
//! Blocks follow the levels of the socket API, and names are sorted within a block. A bare name takes its value from `libc`. For a name
//! that `libc` lacks, the value is written here, with the header that defines it beside it or at the head of its block.

use std::ffi::{CStr, c_long};

/// One name of `_socket` with its value.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// The name, as C and Python spell it.
    pub name: &'static CStr,
    /// The value, a `long` as in C: an unsigned 32-bit value stays positive if a `long` has 64 bits.
    pub value: c_long,
}

/// The name of the constant with this value whose name begins with the prefix, such as `AF_INET`; the first in the table, if several have it.
pub fn name_of(prefix: &str, value: i64) -> Option<&'static str> {
    let found = TABLE.iter().filter(|constant| i128::from(constant.value) == i128::from(value));
    found.filter_map(|constant| constant.name.to_str().ok()).find(|name| name.starts_with(prefix))
}

/// Converts a name that ends with NUL to a C string.
const fn c_name(name: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a constant's name is an identifier, then one NUL"),
    }
}

macro_rules! value {
    ($name:ident) => {
        libc::$name
    };
    ($name:ident = $value:expr) => {
        $value
    };
}

macro_rules! constants {
    ($($(#[$when:meta])* $name:ident $(= $value:expr)?),* $(,)?) => {
        &[$(
            $(#[$when])*
            Constant {
                name: c_name(concat!(stringify!($name), "\0")),
                value: value!($name $(= $value)?) as c_long,
            },
        )*]
    };
}

/// A constant that a patch release brought.
#[cfg(not(Py_3_14))]
#[derive(Clone, Copy, Debug)]
pub struct Patched {
    /// The constant.
    pub constant: Constant,
    /// The first such release of each version. The next version has the constant from the start.
    pub since: &'static [(u8, u8, u8)],
}

/// The constants that patch releases brought.
#[cfg(not(Py_3_14))]
pub const PATCHED: &[Patched] = &[
    // gh-129719
    Patched {
        constant: Constant { name: c"CAN_RAW_ERR_FILTER", value: libc::CAN_RAW_ERR_FILTER as c_long },
        since: &[(3, 12, 10), (3, 13, 3)],
    },
];

/// All integer constants of this Python version's `_socket` on Linux.
#[rustfmt::skip] // each entry on one line, with its version
pub const TABLE: &[Constant] = constants! {
    // Address families
    AF_ALG,
    AF_APPLETALK,
    AF_ASH,
    AF_ATMPVC,
    AF_ATMSVC,
    AF_AX25,
    AF_BLUETOOTH,
    AF_BRIDGE,
    AF_CAN,
    AF_DECnet,
    AF_ECONET,
    AF_INET,
    AF_INET6,
    AF_IPX,
    AF_IRDA,
    AF_KEY,
    AF_LLC,
    AF_NETBEUI,
    AF_NETLINK,
    AF_NETROM,
    AF_PACKET,
    AF_PPPOX,
    AF_QIPCRTR = 42, // <bits/socket.h>
    AF_RDS,
    AF_ROSE,
    AF_ROUTE,
    AF_SECURITY,
    AF_SNA,
    AF_TIPC,
    AF_UNIX,
    AF_UNSPEC,
    AF_VSOCK,
    AF_WANPIPE,
    AF_X25,

    // Protocol families
    PF_CAN,
    PF_PACKET,
    PF_RDS,

    // Socket types
    SOCK_CLOEXEC,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_RAW,
    SOCK_RDM,
    SOCK_SEQPACKET,
    SOCK_STREAM,

    // Levels
    SOL_ALG,
    #[cfg(Py_3_14)] SOL_BLUETOOTH,
    SOL_CAN_BASE,
    #[cfg(Py_3_15)] SOL_CAN_ISOTP = 106, // <linux/can/isotp.h>
    SOL_CAN_RAW,
    SOL_HCI = 0, // <bluetooth/hci.h>
    SOL_IP,
    #[cfg(Py_3_14)] SOL_L2CAP = 6, // <bluetooth/l2cap.h>
    SOL_RDS = 276, // <bits/socket.h>
    #[cfg(Py_3_14)] SOL_RFCOMM = 18, // <bluetooth/rfcomm.h>
    #[cfg(Py_3_14)] SOL_SCO = 17, // <bluetooth/sco.h>
    SOL_SOCKET,
    SOL_TCP,
    SOL_TIPC,
    SOL_UDP,

    // Arguments of shutdown, and the longest backlog
    SHUT_RD,
    SHUT_RDWR,
    SHUT_WR,
    SOMAXCONN,

    // SOL_SOCKET
    SO_ACCEPTCONN,
    SO_BINDTODEVICE,
    #[cfg(Py_3_13)] SO_BINDTOIFINDEX,
    SO_BROADCAST,
    SO_DEBUG,
    SO_DOMAIN,
    SO_DONTROUTE,
    SO_ERROR,
    SO_INCOMING_CPU,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MARK,
    SO_OOBINLINE,
    #[cfg(Py_3_14)] SO_ORIGINAL_DST,
    SO_PASSCRED,
    #[cfg(Py_3_15)] SO_PASSRIGHTS = 83, // <asm-generic/socket.h>
    SO_PASSSEC,
    SO_PEERCRED,
    SO_PEERSEC,
    SO_PRIORITY,
    SO_PROTOCOL,
    SO_RCVBUF,
    SO_RCVLOWAT,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SO_SNDBUF,
    SO_SNDLOWAT,
    SO_SNDTIMEO,
    SO_TYPE,

    // Flags of a transfer
    MSG_CMSG_CLOEXEC,
    MSG_CONFIRM,
    MSG_CTRUNC,
    MSG_DONTROUTE,
    MSG_DONTWAIT,
    MSG_EOR,
    MSG_ERRQUEUE,
    MSG_FASTOPEN,
    MSG_MORE,
    MSG_NOSIGNAL,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_WAITALL,

    // Ancillary data
    SCM_CREDENTIALS,
    SCM_RIGHTS,

    // IP protocols
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_EGP,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_GRE,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IDP,
    IPPROTO_IGMP,
    IPPROTO_IP,
    IPPROTO_IPIP,
    IPPROTO_IPV6,
    IPPROTO_MPTCP,
    IPPROTO_NONE,
    IPPROTO_PIM,
    IPPROTO_PUP,
    IPPROTO_RAW,
    IPPROTO_ROUTING,
    IPPROTO_RSVP,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_TP,
    IPPROTO_UDP,
    IPPROTO_UDPLITE,

    // Ports, <netinet/in.h>
    IPPORT_RESERVED = 1024,
    IPPORT_USERRESERVED = 5000,

    // IPv4 addresses, <netinet/in.h>
    INADDR_ALLHOSTS_GROUP = 0xe000_0001_u32,
    INADDR_ANY,
    INADDR_BROADCAST,
    INADDR_LOOPBACK,
    INADDR_MAX_LOCAL_GROUP = 0xe000_00ff_u32,
    INADDR_NONE,
    INADDR_UNSPEC_GROUP = 0xe000_0000_u32,

    // IPPROTO_IP
    IP_ADD_MEMBERSHIP,
    #[cfg(Py_3_12)] IP_ADD_SOURCE_MEMBERSHIP,
    IP_BIND_ADDRESS_NO_PORT,
    #[cfg(Py_3_12)] IP_BLOCK_SOURCE,
    IP_DEFAULT_MULTICAST_LOOP,
    IP_DEFAULT_MULTICAST_TTL,
    IP_DROP_MEMBERSHIP,
    #[cfg(Py_3_12)] IP_DROP_SOURCE_MEMBERSHIP,
    #[cfg(Py_3_14)] IP_FREEBIND,
    IP_HDRINCL,
    IP_MAX_MEMBERSHIPS = 20, // <bits/in.h>
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IP_OPTIONS,
    #[cfg(Py_3_12)] IP_PKTINFO,
    #[cfg(Py_3_14)] IP_RECVERR,
    IP_RECVOPTS,
    #[cfg(Py_3_14)] IP_RECVORIGDSTADDR,
    IP_RECVRETOPTS = libc::IP_RETOPTS,
    IP_RECVTOS,
    #[cfg(Py_3_14)] IP_RECVTTL,
    IP_RETOPTS,
    IP_TOS,
    IP_TRANSPARENT,
    IP_TTL,
    #[cfg(Py_3_12)] IP_UNBLOCK_SOURCE,

    // IPPROTO_IPV6
    IPV6_CHECKSUM,
    IPV6_DONTFRAG,
    IPV6_DSTOPTS,
    #[cfg(Py_3_15)] IPV6_HDRINCL,
    IPV6_HOPLIMIT,
    IPV6_HOPOPTS,
    IPV6_JOIN_GROUP = libc::IPV6_ADD_MEMBERSHIP,
    IPV6_LEAVE_GROUP = libc::IPV6_DROP_MEMBERSHIP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    IPV6_NEXTHOP,
    IPV6_PATHMTU,
    IPV6_PKTINFO,
    IPV6_RECVDSTOPTS,
    #[cfg(Py_3_14)] IPV6_RECVERR,
    IPV6_RECVHOPLIMIT,
    IPV6_RECVHOPOPTS,
    IPV6_RECVPATHMTU,
    IPV6_RECVPKTINFO,
    IPV6_RECVRTHDR,
    IPV6_RECVTCLASS,
    IPV6_RTHDR,
    IPV6_RTHDRDSTOPTS,
    IPV6_RTHDR_TYPE_0 = 0, // <bits/in.h>
    IPV6_TCLASS,
    IPV6_UNICAST_HOPS,
    IPV6_V6ONLY,

    // IPPROTO_TCP
    #[cfg(Py_3_12)] TCP_CC_INFO,
    TCP_CONGESTION,
    TCP_CORK,
    TCP_DEFER_ACCEPT,
    TCP_FASTOPEN,
    #[cfg(Py_3_12)] TCP_FASTOPEN_CONNECT,
    #[cfg(Py_3_12)] TCP_FASTOPEN_KEY,
    #[cfg(Py_3_12)] TCP_FASTOPEN_NO_COOKIE,
    TCP_INFO,
    #[cfg(Py_3_12)] TCP_INQ,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_LINGER2,
    TCP_MAXSEG,
    #[cfg(Py_3_12)] TCP_MD5SIG,
    #[cfg(Py_3_12)] TCP_MD5SIG_EXT,
    TCP_NODELAY,
    TCP_NOTSENT_LOWAT,
    #[cfg(Py_3_12)] TCP_QUEUE_SEQ,
    TCP_QUICKACK,
    #[cfg(Py_3_12)] TCP_REPAIR,
    #[cfg(Py_3_12)] TCP_REPAIR_OPTIONS,
    #[cfg(Py_3_12)] TCP_REPAIR_QUEUE,
    #[cfg(Py_3_12)] TCP_REPAIR_WINDOW,
    #[cfg(Py_3_12)] TCP_SAVED_SYN,
    #[cfg(Py_3_12)] TCP_SAVE_SYN,
    TCP_SYNCNT,
    #[cfg(Py_3_12)] TCP_THIN_DUPACK,
    #[cfg(Py_3_12)] TCP_THIN_LINEAR_TIMEOUTS,
    #[cfg(Py_3_12)] TCP_TIMESTAMP,
    #[cfg(Py_3_12)] TCP_TX_DELAY = 37, // <linux/tcp.h>
    #[cfg(Py_3_12)] TCP_ULP,
    TCP_USER_TIMEOUT,
    TCP_WINDOW_CLAMP,
    #[cfg(Py_3_12)] TCP_ZEROCOPY_RECEIVE,

    // IPPROTO_UDPLITE, RFC 3828; <linux/udp.h> no longer has them
    UDPLITE_RECV_CSCOV = 11,
    UDPLITE_SEND_CSCOV = 10,

    // getaddrinfo: flags
    AI_ADDRCONFIG,
    AI_ALL,
    AI_CANONNAME,
    AI_NUMERICHOST,
    AI_NUMERICSERV,
    AI_PASSIVE,
    AI_V4MAPPED,

    // getaddrinfo: errors
    EAI_ADDRFAMILY = -9, // <netdb.h>
    EAI_AGAIN,
    EAI_BADFLAGS,
    EAI_FAIL,
    EAI_FAMILY,
    EAI_MEMORY,
    EAI_NODATA,
    EAI_NONAME,
    EAI_OVERFLOW,
    EAI_SERVICE,
    EAI_SOCKTYPE,
    EAI_SYSTEM,

    // getnameinfo
    NI_DGRAM,
    #[cfg(Py_3_13)] NI_IDN,
    NI_MAXHOST,
    NI_MAXSERV = 32, // <netdb.h>
    NI_NAMEREQD,
    NI_NOFQDN,
    NI_NUMERICHOST,
    NI_NUMERICSERV,

    // Netlink
    NETLINK_CRYPTO,
    NETLINK_DNRTMSG,
    NETLINK_FIREWALL,
    NETLINK_IP6_FW,
    NETLINK_NFLOG,
    NETLINK_ROUTE,
    NETLINK_USERSOCK,
    NETLINK_XFRM,

    // Packet sockets and Ethernet
    #[cfg(Py_3_12)] ETHERTYPE_ARP = libc::ETH_P_ARP,
    #[cfg(Py_3_12)] ETHERTYPE_IP = libc::ETH_P_IP,
    #[cfg(Py_3_12)] ETHERTYPE_IPV6 = libc::ETH_P_IPV6,
    #[cfg(Py_3_12)] ETHERTYPE_VLAN = libc::ETH_P_8021Q,
    #[cfg(Py_3_12)] ETH_P_ALL,
    PACKET_BROADCAST,
    PACKET_FASTROUTE = 6, // <linux/if_packet.h>
    PACKET_HOST,
    PACKET_LOOPBACK,
    PACKET_MULTICAST,
    PACKET_OTHERHOST,
    PACKET_OUTGOING,

    // CAN: protocols, frames, filters
    CAN_BCM,
    CAN_EFF_FLAG,
    CAN_EFF_MASK,
    CAN_ERR_FLAG,
    CAN_ERR_MASK,
    CAN_ISOTP,
    CAN_J1939,
    CAN_RAW,
    #[cfg(Py_3_14)] CAN_RAW_ERR_FILTER,
    CAN_RAW_FD_FRAMES,
    CAN_RAW_FILTER,
    CAN_RAW_JOIN_FILTERS,
    CAN_RAW_LOOPBACK,
    CAN_RAW_RECV_OWN_MSGS,
    CAN_RTR_FLAG,
    CAN_SFF_MASK,

    // CAN: broadcast manager
    CAN_BCM_CAN_FD_FRAME = libc::CAN_FD_FRAME,
    CAN_BCM_RX_ANNOUNCE_RESUME = libc::RX_ANNOUNCE_RESUME,
    CAN_BCM_RX_CHANGED = libc::RX_CHANGED,
    CAN_BCM_RX_CHECK_DLC = libc::RX_CHECK_DLC,
    CAN_BCM_RX_DELETE = libc::RX_DELETE,
    CAN_BCM_RX_FILTER_ID = libc::RX_FILTER_ID,
    CAN_BCM_RX_NO_AUTOTIMER = libc::RX_NO_AUTOTIMER,
    CAN_BCM_RX_READ = libc::RX_READ,
    CAN_BCM_RX_RTR_FRAME = libc::RX_RTR_FRAME,
    CAN_BCM_RX_SETUP = libc::RX_SETUP,
    CAN_BCM_RX_STATUS = libc::RX_STATUS,
    CAN_BCM_RX_TIMEOUT = libc::RX_TIMEOUT,
    CAN_BCM_SETTIMER = libc::SETTIMER,
    CAN_BCM_STARTTIMER = libc::STARTTIMER,
    CAN_BCM_TX_ANNOUNCE = libc::TX_ANNOUNCE,
    CAN_BCM_TX_COUNTEVT = libc::TX_COUNTEVT,
    CAN_BCM_TX_CP_CAN_ID = libc::TX_CP_CAN_ID,
    CAN_BCM_TX_DELETE = libc::TX_DELETE,
    CAN_BCM_TX_EXPIRED = libc::TX_EXPIRED,
    CAN_BCM_TX_READ = libc::TX_READ,
    CAN_BCM_TX_RESET_MULTI_IDX = libc::TX_RESET_MULTI_IDX,
    CAN_BCM_TX_SEND = libc::TX_SEND,
    CAN_BCM_TX_SETUP = libc::TX_SETUP,
    CAN_BCM_TX_STATUS = libc::TX_STATUS,

    // CAN: ISO-TP, <linux/can/isotp.h>
    #[cfg(Py_3_15)] CAN_ISOTP_CHK_PAD_DATA = 0x20,
    #[cfg(Py_3_15)] CAN_ISOTP_CHK_PAD_LEN = 0x10,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_EXT_ADDRESS = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_FLAGS = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_FRAME_TXTIME = 50_000,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_LL_MTU = 16,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_LL_TX_DL = 8,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_LL_TX_FLAGS = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_PAD_CONTENT = 0xcc,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_RECV_BS = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_RECV_STMIN = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_RECV_WFTMAX = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_EXTEND_ADDR = 0x02,
    #[cfg(Py_3_15)] CAN_ISOTP_FORCE_RXSTMIN = 0x0100,
    #[cfg(Py_3_15)] CAN_ISOTP_FORCE_TXSTMIN = 0x80,
    #[cfg(Py_3_15)] CAN_ISOTP_HALF_DUPLEX = 0x40,
    #[cfg(Py_3_15)] CAN_ISOTP_LISTEN_MODE = 0x01,
    #[cfg(Py_3_15)] CAN_ISOTP_LL_OPTS = 5,
    #[cfg(Py_3_15)] CAN_ISOTP_OPTS = 1,
    #[cfg(Py_3_15)] CAN_ISOTP_RECV_FC = 2,
    #[cfg(Py_3_15)] CAN_ISOTP_RX_EXT_ADDR = 0x0200,
    #[cfg(Py_3_15)] CAN_ISOTP_RX_PADDING = 0x08,
    #[cfg(Py_3_15)] CAN_ISOTP_RX_STMIN = 4,
    #[cfg(Py_3_15)] CAN_ISOTP_SF_BROADCAST = 0x0800,
    #[cfg(Py_3_15)] CAN_ISOTP_TX_PADDING = 0x04,
    #[cfg(Py_3_15)] CAN_ISOTP_TX_STMIN = 3,
    #[cfg(Py_3_15)] CAN_ISOTP_WAIT_TX_DONE = 0x0400,

    // CAN: J1939
    J1939_EE_INFO_NONE,
    J1939_EE_INFO_TX_ABORT,
    J1939_FILTER_MAX,
    J1939_IDLE_ADDR,
    J1939_MAX_UNICAST_ADDR,
    J1939_NLA_BYTES_ACKED,
    J1939_NLA_PAD,
    J1939_NO_ADDR,
    J1939_NO_NAME,
    J1939_NO_PGN,
    J1939_PGN_ADDRESS_CLAIMED,
    J1939_PGN_ADDRESS_COMMANDED,
    J1939_PGN_MAX,
    J1939_PGN_PDU1_MAX,
    J1939_PGN_REQUEST,
    SCM_J1939_DEST_ADDR,
    SCM_J1939_DEST_NAME,
    SCM_J1939_ERRQUEUE,
    SCM_J1939_PRIO,
    SO_J1939_ERRQUEUE,
    SO_J1939_FILTER,
    SO_J1939_PROMISC,
    SO_J1939_SEND_PRIO,

    // Kernel cryptography
    ALG_OP_DECRYPT,
    ALG_OP_ENCRYPT,
    ALG_OP_SIGN = 2, // <linux/if_alg.h>
    ALG_OP_VERIFY = 3, // <linux/if_alg.h>
    ALG_SET_AEAD_ASSOCLEN,
    ALG_SET_AEAD_AUTHSIZE,
    ALG_SET_IV,
    ALG_SET_KEY,
    ALG_SET_OP,
    ALG_SET_PUBKEY = 6, // <linux/if_alg.h>

    // TIPC, <linux/tipc.h>
    TIPC_ADDR_ID = 3,
    TIPC_ADDR_NAME = 2,
    TIPC_ADDR_NAMESEQ = 1,
    TIPC_CFG_SRV = 0,
    TIPC_CLUSTER_SCOPE = 2,
    TIPC_CONN_TIMEOUT = 130,
    TIPC_CRITICAL_IMPORTANCE = 3,
    TIPC_DEST_DROPPABLE = 129,
    TIPC_HIGH_IMPORTANCE = 2,
    TIPC_IMPORTANCE = 127,
    TIPC_LOW_IMPORTANCE = 0,
    TIPC_MEDIUM_IMPORTANCE = 1,
    TIPC_NODE_SCOPE = 3,
    TIPC_PUBLISHED = 1,
    TIPC_SRC_DROPPABLE = 128,
    TIPC_SUBSCR_TIMEOUT = 3,
    TIPC_SUB_CANCEL = 4,
    TIPC_SUB_PORTS = 1,
    TIPC_SUB_SERVICE = 2,
    TIPC_TOP_SRV = 1,
    TIPC_WAIT_FOREVER = -1,
    TIPC_WITHDRAWN = 2,
    TIPC_ZONE_SCOPE = 1,

    // Virtual machine sockets, <linux/vm_sockets.h>
    IOCTL_VM_SOCKETS_GET_LOCAL_CID = libc::_IO(7, 0xb9),
    SO_VM_SOCKETS_BUFFER_MAX_SIZE = 2,
    SO_VM_SOCKETS_BUFFER_MIN_SIZE = 1,
    SO_VM_SOCKETS_BUFFER_SIZE = 0,
    VMADDR_CID_ANY,
    VMADDR_CID_HOST,
    #[cfg(Py_3_14)] VMADDR_CID_LOCAL,
    VMADDR_PORT_ANY,
    VM_SOCKETS_INVALID_VERSION = 0xffff_ffff_u32,

    // Bluetooth, <bluetooth/bluetooth.h>
    #[cfg(Py_3_14)] BDADDR_BREDR = 0,
    #[cfg(Py_3_14)] BDADDR_LE_PUBLIC = 1,
    #[cfg(Py_3_14)] BDADDR_LE_RANDOM = 2,
    BTPROTO_HCI = 1,
    BTPROTO_L2CAP = 0,
    BTPROTO_RFCOMM = 3,
    BTPROTO_SCO = 2,

    // Bluetooth: SOL_BLUETOOTH, <bluetooth/bluetooth.h>
    #[cfg(Py_3_14)] BT_CHANNEL_POLICY = 10,
    #[cfg(Py_3_14)] BT_CHANNEL_POLICY_BREDR_ONLY = 0,
    #[cfg(Py_3_14)] BT_CHANNEL_POLICY_BREDR_PREFERRED = 1,
    #[cfg(Py_3_14)] BT_CODEC = 19,
    #[cfg(Py_3_14)] BT_DEFER_SETUP = 7,
    #[cfg(Py_3_14)] BT_FLUSHABLE = 8,
    #[cfg(Py_3_14)] BT_FLUSHABLE_OFF = 0,
    #[cfg(Py_3_14)] BT_FLUSHABLE_ON = 1,
    #[cfg(Py_3_14)] BT_ISO_QOS = 17,
    #[cfg(Py_3_14)] BT_MODE = 15,
    #[cfg(Py_3_14)] BT_MODE_BASIC = 0,
    #[cfg(Py_3_14)] BT_MODE_ERTM = 1,
    #[cfg(Py_3_14)] BT_MODE_EXT_FLOWCTL = 4,
    #[cfg(Py_3_14)] BT_MODE_LE_FLOWCTL = 3,
    #[cfg(Py_3_14)] BT_MODE_STREAMING = 2,
    #[cfg(Py_3_14)] BT_PHY = 14,
    #[cfg(Py_3_14)] BT_PHY_BR_1M_1SLOT = 0x01,
    #[cfg(Py_3_14)] BT_PHY_BR_1M_3SLOT = 0x02,
    #[cfg(Py_3_14)] BT_PHY_BR_1M_5SLOT = 0x04,
    #[cfg(Py_3_14)] BT_PHY_EDR_2M_1SLOT = 0x08,
    #[cfg(Py_3_14)] BT_PHY_EDR_2M_3SLOT = 0x10,
    #[cfg(Py_3_14)] BT_PHY_EDR_2M_5SLOT = 0x20,
    #[cfg(Py_3_14)] BT_PHY_EDR_3M_1SLOT = 0x40,
    #[cfg(Py_3_14)] BT_PHY_EDR_3M_3SLOT = 0x80,
    #[cfg(Py_3_14)] BT_PHY_EDR_3M_5SLOT = 0x0100,
    #[cfg(Py_3_14)] BT_PHY_LE_1M_RX = 0x0400,
    #[cfg(Py_3_14)] BT_PHY_LE_1M_TX = 0x0200,
    #[cfg(Py_3_14)] BT_PHY_LE_2M_RX = 0x1000,
    #[cfg(Py_3_14)] BT_PHY_LE_2M_TX = 0x0800,
    #[cfg(Py_3_14)] BT_PHY_LE_CODED_RX = 0x4000,
    #[cfg(Py_3_14)] BT_PHY_LE_CODED_TX = 0x2000,
    #[cfg(Py_3_14)] BT_PKT_STATUS = 16,
    #[cfg(Py_3_14)] BT_POWER = 9,
    #[cfg(Py_3_14)] BT_POWER_FORCE_ACTIVE_OFF = 0,
    #[cfg(Py_3_14)] BT_POWER_FORCE_ACTIVE_ON = 1,
    #[cfg(Py_3_14)] BT_RCVMTU = 13,
    #[cfg(Py_3_14)] BT_SECURITY = 4,
    #[cfg(Py_3_14)] BT_SECURITY_FIPS = 4,
    #[cfg(Py_3_14)] BT_SECURITY_HIGH = 3,
    #[cfg(Py_3_14)] BT_SECURITY_LOW = 1,
    #[cfg(Py_3_14)] BT_SECURITY_MEDIUM = 2,
    #[cfg(Py_3_14)] BT_SECURITY_SDP = 0,
    #[cfg(Py_3_14)] BT_SNDMTU = 12,
    #[cfg(Py_3_14)] BT_VOICE = 11,
    #[cfg(Py_3_14)] BT_VOICE_CVSD_16BIT = 0x60,
    #[cfg(Py_3_14)] BT_VOICE_TRANSPARENT = 0x03,
    #[cfg(Py_3_14)] BT_VOICE_TRANSPARENT_16BIT = 0x63,

    // Bluetooth: SOL_HCI, <bluetooth/hci.h>
    #[cfg(Py_3_14)] HCI_CHANNEL_CONTROL = 3,
    #[cfg(Py_3_14)] HCI_CHANNEL_LOGGING = 4,
    #[cfg(Py_3_14)] HCI_CHANNEL_MONITOR = 2,
    #[cfg(Py_3_14)] HCI_CHANNEL_RAW = 0,
    #[cfg(Py_3_14)] HCI_CHANNEL_USER = 1,
    HCI_DATA_DIR = 1,
    #[cfg(Py_3_14)] HCI_DEV_NONE = 0xffff,
    HCI_FILTER = 2,
    HCI_TIME_STAMP = 3,

    // Bluetooth: SOL_L2CAP, <bluetooth/l2cap.h>
    #[cfg(Py_3_14)] L2CAP_LM = 3,
    #[cfg(Py_3_14)] L2CAP_LM_AUTH = 0x02,
    #[cfg(Py_3_14)] L2CAP_LM_ENCRYPT = 0x04,
    #[cfg(Py_3_14)] L2CAP_LM_MASTER = 0x01,
    #[cfg(Py_3_14)] L2CAP_LM_RELIABLE = 0x10,
    #[cfg(Py_3_14)] L2CAP_LM_SECURE = 0x20,
    #[cfg(Py_3_14)] L2CAP_LM_TRUSTED = 0x08,
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn value(name: &CStr) -> Option<c_long> {
        let found = TABLE.iter().find(|constant| constant.name == name)?;
        Some(found.value)
    }

    /// The names of the table in the order of this file, block by block.
    fn blocks() -> Vec<Vec<&'static str>> {
        let source = include_str!("constants.rs");
        let (_, rest) = source.split_once("= constants! {\n").expect("the table");
        let (table, _) = rest.split_once("\n};").expect("the end of the table");
        let name = |line: &'static str| {
            let line = line.trim();
            let entry = line.rsplit_once(")] ").map_or(line, |(_, entry)| entry);
            entry.split([' ', ',']).next().expect("a name")
        };
        let entries = |block: &'static str| block.lines().skip(1).map(name).collect();
        table.split("\n\n").map(entries).collect()
    }

    #[test]
    fn names_are_unique() {
        let mut seen = HashSet::new();
        let duplicates: Vec<_> = TABLE.iter().filter(|c| !seen.insert(c.name)).collect();
        assert!(duplicates.is_empty(), "{duplicates:?}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads the whole file, which takes a minute under Miri")]
    fn names_are_sorted_within_each_block() {
        for block in blocks() {
            assert!(block.is_sorted(), "{block:?}");
        }
    }

    #[test]
    fn values_are_those_of_the_headers() {
        assert_eq!(value(c"AF_INET"), Some(2));
        assert_eq!(value(c"EAI_NONAME"), Some(-2));
        assert_eq!(value(c"TIPC_WAIT_FOREVER"), Some(-1));
        assert_eq!(value(c"SO_VM_SOCKETS_BUFFER_SIZE"), Some(0));
        assert_eq!(value(c"AF_NO_SUCH"), None);
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn unsigned_values_stay_positive() {
        assert_eq!(value(c"INADDR_BROADCAST"), Some(0xffff_ffff));
        assert_eq!(value(c"CAN_EFF_FLAG"), Some(0x8000_0000));
        assert_eq!(value(c"VMADDR_CID_ANY"), Some(0xffff_ffff));
    }

    #[test]
    fn names_appear_with_their_python_version() {
        assert_eq!(value(c"ETH_P_ALL").is_some(), cfg!(Py_3_12));
        assert_eq!(value(c"NI_IDN").is_some(), cfg!(Py_3_13));
        assert_eq!(value(c"SOL_BLUETOOTH").is_some(), cfg!(Py_3_14));
        assert_eq!(value(c"SO_PASSRIGHTS").is_some(), cfg!(Py_3_15));
    }
}
