"""The standard library's `ssl` on our sockets: TLS works as on the stdlib's."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from marks import only_oxisocket

ssl = pytest.importorskip("ssl")  # imported here with the stdlib's class, as in a program that imports oxisocket late

VERSIONS = [name for name in ("TLSv1_2", "TLSv1_3") if getattr(ssl, f"HAS_{name}")]

BEGINNING = """
import contextlib, socket, ssl, sys, threading
from concurrent.futures import ThreadPoolExecutor

certificate, version = sys.argv[1], ssl.TLSVersion[sys.argv[2]]

server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(certificate)
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client.load_verify_locations(certificate)
for context in server, client:
    context.minimum_version = context.maximum_version = version

threads = ThreadPoolExecutor()
stack = contextlib.ExitStack()
keep = stack.enter_context

def connect():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        near = keep(socket.create_connection(listening.getsockname()))
        far = keep(listening.accept()[0])
    near.settimeout(20)
    far.settimeout(20)
    return near, far

def handshake():
    near, far = connect()
    accepted = threads.submit(server.wrap_socket, far, server_side=True)
    wrapped = keep(client.wrap_socket(near, server_hostname="localhost"))
    return wrapped, keep(accepted.result())
"""
END = """
stack.close()
threads.shutdown()
"""


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A file with a key and its self-signed certificate for `localhost`."""
    if shutil.which("openssl"):
        return made_by_openssl(tmp_path_factory.mktemp("certificate"))
    tests = importlib.util.find_spec("test")
    for folder in tests.submodule_search_locations if tests else []:
        for path in ("certdata/keycert.pem", "keycert.pem"):
            if Path(folder, path).exists():
                return Path(folder, path)
    pytest.skip("there is neither the command openssl nor the interpreter's own test suite with its certificate")


def made_by_openssl(folder):
    key, certificate, both = (folder / name for name in ("key.pem", "certificate.pem", "both.pem"))
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


@pytest.fixture(params=VERSIONS)
def tls(request, socket, certificate, tmp_path, with_parts):
    """Runs a program in which `ssl` uses the module under test, with functions that connect two TLS sockets."""
    launcher = [] if socket.__name__ == "socket" else ["-m", socket.__name__]

    def run(code):
        script = tmp_path / "script.py"
        script.write_text(BEGINNING + code + END)
        command = [sys.executable, "-W", "error", *launcher, script, certificate, request.param]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, env=with_parts)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


def test_the_base_class_is_ours(tls):
    assert not tls("""
import _socket
assert ssl.SSLSocket.__mro__[1] is socket.socket
assert issubclass(ssl.SSLSocket, socket.socket) and issubclass(ssl.SSLSocket, _socket.socket)
for end in handshake():
    assert isinstance(end, socket.socket), end
    assert repr(end).startswith("<ssl.SSLSocket fd="), end
""")


def test_both_directions_in_all_sizes(tls):
    assert not tls("""
from waiting import recv_all

near, far = handshake()
assert near.version() == far.version() == sys.argv[2].replace("_", ".")

for size in 1, 2, 100, 16_383, 16_384, 16_385, 65_536, 1_000_000:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    for one, other in (near, far), (far, near):
        received = threads.submit(recv_all, other, size)
        assert one.sendall(data) is None
        assert received.result() == data
""")


