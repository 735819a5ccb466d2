"""sendfile: a whole file in few system calls, or through plain send where the file is not a regular file."""

import functools
import io
import os

import pytest
from waiting import BIG, limit_buffers

DATA = BIG


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(DATA)
    return path


@pytest.fixture(params=["file", "bytes"])
def source(request, path, keep):
    """A file that the kernel can send from, or an object that only has `read`."""
    return keep(open(path, "rb") if request.param == "file" else io.BytesIO(DATA))


@pytest.fixture
def everything(start):
    """Starts to receive until EOF; `.result()` is what was received."""

    def read_all(sock):
        chunks = []
        while chunk := sock.recv(1 << 16):
            chunks.append(chunk)
        return b"".join(chunks)

    return lambda sock: start(read_all, sock)


@pytest.mark.parametrize("timeout", [None, 20])
def test_whole_file(socket, tcp_pair, source, everything, timeout):
    client, server = tcp_pair
    client.settimeout(timeout)
    receiving = everything(server)
    assert client.sendfile(source) == len(DATA)
    client.close()
    assert receiving.result() == DATA
    assert source.tell() == len(DATA)


@pytest.mark.parametrize("pair", ["tcp_pair", "unix_pair"])
@pytest.mark.parametrize(
    ("offset", "count", "expected"),
    [(0, 5, DATA[:5]), (10, 5, DATA[10:15]), (10, None, DATA[10:]), (len(DATA) - 3, 10, DATA[-3:]), (5, 1 << 20, DATA[5 : 5 + (1 << 20)]),
     (0, 2**40, DATA), (100, 8192 * 3 + 1, DATA[100 : 100 + 8192 * 3 + 1])],
)  # fmt: skip
def test_offset_and_count(socket, request, source, everything, pair, offset, count, expected):
    client, server = request.getfixturevalue(pair)
    receiving = everything(server)
    assert client.sendfile(source, offset, count) == len(expected)
    assert source.tell() == offset + len(expected)
    client.close()
    assert receiving.result() == expected


def test_keywords(socket, unix_pair, source):
    left, right = unix_pair
    assert left.sendfile(file=source, offset=3, count=4) == 4
    assert right.recv(100) == DATA[3:7]


@pytest.mark.parametrize("offset", [len(DATA), len(DATA) + 100])
def test_offset_at_or_after_the_end(both, path, offset):
    seen = []
    for each in both:
        for source in (open(path, "rb"), io.BytesIO(DATA)):
            left, right = each.socketpair()
            with left, right, source:
                seen.append((left.sendfile(source, offset), source.tell()))
    assert seen[:2] == seen[2:]
    assert [sent for sent, _ in seen] == [0] * 4


def test_empty_file(both, tmp_path):
    (tmp_path / "empty").touch()
    for each in both:
        left, right = each.socketpair()
        with left, right, open(tmp_path / "empty", "rb") as file:
            assert left.sendfile(file) == 0


def test_the_file_position_does_not_matter_without_an_offset(both, path):
    """os.sendfile starts at the given offset, plain reading at the file position, as in the stdlib."""
    seen = []
    for each in both:
        for source in (open(path, "rb"), io.BytesIO(DATA)):
            left, right = each.socketpair()
            with left, right, source:
                source.seek(7)
                seen.append((left.sendfile(source, count=5), source.tell(), right.recv(100)))
    assert seen[:2] == seen[2:]


def test_unbuffered_file(socket, unix_pair, path, keep):
    left, right = unix_pair
    assert left.sendfile(keep(open(path, "rb", buffering=0)), 1, 3) == 3
    assert right.recv(10) == DATA[1:4]


def test_pipe(socket, unix_pair):
    """The kernel cannot send from a pipe at an offset: it is read and sent."""
    left, right = unix_pair
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as sink:
        sink.write(b"through a pipe")
        sink.close()

        class WithoutSeek:
            fileno = source.fileno
            read = source.read

        sent = left.sendfile(WithoutSeek())
    assert sent in (0, 14)  # fstat gives a pipe the size 0, which counts as an empty file
    if sent:
        assert right.recv(100) == b"through a pipe"


def test_object_that_only_reads(socket, unix_pair):
    left, right = unix_pair

    chunks = [b"one", b"two", b""]

    class Reader:
        def read(self, size):
            assert size == 8192
            return chunks.pop(0)

    assert left.sendfile(Reader()) == 6
    assert right.recv(10) == b"onetwo"


