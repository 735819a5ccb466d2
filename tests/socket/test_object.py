"""The object: repr, attributes, subclasses, copies, references."""

from __future__ import annotations

import copy
import enum
import errno
import gc
import os
import pickle
import re
import sys
import threading
import weakref

import pytest
from machine import needs_loopback6
from methods import ARGUMENTS, arguments


def comparable(text):
    """A repr without the parts that differ from socket to socket."""
    return re.sub(r"(', )\d+", r"\1PORT", re.sub(r"fd=\d+", "fd=N", text))


class TestRepr:
    def test_of_every_state(self, agree, tmp_path):
        def states(socket):
            texts = []
            with socket.socket() as s:
                texts.append(repr(s))
                s.bind(("127.0.0.1", 0))
                texts.append(repr(s))
                s.listen()
                with socket.socket() as client:
                    client.connect(s.getsockname())
                    texts.append(repr(client))
                    server, _ = s.accept()
                    with server:
                        texts.append(repr(server))
            texts.append(repr(s))
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                texts.append(repr(s))
                path = tmp_path / "s"
                s.bind(str(path))
                texts.append(repr(s).replace(str(path), "PATH"))
                path.unlink()
            left, right = socket.socketpair()
            with left, right:
                left.settimeout(3)
                texts.append(repr(left))
                with left.makefile() as file:
                    left.close()
                    texts.append(repr(left))
                    texts.append(repr(file))
                texts.append(repr(right))
                number = right.detach()
                texts.append(repr(right))
                os.close(number)
            texts.append(repr(socket.socket.__new__(socket.socket)))
            return [comparable(text) for text in texts]

        agree(states)

    @needs_loopback6
    def test_of_ipv6(self, agree):
        def text(socket):
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_UDP) as s:
                s.bind(("::1", 0))
                return comparable(repr(s))

        agree(text)

    def test_of_a_subclass(self, agree):
        def text(socket):
            with type("Mine", (socket.socket,), {"__module__": "somewhere"})() as s:
                return comparable(repr(s)), comparable(str(s))

        agree(text)

    @pytest.mark.parametrize("odd", ["x", 1.75, None, 2**70])
    @pytest.mark.parametrize("name", ["fileno", "family", "type", "proto", "__class__", "getsockname", "getpeername"])
    def test_of_a_subclass_that_returns_odd_values(self, agree, outcome, name, odd):
        def text(socket):
            answer = (lambda self: odd) if callable(getattr(socket.socket, name)) else property(lambda self: odd)
            mine = type("Mine", (socket.socket,), {name: answer})()
            try:
                return comparable(str(outcome(repr, mine)))
            finally:
                socket.SocketType.close(mine)

        agree(text)

    def test_of_an_address_that_contains_its_socket(self, run):
        """The first error in the loop may be the RecursionError."""
        code = """
class Mine(socket.socket):
    def getsockname(self):
        return [self]
with Mine() as s:
    try:
        repr(s)
    except RecursionError as error:
        print(type(error).__name__)
"""
        assert run(code) == "RecursionError\n"

    def test_it_says_closed(self, socket):
        s = socket.socket()
        assert "[closed]" not in repr(s)
        s.close()
        assert "[closed]" in repr(s)
        assert "fd=-1" in repr(s)


class TestAttributes:
    def test_enums_and_ints(self, socket, keep):
        s = keep(socket.socket())
        assert isinstance(s.family, enum.IntEnum)
        assert isinstance(s.type, enum.IntEnum)
        assert type(s.family) is socket.AddressFamily
        assert type(s.type) is socket.SocketKind
        assert type(s.proto) is int

    def test_a_value_without_a_name_is_an_int(self, agree):
        def kinds(socket):
            with socket.socket() as s, socket.socket(99, 77, 55, s.detach()) as odd:
                return type(odd.family), odd.family, type(odd.type), odd.type, odd.proto, comparable(repr(odd))

        agree(kinds)

    @pytest.mark.parametrize("name", ["family", "type", "proto", "timeout", "fileno", "recv", "anything", "_closed", "__class__"])
    @pytest.mark.parametrize("act", ["set", "delete"])
    def test_nothing_can_be_set(self, agree, outcome, name, act):
        def change(socket):
            with socket.socket() as s:
                if act == "set":
                    result = outcome(setattr, s, name, False)
                elif name == "_closed":
                    result = None
                else:
                    result = outcome(delattr, s, name)
                # In the stdlib, `family` and `type` are Python properties: the text of the error differs.
                return result[:2] if name in ("family", "type") else result

        agree(change)

    def test_no_dict(self, socket, keep):
        s = keep(socket.socket())
        assert not hasattr(s, "__dict__")
        assert "__weakref__" in socket.socket.__slots__

    def test_attributes_that_libraries_use(self, socket, unix_pair):
        left, _ = unix_pair
        assert (left._io_refs, left._closed) == (0, False)
        with left.makefile():
            assert left._io_refs == 1
        assert left._io_refs == 0
        left.close()
        assert left._closed is True

    def test_a_subclass_may_have_a_dict(self, socket, keep):
        class Open(socket.socket):
            pass

        class Tight(socket.socket):
            __slots__ = ("label",)

        first, second = keep(Open()), keep(Tight())
        first.anything = 1
        second.label = "x"
        with pytest.raises(AttributeError):
            second.anything = 1