def test_every_call_of_a_wrapped_socket(tls):
    assert not tls("""
near, far = handshake()
assert near.send(b"abc") == 3 and far.recv(2) == b"ab" and far.pending() == 1 and far.recv(10) == b"c"
assert near.write(b"abc") == 3 and far.read(10) == b"abc"
buffer = bytearray(10)
near.sendall(b"abc")
assert far.recv_into(buffer) == 3 and bytes(buffer[:3]) == b"abc"
near.sendall(memoryview(b"abcdef")[::1])
assert far.recv_into(memoryview(buffer)[2:], 2) == 2 and far.recv(10) == b"cdef" and bytes(buffer[:4]) == b"abab"
for refused in (
    lambda: near.sendto(b"x", ("127.0.0.1", 1)),
    lambda: near.recv(1, socket.MSG_PEEK),
    lambda: near.send(b"x", socket.MSG_OOB),
    lambda: near.recvfrom(1),
    lambda: near.recvfrom_into(buffer),
):
    try:
        refused()
    except ValueError:
        pass
    else:
        assert False
for refused in lambda: near.sendmsg([b"x"]), lambda: near.recvmsg(1), lambda: near.recvmsg_into([buffer]), near.dup:
    try:
        refused()
    except NotImplementedError:
        pass
    else:
        assert False
near.close()
assert near.fileno() == -1
""")


def test_wrapping_detaches_the_descriptor(tls):
    assert not tls("""
plain, far = connect()
number, timeout = plain.fileno(), plain.gettimeout()
wrapped = keep(client.wrap_socket(plain, do_handshake_on_connect=False, server_hostname="localhost"))
assert plain.fileno() == -1 and wrapped.fileno() == number
assert wrapped.gettimeout() == timeout == 20
assert (wrapped.family, wrapped.type, wrapped.proto) == (plain.family, plain.type, plain.proto)
assert wrapped.getpeername() == far.getsockname()
""")


def test_timeout_in_the_handshake(tls):
    assert tls("""
near, far = connect()
near.settimeout(0.05)
try:
    client.wrap_socket(near, server_hostname="localhost")
except socket.timeout as error:
    assert isinstance(error, TimeoutError)
    print(error)
""").startswith(("_ssl.c:", "(", "The handshake", "timed out"))


def test_timeout_in_recv_and_the_connection_still_works(tls):
    assert not tls("""
near, far = handshake()
near.settimeout(0.05)
for _ in range(2):
    try:
        near.recv(10)
    except socket.timeout as error:
        assert "timed out" in str(error), error
    else:
        assert False
far.sendall(b"late")
near.settimeout(20)
assert near.recv(10) == b"late"
""")


def test_timeout_in_sendall(tls):
    assert not tls("""
from waiting import BIG, limit_buffers
near, far = handshake()
limit_buffers(near, far)
near.settimeout(0.1)
try:
    near.sendall(BIG)
except socket.timeout:
    pass
else:
    assert False
""")


def test_a_blocked_recv(tls):
    assert not tls("""
near, far = handshake()
near.settimeout(None)
waiting = threads.submit(near.recv, 10)
far.sendall(b"hello")
assert waiting.result() == b"hello"
""")


def test_a_non_blocking_handshake(tls):
    assert not tls("""
near, far = connect()
near.setblocking(False)
far.setblocking(False)
ends = [
    keep(client.wrap_socket(near, server_hostname="localhost", do_handshake_on_connect=False)),
    keep(server.wrap_socket(far, server_side=True, do_handshake_on_connect=False)),
]
assert [end.gettimeout() for end in ends] == [0, 0]
seen, unfinished = set(), list(ends)
while unfinished:
    for end in list(unfinished):
        try:
            end.do_handshake()
            unfinished.remove(end)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            seen.add(type(error))
assert ssl.SSLWantReadError in seen
try:
    ends[1].recv(1)
except ssl.SSLWantReadError:
    pass
else:
    assert False
sent = 0
try:
    while True:
        sent += ends[0].send(b"x" * 10_000)
except ssl.SSLWantWriteError:
    pass
received = 0
with contextlib.suppress(ssl.SSLWantReadError):
    while True:
        received += len(ends[1].recv(65536))
assert 0 < received <= sent
""")


def test_unwrap_returns_the_plain_connection(tls):
    assert not tls("""
near, far = handshake()
number = near.fileno()
plain_far = threads.submit(far.unwrap)
plain_near = near.unwrap()
plain_far = plain_far.result()
for plain in plain_near, plain_far:
    assert isinstance(plain, socket.socket)
assert plain_near.fileno() == number
plain_near.sendall(b"in the open")
assert plain_far.recv(20) == b"in the open"
""")


