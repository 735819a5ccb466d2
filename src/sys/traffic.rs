//! How much a TCP connection has carried. See `tcp`, which asks for it.

/// What a TCP connection has carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Whether the connection has ended, in both directions.
    pub is_over: bool,
    /// Whether the round-trip time was measured, as it is when a connection is made. (Not always: the answer to a request that was sent again is
    /// no measure without timestamps.)
    pub was_connected: bool,
    /// The bytes that have come from the peer, and one more if it has sent a FIN; `None` if this kernel does not count them.
    pub received: Option<u64>,
    /// The bytes that have left for the peer, each counted once; `None` if this kernel does not count them (before Linux 4.19).
    pub sent: Option<u64>,
}
