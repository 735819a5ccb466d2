"""makefile: a socket as a Python file, and the raw layer below it."""

import errno
import gc
import io
import sys
import warnings
import weakref

import pytest

# The stdlib's finalizer tries to close a SocketIO whose construction failed
half_made = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

MODES = ["r", "w", "rw", "wr", "rb", "br", "wb", "bw", "rwb", "b", "", "rr", "rwbbw"]
WRONG_MODES = ["a", "r+", "x", "U", "rt", "t", " r", "R", "\0", "r\0", "+b"]


def describe(file):
    parts = [type(file)]
    for name in ("mode", "name", "encoding", "errors", "newlines", "line_buffering", "closed"):
        try:
            parts.append((name, getattr(file, name)))
        except AttributeError as error:
            parts.append((name, type(error)))
    parts.append([getattr(file, name)() for name in ("readable", "writable", "seekable", "isatty")])
    return parts


@pytest.mark.parametrize("buffering", [None, -1, 1, 2, 4096, True, -5])
@pytest.mark.parametrize("mode", MODES)
def test_modes_and_buffering(both, keep, mode, buffering):
    left, right = both[0].socketpair()
    number = keep(left).detach()
    keep(right)
    seen = []
    for each in both:
        sock = each.socket(fileno=number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the file object warns of line buffering in binary mode
            file = sock.makefile(mode, buffering, encoding=None if "b" in mode else "utf-8")
        seen.append(describe(file))
        file.close()
        sock.detach()
    both[0].close(number)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("mode", ["rb", "wb", "rwb", "b"])
def test_unbuffered_is_the_raw_layer(socket, unix_pair, keep, mode):
    raw = keep(unix_pair[0].makefile(mode, 0))
    assert isinstance(raw, socket.SocketIO)
    assert isinstance(raw, io.RawIOBase)


@pytest.mark.parametrize("mode", WRONG_MODES)
def test_wrong_modes(both, answer, mode):
    outcomes = []
    for each in both:
        with each.socket() as sock:
            outcomes.append(answer(sock.makefile, mode))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        (("r", 0), {}), (("w", 0), {}), (("rw",), {"buffering": 0}), ((5,), {}), ((None,), {}), ((b"r",), {}), (("r", "1"), {}),
        (("r", 1.5), {}), (("r", 2**70), {}), (("r", None, "utf-8"), {}), ((), {"encoding": "no-such-codec"}), ((), {"encoding": 5}),
        ((), {"encoding": "utf-8", "errors": 5}), ((), {"encoding": "utf-8", "newline": "x"}),
        ((), {"encoding": "utf-8", "newline": 5}), ((), {"unknown": 1}), (("r",), {"mode": "r"}),
    ],
    ids=repr,
)  # fmt: skip
def test_wrong_arguments(both, answer, arguments, keywords):
    outcomes = []
    for each in both:
        with each.socket() as sock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcomes.append(answer(sock.makefile, *arguments, **keywords))
            gc.collect()
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "raised"


def test_lines(socket, unix_pair, keep):
    left, right = unix_pair
    reader = keep(right.makefile("rb"))
    left.sendall(b"one\ntwo\r\n\nfour")
    left.shutdown(socket.SHUT_WR)
    assert reader.readline() == b"one\n"
    assert reader.readline(2) == b"tw"
    assert list(reader) == [b"o\r\n", b"\n", b"four"]
    assert reader.read() == reader.readline() == b""


def test_text(socket, unix_pair, keep):
    left, right = unix_pair
    reader = keep(right.makefile("r", encoding="utf-8", newline=""))
    writer = keep(left.makefile("w", encoding="utf-8", newline=""))
    writer.write("gr\xfc\xdfe\r\n\u20ac\n")
    writer.flush()
    assert reader.readline() == "gr\xfc\xdfe\r\n"
    assert reader.readline() == "\u20ac\n"


@pytest.mark.parametrize("newline", [None, "", "\n", "\r", "\r\n"], ids=repr)
def test_newlines(both, newline):
    seen = []
    for each in both:
        left, right = each.socketpair()
        with left, right:
            with left.makefile("w", encoding="utf-8", newline=newline) as writer:
                writer.write("a\nb\r\nc\r")
            left.shutdown(each.SHUT_WR)
            seen.append(right.recv(100, each.MSG_PEEK))
            with right.makefile("r", encoding="utf-8", newline=newline) as reader:
                seen.append(reader.readlines())
    assert seen[:2] == seen[2:]