def test_eof(tls):
    assert not tls("""
near, far = handshake()
near.sendall(b"last")
near.shutdown(socket.SHUT_WR)
assert far.recv(10) == b"last"
assert far.recv(10) == b""
""")


def test_session_attributes(tls):
    assert not tls("""
near, far = handshake()
assert not near.server_side and far.server_side
assert near.server_hostname == "localhost" and far.server_hostname is None
assert near.context is client and far.context is server
assert near.cipher() == far.cipher()
assert far.cipher() in far.shared_ciphers()
assert ("DNS", "localhost") in near.getpeercert()["subjectAltName"]
assert near.getpeercert(True) and far.getpeercert() is None
assert near.get_channel_binding("tls-unique") == far.get_channel_binding("tls-unique")
far.sendall(b"with the tickets")
near.recv(20)
session = near.session
assert session.id or session.has_ticket
again_near, again_far = connect()
accepted = threads.submit(server.wrap_socket, again_far, server_side=True)
again = keep(client.wrap_socket(again_near, server_hostname="localhost", session=session))
keep(accepted.result())
assert again.session_reused and not near.session_reused
""")


def test_files_over_tls(tls):
    assert not tls("""
near, far = handshake()
with near.makefile("rw", encoding="utf-8", newline="\\n") as there, far.makefile("rwb") as here:
    there.write("grüße\\n" * 1000)
    there.flush()
    for _ in range(1000):
        assert here.readline() == "grüße\\n".encode()
    here.write(b"back\\nand more")
    here.flush()
    assert there.readline() == "back\\n"
    near.close()
    assert near.fileno() != -1
    assert there.read(8) == "and more"
assert near.fileno() == -1
""")


def test_sendfile_over_tls(tls, tmp_path):
    (tmp_path / "data").write_bytes(bytes(range(256)) * 1000)
    assert not tls(f"""
near, far = handshake()
with open({str(tmp_path / "data")!r}, "rb") as file:
    sent = threads.submit(near.sendfile, file)
    received = b""
    while len(received) < 256_000:
        received += far.recv(65536)
    assert sent.result() == 256_000
assert received == bytes(range(256)) * 1000
""")


def test_a_wrapped_listener_accepts(tls):
    assert not tls("""
with server.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True) as listening:
    def serve():
        connection, peer = listening.accept()
        with connection:
            assert isinstance(connection, ssl.SSLSocket) and isinstance(connection, socket.socket)
            connection.sendall(connection.recv(10).upper())
            assert connection.recv(1) == b""
        return peer
    peer = threads.submit(serve)
    with client.wrap_socket(socket.socket(), server_hostname="localhost") as end:
        end.connect(listening.getsockname())
        end.sendall(b"hello")
        assert end.recv(10) == b"HELLO"
        name = end.getsockname()
    assert peer.result() == name
""")


def test_timeout_of_a_wrapped_listener(tls):
    assert (
        tls("""
with server.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True) as listening:
    listening.settimeout(0.05)
    try:
        listening.accept()
    except socket.timeout as error:
        print(error)
    assert listening.fileno() != -1
""")
        == "timed out\n"
    )


def test_connect_ex_does_the_handshake(tls):
    assert not tls("""
with socket.create_server(("127.0.0.1", 0)) as listening:
    accepted = threads.submit(lambda: server.wrap_socket(listening.accept()[0], server_side=True))
    near = keep(client.wrap_socket(socket.socket(), server_hostname="localhost"))
    assert near.connect_ex(listening.getsockname()) == 0
    far = keep(accepted.result())
near.sendall(b"x")
assert far.recv(10) == b"x"
""")