class TestIdentity:
    def test_a_socket_equals_only_itself(self, socket, keep):
        one, other = keep(socket.socket()), keep(socket.socket())
        assert one == one
        assert one != other
        assert len({one, other, one}) == 2
        assert bool(one) is True
        one.close()
        assert bool(one) is True
        with pytest.raises(TypeError):
            one < other  # noqa: B015

    def test_the_class_has_its_base(self, socket):
        base = socket.socket.__mro__[1]
        assert (base.__name__, base.__module__) == ("socket", "_socket")
        assert socket.SocketType is base
        assert socket.socket.__name__ == "socket"
        assert issubclass(socket.socket, base)


class TestCopies:
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    @pytest.mark.parametrize("closed", [False, True])
    def test_no_pickling(self, agree, outcome, protocol, closed):
        def dump(socket):
            with socket.socket() as s:
                if closed:
                    s.close()
                return outcome(pickle.dumps, s, protocol)

        assert agree(dump)[1] is TypeError

    @pytest.mark.parametrize("copying", [copy.copy, copy.deepcopy, lambda s: s.__getstate__(), lambda s: s.__reduce_ex__(4)])
    def test_no_copying(self, agree, outcome, copying):
        def act(socket):
            with socket.socket() as s:
                return outcome(copying, s)

        assert agree(act)[1] is TypeError

    def test_no_pickling_of_a_subclass(self, agree, outcome):
        def dump(socket):
            with type("Mine", (socket.socket,), {})() as s:
                return outcome(copy.copy, s)

        assert agree(dump)[1] is TypeError

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_families_and_types_can_be_pickled(self, socket, protocol):
        for member in (socket.AF_INET, socket.SOCK_STREAM, socket.MSG_PEEK, socket.AI_PASSIVE):
            assert pickle.loads(pickle.dumps(member, protocol)) is member


