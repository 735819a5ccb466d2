"""Records are matched: each arrow goes from what was sent to where it was received."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oxisocket._seeing.conversation import Conversation, End, match
from oxisocket._seeing.record import read
from records import CLIENT, SERVER, Recorded, busy, tutorial
from steps_taken import lines_executed

quick = settings(max_examples=60, deadline=None, database=None)


def conversation(*recorded: Recorded) -> Conversation:
    return match([each.record() for each in recorded])


def arrows(found: Conversation) -> list[tuple[str, str, str]]:
    """Kind, source and target of each arrow: `client.py sendall`."""
    return [
        (arrow.kind, *(f"{step.lane.program} {step.call.call}" for step in (arrow.source, arrow.target)))
        for arrow in found.arrows
    ]


def spans(found: Conversation, program: str) -> list[tuple[int, int, str]]:
    """The bytes that came to a program, with the receive that got them."""
    return [
        (arrow.first, arrow.last, arrow.target.call.data.decode())
        for arrow in found.arrows
        if arrow.kind == "data" and arrow.target.lane.program == program
    ]


def connected() -> tuple[Recorded, Recorded]:
    """A server and a client that have just been connected: socket 2 of the server, 1 of the client."""
    server, client = Recorded("server.py", 100), Recorded("client.py", 200)
    client.socket(1, at=1, local=CLIENT, peer=SERVER)
    client.call(1, "connect", at=1, address=SERVER, result="None")
    server.socket(2, at=2, by="accept", of=1, local=SERVER, peer=CLIENT)
    server.call(1, "accept", at=1.5, took=0.5, new=[2])
    return server, client


@pytest.mark.parametrize("turned", [False, True])
def test_tutorial(turned: bool) -> None:
    found = conversation(*(reversed(tutorial()) if turned else tutorial()))
    assert arrows(found) == [
        ("connect", "client.py connect", "server.py accept"),
        ("data", "client.py sendall", "server.py recv"),
        ("data", "server.py sendall", "client.py recv"),
        ("end", "client.py close", "server.py recv"),
    ]
    (connection,) = found.connections
    assert connection.description == "127.0.0.1:41234 → 127.0.0.1:5000"
    assert (connection.client, connection.server) == (End(not turned, 1), End(turned, 2))
    assert (found.notes, found.unclosed) == ([], [])
    assert [lane.program for lane in found.lanes] == (["client.py", "server.py"] if turned else ["server.py", "client.py"])


def test_steps_are_all_calls_and_closings_in_order_of_time() -> None:
    found = conversation(*tutorial())
    assert [step.call.call for step in found.steps if step.lane.program == "server.py"] == [
        "bind", "listen", "accept", "recv", "sendall", "recv", "close", "close",
    ]  # fmt: skip
    assert [step.index for step in found.steps] == list(range(12))
    assert [step.began for step in found.steps] == sorted(step.began for step in found.steps)
    assert {step.closed_by for step in found.steps} == {None, "close"}


def test_accept_belongs_to_the_connection_that_it_made() -> None:
    found = conversation(*tutorial())
    without = [step.call.call for step in found.steps if step.connection is None]
    assert without == ["bind", "listen", "close"]


def test_lane_for_each_thread() -> None:
    recorded = Recorded(pid=7)
    recorded.thread(8, "worker")
    recorded.thread(9, "idle")
    recorded.call(1, "recv", thread=8)
    recorded.call(1, "send", thread=7)
    recorded.close(1, thread=7)
    found = conversation(recorded, Recorded("silent.py", 30))
    assert [(lane.name, lane.thread, lane.pid) for lane in found.lanes] == [("worker", 8, 7), ("MainThread", 7, 7), ("", 30, 30)]
    assert [step.lane.index for step in found.steps] == [0, 1, 1]


def test_bytes_are_counted_not_compared() -> None:
    """Sends that were put together, and one that came in pieces."""
    server, client = connected()
    for at, data in enumerate((b"ab", b"cd", b"efgh")):
        client.send(1, data, at=3 + at)
    for at, data in enumerate((b"abc", b"d", b"ef", b"gh")):
        server.recv(2, data, at=7 + at)
    assert spans(conversation(server, client), "server.py") == [
        (0, 2, "abc"), (2, 3, "abc"), (3, 4, "d"), (4, 6, "ef"), (6, 8, "gh"),
    ]  # fmt: skip


@quick
@given(st.lists(st.integers(1, 40), min_size=1, max_size=20), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_every_byte_comes_from_the_send_that_sent_it(sent: list[int], received: list[int]) -> None:
    server, client = connected()
    stream = bytes(range(256)) * 4
    for start, size in zip(accumulate(sent, initial=0), sent, strict=False):
        client.send(1, stream[start : start + size], at=3 + start / 1000)
    taken = 0
    for wanted in received:
        size = min(wanted, sum(sent) - taken)
        if size:
            server.recv(2, stream[taken : taken + size], at=10 + taken / 1000)
            taken += size
    found = conversation(server, client)
    data = [arrow for arrow in found.arrows if arrow.kind == "data"]
    assert sum(arrow.last - arrow.first for arrow in data) == taken
    starts = {
        id(step): start for step, start in zip([s for s in found.steps if s.call.sent], accumulate(sent, initial=0), strict=False)
    }
    for arrow in data:
        start = starts[id(arrow.source)]
        assert start <= arrow.first < arrow.last <= start + arrow.source.call.sent
    assert not found.notes


def test_send_that_failed_in_the_middle_counts_what_it_sent() -> None:
    server, client = connected()
    client.call(1, "sendall", at=3, error="TimeoutError: timed out", sent=5, data=b"hello world")
    client.send(1, b"XY", at=4)
    server.recv(2, b"helloXY", at=5)
    assert spans(conversation(server, client), "server.py") == [(0, 5, "helloXY"), (5, 7, "helloXY")]


def test_peeking_takes_nothing() -> None:
    server, client = connected()
    client.send(1, b"hello", at=3)
    server.call(2, "recv", "5, MSG_PEEK", at=4, peeked=5, data=b"hello")
    server.recv(2, b"hello", at=5)
    found = conversation(server, client)
    assert [arrow.target.call.arguments for arrow in found.arrows if arrow.kind == "data"] == ["1024"]


def test_bytes_that_nobody_recorded_sending() -> None:
    """`os.write` on the descriptor: the rest is matched all the same, and a note tells."""
    server, client = connected()
    client.send(1, b"first line", at=3)
    client.send(1, b"second line", at=5)
    server.recv(2, b"first line", at=6)
    server.recv(2, b"by os.write", at=7)
    server.recv(2, b"second line", at=8)
    found = conversation(server, client)
    assert spans(found, "server.py") == [(0, 10, "first line"), (10, 21, "second line")]
    assert found.notes == ["11 bytes came to server.py that no recorded call sent: 127.0.0.1:41234 → 127.0.0.1:5000."]


def test_bytes_that_nobody_recorded_receiving() -> None:
    server, client = connected()
    for at, data in enumerate((b"first line", b"for os.read", b"third line")):
        client.send(1, data, at=3 + at)
    server.recv(2, b"first line", at=7)
    server.recv(2, b"third line", at=8)
    found = conversation(server, client)
    assert spans(found, "server.py") == [(0, 10, "first line"), (21, 31, "third line")]
    assert found.notes == [
        "11 bytes that were sent to server.py were received by no recorded call: 127.0.0.1:41234 → 127.0.0.1:5000."
    ]


def test_bytes_without_their_data_are_told_apart_by_time() -> None:
    """With `--trace-bytes=0`: what was received before it was sent came from elsewhere."""
    server, client = connected()
    server.call(2, "recv", at=3, received=4)
    client.call(1, "send", at=5, sent=4)
    server.call(2, "recv", at=6, received=4)
    found = conversation(server, client)
    (arrow,) = [arrow for arrow in found.arrows if arrow.kind == "data"]
    assert arrow.target.call.t > arrow.source.call.t
    assert found.notes[0].startswith("4 bytes came to server.py that no recorded call sent")


def test_bytes_that_were_left() -> None:
    server, client = connected()
    client.send(1, b"hello", at=3)
    server.recv(2, b"he", at=4)
    server.close(2, at=5)
    assert conversation(server, client).notes == []  # it may still be read
    server.exit()
    assert conversation(server, client).notes == [
        "3 bytes that were sent to server.py were never received: 127.0.0.1:41234 → 127.0.0.1:5000."
    ]


def test_plain_text_of_tls_is_counted_apart() -> None:
    server, client = connected()
    client.send(1, b"STARTTLS", at=3)
    server.recv(2, b"STARTTLS", at=4)
    client.send(1, b"secret", "write", at=5, tls=True)
    server.call(2, "read", at=6, tls=True, received=6, data=b"secret")
    assert spans(conversation(server, client), "server.py") == [(0, 8, "STARTTLS"), (0, 6, "secret")]


def test_plain_text_at_one_end_only() -> None:
    server, client = connected()
    client.send(1, b"secret", "write", at=5, tls=True)
    server.recv(2, b"\x17\x03\x03 and so on", at=6)
    found = conversation(server, client)
    assert spans(found, "server.py") == []
    assert found.notes[0].startswith("One end has the plain text of TLS and the other its ciphertext")


@pytest.mark.parametrize("how", ["SHUT_WR", "socket.SHUT_RDWR", "<SHUT_WR: 1>", "1", "2"])
def test_shutdown_ends_the_stream(how: str) -> None:
    server, client = connected()
    client.call(1, "shutdown", how, at=3, result="None")
    server.recv(2, b"", at=4)
    client.close(1, at=5)
    assert arrows(conversation(server, client))[1:] == [("end", "client.py shutdown", "server.py recv")]


def test_shutdown_for_reading_ends_nothing() -> None:
    server, client = connected()
    client.call(1, "shutdown", "SHUT_RD", at=3, result="None")
    client.close(1, at=5)
    server.recv(2, b"", at=6)
    assert arrows(conversation(server, client))[1:] == [("end", "client.py close", "server.py recv")]


def test_reset_is_an_end() -> None:
    server, client = connected()
    client.close(1, at=3)
    server.call(2, "send", at=4, error="ConnectionResetError: [Errno 104] Connection reset by peer", errno=104)
    assert arrows(conversation(server, client))[1:] == [("end", "client.py close", "server.py send")]


def test_end_of_a_stream_comes_with_the_last_descriptor() -> None:
    """A forked child closes its copy; the parent closes its own later."""
    server, client = connected()
    child = Recorded("server.py", 101, parent=100)
    for each in (server, child):
        each.socket(2, at=3, by="found" if each is child else "accept", local=SERVER, peer=CLIENT, cookie="9")
    server.close(2, at=4)
    child.close(2, at=8)
    client.recv(1, b"", at=5, took=4)
    found = conversation(server, child, client)
    (end,) = [arrow for arrow in found.arrows if arrow.kind == "end"]
    assert end.source.lane.pid == 101


def test_parent_and_child_share_a_stream() -> None:
    server, client = connected()
    child = Recorded("server.py", 101, parent=100)
    server.socket(2, at=3, by="accept", local=SERVER, peer=CLIENT, cookie="9")
    child.socket(5, at=3, by="found", local=SERVER, peer=CLIENT, cookie="9")
    for at, data in enumerate((b"one", b"two", b"three")):
        client.send(1, data, at=4 + at)
    server.recv(2, b"one", at=5.5)
    child.recv(5, b"two", at=6)
    server.recv(2, b"three", at=7)
    assert spans(conversation(server, client, child), "server.py") == [(0, 3, "one"), (3, 6, "two"), (6, 11, "three")]
    assert len(conversation(server, client, child).connections) == 1


def test_duplicate_without_a_cookie() -> None:
    server, client = connected()
    server.call(2, "dup", at=3, new=[3])
    server.socket(3, by="dup", of=2, local=SERVER, peer=CLIENT)
    client.send(1, b"one", at=4)
    server.recv(3, b"one", at=5)
    assert spans(conversation(server, client), "server.py") == [(0, 3, "one")]


def test_one_cookie_on_two_machines() -> None:
    one, other = Recorded("one.py", 1), Recorded("other.py", 2)
    one.socket(1, local=CLIENT, peer=SERVER, cookie="5")
    other.socket(1, at=1, local=SERVER, peer=CLIENT, cookie="5", by="accept")
    one.send(1, b"hello", at=2)
    other.recv(1, b"hello", at=3)
    assert arrows(conversation(one, other)) == [("data", "one.py sendall", "other.py recv")]


def test_port_that_is_used_again() -> None:
    server, client = Recorded("server.py", 100), Recorded("client.py", 200)
    for number in (1, 2, 3):
        client.socket(number, at=number * 10, local=CLIENT, peer=SERVER)
        client.send(number, b"%d" % number, at=number * 10 + 2)
        if number > 1:  # the first connection was not recorded
            server.socket(number + 5, at=number * 10 + 1, by="accept", local=SERVER, peer=CLIENT)
            server.recv(number + 5, b"%d" % number, at=number * 10 + 3)
    found = conversation(server, client)
    assert spans(found, "server.py") == [(0, 1, "2"), (0, 1, "3")]
    assert [each.server for each in found.connections] == [End(0, 7), End(0, 8), None]


@pytest.mark.parametrize(
    ("seen_by_client", "seen_by_server"),
    [
        ((["::1", 9, 0, 0], ["::1", 5, 0, 0]), (["::1", 5, 0, 0], ["::1", 9, 0, 0])),
        ((["127.0.0.1", 9], ["127.0.0.1", 5]), (["::ffff:127.0.0.1", 5, 0, 0], ["::ffff:127.0.0.1", 9, 0, 0])),
        ((["fe80::1%eth0", 9, 0, 2], ["fe80::2", 5, 0, 2]), (["fe80::2", 5, 0, 3], ["fe80::1", 9, 0, 3])),
    ],
)
def test_ipv6(seen_by_client: Any, seen_by_server: Any) -> None:
    server, client = Recorded("server.py", 100), Recorded("client.py", 200)
    client.socket(1, local=seen_by_client[0], peer=seen_by_client[1])
    server.socket(1, at=1, local=seen_by_server[0], peer=seen_by_server[1], by="accept")
    client.send(1, b"x", at=2)
    server.recv(1, b"x", at=3)
    assert len(arrows(conversation(server, client))) == 1


def test_socket_connected_to_itself() -> None:
    recorded = Recorded("self.py")
    recorded.socket(1, local=CLIENT, peer=CLIENT)
    recorded.send(1, b"echo", at=1)
    recorded.recv(1, b"echo", at=2)
    assert arrows(conversation(recorded)) == [("data", "self.py sendall", "self.py recv")]


def test_socketpair() -> None:
    recorded = Recorded("pair.py")
    recorded.socket(1, family="AF_UNIX", by="socketpair", twin=2, local="", peer="")
    recorded.socket(2, family="AF_UNIX", by="socketpair", twin=1, local="", peer="")
    recorded.send(1, b"hello", at=1)
    recorded.recv(2, b"hello", at=2)
    found = conversation(recorded)
    assert arrows(found) == [("data", "pair.py sendall", "pair.py recv")]
    assert [each.description for each in found.connections] == ["socketpair 1 ↔ 2"]


def test_unix_clients_are_accepted_in_order() -> None:
    server, client = Recorded("server.py", 100), Recorded("client.py", 200)
    for number in (1, 2, 3):
        client.socket(number, at=number, family="AF_UNIX", local="", peer="/tmp/s")
        client.call(number, "connect", at=number, address="/tmp/s")
        server.socket(number, at=number + 5, family="AF_UNIX", by="accept", local="/tmp/s", peer="")
        server.call(9, "accept", at=number + 5, new=[number])
    for number in (1, 2, 3):
        client.send(number, b"%d" % number, at=10 + number)
        server.recv(number, b"%d" % number, at=15 + number)
    found = conversation(server, client)
    assert [each[0] for each in arrows(found)] == ["connect"] * 3 + ["data"] * 3
    assert [(each.client, each.server) for each in found.connections] == [(End(1, n), End(0, n)) for n in (1, 2, 3)]


def test_unix_clients_whose_order_the_data_tell() -> None:
    """Two threads connect at one moment, and the clock has them the wrong way round."""
    server, client = Recorded("server.py", 100), Recorded("client.py", 200)
    for number in (1, 2):
        client.socket(number, at=number, family="AF_UNIX", local="", peer="/tmp/s")
        client.call(number, "connect", at=number, address="/tmp/s")
        client.send(number, b"%d" % number, at=10 + number)
        server.socket(number, at=number + 5, family="AF_UNIX", by="accept", local="/tmp/s", peer="")
        server.recv(number, b"%d" % (3 - number), at=15 + number)
    assert {(each.client, each.server) for each in conversation(server, client).connections} == {
        (End(1, 1), End(0, 2)),
        (End(1, 2), End(0, 1)),
    }


def test_seqpacket_keeps_messages_apart() -> None:
    recorded = Recorded("pair.py")
    recorded.socket(1, family="AF_UNIX", type="SOCK_SEQPACKET", by="socketpair", twin=2)
    recorded.socket(2, family="AF_UNIX", type="SOCK_SEQPACKET", by="socketpair", twin=1)
    recorded.send(1, b"a long message", at=1)
    recorded.send(1, b"next", at=2)
    recorded.recv(2, b"a l", at=3)
    recorded.recv(2, b"next", at=4)
    assert spans(conversation(recorded), "pair.py") == [(0, 14, "a l"), (14, 18, "next")]


def udp() -> tuple[Recorded, Recorded]:
    server, client = Recorded("server.py", 100), Recorded("client.py", 200)
    server.socket(1, type="SOCK_DGRAM", local=["0.0.0.0", 53])
    client.socket(1, type="SOCK_DGRAM", local=["0.0.0.0", 9999])
    return server, client


def test_datagrams_there_and_back() -> None:
    server, client = udp()
    client.send(1, b"who?", "sendto", at=1, address=["127.0.0.1", 53])
    server.recv(1, b"who?", at=2, address=["127.0.0.1", 9999])
    server.send(1, b"you", "sendto", at=3, address=["127.0.0.1", 9999])
    client.recv(1, b"you", at=4, address=["127.0.0.1", 53])
    found = conversation(server, client)
    assert arrows(found) == [
        ("datagram", "client.py sendto", "server.py recv"),
        ("datagram", "server.py sendto", "client.py recv"),
    ]
    (connection,) = found.connections
    assert {step.connection for step in found.steps} == {connection}


def test_lost_datagram() -> None:
    server, client = udp()
    for at, data in enumerate((b"one", b"two", b"six", b"four")):
        client.send(1, data, "sendto", at=1 + at, address=["127.0.0.1", 53])
    server.recv(1, b"six", at=6, address=["127.0.0.1", 9999])
    server.recv(1, b"four", at=7, address=["127.0.0.1", 9999])
    found = [(arrow.source.call.data, arrow.target.call.data) for arrow in conversation(server, client).arrows]
    assert found == [(b"six", b"six"), (b"four", b"four")]


def test_datagram_that_was_cut() -> None:
    server, client = udp()
    client.send(1, b"a long one", "sendto", at=1, address=["127.0.0.1", 53])
    server.recv(1, b"a lo", at=2, address=["127.0.0.1", 9999])
    (arrow,) = conversation(server, client).arrows
    assert (arrow.first, arrow.last) == (0, 10)


def test_datagram_to_another_host() -> None:
    server, client = udp()
    server.socket(1, type="SOCK_DGRAM", local=["10.0.0.1", 53])
    client.send(1, b"x", "sendto", at=1, address=["10.0.0.2", 53])
    server.recv(1, b"x", at=2, address=["10.0.0.9", 9999])
    assert conversation(server, client).arrows == []


def test_multicast_reaches_many() -> None:
    client = udp()[1]
    servers = [Recorded(f"server{number}.py", number) for number in (1, 2)]
    client.send(1, b"all", "sendto", at=1, address=["224.0.0.7", 53])
    for server in servers:
        server.socket(1, at=0, type="SOCK_DGRAM", local=["0.0.0.0", 53])
        server.recv(1, b"all", at=2, address=["10.0.0.9", 9999])
    assert [each[2] for each in arrows(conversation(client, *servers))] == ["server1.py recv", "server2.py recv"]


def test_unix_datagrams() -> None:
    server, client = Recorded("server.py", 100), Recorded("client.py", 200)
    server.socket(1, family="AF_UNIX", type="SOCK_DGRAM", local="\0log")
    client.socket(1, family="AF_UNIX", type="SOCK_DGRAM", local="", peer="\0log")
    client.send(1, b"line", "send", at=1)
    server.recv(1, b"line", at=2)
    assert arrows(conversation(server, client)) == [("datagram", "client.py send", "server.py recv")]


def test_socketpair_of_datagrams() -> None:
    recorded = Recorded("pair.py")
    recorded.socket(1, family="AF_UNIX", type="SOCK_DGRAM", by="socketpair", twin=2)
    recorded.socket(2, family="AF_UNIX", type="SOCK_DGRAM", by="socketpair", twin=1)
    recorded.send(1, b"one", at=1)
    recorded.recv(2, b"one", at=2)
    assert arrows(conversation(recorded)) == [("datagram", "pair.py sendall", "pair.py recv")]


def test_connect_that_does_not_block() -> None:
    server, client = Recorded("server.py", 100), Recorded("client.py", 200)
    client.socket(1, local=CLIENT, peer=SERVER)
    client.call(1, "connect", at=1, address=SERVER, error="BlockingIOError: [Errno 115] Operation now in progress", errno=115)
    client.call(1, "getsockopt", "SOL_SOCKET, SO_ERROR", at=2, result="0")
    server.socket(2, at=2, by="accept", local=SERVER, peer=CLIENT)
    server.call(1, "accept", at=1.5, took=0.5, new=[2])
    assert arrows(conversation(server, client)) == [("connect", "client.py connect", "server.py accept")]


def test_client_whose_own_address_is_not_known() -> None:
    server, client = Recorded("server.py", 100), Recorded("client.py", 200)
    client.socket(1, peer=SERVER)
    client.call(1, "connect", at=1, address=SERVER)
    server.socket(2, at=2, by="accept", local=SERVER, peer=CLIENT)
    assert [(each.client, each.server) for each in conversation(server, client).connections] == [(End(1, 1), End(0, 2))]


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        ("connect", {"error": "ConnectionRefusedError: [Errno 111] Connection refused", "errno": 111}),
        ("connect_ex", {"result": "111"}),
    ],
)
def test_refused(call: str, outcome: dict[str, Any]) -> None:
    client = Recorded("client.py")
    client.socket(1)
    client.call(1, call, at=1, address=SERVER, **outcome)
    found = conversation(client)
    assert arrows(found) == [("refused", f"client.py {call}", f"client.py {call}")]
    assert found.connections == []


def test_refused_later() -> None:
    client = Recorded("client.py")
    client.socket(1)
    client.call(1, "connect", at=1, address=SERVER, error="BlockingIOError: [Errno 115] Operation now in progress", errno=115)
    client.call(1, "getsockopt", "SOL_SOCKET, SO_ERROR", at=2, result="111")
    assert arrows(conversation(client)) == [("refused", "client.py connect", "client.py getsockopt")]


def test_other_end_that_was_not_recorded() -> None:
    found = conversation(tutorial()[1])
    assert [(each.client, each.server) for each in found.connections] == [(End(0, 1), None)]
    assert found.notes == ["The other end of 1 connection was not recorded: 127.0.0.1:41234 → 127.0.0.1:5000."]


def test_unclosed() -> None:
    recorded = Recorded()
    for number, by in enumerate(("socket", "accept", "found", "socket", "socket")):
        recorded.socket(number, by=by)
    recorded.close(1)
    recorded.close(3, by="finalizer")
    recorded.close(4, by="detach")
    assert conversation(recorded).unclosed == [End(0, 3)]
    recorded.exit(0)
    assert conversation(recorded).unclosed == [End(0, 0), End(0, 3)]


def test_clocks_that_differ() -> None:
    server, client = connected()
    client.send(1, b"from the future", at=50)
    server.recv(2, b"from the future", at=10)
    found = conversation(server, client)
    assert len(spans(found, "server.py")) == 1
    assert found.notes == ["The clock of server.py is behind that of client.py by 40 ms or more."]


def test_notes_on_the_records() -> None:
    recorded = Recorded()
    recorded.lines.append("{")
    recorded.exit(lost=1200)
    assert conversation(recorded).notes == [
        "1,200 events of by hand could not be written.",
        "1 line of by hand could not be read.",
    ]


def test_nothing() -> None:
    found = match([])
    assert (found.lanes, found.steps, found.arrows) == ([], [], [])


def test_a_busy_server_is_matched_by_steps_in_proportion() -> None:
    """Ten times the calls take some ten times the steps; a loop in a loop would take a hundred."""

    def steps(rounds: int) -> int:
        records = [each.record() for each in busy(20, rounds)]
        assert len(match(records).arrows) == 20 * (2 + 2 * rounds)
        return lines_executed(lambda: match(records))

    assert steps(100) < 15 * steps(10)


@quick
@given(st.data())
def test_damaged_records_are_matched_without_an_error(data: st.DataObject) -> None:
    """Lines are missing or come twice, and numbers are others."""
    damaged = []
    for recorded in [*tutorial(), *busy(2, 2)]:
        first, *rest = recorded.lines
        lines = [line for line in rest for _ in range(data.draw(st.sampled_from((1, 1, 1, 0, 2))))]
        for _ in range(data.draw(st.integers(0, 3)) if lines else 0):
            at = data.draw(st.integers(0, len(lines) - 1))
            digit, other = data.draw(st.sampled_from("123")), data.draw(st.sampled_from("0123"))
            lines[at] = lines[at].replace(digit, other, data.draw(st.integers(1, 3)))
        damaged.append(read([first, *lines]))
    found = match(damaged)
    assert len(found.steps) >= sum(len(record.calls) for record in damaged)
