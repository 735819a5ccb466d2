"""`oxisocket.trace`: what a record tells of each call, and that it tells the truth."""

from __future__ import annotations

import array
import base64
import errno
import gc
import io
import os
import signal
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import ClassVar

import pytest
from told import Told
from waiting import BIG, HANG_TIMEOUT, fill, limit_buffers, wait_until

WATCHES = True


@pytest.fixture
def pair(oxisocket, keep):
    left, right = oxisocket.socketpair()
    return keep(left), keep(right)


@pytest.fixture
def tcp(oxisocket, keep):
    listening = keep(oxisocket.create_server(("127.0.0.1", 0)))
    client = keep(oxisocket.create_connection(listening.getsockname()))
    return client, keep(listening.accept()[0])


def number_of(told, sock):
    """The number that a record gives a socket that is open."""
    return next(each["socket"] for each in reversed(told.events) if each["event"] == "socket" and each["fd"] == sock.fileno())


# What each call tells.


def test_a_conversation(oxisocket, traced, keep):
    with traced() as told:
        listening = keep(oxisocket.socket(oxisocket.AF_INET, oxisocket.SOCK_STREAM))
        listening.setsockopt(oxisocket.SOL_SOCKET, oxisocket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen(5)
        client = keep(oxisocket.socket())
        client.connect(listening.getsockname())
        server, _ = listening.accept()
        client.sendall(b"question")
        server.recv(1024)
        server.shutdown(oxisocket.SHUT_WR)
        client.recv(1024)
        server.close()
    first, second, third = told.of("socket")[0], told.call("socket", fd=client.fileno()), told.call("accept")["new"][0]
    assert (first["family"], first["type"], first["proto"], first["by"]) == ("AF_INET", "SOCK_STREAM", 0, "socket")
    assert "local" not in first and "peer" not in first
    listener = told.socket(1)
    assert listener["listening"] and listener["local"] == ["127.0.0.1", listening.getsockname()[1]]
    assert told.call("setsockopt")["arguments"] == "SOL_SOCKET, SO_REUSEADDR, 1"
    assert told.call("bind")["arguments"] == "('127.0.0.1', 0)" and told.call("bind")["address"] == ["127.0.0.1", 0]
    connect = told.call("connect")
    assert (connect["address"], connect["result"], connect["socket"]) == (list(listening.getsockname()), "None", second["socket"])
    accepted = told.socket(third)
    assert (accepted["by"], accepted["of"]) == ("accept", 1)
    connecting = told.socket(second["socket"])
    assert (accepted["local"], accepted["peer"]) == (connecting["peer"], connecting["local"])
    sent, received = told.call("sendall"), told.call("recv", socket=third)
    assert (sent["out"], base64.b64decode(sent["data"]), sent["arguments"]) == (8, b"question", "b'question'")
    assert (received["in"], received["result"], received["arguments"]) == (8, "b'question'", "1024")
    assert told.call("shutdown")["arguments"] == "SHUT_WR"
    assert told.call("recv", socket=second["socket"])["eof"] is True
    (closed,) = told.of("close")
    assert (closed["socket"], closed["by"]) == (third, "close")
    assert told.of("exit")[0]["open"] == [1, second["socket"]]


def test_the_first_lines_say_which_program_and_thread(oxisocket, traced):
    with traced(bytes=5) as told:
        oxisocket.gethostname()
    process, thread = told.events[:2]
    assert (process["event"], process["format"], process["pid"], process["bytes"]) == ("process", 1, os.getpid(), 5)
    assert process["oxisocket"] == oxisocket.__version__ and "parent" not in process
    assert (thread["event"], thread["thread"], thread["name"]) == ("thread", threading.get_native_id(), "MainThread")
    assert told.events[-1]["event"] == "exit" and told.events[-1]["lost"] == 0


def test_times(pair, traced):
    left, right = pair
    before = time.time_ns()
    right.settimeout(HANG_TIMEOUT)
    with traced() as told:
        timer = threading.Timer(0.05, lambda: os.write(left.fileno(), b"x"))
        timer.start()
        right.recv(1)
        left.send(b"y")
        timer.join()
    after = time.time_ns()
    recv, send = told.call("recv"), told.call("send")
    assert before - 10**9 <= recv["t"] <= send["t"] <= after + 10**9
    assert recv["took"] >= recv["waited"] >= 20_000_000
    assert send["waited"] <= send["took"] <= after - before
    assert [each["t"] for each in told.of("wait")] == [recv["t"]]
    times = [each["t"] for each in told.events if each["event"] in ("process", "call")]
    assert times == sorted(times)


RECEIVES = {
    "recv": lambda s: s.recv(10),
    "recv_into": lambda s: s.recv_into(bytearray(10)),
    "recvfrom": lambda s: s.recvfrom(10),
    "recvfrom_into": lambda s: s.recvfrom_into(bytearray(10)),
    "recvmsg": lambda s: s.recvmsg(10),
    "recvmsg_into": lambda s: s.recvmsg_into([bytearray(2), memoryview(bytearray(10))]),
    "recv_exactly": lambda s: s.recv_exactly(5),
    "recv_exactly_into": lambda s: s.recv_exactly_into(bytearray(5)),
    "readinto": lambda s: s.makefile("rb", 0).readinto(bytearray(10)),
}


@pytest.mark.parametrize("name", RECEIVES)
def test_a_receive(pair, traced, name):
    left, right = pair
    left.send(b"hello")
    with traced() as told:
        RECEIVES[name](right)
    call = told.call(name)
    assert (call["in"], base64.b64decode(call["data"])) == (5, b"hello")
    assert call["socket"] == 1 and "error" not in call and "eof" not in call and "out" not in call
    assert told.names() == [name]


@pytest.mark.parametrize("name", RECEIVES)
def test_the_end_of_a_stream(pair, traced, name):
    left, right = pair
    left.close()
    with traced() as told:
        try:
            RECEIVES[name](right)
        except EOFError:
            assert "exactly" in name
    assert told.call(name)["eof"] is True
    assert told.call(name).get("in", 0) == 0 and "data" not in told.call(name)


@pytest.mark.parametrize("name", RECEIVES)
def test_a_receive_that_fails(pair, traced, name):
    _, right = pair
    right.setblocking(False)
    with traced() as told:
        try:
            RECEIVES[name](right)
        except BlockingIOError as error:
            text = f"BlockingIOError: {error}"
        else:
            text = None
            assert name == "readinto"
    call = told.call(name)
    assert call.get("error") == text and call.get("in", 0) == 0 and "eof" not in call
    assert call.get("errno") == (errno.EAGAIN if text else None)


def test_a_datagram_of_nothing_is_no_end(oxisocket, keep, traced):
    one, other = (keep(oxisocket.socket(type=oxisocket.SOCK_DGRAM)) for _ in range(2))
    other.bind(("127.0.0.1", 0))
    with traced() as told:
        one.sendto(b"", other.getsockname())
        other.recvfrom(10)
    call = told.call("recvfrom")
    assert call["in"] == 0 and "eof" not in call
    assert call["address"] == ["127.0.0.1", one.getsockname()[1]]
    assert told.call("sendto")["address"] == list(other.getsockname())
    assert told.call("sendto")["out"] == 0


def test_nothing_that_was_asked_for_is_no_end(pair, traced):
    _, right = pair
    right.setblocking(False)
    with traced() as told:
        right.recv(0)
        right.recv_into(bytearray())
    assert [each.get("eof") for each in told.of("call")] == [None, None]


def test_peeking_leaves_the_bytes(oxisocket, pair, traced):
    left, right = pair
    left.send(b"hello")
    with traced() as told:
        right.recv(3, oxisocket.MSG_PEEK)
        right.recvmsg(3, 0, oxisocket.MSG_PEEK | oxisocket.MSG_DONTWAIT)
        right.recv_into(bytearray(3), 0, oxisocket.MSG_PEEK)
        right.recv(10)
    assert [(each.get("peeked"), each.get("in")) for each in told.of("call")] == [(3, None), (3, None), (3, None), (None, 5)]
    assert [each["arguments"] for each in told.of("call")][:2] == ["3, MSG_PEEK", "3, 0, MSG_PEEK|MSG_DONTWAIT"]


SENDS = {
    "send": lambda s: s.send(b"hello"),
    "sendall": lambda s: s.sendall(bytearray(b"hello")),
    "sendmsg": lambda s: s.sendmsg([b"he", memoryview(b"llo")]),
    "write": lambda s: s.makefile("wb", 0).write(b"hello"),
}


@pytest.mark.parametrize("name", SENDS)
def test_a_send(pair, traced, name):
    left, right = pair
    with traced() as told:
        SENDS[name](left)
    call = told.call(name)
    assert (call["out"], base64.b64decode(call["data"])) == (5, b"hello") and "in" not in call
    assert told.names() == [name]


def test_a_sendall_that_fails_in_the_middle(pair, traced):
    left, right = pair
    limit_buffers(left, right)
    left.settimeout(0.05)
    with traced() as told:
        with pytest.raises(TimeoutError) as caught:
            left.sendall(BIG)
        left.setblocking(False)
    assert told.call("sendall")["out"] == caught.value.bytes_sent > 0
    assert told.call("sendall")["error"] == "TimeoutError: timed out"


def test_a_recv_exactly_that_fails_in_the_middle(pair, traced):
    left, right = pair
    right.settimeout(0.02)
    with traced() as told:
        left.send(b"abc")
        with pytest.raises(TimeoutError):
            right.recv_exactly(10)
        left.send(b"defg")
        with pytest.raises(TimeoutError):
            right.recv_exactly_into(bytearray(10))
        left.send(b"hi")
        left.close()
        with pytest.raises(EOFError):
            right.recv_exactly(10)
    first, third = told.of("call", call="recv_exactly")
    second = told.call("recv_exactly_into")
    assert [each["in"] for each in (first, second, third)] == [3, 4, 2]
    assert [base64.b64decode(each["data"]) for each in (first, second, third)] == [b"abc", b"defg", b"hi"]
    assert [each.get("eof") for each in (first, second, third)] == [None, None, True]
    assert third["error"].startswith("IncompleteReadError: 2 bytes read")


def test_sendfile(oxisocket, tcp, traced, tmp_path):
    client, server = tcp
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    with traced() as told, path.open("rb") as file:
        client.sendfile(file, 100)
        client.sendfile(io.BytesIO(b"y" * 10))
    first, second = told.of("call", call="sendfile")
    assert (first["out"], first["result"]) == (900, "900")
    # This one reads and sends: its sends are told, and it counts nothing itself.
    assert second["result"] == "10" and "out" not in second
    assert told.call("send")["out"] == 10
    assert told.total("out", first["socket"]) == 910
    server.recv_exactly(910)


def test_a_sendfile_that_fails_in_the_middle(oxisocket, tcp, traced, tmp_path):
    client, server = tcp
    limit_buffers(client, server)
    client.settimeout(0.1)
    path = tmp_path / "file"
    path.write_bytes(BIG)
    with traced() as told, path.open("rb") as file:
        with pytest.raises(TimeoutError):
            client.sendfile(file)
        position = file.tell()
    assert told.call("sendfile")["out"] == position > 0
    server.settimeout(HANG_TIMEOUT)
    assert len(server.recv_exactly(position)) == position


def test_messages_with_descriptors(oxisocket, pair, traced):
    left, right = pair
    with traced() as told:
        oxisocket.send_fds(left, [b"x"], [0, 1, 2])
        _, fds, _, _ = oxisocket.recv_fds(right, 10, 3)
    for fd in fds:
        os.close(fd)
    assert [(each["call"], each["rights"]) for each in told.of("call")] == [("sendmsg", 3), ("recvmsg", 3)]


def test_reading_by_makefile(pair, traced):
    left, right = pair
    with traced() as told, right.makefile("rb") as reader, left.makefile("w") as writer:
        writer.write("one\ntwo\n")
        writer.flush()
        assert reader.readline() == b"one\n"
        assert reader.readline() == b"two\n"
    assert [(each["call"], each.get("in"), each.get("out")) for each in told.of("call")] == [
        ("write", None, 8),
        ("readinto", 8, None),
    ]
    assert {each["socket"] for each in told.of("call")} == {1, 2}


def test_look_ups(oxisocket, traced):
    with traced() as told:
        oxisocket.getaddrinfo("127.0.0.1", 80, oxisocket.AF_INET, oxisocket.SOCK_STREAM)
        oxisocket.getaddrinfo("127.0.0.1", None, family=oxisocket.AF_INET)
        oxisocket.gethostbyname("127.0.0.1")
        oxisocket.getnameinfo(("127.0.0.1", 80), oxisocket.NI_NUMERICHOST | oxisocket.NI_NUMERICSERV)
        with pytest.raises(oxisocket.gaierror) as caught:
            oxisocket.getaddrinfo("256.0.0.1", 80, 0, 0, 0, oxisocket.AI_NUMERICHOST)
    first, second, failed = told.of("call", call="getaddrinfo")
    assert first["arguments"] == "'127.0.0.1', 80, AF_INET, SOCK_STREAM" and "127.0.0.1" in first["result"]
    assert second["arguments"] == "'127.0.0.1', None, family=AF_INET"
    assert (failed["error"], failed["errno"]) == (f"gaierror: {caught.value}", caught.value.errno)
    assert told.call("gethostbyname")["result"] == "'127.0.0.1'"
    assert not any("socket" in each or "fd" in each for each in told.of("call"))
    assert told.names() == ["getaddrinfo", "getaddrinfo", "gethostbyname", "getnameinfo", "getaddrinfo"]


def test_options_and_timeouts(oxisocket, new, traced):
    sock = new()
    with traced() as told:
        sock.settimeout(1.5)
        sock.settimeout(None)
        sock.setblocking(True)
        sock.setsockopt(oxisocket.IPPROTO_TCP, oxisocket.TCP_NODELAY, True)
        sock.getsockopt(oxisocket.SOL_SOCKET, oxisocket.SO_LINGER, 8)
        with pytest.raises(OSError):
            sock.getpeername()
    assert [(each["call"], each["arguments"]) for each in told.of("call")] == [
        ("settimeout", "1.5"),
        ("settimeout", "None"),
        ("setblocking", "True"),
        ("setsockopt", "IPPROTO_TCP, TCP_NODELAY, True"),
        ("getsockopt", "SOL_SOCKET, SO_LINGER, 8"),
        ("getpeername", ""),
    ]
    assert told.call("getpeername")["errno"] == errno.ENOTCONN


def test_connect_ex(new, traced, refusing):
    with traced() as told:
        new().connect_ex(refusing)
    call = told.call("connect_ex")
    assert (call["result"], call["errno"], call["address"]) == (str(errno.ECONNREFUSED), errno.ECONNREFUSED, list(refusing))
    assert "error" not in call


# How sockets come and go.


@pytest.fixture
def refusing(oxisocket, keep):
    taken = keep(oxisocket.socket())
    taken.bind(("127.0.0.1", 0))
    return taken.getsockname()


def test_the_ways_to_close(oxisocket, traced):
    with traced() as told:
        with oxisocket.socket() as first:
            first.fileno()
        second = oxisocket.socket()
        second.close()
        second.close()
        third = oxisocket.socket()
        os.close(third.detach())
        fourth = oxisocket.socket()
        with pytest.warns(ResourceWarning):
            del fourth
        fifth = oxisocket.socket()
        file = fifth.makefile()
        fifth.close()
        file.close()
    assert [(each["socket"], each["by"]) for each in told.of("close")] == [
        (1, "close"),
        (2, "close"),
        (3, "detach"),
        (4, "finalizer"),
        (5, "close"),
    ]
    assert told.of("exit")[0]["open"] == []
    closes = told.of("call", call="close")
    assert [each["socket"] for each in closes] == [1, 2, 2, 5, 5] and {each["arguments"] for each in closes} == {""}


def test_numbers_are_never_used_twice(oxisocket, traced):
    with traced() as told:
        for _ in range(3):
            oxisocket.socket().close()
    assert len({each["fd"] for each in told.of("socket")}) == 1
    assert [each["socket"] for each in told.of("socket")] == [1, 2, 3]


def test_an_object_that_is_initialised_again_is_another_socket(oxisocket, traced, keep):
    sock = keep(oxisocket.socket())
    with traced() as told:
        old = sock.fileno()
        sock.settimeout(1)
        sock.__init__(oxisocket.AF_UNIX)
        sock.settimeout(2)
    os.close(old)
    assert [each["socket"] for each in told.of("call", call="settimeout")] == [1, 2]
    assert told.socket(2)["family"] == "AF_UNIX" and told.socket(2)["fd"] == sock.fileno()


def test_duplicates_are_one_socket(oxisocket, traced, keep):
    with traced() as told:
        first = keep(oxisocket.socket())
        second = keep(first.dup())
        third = keep(oxisocket.fromfd(first.fileno(), oxisocket.AF_INET, oxisocket.SOCK_STREAM))
        fourth = keep(oxisocket.socket(fileno=os.dup(first.fileno())))
        for each in second, third, fourth:
            each.settimeout(1)
    assert len({each["cookie"] for each in told.of("socket")}) == 1
    assert (told.socket(2)["by"], told.socket(2)["of"]) == ("dup", 1)
    assert told.call("dup", socket=1)["new"] == [2]
    assert told.socket(3)["by"] == told.socket(4)["by"] == "fromfd"


def test_twins(oxisocket, traced, keep):
    with traced() as told:
        for each in oxisocket.socketpair():
            keep(each).settimeout(1)
    assert (told.socket(1)["twin"], told.socket(2)["twin"]) == (2, 1)
    assert {told.socket(1)["by"], told.socket(2)["by"]} == {"socketpair"}
    assert told.names() == ["socketpair", "settimeout", "settimeout"]


def test_a_socket_from_before_the_trace(tcp, traced):
    client, server = tcp
    with traced() as told:
        client.send(b"x")
    assert told.socket(1)["by"] == "found"
    assert (told.socket(1)["local"], told.socket(1)["peer"]) == (list(client.getsockname()), list(server.getsockname()))


def test_what_happens_between_two_traces_is_not_missed(oxisocket, traced, keep):
    listening = keep(oxisocket.create_server(("127.0.0.1", 0)))
    sock = keep(oxisocket.socket())
    with traced():
        sock.settimeout(5)
    sock.connect(listening.getsockname())
    with traced() as told:
        sock.send(b"x")
    assert told.socket(1)["peer"] == list(listening.getsockname()) and told.call("send")["socket"] == 1


def test_unix_sockets(oxisocket, traced, keep, tmp_path):
    path = str(tmp_path / "s")
    with traced() as told:
        listening = keep(oxisocket.socket(oxisocket.AF_UNIX))
        listening.bind(path)
        listening.listen()
        client = keep(oxisocket.socket(oxisocket.AF_UNIX))
        client.connect(path)
        keep(listening.accept()[0])
        abstract = keep(oxisocket.socket(oxisocket.AF_UNIX, oxisocket.SOCK_DGRAM))
        abstract.bind(f"\0{path}")
    assert told.socket(1)["local"] == path and told.call("connect")["address"] == path
    assert told.socket(told.call("accept")["new"][0])["peer"] == ""
    assert told.of("socket")[-1]["local"] == f"\0{path}"


def test_create_connection_tells_its_attempts(oxisocket, traced, keep, refusing):
    listening = keep(oxisocket.create_server(("127.0.0.1", 0)))
    with traced(callers=True) as told:
        keep(oxisocket.create_connection(listening.getsockname()))
        with pytest.raises(ConnectionRefusedError):
            oxisocket.create_connection(refusing, happy_eyeballs_delay=0.1)
    connects = [each for each in told.of("call") if each["call"].startswith("connect")]
    assert [each["address"] for each in connects] == [list(listening.getsockname()), list(refusing)]
    assert all(each["caller"].partition(":")[0].endswith("test_tracing.py") for each in told.of("call"))


def test_a_socket_that_a_method_makes_is_told_once(oxisocket, traced, keep):
    class Own(oxisocket.socket):
        pass

    listening = keep(Own())
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    client = keep(oxisocket.create_connection(listening.getsockname()))
    with traced() as told:
        keep(listening.accept()[0])
        keep(client.dup())
    assert told.names() == ["accept", "dup"]


# Exact receives and readers.


def test_the_receives_of_a_reader(oxisocket, pair, traced):
    left, right = pair
    reader = oxisocket.Reader(right)
    with traced(bytes=4) as told:
        left.send(b"one\ntwo")
        assert reader.readline() == b"one\n"
        left.send(b"\n")
        left.close()
        assert reader.read() == b"two\n"
    receives = told.of("call", call="recv_into")
    assert [each.get("in") for each in receives] == [7, 1, 0]
    assert [each.get("eof") for each in receives] == [None, None, True]
    assert base64.b64decode(receives[0]["data"]) == b"one\n"
    assert receives[0]["arguments"].startswith("<buffer of ") and receives[0]["result"] == "7"


def test_a_reader_that_fails(oxisocket, pair, traced):
    left, right = pair
    right.settimeout(0.01)
    reader = oxisocket.Reader(right)
    with traced() as told:
        left.send(b"x")
        with pytest.raises(TimeoutError):
            reader.readline()
    first, second = told.of("call", call="recv_into")
    assert first["in"] == 1 and second["error"] == "TimeoutError: timed out" and "in" not in second
    assert reader.buffered == b"x"
    assert len(told.of("wait", call="recv_into")) == 1


def test_a_method_of_a_subclass_counts_once(oxisocket, traced, keep):
    class Own(oxisocket.socket):
        def recv(self, *args):
            return super().recv(*args)

        def recv_into(self, *args):
            return super().recv_into(*args)

        def send(self, *args):
            return super().send(*args)

    left, right = oxisocket.socketpair()
    keep(right)
    own = keep(Own(left.family, left.type, fileno=left.detach()))
    right.sendall(b"x" * 30)
    with traced() as told:
        assert own.recv_exactly(10) == b"x" * 10
        assert own.makefile("rb", 0).readinto(bytearray(10)) == 10
        assert oxisocket.Reader(own).readexactly(10) == b"x" * 10
        own.makefile("wb", 0).write(b"y" * 5)
        own.sendfile(io.BytesIO(b"z" * 5))
    assert told.total("in", 1) == 30 and told.total("out", 1) == 10
    assert told.call("recv_exactly")["result"] == repr(b"x" * 10)


# Waiting.


def waits_in(told_path, name):
    return Told.read(told_path).of("wait", call=name)


@pytest.mark.parametrize("name", ["recv", "accept", "sendall", "recv_exactly", "readinto"])
def test_a_wait_is_told_before_the_call_ends(oxisocket, keep, start, tmp_path, name):
    path = tmp_path / "t.jsonl"
    left, right = (keep(each) for each in oxisocket.socketpair())
    listening = keep(oxisocket.create_server(("127.0.0.1", 0)))
    filled = fill(left) if name == "sendall" else 0
    call = {
        "recv": lambda: left.recv(1),
        "accept": lambda: keep(listening.accept()[0]),
        "sendall": lambda: left.sendall(BIG),
        "recv_exactly": lambda: left.recv_exactly(2),
        "readinto": lambda: left.makefile("rb", 0).readinto(bytearray(1)),
    }[name]
    with oxisocket.trace(path):
        running = start(call).until_blocked()
        (wait,) = waits_in(path, name)
        assert not Told.read(path).of("call", call=name)
        assert Told.read(path).of("thread", thread=running.native_id)[0]["name"] == running.name
        match name:
            case "accept":
                keep(oxisocket.create_connection(listening.getsockname()))
            case "sendall":
                right.recv_exactly(filled + len(BIG))
            case _:
                right.send(b"ab")
        running.result()
    told = Told.read(path)
    ended = told.call(name, thread=running.native_id)
    assert (ended["t"], ended["arguments"]) == (wait["t"], wait["arguments"]) and ended["waited"] > 0
    assert len(told.of("wait", thread=running.native_id)) == 1


def test_a_connect_that_waits(oxisocket, full, new, traced):
    with traced() as told:
        sock = new()
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            sock.connect(full.getsockname())
    (wait,) = told.of("wait", call="connect")
    assert wait["t"] == told.call("connect")["t"] and told.call("connect")["waited"] >= 40_000_000


@pytest.fixture
def full(oxisocket, keep):
    from waiting import fill_backlog

    listening = keep(oxisocket.socket())
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    fill_backlog(listening, keep)
    return listening


def test_a_ready_call_does_not_wait(pair, traced):
    left, right = pair
    with traced() as told:
        for _ in range(100):
            left.send(b"x")
            right.recv(1)
    assert told.of("wait") == []


def test_a_look_up_that_waits(program, with_resolver, tmp_path):
    path = tmp_path / "t.jsonl"
    process = program(
        "import sys\nwith socket.trace(sys.argv[1]): print(socket.getaddrinfo('x.held.test', 80)[0][4])",
        str(path),
        env=with_resolver,
    )
    wait_until(lambda: path.exists() and waits_in(path, "getaddrinfo"))
    assert not Told.read(path).of("call")
    Path(with_resolver["RESOLVER_RELEASE"]).touch()
    output, errors = process.communicate(timeout=HANG_TIMEOUT)
    assert (output, errors) == ("('127.0.0.1', 80)\n", "")
    assert len(Told.read(path).of("wait")) == 1
    assert Told.read(path).call("getaddrinfo")["waited"] > 0


# Who calls.


def test_threads_have_their_names(pair, traced):
    left, right = pair
    with traced() as told:
        for name in "reader-1", "Zoë\n\x1b[2J":
            thread = threading.Thread(target=left.send, args=(b"x",), name=name)
            thread.start()
            thread.join()
    names = {each["thread"]: each["name"] for each in told.of("thread")}
    assert sorted(names.values()) == ["Zoë\n\x1b[2J", "reader-1"]
    assert {each["thread"] for each in told.of("call")} == set(names)


def test_callers(pair, traced):
    left, right = pair

    def call():
        left.send(b"x")

    with traced(callers=True) as told:
        call()
    where = f"test_tracing.py:{call.__code__.co_firstlineno + 1}"
    assert told.call("send")["caller"].endswith(where)


def test_where_a_socket_was_opened(oxisocket, traced, keep):
    with traced() as told:
        keep(oxisocket.socket())
    assert "test_tracing.py:" in told.socket(1)["opened"]


# How much, and which.


@pytest.mark.parametrize(("limit", "kept"), [(0, 0), (1, 1), (32, 32), (100, 100), (10_000, 1000)])
def test_how_much_is_kept(pair, traced, limit, kept):
    left, right = pair
    data = bytes(range(250)) * 4
    with traced(bytes=limit) as told:
        left.send(data)
        right.recv(2000)
    for name in "send", "recv":
        assert base64.b64decode(told.call(name).get("data", "")) == data[:kept]
    assert (told.call("send")["out"], told.call("recv")["in"]) == (1000, 1000)
    if limit == 0:
        assert told.call("send")["arguments"] == "<1000 bytes>"
    if limit == 32:
        assert told.call("recv")["result"] == f"{data[:32]!r}… (1000 bytes)"


def test_bytes_are_bounded(oxisocket):
    for wrong in -1, -(2**70), 2**70:
        with pytest.raises(ValueError, match="0 or more"):
            oxisocket.trace(bytes=wrong)
    with pytest.raises(TypeError):
        oxisocket.trace(bytes="32")


FILTERS = {
    "call send": ["send"],
    "not call send": ["recv", "recvfrom", "getaddrinfo"],
    "unix": ["send", "recv"],
    "udp or call getaddrinfo": ["recvfrom", "getaddrinfo"],
    "tcp": [],
    "error": ["recvfrom"],
    "not (error or unix)": ["getaddrinfo"],
    "thread MainThread and call recv": ["recv"],
    "thread worker": [],
    "ip": ["recvfrom"],
    "ip6": [],
    "host 127.0.0.1": ["recvfrom"],
}


@pytest.mark.parametrize("text", FILTERS)
def test_filters(oxisocket, pair, keep, traced, text):
    left, right = pair
    udp = keep(oxisocket.socket(type=oxisocket.SOCK_DGRAM))
    udp.bind(("127.0.0.1", 0))
    udp.setblocking(False)
    with traced(filter=text) as told:
        left.send(b"x")
        right.recv(1)
        with pytest.raises(BlockingIOError):
            udp.recvfrom(1)
        oxisocket.getaddrinfo("127.0.0.1", 80)
    assert told.names() == FILTERS[text]
    told_of = {each["socket"] for each in told.of("call") if "socket" in each}
    assert {each["socket"] for each in told.of("socket")} == told_of


def test_filters_by_port_descriptor_and_path(oxisocket, tcp, keep, traced, tmp_path):
    client, server = tcp
    listening = keep(oxisocket.socket(oxisocket.AF_UNIX))
    path = str(tmp_path / "the.sock")
    for text, expected in {
        f"port {client.getsockname()[1]}": ["send", "recv"],
        "port 1": ["connect_ex"],
        f"fd {client.fileno()}": ["send"],
        "path the.sock": ["bind"],
        f"port {client.getsockname()[1]} and not call recv": ["send"],
    }.items():
        with traced(filter=text) as told:
            client.send(b"x")
            server.recv(1)
            keep(oxisocket.socket()).connect_ex(("127.0.0.1", 1))
            if "path" in text:
                listening.bind(path)
        assert told.names() == expected, text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port", "'port' needs a value"),
        ("port x", "'port' needs a number, not 'x'"),
        ("port -1", "'port' needs a number, not '-1'"),
        ("call sned", "no call is named 'sned'"),
        ("call SENDALL", "no call is named 'SENDALL'"),
        ("prot 1", "'prot' is not known. Known are: host, port"),
        ("tcp and", "missing"),
        ("(tcp", "not closed"),
        ("(" * 10_000, "too deep"),
        ("tcp udp", "'udp' is not expected there"),
    ],
)
def test_a_filter_that_is_wrong(oxisocket, tmp_path, text, words):
    with pytest.raises(ValueError) as caught:
        oxisocket.trace(tmp_path / "t.jsonl", filter=text).start()
    assert words in str(caught.value) and str(caught.value).startswith("the filter: ")