def test_no_leak_when_the_peer_does_not_speak_tls(tls):
    assert not tls("""
import gc, os
from descriptors import open_numbers

near, far = connect()
before = len(open_numbers())
far.sendall(b"HTTP/1.1 400 Bad Request\\r\\n\\r\\n")
try:
    client.wrap_socket(near, server_hostname="localhost")
except ssl.SSLError:
    pass
else:
    assert False
gc.collect()
assert near.fileno() == -1
assert len(open_numbers()) == before - 1
""")


def test_no_client_certificate_is_refused(tls):
    assert not tls("""
server.verify_mode = ssl.CERT_REQUIRED
near, far = connect()
accepted = threads.submit(server.wrap_socket, far, server_side=True)
try:
    wrapped = keep(client.wrap_socket(near, server_hostname="localhost"))
    wrapped.recv(1)
except (ssl.SSLError, ConnectionResetError):
    pass
else:
    assert False
assert isinstance(accepted.exception(), ssl.SSLError)
""")


def test_tls_over_unix_sockets(tls, tmp_path):
    assert not tls("""
near, far = (keep(end) for end in socket.socketpair())
accepted = threads.submit(server.wrap_socket, far, server_side=True)
near = keep(client.wrap_socket(near, server_hostname="localhost"))
far = keep(accepted.result())
near.sendall(b"x")
assert far.recv(10) == b"x"
assert near.family == socket.AF_UNIX
""")


@pytest.mark.parametrize("library", ["http.client", "asyncio"])
def test_modules_that_use_ssl(tls, library):
    assert tls(USING_SSL[library]) == "hello\n"


USING_SSL = {
    "http.client": """
import http.client, http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args):
        pass

with http.server.HTTPServer(("127.0.0.1", 0), Handler) as service:
    service.socket = server.wrap_socket(service.socket, server_side=True)
    serving = threads.submit(service.serve_forever, 0.01)
    connection = http.client.HTTPSConnection("127.0.0.1", service.server_port, context=client, timeout=20)
    client.check_hostname = False
    connection.request("GET", "/")
    print(connection.getresponse().read().decode())
    connection.close()
    service.shutdown()
    serving.result()
""",
    "asyncio": """
import asyncio

async def handle(reader, writer):
    writer.write((await reader.readline()).lower())
    await writer.drain()
    writer.close()
    await writer.wait_closed()

async def main():
    service = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=server)
    async with service:
        name = service.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*name, ssl=client, server_hostname="localhost")
        writer.write(b"HELLO\\n")
        print((await reader.read()).decode(), end="")
        writer.close()
        await writer.wait_closed()

asyncio.run(main())
""",
}


def test_ssl_imported_before_wraps_our_sockets(oxisocket, certificate, keep, start):
    """`_ssl` knows the class that existed when it was imported, and uses only methods that our sockets have too."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(certificate)
    near, far = oxisocket.socketpair()
    near.settimeout(20)
    numbers = {near.fileno(), far.fileno()}
    accepted = start(lambda: server.wrap_socket(far, server_side=True))
    near_tls = keep(client.wrap_socket(near, server_hostname="localhost"))
    far_tls = keep(accepted.result())
    assert near.fileno() == far.fileno() == -1
    assert {near_tls.fileno(), far_tls.fileno()} == numbers
    assert (near_tls.gettimeout(), far_tls.gettimeout()) == (20, None)
    near_tls.sendall(b"hello")
    assert far_tls.recv(10) == b"hello"


def test_ssl_imported_before_still_works(oxisocket, certificate, tmp_path):
    """oxisocket replaces `socket` after `ssl` was imported: TLS still works, through the class that `ssl` knows."""
    script = tmp_path / "script.py"
    take_over = "import ssl, oxisocket\noxisocket.install()\n"
    talk = "near, far = handshake()\nnear.sendall(b'hello')\nassert far.recv(10) == b'hello'\n"
    script.write_text(take_over + BEGINNING + talk + END)
    command = [sys.executable, "-W", "error", script, certificate, VERSIONS[-1]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, env=os.environ)
    assert (done.returncode, done.stderr) == (0, "")


@only_oxisocket
def test_calls_end_with_the_deadline_of_their_thread(tls):
    assert not tls("""
