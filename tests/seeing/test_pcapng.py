"""Records become packets: each byte of the file is right, each connection in it whole, and Wireshark finds nothing to complain about."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from captures import Capture, Followed, follow, read_capture
from hypothesis import given
from hypothesis import strategies as st
from oxisocket._seeing import pcapng
from oxisocket._seeing.wire import connections
from oxisocket._seeing.wire.packets import Endpoint, Payload, udp
from records import BEGAN, CLIENT, MS, SERVER, Recorded, tutorial

REQUEST = b"GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
OPENING = "S sa A"
CLIENT_6, SERVER_6 = ["::1", 41234, 0, 0], ["::1", 5000, 0, 0]


@pytest.fixture(autouse=True, scope="module")
def small_files() -> Iterator[None]:
    """Where a record says that more was transferred than can have been, a test needs no gigabytes of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "_MOST_BYTES", 2**24)
        yield


def captured(*programs: Recorded) -> Capture:
    file = io.BytesIO()
    pcapng.write([program.record() for program in programs], file)
    return read_capture(file.getvalue())


def only(*programs: Recorded) -> Followed:
    (connection,) = follow(captured(*programs))
    return connection


def connected(program: Recorded, number: int = 1, at: float | None = None, **values: Any) -> Recorded:
    """Let a program connect to the server."""
    state: dict[str, Any] = {"local": CLIENT, "peer": SERVER, **values}
    program.socket(number, at, **{name: value for name, value in state.items() if name not in ("local", "peer")})
    program.call(number, "connect", repr(tuple(state["peer"])), took=0.2, result="None", address=state["peer"])
    program.socket(number, **state)
    return program


def accepted(program: Recorded, number: int = 2, **values: Any) -> Recorded:
    """Let a program accept the client."""
    program.socket(1, local=SERVER, listening=True)
    program.call(1, "accept", "", took=0.3, result="(…)", new=[number], address=CLIENT)
    program.socket(number, **{"by": "accept", "of": 1, "local": SERVER, "peer": CLIENT, **values})
    return program


class TestTutorial:
    def test_both_ends(self) -> None:
        connection = only(*tutorial())
        assert (connection.client, connection.server) == (("127.0.0.1", 41234), ("127.0.0.1", 5000))
        assert connection.flags == f"{OPENING} PA a pa A FA a fa A"
        assert connection.known == (b"Hello, world", b"HELLO, WORLD")

    @pytest.mark.parametrize("which", [0, 1], ids=["server", "client"])
    def test_one_end_is_enough(self, which: int) -> None:
        connection = only(tutorial()[which])
        assert connection.flags.startswith(f"{OPENING} PA ")
        assert connection.known == (b"Hello, world", b"HELLO, WORLD")
        assert connection.sent.ended
        answer = connection.packets[4] if which == 1 else connection.packets[5]
        assert answer.acknowledgement == connection.packets[3].sequence + len("Hello, world")
        # The client closes first, and never sees whether the server did.
        assert connection.received.ended == (which == 0)

    def test_times_are_those_of_the_calls_to_the_nanosecond(self) -> None:
        server, client = tutorial()
        times = [packet.t - BEGAN for packet in only(server, client).packets]
        assert times == [round(each * MS) for each in (20, 20.1, 20.1, 25.2, 25.3, 25.4, 25.6, 31.4, 31.5, 31.6, 31.6)]
        odd = Recorded()
        odd.socket(1, local=CLIENT, peer=SERVER, by="found")
        odd.send(1, b"x", at=1.000001)
        assert only(odd).packets[0].t == BEGAN + 1_000_001

    def test_each_packet_says_who_called_what(self) -> None:
        comments = [packet.comment for packet in only(*tutorial()).packets]
        assert comments[0] == "client.py (pid 200) MainThread: connect(('127.0.0.1', 5000)) = None, client.py:4"
        assert comments[1] == "server.py (pid 100) MainThread: accept() = (<socket>, ('127.0.0.1', 41234)), server.py:6"
        assert comments[3] == "client.py (pid 200) MainThread: sendall(b'Hello, world') = None, client.py:5"
        assert comments[4] == "server.py (pid 100) MainThread: recv(1024) = b'Hello, world', server.py:9"
        assert comments[7] == "client.py (pid 200): close(), client.py:7"
        assert comments[10] == "seen in server.py (pid 100): close(), server.py:13"

    def test_each_program_is_an_interface(self) -> None:
        capture = captured(*tutorial())
        assert [each[2] for each in capture.interfaces] == [b"server.py (pid 100)", b"client.py (pid 200)"]
        assert [packet.interface for packet in capture.packets] == [1, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0]
        assert [packet.outbound for packet in capture.packets] == [True] * 10 + [False]

    def test_section_says_what_is_made_up(self) -> None:
        capture = captured(*tutorial())
        assert capture.about.startswith("The socket calls of server.py (pid 100), client.py (pid 200), as packets.\n")
        assert "made up" in capture.about and "first 32 bytes" in capture.about
        assert capture.section[4] == b"oxisocket 0.9.0"