@pytest.mark.parametrize("make", [lambda module: module.trace(filter=None), lambda module: module.observe(print, filter=5)])
def test_a_filter_that_is_no_text(oxisocket, make):
    with pytest.raises(TypeError, match=r"^filter must be a str, not '\w+'$"):
        make(oxisocket)


def test_every_call_that_is_told_has_its_filter(oxisocket, pair, traced):
    """What a trace calls it is what a filter takes."""
    with traced(filter="call socket or call getaddrinfo or call read or call do_handshake or call sendall") as told:
        pair[0].sendall(b"x")
        oxisocket.getaddrinfo("127.0.0.1", 1)
    assert told.names() == ["sendall", "getaddrinfo"]


def test_a_file_object_whose_write_fails(programs):
    """It takes bytes."""
    _, errors = programs("""
import io, sys
sys.unraisablehook = lambda lost: print("lost", lost.exc_type.__name__, lost.object, file=sys.stderr)
with socket.trace(io.BytesIO()):
    call()
""")
    assert "lost TypeError <built-in method write of _io.BytesIO object" in errors
    assert "oxisocket: events of the trace were lost: write() has raised (" in errors


def test_several_recordings_at_once(oxisocket, pair, traced):
    left, right = pair
    with traced(bytes=0) as outer:
        left.send(b"one")
        with traced(bytes=2, filter="call recv") as inner:
            left.send(b"two")
            right.recv(3)
        right.recv(3)
    assert outer.names() == ["send", "send", "recv", "recv"]
    assert inner.names() == ["recv"]
    assert "data" not in outer.of("call")[0] and outer.of("call")[0]["arguments"] == "<3 bytes>"
    assert base64.b64decode(inner.call("recv")["data"]) == b"on"
    assert inner.events[-1]["event"] == "exit"


