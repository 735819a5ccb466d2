"""A trace of native TLS tells the plain text, and says so; one of asyncio tells what the loop's sockets carry."""

from __future__ import annotations

import base64
import shutil
import subprocess

import pytest
from told import Told
from waiting import HANG_TIMEOUT

pytest.importorskip("ssl")
WATCHES = True


SETUP = """
import contextlib, os, sys, threading, time
import oxisocket
from concurrent.futures import ThreadPoolExecutor
oxisocket.install()
if "late" not in sys.argv:
    import ssl
threads = ThreadPoolExecutor()
stack = contextlib.ExitStack()
keep = stack.enter_context

def handshake():
    import ssl
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(sys.argv[1])
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(sys.argv[1])
    with oxisocket.create_server(("127.0.0.1", 0)) as listening:
        near = keep(oxisocket.create_connection(listening.getsockname()))
        far = keep(listening.accept()[0])
    accepted = threads.submit(server.wrap_socket, far, server_side=True)
    return keep(client.wrap_socket(near, server_hostname="localhost")), keep(accepted.result())

"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a key and its self-signed certificate for `localhost`."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is missing")
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command, *names, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".pem.crt").read_text())
    return path


@pytest.fixture
def socket(oxisocket):
    return oxisocket


@pytest.fixture
def told(program, certificate, tmp_path):
    """`told(code)` runs a program with TLS: what its trace `t.jsonl` has told."""

    def told(code, *args):
        process = program(SETUP + code + "\nstack.close()\nthreads.shutdown()\n", str(certificate), *args, cwd=tmp_path)
        output, errors = process.communicate(timeout=HANG_TIMEOUT)
        assert process.returncode == 0, errors
        assert errors == ""
        return Told.read(tmp_path / "t.jsonl")

    return told


TALK = """
    near.sendall(b"sendall")
    assert far.recv(100) == b"sendall"
    near.send(b"send")
    buffer = bytearray(10)
    assert far.recv_into(buffer) == 4
    near.write(b"write")
    assert far.read(100) == b"write"
    with near.makefile("wb") as out, far.makefile("rb") as into:
        out.write(b"a line\\n")
        out.flush()
        assert into.readline() == b"a line\\n"
"""


@pytest.mark.parametrize("when", ["early", "late"])
def test_the_plain_text(told, when):
    """Whether `ssl` is imported before the trace begins, or after."""
    record = told("with oxisocket.trace('t.jsonl', bytes=100):\n    near, far = handshake()\n" + TALK, when)
    calls = record.of("call", tls=True)
    plain = [each for each in calls if "in" in each or "out" in each]
    assert [(each["call"], each.get("out", each.get("in"))) for each in plain] == [
        ("send", 7), ("read", 7), ("send", 4), ("read", 4), ("write", 5), ("read", 5), ("send", 7), ("read", 7),
    ]  # fmt: skip
    data = [base64.b64decode(each["data"]) for each in plain]
    assert data == [b"sendall"] * 2 + [b"send"] * 2 + [b"write"] * 2 + [b"a line\n"] * 2
    near, far = plain[0]["socket"], plain[1]["socket"]
    for number, other in (near, far), (far, near):
        assert record.total("out", number) == record.total("in", other)
    assert [each["call"] for each in calls if "in" not in each and "out" not in each] == ["do_handshake"] * 2
    assert record.socket(near)["peer"] == record.socket(far)["local"]


def test_the_end_of_tls(told):
    record = told("""
with oxisocket.trace('t.jsonl'):
    near, far = handshake()
    ended = threads.submit(far.unwrap)
    near.unwrap()
    ended.result()
""")
    assert record.names().count("unwrap") == 2


def test_waits_of_tls(told):
    record = told("""