class TestStreams:
    def test_unknown_bytes_are_there_and_not_captured(self) -> None:
        client = connected(Recorded())
        client.send(1, b"x" * 100)
        client.send(1, b"y" * 10)
        packets = [packet for packet in only(client).packets if packet.size]
        assert [(packet.size, packet.payload) for packet in packets] == [(100, b"x" * 32), (10, b"y" * 10)]

    def test_each_end_knows_other_bytes(self) -> None:
        server, client = accepted(Recorded(), at=0.2), connected(Recorded("client.py", 200))
        client.send(1, bytes(range(100)))
        for first in range(0, 100, 20):
            server.recv(2, bytes(range(first, first + 20)), at=1)
        assert only(server, client).known[0] == bytes(range(100))

    def test_large_calls_are_split_and_take_their_time(self) -> None:
        client = connected(Recorded())
        client.send(1, b"a" * 200_000, took=4, at=1)
        client.recv(1, b"b" * 200_000, at=6, took=1)
        packets = [packet for packet in only(client).packets if packet.size]
        assert [packet.size for packet in packets] == [65475, 65475, 65475, 3575] * 2
        assert [packet.t - BEGAN for packet in packets] == [MS, 2 * MS, 3 * MS, 4 * MS] + [7 * MS] * 4

    def test_much_in_flight_is_acknowledged(self) -> None:
        client = connected(Recorded())
        for _ in range(40):
            client.send(1, b"a" * 60_000)
        assert "a" in only(client).flags.removeprefix(OPENING).split()

    def test_began_before_the_trace(self) -> None:
        program = Recorded()
        program.socket(1, by="found", local=CLIENT, peer=SERVER)
        program.recv(1, b"you")
        program.send(1, b"me")
        connection = only(program)
        assert connection.flags == "PA a pa"
        assert connection.known == (b"you", b"me")

    def test_never_closed(self) -> None:
        client = connected(Recorded())
        client.send(1, b"x")
        client.exit(1)
        assert only(client).flags == f"{OPENING} PA"

    def test_closed_by_the_collector(self) -> None:
        client = connected(Recorded())
        client.close(1, by="finalizer")
        connection = only(client)
        assert connection.flags == f"{OPENING} FA a"
        assert "closed by the garbage collector" in connection.packets[3].comment

    def test_given_away_is_not_closed(self) -> None:
        client = connected(Recorded())
        client.close(1, by="detach")
        assert only(client).flags == OPENING

    def test_given_away_and_found_again(self) -> None:
        client = connected(Recorded(), cookie="5")
        client.close(1, by="detach")
        client.socket(2, by="fromfd", cookie="5", local=CLIENT, peer=SERVER)
        client.send(2, b"again")
        client.close(2)
        connection = only(client)
        assert (connection.flags, connection.known[0]) == (f"{OPENING} PA FA a", b"again")

    @pytest.mark.parametrize("cookie", [{"cookie": "9"}, {}], ids=["cookie", "without a cookie"])
    def test_a_fork_shares_its_socket(self, cookie: dict[str, str]) -> None:
        parent, child = accepted(Recorded(), **cookie), Recorded("server.py", 101, parent=100)
        parent.close(2, at=2)
        child.socket(1, at=1, by="found", local=SERVER, peer=CLIENT, **cookie)
        child.send(1, b"from the child", at=3)
        child.close(1, at=4)
        connection = only(parent, child)
        assert (connection.flags, connection.known[1]) == (f"{OPENING} pa fa A", b"from the child")

    def test_a_port_that_is_used_again_is_another_connection(self) -> None:
        client = connected(Recorded())
        client.send(1, b"one")
        client.close(1)
        connected(client, 2, at=5)
        client.send(2, b"two")
        assert [each.known[0] for each in follow(captured(client))] == [b"one", b"two"]

    def test_half_closed(self) -> None:
        client = connected(Recorded())
        client.call(1, "shutdown", "SHUT_WR", result="None")
        client.recv(1, b"answer")
        client.recv(1, b"")
        client.close(1)
        assert only(client).flags == f"{OPENING} FA a pa A fa A"

    def test_a_socket_that_was_shut_for_reading_meets_no_end_of_the_other(self) -> None:
        client = connected(Recorded())
        client.call(1, "shutdown", "SHUT_RD", result="None")
        client.recv(1, b"")
        assert only(client).flags == OPENING

    def test_peek_counts_nothing(self) -> None:
        client = connected(Recorded())
        client.call(1, "recv", "3, MSG_PEEK", result="b'abc'", peeked=3, data=b"abc")
        client.recv(1, b"abcde")
        connection = only(client)
        assert (connection.flags, connection.known[1]) == (f"{OPENING} pa A", b"abcde")

    def test_timeout_sends_nothing(self) -> None:
        client = connected(Recorded())
        client.call(1, "recv", "5", took=9, error="TimeoutError: timed out")
        client.wait(1, "recv", "5")
        assert only(client).flags == OPENING

    def test_failed_in_the_middle(self) -> None:
        client = connected(Recorded())
        client.call(1, "sendall", "b'…'", error="TimeoutError: timed out", sent=4, data=b"abcdefgh")
        assert only(client).known[0] == b"abcd"

    def test_bytes_that_no_call_has_sent(self) -> None:
        """`os.write` on the descriptor is not recorded; who receives tells of it, and the end comes after it."""
        server, client = accepted(Recorded(), at=0.2), connected(Recorded("client.py", 200))
        client.send(1, b"recorded", at=1)
        client.close(1, at=2)
        server.recv(2, b"recorded and not", at=3)
        server.recv(2, b"", at=4)
        connection = only(server, client)
        assert (connection.flags, connection.known[0]) == (f"{OPENING} PA PA FA a a", b"recorded and not")

    def test_clock_of_the_other_machine_is_behind(self) -> None:
        server, client = accepted(Recorded(), at=0.2), connected(Recorded("client.py", 200), at=1000)
        server.recv(2, b"from the future", at=1)
        server.recv(2, b"", at=2)
        client.send(1, b"from the future", at=1001)
        client.close(1, at=1002)
        connection = only(server, client)
        assert (connection.known[0], connection.sent.ended) == (b"from the future", True)

    def test_nobody_is_shown_twice_who_was_recorded_with_ciphertext_at_the_other_end(self) -> None:
        server, client = accepted(Recorded(), at=0.2), connected(Recorded("client.py", 200))
        client.call(1, "write", "b'plain'", at=1, sent=5, data=b"plain", tls=True)
        server.recv(2, b"\x17\x03\x03\0\x20ciphertext", at=2)
        capture = captured(server, client)
        (connection,) = follow(capture)
        assert connection.known[0] == b"plain"
        assert "port 5000 carry the plain text" in capture.about
        assert "[plain text of TLS]" in connection.packets[3].comment

    def test_socket_that_is_connected_to_itself(self) -> None:
        program = Recorded()
        program.socket(1, by="found", local=CLIENT, peer=CLIENT)
        program.send(1, b"x")
        capture = captured(program)
        assert capture.packets == [] and "1 connections of a socket to itself" in capture.about