# Where it goes.


def test_a_suffix_that_is_not_known(oxisocket):
    for wrong in "trace", "trace.pdf", Path("x.jsonl.gz"):
        with pytest.raises(ValueError, match=r"\.jsonl, \.txt, \.html"):
            oxisocket.trace(wrong)


def test_a_target_that_is_none(oxisocket):
    with pytest.raises(TypeError, match="a path, an object with a method write"):
        oxisocket.trace(5)


def test_a_folder_that_is_not_there(oxisocket, tmp_path):
    with pytest.raises(FileNotFoundError):
        oxisocket.trace(tmp_path / "no" / "t.jsonl").start()


def test_paths_of_any_kind(oxisocket, tmp_path):
    for path in tmp_path / "a.jsonl", os.fsencode(tmp_path / "b.jsonl"), str(tmp_path / "c\udcff.jsonl"):
        with oxisocket.trace(path):
            oxisocket.gethostname()
        assert Told.read(os.fsdecode(path)).names() == ["gethostname"]


def test_starting_twice(oxisocket, tmp_path):
    recording = oxisocket.trace(tmp_path / "t.jsonl")
    recording.stop()
    with recording:
        with pytest.raises(RuntimeError, match="one for each with statement"):
            recording.start()
    recording.stop()
    with recording:
        oxisocket.gethostname()
    assert Told.read(tmp_path / "t.jsonl").names() == ["gethostname"]