def test_text_errors_are_the_codec_s(socket, unix_pair, keep):
    left, right = unix_pair
    left.sendall(b"\xff\n" * 2)
    strict = keep(right.makefile("r", encoding="utf-8"))
    with pytest.raises(UnicodeDecodeError):
        strict.readline()
    left.sendall(b"\xff\n")
    assert keep(right.makefile("r", encoding="utf-8", errors="replace")).readline() == "\ufffd\n"


def test_no_encoding_means_the_locale_s(both, keep):
    for each in both:
        with each.socket() as sock, sock.makefile("r") as file, open(__file__) as ordinary:
            assert file.encoding == ordinary.encoding


def test_one_file_for_both_ways(socket, unix_pair, keep):
    left, right = unix_pair
    for mode, line in (("rwb", b"ping\n"), ("rw", "ping\n")):
        options = {} if "b" in mode else {"encoding": "utf-8"}
        with left.makefile(mode, **options) as here, right.makefile(mode, **options) as there:
            here.write(line)
            here.flush()
            assert there.readline() == line
            there.write(line)
            there.flush()
            assert here.readline() == line


def test_buffered_file_writes_when_flushed(socket, unix_pair, keep):
    left, right = unix_pair
    right.setblocking(False)
    writer = keep(left.makefile("wb", 1024))
    writer.write(b"x" * 100)
    with pytest.raises(BlockingIOError):
        right.recv(1)
    writer.flush()
    assert right.recv(200) == b"x" * 100


def test_much_data(socket, unix_pair, keep, start):
    left, right = unix_pair
    data = bytes(range(256)) * 8192

    def send():
        with left, left.makefile("wb") as writer:
            writer.write(data)

    sending = start(send)
    assert keep(right.makefile("rb")).read() == data
    sending.result()


def test_read1_peek_and_readinto(socket, unix_pair, keep):
    left, right = unix_pair
    reader = keep(right.makefile("rb"))
    left.sendall(b"abcdef")
    assert reader.peek(1)[:1] == b"a"
    assert reader.read1(2) == b"ab"
    target = bytearray(3)
    assert reader.readinto(target) == 3
    assert bytes(target) == b"cde"
    assert reader.read(1) == b"f"