class TestConnecting:
    def test_refused(self) -> None:
        client = Recorded()
        client.socket(1)
        refused = {"error": "ConnectionRefusedError: [Errno 111] Connection refused", "errno": 111}
        client.call(1, "connect", "('127.0.0.1', 5000)", address=SERVER, **refused)
        client.close(1)
        connection = only(client)
        assert (connection.flags, connection.server, connection.client[0]) == ("S ra", ("127.0.0.1", 5000), "127.0.0.1")
        assert "raised ConnectionRefusedError" in connection.packets[1].comment

    @pytest.mark.parametrize(
        ("code", "flags"),
        [(0, OPENING), (111, "S ra"), (110, "S"), (113, "S")],
        ids=["open", "refused", "timeout", "unreachable"],
    )
    @pytest.mark.parametrize("how", ["SO_ERROR", "connect", "connect_ex"])
    def test_without_waiting(self, how: str, code: int, flags: str) -> None:
        client = Recorded()
        client.socket(1)
        client.call(1, "connect", "…", error="BlockingIOError: [Errno 115] Operation now in progress", errno=115, address=SERVER)
        if how == "SO_ERROR":
            client.call(1, "getsockopt", "SOL_SOCKET, SO_ERROR", result=str(code))
        elif how == "connect":
            client.call(
                1, "connect", "…", address=SERVER, **({"error": "OSError", "errno": code} if code else {"result": "None"})
            )
        else:
            client.call(1, "connect_ex", "…", address=SERVER, result="114")
            client.call(1, "connect_ex", "…", address=SERVER, result=str(code))
        connection = only(client)
        assert (connection.flags, connection.packets[0].t) == (flags, BEGAN)

    def test_connected_already(self) -> None:
        client = Recorded()
        client.socket(1)
        client.call(1, "connect_ex", "…", result="115", address=SERVER)
        client.call(1, "connect", "…", at=2, error="OSError: [Errno 106]", errno=106, address=SERVER)
        assert only(client).flags == OPENING

    def test_nobody_waited_for_it_and_it_talks(self) -> None:
        client = Recorded()
        client.socket(1)
        client.call(1, "connect_ex", "…", result="115", address=SERVER)
        client.send(1, b"x", at=3)
        connection = only(client)
        assert connection.flags == f"{OPENING} PA"
        assert [packet.t - BEGAN for packet in connection.packets] == [0, 3 * MS, 3 * MS, 3 * MS]

    def test_given_up_before_it_was_answered(self) -> None:
        client = Recorded()
        client.socket(1)
        client.call(1, "connect_ex", "…", result="115", address=SERVER)
        client.close(1)
        assert only(client).flags == "S"

    @pytest.mark.parametrize("failure", [{"error": "TimeoutError: timed out"}, {"error": "OSError", "errno": 110}])
    def test_no_answer(self, failure: dict[str, Any]) -> None:
        client = Recorded()
        client.socket(1)
        client.call(1, "connect", "…", took=9, address=SERVER, **failure)
        assert only(client).flags == "S"

    def test_nothing_was_sent(self) -> None:
        client = Recorded()
        client.socket(1)
        client.call(1, "connect", "…", error="OSError: [Errno 101] Network is unreachable", errno=101, address=SERVER)
        client.call(1, "connect", "…", error="gaierror: [Errno -2] Name or service not known", errno=-2)
        assert captured(client).packets == []

    def test_second_attempt_on_one_socket(self) -> None:
        client = Recorded()
        client.socket(1)
        client.call(1, "connect", "…", error="ConnectionRefusedError", errno=111, address=["127.0.0.1", 1])
        connected(client)
        client.send(1, b"x")
        assert [each.flags for each in follow(captured(client))] == ["S ra", f"{OPENING} PA"]