def test_lines_for_people(oxisocket, pair, capfd):
    left, right = pair
    with oxisocket.trace(callers=True):
        left.send(b"hello")
        right.recv(5)
        right.setblocking(False)
        with pytest.raises(BlockingIOError):
            right.recv(5)
    lines = capfd.readouterr().err.splitlines()
    assert f"  {left.fileno():>3}  send(b'hello') = 5  " in lines[0] and "test_tracing.py:" in lines[0]
    assert "recv(5) = b'hello'" in lines[1]
    assert "✗ BlockingIOError: [Errno 11] Resource temporarily unavailable" in lines[-1]
    assert "\x1b" not in "".join(lines)


def test_what_is_shown_cannot_move_the_cursor(oxisocket, pair, tmp_path):
    left, right = pair
    left.send(b"\x1b[2J\r\n")

    class Nasty(Exception):
        pass

    Nasty.__name__ = "Na\x1b[2Jsty"

    def handler(*_):
        raise Nasty("a\n\x1b[2J\u202e")

    with oxisocket.trace(tmp_path / "t.txt", callers=True):
        right.recv(10)
        thread = threading.Thread(target=lambda: left.send(b"x"), name="w\x1b[2J\n")
        thread.start()
        thread.join()
        right.recv(1)
        with pytest.raises(Nasty):
            raised_by_signal(handler, lambda: right.recv(1))
        with pytest.raises((oxisocket.gaierror, UnicodeError)):
            oxisocket.getaddrinfo("\x1b[2J\u202e\n", 80, 0, 0, 0, oxisocket.AI_NUMERICHOST)
    text = (tmp_path / "t.txt").read_text()
    assert "\x1b" not in text and "\u202e" not in text
    assert all(line[2] == ":" for line in text.splitlines())