class TestRaw:
    """SocketIO, the layer that calls the socket."""

    def test_readinto_and_write(self, socket, unix_pair, keep):
        left, right = unix_pair
        writer, reader = keep(left.makefile("wb", 0)), keep(right.makefile("rb", 0))
        assert writer.write(b"hello") == 5
        target = bytearray(10)
        assert reader.readinto(target) == 5
        assert bytes(target[:5]) == b"hello"
        assert writer.write(memoryview(b"ab")) == 2
        assert reader.read(10) == b"ab"
        assert writer.write(bytearray(b"line\nmore")) == 9
        assert reader.readline() == b"line\n"
        left.shutdown(socket.SHUT_WR)
        assert reader.readall() == b"more"
        assert reader.readinto(target) == 0
        assert reader.read() == b""

    def test_empty_buffers(self, socket, unix_pair, keep):
        left, right = unix_pair
        assert keep(left.makefile("wb", 0)).write(b"") == 0
        assert keep(right.makefile("rb", 0)).readinto(bytearray()) == 0

    @pytest.mark.parametrize(
        "buffer",
        [b"bytes", "text", None, 5, memoryview(b"abcd"), memoryview(bytearray(8))[::2]],
        ids=["bytes", "str", "None", "int", "read-only", "non-contiguous"],
    )
    def test_wrong_buffers(self, both, answer, buffer):
        outcomes = []
        for each in both:
            left, right = each.socketpair()
            with left, right, left.makefile("rwb", 0) as raw:
                right.sendall(b"data")
                outcomes.append(answer(raw.readinto, buffer))
                outcomes.append(answer(raw.read, 10))  # a refused buffer has consumed no data
                outcomes.append(answer(raw.write, buffer))
        assert outcomes[:3] == outcomes[3:]

    @half_made
    @pytest.mark.usefixtures("collected")
    @pytest.mark.parametrize("mode", ["r", "w", "rw", "rb", "wb", "rwb", "wr", "br", "", "b", "a", "rbw", None, 5], ids=repr)
    def test_constructed_directly(self, both, mode):
        seen = []
        for each in both:
            with each.socket() as sock:
                sock._io_refs += (
                    1  # makefile counts its files; a SocketIO made directly decrements the count without having incremented it
                )
                try:
                    raw = each.SocketIO(sock, mode)
                except Exception as error:
                    seen.append((type(error), str(error)))
                    sock._io_refs -= 1
                else:
                    seen.append((raw.mode, raw.readable(), raw.writable(), raw.seekable()))
                    raw.close()
        assert seen[0] == seen[1]

    @half_made
    @pytest.mark.usefixtures("collected")
    @pytest.mark.parametrize("arguments", [(), (None,), (None, "r", 1)], ids=repr)
    def test_constructed_with_a_wrong_number_of_arguments(self, both, answer, arguments):
        outcomes = [answer(each.SocketIO, *arguments) for each in both]
        assert outcomes[0] == outcomes[1]

    def test_attributes(self, socket, unix_pair):
        raw = unix_pair[0].makefile("rwb", 0)
        assert raw.name == raw.fileno() == unix_pair[0].fileno()
        assert raw.mode == "rwb"
        assert not raw.closed
        raw.close()
        assert raw.closed
        assert raw.name == -1
        assert raw.mode == "rwb"

    @pytest.mark.parametrize("name", ["name", "mode", "closed"])
    def test_attributes_are_read_only(self, socket, unix_pair, keep, name):
        with pytest.raises(AttributeError):
            setattr(keep(unix_pair[0].makefile("rwb", 0)), name, 1)

    def test_other_attributes_can_be_set(self, socket, unix_pair, keep):
        raw = keep(unix_pair[0].makefile("rwb", 0))
        raw.anything = 1
        assert raw.anything == 1

    def test_repr(self, both):
        texts = []
        for each in both:
            left, right = each.socketpair()
            with left, right:
                raw = left.makefile("rb", 0)
                texts.append(repr(raw).split(" object at ")[0].replace(each.__name__, "socket"))
                raw.close()
        assert texts[0] == texts[1]

    @pytest.mark.parametrize("call", [
        ("readinto", bytearray(1)), ("write", b"x"), ("fileno",), ("readable",), ("writable",), ("seekable",), ("read", 1),
        ("readall",), ("readline",), ("flush",), ("isatty",), ("seek", 0), ("tell",), ("truncate",), ("__enter__",), ("close",),
        ("writelines", [b"x"]), ("__next__",), ("__iter__",), ("detach",), ("read", "1"), ("readinto",), ("write",)],
        ids=repr)  # fmt: skip
    @pytest.mark.parametrize("state", ["r", "w", "closed"])
    def test_unsupported_operations(self, both, answer, call, state):
        outcomes = []
        for each in both:
            left, right = each.socketpair()
            with left, right:
                right.sendall(b"data\n")
                right.shutdown(each.SHUT_WR)
                raw = left.makefile("rwb" if state == "closed" else state + "b", 0)
                if state == "closed":
                    raw.close()
                name, *arguments = call
                outcome = answer(lambda: getattr(raw, name)(*arguments))  # noqa: B023
                if outcome[0] == "returned" and name in ("__iter__", "__enter__", "fileno"):
                    outcome = ("returned",)
                outcomes.append(outcome)
                raw.close()
        assert outcomes[0] == outcomes[1]

    def test_subclass(self, socket, unix_pair):
        class Counting(socket.SocketIO):
            calls = 0

            def readinto(self, buffer):
                self.calls += 1
                return super().readinto(buffer)

        left, right = unix_pair
        left.sendall(b"x\ny\n")
        left.shutdown(socket.SHUT_WR)
        right._io_refs += 1
        with Counting(right, "r") as raw, io.BufferedReader(raw) as reader:
            assert reader.readlines() == [b"x\n", b"y\n"]
            assert raw.calls >= 2

    def test_over_any_object_with_the_methods(self, socket, unix_pair):
        """ssl and others construct a SocketIO on objects of their own classes."""
        left, right = unix_pair

        class Wrapper:
            closed = 0

            def recv_into(self, buffer):
                return right.recv_into(buffer)

            def send(self, data):
                return right.send(data)

            def fileno(self):
                return right.fileno()

            def _decref_socketios(self):
                self.closed += 1

        wrapper = Wrapper()
        raw = socket.SocketIO(wrapper, "rw")
        left.sendall(b"in")
        assert raw.read(10) == b"in"
        assert raw.write(b"out") == 3
        assert left.recv(10) == b"out"
        assert raw.fileno() == right.fileno()
        raw.close()
        raw.close()
        assert wrapper.closed == 1


