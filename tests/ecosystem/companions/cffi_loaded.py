"""An extension made with cffi: its `lib` is in `sys.modules` and claims to be a module, but is not one."""

import sys
import types

from order import install, report

install("first")
import socket

import nacl.bindings

install("last")
pretenders = [
    name
    for name, module in sys.modules.items()
    if isinstance(module, types.ModuleType) and not issubclass(type(module), types.ModuleType)
]
print(pretenders)
print(nacl.bindings.crypto_hash_sha256(b"").hex()[:8])
left, right = socket.socketpair()
with left, right:
    left.sendall(b"x")
    print(right.recv(1))
report()