def raised_by_signal(handler, call):
    """Make a call that a signal interrupts."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_object_with_a_method_write(oxisocket, pair):
    left, right = pair
    into = io.StringIO()
    with oxisocket.trace(into):
        left.send(b"x")
    assert "send(b'x') = 1" in into.getvalue() and into.getvalue().endswith("\n")


def test_a_file_object_of_a_socket(oxisocket, pair, keep):
    """What the trace itself sends is not traced."""
    left, right = pair
    one, other = (keep(each) for each in oxisocket.socketpair())
    with one.makefile("w", buffering=1) as into, oxisocket.trace(into):
        left.send(b"x")
        right.recv(1)
    one.close()
    lines = other.makefile().read().splitlines()
    assert len(lines) == 2 and "send(b'x')" in lines[0] and "recv(1)" in lines[1]


@pytest.mark.parametrize("suffix", [".svg", ".html", ".mmd"])
def test_what_is_made_from_a_record(oxisocket, pair, tmp_path, suffix):
    left, right = pair
    with oxisocket.trace(tmp_path / f"t{suffix}"):
        left.send(b"x")
        right.recv(1)
        assert Told.read(tmp_path / f"t{suffix}.jsonl").names() == ["send", "recv"]
    assert [each.name for each in tmp_path.iterdir()] == [f"t{suffix}"]
    assert "recv" in (tmp_path / f"t{suffix}").read_text()


# A sink that fails, or is taken away.

PROGRAM = """
import os, sys, resource, signal, threading, time
from told import Told

