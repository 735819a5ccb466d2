"""Notes on errors: what was tried, with which addresses, for how long, and what to do."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import io
import os
import re
import struct
import sys
import threading

import pytest
from machine import BINDS_FOREIGN_ADDRESSES, needs_localhost, needs_loopback6
from noting import UNKNOWN, failure, matches, note, shown
from oxisocket._beyond import lookup
from waiting import BIG, HANG_TIMEOUT, fill, fill_backlog, limit_buffers, wait_until


@pytest.fixture
def socket(oxisocket):
    """Only oxisocket has notes."""
    return oxisocket


TIME = r"\d+(\.\d+)? (ms|s)"
HERE = re.escape(__file__)


def until_reset(s):
    wait_until(lambda: s.getsockopt(6, 11, 1) == b"\7")  # TCP_INFO: the state is TCP_CLOSE


def reset(s):
    """Close a TCP connection so that the peer gets ECONNRESET."""
    s.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER, of 0 seconds
    s.close()


def drop_all(s):
    """Have the system drop whatever comes for a socket."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))  # BPF: return 0
    s.setsockopt(1, 26, struct.pack("HP", 1, ctypes.addressof(program)))  # SO_ATTACH_FILTER


class TestConnect:
    def test_refused(self, new, refusing):
        client = new()
        client.bind(("127.0.0.1", 0))
        error = failure(client.connect, refusing)
        assert type(error) is ConnectionRefusedError
        matches(rf"connecting to {shown(refusing)} from 127\.0\.0\.1:\d+, failed after {TIME}", error.__notes__[0])

    def test_without_an_address_of_its_own(self, new, refusing):
        matches(rf"connecting to {shown(refusing)}( from \S+)?, failed after {TIME}", note(new().connect, refusing))

    @needs_localhost
    def test_by_a_name(self, new, refusing):
        text = note(new().connect, ("localhost", refusing[1]))
        assert text.startswith(f"connecting to {shown(refusing)} (localhost)")
        text = note(new().connect, (b"localhost", refusing[1]))
        assert text.startswith(f"connecting to {shown(refusing)} (localhost)")

    @needs_loopback6
    def test_ipv6_is_in_brackets(self, oxisocket, new):
        bound = new(oxisocket.AF_INET6)
        bound.bind(("::1", 0))
        address = bound.getsockname()
        assert note(new(oxisocket.AF_INET6).connect, address).startswith(f"connecting to [::1]:{address[1]}")

    @pytest.mark.parametrize(
        ("path", "quoted"),
        [("/nowhere/s", "'/nowhere/s'"), (b"/nowhere/\xff", r"'/nowhere/\xff'"), (b"\0oxisocket it's", r"'\x00oxisocket it\'s'")],
    )
    def test_a_path_is_in_quotes(self, oxisocket, new, path, quoted):
        matches(rf"connecting to {re.escape(quoted)}, failed after {TIME}", note(new(oxisocket.AF_UNIX).connect, path))

    def test_another_family(self, oxisocket, new):
        try:
            client = new(oxisocket.AF_VSOCK, oxisocket.SOCK_STREAM)
        except (AttributeError, OSError) as error:
            pytest.skip(f"the kernel opens no such socket: {error}")
        assert note(client.connect, (77777, 9)).startswith("connecting to (77777, 9)")

    def test_a_closed_socket(self, oxisocket, refusing):
        client = oxisocket.socket()
        client.close()
        error = failure(client.connect, refusing)
        assert error.errno == errno.EBADF
        matches(rf"connecting to {shown(refusing)}, failed after {TIME}", error.__notes__[0])

    def test_the_timeout(self, oxisocket, new, keep):
        full = keep(oxisocket.create_server(("127.0.0.1", 0), backlog=0))
        fill_backlog(full, keep)
        client = new()
        client.settimeout(0.1)
        text = note(client.connect, full.getsockname())
        before, _, hint = text.partition("\n")
        matches(
            rf"connecting to {shown(full.getsockname())} from 127\.0\.0\.1:\d+, gave up after 100 ms, the timeout of the socket",
            before,
        )
        matches(r"(the listener's backlog is full \(connections that wait to be accepted: \d+, backlog: 0\))?", hint)

    def test_connect_ex_returns_numbers(self, new, refusing):
        assert new().connect_ex(refusing) == errno.ECONNREFUSED


