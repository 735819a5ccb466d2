"""Addresses as a record has them: compared, and as a text."""

from __future__ import annotations

from .record import Address

Key = tuple[str, int] | str

WILDCARDS = frozenset(("", "0.0.0.0", "::"))


def key_of(address: Address) -> Key | None:
    """What two ends compare: the host and the port, or the path. None for a socket without a name."""
    if isinstance(address, str):
        return address or None
    if address is None or len(address) < 2 or not isinstance(address[0], str) or not isinstance(address[1], int):
        return None
    host = address[0].partition("%")[0]
    if host.startswith("::ffff:") and "." in host:
        host = host.removeprefix("::ffff:")
    return host, address[1]


def host_of(key: Key | None) -> str:
    """The host of an Internet address; for any other "", as for a wildcard."""
    return key[0] if isinstance(key, tuple) and key[0] not in WILDCARDS else ""


def port_of(key: Key) -> int | str:
    """What is the same however an address is written: the port, or the path."""
    return key[1] if isinstance(key, tuple) else key


def reaches_many(key: Key) -> bool:
    """Whether a datagram to this address may have several receivers: multicast or broadcast."""
    host = host_of(key)
    if ":" in host:
        return host.lower().startswith("ff")
    first, _, _ = host.partition(".")
    return host.endswith(".255") or (first.isdecimal() and 224 <= int(first[:4]) < 240)


def on_one_machine(one: Key | None, other: Key | None) -> bool:
    """Whether these two ends must be on one machine, and so have one clock."""
    if isinstance(one, str) or isinstance(other, str):
        return True
    host = host_of(one)
    return host.startswith("127.") or host == "::1" or (host != "" and host == host_of(other))


def text_of(address: Address) -> str:
    """`127.0.0.1:5000`, `[::1]:5000`, a path, `@name` for an abstract one; "?" where there is none."""
    if isinstance(address, str):
        return f"@{address[1:]}" if address.startswith("\0") else address or "?"
    if not address:
        return "?"
    if len(address) < 2:
        return str(address[0])
    host = str(address[0])
    return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"