class TestResets:
    def test_met_by_a_receive(self) -> None:
        client = connected(Recorded())
        client.send(1, b"x")
        client.call(1, "recv", "5", error="ConnectionResetError: [Errno 104] Connection reset by peer", errno=104)
        client.close(1)
        assert only(client).flags == f"{OPENING} PA ra"

    def test_met_by_a_send(self) -> None:
        client = connected(Recorded())
        client.recv(1, b"")
        client.call(1, "send", "b'x'", error="BrokenPipeError: [Errno 32] Broken pipe", errno=32)
        client.close(1)
        assert only(client).flags == f"{OPENING} fa A ra"

    def test_own_shutdown_is_no_reset(self) -> None:
        client = connected(Recorded())
        client.call(1, "shutdown", "SHUT_WR", result="None")
        client.call(1, "send", "b'x'", error="BrokenPipeError: [Errno 32] Broken pipe", errno=32)
        assert only(client).flags == f"{OPENING} FA a"

    def test_closed_without_lingering(self) -> None:
        client = connected(Recorded())
        client.call(1, "setsockopt", r"SOL_SOCKET, SO_LINGER, b'\x01\x00\x00\x00\x00\x00\x00\x00'", result="None")
        client.close(1)
        assert only(client).flags == f"{OPENING} RA"

    def test_closed_with_something_unread(self) -> None:
        server, client = accepted(Recorded(), at=0.2), connected(Recorded("client.py", 200))
        client.send(1, b"unread", at=1)
        server.close(2, at=2)
        client.call(1, "recv", "5", at=3, error="ConnectionResetError", errno=104)
        client.close(1)
        connection = only(server, client)
        assert (connection.flags, connection.packets[-1].t) == (f"{OPENING} PA ra", BEGAN + 2 * MS)

    def test_what_was_sent_before_comes_before(self) -> None:
        server, client = accepted(Recorded(), at=0.2), connected(Recorded("client.py", 200))
        server.send(2, b"last words", at=1)
        client.call(1, "send", "b'x'", at=2, error="ConnectionResetError", errno=104)
        client.recv(1, b"last words, and more", at=3)
        assert only(server, client).known[1] == b"last words, and more"


class TestAddresses:
    def test_ipv6(self) -> None:
        client = connected(Recorded(), family="AF_INET6", local=CLIENT_6, peer=SERVER_6)
        client.send(1, b"six")
        connection = only(client)
        assert (connection.client, connection.server, connection.known[0]) == (("::1", 41234), ("::1", 5000), b"six")

    def test_ipv4_in_ipv6_is_ipv4(self) -> None:
        server = accepted(
            Recorded(), family="AF_INET6", local=["::ffff:127.0.0.1", 5000, 0, 0], peer=["::ffff:127.0.0.1", 41234, 0, 0]
        )
        server.recv(2, b"x", at=2)
        client = connected(Recorded("client.py", 200))
        client.send(1, b"x", at=1)
        for programs in ((server, client), (server,)):
            connection = only(*programs)
            assert (connection.client, connection.server) == (("127.0.0.1", 41234), ("127.0.0.1", 5000))

    def test_scope(self) -> None:
        client = connected(Recorded(), family="AF_INET6", local=["fe80::1%eth0", 41234, 0, 2], peer=["fe80::2%eth0", 80, 0, 2])
        assert only(client).server == ("fe80::2", 80)

    def test_names_that_were_looked_up(self) -> None:
        client = Recorded()
        answer = "[(<AddressFamily.AF_INET: 2>, <SocketKind.SOCK_STREAM: 1>, 6, '', ('192.0.2.7', 80)), (…, '', ('2001:db8::7', 80, 0, 0))]"
        client.call(None, "getaddrinfo", "'example.org', 80, type=SOCK_STREAM", result=answer)
        client.call(None, "getaddrinfo", "b'www.example.org', 'http'", result=answer)
        client.call(None, "getaddrinfo", "'192.0.2.9', 80", result="[(…, '', ('192.0.2.9', 80))]")
        client.call(None, "getaddrinfo", "None, 80", result="[(…, '', ('127.0.0.1', 80))]")
        client.call(None, "gethostbyname", "'short'", result="'192.0.2.1'")
        client.call(None, "gethostbyaddr", "'192.0.2.2'", result="('reverse', [], ['192.0.2.2'])")
        client.call(None, "getnameinfo", "('192.0.2.3', 80), 0", result="('info', 'http')")
        client.call(None, "gethostbyname", "'failed'", error="gaierror", errno=-2)
        assert captured(client).names == {
            "192.0.2.7": ["example.org", "www.example.org"], "2001:db8::7": ["example.org", "www.example.org"],
            "192.0.2.1": ["short"], "192.0.2.2": ["reverse"], "192.0.2.3": ["info"],
        }  # fmt: skip

    def test_unix(self) -> None:
        unix = {"family": "AF_UNIX"}
        server, client = Recorded(), Recorded("client.py", 200)
        server.socket(1, local="/run/app.sock", listening=True, **unix)
        server.call(1, "accept", "", took=0.3, result="(…)", new=[2])
        server.socket(2, by="accept", of=1, local="/run/app.sock", **unix)
        server.recv(2, b"hi", at=2)
        connected(client, local="", peer="/run/app.sock", **unix)
        client.send(1, b"hi", at=1)
        capture = captured(server, client)
        (connection,) = follow(capture)
        assert connection.known[0] == b"hi"
        assert capture.names[connection.server[0]] == ["/run/app.sock"]
        assert capture.names[connection.client[0]] == ["client.py (pid 200)"]
        assert connection.server[0].startswith("2001:db8:756e:6978:")
        assert "2001:db8:756e:6978::/64" in capture.about

    def test_abstract_name(self) -> None:
        client = connected(Recorded(), family="AF_UNIX", local="", peer="\0hidden\n")
        capture = captured(client)
        assert capture.names[follow(capture)[0].server[0]] == ["@hidden\\n"]

    @pytest.mark.parametrize("type", ["SOCK_STREAM", "SOCK_SEQPACKET"])
    def test_socketpair(self, type: str) -> None:
        program = Recorded()
        for number, twin in ((1, 2), (2, 1)):
            program.socket(number, by="socketpair", twin=twin, family="AF_UNIX", type=type, local="", peer="")
        program.call(None, "socketpair", "", result="(…)", new=[1, 2])
        program.send(1, b"there")
        program.recv(2, b"there")
        program.send(2, b"and back")
        program.recv(1, b"and back")
        program.close(1)
        connection = only(program)
        assert (connection.flags, connection.known) == (f"{OPENING} PA a pa A FA", (b"there", b"and back"))

    def test_many_of_one_program_stay_apart(self) -> None:
        program = Recorded()
        for number in range(1, 7100):
            program.socket(number, by="found", family="AF_UNIX", local="", peer="/run/app.sock")
            program.send(number, b"x")
        assert len(follow(captured(program))) == 7099

    def test_host_that_is_no_address(self) -> None:
        client = Recorded()
        client.socket(1)
        client.call(1, "connect", "('localhost', 5000)", error="ConnectionRefusedError", errno=111, address=["localhost", 5000])
        capture = captured(client)
        assert capture.names[follow(capture)[0].server[0]] == ["localhost"]