def test_file_without_a_descriptor(socket, unix_pair):
    left, right = unix_pair

    class WithoutDescriptor(io.BytesIO):
        def fileno(self):
            raise io.UnsupportedOperation("fileno")

    assert left.sendfile(WithoutDescriptor(b"data")) == 4
    assert right.recv(10) == b"data"


@pytest.mark.parametrize("count", [0, -1, 1.5, "1", b"1", [], 2**70], ids=repr)
def test_wrong_counts(both, answer, path, count):
    outcomes = []
    for each in both:
        for source in (open(path, "rb"), io.BytesIO(b"data")):
            left, right = each.socketpair()
            with left, right, source:
                left.settimeout(0.05)
                outcomes.append(answer(left.sendfile, source, 0, count))
                outcomes.append(source.tell())
    assert outcomes[:4] == outcomes[4:] or count == 2**70
    assert [each[:2] for each in outcomes[::2]][:2] == [each[:2] for each in outcomes[::2]][2:]


@pytest.mark.parametrize("offset", [-1, 1.5, "1", None, 2**70, -(2**70)], ids=repr)
def test_wrong_offsets(both, answer, path, offset):
    outcomes = []
    for each in both:
        for source in (open(path, "rb"), io.BytesIO(b"data")):
            left, right = each.socketpair()
            with left, right, source:
                outcomes.append(answer(left.sendfile, source, offset, 4))
    if offset is None:  # an intended difference: refused before anything is read, not by a failing addition afterwards
        outcomes = [outcome[:2] for outcome in outcomes]
    assert outcomes[:2] == outcomes[2:]


@pytest.mark.parametrize("file", [None, 5, b"data", "path", object()], ids=["None", "5", "bytes", "str", "object"])
def test_objects_that_are_not_files(both, answer, file):
    outcomes = []
    for each in both:
        left, right = each.socketpair()
        with left, right:
            outcomes.append(answer(left.sendfile, file))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_text_file(both, answer, path):
    outcomes = []
    for each in both:
        with each.socket() as sock, open(path, encoding="latin-1") as file:
            outcomes.append(answer(sock.sendfile, file))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] is ValueError


@pytest.mark.holds("`sendfile` from a regular file refuses an offset", "The original sends the whole file, and then fails")
def test_an_offset_that_is_not_a_number(socket, ours, unix_pair, tmp_path, keep):
    (tmp_path / "file").write_bytes(b"data")
    left, right = unix_pair
    right.setblocking(False)
    with open(tmp_path / "file", "rb") as file, pytest.raises(TypeError):
        left.sendfile(file, None)
    if ours:
        with pytest.raises(BlockingIOError):
            right.recv(10)
    else:
        assert right.recv(10) == b"data"


def test_datagram_socket(both, answer, path):
    outcomes = []
    for each in both:
        with each.socket(each.AF_INET, each.SOCK_DGRAM) as sock, open(path, "rb") as file:
            outcomes.append(answer(sock.sendfile, file))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] is ValueError


def test_non_blocking_socket(both, answer, path):
    outcomes = []
    for each in both:
        for source in (open(path, "rb"), io.BytesIO(DATA)):
            left, right = each.socketpair()
            with left, right, source:
                left.setblocking(False)
                outcomes.append(answer(left.sendfile, source))
    assert outcomes[:2] == outcomes[2:]
    assert all(outcome[1] is ValueError for outcome in outcomes)


def test_closed_socket_and_closed_file(both, answer, path):
    outcomes = []
    for each in both:
        left, right = each.socketpair()
        with right:
            left.close()
            with open(path, "rb") as file:
                outcomes.append(answer(left.sendfile, file))
            outcomes.append(answer(left.sendfile, io.BytesIO(b"data")))
        left, right = each.socketpair()
        with left, right:
            outcomes.append(answer(left.sendfile, file))
    assert outcomes[:3] == outcomes[3:]
    assert all(outcome[0] == "raised" for outcome in outcomes)


def test_the_file_position_after_a_timeout(socket, unix_pair, source):
    left, right = unix_pair
    limit_buffers(left)
    left.settimeout(0.05)
    with pytest.raises(TimeoutError, match="timed out"):
        left.sendfile(source)
    right.setblocking(False)
    arrived = 0
    try:
        while chunk := right.recv(1 << 16):
            arrived += len(chunk)
    except BlockingIOError:
        pass
    assert source.tell() == arrived


