"""The calls, as a grammar of Python text: expanding the symbol `call` gives one expression, with arguments good and bad.

An expression uses the names that `environment` defines. Each must end at once, whatever happened before it: an expression that makes a
socket also makes it non-blocking, and one that changes a timeout sets it back. Each must stay on this machine: a host is a number,
`localhost`, or a name that is refused before any resolver is asked. A descriptor number is one of our own, or no open descriptor's.
The first alternative of a symbol is the simplest one: Hypothesis shrinks to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Choose = Callable[[Sequence[tuple[str, ...]]], tuple[str, ...]]

METHODS = [
    "accept", "_accept", "bind", "close", "connect", "connect_ex", "detach", "dup", "fileno", "get_inheritable", "getblocking",
    "getpeername", "getsockname", "getsockopt", "gettimeout", "listen", "makefile", "recv", "recv_into", "recvfrom",
    "recvfrom_into", "recvmsg", "recvmsg_into", "send", "sendall", "sendmsg", "sendmsg_afalg", "sendto", "set_inheritable",
    "setsockopt", "shutdown", "__enter__", "__exit__", "__repr__", "__getstate__", "_check_sendfile_params",
    "no_such_method",
]  # fmt: skip

# Functions that close a descriptor by its number, name the machine, ask a name server or take long have expressions of their own.
FUNCTIONS = [
    "CMSG_LEN", "CMSG_SPACE", "getaddrinfo", "getdefaulttimeout", "gethostname", "getnameinfo", "getprotobyname", "getservbyname",
    "getservbyport", "has_dualstack_ipv6", "htonl", "htons", "if_indextoname", "if_nameindex", "if_nametoindex", "inet_aton",
    "inet_ntoa", "inet_ntop", "inet_pton", "ntohl", "ntohs", "recv_fds", "send_fds", "socketpair", "create_server",
    "create_connection", "SocketIO",
]  # fmt: skip

RAW_FUNCTIONS = [
    "CMSG_LEN", "CMSG_SPACE", "getdefaulttimeout", "gethostname", "getprotobyname", "getservbyname", "getservbyport", "htonl",
    "htons", "if_indextoname", "if_nameindex", "if_nametoindex", "inet_aton", "inet_ntoa", "inet_ntop", "inet_pton", "ntohl",
    "ntohs",
]  # fmt: skip

SYMBOLS: dict[str, list[str]] = {
    "call": [
        *["<transfer>"] * 10, *["<receive>"] * 10, *["<message>"] * 6, *["<option>"] * 4, *["<address>"] * 3, *["<lookup>"] * 3,
        *["<object>"] * 3, *["<convert>"] * 3, *["<file>"] * 3, *["<lifecycle>"] * 3, *["<connection>"] * 3, *["<blocking>"] * 2,
        *["<new>"] * 2, *["<descriptor>"] * 2, *["<malformed>"] * 4, *["<meaning>"] * 3, *["<meanwhile>"] * 2,
    ],

    # The sockets of the environment; the connected ones most often
    "sock": [*["a"] * 6, *["b"] * 6, "l", "x", "x", "g", "c"],
    "live": ["a", "b"],

    "transfer": [
        *["<sock>.send(<data>)"] * 4, "<sock>.send(<data>, <flags>)", *["<sock>.sendall(<data>)"] * 2, "<sock>.sendall(<data>, <flags>)",
        *["<sock>.sendto(<data>, <to>)"] * 3, "<sock>.sendto(<data>, <flags>, <to>)",
        "(<live>.send(b'there'), a.recv(<size>), b.recv(<size>))", "(a.sendall(<data>), b.recv(<size>), b.recv(<size>))",
        "(<live>.settimeout(0.001), <live>.sendfile(t, <offset>, <count>), set_nonblocking(a, b))",
        "<sock>.sendfile(t)", "(a.settimeout(0.001), a.sendfile(io.BytesIO(b'0123456789'), <offset>, <count>), set_nonblocking(a), b.recv(100))",
        "t.tell()", "a.sendfile(<any>)",
    ],
    "receive": [
        *["<sock>.recv(<size>)"] * 5, "<sock>.recv(<size>, <flags>)", *["<sock>.recvfrom(<size>)"] * 3, "<sock>.recvfrom(<size>, <flags>)",
        *["(<sock>.recv_into(<room>, <size>), room)"] * 2, "(<sock>.recv_into(<room>), room)", "(<sock>.recv_into(<room>, <size>, <flags>), room)",
        *["(<sock>.recvfrom_into(<room>, <size>), room)"] * 2, "(<sock>.recvfrom_into(<room>), room)",
        "(<sock>.recvfrom_into(<room>, <size>, <flags>), room)",
        "(<sock>.recv_into((room := bytearray(8)), 8, socket.MSG_TRUNC), room)", "<live>.recv(8, socket.MSG_TRUNC)", "<live>.recvfrom(100, socket.MSG_TRUNC)",
        "(<sock>.recv_into(buffer=<room>, nbytes=<size>, flags=<flags>), room)", "<sock>.recv_into(<any>, <any>)",
    ],
    "message": [
        "<sock>.sendmsg([<data>])", "<sock>.sendmsg([<data>, <data>])", "<sock>.sendmsg([<data>], <controls>)",
        "<sock>.sendmsg([<data>], <controls>, <flags>)", "<sock>.sendmsg([<data>], <controls>, <flags>, <to>)", "<sock>.sendmsg(<any>, <any>)",
        "<sock>.sendmsg(d for d in (b'one', <data>))",
        *["<sock>.recvmsg(<size>)"] * 2, *["<sock>.recvmsg(<size>, <control size>)"] * 2, "<sock>.recvmsg(<size>, <control size>, <flags>)",
        "(<sock>.recvmsg_into([<room>]), room)", "(<sock>.recvmsg_into([<room>, bytearray(3)], <control size>), room)",
        "(<sock>.recvmsg_into([<room>], <control size>, <flags>), room)", "<sock>.recvmsg_into(<any>, <any>)",
        "socket.send_fds(<sock>, [<data>], [<passed>])", "socket.recv_fds(<sock>, <size>, <few>)",
        "(socket.send_fds(<live>, [b'fd'], [l.fileno(), t.fileno()]), socket.recv_fds(b, 10, <few>))",
        "socket.send_fds(<sock>, <any>, <any>)", "<sock>.sendmsg_afalg([<data>], op=<small>)", "<sock>.sendmsg_afalg(<any>, op=<any>, iv=<any>)",
    ],
    "option": [
        *["<sock>.getsockopt(<option name>)"] * 3, *["<sock>.getsockopt(<option name>, <option size>)"] * 2,
        *["<sock>.setsockopt(<option name>, <option value>)"] * 3, "<sock>.setsockopt(<option name>, None, <size>)",
        "<sock>.setsockopt(socket.SOL_SOCKET, <buffer size>, <option value>)", "(x.getsockopt(socket.SOL_SOCKET, <buffer size>))",
        "(<sock>.setsockopt(<option name>, 1), <sock>.getsockopt(<option name>))", "<sock>.setsockopt(<any>, <any>, <any>)",
        "<sock>.getsockopt(<any>, <any>)",
    ],
    "address": [
        "<sock>.getsockname()", "<sock>.getpeername()", "<sock>.bind(<here>)", "x.bind(<here>)", "<sock>.bind(<live>.getsockname())", "g.bind(l.getsockname())", "(x.bind(<here>), x.getsockname())",
        "<sock>.bind(<any>)", "x.bind((<any>, <bad port>))",
    ],
    "connection": [
        "<sock>.connect(<to>)", "<sock>.connect_ex(<to>)", "x.connect(l.getsockname())", "x.connect_ex(l.getsockname())",
        *["((y := l.accept()), (z := y[0]), set_nonblocking(z), b.getpeername())"] * 2, "<sock>.listen()", "<sock>.listen(<small>)", "l.listen(<any>)",
        "(os.close((y := <sock>._accept())[0]), y)", "<sock>.shutdown(<how>)",
        "((x := socket.socket(a.family, a.type)), set_nonblocking(x), x.connect_ex(l.getsockname()))",
        "((x := socket.create_connection(<to>, 0.01)), set_nonblocking(x))", "socket.create_connection(<to>, 0.01, <here>, all_errors=<small>)",
        "((x := socket.create_server(<here>)), set_nonblocking(x))",
        "socket.create_server(<here>, family=<family>, backlog=<small>, reuse_port=<small>, dualstack_ipv6=<small>)",
        "<sock>.connect((<any>, <any>))", "<sock>.connect(<any>)", "<sock>.connect_ex(<any>)",
    ],
    "lookup": [
        "socket.getaddrinfo(<host>, <service>)", "socket.getaddrinfo(<host>, <service>, <family>, <kind>)",
        "socket.getaddrinfo(<host>, <service>, <family>, <kind>, <protocol>, <ai flags>)",
        "socket.getaddrinfo(host=<host>, port=<service>, flags=<ai flags>)", "_socket.getaddrinfo(<host>, <service>, <family>, <kind>)",
        "socket.getaddrinfo('localhost', <service>, socket.AF_INET)", "socket.getnameinfo(<known>, <ni flags>)", "socket.getnameinfo(('127.0.0.1', <port>), 0)", "socket.getnameinfo(<any>, <any>)", "socket.gethostbyname(<host>)",
        "socket.gethostbyname_ex(<host>)", "socket.gethostbyaddr(<known host>)", "socket.getfqdn(<known host>)", "socket.gethostname()",
        "socket.getservbyname(<service>)", "socket.getservbyname(<service>, <protocol name>)", "socket.getservbyport(<port>)",
        "socket.getservbyport(<port>, <protocol name>)", "socket.getprotobyname(<protocol name>)", "socket.if_nameindex()",
        "socket.if_nametoindex(<interface>)", "socket.if_indextoname(<small>)", "socket.if_indextoname(<any>)",
        "socket.sethostname(<no hostname>)", "_socket.gethostname()",
    ],
    "convert": [
        "socket.<order>(<port>)", "socket.<order>(<any>)", "socket.inet_aton(<numeric>)", "socket.inet_ntoa(<packed>)",
        "socket.inet_pton(<family>, <numeric>)", "socket.inet_ntop(<family>, <packed>)", "socket.CMSG_LEN(<size>)", "socket.CMSG_SPACE(<size>)",
        "socket.<function>(<any>)", "_socket.<raw function>(<any>)",
    ],
    "file": [
        "((f := <live>.makefile(<mode>)), f.mode)", "((f := <live>.makefile(<mode>, <buffering>)), f.name)",
        "((f := <live>.makefile(<mode>, <buffering>, encoding=<encoding>, newline=<newline>)), f.readable(), f.writable())",
        "<sock>.makefile(<any>)", "f.read(<small>)", "f.read()", "f.readline(50)", "f.readinto(<room>)", "f.write(<data>)", "f.write('text')",
        "f.flush()", "(f.write(b'line\\n'), f.flush(), b.recv(<size>))", "f.fileno()", "f.close()", "f.closed", "f.name", "f.mode", "f", "f.seekable()",
        "f.readable()", "f.writable()", "f.detach()", "f.raw.readinto(<room>)", "f.raw.write(<data>)", "f.raw.name", "f.raw", "f.raw.close()",
        "f.seek(0)", "f.raw.readall()", "((f := socket.SocketIO(<live>, <mode>)), f.name, f.mode, f.readable(), f.writable())",
        "[f.readline(9) for _ in range(3)]", "f.writelines([<data>, <data>])",
    ],
    "object": [
        "<sock>", "str(<sock>)", "<sock>.family", "<sock>.type", "<sock>.proto", "<sock>.timeout", "<sock>._closed", "<sock>._io_refs",
        "<sock>.__enter__()", "bool(<sock>)", "a == b", "a == a", "hash(a) == hash(a)", "setattr(<sock>, 'family', 1)",
        "setattr(<sock>, <attribute>, <any>)", "delattr(<sock>, 'family')", "<sock>.no_such_thing", "pickle.dumps(<sock>)", "copy.copy(<sock>)",
        "<sock>.__getstate__()", "isinstance(<sock>, socket.SocketType)", "weakref.ref(<sock>)() is <sock>", "type(<sock>)", "len(<sock>)",
        "iter(<sock>)", "<sock> + 1", "[*socket.socket.__mro__]", "<sock>._check_sendfile_params(t, <offset>, <count>)", "int(<sock>)",
    ],
    "lifecycle": [
        "<sock>.fileno()", "<sock>.close()", "x.close()", "(x.close(), x)", "x.detach()", "(os.close(x.detach()), x)", "c.close()", "<sock>.__exit__(None, None, None)",
        "((z := a.dup()), z.getblocking(), z.timeout)", "((x := <sock>.dup()), set_nonblocking(x))", "x.__exit__(<any>, <any>, <any>)", "(x.__enter__() is x, x.close())",
        "((e := a.makefile('rb')), a._io_refs, a.close(), a._closed, a, e.close(), a)", "a._decref_socketios()",
        "<sock>._real_close()", "x.__del__()",
    ],
    "blocking": [
        "<sock>.gettimeout()", "<sock>.getblocking()", "<sock>.timeout",
        "(<live>.settimeout(<timeout>), a.gettimeout(), b.gettimeout(), a.getblocking(), a.timeout, a, set_nonblocking(a, b))",
        "(<sock>.setblocking(<any>), a.gettimeout(), a.getblocking(), a.type, set_nonblocking(a, b, l, x, g))",
        "(a.settimeout(0.001), a.recv(<size>), set_nonblocking(a))", "(a.settimeout(0.002), a.send(<little>), b.settimeout(0.002), b.recv(<size>), set_nonblocking(a, b))",
        "(a.settimeout(0.002), a.sendall(<little>), set_nonblocking(a))", "<sock>.settimeout(0)", "a.settimeout('')",
        "(socket.setdefaulttimeout(<timeout>), socket.getdefaulttimeout(), (y := socket.socket()), y.gettimeout(), y.getblocking(), y.close(), socket.setdefaulttimeout(None))",
        "(_socket.setdefaulttimeout(<timeout>), socket.getdefaulttimeout(), _socket.setdefaulttimeout(None))", "socket.getdefaulttimeout()",
    ],
    "new": [
        "((x := socket.socket(<family>, <kind>)), set_nonblocking(x))", "((x := socket.socket(a.family, a.type, <protocol>)), set_nonblocking(x))",
        "((x := socket.socket(family=<family>, type=<kind>, proto=<protocol>)), set_nonblocking(x))", "((g := _socket.socket(<family>, <kind>)), set_nonblocking(g))",
        "((y := socket.socketpair(<family>, <kind>)), set_nonblocking(*y))", "((y := socket.socketpair()), [each.close() for each in y])",
        "((x := socket.fromfd(<owned>, a.family, a.type)), set_nonblocking(x))", "((x := socket.socket(fileno=a.detach())), set_nonblocking(x))",
        "((x := socket.socket(fileno=socket.dup(<owned>))), set_nonblocking(x))", "socket.socket(fileno=<no descriptor>)", "socket.fromfd(<no descriptor>, <family>, <kind>)",
        "((x := type('Sub', (socket.socket,), {'more': 1})(a.family, a.type)), set_nonblocking(x), x.more)", "socket.socket(<any>)",
        "socket.socket(<any>, <any>, <any>)", "socket.socket(<any>, <keyword>=<any>)", "_socket.socket(<any>, <any>)", "socket.socketpair(<any>, <any>, <any>)",
        "((y := _socket.socketpair()), [each.close() for each in y])",
    ],
    "descriptor": [
        "<sock>.fileno()", "socket.close(x.detach())", "socket.close(socket.dup(<owned>))", "socket.close(<no descriptor>)", "socket.dup(<no descriptor>)",
        "socket.dup(<owned>)", "<sock>.get_inheritable()", "<sock>.set_inheritable(<small>)", "(a.set_inheritable(True), a.get_inheritable(), a.set_inheritable(False), a.get_inheritable())",
        "<sock>.set_inheritable(<any>)", "os.get_inheritable(a.dup().fileno())", "socket.close(x.fileno())", "os.get_inheritable(<owned>)",
    ],
    "malformed": [
        "<sock>.<method>()", "<sock>.<method>(<any>)", "<sock>.<method>(<any>, <any>)", "<sock>.<method>(<any>, <any>, <any>)",
        "<sock>.<method>(<any>, <any>, <any>, <any>, <any>)", "<sock>.<method>(<any>, <keyword>=<any>)", "<sock>.<method>(<keyword>=<any>, <keyword>2=<any>)",
        "socket.<function>()", "socket.<function>(<any>, <any>)", "socket.<function>(<any>, <any>, <any>)", "socket.<function>(<any>, <keyword>=<any>)",
        "socket.<function>(<any>, <any>, <any>, <any>, <any>, <any>, <any>)", "_socket.<raw function>(<any>, <any>)", "_socket.<raw function>(<keyword>=<any>)",
        "<sock>.settimeout()", "<sock>.settimeout(<bad timeout>)", "<sock>.setblocking()", "socket.setdefaulttimeout(<bad timeout>)",
        "socket.close()", "socket.dup()", "socket.close(<no number>)", "socket.dup(<no number>)", "socket.sethostname()",
        "socket.socket(<keyword>=<any>)", "socket.gethostbyname()", "socket.gethostbyaddr(<any>, <any>)", "socket.fromfd()", "socket.getfqdn(<any>, <any>)",
        "<sock>.sendfile()", "<sock>.sendfile(t, <any>, <any>)", "a.<method>(Index(lambda: (a.close(), 3)[1]))", "a.recv_into(bytearray(9), Index(lambda: (a.close(), 3)[1]))",
    ],

    # Options and flags that give a call another meaning
    "meaning": [
        *["<live>.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, <low>)"] * 2, "<sock>.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)",
        "(a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, <low>), b.send(<little>), a.recv(<size>))",
        "(a.settimeout(0.002), a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, <low>), b.send(<little>), a.recv(<size>), set_nonblocking(a))",
        "(brief(a), a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, <low>), b.send(<little>), a.recv(<size>), set_nonblocking(a))",
        "<sock>.setsockopt(socket.SOL_SOCKET, <kernel timeout>, <brief time>)", "<sock>.getsockopt(socket.SOL_SOCKET, <kernel timeout>, <option size>)",
        "(brief(a), a.recv(<size>, <waiting flags>), set_nonblocking(a))", "(brief(a, b), b.send(<little>), a.recv(<size>, <waiting flags>), a.recv(<size>), set_nonblocking(a, b))",
        "(brief(a), a.recvmsg(<size>, <control size>, <waiting flags>), set_nonblocking(a))", "(brief(a), a.recv_into((room := bytearray(8)), 8, <waiting flags>), room, set_nonblocking(a))",
        "(brief(l), l.accept(), set_nonblocking(l))", "(brief(a), f.read(<small>), set_nonblocking(a))", "(brief(a), a.sendall(<data>), set_nonblocking(a))",
        "(b.send(b'0123456789'), a.recv(<small>, socket.MSG_PEEK), a.recv(<size>, <waiting flags>), a.recv(<size>))",
        "(a.settimeout(0.002), b.send(<little>), a.recv(<size>, <waiting flags>), set_nonblocking(a))", "(a.settimeout(0.002), a.recvfrom(<size>, <waiting flags>), set_nonblocking(a))",
        *["<live>.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, <linger>)"] * 2, "(a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)), b.send(<little>), a.close(), b.recv(<size>), b.send(b'x'))",
        "(a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, <linger>), a.shutdown(<how>), b.recv(<size>), b.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))",
        "<live>.send(<data>, socket.MSG_MORE), b.recv(<size>)", "(a.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1), b.send(b'!', socket.MSG_OOB), a.recv(<size>))",
    ],

    # Calls during calls: see `meanwhile`
    "meanwhile": [
        *["aside(<patience>, lambda: <waiting>, lambda: <step>, lambda: <step>)"] * 4, "aside(<patience>, lambda: <waiting>, lambda: <step>, lambda: <step>, lambda: <step>, lambda: <step>)",
        "aside(<patience>, lambda: a.sendall(big), lambda: drain(b), lambda: <step>)", "aside(<patience>, lambda: a.sendall(big), lambda: <step>)",
        "aside(<patience>, lambda: [each.close() for each in l.accept()[:1]], lambda: x.connect_ex(l.getsockname()), lambda: <step>)",
        "aside(<patience>, lambda: l.accept()[0].close(), lambda: l.close())",
        *["interrupted(<patience>, lambda: <waiting>, lambda: <action>, lambda: <ending>)"] * 3, "interrupted(<patience>, lambda: <waiting>, lambda: <action>, lambda: <ending>, lambda: <ending>)",
        "interrupted(<patience>, lambda: a.sendall(big), lambda: <action>, lambda: drain(b))", "interrupted(<patience>, lambda: l.accept()[0].close(), lambda: <action>, lambda: x.connect_ex(l.getsockname()))",
        *["in_child(lambda: <in child>)"] * 3, "in_child(lambda: f.read(1))", "in_child(lambda: [each.close() for each in l.accept()[:1]])", "(in_child(lambda: <in child>), a.recv(<size>))", "(in_child(lambda: <in child>), b.recv(<size>))", "(in_child(lambda: <in child>), a.getblocking(), a)",
        "(b.send(b'12345678'), race(lambda: a.recv(4), lambda: a.recv(4)))", "race(lambda: a.send(<little>), lambda: b.send(<little>))", "race(lambda: a.recv(1), lambda: b.sendall(<little>))",
        "race(lambda: a.close(), lambda: a.close())", "race(lambda: a._real_close(), lambda: a._real_close())", "race(lambda: a.dup().close(), lambda: b.dup().close(), lambda: a.getsockname())", "race(lambda: a.settimeout(5), lambda: b.settimeout(5), lambda: a.send(<little>))",
        "race(lambda: in_child(lambda: 1), lambda: a.send(<little>))",
    ],
    "waiting": [
        *["a.recv(<size>)"] * 3, *["a.recv(<size>, <waiting flags>)"] * 3, "a.recv_into(bytearray(8))", "a.recv_into(bytearray(8), 8, <waiting flags>)", "a.recvfrom(<size>)", "a.recvmsg(<size>, <control size>)",
        "a.recvmsg_into([bytearray(4), bytearray(9)])", "f.read(3)", "f.readline(20)", "f.raw.readinto(bytearray(9))", "len(socket.recv_fds(a, 9, 2))", "l.accept()[0].close()", "a.recv(<any>)",
    ],
    "step": [
        *["b.send(<little>)"] * 5, "b.sendall(<little>)", "b.sendmsg([<data>])", *["b.close()"] * 2, "a.close()", *["(f.raw.close(), a.close())"] * 2, "a._real_close()", "os.close(a.detach())", "a.shutdown(<how>)", "b.shutdown(<how>)", "a.recv(1, socket.MSG_DONTWAIT)",
        "a.recv(<size>, socket.MSG_DONTWAIT | socket.MSG_PEEK)", "a.settimeout(<timeout>)", "a.setblocking(False)", "a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, <low>)", "socket.send_fds(b, [b'fd'], [t.fileno()])",
        "a.getsockname()", "a", "a.dup().close()", "f.raw.close()", "in_child(lambda: <in child>)", "a.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)", "(b.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)), b.close())",
    ],
    "action": [
        *["None"] * 3, "1 / 0", *["b.send(<little>)"] * 3, "b.close()", "a.close()", "(f.raw.close(), a.close())", "os.close(a.detach())", "a.recv(1, socket.MSG_DONTWAIT)", "a.settimeout(0)", "a.setblocking(False)", "a.shutdown(socket.SHUT_RD)", "b.shutdown(socket.SHUT_WR)",
        "f.raw.close()", "socket.socket().close()", "in_child(lambda: <in child>)", "socket.getaddrinfo('127.0.0.1', 80)", "a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, <low>)", "len(a.makefile('rb').name)",
    ],
    "ending": [*["b.send(<little>)"] * 4, "b.close()", "b.shutdown(socket.SHUT_WR)", "a.shutdown(socket.SHUT_RD)", "b.sendall(b'0123456789' * 600)", "a.close()", "a._real_close()"],
    "in child": [
        "a.send(<little>)", "b.send(<little>)", "a.recv(<size>, socket.MSG_DONTWAIT)", "b.recv(<size>, socket.MSG_DONTWAIT)", "(a.close(), b.recv(9, socket.MSG_DONTWAIT))", "(a.close(), b.close(), a, b)", "os.close(a.detach())",
        "(a.settimeout(0.001), a.recv(<size>))", "a.setblocking(False)", "a.shutdown(<how>)", "<sock>.fileno()", "<sock>", "f.raw.close()", "l.close()", "socket.socketpair()[0].close()", "socket.getaddrinfo('localhost', 80, socket.AF_INET)",
        "socket.gethostbyname('127.0.0.1')", "socket.setdefaulttimeout(1)", "in_child(lambda: a.send(<little>))", "aside(None, lambda: a.recv(9), lambda: b.send(<little>))", "aside(None, lambda: a.recv(9), lambda: a.shutdown(socket.SHUT_RD))",
        "interrupted(None, lambda: a.recv(9), lambda: b.send(<little>))", "a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, <low>)", "x.connect_ex(l.getsockname())",
    ],

    # Arguments
    "patience": ["None", "None", "1.5"],
    "waiting flags": ["socket.MSG_WAITALL", "socket.MSG_PEEK", "socket.MSG_WAITALL | socket.MSG_PEEK", "socket.MSG_WAITALL | socket.MSG_DONTWAIT", "0"],
    "low": ["1", "2", "5", "11", "1000", "0", "-1", "2**31 - 1", "b''", "1.5"],
    "kernel timeout": ["socket.SO_RCVTIMEO", "socket.SO_SNDTIMEO"],
    "brief time": ["struct.pack('ll', 0, 1000)", "struct.pack('ll', 0, 3000)", "struct.pack('ll', -1, 1000)", "struct.pack('ll', 0, -1)", "struct.pack('ll', 0, 2**40)", "b'x' * 15", "b''", "1", "None"],
    "linger": ["struct.pack('ii', 1, 0)", "struct.pack('ii', 0, 0)", "struct.pack('ii', 0, 5)", "b'x'", "1", "None"],
    "data": ["b''", "b'x'", "b'0123456789'", "<little>", "bytearray(b'array')", "memoryview(b'a view of it')", "memoryview(b'every other')[::2]",
             "array.array('i', [1, 2, 3])", "b'\\0' * 1000", "'text'", "<any>", "big"],
    "little": ["b'little'", "b'x'", "b'1234567890' * 10"],
    "room": ["(room := bytearray(8))", "(room := bytearray(8))", "(room := bytearray(100))", "memoryview(room := bytearray(8))[2:5]", "(room := array.array('i', [0, 0, 0]))",
             "(room := bytearray())", "(room := b'read-only')", "memoryview(room := bytearray(8))[::2]", "<any>"],
    "size": ["8", "0", "1", "3", "100", "1000", "5000", "100000", "<any>"],
    "small": ["0", "1", "2", "3", "True", "<any>"],
    "few": ["1", "2", "0", "5", "253", "<any>"],
    "offset": ["0", "3", "5", "1000", "<any>"],
    "count": ["None", "2", "10", "0", "<any>"],
    "flags": ["0", "socket.MSG_DONTWAIT", "socket.MSG_PEEK | socket.MSG_DONTWAIT", "socket.MSG_PEEK", "socket.MSG_NOSIGNAL", "socket.MSG_OOB",
              "socket.MSG_WAITALL | socket.MSG_DONTWAIT", "socket.MSG_WAITALL", "socket.MSG_PEEK | socket.MSG_WAITALL", "socket.MSG_MORE", "socket.MSG_EOR", "socket.MSG_CMSG_CLOEXEC", "socket.MSG_ERRQUEUE", "socket.MSG_DONTROUTE", "<any>"],
    "to": ["l.getsockname()", "b.getsockname()", "a.getsockname()", "('127.0.0.1', 1)", "('::1', 1)", "('::1', 1, 0, 0)", "d + '/l'", "d + '/nowhere'", "'\\0oxi-nobody'", "(<host>, <port>)",
           "(<numeric>, <port>)", "('::1', <port>, <any>, <any>)", "(d + '/l').encode()", "d + '/' + 'p' * 108", "''", "('127.0.0.1', 1, 0)", "['127.0.0.1', 1]", "<any>"],
    # Addresses to bind to: the kernel picks the port, if there is one
    "here": ["('127.0.0.1', 0)", "('::1', 0)", "('', 0)", "d + '/here'", "(d + '/bytes').encode()", "'\\0oxi-' + d", "''", "('127.0.0.1', 0, 0)", "('::1', 0, 0, 0)",
             "('::1', 0, <any>, <any>)", "('127.0.0.1', <bad port>)", "d + '/missing/s'", "d + '/' + 'p' * 80", "d + '/' + 'p' * 120"],
    "known": ["('127.0.0.1', 80)", "('::1', 80, 0, 0)", "('127.0.0.1', 22)", "('::1', 22)", "('127.0.0.1', 99999)", "('127.0.0.1', -1)", "('::1', 1, 2**20)", "('::1', 1, -1)", "()", "('127.0.0.1',)"],
    "ni flags": ["socket.NI_NUMERICHOST", "socket.NI_NUMERICHOST | socket.NI_NUMERICSERV", "socket.NI_NUMERICHOST | socket.NI_DGRAM", "socket.NI_NUMERICHOST | socket.NI_NAMEREQD", "-1", "2**31", "None"],
    "ai flags": ["0", "socket.AI_PASSIVE", "socket.AI_NUMERICHOST", "socket.AI_CANONNAME", "socket.AI_NUMERICSERV", "socket.AI_V4MAPPED | socket.AI_ALL", "socket.AI_ADDRCONFIG", "-1", "2**31"],
    "host": ["'127.0.0.1'", "'::1'", "None", "b'127.0.0.1'", "bytearray(b'127.0.0.1')", "'\\0'", "'\\udc80'", "'\\xfc' * 70", "b'\\xff' * 70 + b'\\0'", "'127.0.0.1\\0'", "1", "1.5", "[]", "'ip6-\\u3000' * 30"],
    "known host": ["'127.0.0.1'", "'localhost'", "None", "'\\0'", "'\\udc80'", "'\\xfc' * 70", "1", "[]", "b'127.0.0.1'"],
    "numeric": ["'127.0.0.1'", "'::1'", "'127.1'", "'0x7f.0.0.1'", "'0177.1'", "'::ffff:127.0.0.1'", "'::1%1'", "'127.0.0.1 '", "b'127.0.0.1'", "None", "'\\0'", "'2130706433'"],
    "packed": ["b'\\x7f\\0\\0\\1'", "bytes(16)", "bytes(15) + b'\\1'", "bytearray(4)", "b'123'", "''", "memoryview(bytes(4))", "array.array('B', [1, 2, 3, 4])", "bytes(10) + b'\\xff\\xff\\1\\2\\3\\4'", "<any>"],
    "port": ["80", "1", "0", "22", "65535", "65536", "-1", "2**31", "2**32", "2**64", "'80'", "Index(80)", "True", "1.5", "None"],
    "bad port": ["65536", "-1", "2**31", "2**64", "'80'", "None", "1.5", "Index()"],
    "service": ["80", "'80'", "'http'", "None", "0", "'no-such-service'", "b'http'", "'domain'", "''", "-1", "65536", "2**40", "2**70", "'\\0'", "'\\udc80'", "1.5", "True", "Index(80)"],
    "protocol name": ["'tcp'", "'udp'", "'icmp'", "'no-such-protocol'", "''", "'\\0'", "'\\udc80'", "<any>"],
    "interface": ["'lo'", "'no-such-interface'", "''", "b'lo'", "'l' * 20", "'\\0'", "'\\udc80'", "<any>"],
    "no hostname": ["'h' * 65", "b'h' * 65", "None", "1", "[]", "'\\xfc' * 65", "object"],
    "family": ["socket.AF_INET", "socket.AF_INET6", "socket.AF_UNIX", "a.family", "a.family", "2", "0", "-1", "9999", "<any>"],
    "kind": ["socket.SOCK_STREAM", "socket.SOCK_DGRAM", "a.type", "socket.SOCK_SEQPACKET", "socket.SOCK_STREAM | socket.SOCK_NONBLOCK", "socket.SOCK_DGRAM | socket.SOCK_CLOEXEC", "1", "0", "-1", "99", "<any>"],
    "protocol": ["0", "socket.IPPROTO_TCP", "socket.IPPROTO_UDP", "-1", "999", "<any>"],
    "how": ["socket.SHUT_RD", "socket.SHUT_WR", "socket.SHUT_RDWR", "3", "-1", "<any>"],
    "mode": ["'rwb'", "'rb'", "'wb'", "'r'", "'w'", "'rw'", "'x'", "''", "'b'", "'rbb'"],
    "buffering": ["None", "-1", "0", "1", "2", "8192", "<any>"],
    "encoding": ["None", "'ascii'", "'latin-1'", "'no-such-encoding'", "<any>"],
    "newline": ["None", "''", "'\\n'", "'x'", "<any>"],
    "timeout": ["None", "0", "0.5", "1", "True", "False", "1e-9", "1e9", "2**31", "1e20", "2**70", "-1", "-1e-9", "float('nan')", "float('inf')", "'1'", "b''", "Index(1)", "fractions.Fraction(1, 3)", "decimal.Decimal('0.25')", "[]"],
    "bad timeout": ["-1", "float('nan')", "float('inf')", "'1'", "1e20", "2**70", "[]", "1j", "Index()"],
    "order": ["htons", "ntohs", "htonl", "ntohl"],
    "owned": ["a.fileno()", "b.fileno()", "l.fileno()", "t.fileno()", "x.fileno()"],
    # Not a socket of the pair: one that is in flight to itself exists until the kernel's own garbage collector finds it, at any time
    "passed": ["t.fileno()", "l.fileno()", "1000000", "-1"],
    "no descriptor": ["-1", "1000000", "2**31 - 1", "2**31", "-2**31 - 1", "2**64", "-2", "1.5", "'3'", "None", "[]", "Index(1000000)", "Index()"],
    "no number": ["1.5", "'3'", "[]", "None", "Index()", "b''"],
    "attribute": ["'timeout'", "'type'", "'proto'", "'extra'", "'recv'", "'__class__'"],
    "option name": [
        "socket.SOL_SOCKET, socket.SO_REUSEADDR", "socket.SOL_SOCKET, socket.SO_KEEPALIVE", "socket.SOL_SOCKET, socket.SO_ERROR", "socket.SOL_SOCKET, socket.SO_TYPE",
        "socket.SOL_SOCKET, socket.SO_DOMAIN", "socket.SOL_SOCKET, socket.SO_PROTOCOL", "socket.SOL_SOCKET, socket.SO_ACCEPTCONN", "socket.SOL_SOCKET, socket.SO_BROADCAST",
        "socket.SOL_SOCKET, socket.SO_OOBINLINE", "socket.SOL_SOCKET, socket.SO_PASSCRED", "socket.SOL_SOCKET, socket.SO_PEERCRED", "socket.SOL_SOCKET, socket.SO_LINGER", "socket.SOL_SOCKET, socket.SO_REUSEPORT", "socket.SOL_SOCKET, socket.SO_PRIORITY",
        "socket.IPPROTO_TCP, socket.TCP_NODELAY", "socket.IPPROTO_TCP, socket.TCP_KEEPIDLE", "socket.IPPROTO_TCP, socket.TCP_MAXSEG", "socket.IPPROTO_IP, socket.IP_TTL",
        "socket.IPPROTO_IP, socket.IP_TOS", "socket.IPPROTO_IP, socket.IP_RECVTOS", "socket.IPPROTO_IPV6, socket.IPV6_V6ONLY", "socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS",
        "socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO", "socket.SOL_SOCKET, 9999", "9999, 1", "-1, -1",
    ],
    "buffer size": ["socket.SO_SNDBUF", "socket.SO_RCVBUF"],  # the kernel tunes those of a connection by its round-trip times
    "option value": ["1", "0", "struct.pack('i', 1)", "2", "4096", "b''", "b'x'", "struct.pack('ii', 1, 0)", "bytearray(4)", "-1", "2**31", "'1'", "1.5", "None", "Index(1)"],
    "option size": ["4", "0", "1", "8", "12", "16", "1024", "1025", "-1", "2**31", "<any>"],
    "controls": ["[]", "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [<passed>]))]", "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('ii', l.fileno(), t.fileno()))]",
                 "[(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack('3i', os.getpid(), os.getuid(), os.getgid()))]", "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, b'xyz')]",
                 "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('i', 1000000))]", "[(socket.IPPROTO_IP, socket.IP_TTL, struct.pack('i', 9))]", "[(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, struct.pack('i', 9))]",
                 "[(<small>, <small>, <data>)]", "[(1, 2)]", "[<any>]", "<any>"],
    "control size": ["0", "socket.CMSG_SPACE(4)", "socket.CMSG_SPACE(8)", "socket.CMSG_LEN(4)", "socket.CMSG_LEN(8)", "socket.CMSG_LEN(5)", "1", "15", "100", "1000", "socket.CMSG_SPACE(12)", "<any>"],
    "any": [
        "None", "0", "1", "-1", "True", "2", "2**31 - 1", "2**31", "2**32", "2**63", "2**64", "-2**31 - 1", "-2**63 - 1", "1.5", "float('nan')", "''", "'nul\\0'", "'\\udc80'", "'\\xfc' * 70", "'127.0.0.1'", "b''",
        "b'\\1'", "bytearray(b'xyz')", "[]", "()", "{}", "object", "Index(2)", "Index()", "('127.0.0.1',)", "('127.0.0.1', 0)", "('::1', 0, 0, 0)", "('127.0.0.1', 70000)", "(None, 1)", "memoryview(bytearray(6))[::2]",
        "array.array('i', [1])", "a", "c", "lambda: 1", "[b'ab', b'cd']", "[bytearray(2)]", "1j", "range(3)", "socket.AF_INET", "socket.SOCK_DGRAM",
    ],
    "keyword": ["x", "flags", "size", "nbytes", "fileno", "mode", "backlog", "data", "address", "host", "port", "family", "type", "proto", "buffering", "self", "timeout", "fd"],
    "method": METHODS,
    "function": FUNCTIONS,
    "raw function": RAW_FUNCTIONS,
}  # fmt: skip


def split(text: str) -> tuple[str, ...]:
    """Split an alternative: literal text and symbols take turns."""
    return tuple(re.split(r"<([a-z ]+)>", text))


GRAMMAR = {symbol: tuple(split(text) for text in alternatives) for symbol, alternatives in SYMBOLS.items()}


def expand(symbol: str, choose: Choose) -> str:
    """One text of a symbol; `choose` picks one of its alternatives."""
    alternatives = GRAMMAR[symbol]
    parts = choose(alternatives) if len(alternatives) > 1 else alternatives[0]
    if len(parts) == 1:
        return parts[0]
    return "".join([part if at % 2 == 0 else expand(part, choose) for at, part in enumerate(parts)])