class TestDatagrams:
    def ping(self, server_local: Any = None) -> tuple[Recorded, Recorded]:
        server, client = Recorded(), Recorded("client.py", 200)
        server.socket(1, type="SOCK_DGRAM", local=server_local or SERVER)
        client.socket(1, type="SOCK_DGRAM", local=["0.0.0.0", 41234])
        client.call(1, "sendto", "b'ping', …", at=1, result="4", sent=4, data=b"ping", address=SERVER)
        server.call(1, "recvfrom", "9", at=1.5, result="(…)", received=4, data=b"ping", address=CLIENT)
        server.call(1, "sendto", "b'pong!', …", at=2, result="5", sent=5, data=b"pong!", address=CLIENT)
        client.call(1, "recvfrom", "9", at=2.5, result="(…)", received=5, data=b"pong!", address=SERVER)
        return server, client

    @pytest.mark.parametrize("who", ["both", "server", "client"])
    @pytest.mark.parametrize("local", [None, ["0.0.0.0", 5000]], ids=["bound", "bound to every address"])
    def test_there_once_whoever_tells(self, who: str, local: Any) -> None:
        server, client = self.ping(local)
        capture = captured(*{"both": (server, client), "server": (server,), "client": (client,)}[who])
        assert [(packet.source, packet.target, packet.payload, packet.protocol) for packet in capture.packets] == [
            (tuple(CLIENT), tuple(SERVER), b"ping", 17),
            (tuple(SERVER), tuple(CLIENT), b"pong!", 17),
        ]

    def test_comment_names_both(self) -> None:
        comment = captured(*self.ping()).packets[0].comment
        assert comment == (
            "client.py (pid 200) MainThread: sendto(b'ping', …) = 4; received by server.py (pid 100) MainThread: recvfrom(9) = (…)"
        )

    def test_empty(self) -> None:
        server, client = Recorded(), Recorded("client.py", 200)
        server.socket(1, type="SOCK_DGRAM", local=SERVER)
        client.socket(1, type="SOCK_DGRAM", local=CLIENT, peer=SERVER)
        client.call(1, "send", "b''", at=1, result="0")
        server.call(1, "recvfrom", "9", at=2, result="(b'', …)", address=CLIENT)
        server.call(1, "recvfrom", "9", at=3, error="TimeoutError: timed out")
        server.call(1, "recvfrom", "9, MSG_PEEK", at=3, result="(b'', …)", address=CLIENT)
        for programs in ((server, client), (server,), (client,)):
            assert [(packet.size, packet.source) for packet in captured(*programs).packets] == [(0, tuple(CLIENT))]

    def test_empty_ones_from_elsewhere(self) -> None:
        server, client = Recorded(), Recorded("client.py", 200)
        server.socket(1, type="SOCK_DGRAM", local=SERVER)
        client.socket(1, type="SOCK_DGRAM", local=CLIENT, peer=SERVER)
        client.call(1, "send", "b''", at=1, result="0")
        for at in (2, 3):
            server.call(1, "recvfrom", "9", at=at, result="(b'', …)", address=CLIENT)
        assert len(captured(server, client).packets) == 2

    def test_receiver_may_know_more_of_it(self) -> None:
        server, client = self.ping()
        client.lines = [line.replace('"data": "cGluZw=="', '"data": ""') for line in client.lines]
        assert captured(server, client).packets[0].payload == b"ping"

    def test_checksum_is_never_the_one_that_stands_for_none(self) -> None:
        ends = Endpoint(b"\x7f\0\0\1", 1), Endpoint(b"\x7f\0\0\1", 2)
        sums = {udp(*ends, Payload(2, value.to_bytes(2, "big"))).captured[26:28] for value in range(2**16)}
        assert len(sums) == 2**16 - 1 and b"\0\0" not in sums

    @pytest.mark.parametrize(("group", "hops"), [("224.0.0.251", 255), ("192.0.2.255", 64)], ids=["multicast", "broadcast"])
    def test_to_many(self, group: str, hops: int) -> None:
        sender, receivers = Recorded("sender.py", 300), [Recorded(pid=100), Recorded(pid=101)]
        sender.socket(1, type="SOCK_DGRAM", local=["0.0.0.0", 9999])
        sender.call(1, "sendto", "…", at=1, result="3", sent=3, data=b"all", address=[group, 7000])
        for each in receivers:
            each.socket(1, type="SOCK_DGRAM", local=["0.0.0.0", 7000])
            each.call(1, "recvfrom", "9", at=2, result="…", received=3, data=b"all", address=["192.0.2.1", 9999])
        (packet,) = captured(sender, *receivers).packets
        assert (packet.source, packet.target, packet.hops) == (("192.0.2.1", 9999), (group, 7000), hops)
        assert packet.comment.count("received by") == 2

    def test_unix_pair(self) -> None:
        program = Recorded()
        for number, twin in ((1, 2), (2, 1)):
            program.socket(number, by="socketpair", twin=twin, family="AF_UNIX", type="SOCK_DGRAM", local="", peer="")
        program.call(1, "send", "…", result="3", sent=3, data=b"one", at=1)
        program.call(2, "recv", "9", result="…", received=3, data=b"one", at=2)
        program.call(2, "send", "…", result="3", sent=3, data=b"two", at=3)
        first, second = captured(program).packets
        assert (first.payload, second.payload) == (b"one", b"two")
        assert (first.source, first.target) == (second.target, second.source)

    def test_larger_than_udp_can(self) -> None:
        program = Recorded()
        program.socket(1, family="AF_UNIX", type="SOCK_DGRAM", local="/a")
        program.call(1, "sendto", "…", result="150000", sent=150_000, data=b"abc", address="/b")
        packets = captured(program).packets
        assert [packet.size for packet in packets] == [65487, 65487, 19026]
        assert packets[1].comment.startswith("part 2 of 3 of one datagram: ")

    def test_ping_sockets_and_raw_ones_are_not_shown(self) -> None:
        program = Recorded()
        program.socket(1, type="SOCK_DGRAM", proto=1)
        program.call(1, "sendto", "…", result="8", sent=8, data=b"\x08", address=["127.0.0.1", 0])
        program.socket(2, family="AF_PACKET", type="SOCK_RAW")
        program.call(2, "recv", "9", received=3)
        capture = captured(program)
        assert capture.packets == [] and "AF_PACKET SOCK_RAW" in capture.about