def numbers_of(name):
    links = [(fd, f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    found = [int(fd) for fd, link in links if os.path.lexists(link) and name in os.readlink(link)]
    assert found
    return found

def call(count=1):
    left, right = socket.socketpair()
    for _ in range(count):
        left.send(b"x")
        right.recv(1)
    left.close()
    right.close()
"""


@pytest.fixture
def programs(program, tmp_path):
    """`programs(code)` runs a program in the test's folder: what it wrote to its standard output and error."""

    def programs(code, status=0, **options):
        process = program(PROGRAM + code, cwd=tmp_path, **options)
        output, errors = process.communicate(timeout=HANG_TIMEOUT)
        assert process.returncode == status, errors
        return output, errors

    return programs


@pytest.fixture
def socket(oxisocket):
    """These tests are about what only oxisocket has."""
    return oxisocket


@pytest.mark.parametrize(
    "taking",
    [
        "os.closerange(3, 5000)",
        "[os.close(fd) for fd in numbers_of('t.jsonl')]",
        "[os.dup2(other, fd) for fd in numbers_of('t.jsonl')]",
    ],
    ids=["closerange", "close", "dup2"],
)
def test_a_descriptor_that_is_taken_away(programs, tmp_path, taking):
    programs(f"""
with socket.trace("t.jsonl"):
    call()
    other = os.open("other", os.O_CREAT | os.O_RDWR)
    {taking}
    call()
    call()
""")
    told = Told.read(tmp_path / "t.jsonl")
    assert told.names().count("send") == 3 and told.events[-1]["event"] == "exit" and told.events[-1]["lost"] == 0
    assert (tmp_path / "other").read_bytes() == b""


def test_a_file_that_is_deleted_and_its_descriptor_closed(programs, tmp_path):
    _, errors = programs("""
trace = socket.trace("t.jsonl")
trace.start()
os.unlink("t.jsonl")
call()
os.closerange(3, 5000)
stranger = os.open("t.jsonl", os.O_CREAT | os.O_RDWR)
call()
trace.stop()
""")
    assert (tmp_path / "t.jsonl").read_bytes() == b""
    assert "events of the trace were lost" in errors


def test_a_full_disk(programs):
    output, errors = programs("""
os.symlink("/dev/full", "t.jsonl")
with socket.trace("t.jsonl"):
    call()
print("went on")
""")
    assert output == "went on\n" and "events of the trace were lost: No space left on device" in errors


def test_a_file_that_may_not_grow(programs, tmp_path):
    _, errors = programs("""
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
with socket.trace("t.jsonl"):
    call(20)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    call()
""")
    assert "were lost: File too large" in errors
    lines = (tmp_path / "t.jsonl").read_text().splitlines()
    broken = [line for line in lines if not line.endswith("}")]
    assert len([line for line in broken if line]) <= 1
    assert '"event":"exit"' in lines[-1] and '"lost":0' not in lines[-1]


def test_no_descriptors(programs):
    output, errors = programs("""
resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
with socket.trace("t.jsonl"):
    call()
held = [os.dup(0) for _ in range(50 - len(os.listdir("/proc/self/fd")) + 1)]
try:
    socket.trace("u.jsonl").start()
except OSError as error:
    print(error.strerror)
for fd in held:
    os.close(fd)
print(Told.read("t.jsonl").names().count("send"))
""")
    assert (output, errors) == ("Too many open files\n1\n", "")


def test_the_numbers_of_the_program_s_own_descriptors_stay_the_same(programs):
    output, _ = programs("""
before = os.dup(0)
os.close(before)
with socket.trace("t.jsonl"):
    print(os.dup(0) == before)
""")
    assert output == "True\n"


def test_a_pipe_that_another_thread_of_the_program_reads(programs):
    output, errors = programs("""
reading, writing = os.pipe()
got = []
def read():
    while data := os.read(reading, 100):
        got.append(data)
        time.sleep(0.0001)
thread = threading.Thread(target=read)
thread.start()
os.dup2(writing, 2)
with socket.trace():
    threads = [threading.Thread(target=call, args=(300,)) for _ in range(3)]
    [each.start() for each in threads]
    [each.join() for each in threads]
os.close(writing)
os.dup2(1, 2)
thread.join()
text = b"".join(got).decode()
print(text.count("send("), text.count("recv("), all(line[2] == line[5] == ":" for line in text.splitlines()))
""")
    assert output == "900 900 True\n" and errors == ""


def test_a_signal_while_the_sink_is_full(programs):
    """Ctrl-C ends a program that waits for the reader of its trace."""
    output, _ = programs("""
reading, writing = os.pipe()
os.set_blocking(writing, False)
try:
    while True:
        os.write(writing, b"x" * 4096)
except BlockingIOError:
    os.set_blocking(writing, True)
stderr = os.dup(2)
os.dup2(writing, 2)
def handler(*_):
    raise InterruptedError("by a signal")
signal.signal(signal.SIGALRM, handler)
left, right = socket.socketpair()
trace = socket.trace()
trace.start()
signal.setitimer(signal.ITIMER_REAL, 0.1)
try:
    left.send(b"x")
    time.sleep(10)
except InterruptedError as error:
    print(error)
os.dup2(stderr, 2)
os.close(reading)
trace.stop()
""")
    assert output == "by a signal\n"


# How a program ends.


@pytest.mark.parametrize(
    ("ending", "status", "in_order"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", -9, False),
        ("os._exit(0)", 0, False),
        ("sys.exit(3)", 3, True),
        ("1 / 0", 1, True),
        (
            "threading.Thread(target=right.dup().recv, args=(10, socket.MSG_WAITALL), daemon=True).start(); time.sleep(0.1)",
            0,
            True,
        ),
    ],
    ids=["killed", "_exit", "exit", "exception", "daemon thread"],
)
def test_how_a_program_ends(programs, tmp_path, ending, status, in_order):
    programs(
        f"""
import atexit
trace = socket.trace("t.jsonl")
trace.start()
atexit.register(trace.stop)
left, right = socket.socketpair()
left.send(b"x")
os.chdir("/")
{ending}
""",
        status,
    )
    told = Told.read(tmp_path / "t.jsonl")
    assert told.names()[:2] == ["socketpair", "send"]
    assert [each["open"][0] for each in told.of("exit")] == ([1] if in_order else [])
    assert told.of("call", call="recv") == []


def test_a_program_that_is_killed_in_the_middle(program, tmp_path):
    process = program(PROGRAM + "socket.trace('t.jsonl').start()\nwhile True: call()", cwd=tmp_path)
    wait_until(lambda: (tmp_path / "t.jsonl").exists() and (tmp_path / "t.jsonl").stat().st_size > 10_000)
    process.kill()
    process.wait()
    told = Told.read(tmp_path / "t.jsonl")  # each line is complete
    assert told.events[0]["event"] == "process"


# Forks.


def test_a_fork(programs, tmp_path):
    output, _ = programs("""
left, right = socket.socketpair()
with socket.trace("t.jsonl"):
    left.send(b"x")
    pid = os.fork()
    if pid == 0:
        right.recv(1)
        if (grandchild := os.fork()) == 0:
            right.send(b"y")
            os._exit(0)
        os.waitpid(grandchild, 0)
        print(os.getpid(), grandchild, flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    left.recv(1)
""")
    child, grandchild = map(int, output.split())
    parent, of_child = Told.read(tmp_path / "t.jsonl"), Told.read(tmp_path / f"t.{child}.jsonl")
    of_grandchild = Told.read(tmp_path / f"t.{child}.{grandchild}.jsonl")
    assert [told.names() for told in (parent, of_child, of_grandchild)] == [["send", "recv"], ["recv"], ["send"]]
    assert of_child.events[0]["parent"] == parent.events[0]["pid"]
    assert (of_grandchild.events[0]["pid"], of_grandchild.events[0]["parent"]) == (grandchild, child)
    assert of_child.of("thread") and of_child.of("socket")[0]["cookie"]
    cookies = {each["cookie"] for told in (parent, of_child, of_grandchild) for each in told.of("socket")}
    assert len(cookies) == 2


def test_a_fork_while_another_thread_writes(programs, tmp_path):
    """Python 3.15 warns of a fork beside threads with an exception where warnings are errors; this one is meant."""
    programs("""
import warnings
warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)
stop = False
def work():
    while not stop:
        call()
with socket.trace("t.jsonl"):
    threads = [threading.Thread(target=work) for _ in range(3)]
    [each.start() for each in threads]
    for _ in range(20):
        if (pid := os.fork()) == 0:
            call()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    stop = True
    [each.join() for each in threads]
""")
    records = [Told.read(path) for path in tmp_path.glob("t.*.jsonl")]
    assert len(records) == 20
    assert all(each.names()[-4:] == ["send", "recv", "close", "close"] for each in records)
    assert Told.read(tmp_path / "t.jsonl").events[-1]["event"] == "exit"


def test_a_fork_with_a_picture(programs, tmp_path):
    """The child's record becomes the child's picture, and a grandchild takes nobody else's."""
    programs("""
def main(depth):
    if depth and (pid := os.fork()):
        assert os.waitpid(pid, 0)[1] == 0
    elif depth:
        call()
        main(depth - 1)
        trace.stop()
        os._exit(0)
with socket.trace("t.mmd") as trace:
    call()
    main(2)
""")
    names = sorted(each.name for each in tmp_path.iterdir())
    assert len(names) == 3 and all(each.endswith(".mmd") for each in names) and "t.mmd" in names


def test_a_fork_without_descriptors_says_so(programs):
    _, errors = programs("""
trace = socket.trace("t.jsonl")
trace.start()
left, right = socket.socketpair()
if (pid := os.fork()) == 0:
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    left.send(b"x")
    trace.stop()
    os._exit(0)
os.waitpid(pid, 0)
trace.stop()
""")
    assert "events of the trace were lost: Too many open files (" in errors


def test_processes_of_multiprocessing(programs, tmp_path):
    programs("""
import multiprocessing
with socket.trace("t.jsonl"):
    process = multiprocessing.get_context("fork").Process(target=call)
    process.start()
    process.join()
""")
    (child,) = tmp_path.glob("t.*.jsonl")
    assert Told.read(child).names() == ["socketpair", "send", "recv", "close", "close"]


def test_children_that_share_standard_error(programs):
    _, errors = programs("""
with socket.trace():
    if (pid := os.fork()) == 0:
        call()
        os._exit(0)
    os.waitpid(pid, 0)
    call()
    print(pid, file=sys.stderr)
""")
    *lines, pid = [line for line in errors.splitlines() if "send(" in line or line.isdigit()]
    assert [f"process {pid}" in line for line in lines] == [True, False]


# Signals.


def test_a_handler_that_calls_sockets(oxisocket, pair, traced):
    left, right = pair
    with traced() as told:

        def handler(*_):
            right.setblocking(True)
            oxisocket.socket().close()
            left.send(b"x")

        assert raised_by_signal(handler, lambda: right.recv(1)) == b"x"
    assert told.names() == ["setblocking", "socket", "close", "send", "recv"]
    assert told.total("in", 1) == told.total("out", number_of(told, left)) == 1


def test_a_handler_that_makes_a_socket_while_another_is_accepted(oxisocket, keep, traced):
    listening = keep(oxisocket.create_server(("127.0.0.1", 0)))
    with traced() as told:
        made = []
        raised_by_signal(
            lambda *_: made.append(keep(oxisocket.create_connection(listening.getsockname()))),
            lambda: keep(listening.accept()[0]),
        )
    assert told.names() == ["socket", "connect", "accept"] or "socket" in told.names()


def test_a_handler_that_raises(pair, traced):
    left, right = pair

    def handler(*_):
        raise LookupError("from the handler")

    with traced() as told:
        left.send(b"abc")
        with pytest.raises(LookupError):
            raised_by_signal(handler, lambda: right.recv_exactly(10))
        with pytest.raises(LookupError):
            raised_by_signal(handler, lambda: right.recv(10))
    exactly, plain = told.call("recv_exactly"), told.call("recv")
    assert (exactly["error"], exactly["in"]) == ("LookupError: from the handler", 3)
    assert (plain["error"], plain.get("in")) == ("LookupError: from the handler", None)


def test_an_exception_that_comes_again_does_not_count_again(pair, traced):
    """A handler raises an exception that had to do with another call."""
    left, right = pair
    left.send(b"abc")
    right.setblocking(False)
    with pytest.raises(BlockingIOError) as caught:
        right.recv_exactly(10)
    right.setblocking(True)
    caught.value.bytes_sent = 7

    def handler(*_):
        raise caught.value

    fill(left)
    with traced() as told:
        for call in (lambda: left.send(BIG), lambda: left.recv(1)):
            with pytest.raises(BlockingIOError):
                raised_by_signal(handler, call)
    assert [(each.get("in"), each.get("out")) for each in told.of("call") if each["call"] in ("send", "recv")] == [
        (None, None)
    ] * 2


# No code of the program runs.


class Hostile:
    """All that can run code, does."""

    ran: ClassVar[list[str]] = []

    def _run(self, name):
        Hostile.ran.append(name)
        raise RuntimeError(name)

    def __repr__(self):
        return self._run("repr")

    def __str__(self):
        return self._run("str")

    def __index__(self):
        return self._run("index")

    def __buffer__(self, flags):
        return self._run("buffer")

    def __getattribute__(self, name):
        if name.startswith("__") or name in ("ran", "_run"):
            return object.__getattribute__(self, name)
        return Hostile._run(self, f"attribute {name}")

    def __iter__(self):
        return self._run("iter")

    def __len__(self):
        return self._run("len")

    def __eq__(self, other):
        return self._run("eq")

    def __hash__(self):
        return 1


class HostileInt(int):
    __repr__ = __str__ = __index__ = lambda self: Hostile.ran.append("int")
    _name_ = property(lambda self: Hostile.ran.append("name"))

    def __getattr__(self, name):
        Hostile.ran.append(name)
        raise AttributeError(name)


class HostileStr(str):
    __repr__ = __str__ = __eq__ = lambda *_: Hostile.ran.append("str")
    __hash__ = str.__hash__


class HostileError(OSError):
    errno = property(lambda self: Hostile.ran.append("errno"))
    partial = bytes_sent = property(lambda self: Hostile.ran.append("partial"))

    def __str__(self):
        Hostile.ran.append("str of the error")
        return "x"


def without_and_with_trace(oxisocket, tmp_path, act):
    """What ran of the program's code, without a trace and with one."""
    ran = []
    for watching in False, True:
        Hostile.ran.clear()
        recording = oxisocket.trace(tmp_path / "t.jsonl")
        if watching:
            recording.start()
        try:
            act()
        except Exception as error:
            outcome = type(error)
        else:
            outcome = None
        ran.append((list(Hostile.ran), outcome))
        recording.stop()
    return ran


HOSTILE = {
    "an argument": lambda s, m: s.send(Hostile()),
    "a size": lambda s, m: s.recv(Hostile()),
    "a tuple": lambda s, m: s.connect((Hostile(), Hostile())),
    "nested": lambda s, m: s.connect([[[[[[Hostile()]]]]], (Hostile(),)]),
    "an int": lambda s, m: s.settimeout(HostileInt(5)),
    "an option": lambda s, m: s.setsockopt(HostileInt(1), HostileInt(2), HostileInt(1)),
    "a host": lambda s, m: m.getaddrinfo(HostileStr("127.0.0.1"), 80),
    "flags": lambda s, m: s.recv(0, HostileInt(64)),
    "buffers": lambda s, m: s.sendmsg([Hostile()]),
    "a keyword": lambda s, m: s.recv_into(buffer=Hostile(), flags=Hostile()),
    "an address": lambda s, m: s.sendto(b"x", Hostile()),
    "a family": lambda s, m: m.socket(Hostile()),
    "a file": lambda s, m: s.sendfile(Hostile()),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_code_of_the_program_runs_for_an_argument(oxisocket, pair, tmp_path, name):
    without, with_trace = without_and_with_trace(oxisocket, tmp_path, lambda: HOSTILE[name](pair[0], oxisocket))
    assert with_trace == without


def test_no_code_of_the_program_runs_for_an_error(oxisocket, pair, tmp_path):
    left, right = pair

    def handler(*_):
        raise error

    for error in (
        HostileError(1, "x"),
        OSError(1, Hostile()),
        OSError(Hostile()),
        ValueError(Hostile()),
        OSError(1, "x", Hostile()),
    ):
        without, with_trace = without_and_with_trace(
            oxisocket, tmp_path, lambda: raised_by_signal(handler, lambda: right.recv(1))
        )
        assert with_trace == without == ([], type(error))
        (call,) = Told.read(tmp_path / "t.jsonl").of("call", call="recv")
        assert call["error"] == type(error).__name__


def test_no_code_of_the_program_runs_for_a_subclass(oxisocket, tmp_path, keep):
    class Own(oxisocket.socket):
        def __getattribute__(self, name):
            Hostile.ran.append(name)
            return super().__getattribute__(name)

        def __repr__(self):
            Hostile.ran.append("repr")
            return "x"

        fileno = getsockname = getpeername = gettimeout = lambda self: Hostile.ran.append("overridden")

    class Thread(threading.Thread):
        def __getattribute__(self, name):
            if threading.current_thread is not threading.main_thread and name == "_name" and self._started.is_set():
                Hostile.ran.append("name")
            return super().__getattribute__(name)

    sock = keep(Own(type=oxisocket.SOCK_DGRAM))

    def act():
        oxisocket.socket.bind(sock, ("127.0.0.1", 0))
        Hostile.ran.clear()
        oxisocket.socket.setblocking(sock, False)
        with pytest.raises(BlockingIOError):
            oxisocket.socket.recv(sock, 1)

    def in_thread():
        thread = Thread(target=lambda: oxisocket.socket.getsockname(sock))
        thread.start()
        thread.join()

    without, with_trace = without_and_with_trace(oxisocket, tmp_path, act)
    assert with_trace[0] == without[0] == []
    without, with_trace = without_and_with_trace(oxisocket, tmp_path, in_thread)
    assert with_trace == without


def test_a_class_that_calls_itself_an_array(oxisocket, pair, tmp_path):
    fake = type("array.array", (Hostile,), {})
    without, with_trace = without_and_with_trace(oxisocket, tmp_path, lambda: pair[0].connect(fake()))
    assert with_trace == without
    with oxisocket.trace(tmp_path / "u.jsonl"):
        pair[0].send(array.array("i", [1, 2]))
    assert Told.read(tmp_path / "u.jsonl").call("send")["out"] == 8


def test_large_and_strange_arguments(oxisocket, pair, traced):
    left, _ = pair
    nested = []
    for _ in range(100_000):
        nested = [nested]
    itself = []
    itself.append(itself)
    with traced() as told:
        for strange in (
            tuple(range(100_000)),
            nested,
            itself,
            "\ud800",
            "x" * 10_000,
            10**5000,
            {},
            float("nan"),
            b"\xff" * 100_000,
        ):
            with pytest.raises((TypeError, OSError, ValueError)):
                left.connect(strange)
        with pytest.raises(TypeError):
            left.recv(*range(100_000))
        with pytest.raises(TypeError):
            left.recv_into(**{f"k{n}": n for n in range(1000)})
    assert all(len(each["arguments"]) < 2000 for each in told.of("call"))
    assert told.of("call")[0]["arguments"].endswith("… 99988 more)")
    while nested:
        nested = nested.pop()


# Threads, leaks.


def test_recordings_that_begin_and_end_while_threads_call(oxisocket, tmp_path):
    stop = threading.Event()

    def work():
        left, right = oxisocket.socketpair()
        with left, right:
            while not stop.is_set():
                left.send(b"x")
                right.recv(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for number in range(15):
        with oxisocket.trace(tmp_path / f"{number % 3}.jsonl"), oxisocket.trace(io.StringIO()):
            time.sleep(0.001)
        told = Told.read(tmp_path / f"{number % 3}.jsonl")
        assert told.events[-1]["event"] == "exit"
    stop.set()
    for each in threads:
        each.join()


def test_nothing_is_lost_when_threads_call_at_once(oxisocket, traced):
    def work():
        left, right = oxisocket.socketpair()
        with left, right:
            for _ in range(200):
                left.send(b"x")
                right.recv(1)

    with traced() as told:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert told.names().count("send") == told.names().count("recv") == 800
    assert len(told.of("thread")) == 4


def test_a_trace_keeps_nothing_alive(oxisocket, tmp_path):
    class Own(oxisocket.socket):
        pass

    with oxisocket.trace(tmp_path / "t.jsonl"):
        sock = Own()
        gone = weakref.ref(sock)
        sock.settimeout(5)
        sock.close()
        del sock
        assert gone() is None


@pytest.mark.parametrize("form", [".jsonl", ".txt"])
def test_references_stay_flat(oxisocket, pair, tmp_path, form):
    left, right = pair
    data, error = b"data" * 10, oxisocket.gaierror

    def rounds(count):
        for _ in range(count):
            left.send(data)
            right.recv(100)
            left.sendmsg([data])
            right.recvmsg_into([bytearray(100)])
            for each in oxisocket.socketpair():
                each.close()
            with pytest.raises(error):
                oxisocket.getaddrinfo("256.0.0.1", 80, 0, 0, 0, oxisocket.AI_NUMERICHOST)

    with oxisocket.trace(tmp_path / f"t{form}", callers=True):
        rounds(50)
        gc.collect()
        before = sys.getallocatedblocks(), sys.getrefcount(data)
        rounds(1000)
        gc.collect()
        after = sys.getallocatedblocks(), sys.getrefcount(data)
    assert after[1] == before[1] and after[0] - before[0] < 300


def test_it_costs_the_same_when_it_is_over(oxisocket, tmp_path):
    """No watcher is left behind."""
    with oxisocket.trace(tmp_path / "t.jsonl"):
        oxisocket.socket().close()
    with oxisocket.observe(lambda event: None):
        pass
    left, right = oxisocket.socketpair()
    with left, right:
        left.send(b"x")
        assert oxisocket._socket._trace_facts(left) is None


def test_a_garbage_collection_in_the_middle(programs, tmp_path):
    """Finalizers that call sockets run whenever an object is made: never inside the recorder's lock."""
    output, errors = programs("""
import gc, faulthandler
faulthandler.dump_traceback_later(15, exit=True)
spare = socket.socketpair()
class Finalized:
    def __init__(self):
        self.cycle = self
    def __del__(self):
        spare[0].send(b"x")
        spare[1].recv(1)
        socket.socket().close()
with socket.trace("t.jsonl", callers=True), socket.observe(lambda event: [event]):
    gc.set_threshold(1)
    for _ in range(50):
        Finalized()
        call()
        try:
            socket.getaddrinfo("256.0.0.1", 80, 0, 0, 0, socket.AI_NUMERICHOST)
        except OSError:
            pass
    gc.set_threshold(700)
[each.close() for each in spare]
print("done")
faulthandler.cancel_dump_traceback_later()
""")
    assert (output, errors) == ("done\n", "")
    assert Told.read(tmp_path / "t.jsonl").events[-1]["lost"] == 0