class TestTimeouts:
    def test_non_blocking_returns_none(self, socket, unix_pair, keep):
        left, right = unix_pair
        right.setblocking(False)
        raw = keep(right.makefile("rwb", 0))
        assert raw.readinto(bytearray(1)) is None
        assert raw.read(1) is None
        while raw.write(b"x" * 65536) is not None:
            pass
        assert raw.write(b"x") is None
        left.sendall(b"y")
        assert raw.read(5) == b"y"

    def test_non_blocking_through_a_buffer(self, socket, unix_pair, keep):
        left, right = unix_pair
        right.setblocking(False)
        reader = keep(right.makefile("rb"))
        assert reader.read(5) is None
        assert reader.read1(5) == b""
        left.sendall(b"now")
        assert reader.read(5) == b"now"

    def test_after_a_timeout_reading_fails(self, socket, unix_pair, keep):
        left, right = unix_pair
        right.settimeout(0.01)
        for buffering in (0, -1):
            reader = keep(right.makefile("rb", buffering))
            with pytest.raises(TimeoutError, match="timed out"):
                reader.read(1)
            left.sendall(b"too late")
            for _ in range(2):
                with pytest.raises(OSError, match="cannot read from timed out object") as caught:
                    reader.read(1)
                assert caught.value.errno is None
                assert type(caught.value) is OSError
            assert right.recv(100) == b"too late"  # the socket itself can still receive

    def test_writing_goes_on_after_a_timeout(self, socket, unix_pair, keep):
        left, right = unix_pair
        right.settimeout(0.01)
        raw = keep(right.makefile("rwb", 0))
        with pytest.raises(TimeoutError):
            while True:
                raw.write(b"x" * 65536)
        left.recv(1 << 22)
        assert raw.write(b"y") == 1

    def test_buffered_data_survives(self, socket, unix_pair, keep):
        left, right = unix_pair
        right.settimeout(0.01)
        reader = keep(right.makefile("rb"))
        left.sendall(b"part")
        with pytest.raises(TimeoutError):
            reader.readline()

    def test_errors_are_raised(self, socket, tcp_pair, keep):
        client, server = tcp_pair
        raw = keep(client.makefile("rwb", 0))
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        server.close()
        with pytest.raises(ConnectionResetError) as caught:
            raw.read(1)
        assert caught.value.errno == errno.ECONNRESET
        with pytest.raises(BrokenPipeError):
            raw.write(b"x")