def test_descriptors_in_a_message() -> None:
    client = connected(Recorded(), family="AF_UNIX", local="", peer="/a")
    client.call(1, "sendmsg", "…", sent=1, data=b"x", rights=2)
    assert only(client).packets[-1].comment.endswith("sendmsg(…) [with 2 descriptors]")


def test_lost_events_are_dropped_packets() -> None:
    client = connected(Recorded())
    client.exit(lost=7)
    capture = captured(tutorial()[0], client)
    assert capture.dropped == {1: 7} and "7 events of the record" in capture.about


def test_nothing_recorded() -> None:
    assert captured(Recorded()).packets == []
    assert captured().interfaces == []


def test_what_a_peer_sends_cannot_spoil_a_comment() -> None:
    client = connected(Recorded("client\n.py"))
    client.call(1, "send", "b'\x1b[2J\x00'" + "é" * 5000, sent=1, result="\ud800")
    comment = only(client).packets[-1].comment
    assert comment.isprintable() and len(comment) < 400 and "\\x1b" in comment and "…" in comment


def test_impossible_sizes_do_not_fill_the_disk() -> None:
    client = connected(Recorded())
    for _ in range(300):
        client.call(1, "send", "…", result="9", sent=2**62)
    connection = only(client)
    assert sum(packet.size for packet in connection.packets) <= 300 * 65475


# Conversations that could have been


#: Letters only, so that Wireshark takes it for no protocol.
TEXT = bytes(random.Random(1).choices(b"abcdefgh", k=71_000))


def truthful(seed: random.Random, number: int = 1) -> tuple[Recorded, Recorded, tuple[bytes, bytes]]:
    """Both records of a conversation in which everybody sends and receives what they like, and what each of them has sent."""
    # No port of a protocol that Wireshark would look for in it.
    server_at, client_at = ["10.0.0.1", 46_000], ["10.0.0.2", 47_000 + number]
    server, client = Recorded("server.py", 100 + number), Recorded("client.py", 20_000 + number)
    server.socket(1, local=server_at, listening=True)
    connected(client, at=1, local=client_at, peer=server_at)
    server.call(1, "accept", "", at=1 + seed.random() / 5, took=0.3, result="(…)", new=[2], address=client_at)
    server.socket(2, by="accept", of=1, local=server_at, peer=client_at)
    ends = [(client, 1), (server, 2)]
    sent, read, shut = [b"", b""], [0, 0], [False, False]
    now = 2.0
    for _ in range(seed.randrange(25)):
        now += seed.choice([0.1, 1])
        side = seed.randrange(2)
        program, socket = ends[side]
        waiting = len(sent[1 - side]) - read[side]
        action = seed.choice(["send", "send", "recv", "recv", "peek", "shut"])
        if action == "send" and not shut[side]:
            start = seed.randrange(1000)
            data = TEXT[start : start + seed.choice([1, 5, 32, 33, 100, 70_000])]
            program.send(socket, data, at=now)
            sent[side] += data
        elif action == "recv" and waiting:
            size = seed.randint(1, waiting)
            program.recv(socket, sent[1 - side][read[side] : read[side] + size], at=now + 0.02)
            read[side] += size
        elif action == "recv" and shut[1 - side]:
            program.recv(socket, b"", at=now + 0.02)
        elif action == "peek" and waiting:
            program.call(socket, "recv", "9, MSG_PEEK", at=now, peeked=1, data=sent[1 - side][read[side] :][:1])
        elif action == "shut" and seed.random() < 0.3:
            program.call(socket, "shutdown", "SHUT_WR", at=now, result="None")
            shut[side] = True
    for side in (0, 1):
        if seed.random() < 0.7:
            ends[side][0].close(ends[side][1], at=now + 1 + side)
    return server, client, (sent[0], sent[1])