class TestSubclass:
    def test_extra_arguments(self, socket, keep):
        class Labelled(socket.socket):
            def __init__(self, label, *args, extra=None, **keywords):
                super().__init__(*args, **keywords)
                self.label, self.extra = label, extra

        s = keep(Labelled("mine", socket.AF_UNIX, extra=5, type=socket.SOCK_DGRAM))
        assert (s.label, s.extra) == ("mine", 5)
        assert (s.family, s.type) == (socket.AF_UNIX, socket.SOCK_DGRAM)

    def test_new_with_extra_arguments(self, socket, keep):
        class Made(socket.socket):
            def __new__(cls, label):
                return super().__new__(cls, label, "and", more=1)

            def __init__(self, label):
                super().__init__(socket.AF_UNIX)

        assert keep(Made("x")).family is socket.AF_UNIX

    def test_without_calling_init_it_is_closed(self, socket):
        class Empty(socket.socket):
            def __init__(self):
                pass

        assert Empty().fileno() == -1

    def test_methods_may_be_overridden(self, socket, keep, listener):
        class Shouting(socket.socket):
            def recv(self, *args):
                return super().recv(*args).upper()

        client = keep(Shouting())
        client.connect(listener.getsockname())
        server = keep(listener.accept()[0])
        server.send(b"hello")
        assert client.recv(10) == b"HELLO"

    def test_a_subclass_accepts_plain_sockets(self, socket, keep):
        class Mine(socket.socket):
            pass

        listening = keep(Mine())
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        client = keep(Mine())
        client.connect(listening.getsockname())
        assert type(keep(listening.accept()[0])) is socket.socket

    def test_accept_may_use_the_accept_of_the_base_class(self, socket, keep, listener):
        """ssl and others override methods that `accept` uses: it calls them through `self`."""

        class Mine(socket.socket):
            def accept(self):
                number, address = self._accept()
                return Mine(self.family, self.type, self.proto, fileno=number), address

        listening = keep(Mine(fileno=listener.detach()))
        client = keep(socket.socket())
        client.connect(listening.getsockname())
        assert type(keep(listening.accept()[0])) is Mine

    def test_accept_uses_each_overridden_method(self, agree):
        def told(socket):
            steps = []

            class Mine(socket.socket):
                family = property(lambda self: steps.append("family") or 77)
                type = property(lambda self: steps.append("type") or 55)
                proto = property(lambda self: steps.append("proto") or 33)

                def _accept(self):
                    steps.append("_accept")
                    return super()._accept()

                def gettimeout(self):
                    steps.append("gettimeout")
                    return super().gettimeout()

            with socket.create_server(("127.0.0.1", 0)) as listening:
                mine = Mine(fileno=listening.detach())
            with mine, socket.create_connection(socket.SocketType.getsockname(mine)), mine.accept()[0] as accepted:
                return steps, accepted.family, accepted.type, accepted.proto

        agree(told)

    @pytest.mark.parametrize(
        "answer", [None, 5, (), (1,), (1, 2, 3), (-1, "x"), ("a", "b"), [12345, 1], iter([12345, 1]), (1.5, 2), (-(2**31), 1)]
    )
    def test_accept_with_a_base_method_that_returns_odd_values(self, agree, outcome, answer):
        def accept(socket):
            class Mine(socket.socket):
                def _accept(self):
                    return copy.copy(answer)

            with Mine() as s:
                return outcome(s.accept)

        agree(accept)

    def test_accept_does_not_close_a_number_that_no_socket_took_over(self, socket, keep, tmp_path):
        class Mine(socket.socket):
            def _accept(self):
                return file.fileno(), None

        with (tmp_path / "file").open("w") as file, Mine() as s:
            with pytest.raises(OSError):
                s.accept()
            file.write("still open")

    def test_accept_raises_the_error_of_gettimeout(self, socket, keep, listener):
        class Mine(socket.socket):
            def gettimeout(self):
                raise LookupError

        listening = keep(Mine(fileno=listener.detach()))
        keep(socket.create_connection(listening.getsockname()))
        with pytest.warns(ResourceWarning), pytest.raises(LookupError):
            listening.accept()
        gc.collect()

    @pytest.mark.parametrize("where", ["class", "instance"])
    def test_an_overridden_fileno_is_used(self, agree, where, tmp_path):
        def answers(socket):
            class Mine(socket.socket):
                pass

            with (tmp_path / "file").open("w") as file, Mine() as s:
                os.set_inheritable(file.fileno(), True)
                (Mine if where == "class" else s).fileno = lambda *_: file.fileno()
                found = s.get_inheritable()
                s.set_inheritable(False)
                with pytest.raises(OSError) as caught:
                    s.dup()
                return found, os.get_inheritable(file.fileno()), caught.value.errno

        assert agree(answers) == (True, False, errno.ENOTSOCK)

    def test_dup_uses_the_class_attribute(self, agree):
        def made(socket):
            class Mine(socket.socket):
                __class__ = socket.socket

            with Mine() as s, s.dup() as copy:
                return type(copy).__name__

        assert agree(made) == "socket"

    @pytest.mark.holds("A new descriptor that no socket object has taken over is closed", "The original leaves it open")
    def test_dup_when_init_fails(self, socket, ours, keep, open_files):
        class Failing(socket.socket):
            def __init__(self, *args, **keywords):
                if keywords:
                    raise LookupError
                super().__init__(*args)

        s = keep(Failing())
        before = open_files()
        with pytest.raises(LookupError):
            s.dup()
        left = open_files() - before
        for number in left:
            os.close(number)
        assert len(left) == (0 if ours else 1)

    def test_dup_when_another_thread_has_the_descriptor(self, socket, keep):
        """It was given to another socket before `__init__` failed: that socket keeps it."""
        taken = []

        class Failing(socket.socket):
            def __init__(self, *args, fileno=None, **keywords):
                if fileno is None:
                    super().__init__(*args)
                else:
                    thread = threading.Thread(target=lambda: taken.append(keep(socket.socket(fileno=fileno))))
                    thread.start()
                    thread.join()
                    raise LookupError

        with pytest.raises(LookupError):
            keep(Failing()).dup()
        assert taken[0].getsockname() == ("0.0.0.0", 0)

    def test_an_error_in_init_closes_the_descriptor(self, socket, open_files):
        class Failing(socket.socket):
            def __init__(self):
                super().__init__()
                self.close()
                raise LookupError

        before = open_files()
        with pytest.raises(LookupError):
            Failing()
        assert open_files() == before

    def test_several_bases(self, socket, keep):
        class Mixin:
            def greet(self):
                return "hello"

        class Both(Mixin, socket.socket):
            pass

        assert keep(Both()).greet() == "hello"

    def test_the_base_class_alone(self, socket):
        base = socket.SocketType
        s = base(socket.AF_INET, socket.SOCK_DGRAM)
        assert (type(s.family), s.family, s.type) == (int, int(socket.AF_INET), int(socket.SOCK_DGRAM))
        s.close()
        assert s.fileno() == -1

    def test_the_repr_of_the_base_class(self, agree):
        def text(socket):
            s = socket.SocketType()
            shown = comparable(repr(s))
            s.close()
            return shown, repr(s)

        agree(text)