class TestClosing:
    """The descriptor is closed when the socket and all its files are closed."""

    @pytest.mark.holds("A `SocketIO` whose mode was refused has nothing to close", "From 3.13 on the original's finalizer raises")
    def test_a_refused_file(self, socket, ours, monkeypatch):
        lost = []
        monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: lost.append(unraisable.exc_type))
        with socket.socket() as s:
            with pytest.raises(ValueError):
                socket.SocketIO(s, "nonsense")
            gc.collect()
        assert lost == ([AttributeError] if sys.version_info >= (3, 13) and not ours else [])

    @pytest.mark.parametrize("buffering", [0, -1])
    def test_file_keeps_the_socket_open(self, socket, unix_pair, buffering):
        left, right = unix_pair
        file = right.makefile("rb", buffering)
        number = right.fileno()
        right.close()
        assert right.fileno() == file.fileno() == number
        assert right._closed
        left.sendall(b"x")
        assert file.read(1) == b"x"
        file.close()
        assert right.fileno() == -1
        assert left.recv(1) == b""

    def test_socket_outlives_its_files(self, socket, unix_pair):
        left, right = unix_pair
        for _ in range(3):
            right.makefile("rb").close()
        left.sendall(b"x")
        assert right.recv(1) == b"x"
        assert not right._closed

    def test_last_of_several_files(self, socket, unix_pair):
        left, right = unix_pair
        files = [right.makefile("rb", 0), right.makefile("w", encoding="utf-8"), right.makefile("rwb")]
        assert right._io_refs == 3
        right.close()
        for count, file in zip((2, 1, 0), files, strict=True):
            assert right.fileno() >= 0
            file.close()
            file.close()
            assert right._io_refs == count
        assert right.fileno() == -1

    def test_closing_twice_while_files_are_open(self, socket, unix_pair):
        right = unix_pair[1]
        file = right.makefile("rb")
        right.close()
        right.close()
        assert right.fileno() >= 0
        file.close()
        assert right.fileno() == -1

    def test_with_statement(self, socket, unix_pair):
        left, right = unix_pair
        with right, right.makefile("wb") as file:
            file.write(b"flushed at the end")
        assert left.recv(100) == b"flushed at the end"
        assert left.recv(1) == b""

    def test_a_collected_file_counts_as_closed(self, socket, unix_pair):
        right = unix_pair[1]
        right.makefile("rb")
        gc.collect()
        assert right._io_refs == 0
        right.close()
        assert right.fileno() == -1

    def test_a_file_refers_to_the_socket(self, socket):
        left, right = socket.socketpair()
        with left, right.makefile("rb") as file:
            right.close()
            del right
            gc.collect()
            left.sendall(b"alive")
            assert file.read(5) == b"alive"

    def test_makefile_of_a_closed_socket(self, both, answer):
        outcomes = []
        for each in both:
            sock = each.socket()
            sock.close()
            with sock.makefile("rb", 0) as file:
                outcomes.append(answer(file.read, 1))
                outcomes.append(answer(file.fileno))
        assert outcomes[:2] == outcomes[2:]

    def test_detach_below_a_file(self, both, answer):
        outcomes = []
        for each in both:
            left, right = each.socketpair()
            with left, right.makefile("rb", 0) as file:
                number = right.detach()
                outcomes.append(answer(file.read, 1))
                outcomes.append(file.fileno())
                each.close(number)
        assert outcomes[:2] == outcomes[2:]

    def test_counter_can_be_set(self, socket, unix_pair):
        """ssl, urllib3 and others change this count themselves."""
        right = unix_pair[1]
        right._io_refs += 1
        right.close()
        assert right.fileno() >= 0
        right._decref_socketios()
        assert right.fileno() == -1
        right._decref_socketios()
        assert right._io_refs == 0

    def test_real_close_of_a_subclass_is_called(self, socket):
        class Special(socket.socket):
            closings = 0

            def _real_close(self):
                self.closings += 1
                super()._real_close()

        sock = Special()
        file = sock.makefile("rb")
        sock.close()
        assert sock.closings == 0
        file.close()
        assert sock.closings == 1
        assert sock.fileno() == -1


class TestFinalization:
    """However a file object is freed, its socket is freed with it."""

    @staticmethod
    def is_freed(socket, end):
        """Whether the socket of a file is freed after `end(socket)` has dropped the file."""
        left, right = socket.socketpair()
        with right:
            reference = weakref.ref(left)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                end(left)
                del left
                gc.collect()
            # The connection too: none of its descriptors leaked.
            return reference() is None and right.recv(1) == b""

    def test_a_subclass_with_a_finalizer(self, socket):
        class Mine(socket.SocketIO):
            def __del__(self):
                pass

        assert self.is_freed(socket, lambda s: Mine(s, "r"))

    def test_a_finalizer_that_fails(self, socket, monkeypatch):
        class Mine(socket.SocketIO):
            def __del__(self):
                raise ValueError("as planned")

        told = []
        monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(str(unraisable.exc_value)))
        assert self.is_freed(socket, lambda s: Mine(s, "r"))
        assert told == ["as planned"]

    def test_a_finalizer_that_resurrects_the_file(self, socket):
        kept = []

        class Mine(socket.SocketIO):
            def __del__(self):
                kept.append(self)

        left, right = socket.socketpair()
        with left, right:
            Mine(left, "r")
            gc.collect()
            right.sendall(b"still there")
            assert kept[0].read(11) == b"still there"
            kept.pop().close()
            assert left._io_refs == 0

    @pytest.mark.parametrize("slots", [(), ("more",), None], ids=repr)
    def test_a_subclass(self, socket, slots):
        names = {} if slots is None else {"__slots__": slots}
        mine = type("Mine", (socket.SocketIO,), names)
        assert self.is_freed(socket, lambda s: mine(s, "r"))

    def test_a_cycle_through_the_file(self, socket):
        def end(s):
            file = s.makefile("rb", 0)
            file.me = file

        assert self.is_freed(socket, end)

    def test_a_cycle_through_the_socket(self, socket):
        class Mine(socket.socket):
            pass

        def end(s):
            mine = Mine(fileno=s.detach())
            mine.file = mine.makefile("rb", 0)

        assert self.is_freed(socket, end)

    def test_a_cycle_through_the_class(self, socket):
        def end(s):
            class Mine(socket.SocketIO):
                pass

            Mine.file = Mine(s, "r")

        assert self.is_freed(socket, end)

    def test_the_class_is_freed_with_its_last_file(self, socket, unix_pair):
        class Mine(socket.SocketIO):
            pass

        reference = weakref.ref(Mine)
        for _ in range(3):
            Mine(unix_pair[0], "r")
        Mine.file = Mine(unix_pair[0], "r")
        del Mine
        gc.collect()
        assert reference() is None

    def test_an_instance_of_the_raw_class(self, oxisocket):
        from oxisocket._socket import RawSocketIO

        before = sys.getrefcount(RawSocketIO)
        assert self.is_freed(oxisocket, lambda s: RawSocketIO(s, "r"))
        for _ in range(10):
            assert self.is_freed(oxisocket, lambda s: RawSocketIO(s, "r").close())
            RawSocketIO.__new__(RawSocketIO)
        assert sys.getrefcount(RawSocketIO) == before