def agrees(shown: list[int | None], data: bytes) -> bool:
    return len(shown) <= len(data) and all(one is None or one == other for one, other in zip(shown, data, strict=False))


@given(st.randoms(use_true_random=False), st.sampled_from(["both", "server", "client"]))
def test_whatever_is_said(seed: random.Random, who: str) -> None:
    server, client, sent = truthful(seed)
    connection = only(*{"both": (server, client), "server": (server,), "client": (client,)}[who])
    assert agrees(connection.sent.data, sent[0])
    assert agrees(connection.received.data, sent[1])
    if who != "server":
        assert len(connection.sent.data) == len(sent[0])
    if who != "client":
        assert len(connection.received.data) == len(sent[1])


ADDRESSES = st.sampled_from(
    [None, "", "/path", "\0abstract", [], ["127.0.0.1"], ["127.0.0.1", 0], SERVER, CLIENT, CLIENT_6, ["x", -1], [1, "y"]]
)
NAMES = st.sampled_from(
    ["connect", "connect_ex", "accept", "send", "recv", "shutdown", "getsockopt", "setsockopt", "socketpair", "read"]
)
WORDS = st.sampled_from(["", "0", "111", "115", "SHUT_WR", "SOL_SOCKET, SO_ERROR", "b'\\x01", "\x00\ud800", "9" * 30, "²"])
SIZES = st.sampled_from([0, 0, 1, 40, 70_000, 2**62])
NUMBERS = st.integers(1, 4)