class TestBacklog:
    @pytest.fixture
    def full(self, oxisocket, new, tmp_path):
        """A UNIX listener whose backlog is full."""
        listener = new(oxisocket.AF_UNIX)
        listener.bind(str(tmp_path / "s"))
        listener.listen(0)
        new(oxisocket.AF_UNIX).connect(str(tmp_path / "s"))
        return str(tmp_path / "s")

    HINT = "\nthe listener's backlog is full"

    def test_a_unix_socket_with_a_timeout(self, oxisocket, new, full):
        """It does not wait: connect(2) fails with EAGAIN at once."""
        client = new(oxisocket.AF_UNIX)
        client.settimeout(60)
        error = failure(client.connect, full)
        assert type(error) is BlockingIOError
        assert error.__notes__[0].startswith(f"connecting to '{full}'")
        assert error.__notes__[0].endswith(self.HINT)

    def test_a_unix_socket_with_a_deadline(self, oxisocket, new, full):
        with oxisocket.deadline(0.1):
            text = note(new(oxisocket.AF_UNIX).connect, full)
        assert text.endswith(f", when the deadline of this thread passed{self.HINT}")

    def test_a_deadline_that_has_passed_before_says_nothing_about_the_backlog(self, oxisocket, new, full):
        with oxisocket.deadline(0):
            text = note(new(oxisocket.AF_UNIX).connect, full)
        assert text == f"connecting to '{full}', not begun: the deadline of this thread had passed"

    def test_the_backlog_of_tcp_has_numbers(self, oxisocket, new, keep):
        full = keep(oxisocket.create_server(("127.0.0.1", 0), backlog=0))
        fill_backlog(full, keep)
        text = None
        for _ in range(3):  # some kernels let another one in after a while
            client = new()
            client.settimeout(0.1)
            text = note(client.connect, full.getsockname())
        if sys.platform == "linux" and "\n" not in text:
            pytest.skip("this kernel does not tell about listeners")
        matches(r".*\nthe listener's backlog is full \(connections that wait to be accepted: 1, backlog: 0\)", text)


class TestCreateConnection:
    @pytest.fixture
    def targets(self, oxisocket, monkeypatch):
        """Sets the addresses of every host."""

        def set_targets(*addresses):
            families = (oxisocket.AF_INET6 if ":" in address[0] else oxisocket.AF_INET for address in addresses)
            found = [(family, oxisocket.SOCK_STREAM, 6, "", address) for family, address in zip(families, addresses, strict=True)]
            monkeypatch.setattr(oxisocket, "getaddrinfo", lambda *_: found)

        return set_targets

    @pytest.fixture
    def two(self, refusing, new, targets):
        """The two addresses that connections are tried to; both refuse."""
        other = new()
        other.bind(("127.0.0.1", 0))
        addresses = refusing, other.getsockname()
        targets(*addresses)
        return addresses

    def test_a_note_for_each_address(self, oxisocket, two):
        error = failure(oxisocket.create_connection, ("db.local", 5432))
        assert str(error) == f"[Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}"
        last, before = error.__notes__
        matches(rf"connecting to {shown(two[1])} \(db\.local\)( from \S+)?, failed after {TIME}", last)
        matches(
            rf"before that, connecting to {shown(two[0])} \(db\.local\)( from \S+)?, failed after {TIME}: "
            rf"\[Errno {errno.ECONNREFUSED}\] {os.strerror(errno.ECONNREFUSED)}",
            before,
        )

    def test_each_error_of_a_group_has_its_own(self, oxisocket, two):
        with pytest.raises(ExceptionGroup) as raised:
            oxisocket.create_connection(("db.local", 5432), all_errors=True)
        assert not hasattr(raised.value, "__notes__")
        for error, address in zip(raised.value.exceptions, two, strict=True):
            assert len(error.__notes__) == 1
            assert error.__notes__[0].startswith(f"connecting to {shown(address)} (db.local)")

    def test_a_numeric_host_is_said_once(self, oxisocket, two):
        for each in failure(oxisocket.create_connection, ("127.0.0.1", 5432)).__notes__:
            assert "(127.0.0.1)" not in each

    def test_a_name_in_bytes(self, oxisocket, two):
        assert "(db.local)" in failure(oxisocket.create_connection, (b"db.local", 5432)).__notes__[0]

    def test_a_socket_that_cannot_be_made(self, oxisocket, monkeypatch, refusing):
        """Its error has no note of its own: nothing was connected yet."""
        targets = [(oxisocket.AF_INET, 1, 6, "", refusing), (oxisocket.AF_INET, 1, 123456, "", ("127.0.0.2", 9))]
        monkeypatch.setattr(oxisocket, "getaddrinfo", lambda *_: targets)
        last, before = failure(oxisocket.create_connection, ("db.local", 5432)).__notes__
        assert last == "connecting to 127.0.0.2:9 (db.local)"
        assert before.startswith(f"before that, connecting to {shown(refusing)} (db.local)")

    def test_a_source_address_that_is_taken(self, oxisocket, two, refusing):
        error = failure(oxisocket.create_connection, ("db.local", 5432), source_address=refusing)
        assert [each.split("\n")[0] for each in error.__notes__] == [
            f"binding to {shown(refusing)}",
            f"before that, binding to {shown(refusing)}: {error}",
        ]
        assert all("is taken by a socket of this process" in each for each in error.__notes__)

    def test_once_for_an_error_object_that_is_raised_again(self, oxisocket, two, monkeypatch):
        """As by a mock, whose side effect is one object."""
        error = OSError("always this one")

        def refuse(*_):
            raise error

        monkeypatch.setattr(oxisocket.socket, "connect", refuse)
        for look in False, True, False, False:
            assert failure(oxisocket.create_connection, ("db.local", 5432)) is error
            if look:
                assert error.__notes__ == [f"connecting to {shown(two[0])} (db.local)"]
        assert len(error.__notes__) == 1

    def test_once_for_two_error_objects_that_are_raised_again(self, oxisocket, two, monkeypatch):
        errors = [OSError("one"), OSError("two")]

        def refuse(_, address):
            raise errors[two.index(address)]

        monkeypatch.setattr(oxisocket.socket, "connect", refuse)
        for look in False, True, False, False:
            error = failure(oxisocket.create_connection, ("db.local", 5432))
            if look:
                assert len(error.__notes__) == 2
        assert error.__notes__ == [
            f"connecting to {shown(two[1])} (db.local)",
            f"before that, connecting to {shown(two[0])} (db.local): one",
        ]

    def test_notes_of_others_stay(self, oxisocket, two, monkeypatch):
        def refuse(_, address):
            error = OSError(str(two.index(address)))
            error.add_note("from the program")
            raise error

        monkeypatch.setattr(oxisocket.socket, "connect", refuse)
        error = failure(oxisocket.create_connection, ("db.local", 5432))
        assert error.__notes__ == ["from the program", "before that, from the program: 0"]
        assert type(error.__notes__) is list

    def test_an_attempt_whose_notes_were_looked_at(self, oxisocket, two, monkeypatch):
        connect = oxisocket.socket.connect

        def look(s, address):
            try:
                connect(s, address)
            except OSError as error:
                assert len(error.__notes__[0]) > 0
                raise

        monkeypatch.setattr(oxisocket.socket, "connect", look)
        last, before = failure(oxisocket.create_connection, ("db.local", 5432)).__notes__
        assert last.startswith(f"connecting to {shown(two[1])}")
        assert before.startswith(f"before that, connecting to {shown(two[0])}")

    def test_a_connection_that_succeeds_at_last(self, oxisocket, targets, refusing, listener, keep):
        targets(refusing, listener.getsockname())
        assert keep(oxisocket.create_connection(("db.local", 5432))).getpeername() == listener.getsockname()