with oxisocket.trace('t.jsonl'):
    near, far = handshake()
    near.send(b"ab")
    far.read(1)
    far.read(1)
    timer = threading.Timer(0.1, near.send, (b"c",))
    timer.start()
    far.read(1)
    timer.join()
    far.settimeout(0.05)
    try:
        far.read(1)
    except TimeoutError:
        pass
""")
    reads = record.of("call", call="read")
    waits = {each["t"] for each in record.of("wait", call="read")}
    assert [each["t"] in waits for each in reads] == [False, False, True, True]
    assert reads[1]["waited"] == 0 and reads[2]["waited"] > 50_000_000
    assert reads[3]["error"].startswith("TimeoutError: ") and "in" not in reads[3]


@pytest.mark.parametrize("first", ["deadline", "trace"])
def test_a_deadline_and_a_trace(told, first):
    record = told(f"""
if {first == "deadline"}:
    with oxisocket.deadline(60):
        pass
with oxisocket.trace('t.jsonl'):
    near, far = handshake()
    with oxisocket.deadline(0.1):
        try:
            far.read(1)
        except TimeoutError:
            print("timed out")
    near.send(b"x")
    far.settimeout(5)
    with oxisocket.deadline(60):
        far.read(1)
    assert far.gettimeout() == 5
""")
    # The standard library sets those of None, when it wraps a socket.
    assert [each["arguments"] for each in record.of("call", call="settimeout") if each["arguments"] != "None"] == ["5"]
    assert [each.get("in") for each in record.of("call", call="read")] == [None, 1]
    assert record.of("call", call="read")[0]["waited"] > 50_000_000


def test_exact_receives_and_readers_over_tls(told):
    record = told("""
with oxisocket.trace('t.jsonl'):
    near, far = handshake()
    near.sendall(b"x" * 30)
    assert far.recv_exactly(10) == b"x" * 10
    assert oxisocket.Reader(far).readexactly(20) == b"x" * 20
    import io
    near.sendfile(io.BytesIO(b"y" * 10))
    far.read(10)
""")
    number = record.of("call", call="read")[0]["socket"]
    assert record.total("in", number) == 40
    assert {each.get("tls") for each in record.of("call", socket=number) if each.get("in")} == {True}


ASYNC = """
import asyncio

async def serve(reader, writer):
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()
    await writer.wait_closed()

async def main(server_context=None, client_context=None):
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context)
    where = server.sockets[0].getsockname()
    name = "localhost" if client_context else None
    reader, writer = await asyncio.open_connection(*where, ssl=client_context, server_hostname=name)
    writer.write(b"hello\\n")
    assert await reader.read() == b"HELLO\\n"
    writer.close()
    try:
        await writer.wait_closed()
    except Exception:
        pass
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.05)
"""


def test_asyncio(told):
    record = told(ASYNC + "\nwith oxisocket.trace('t.jsonl', filter='tcp'):\n    asyncio.run(main())\n")
    data = [(each["call"], base64.b64decode(each["data"])) for each in record.of("call") if each.get("data")]
    assert data == [("send", b"hello\n"), ("recv", b"hello\n"), ("send", b"HELLO\n"), ("recv", b"HELLO\n")]
    assert record.of("exit")[0]["open"] == []
    assert record.of("wait") == []


def test_asyncio_over_tls(told):
    """asyncio has OpenSSL encrypt in memory: what its sockets carry is ciphertext."""
    record = told(
        ASYNC
        + """
import ssl
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(sys.argv[1])
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client.load_verify_locations(sys.argv[1])
with oxisocket.trace('t.jsonl', filter='tcp', bytes=10000):
    asyncio.run(main(server, client))
"""
    )
    data = b"".join(base64.b64decode(each["data"]) for each in record.of("call") if each.get("data"))
    assert b"hello" not in data and b"HELLO" not in data and b"\x16\x03" in data
    assert not record.of("call", tls=True)
    ends = {each["socket"] for each in record.of("call") if each.get("in")}
    one, other = sorted(ends)
    assert record.total("out", one) == record.total("in", other)
