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
    ($($(#[$when:meta])* $name:ident $(in $system:literal)? $(= $value:expr)?),* $(,)?) => {
        &[$(
            $(#[$when])*
            $(#[cfg(target_os = $system)])?
            Constant {
                name: c_name(concat!(stringify!($name), "\0")),
                value: value!($name $(= $value)?) as c_long,
            },
        )*]
    };
}

/// The constants that are texts.
pub const TEXTS: &[(&CStr, &str)] = &[
    #[cfg(target_os = "linux")]
    (c"BDADDR_ANY", "00:00:00:00:00:00"),
    #[cfg(target_os = "linux")]
    (c"BDADDR_LOCAL", "00:00:00:FF:FF:FF"),
];

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
    #[cfg(target_os = "linux")]
    Patched {
        constant: Constant { name: c"CAN_RAW_ERR_FILTER", value: libc::CAN_RAW_ERR_FILTER as c_long },
        since: &[(3, 12, 10), (3, 13, 3)],
    },
];

/// All integer constants of this Python version's `_socket` on this system. A name that only one system has, or that has other values on
/// each, is followed by the system's.
#[rustfmt::skip] // each entry on one line, with its version
pub const TABLE: &[Constant] = constants! {
    // Address families
    AF_ALG in "linux",
    AF_APPLETALK,
    AF_ASH in "linux",
    AF_ATMPVC in "linux",
    AF_ATMSVC in "linux",
    AF_AX25 in "linux",
    AF_BLUETOOTH in "linux",
    AF_BRIDGE in "linux",
    AF_CAN in "linux",
    AF_DECnet,
    AF_ECONET in "linux",
    AF_INET,
    AF_INET6,
    AF_IPX,
    AF_IRDA in "linux",
    AF_KEY in "linux",
    AF_LINK in "macos",
    AF_LLC in "linux",
    AF_NETBEUI in "linux",
    AF_NETLINK in "linux",
    AF_NETROM in "linux",
    AF_PACKET in "linux",
    AF_PPPOX in "linux",
    AF_QIPCRTR in "linux" = 42, // <bits/socket.h>
    AF_RDS in "linux",
    AF_ROSE in "linux",
    AF_ROUTE,
    AF_SECURITY in "linux",
    AF_SNA,
    AF_SYSTEM in "macos",
    AF_TIPC in "linux",
    AF_UNIX,
    AF_UNSPEC,
    AF_VSOCK in "linux",
    AF_WANPIPE in "linux",
    AF_X25 in "linux",

    // Protocol families
    PF_CAN in "linux",
    PF_PACKET in "linux",
    PF_RDS in "linux",
    PF_SYSTEM in "macos",

    // Socket types
    SOCK_CLOEXEC in "linux",
    SOCK_DGRAM,
    SOCK_NONBLOCK in "linux",
    SOCK_RAW,
    SOCK_RDM,
    SOCK_SEQPACKET,
    SOCK_STREAM,

    // Levels
    SOL_ALG in "linux",
    #[cfg(Py_3_14)] SOL_BLUETOOTH in "linux",
    SOL_CAN_BASE in "linux",
    #[cfg(Py_3_15)] SOL_CAN_ISOTP in "linux" = 106, // <linux/can/isotp.h>
    SOL_CAN_RAW in "linux",
    SOL_HCI in "linux" = 0, // <bluetooth/hci.h>
    SOL_IP in "linux",
    SOL_IP in "macos" = 0, // CPython has these three where the headers do not
    #[cfg(Py_3_14)] SOL_L2CAP in "linux" = 6, // <bluetooth/l2cap.h>
    SOL_RDS in "linux" = 276, // <bits/socket.h>
    #[cfg(Py_3_14)] SOL_RFCOMM in "linux" = 18, // <bluetooth/rfcomm.h>
    #[cfg(Py_3_14)] SOL_SCO in "linux" = 17, // <bluetooth/sco.h>
    SOL_SOCKET,
    SOL_TCP in "linux",
    SOL_TCP in "macos" = 6,
    SOL_TIPC in "linux",
    SOL_UDP in "linux",
    SOL_UDP in "macos" = 17,

    // Arguments of shutdown, and the longest backlog
    SHUT_RD,
    SHUT_RDWR,
    SHUT_WR,
    SOMAXCONN,

    // SOL_SOCKET
    SO_ACCEPTCONN,
    SO_BINDTODEVICE in "linux",
    #[cfg(Py_3_13)] SO_BINDTOIFINDEX in "linux",
    SO_BROADCAST,
    SO_DEBUG,
    SO_DOMAIN in "linux",
    SO_DONTROUTE,
    SO_ERROR,
    SO_INCOMING_CPU in "linux",
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MARK in "linux",
    SO_OOBINLINE,
    #[cfg(Py_3_14)] SO_ORIGINAL_DST in "linux",
    SO_PASSCRED in "linux",
    #[cfg(Py_3_15)] SO_PASSRIGHTS in "linux" = 83, // <asm-generic/socket.h>
    SO_PASSSEC in "linux",
    SO_PEERCRED in "linux",
    SO_PEERSEC in "linux",
    SO_PRIORITY in "linux",
    SO_PROTOCOL in "linux",
    SO_RCVBUF,
    SO_RCVLOWAT,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SO_SNDBUF,
    SO_SNDLOWAT,
    SO_SNDTIMEO,
    SO_TYPE,
    SO_USELOOPBACK in "macos",

    // Flags of a transfer
    MSG_CMSG_CLOEXEC in "linux",
    MSG_CONFIRM in "linux",
    MSG_CTRUNC,
    MSG_DONTROUTE,
    MSG_DONTWAIT,
    MSG_EOF in "macos",
    MSG_EOR,
    MSG_ERRQUEUE in "linux",
    MSG_FASTOPEN in "linux",
    MSG_MORE in "linux",
    MSG_NOSIGNAL,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_WAITALL,

    // Ancillary data
    SCM_CREDENTIALS in "linux",
    SCM_CREDS in "macos",
    SCM_RIGHTS,

    // IP protocols
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_EGP,
    IPPROTO_EON in "macos",
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_GGP in "macos",
    IPPROTO_GRE,
    IPPROTO_HELLO in "macos",
    IPPROTO_HOPOPTS,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IDP,
    IPPROTO_IGMP,
    IPPROTO_IP,
    IPPROTO_IPCOMP in "macos",
    IPPROTO_IPIP,
    IPPROTO_IPV4 in "macos" = 4, // <netinet/in.h>
    IPPROTO_IPV6,
    IPPROTO_MAX in "macos",
    #[cfg(target_env = "musl")] IPPROTO_MAX = 263, // <netinet/in.h>, where glibc has no macro for it
    IPPROTO_MPTCP in "linux",
    IPPROTO_ND in "macos",
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
    IPPROTO_UDPLITE in "linux",
    IPPROTO_XTP in "macos",

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
    IP_BIND_ADDRESS_NO_PORT in "linux",
    #[cfg(Py_3_12)] IP_BLOCK_SOURCE,
    IP_DEFAULT_MULTICAST_LOOP in "linux",
    IP_DEFAULT_MULTICAST_LOOP in "macos" = 1, // <netinet/in.h>
    IP_DEFAULT_MULTICAST_TTL in "linux",
    IP_DEFAULT_MULTICAST_TTL in "macos" = 1, // <netinet/in.h>
    IP_DROP_MEMBERSHIP,
    #[cfg(Py_3_12)] IP_DROP_SOURCE_MEMBERSHIP,
    #[cfg(Py_3_14)] IP_FREEBIND in "linux",
    IP_HDRINCL,
    IP_MAX_MEMBERSHIPS in "linux" = 20, // <bits/in.h>
    IP_MAX_MEMBERSHIPS in "macos" = 4095, // <netinet/in.h>
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IP_OPTIONS in "linux",
    IP_OPTIONS in "macos" = 1, // <netinet/in.h>
    #[cfg(Py_3_12)] IP_PKTINFO,
    IP_RECVDSTADDR in "macos",
    #[cfg(Py_3_14)] IP_RECVERR in "linux",
    IP_RECVOPTS in "linux",
    IP_RECVOPTS in "macos" = 5, // <netinet/in.h>
    #[cfg(Py_3_14)] IP_RECVORIGDSTADDR in "linux",
    IP_RECVRETOPTS in "linux" = libc::IP_RETOPTS,
    IP_RECVRETOPTS in "macos" = 6, // <netinet/in.h>
    IP_RECVTOS,
    #[cfg(Py_3_14)] IP_RECVTTL,
    IP_RETOPTS in "linux",
    IP_RETOPTS in "macos" = 8, // <netinet/in.h>
    IP_TOS,
    IP_TRANSPARENT in "linux",
    IP_TTL,
    #[cfg(Py_3_12)] IP_UNBLOCK_SOURCE,

    // IPPROTO_IPV6
    IPV6_CHECKSUM,
    IPV6_DONTFRAG,
    IPV6_DSTOPTS in "linux",
    IPV6_DSTOPTS in "macos" = 50, // <netinet6/in6.h>, by RFC 3542
    #[cfg(Py_3_15)] IPV6_HDRINCL in "linux",
    IPV6_HOPLIMIT,
    IPV6_HOPOPTS in "linux",
    IPV6_HOPOPTS in "macos" = 49, // <netinet6/in6.h>
    IPV6_JOIN_GROUP in "linux" = libc::IPV6_ADD_MEMBERSHIP,
    IPV6_JOIN_GROUP in "macos",
    IPV6_LEAVE_GROUP in "linux" = libc::IPV6_DROP_MEMBERSHIP,
    IPV6_LEAVE_GROUP in "macos",
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    IPV6_NEXTHOP in "linux",
    IPV6_NEXTHOP in "macos" = 48, // <netinet6/in6.h>
    IPV6_PATHMTU in "linux",
    IPV6_PATHMTU in "macos" = 44, // <netinet6/in6.h>
    IPV6_PKTINFO,
    IPV6_RECVDSTOPTS in "linux",
    IPV6_RECVDSTOPTS in "macos" = 40, // <netinet6/in6.h>
    #[cfg(Py_3_14)] IPV6_RECVERR in "linux",
    IPV6_RECVHOPLIMIT,
    IPV6_RECVHOPOPTS in "linux",
    IPV6_RECVHOPOPTS in "macos" = 39, // <netinet6/in6.h>
    IPV6_RECVPATHMTU in "linux",
    IPV6_RECVPATHMTU in "macos" = 43, // <netinet6/in6.h>
    IPV6_RECVPKTINFO,
    IPV6_RECVRTHDR in "linux",
    IPV6_RECVRTHDR in "macos" = 38, // <netinet6/in6.h>
    IPV6_RECVTCLASS,
    IPV6_RTHDR in "linux",
    IPV6_RTHDR in "macos" = 51, // <netinet6/in6.h>
    IPV6_RTHDRDSTOPTS in "linux",
    IPV6_RTHDRDSTOPTS in "macos" = 57, // <netinet6/in6.h>
    IPV6_RTHDR_TYPE_0 = 0, // <bits/in.h>
    IPV6_TCLASS,
    IPV6_UNICAST_HOPS,
    IPV6_USE_MIN_MTU in "macos" = 42, // <netinet6/in6.h>
    IPV6_V6ONLY,

    // IPPROTO_TCP
    #[cfg(Py_3_12)] TCP_CC_INFO in "linux",
    TCP_CONGESTION in "linux",
    TCP_CONNECTION_INFO in "macos",
    TCP_CORK in "linux",
    TCP_DEFER_ACCEPT in "linux",
    TCP_FASTOPEN,
    #[cfg(Py_3_12)] TCP_FASTOPEN_CONNECT in "linux",
    #[cfg(Py_3_12)] TCP_FASTOPEN_KEY in "linux",
    #[cfg(Py_3_12)] TCP_FASTOPEN_NO_COOKIE in "linux",
    TCP_INFO in "linux",
    #[cfg(Py_3_12)] TCP_INQ in "linux",
    TCP_KEEPALIVE in "macos",
    TCP_KEEPCNT,
    TCP_KEEPIDLE in "linux",
    TCP_KEEPINTVL,
    TCP_LINGER2 in "linux",
    TCP_MAXSEG,
    #[cfg(Py_3_12)] TCP_MD5SIG in "linux",
    #[cfg(Py_3_12)] TCP_MD5SIG_EXT in "linux",
    TCP_NODELAY,
    TCP_NOTSENT_LOWAT in "linux",
    TCP_NOTSENT_LOWAT in "macos" = 0x201, // <netinet/tcp.h>
    #[cfg(Py_3_12)] TCP_QUEUE_SEQ in "linux",
    TCP_QUICKACK in "linux",
    #[cfg(Py_3_12)] TCP_REPAIR in "linux",
    #[cfg(Py_3_12)] TCP_REPAIR_OPTIONS in "linux",
    #[cfg(Py_3_12)] TCP_REPAIR_QUEUE in "linux",
    #[cfg(Py_3_12)] TCP_REPAIR_WINDOW in "linux",
    #[cfg(Py_3_12)] TCP_SAVED_SYN in "linux",
    #[cfg(Py_3_12)] TCP_SAVE_SYN in "linux",
    TCP_SYNCNT in "linux",
    #[cfg(Py_3_12)] TCP_THIN_DUPACK in "linux",
    #[cfg(Py_3_12)] TCP_THIN_LINEAR_TIMEOUTS in "linux",
    #[cfg(Py_3_12)] TCP_TIMESTAMP in "linux",
    #[cfg(Py_3_12)] TCP_TX_DELAY in "linux" = 37, // <linux/tcp.h>
    #[cfg(Py_3_12)] TCP_ULP in "linux",
    TCP_USER_TIMEOUT in "linux",
    TCP_WINDOW_CLAMP in "linux",
    #[cfg(Py_3_12)] TCP_ZEROCOPY_RECEIVE in "linux",

    // IPPROTO_UDPLITE, RFC 3828; <linux/udp.h> no longer has them
    UDPLITE_RECV_CSCOV in "linux" = 11,
    UDPLITE_SEND_CSCOV in "linux" = 10,

    // getaddrinfo: flags
    AI_ADDRCONFIG,
    AI_ALL,
    AI_CANONNAME,
    AI_DEFAULT in "macos",
    AI_MASK in "macos",
    AI_NUMERICHOST,
    AI_NUMERICSERV,
    AI_PASSIVE,
    AI_V4MAPPED,
    AI_V4MAPPED_CFG in "macos",

    // getaddrinfo: errors
    EAI_ADDRFAMILY in "linux" = -9, // <netdb.h>
    EAI_ADDRFAMILY in "macos" = 1, // <netdb.h>
    EAI_AGAIN,
    EAI_BADFLAGS,
    EAI_BADHINTS in "macos" = 12, // <netdb.h>
    EAI_FAIL,
    EAI_FAMILY,
    EAI_MAX in "macos" = 15, // <netdb.h>
    EAI_MEMORY,
    EAI_NODATA,
    EAI_NONAME,
    EAI_OVERFLOW,
    EAI_PROTOCOL in "macos" = 13, // <netdb.h>
    EAI_SERVICE,
    EAI_SOCKTYPE,
    EAI_SYSTEM,

    // getnameinfo
    NI_DGRAM,
    #[cfg(all(Py_3_13, not(target_env = "musl")))] NI_IDN in "linux",
    NI_MAXHOST,
    NI_MAXSERV = 32, // <netdb.h>
    NI_NAMEREQD,
    NI_NOFQDN,
    NI_NUMERICHOST,
    NI_NUMERICSERV,

    // Netlink
    NETLINK_CRYPTO in "linux",
    NETLINK_DNRTMSG in "linux",
    NETLINK_FIREWALL in "linux",
    NETLINK_IP6_FW in "linux",
    NETLINK_NFLOG in "linux",
    NETLINK_ROUTE in "linux",
    NETLINK_USERSOCK in "linux",
    NETLINK_XFRM in "linux",

    // Packet sockets and Ethernet
    #[cfg(Py_3_12)] ETHERTYPE_ARP in "linux" = libc::ETH_P_ARP,
    #[cfg(Py_3_12)] ETHERTYPE_ARP in "macos" = 0x0806, // <net/ethernet.h>
    #[cfg(Py_3_12)] ETHERTYPE_IP in "linux" = libc::ETH_P_IP,
    #[cfg(Py_3_12)] ETHERTYPE_IP in "macos" = 0x0800, // <net/ethernet.h>
    #[cfg(Py_3_12)] ETHERTYPE_IPV6 in "linux" = libc::ETH_P_IPV6,
    #[cfg(Py_3_12)] ETHERTYPE_IPV6 in "macos" = 0x86dd, // <net/ethernet.h>
    #[cfg(Py_3_12)] ETHERTYPE_VLAN in "linux" = libc::ETH_P_8021Q,
    #[cfg(Py_3_12)] ETHERTYPE_VLAN in "macos" = 0x8100, // <net/ethernet.h>
    #[cfg(Py_3_12)] ETH_P_ALL in "linux",
    PACKET_BROADCAST in "linux",
    PACKET_FASTROUTE in "linux" = 6, // <linux/if_packet.h>
    PACKET_HOST in "linux",
    PACKET_LOOPBACK in "linux",
    PACKET_MULTICAST in "linux",
    PACKET_OTHERHOST in "linux",
    PACKET_OUTGOING in "linux",

    // CAN: protocols, frames, filters
    CAN_BCM in "linux",
    CAN_EFF_FLAG in "linux",
    CAN_EFF_MASK in "linux",
    CAN_ERR_FLAG in "linux",
    CAN_ERR_MASK in "linux",
    CAN_ISOTP in "linux",
    CAN_J1939 in "linux",
    CAN_RAW in "linux",
    #[cfg(Py_3_14)] CAN_RAW_ERR_FILTER in "linux",
    CAN_RAW_FD_FRAMES in "linux",
    CAN_RAW_FILTER in "linux",
    CAN_RAW_JOIN_FILTERS in "linux",
    CAN_RAW_LOOPBACK in "linux",
    CAN_RAW_RECV_OWN_MSGS in "linux",
    CAN_RTR_FLAG in "linux",
    CAN_SFF_MASK in "linux",

    // CAN: broadcast manager
    CAN_BCM_CAN_FD_FRAME in "linux" = libc::CAN_FD_FRAME,
    CAN_BCM_RX_ANNOUNCE_RESUME in "linux" = libc::RX_ANNOUNCE_RESUME,
    CAN_BCM_RX_CHANGED in "linux" = libc::RX_CHANGED,
    CAN_BCM_RX_CHECK_DLC in "linux" = libc::RX_CHECK_DLC,
    CAN_BCM_RX_DELETE in "linux" = libc::RX_DELETE,
    CAN_BCM_RX_FILTER_ID in "linux" = libc::RX_FILTER_ID,
    CAN_BCM_RX_NO_AUTOTIMER in "linux" = libc::RX_NO_AUTOTIMER,
    CAN_BCM_RX_READ in "linux" = libc::RX_READ,
    CAN_BCM_RX_RTR_FRAME in "linux" = libc::RX_RTR_FRAME,
    CAN_BCM_RX_SETUP in "linux" = libc::RX_SETUP,
    CAN_BCM_RX_STATUS in "linux" = libc::RX_STATUS,
    CAN_BCM_RX_TIMEOUT in "linux" = libc::RX_TIMEOUT,
    CAN_BCM_SETTIMER in "linux" = libc::SETTIMER,
    CAN_BCM_STARTTIMER in "linux" = libc::STARTTIMER,
    CAN_BCM_TX_ANNOUNCE in "linux" = libc::TX_ANNOUNCE,
    CAN_BCM_TX_COUNTEVT in "linux" = libc::TX_COUNTEVT,
    CAN_BCM_TX_CP_CAN_ID in "linux" = libc::TX_CP_CAN_ID,
    CAN_BCM_TX_DELETE in "linux" = libc::TX_DELETE,
    CAN_BCM_TX_EXPIRED in "linux" = libc::TX_EXPIRED,
    CAN_BCM_TX_READ in "linux" = libc::TX_READ,
    CAN_BCM_TX_RESET_MULTI_IDX in "linux" = libc::TX_RESET_MULTI_IDX,
    CAN_BCM_TX_SEND in "linux" = libc::TX_SEND,
    CAN_BCM_TX_SETUP in "linux" = libc::TX_SETUP,
    CAN_BCM_TX_STATUS in "linux" = libc::TX_STATUS,

    // CAN: ISO-TP, <linux/can/isotp.h>
    #[cfg(Py_3_15)] CAN_ISOTP_CHK_PAD_DATA in "linux" = 0x20,
    #[cfg(Py_3_15)] CAN_ISOTP_CHK_PAD_LEN in "linux" = 0x10,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_EXT_ADDRESS in "linux" = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_FLAGS in "linux" = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_FRAME_TXTIME in "linux" = 50_000,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_LL_MTU in "linux" = 16,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_LL_TX_DL in "linux" = 8,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_LL_TX_FLAGS in "linux" = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_PAD_CONTENT in "linux" = 0xcc,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_RECV_BS in "linux" = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_RECV_STMIN in "linux" = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_DEFAULT_RECV_WFTMAX in "linux" = 0,
    #[cfg(Py_3_15)] CAN_ISOTP_EXTEND_ADDR in "linux" = 0x02,
    #[cfg(Py_3_15)] CAN_ISOTP_FORCE_RXSTMIN in "linux" = 0x0100,
    #[cfg(Py_3_15)] CAN_ISOTP_FORCE_TXSTMIN in "linux" = 0x80,
    #[cfg(Py_3_15)] CAN_ISOTP_HALF_DUPLEX in "linux" = 0x40,
    #[cfg(Py_3_15)] CAN_ISOTP_LISTEN_MODE in "linux" = 0x01,
    #[cfg(Py_3_15)] CAN_ISOTP_LL_OPTS in "linux" = 5,
    #[cfg(Py_3_15)] CAN_ISOTP_OPTS in "linux" = 1,
    #[cfg(Py_3_15)] CAN_ISOTP_RECV_FC in "linux" = 2,
    #[cfg(Py_3_15)] CAN_ISOTP_RX_EXT_ADDR in "linux" = 0x0200,
    #[cfg(Py_3_15)] CAN_ISOTP_RX_PADDING in "linux" = 0x08,
    #[cfg(Py_3_15)] CAN_ISOTP_RX_STMIN in "linux" = 4,
    #[cfg(Py_3_15)] CAN_ISOTP_SF_BROADCAST in "linux" = 0x0800,
    #[cfg(Py_3_15)] CAN_ISOTP_TX_PADDING in "linux" = 0x04,
    #[cfg(Py_3_15)] CAN_ISOTP_TX_STMIN in "linux" = 3,
    #[cfg(Py_3_15)] CAN_ISOTP_WAIT_TX_DONE in "linux" = 0x0400,

    // CAN: J1939
    J1939_EE_INFO_NONE in "linux",
    J1939_EE_INFO_TX_ABORT in "linux",
    J1939_FILTER_MAX in "linux",
    J1939_IDLE_ADDR in "linux",
    J1939_MAX_UNICAST_ADDR in "linux",
    J1939_NLA_BYTES_ACKED in "linux",
    J1939_NLA_PAD in "linux",
    J1939_NO_ADDR in "linux",
    J1939_NO_NAME in "linux",
    J1939_NO_PGN in "linux",
    J1939_PGN_ADDRESS_CLAIMED in "linux",
    J1939_PGN_ADDRESS_COMMANDED in "linux",
    J1939_PGN_MAX in "linux",
    J1939_PGN_PDU1_MAX in "linux",
    J1939_PGN_REQUEST in "linux",
    SCM_J1939_DEST_ADDR in "linux",
    SCM_J1939_DEST_NAME in "linux",
    SCM_J1939_ERRQUEUE in "linux",
    SCM_J1939_PRIO in "linux",
    SO_J1939_ERRQUEUE in "linux",
    SO_J1939_FILTER in "linux",
    SO_J1939_PROMISC in "linux",
    SO_J1939_SEND_PRIO in "linux",

    // Kernel cryptography
    ALG_OP_DECRYPT in "linux",
    ALG_OP_ENCRYPT in "linux",
    ALG_OP_SIGN in "linux" = 2, // <linux/if_alg.h>
    ALG_OP_VERIFY in "linux" = 3, // <linux/if_alg.h>
    ALG_SET_AEAD_ASSOCLEN in "linux",
    ALG_SET_AEAD_AUTHSIZE in "linux",
    ALG_SET_IV in "linux",
    ALG_SET_KEY in "linux",
    ALG_SET_OP in "linux",
    ALG_SET_PUBKEY in "linux" = 6, // <linux/if_alg.h>

    // TIPC, <linux/tipc.h>
    TIPC_ADDR_ID in "linux" = 3,
    TIPC_ADDR_NAME in "linux" = 2,
    TIPC_ADDR_NAMESEQ in "linux" = 1,
    TIPC_CFG_SRV in "linux" = 0,
    TIPC_CLUSTER_SCOPE in "linux" = 2,
    TIPC_CONN_TIMEOUT in "linux" = 130,
    TIPC_CRITICAL_IMPORTANCE in "linux" = 3,
    TIPC_DEST_DROPPABLE in "linux" = 129,
    TIPC_HIGH_IMPORTANCE in "linux" = 2,
    TIPC_IMPORTANCE in "linux" = 127,
    TIPC_LOW_IMPORTANCE in "linux" = 0,
    TIPC_MEDIUM_IMPORTANCE in "linux" = 1,
    TIPC_NODE_SCOPE in "linux" = 3,
    TIPC_PUBLISHED in "linux" = 1,
    TIPC_SRC_DROPPABLE in "linux" = 128,
    TIPC_SUBSCR_TIMEOUT in "linux" = 3,
    TIPC_SUB_CANCEL in "linux" = 4,
    TIPC_SUB_PORTS in "linux" = 1,
    TIPC_SUB_SERVICE in "linux" = 2,
    TIPC_TOP_SRV in "linux" = 1,
    TIPC_WAIT_FOREVER in "linux" = -1,
    TIPC_WITHDRAWN in "linux" = 2,
    TIPC_ZONE_SCOPE in "linux" = 1,

    // Virtual machine sockets, <linux/vm_sockets.h>
    IOCTL_VM_SOCKETS_GET_LOCAL_CID in "linux" = libc::_IO(7, 0xb9),
    SO_VM_SOCKETS_BUFFER_MAX_SIZE in "linux" = 2,
    SO_VM_SOCKETS_BUFFER_MIN_SIZE in "linux" = 1,
    SO_VM_SOCKETS_BUFFER_SIZE in "linux" = 0,
    VMADDR_CID_ANY in "linux",
    VMADDR_CID_HOST in "linux",
    #[cfg(Py_3_14)] VMADDR_CID_LOCAL in "linux",
    VMADDR_PORT_ANY in "linux",
    VM_SOCKETS_INVALID_VERSION in "linux" = 0xffff_ffff_u32,

    // Bluetooth, <bluetooth/bluetooth.h>
    #[cfg(Py_3_14)] BDADDR_BREDR in "linux" = 0,
    #[cfg(Py_3_14)] BDADDR_LE_PUBLIC in "linux" = 1,
    #[cfg(Py_3_14)] BDADDR_LE_RANDOM in "linux" = 2,
    BTPROTO_HCI in "linux" = 1,
    BTPROTO_L2CAP in "linux" = 0,
    BTPROTO_RFCOMM in "linux" = 3,
    BTPROTO_SCO in "linux" = 2,

    // Bluetooth: SOL_BLUETOOTH, <bluetooth/bluetooth.h>
    #[cfg(Py_3_14)] BT_CHANNEL_POLICY in "linux" = 10,
    #[cfg(Py_3_14)] BT_CHANNEL_POLICY_BREDR_ONLY in "linux" = 0,
    #[cfg(Py_3_14)] BT_CHANNEL_POLICY_BREDR_PREFERRED in "linux" = 1,
    #[cfg(Py_3_14)] BT_CODEC in "linux" = 19,
    #[cfg(Py_3_14)] BT_DEFER_SETUP in "linux" = 7,
    #[cfg(Py_3_14)] BT_FLUSHABLE in "linux" = 8,
    #[cfg(Py_3_14)] BT_FLUSHABLE_OFF in "linux" = 0,
    #[cfg(Py_3_14)] BT_FLUSHABLE_ON in "linux" = 1,
    #[cfg(Py_3_14)] BT_ISO_QOS in "linux" = 17,
    #[cfg(Py_3_14)] BT_MODE in "linux" = 15,
    #[cfg(Py_3_14)] BT_MODE_BASIC in "linux" = 0,
    #[cfg(Py_3_14)] BT_MODE_ERTM in "linux" = 1,
    #[cfg(Py_3_14)] BT_MODE_EXT_FLOWCTL in "linux" = 4,
    #[cfg(Py_3_14)] BT_MODE_LE_FLOWCTL in "linux" = 3,
    #[cfg(Py_3_14)] BT_MODE_STREAMING in "linux" = 2,
    #[cfg(Py_3_14)] BT_PHY in "linux" = 14,
    #[cfg(Py_3_14)] BT_PHY_BR_1M_1SLOT in "linux" = 0x01,
    #[cfg(Py_3_14)] BT_PHY_BR_1M_3SLOT in "linux" = 0x02,
    #[cfg(Py_3_14)] BT_PHY_BR_1M_5SLOT in "linux" = 0x04,
    #[cfg(Py_3_14)] BT_PHY_EDR_2M_1SLOT in "linux" = 0x08,
    #[cfg(Py_3_14)] BT_PHY_EDR_2M_3SLOT in "linux" = 0x10,
    #[cfg(Py_3_14)] BT_PHY_EDR_2M_5SLOT in "linux" = 0x20,
    #[cfg(Py_3_14)] BT_PHY_EDR_3M_1SLOT in "linux" = 0x40,
    #[cfg(Py_3_14)] BT_PHY_EDR_3M_3SLOT in "linux" = 0x80,
    #[cfg(Py_3_14)] BT_PHY_EDR_3M_5SLOT in "linux" = 0x0100,
    #[cfg(Py_3_14)] BT_PHY_LE_1M_RX in "linux" = 0x0400,
    #[cfg(Py_3_14)] BT_PHY_LE_1M_TX in "linux" = 0x0200,
    #[cfg(Py_3_14)] BT_PHY_LE_2M_RX in "linux" = 0x1000,
    #[cfg(Py_3_14)] BT_PHY_LE_2M_TX in "linux" = 0x0800,
    #[cfg(Py_3_14)] BT_PHY_LE_CODED_RX in "linux" = 0x4000,
    #[cfg(Py_3_14)] BT_PHY_LE_CODED_TX in "linux" = 0x2000,
    #[cfg(Py_3_14)] BT_PKT_STATUS in "linux" = 16,
    #[cfg(Py_3_14)] BT_POWER in "linux" = 9,
    #[cfg(Py_3_14)] BT_POWER_FORCE_ACTIVE_OFF in "linux" = 0,
    #[cfg(Py_3_14)] BT_POWER_FORCE_ACTIVE_ON in "linux" = 1,
    #[cfg(Py_3_14)] BT_RCVMTU in "linux" = 13,
    #[cfg(Py_3_14)] BT_SECURITY in "linux" = 4,
    #[cfg(Py_3_14)] BT_SECURITY_FIPS in "linux" = 4,
    #[cfg(Py_3_14)] BT_SECURITY_HIGH in "linux" = 3,
    #[cfg(Py_3_14)] BT_SECURITY_LOW in "linux" = 1,
    #[cfg(Py_3_14)] BT_SECURITY_MEDIUM in "linux" = 2,
    #[cfg(Py_3_14)] BT_SECURITY_SDP in "linux" = 0,
    #[cfg(Py_3_14)] BT_SNDMTU in "linux" = 12,
    #[cfg(Py_3_14)] BT_VOICE in "linux" = 11,
    #[cfg(Py_3_14)] BT_VOICE_CVSD_16BIT in "linux" = 0x60,
    #[cfg(Py_3_14)] BT_VOICE_TRANSPARENT in "linux" = 0x03,
    #[cfg(Py_3_14)] BT_VOICE_TRANSPARENT_16BIT in "linux" = 0x63,

    // Bluetooth: SOL_HCI, <bluetooth/hci.h>
    #[cfg(Py_3_14)] HCI_CHANNEL_CONTROL in "linux" = 3,
    #[cfg(Py_3_14)] HCI_CHANNEL_LOGGING in "linux" = 4,
    #[cfg(Py_3_14)] HCI_CHANNEL_MONITOR in "linux" = 2,
    #[cfg(Py_3_14)] HCI_CHANNEL_RAW in "linux" = 0,
    #[cfg(Py_3_14)] HCI_CHANNEL_USER in "linux" = 1,
    HCI_DATA_DIR in "linux" = 1,
    #[cfg(Py_3_14)] HCI_DEV_NONE in "linux" = 0xffff,
    HCI_FILTER in "linux" = 2,
    HCI_TIME_STAMP in "linux" = 3,

    // Bluetooth: SOL_L2CAP, <bluetooth/l2cap.h>
    #[cfg(Py_3_14)] L2CAP_LM in "linux" = 3,
    #[cfg(Py_3_14)] L2CAP_LM_AUTH in "linux" = 0x02,
    #[cfg(Py_3_14)] L2CAP_LM_ENCRYPT in "linux" = 0x04,
    #[cfg(Py_3_14)] L2CAP_LM_MASTER in "linux" = 0x01,
    #[cfg(Py_3_14)] L2CAP_LM_RELIABLE in "linux" = 0x10,
    #[cfg(Py_3_14)] L2CAP_LM_SECURE in "linux" = 0x20,
    #[cfg(Py_3_14)] L2CAP_LM_TRUSTED in "linux" = 0x08,

    // AF_UNIX options, <sys/un.h>
    LOCAL_PEERCRED in "macos",

    // AF_SYSTEM, <sys/sys_domain.h>
    SYSPROTO_CONTROL in "macos",
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
    #[cfg(target_os = "linux")]
    fn values_are_those_of_the_headers() {
        assert_eq!(value(c"AF_INET"), Some(2));
        assert_eq!(value(c"EAI_NONAME"), Some(-2));
        assert_eq!(value(c"TIPC_WAIT_FOREVER"), Some(-1));
        assert_eq!(value(c"SO_VM_SOCKETS_BUFFER_SIZE"), Some(0));
        assert_eq!(value(c"AF_NO_SUCH"), None);
    }

    #[test]
    #[cfg(target_os = "macos")]
    fn values_are_those_of_the_headers() {
        assert_eq!(value(c"AF_INET6"), Some(30));
        assert_eq!(value(c"EAI_NONAME"), Some(8));
        assert_eq!(value(c"IPV6_HOPLIMIT"), Some(47), "by RFC 3542");
        assert_eq!(value(c"SO_LINGER"), Some(0x80), "in ticks");
        assert_eq!(value(c"SOL_TCP"), Some(6));
        assert_eq!(value(c"AF_PACKET"), None);
    }

    #[test]
    #[cfg(all(target_pointer_width = "64", target_os = "linux"))]
    fn unsigned_values_stay_positive() {
        assert_eq!(value(c"INADDR_BROADCAST"), Some(0xffff_ffff));
        assert_eq!(value(c"CAN_EFF_FLAG"), Some(0x8000_0000));
        assert_eq!(value(c"VMADDR_CID_ANY"), Some(0xffff_ffff));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn names_appear_with_their_python_version() {
        assert_eq!(value(c"ETH_P_ALL").is_some(), cfg!(Py_3_12));
        assert_eq!(value(c"NI_IDN").is_some(), cfg!(all(Py_3_13, not(target_env = "musl"))));
        assert_eq!(value(c"SOL_BLUETOOTH").is_some(), cfg!(Py_3_14));
        assert_eq!(value(c"SO_PASSRIGHTS").is_some(), cfg!(Py_3_15));
    }
}