def test_peer_that_has_closed(both, answer, path):
    outcomes = []
    for each in both:
        for source in (open(path, "rb"), io.BytesIO(DATA)):
            left, right = each.socketpair()
            right.close()
            with left, source:
                outcomes.append(answer(left.sendfile, source))
    assert outcomes[:2] == outcomes[2:]
    assert all(outcome[1] is BrokenPipeError for outcome in outcomes)


class Refusal(Exception):
    """The exception that a caller of `_sendfile_zerocopy` chooses for refusals."""


@pytest.fixture
def zerocopy(socket):
    """`_sendfile_zerocopy`: ssl uses it to send files since 3.15, where the kernel encrypts."""
    if not hasattr(socket.socket, "_sendfile_zerocopy"):
        pytest.skip("new in a later version")
    return socket.socket._sendfile_zerocopy


@pytest.mark.parametrize("timeout", [None, 20])
@pytest.mark.parametrize(("arguments", "expected"), [((), DATA), ((10,), DATA[10:]), ((5, 1 << 20), DATA[5 : 5 + (1 << 20)])])
def test_through_a_function(zerocopy, tcp_pair, path, keep, everything, timeout, arguments, expected):
    client, server = tcp_pair
    client.settimeout(timeout)
    receiving = everything(server)
    file = keep(open(path, "rb"))
    assert zerocopy(client, functools.partial(os.sendfile, client.fileno()), Refusal, file, *arguments) == len(expected)
    client.close()
    assert receiving.result() == expected
    assert file.tell() == sum(arguments[:1]) + len(expected)


def test_through_a_function_that_refuses(zerocopy, unix_pair, path, keep):
    left, _ = unix_pair
    file = keep(open(path, "rb"))

    def fails(answers):
        def function(fd, offset, count):
            answer = next(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return function

    with pytest.raises(Refusal) as caught:
        zerocopy(left, fails(iter([])), Refusal, io.BytesIO(b"data"))
    assert type(caught.value.args[0]) is io.UnsupportedOperation
    refused = OSError(22, "no")
    with pytest.raises(Refusal) as caught:
        zerocopy(left, fails(iter([BlockingIOError(), refused])), Refusal, file)
    assert caught.value.args == (refused,)
    with pytest.raises(OSError, match="no") as caught:
        zerocopy(left, fails(iter([5, BlockingIOError(), refused])), Refusal, file)
    assert caught.value is refused
    assert file.tell() == 5
    assert zerocopy(left, fails(iter([5, 7, 0])), Refusal, file, 3) == 12
    left.settimeout(0)
    with pytest.raises(ValueError, match="non-blocking"):
        zerocopy(left, fails(iter([])), Refusal, file)


@pytest.mark.holds("`sendfile` itself refuses arguments of a wrong type")
@pytest.mark.parametrize("arguments", [("5",), (1.5,), (0, "1"), (0, 1.5), ([], None)], ids=repr)
def test_wrong_types(both, outcome, path, arguments):
    outcomes = []
    for each in both:
        left, right = each.socketpair()
        with left, right, open(path, "rb") as file:
            outcomes.append(outcome(left.sendfile, file, *arguments))
    assert outcomes[0][1] is outcomes[1][1] is TypeError


@pytest.mark.parametrize("arguments", [(), (1, 2, 3, 4)], ids=repr)
def test_arity(both, outcome, arguments):
    outcomes = []
    for each in both:
        with each.socket() as sock:
            outcomes.append(outcome(sock.sendfile, *arguments))
    assert outcomes[0][1] is outcomes[1][1] is TypeError


@pytest.mark.parametrize("offset", [2**63 - 1, 2**70, 0.0, 3.0])
def test_the_position_is_the_offset_and_what_was_sent(socket, unix_pair, offset):
    class Source:
        def __init__(self):
            self.positions, self.data = [], [b"data", b""]

        def seek(self, position):
            self.positions.append(position)

        def read(self, size):
            return self.data.pop(0)

    source = Source()
    assert unix_pair[0]._sendfile_use_send(source, offset) == 4
    assert source.positions[-1] == offset + 4