class TestBind:
    @pytest.mark.skipif(BINDS_FOREIGN_ADDRESSES, reason="this machine binds any address")
    def test_an_address_of_another_machine(self, new):
        assert note(new().bind, ("203.0.113.1", 80)) == "binding to 203.0.113.1:80"

    def test_a_port_that_a_socket_of_this_process_has(self, new):
        first = new()
        first.bind(("127.0.0.1", 0))
        line = sys._getframe().f_lineno - 1
        address = shown(first.getsockname())
        expected = f"binding to {address}\n{address} is taken by a socket of this process, which was bound at {__file__}:{line}"
        assert note(new().bind, first.getsockname()) == expected

    def test_a_listener_of_the_wildcard_address(self, oxisocket, new, keep):
        first = keep(oxisocket.create_server(("", 0)))  # the code of the package does not count as the program's
        line = sys._getframe().f_lineno - 1
        port = first.getsockname()[1]
        hint = f"0.0.0.0:{port} is taken by a socket of this process, which was bound at {__file__}:{line}"
        assert note(new().bind, ("127.0.0.1", port)) == f"binding to 127.0.0.1:{port}\n{hint}"

    def test_a_listener_that_was_not_bound(self, new):
        first = new()
        first.listen()
        line = sys._getframe().f_lineno - 1
        assert note(new().bind, ("127.0.0.1", first.getsockname()[1])).endswith(f"bound at {__file__}:{line}")

    def test_create_server(self, oxisocket, listener):
        error = failure(oxisocket.create_server, listener.getsockname())
        assert str(error).endswith(f"(while attempting to bind on address {listener.getsockname()!r})")
        assert error.__notes__[0].startswith(f"binding to {shown(listener.getsockname())}\n")

    def test_the_standard_library_is_not_the_program(self, oxisocket, new):
        code = "import socketserver; server = socketserver.TCPServer(('127.0.0.1', 0), None)"
        names = {}
        with oxisocket.installed():
            exec(compile(code, "/srv/program.py", "exec"), names)
            with names["server"] as server:
                assert note(new().bind, server.server_address).endswith("bound at /srv/program.py:1")

    def test_a_port_that_another_process_has(self, new, program):
        other = program("s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()")
        address = "127.0.0.1", int(other.stdout.readline())
        assert note(new().bind, address) == f"binding to {shown(address)}"

    @pytest.mark.parametrize("end", ["close", "detach", "del", "init"])
    def test_what_ended_is_forgotten(self, oxisocket, new, keep, end):
        holder = new()  # keeps the port, and is not recorded: another socket takes its descriptor over
        first = oxisocket.socket()
        first.setsockopt(oxisocket.SOL_SOCKET, oxisocket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        address = first.getsockname()
        holder.close()
        holder = keep(oxisocket.socket(fileno=os.dup(first.fileno())))
        if end == "close":
            first.close()
        elif end == "detach":
            os.close(first.detach())
        elif end == "init":
            number = first.fileno()
            first.__init__()
            os.close(number)
            first.close()
        else:
            with pytest.warns(ResourceWarning, match="unclosed"):
                del first
        assert note(new().bind, address) == f"binding to {shown(address)}"
        assert holder.getsockname() == address

    def test_a_port_that_both_may_have_is_not_taken(self, oxisocket, new, keep):
        """Another descriptor is in the way, of which it is not recorded where it was bound."""
        shared, unknown, last = new(), new(), new()
        for each in shared, last:
            each.setsockopt(oxisocket.SOL_SOCKET, oxisocket.SO_REUSEPORT, 1)
        shared.bind(("127.0.0.1", 0))
        port = shared.getsockname()[1]
        unknown.bind(("127.0.0.2", port))
        keep(oxisocket.socket(fileno=unknown.detach()))
        assert note(last.bind, ("0.0.0.0", port)) == f"binding to 0.0.0.0:{port}"

    def test_udp(self, oxisocket, new):
        udp = new(oxisocket.AF_INET, oxisocket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        assert "is taken by" in note(new(oxisocket.AF_INET, oxisocket.SOCK_DGRAM).bind, udp.getsockname())

    def test_a_path(self, oxisocket, new, tmp_path):
        path = str(tmp_path / "s")
        first = new(oxisocket.AF_UNIX)
        first.bind(path)
        line = sys._getframe().f_lineno - 1
        hint = f"'{path}' is taken by a socket of this process, which was bound at {__file__}:{line}"
        assert note(new(oxisocket.AF_UNIX).bind, path) == f"binding to '{path}'\n{hint}"

    def test_a_path_by_another_name(self, oxisocket, new, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        first = new(oxisocket.AF_UNIX)
        first.bind("s")
        assert "'s' is taken by a socket of this process" in note(new(oxisocket.AF_UNIX).bind, str(tmp_path / "s"))

    def test_a_path_whose_file_is_another_one_by_now(self, oxisocket, new, tmp_path):
        path = tmp_path / "s"
        first = new(oxisocket.AF_UNIX)
        first.bind(str(path))
        path.unlink()
        path.write_text("a file")
        assert note(new(oxisocket.AF_UNIX).bind, str(path)) == f"binding to '{path}'"

    def test_an_abstract_name(self, oxisocket, new):
        first = new(oxisocket.AF_UNIX)
        first.bind("")
        assert "is taken by a socket of this process" in note(new(oxisocket.AF_UNIX).bind, first.getsockname())

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("/tmp/" + "x" * 104, "the path has 109 bytes, and 107 fit"),
            (b"\0" + b"x" * 108, "the path has 109 bytes, and 108 fit"),
            ("/tmp/" + "ü" * 60, "the path has 125 bytes, and 107 fit"),
        ],
    )
    @pytest.mark.parametrize("method", ["bind", "connect", "connect_ex"])
    def test_a_path_that_is_too_long(self, oxisocket, new, method, path, text):
        error = failure(getattr(new(oxisocket.AF_UNIX), method), path)
        assert str(error) == "AF_UNIX path too long"
        assert error.__notes__ == [text]

    def test_listen(self, oxisocket, new):
        udp = new(oxisocket.AF_INET, oxisocket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        assert note(udp.listen) == f"listening at {shown(udp.getsockname())}"

    def test_a_second_listener(self, oxisocket, new):
        """Two sockets may be bound to one port, but only one of them may listen."""
        both = new(), new()
        for each in both:
            each.setsockopt(oxisocket.SOL_SOCKET, oxisocket.SO_REUSEADDR, 1)
            each.bind(both[0].getsockname() if each is both[1] else ("127.0.0.1", 0))
        both[0].listen()
        address = shown(both[0].getsockname())
        matches(
            rf"listening at {address}\n{address} is taken by a socket of this process, which was bound at {HERE}:\d+",
            note(both[1].listen),
        )

    def test_a_child_process_has_the_sockets_of_its_parent(self, run):
        code = """
import os
s = socket.create_server(("127.0.0.1", 0))
if not os.fork():
    other = socket.socket()
    try:
        other.bind(s.getsockname())
    except OSError as error:
        print(error.__notes__[0].split("\\n")[1].replace(str(s.getsockname()[1]), "PORT"), flush=True)
    os._exit(0)
os.wait()
s.close()
"""
        assert run(code) == "127.0.0.1:PORT is taken by a socket of this process, which was bound at <string>:4\n"

    def test_forks_while_sockets_are_bound(self, run):
        """The lock of the table must be free in the child process."""
        code = """
import os, threading
done = threading.Event()

def bind():
    while not done.is_set():
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))

threads = [threading.Thread(target=bind) for _ in range(2)]
for each in threads:
    each.start()
for _ in range(50):
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
    os._exit(0)
done.set()
for each in threads:
    each.join()
"""
        run("import warnings; warnings.simplefilter('ignore')\n" + code)


class TestLookUps:
    def test_getaddrinfo(self, oxisocket):
        matches(rf"looking up '{UNKNOWN}', port 80, failed after {TIME}", note(oxisocket.getaddrinfo, UNKNOWN, 80))
        matches(rf"looking up '{UNKNOWN}', failed after {TIME}", note(oxisocket.getaddrinfo, UNKNOWN, None))

    def test_getaddrinfo_of_the_base_module(self, oxisocket):
        matches(rf"looking up '{UNKNOWN}', port 80, failed after {TIME}", note(oxisocket._socket.getaddrinfo, UNKNOWN, 80))

    def test_a_service(self, oxisocket):
        matches(
            rf"looking up '127\.0\.0\.1', service 'unknown', failed after {TIME}",
            note(oxisocket.getaddrinfo, "127.0.0.1", "unknown"),
        )
        matches(rf"looking up this machine, service 'unknown', failed after {TIME}", note(oxisocket.getaddrinfo, None, "unknown"))

    @pytest.mark.parametrize(("family", "only"), [("AF_INET", "IPv4"), ("AF_INET6", "IPv6")])
    def test_one_family(self, oxisocket, family, only):
        text = note(oxisocket.getaddrinfo, UNKNOWN, 80, getattr(oxisocket, family))
        matches(rf"looking up '{UNKNOWN}', port 80, {only} only, failed after {TIME}", text)

    def test_the_older_functions(self, oxisocket):
        matches(rf"looking up '{UNKNOWN}', IPv4 only, failed after {TIME}", note(oxisocket.gethostbyname, UNKNOWN))
        matches(rf"looking up '{UNKNOWN}', IPv4 only, failed after {TIME}", note(oxisocket.gethostbyname_ex, UNKNOWN))
        matches(rf"looking up '{UNKNOWN}', failed after {TIME}", note(oxisocket.gethostbyaddr, UNKNOWN))

    def test_the_name_of_an_address(self, oxisocket):
        """192.0.2.0/24 is for documentation: its addresses have no names."""
        matches(rf"looking up the name of 192\.0\.2\.1, failed after {TIME}", note(oxisocket.gethostbyaddr, "192.0.2.1"))
        text = note(oxisocket.getnameinfo, ("192.0.2.1", 80), oxisocket.NI_NAMEREQD)
        matches(rf"looking up the name of 192\.0\.2\.1, failed after {TIME}", text)

    @pytest.mark.parametrize("method", ["bind", "connect", "connect_ex"])
    def test_a_name_in_an_address(self, new, method):
        text = note(getattr(new(), method), (UNKNOWN, 80))
        matches(rf"looking up '{UNKNOWN}', IPv4 only, failed after {TIME}", text)

    def test_a_name_that_a_datagram_is_for(self, oxisocket, new):
        udp = new(oxisocket.AF_INET, oxisocket.SOCK_DGRAM)
        for call in (
            lambda: udp.sendto(b"x", (UNKNOWN, 80)),
            lambda: udp.sendmsg([b"x"], [], 0, (UNKNOWN, 80)),
        ):
            matches(rf"looking up '{UNKNOWN}', IPv4 only, failed after {TIME}", note(call))

    def test_services_and_protocols(self, oxisocket):
        assert note(oxisocket.getservbyname, "unknown") == "looking up the service 'unknown'"
        assert note(oxisocket.getservbyname, "unknown", "tcp") == "looking up the service 'unknown' over 'tcp'"
        assert note(oxisocket.getservbyport, 65535) == "looking up the service of port 65535"
        assert note(oxisocket.getservbyport, 65535, "udp") == "looking up the service of port 65535 over 'udp'"
        assert note(oxisocket.getprotobyname, "unknown") == "looking up the protocol 'unknown'"

    def test_interfaces(self, oxisocket):
        assert note(oxisocket.if_nametoindex, "unknown") == "looking up the network interface 'unknown'"
        assert note(oxisocket.if_indextoname, 999_999) == "looking up the network interface 999999"


class TestTheWrongSocket:
    """The beginner's mistakes: no `listen`, and data through the socket that listens."""

    def test_a_socket_that_does_not_listen(self, new):
        server = new()
        server.bind(("127.0.0.1", 0))
        error = failure(server.accept)
        assert error.errno == errno.EINVAL
        assert error.__notes__ == [
            f"waiting for a connection at {shown(server.getsockname())}\nthe socket does not listen: call listen() before accept()"
        ]

    @pytest.mark.parametrize("call", [lambda s: s.recv(1), lambda s: s.send(b"x"), lambda s: s.sendall(b"x")])
    def test_a_socket_that_listens(self, oxisocket, new, call):
        server = new()
        server.bind(("127.0.0.1", 0))
        server.listen()
        hint = "the socket listens for connections: data goes through the socket that accept() returns"
        assert note(call, server).endswith(f"\n{hint}")

    def test_other_sockets_that_are_not_connected(self, oxisocket, new):
        assert not hasattr(failure(new().recv, 1), "__notes__")
        assert not hasattr(failure(new(oxisocket.AF_INET, oxisocket.SOCK_DGRAM).accept), "__notes__")


class TestOneTimeForAll:
    """What `create_connection` was doing when its `total_timeout`, or the deadline of the thread, had passed."""

    @pytest.fixture
    def full(self, oxisocket, keep):
        listener = keep(oxisocket.create_server(("127.0.0.1", 0), backlog=0))
        fill_backlog(listener, keep)
        return listener.getsockname()

    @pytest.mark.parametrize("more", [{}, {"timeout": 60}])
    def test_an_attempt(self, oxisocket, full, more):
        text = note(oxisocket.create_connection, full, total_timeout=0.1, **more)
        matches(
            rf"connecting to {shown(full)} from \S+, gave up after {TIME}, when total_timeout had passed(\n.*backlog.*)?", text
        )

    def test_the_timeout_of_the_socket(self, oxisocket, full):
        assert ", gave up after 50 ms, the timeout of the socket" in note(
            oxisocket.create_connection, full, timeout=0.05, total_timeout=60
        )

    def test_the_deadline_of_the_thread(self, oxisocket, full):
        with oxisocket.deadline(0.1):
            text = note(oxisocket.create_connection, full, total_timeout=60)
        matches(rf"connecting to .*, gave up after {TIME}, when the deadline of this thread passed(?s:\n.*)?", text)

    def test_attempts_that_overlap(self, oxisocket, full, refusing, monkeypatch):
        kind = (oxisocket.AF_INET, oxisocket.SOCK_STREAM, 6, "")
        found = [(*kind, full), (*kind, refusing), (*kind, full)]
        monkeypatch.setattr(oxisocket, "getaddrinfo", lambda *_: found)
        error = failure(oxisocket.create_connection, ("a.name", 1), happy_eyeballs_delay=0.01, total_timeout=0.2)
        late = rf"connecting to {shown(full)} \(a\.name\), gave up after {TIME}, when total_timeout had passed"
        matches(late, error.__notes__[0])
        assert sorted(each.partition(" (")[0] for each in error.__notes__[1:]) == sorted(
            f"before that, connecting to {shown(each)}" for each in (full, refusing)
        )

    def test_an_attempt_that_overlaps_others_has_its_timeout(self, oxisocket, full, monkeypatch):
        kind = (oxisocket.AF_INET, oxisocket.SOCK_STREAM, 6, "")
        monkeypatch.setattr(oxisocket, "getaddrinfo", lambda *_: [(*kind, full)] * 2)
        error = failure(oxisocket.create_connection, ("a.name", 1), timeout=0.05, happy_eyeballs_delay=0.01)
        assert error.__notes__[0] == f"connecting to {shown(full)} (a.name), gave up after 50 ms, the timeout of the socket"

    @pytest.mark.parametrize("more", [{}, {"happy_eyeballs_delay": 0.1}])
    def test_before_anything_was_begun(self, oxisocket, refusing, more):
        matches(r".*total_timeout had passed", note(oxisocket.create_connection, refusing, total_timeout=0, **more))

    @pytest.mark.parametrize("more", [{}, {"happy_eyeballs_delay": 0.1}])
    def test_a_look_up(self, oxisocket, monkeypatch, more):
        answered = threading.Event()
        monkeypatch.setattr(lookup, "ask", lambda *_: answered.wait(HANG_TIMEOUT) and [])
        text = note(oxisocket.create_connection, (UNKNOWN, 80), total_timeout=0.05, **more)
        answered.set()
        matches(rf"looking up '{UNKNOWN}', port 80, gave up after {TIME}, when total_timeout had passed", text)

    def test_a_look_up_of_both_families(self, oxisocket):
        text = note(oxisocket.create_connection, (UNKNOWN, 80), happy_eyeballs_delay=0.1)
        matches(rf"looking up '{UNKNOWN}', port 80, failed after {TIME}", text)


class TestTimeouts:
    """What was waited for, how long, on which connection."""

    @pytest.mark.parametrize(
        "call",
        [
            lambda s: s.recv(1),
            lambda s: s.recv(1 << 20),
            lambda s: s.recv_into(bytearray(1)),
            lambda s: s.recvfrom(1),
            lambda s: s.recvfrom_into(bytearray(1)),
            lambda s: s.recvmsg(1),
            lambda s: s.recvmsg_into([bytearray(1)]),
            lambda s: s.recv_exactly(1),
            lambda s: s.recv_exactly_into(bytearray(1)),
            lambda s: s.makefile("rb").read(1),
            lambda s: s.makefile("rb", 0).read(1),
        ],
    )
    def test_receives(self, tcp_pair, call):
        tcp_pair[0].settimeout(0.05)
        error = failure(call, tcp_pair[0])
        assert (type(error), str(error), error.args, error.errno) == (TimeoutError, "timed out", ("timed out",), None)
        route = f"receiving from {shown(tcp_pair[0].getpeername())} at {shown(tcp_pair[0].getsockname())}"
        assert error.__notes__ == [f"{route}, gave up after 50 ms, the timeout of the socket"]

    @pytest.mark.parametrize(
        "call",
        [
            lambda s: s.send(b"x"),
            lambda s: s.sendall(b"x"),
            lambda s: s.sendmsg([b"x"]),
            lambda s: s.makefile("wb", 0).write(b"x"),
        ],
    )
    def test_sends(self, oxisocket, new, call, tmp_path):
        path = str(tmp_path / "s")
        listener, client = new(oxisocket.AF_UNIX), new(oxisocket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        client.connect(path)
        fill(client)
        client.settimeout(0.05)
        assert note(call, client) == f"sending to '{path}', gave up after 50 ms, the timeout of the socket"

    def test_sendall_of_more_than_fits(self, tcp_pair):
        limit_buffers(*tcp_pair)
        tcp_pair[0].settimeout(0.05)
        assert note(tcp_pair[0].sendall, BIG).endswith("gave up after 50 ms, the timeout of the socket")

    def test_sendfile(self, tcp_pair, tmp_path):
        limit_buffers(*tcp_pair)
        tcp_pair[0].settimeout(0.05)
        path = tmp_path / "file"
        path.write_bytes(BIG)
        with path.open("rb") as file:
            assert note(tcp_pair[0].sendfile, file).endswith("gave up after 50 ms, the timeout of the socket")
        with io.BytesIO(BIG) as file:
            assert note(tcp_pair[0].sendfile, file).endswith("gave up after 50 ms, the timeout of the socket")

    def test_accept(self, oxisocket, listener):
        listener.settimeout(0.05)
        expected = f"waiting for a connection at {shown(listener.getsockname())}, gave up after 50 ms, the timeout of the socket"
        assert note(listener.accept) == expected
        assert note(listener._accept) == expected

    def test_udp(self, oxisocket, new):
        udp = new(oxisocket.AF_INET, oxisocket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0.05)
        assert note(udp.recv, 1) == (f"receiving at {shown(udp.getsockname())}, gave up after 50 ms, the timeout of the socket")

    def test_sockets_without_addresses(self, oxisocket, keep):
        one, other = map(keep, oxisocket.socketpair())
        one.settimeout(0.05)
        assert note(one.recv, 1) == "receiving, gave up after 50 ms, the timeout of the socket"
        fill(one)
        assert note(one.send, b"x") == "sending, gave up after 50 ms, the timeout of the socket"

    def test_a_long_timeout_is_in_seconds(self, tcp_pair):
        tcp_pair[0].settimeout(1.25)
        assert ", gave up after 1.2 s, the timeout" in note(tcp_pair[0].recv, 1)

    def test_a_deadline(self, oxisocket, tcp_pair, listener):
        with oxisocket.deadline(0.05):
            matches(rf".*, gave up after {TIME}, when the deadline of this thread passed", note(tcp_pair[0].recv, 1))
            for call in lambda: tcp_pair[0].recv(1), lambda: tcp_pair[0].send(b"x"), listener.accept:
                assert note(call).endswith(", not begun: the deadline of this thread had passed")

    def test_a_deadline_within_a_longer_timeout(self, oxisocket, tcp_pair):
        tcp_pair[0].settimeout(60)
        with oxisocket.deadline(0.05):
            assert note(tcp_pair[0].recv, 1).endswith(", when the deadline of this thread passed")

    def test_a_timeout_within_a_longer_deadline(self, oxisocket, tcp_pair):
        tcp_pair[0].settimeout(0.05)
        with oxisocket.deadline(60):
            assert note(tcp_pair[0].recv, 1).endswith(", gave up after 50 ms, the timeout of the socket")

    def test_sendto(self, oxisocket, new, tmp_path):
        receiver, sender = new(oxisocket.AF_UNIX, oxisocket.SOCK_DGRAM), new(oxisocket.AF_UNIX, oxisocket.SOCK_DGRAM)
        path = str(tmp_path / "s")
        receiver.bind(path)
        sender.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                sender.sendto(b"x", path)
        sender.settimeout(0.05)
        expected = f"sending to '{path}', gave up after 50 ms, the timeout of the socket"
        assert note(sender.sendto, b"x", path) == expected
        assert note(sender.sendmsg, [b"x"], [], 0, path) == expected


class TestSendto:
    @pytest.fixture
    def udp(self, oxisocket, new):
        return new(oxisocket.AF_INET, oxisocket.SOCK_DGRAM)

    def test_an_address(self, udp):
        udp.bind(("127.0.0.1", 0))
        text = note(udp.sendto, bytes(100_000), ("127.0.0.1", 9))
        assert text == f"sending to 127.0.0.1:9 from {shown(udp.getsockname())}"
        assert note(udp.sendto, bytes(100_000), 0, ("127.0.0.1", 9)) == text
        assert note(udp.sendmsg, [bytes(100_000)], [], 0, ("127.0.0.1", 9)) == text

    @needs_localhost
    def test_a_name(self, udp):
        assert note(udp.sendto, bytes(100_000), ("localhost", 9)).startswith("sending to 127.0.0.1:9 (localhost)")

    def test_a_name_that_stands_for_an_address(self, udp):
        assert note(udp.sendto, b"", ("<broadcast>", 9)).startswith("sending to 255.255.255.255:9 (<broadcast>)")

    def test_a_path(self, oxisocket, new):
        assert note(new(oxisocket.AF_UNIX, oxisocket.SOCK_DGRAM).sendto, b"", "/nowhere/s") == "sending to '/nowhere/s'"

    def test_without_an_address_there_is_no_note(self, udp, new):
        for call in lambda: udp.send(b"x"), lambda: udp.sendmsg([b"x"]), lambda: new().recv(1):
            assert not hasattr(failure(call), "__notes__")


class TestConnectionsThatTheOtherEndCloses:
    def test_a_reset(self, tcp_pair):
        tcp_pair[1].sendall(b"x" * 100)
        tcp_pair[0].sendall(b"y" * 7)
        assert len(tcp_pair[1].recv(7)) == 7
        assert len(tcp_pair[0].recv(100)) == 100
        own, peer = map(shown, (tcp_pair[0].getsockname(), tcp_pair[0].getpeername()))
        reset(tcp_pair[1])
        error = failure(tcp_pair[0].recv, 1)
        assert type(error) is ConnectionResetError
        matches(
            rf"receiving from {peer} at {own}\nthe other end closed the connection( after 100 bytes from it)?( and 7 bytes to it)?",
            error.__notes__[0],
        )

    def test_a_send_after_the_end(self, tcp_pair):
        tcp_pair[0].sendall(b"y" * 7)
        assert len(tcp_pair[1].recv(7)) == 7
        own, peer = map(shown, (tcp_pair[0].getsockname(), tcp_pair[0].getpeername()))
        tcp_pair[1].close()
        tcp_pair[0].sendall(b"z" * 3)  # answered by a reset
        until_reset(tcp_pair[0])
        error = failure(tcp_pair[0].send, b"x")
        assert type(error) is BrokenPipeError
        matches(rf"sending to {peer} from {own}\nthe connection has ended( after 10 bytes to the other end)?", error.__notes__[0])

    def test_a_socket_that_was_never_connected(self, new):
        error = failure(new().send, b"x")
        assert type(error) is BrokenPipeError
        assert error.__notes__ == ["sending"]

    def test_a_socket_that_its_own_program_has_shut(self, oxisocket, tcp_pair):
        tcp_pair[0].shutdown(oxisocket.SHUT_WR)
        matches(r"sending to \S+ from \S+", note(tcp_pair[0].send, b"x"))

    def test_a_socket_that_its_own_program_has_shut_before_the_other_end_closed(self, oxisocket, tcp_pair):
        """The cause is not the other end."""
        tcp_pair[0].shutdown(oxisocket.SHUT_WR)
        tcp_pair[1].close()
        until_reset(tcp_pair[0])
        assert "the other end closed" not in note(tcp_pair[0].send, b"x")

    def test_a_connection_that_the_system_has_given_up(self, oxisocket, tcp_pair):
        """The peer has not closed it: it has not answered."""
        drop_all(tcp_pair[1])
        tcp_pair[0].setsockopt(oxisocket.IPPROTO_TCP, oxisocket.TCP_USER_TIMEOUT, 200)
        tcp_pair[0].sendall(b"abc")
        assert failure(tcp_pair[0].recv, 1).errno == errno.ETIMEDOUT
        assert "the other end closed" not in note(tcp_pair[0].send, b"x")

    def test_a_connection_that_was_refused_to_a_non_blocking_socket(self, new, refusing):
        client = new()
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            client.connect(refusing)
        until_reset(client)
        assert client.getsockopt(1, 4) in (0, errno.ECONNREFUSED)  # SO_ERROR
        matches(r"sending to \S+ from \S+", note(client.send, b"x"))

    def test_a_unix_socket(self, oxisocket, keep):
        one, other = map(keep, oxisocket.socketpair())
        other.close()
        assert note(one.send, b"x") == "sending"


class TestNoNote:
    """What is no failure, or none of the socket's, has no note."""

    @pytest.mark.parametrize("call", [lambda s: s.recv(1), lambda s: s.recvfrom(1), lambda s: s.recvmsg(1)])
    def test_a_receive(self, tcp_pair, call):
        tcp_pair[0].setblocking(False)
        assert type(error := failure(call, tcp_pair[0])) is BlockingIOError
        assert not hasattr(error, "__notes__")

    def test_a_send(self, tcp_pair):
        limit_buffers(*tcp_pair)
        fill(tcp_pair[0])
        tcp_pair[0].setblocking(False)
        assert type(error := failure(tcp_pair[0].send, b"x")) is BlockingIOError
        assert not hasattr(error, "__notes__")

    def test_accept(self, listener):
        listener.setblocking(False)
        assert type(error := failure(listener.accept)) is BlockingIOError
        assert not hasattr(error, "__notes__")

    def test_connect(self, oxisocket, new, keep):
        full = keep(oxisocket.create_server(("127.0.0.1", 0), backlog=0))
        fill_backlog(full, keep)
        client = new()
        client.setblocking(False)
        for _ in range(2):  # EINPROGRESS and EALREADY
            assert type(error := failure(client.connect, full.getsockname())) is BlockingIOError
            assert not hasattr(error, "__notes__")

    def test_connect_to_a_full_unix_backlog(self, oxisocket, new, tmp_path):
        listener = new(oxisocket.AF_UNIX)
        listener.bind(str(tmp_path / "s"))
        listener.listen(0)
        new(oxisocket.AF_UNIX).connect(str(tmp_path / "s"))
        client = new(oxisocket.AF_UNIX)
        client.setblocking(False)
        assert not hasattr(failure(client.connect, str(tmp_path / "s")), "__notes__")

    def test_a_wrong_argument(self, new):
        for call in lambda: new().connect(5), lambda: new().bind(("127.0.0.1", -1)):
            with pytest.raises((TypeError, OverflowError)) as raised:
                call()
            assert not hasattr(raised.value, "__notes__")

    def test_an_exception_of_the_programs_own_code(self, oxisocket, new):
        class Path:
            def __fspath__(self):
                raise OSError(errno.ENOENT, "mine")

        error = failure(new(oxisocket.AF_UNIX).connect, Path())
        assert error.strerror == "mine"
        assert not hasattr(error, "__notes__")

    def test_asyncio_asks_the_kernel_for_the_outcome_itself(self, oxisocket, refusing, new):
        async def connect():
            client = new()
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, refusing)

        assert type(failure(asyncio.run, connect())) is ConnectionRefusedError