@st.composite
def nonsense(draw: st.DrawFn) -> Recorded:
    program = Recorded(draw(st.sampled_from(["a.py", "", "\n"])), draw(st.integers(1, 3)))
    for _ in range(draw(st.integers(0, 12))):
        at = draw(st.sampled_from([0, 1, 1, 2, 10**7]))
        kind = draw(st.sampled_from(["socket", "call", "call", "close", "wait"]))
        if kind == "socket":
            program.socket(
                draw(NUMBERS), at, local=draw(ADDRESSES), peer=draw(ADDRESSES), by=draw(st.sampled_from(["socket", "accept", "dup", "found", "?"])),
                family=draw(st.sampled_from(["AF_INET", "AF_INET6", "AF_UNIX", "77"])), of=draw(NUMBERS), twin=draw(st.none() | NUMBERS),
                type=draw(st.sampled_from(["SOCK_STREAM", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET", "9"])), cookie=draw(st.sampled_from([None, "1", "2"])),
            )  # fmt: skip
        elif kind == "close":
            program.close(draw(NUMBERS), at, by=draw(st.sampled_from(["close", "detach", "finalizer", "?"])))
        else:
            values = (
                {"result": draw(WORDS)}
                if draw(st.booleans())
                else {"error": draw(WORDS), "errno": draw(st.sampled_from([104, 32, 111, 115]))}
            )
            program.call(
                draw(st.none() | NUMBERS), draw(NAMES), draw(WORDS), at=at, took=draw(st.sampled_from([0, 1, 10**9])), address=draw(ADDRESSES),
                received=draw(SIZES), sent=draw(SIZES), data=draw(st.binary(max_size=9)), eof=draw(st.booleans()), tls=draw(st.booleans()),
                new=draw(st.lists(NUMBERS, max_size=2)), **values,
            )  # fmt: skip
    return program


@given(st.lists(nonsense(), max_size=3))
def test_whatever_a_record_says_the_file_is_one(programs: list[Recorded]) -> None:
    captured(*programs)


# Wireshark

tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

CHECKS = ["tcp.check_checksum", "ip.check_checksum", "udp.check_checksum", "nameres.network_name"]
WRONG = (
    "_ws.malformed || tcp.analysis.lost_segment || tcp.analysis.retransmission || tcp.analysis.ack_lost_segment || tcp.analysis.out_of_order"
    " || tcp.analysis.duplicate_ack || tcp.analysis.window_full || tcp.analysis.keep_alive || tcp.analysis.spurious_retransmission"
    " || tcp.checksum.status == 0 || ip.checksum.status == 0 || udp.checksum.status == 0"
)
WARNING = 0x600000


def dissected(path: Path, *fields: str, only: str = "", more: tuple[str, ...] = ()) -> list[list[str]]:
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t", *more]
    command += [word for check in CHECKS for word in ("-o", f"{check}:TRUE")]
    command += [word for name in ("frame.number", *fields) for word in ("-e", name)]
    command += ["-Y", only] if only else []
    result = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    return [line.split("\t")[1:] for line in result.stdout.splitlines()]


def written(path: Path, *programs: Recorded) -> Path:
    with path.open("wb") as file:
        pcapng.write([program.record() for program in programs], file)
    return path


def assert_nothing_is_wrong(path: Path, *, resets: int = 0) -> None:
    assert dissected(path, "_ws.col.Info", "_ws.expert.message", only=WRONG) == []
    warned = dissected(path, "_ws.expert.message", only=f"_ws.expert.severity >= {WARNING}")
    assert len(warned) == resets and all("Connection reset (RST)" in line[0] for line in warned)


@tshark
@pytest.mark.parametrize("who", ["both", "server", "client"])
def test_wireshark_sees_the_tutorial(tmp_path: Path, who: str) -> None:
    server, client = tutorial()
    path = written(tmp_path / "a.pcapng", *{"both": (server, client), "server": (server,), "client": (client,)}[who])
    assert_nothing_is_wrong(path)
    lines = dissected(
        path, "frame.time_epoch", "frame.comment", "tcp.checksum.status", "ip.checksum.status", "frame.interface_name"
    )
    assert {line[2] for line in lines} == {line[3] for line in lines} == {"1"}
    assert all("MainThread: " in line[1] or "close()" in line[1] for line in lines)
    assert lines[0][4] == ("server.py (pid 100)" if who == "server" else "client.py (pid 200)")
    if who != "server":
        assert lines[0][0] == "1700000000.020000000"


@tshark
@pytest.mark.parametrize(("kept", "port"), [(32, 8123), (1000, 8123), (1000, 443)], ids=["32 bytes", "all", "TLS"])
def test_wireshark_recognises_http(tmp_path: Path, kept: int, port: int) -> None:
    client = Recorded("client.py", 200)
    peer = ["192.0.2.7", port]
    client.call(None, "getaddrinfo", "'example.org', 80", result="[(…, '', ('192.0.2.7', 80))]")
    connected(client, peer=peer, local=["192.0.2.1", 41234])
    tls = port == 443
    client.call(1, "write" if tls else "sendall", "…", sent=len(REQUEST), data=REQUEST[:kept], tls=tls)
    client.call(1, "read" if tls else "recv", "…", received=len(RESPONSE), data=RESPONSE[:kept], tls=tls)
    client.close(1)
    path = written(tmp_path / "a.pcapng", client)
    if not tls:  # else Wireshark warns that HTTP is not encrypted
        assert_nothing_is_wrong(path)
    assert dissected(path, "http.request.uri", "http.response.code", only="http") == [["/index.html", ""], ["", "200"]]
    assert {tuple(line) for line in dissected(path, "ip.dst_host", only="tcp.flags.syn == 1 && tcp.flags.ack == 0")} == {
        ("example.org",)
    }


@tshark
def test_wireshark_follows_unix_sockets(tmp_path: Path) -> None:
    client = connected(Recorded("client.py", 200), family="AF_UNIX", local="", peer="/run/docker.sock")
    client.call(1, "sendall", "…", sent=len(REQUEST), data=REQUEST)
    client.call(1, "recv", "…", received=len(RESPONSE), data=RESPONSE)
    client.close(1)
    path = written(tmp_path / "a.pcapng", client)
    assert_nothing_is_wrong(path)
    assert [line[2:] for line in dissected(path, "http.request.uri", "http.response.code", "ipv6.src_host", "ipv6.dst_host", only="http")] == [
        ["client.py (pid 200)", "/run/docker.sock"], ["/run/docker.sock", "client.py (pid 200)"],
    ]  # fmt: skip


@tshark
def test_wireshark_has_nothing_to_say_against_the_rest(tmp_path: Path) -> None:
    program = Recorded()
    program.socket(1)
    program.call(1, "connect", "…", error="ConnectionRefusedError", errno=111, address=["127.0.0.1", 9])
    program.socket(2, by="found", family="AF_INET6", local=CLIENT_6, peer=SERVER_6)
    program.send(2, b"x" * 3_000_000)
    program.recv(2, b"y" * 3_000_000)
    program.call(2, "recv", "…", error="ConnectionResetError", errno=104)
    program.socket(3, type="SOCK_DGRAM", local=["0.0.0.0", 49_000])
    program.call(3, "sendto", "…", sent=5, data=b"hello", address=["224.0.0.251", 49_001])
    program.call(3, "recvfrom", "…", received=5, data=b"odd", address=["127.0.0.1", 49_002])
    connected(program, 4)
    program.send(4, b"z" * 5_000_000)
    program.close(4)
    program.exit(lost=3)
    assert_nothing_is_wrong(written(tmp_path / "a.pcapng", program), resets=2)


@tshark
@pytest.mark.parametrize("who", [slice(0, 2), slice(0, 1), slice(1, 2)], ids=["both", "server", "client"])
def test_wireshark_has_nothing_to_say_against_whatever_is_said(tmp_path: Path, who: slice) -> None:
    seed = random.Random(12)
    programs = [program for number in range(40) for program in truthful(seed, number)[:2][who]]
    assert_nothing_is_wrong(written(tmp_path / "a.pcapng", *programs))