class TestReferences:
    def test_weak(self, socket):
        with socket.socket() as s:
            reference = weakref.ref(s)
            assert reference() is s
            gone = []
            weakref.finalize(s, gone.append, True)
        del s
        gc.collect()
        assert reference() is None
        assert gone == [True]

    def test_a_cycle_is_collected(self, socket):
        class Mine(socket.socket):
            pass

        with Mine() as s:
            s.me = s
            reference = weakref.ref(s)
        del s
        gc.collect()
        assert reference() is None

    def test_a_file_keeps_its_socket(self, socket, keep):
        left, right = socket.socketpair()
        keep(right)
        file = left.makefile("rb")
        left.close()
        reference = weakref.ref(left)
        del left
        gc.collect()
        assert reference() is not None
        right.send(b"x")
        assert file.read(1) == b"x"
        file.close()
        del file
        gc.collect()
        assert reference() is None


def is_tracked(thing):
    return any(found is thing for found in gc.get_objects())


class TestGarbageCollector:
    def test_tracks_every_socket(self, socket, keep, listener):
        class Mine(socket.socket):
            pass

        sockets = [keep(socket.socket()), keep(Mine()), *map(keep, socket.socketpair())]
        sockets.append(keep(socket.create_connection(listener.getsockname())))
        sockets.append(keep(listener.accept()[0]))
        assert [is_tracked(s) for s in sockets] == [True] * len(sockets)

    def test_a_class_is_freed_with_its_last_socket(self, socket):
        class Mine(socket.socket):
            pass

        reference = weakref.ref(Mine)
        with Mine() as Mine.example:
            pass
        del Mine
        gc.collect()
        assert reference() is None

    def test_size(self, socket, keep):
        class Mine(socket.socket):
            __slots__ = ()

        class Known:
            __slots__ = ("one",)

        for made in (keep(socket.socket()), keep(Mine())):
            assert made.__sizeof__() == type(made).__basicsize__
            assert sys.getsizeof(made) - made.__sizeof__() >= sys.getsizeof(Known()) - Known().__sizeof__() > 0

    @pytest.mark.skipif(sys.maxsize < 2**32, reason="with 32 bits it takes 16 bytes more")
    def test_a_socket_takes_no_more_memory_than_the_original(self, both, keep):
        # The interpreter allocates memory in blocks of 16 bytes.
        theirs, ours = (-(-sys.getsizeof(keep(module.socket())) // 16) for module in both)
        assert ours <= theirs

    def test_the_class_of_a_socket_can_be_set(self, agree):
        def classes(socket):
            class Bare(socket.socket):
                __slots__ = ()

            class Slotted(socket.socket):
                __slots__ = ("more",)

            class Mine(socket.socket):
                pass

            class Other(socket.socket):
                pass

            def answer(before, after):
                with before() as made:
                    try:
                        made.__class__ = after
                    except TypeError as refusal:
                        return str(refusal)
                    assert made.fileno() >= 0
                    return type(made).__name__

            known = [socket.socket, Bare, Slotted, Mine, Other]
            return [answer(before, after) for before in known for after in known]

        agree(classes)


class TestNeverInitialised:
    # Without makefile: the stdlib cannot close the file object.
    METHODS = tuple(name for name in ARGUMENTS if name != "makefile")

    # In the stdlib, __enter__ and __exit__ need attributes that __init__ sets.
    @pytest.mark.parametrize("name", [name for name in METHODS if name not in ("__enter__", "__exit__")])
    def test_every_method_is_safe(self, agree, outcome, name):
        def call(socket):
            s = socket.SocketType.__new__(socket.SocketType)
            if not hasattr(s, name):
                s = socket.socket.__new__(socket.socket)
            return outcome(getattr(s, name), *arguments(name)), s.fileno()

        agree(call)

    @pytest.mark.parametrize("name", METHODS)
    def test_methods_of_the_public_class(self, socket, outcome, name):
        s = socket.socket.__new__(socket.socket)
        outcome(getattr(s, name), *arguments(name))
        assert s.fileno() == -1

    @pytest.mark.parametrize("name", ["family", "type", "proto", "timeout"])
    def test_every_attribute(self, agree, name):
        agree(lambda socket: getattr(socket.socket.__new__(socket.socket), name))
