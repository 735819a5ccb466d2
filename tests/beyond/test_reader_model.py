"""oxisocket.Reader against a model of a few lines, and against asyncio's StreamReader, on streams that are chopped at random."""

from __future__ import annotations

import asyncio

import hypothesis
import oxisocket
from hypothesis import given
from hypothesis import strategies as st

ALPHABET = b"ab\r\n"
SEPARATORS = (b"\n", b"\r\n", b"ab", b"aba", b"\n\n")
LARGE = 200_000

settings = hypothesis.settings(max_examples=100, deadline=None, derandomize=True)


class Script:
    """An object to receive from: chunks, and errors between them."""

    def __init__(self, steps):
        self.steps = list(steps)

    def recv(self, size):
        if not self.steps:
            return b""
        step = self.steps.pop(0)
        if isinstance(step, type):
            raise step
        if len(step) > size:
            self.steps.insert(0, step[size:])
        return step[:size]

    def left(self):
        return b"".join(step for step in self.steps if isinstance(step, bytes))


class Model:
    """What a Reader does, as plainly as possible."""

    def __init__(self, script, limit):
        self.script, self.limit = script, limit
        self.buffered, self.eof = b"", False

    def at_eof(self):
        return self.eof and not self.buffered

    def receive(self):
        chunk = self.script.recv(LARGE)
        self.buffered += chunk
        self.eof = not chunk

    def take(self, count):
        count = len(self.buffered) if count is None else count
        taken, self.buffered = self.buffered[:count], self.buffered[count:]
        return taken

    def end_of(self, separators):
        """Where the first of the separators ends; None at EOF."""
        while True:
            for end in range(len(self.buffered) + 1):
                found = [each for each in separators if self.buffered[:end].endswith(each)]
                if found:
                    start = end - len(min(found, key=len))
                    if start > self.limit:
                        raise oxisocket.LimitOverrunError("", start)
                    return end
            searched = len(self.buffered) + 1 - max(map(len, separators))
            if searched > self.limit:
                raise oxisocket.LimitOverrunError("", searched)
            if self.eof:
                return None
            self.receive()

    def incomplete(self, expected):
        return oxisocket.IncompleteReadError(self.take(None), expected)

    def readuntil(self, separator):
        end = self.end_of(separator if isinstance(separator, tuple) else (separator,))
        if end is None:
            raise self.incomplete(None)
        return self.take(end)

    def readline(self):
        return self.take(self.end_of((b"\n",)))

    def readexactly(self, count):
        while len(self.buffered) < count:
            if self.eof:
                raise self.incomplete(count)
            self.receive()
        return self.take(count)

    def read(self, count):
        if count < 0:
            while not self.eof:
                self.receive()
            return self.take(None)
        if count and not self.buffered and not self.eof:
            self.receive()
        return self.take(count)


def outcome(reader, call):
    name, *arguments = call
    try:
        return getattr(reader, name)(*arguments)
    except oxisocket.IncompleteReadError as error:
        return ("incomplete", error.partial, error.expected)
    except oxisocket.LimitOverrunError as error:
        return ("overrun", error.consumed)
    except (TimeoutError, BlockingIOError) as error:
        return type(error)


chunks = st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=8).map(bytes)
steps = st.lists(st.one_of(chunks, chunks, chunks, st.just(TimeoutError)), max_size=12)
separators = st.one_of(st.sampled_from(SEPARATORS), st.lists(st.sampled_from(SEPARATORS), min_size=1, max_size=3).map(tuple))
sizes = st.integers(0, 12)
exact_calls = st.one_of(
    st.just(("readline",)),
    st.just(("at_eof",)),
    separators.map(lambda each: ("readuntil", each)),
    sizes.map(lambda n: ("readexactly", n)),
)
calls = st.lists(st.one_of(exact_calls, exact_calls, st.integers(-1, 12).map(lambda n: ("read", n))), max_size=15)