import oxisocket, time

def ends(call):
    started = time.monotonic()
    try:
        with oxisocket.deadline(0.2):
            call()
    except TimeoutError:
        assert 0.15 < time.monotonic() - started < 10
    else:
        raise AssertionError(call)

near, far = handshake()
for timeout in (None, 60.0):
    near.settimeout(timeout)
    for call in (lambda: near.recv(1), lambda: near.read(1), lambda: near.recv_into(bytearray(1)), near.makefile("rb").readline):
        ends(call)
        assert near.gettimeout() == timeout
near.settimeout(0.1)
started = time.monotonic()
with oxisocket.deadline(60):
    try:
        near.recv(1)
    except TimeoutError:
        pass
assert time.monotonic() - started < 10
near.settimeout(None)
far.sendall(b"data")
with oxisocket.deadline(60):
    assert near.recv(4) == b"data"
ends(lambda: near.sendall(bytes(10**8)))

near, far = connect()
silent = keep(client.wrap_socket(near, server_hostname="localhost", do_handshake_on_connect=False))
silent.settimeout(None)
ends(silent.do_handshake)
silent.settimeout(0.0)
ends(lambda: silent.do_handshake(True))
assert silent.gettimeout() == 0.0
""")


@only_oxisocket
def test_calls_of_two_threads_give_the_timeout_back(tls):
    """The second call finds the timeout of the first one's deadline, which is not the one to restore."""
    assert not tls("""
import oxisocket, threading, time

near, far = handshake()
near.settimeout(None)
# OpenSSL's connection is not for two threads at once, and the interpreter does not lock it in each version. So each waits where nothing
# comes, outside OpenSSL, when the other calls: the tickets of TLS 1.3 are received before.
far.sendall(b"x")
assert near.recv(1) == b"x"

def times_out(seconds, call):
    try:
        with oxisocket.deadline(seconds):
            call()
    except TimeoutError:
        return
    raise AssertionError(call)

reading = threading.Thread(target=times_out, args=(0.8, lambda: near.recv(1)))
reading.start()
while near.gettimeout() is None:
    time.sleep(0.001)
time.sleep(0.3)  # until OpenSSL waits
times_out(1.0, lambda: near.sendall(bytes(10**8)))
reading.join()
assert near.gettimeout() is None

# What the program sets meanwhile stays.
reading = threading.Thread(target=times_out, args=(0.8, lambda: near.recv(1)))
reading.start()
while near.gettimeout() is None:
    time.sleep(0.001)
time.sleep(0.3)  # until OpenSSL waits: a timeout that is set before counts
near.settimeout(50)
reading.join()
assert near.gettimeout() == 50
""")


@only_oxisocket
def test_exact_receives_are_of_what_was_decrypted(tls):
    assert not tls("""
near, far = handshake()
data = bytes(range(256)) * 1000
sending = threads.submit(far.sendall, b"head" + data + b"line\\nrest")
buffer = bytearray(len(data))
assert near.recv_exactly(4) == b"head"
assert near.recv_exactly_into(buffer) == len(data)
assert buffer == data
reader = socket.Reader(near)
assert (reader.readline(), reader.readexactly(4)) == (b"line\\n", b"rest")
sending.result()
near.settimeout(0.1)
far.sendall(b"ab")
try:
    near.recv_exactly(4)
except TimeoutError as error:
    assert error.partial == b"ab"
far.sendall(b"cd")
try:
    reader.readline()
except TimeoutError:
    assert reader.buffered == b"cd"
for flags in (socket.MSG_PEEK, socket.MSG_DONTWAIT):
    try:
        near.recv_exactly(4, flags)
    except ValueError:
        continue
    raise AssertionError(flags)
""")