class TestMethodReplacedOnTheClass:
    """Tests replace methods of the class, with `unittest.mock.patch.object` or by assignment."""

    @pytest.fixture
    def replaced(self, socket, monkeypatch):
        def replaced(name):
            calls = []
            original = getattr(socket.socket, name)

            def replacement(self, *arguments):
                calls.append(name)
                return original(self, *arguments)

            monkeypatch.setattr(socket.socket, name, replacement)
            return calls

        return replaced

    def test_reading(self, replaced, monkeypatch, unix_pair):
        left, right = unix_pair
        with right.makefile("rb") as file:
            for _ in range(3):
                left.sendall(b"line\n")
                assert file.readline() == b"line\n"
                calls = replaced("recv_into")
                left.sendall(b"line\n")
                assert file.readline() == b"line\n"
                assert calls == ["recv_into"]
                monkeypatch.undo()

    def test_writing(self, replaced, unix_pair):
        left, right = unix_pair
        with right.makefile("wb", buffering=0) as file:
            calls = replaced("send")
            assert file.write(b"data") == 4
            assert calls == ["send"]
            assert left.recv(10) == b"data"

    def test_an_added_attribute_changes_nothing(self, socket, monkeypatch, unix_pair):
        left, right = unix_pair
        monkeypatch.setattr(socket.socket, "of_somebody_else", 1, raising=False)
        with right.makefile("rb") as file:
            left.sendall(b"line\n")
            assert file.readline() == b"line\n"

    @pytest.mark.parametrize("name", ["_real_close", "close"])
    def test_closing(self, socket, replaced, name):
        calls = replaced(name)
        with socket.socket() as s:
            pass
        assert s.fileno() == -1
        assert calls == [name]


def test_an_encoding_warning_is_for_the_callers_line(run, with_parts):
    """The stdlib's method has a Python frame, and ours has none."""
    code = """
import sys, warnings
left, right = socket.socketpair()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    def called():
        left.makefile().close()
    called()
line = called.__code__.co_firstlineno + 1
print(sys.flags.warn_default_encoding, [warning.lineno == line for warning in caught])
left.close(); right.close()
"""
    assert run(code, env={**with_parts, "PYTHONWARNDEFAULTENCODING": "1"}).strip() == "1 [True]"


@pytest.mark.parametrize("call", [lambda raw: raw.readinto(bytearray(1)), lambda raw: raw.write(b"x")])
def test_a_file_that_io_has_closed_is_closed(unix_pair, call):
    raw = unix_pair[0].makefile("rwb", buffering=0)
    io.RawIOBase.close(raw)
    with pytest.raises(ValueError, match="closed file"):
        call(raw)
    unix_pair[0]._decref_socketios()  # `io` closed the file without telling the socket.


def test_a_finalizer_at_the_interpreters_end_makes_a_file(run):
    """No module can be imported at that time."""
    code = """
import builtins

class Late:
    def __init__(self):
        self.left, self.right = socket.socketpair()

    def __del__(self):
        self.left.sendall(b"late")
        self.left.close()
        with self.right, self.right.makefile("rb") as file:
            print(file.read())

builtins.late = Late()
"""
    assert run(code).strip() == "b'late'"