@settings
@given(steps=steps, calls=calls, limit=st.integers(1, 12))
def test_it_does_what_the_model_does(steps, calls, limit):
    """Also after timeouts and errors, which lose nothing."""
    reader, model = oxisocket.Reader(Script(steps), limit), Model(Script(steps), limit)
    for call in calls:
        assert outcome(reader, call) == outcome(model, call), call
        assert reader.buffered == model.buffered, call


@settings
@given(steps=st.lists(chunks, max_size=12), calls=st.lists(exact_calls, max_size=15))
def test_it_does_what_asyncio_does(steps, calls):
    """Exact reads do not depend on how a stream is chopped; asyncio has all of it at once. Tuples of separators came with Python 3.13."""
    several = hasattr(asyncio, "TaskGroup") and "tuple" in (asyncio.StreamReader.readuntil.__doc__ or "")
    calls = [call for call in calls if several or len(call) < 2 or not isinstance(call[1], tuple)]
    data = b"".join(steps)

    async def theirs():
        stream = asyncio.StreamReader()
        stream.feed_data(data)
        stream.feed_eof()
        outcomes = []
        for name, *arguments in calls:
            try:
                value = getattr(stream, name)(*arguments)
                outcomes.append(await value if name != "at_eof" else value)
            except asyncio.IncompleteReadError as error:
                outcomes.append(("incomplete", error.partial, error.expected))
        return outcomes

    expected = asyncio.run(theirs())
    reader = oxisocket.Reader(Script(steps))
    for call, value in zip(calls, expected, strict=True):
        found = outcome(reader, call)
        if call != ("at_eof",):  # that depends on whether a read has met the end
            assert found == value, call


@hypothesis.settings(settings, max_examples=30)
@given(
    cuts=st.lists(st.integers(1, 30_000), max_size=20),
    calls=st.lists(
        st.one_of(
            st.sampled_from([1, 100, 8191, 8192, 65535, 65536, 65537, 100_000]).map(lambda n: ("readexactly", n)),
            st.sampled_from([0, 1, 70_000, -1]).map(lambda n: ("read", n)),
            st.just(("readline",)),
        ),
        max_size=8,
    ),
    every=st.integers(2, 100_000),
    interrupted=st.booleans(),
)
def test_large_reads_lose_nothing(cuts, calls, every, interrupted):
    """Across all sizes of its memory: what was read, what is buffered and what has not come yet are the stream."""
    data = b"".join(b"%d " % number for number in range(LARGE // 6))
    data = b"\n".join(data[place : place + every - 1] for place in range(0, len(data), every))
    steps, place = [], 0
    for cut in (*cuts, *[LARGE] * 8):
        steps += [data[place : place + cut], TimeoutError] if interrupted and data[place:] else [data[place : place + cut]]
        place += cut
    steps = [step for step in steps if step]
    script = Script(steps)
    reader = oxisocket.Reader(script, 1 << 30)
    taken = b""
    for call in calls:
        value = outcome(reader, call)
        while value is TimeoutError:
            assert taken + reader.buffered + script.left() == data
            value = outcome(reader, call)
        if isinstance(value, tuple):
            value = value[1]
        elif call[0] == "readexactly":
            assert len(value) == call[1]
        elif call[0] == "readline":
            assert value.endswith(b"\n") or taken + value == data
        taken += value
        assert taken + reader.buffered + script.left() == data


@settings
@given(parts=st.lists(st.one_of(chunks, st.integers(1, 8000).map(bytes)), max_size=12), calls=calls, limit=st.just(1 << 20))
def test_a_socket_of_its_own_class(parts, calls, limit):
    """The same reads on a connection, without a method of the socket being called: each waits for the next part."""
    left, right = oxisocket.socketpair()
    with left, right:
        right.setblocking(False)
        model, parts = Model(Script(parts), limit), list(parts)
        reader = oxisocket.Reader(right, limit)
        for call in calls:
            expected = outcome(model, call)
            found = outcome(reader, call)
            while found is BlockingIOError:
                if parts:
                    left.sendall(parts.pop(0))
                else:
                    left.shutdown(oxisocket.SHUT_WR)
                found = outcome(reader, call)
            assert found == expected, call
            assert reader.buffered == model.buffered, call
