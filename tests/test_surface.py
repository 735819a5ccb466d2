"""The public surface of the package and its extension: all names of the installed interpreter's modules, with the same values,
classes and signatures."""

import _socket
import copy
import gc
import inspect
import pickle
import re
import socket as original
import sys
import traceback
import typing
from unittest import mock

import pytest
from methods import BEYOND

PUBLIC = sorted(
    {*original.__all__, *(name for name in dir(original) if not name.startswith("_") and name[0].isupper()), "SocketIO"}
)
PUBLIC_RAW = sorted(name for name in dir(_socket) if not name.startswith("_"))
# Undocumented names that programs and the standard library use nevertheless: ssl, asyncio, urllib3, test suites
HALF_PUBLIC = ["_socket", "_GLOBAL_DEFAULT_TIMEOUT", "_fallback_socketpair", "_intenum_converter", "_blocking_errnos", "_LOCALHOST",
               "_LOCALHOST_V6", "_GiveupOnSendfile", "EBADF", "EAGAIN", "EWOULDBLOCK", "IntEnum", "IntFlag", "errno", "io", "os", "sys"]  # fmt: skip
FUNCTIONS = sorted(name for name in original.__all__ if inspect.isroutine(getattr(original, name)))
RAW_FUNCTIONS = sorted(name for name in PUBLIC_RAW if inspect.isroutine(getattr(_socket, name)))
METHODS = sorted(name for name in dir(original.socket) if not name.startswith("_"))
RAW_METHODS = sorted(name for name in dir(_socket.socket) if not name.startswith("_") or name == "_accept")
HALF_PUBLIC_METHODS = ["_closed", "_io_refs", "_decref_socketios", "_real_close", "_accept", "_check_sendfile_params",
                       "_sendfile_use_send", "_sendfile_use_sendfile", "__enter__", "__exit__", "__getstate__", "__del__", "__repr__",
                       "__slots__", "__weakref__"]  # fmt: skip
RAW_IO_METHODS = sorted(name for name in vars(original.SocketIO) if not name.startswith("_"))
# What oxisocket has more, on purpose: names of the package, methods of the class, keyword-only parameters.
MORE_NAMES = {
    "IncompleteReadError",
    "LimitOverrunError",
    "Reader",
    "deadline",
    "InterfaceAddress",
    "InterfaceFlag",
    "OpenSocket",
    "TcpCaState",
    "TcpInfo",
    "TcpOption",
    "TcpState",
    "getifaddrs",
    "install",
    "installed",
    "observe",
    "sockets",
    "trace",
    "uninstall",
}
MORE_METHODS = {*BEYOND, "gethostname"}
# Parameters that the original has not, by function. All are keyword-only.
MORE_PARAMETERS = {
    "create_connection": {"happy_eyeballs_delay", "interleave", "total_timeout"},
    "getaddrinfo": {"timeout"},
    "recv_fds": {"honor_arguments"},
    "send_fds": {"honor_arguments"},
}
UNDEFINED = object()


def missing(first, second, names):
    return [name for name in names if hasattr(first, name) and not hasattr(second, name)]


def test_every_name_is_there(both):
    assert missing(*both, PUBLIC) == []
    assert missing(*(each._socket for each in both), PUBLIC_RAW) == []


def test_every_half_public_name_is_there(both):
    assert missing(*both, HALF_PUBLIC) == []


def test_all_lists_every_public_name(both):
    first, second = (set(each.__all__) for each in both)
    assert first - second == set()
    assert len(both[1].__all__) == len(second), "a name is listed twice"
    assert [name for name in both[1].__all__ if not hasattr(both[1], name)] == []


def test_exceptions_are_the_original_s(socket):
    assert socket.error is socket._socket.error is OSError
    assert socket.timeout is socket._socket.timeout is TimeoutError
    assert socket.gaierror is socket._socket.gaierror is original.gaierror
    assert socket.herror is socket._socket.herror is original.herror


def test_classes(both):
    for each in both:
        raw = each._socket
        assert raw.SocketType is raw.socket
        assert each.SocketType is raw.socket
        assert issubclass(each.socket, raw.socket) and each.socket is not raw.socket
        assert raw.socket.__mro__ == (raw.socket, object)
        assert each.socket.__name__ == each.socket.__qualname__ == "socket"
    for name in ("socket", "SocketIO"):
        assert getattr(both[0], name).__doc__ and getattr(both[1], name).__doc__
    assert [kind.__name__ for kind in both[0].socket.__mro__] == [kind.__name__ for kind in both[1].socket.__mro__]
    files = [[kind.__name__ for kind in each.SocketIO.__mro__ if kind.__name__ != "RawSocketIO"] for each in both]
    assert files[0] == files[1]


def test_kinds_of_names(both):
    """A function is a function in both, a class a class."""
    kinds = [inspect.isclass, inspect.isroutine, inspect.ismodule, callable]
    different = []
    for first, second, names in ((*both, PUBLIC), (*(each._socket for each in both), PUBLIC_RAW)):
        for name in names:
            one, other = getattr(first, name), getattr(second, name, None)
            if [kind(one) for kind in kinds] != [kind(other) for kind in kinds]:
                different.append(name)
    assert different == []


def parameters(function):
    """Names, kinds and defaults. Of a default such as `object()`, only its presence counts."""
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return None
    found = []
    for name, parameter in signature.parameters.items():
        default = parameter.default
        if re.search(r" at 0x| object>|\Z<|^Ellipsis$", repr(default)):
            default = "something"
        found.append((name, parameter.kind.description, default if default is not parameter.empty else "none"))
    return found


def different_signatures(first, second, names):
    different = {}
    for name in names:
        expected, found = parameters(getattr(first, name, None)), parameters(getattr(second, name, None))
        more = [(each, "keyword-only") for each in MORE_PARAMETERS.get(name, ())]
        found = found and [each for each in found if each[:2] not in more]
        if expected is not None and expected != found:  # where the original has no signature, any signature is an addition
            different[name] = (expected, found)
    return different


@pytest.mark.holds("`create_connection` has the keyword-only arguments `happy_eyeballs_delay`, `interleave` and `total_timeout`")
def test_signatures_of_functions(both):
    assert different_signatures(*both, FUNCTIONS) == {}


def test_signatures_of_the_extension_s_functions(both):
    assert different_signatures(*(each._socket for each in both), RAW_FUNCTIONS) == {}


def test_signatures_of_classes(both):
    assert different_signatures(*both, ["socket", "SocketIO"]) == {}


def test_signatures_of_methods(both):
    pairs = []
    for each in both:
        with each.socket() as sock:
            pairs.append(sock)
    methods = [name for name in METHODS if callable(getattr(pairs[0], name))]
    assert different_signatures(*pairs, methods) == {}


def test_signatures_of_the_extension_s_methods(both):
    pairs = []
    for each in both:
        sock = each._socket.socket()
        sock.close()
        pairs.append(sock)
    methods = [name for name in RAW_METHODS if callable(getattr(pairs[0], name))]
    assert different_signatures(*pairs, methods) == {}


def kind_of(owner, name):
    static = inspect.getattr_static(owner, name, UNDEFINED)
    if static is UNDEFINED:
        return "missing"
    if isinstance(static, staticmethod | classmethod):
        return type(static).__name__
    if inspect.isdatadescriptor(static):
        return "data"
    return "method" if callable(static) else "value"


def different_kinds(first, second, names):
    kinds = {name: (kind_of(first, name), kind_of(second, name)) for name in names}
    return {name: kind for name, kind in kinds.items() if kind[0] != kind[1] and kind[0] != "missing"}


def test_kinds_of_methods(both):
    assert different_kinds(*(each.socket for each in both), METHODS) == {}
    assert different_kinds(*(each._socket.socket for each in both), RAW_METHODS) == {}
    assert different_kinds(*(each.SocketIO for each in both), RAW_IO_METHODS) == {}


def test_half_public_methods_are_there(both):
    assert missing(*(each.socket for each in both), HALF_PUBLIC_METHODS) == []


def test_attributes_are_read_only(both):
    for each in both:
        with each.socket() as sock:
            for name in ("family", "type", "proto", "timeout"):
                with pytest.raises(AttributeError):
                    setattr(sock, name, 1)
                with pytest.raises(AttributeError):
                    delattr(sock, name)


def test_no_other_attributes_can_be_set(both):
    """The original has `__slots__`: setting a misspelt attribute is an error."""
    for each in both:
        with each.socket() as sock:
            with pytest.raises(AttributeError):
                sock.time_out = 5
            assert not hasattr(sock, "__dict__")


@pytest.mark.holds("The class has `gethostname`, as a static method.")
def test_an_additional_static_method(socket, ours):
    assert hasattr(socket.socket, "gethostname") is ours
    if ours:
        assert socket.socket.gethostname() == original.gethostname()


@pytest.mark.holds("The package has `install`, `uninstall`, `installed` and `__version__`")
def test_additional_names_of_the_package(both):
    first, second = ({name for name in vars(each) if not name.startswith("_") or name == "__version__"} for each in both)
    more = {name for name in second - first if not name.isupper()}
    # Those that go beyond the standard library are set when they are first used.
    assert more | MORE_NAMES == MORE_NAMES | {"__version__"}
    assert {"install", "uninstall", "installed", "__version__"} <= more


@pytest.mark.holds("`getifaddrs`, `TcpInfo` and others", "They are in no `__all__`")
@pytest.mark.parametrize("name", sorted(MORE_NAMES))
def test_additional_names_are_not_exported(socket, ours, name):
    assert hasattr(socket, name) is ours
    assert name not in socket.__all__
    if ours:
        assert getattr(socket, name).__doc__
    else:
        with pytest.raises(ImportError):
            exec(f"from socket import {name}")


@pytest.mark.holds("Sockets have the methods `describe`")
def test_additional_methods(both):
    first, second = ({name for name in dir(each.socket) if not name.startswith("_")} for each in both)
    more = second - first
    assert more == (set() if both[0] is both[1] else MORE_METHODS)
    assert all(getattr(both[1].socket, name).__doc__ for name in more)


@pytest.mark.holds("`send_fds` and `recv_fds` have a keyword `honor_arguments`")
@pytest.mark.parametrize("name", sorted(MORE_PARAMETERS))
def test_additional_parameters(socket, ours, name):
    found = inspect.signature(getattr(socket, name)).parameters
    for more in MORE_PARAMETERS[name]:
        assert (more in found) is ours
        if ours:
            assert found[more].kind is inspect.Parameter.KEYWORD_ONLY
            assert found[more].default in (None, False)


@pytest.mark.holds("Errors have notes (`__notes__`)", "A traceback shows them; `str(error)` and `args` do not.")
def test_additional_notes(socket, ours, keep):
    with pytest.raises(ConnectionRefusedError) as caught:
        bound = keep(socket.socket())
        bound.bind(("127.0.0.1", 0))
        keep(socket.socket()).connect(bound.getsockname())
    error = caught.value
    assert (str(error), error.args) == ("[Errno 111] Connection refused", (111, "Connection refused"))
    assert hasattr(error, "__notes__") is ours
    assert ("connecting to 127.0.0.1:" in "".join(traceback.format_exception_only(error))) is ours


@pytest.mark.holds("`SocketIO` has one more base class")
def test_an_additional_base_class(socket, ours):
    names = [base.__name__ for base in socket.SocketIO.__mro__]
    assert names[1:2] == (["RawSocketIO"] if ours else ["RawIOBase"])
    assert names[1 + ours] == "RawIOBase"


@pytest.mark.holds("`_sendfile_zerocopy`, which `ssl` uses since 3.15")
def test_a_method_that_is_newer_in_the_original(socket, ours):
    assert hasattr(socket.socket, "_sendfile_zerocopy") is (ours or sys.version_info >= (3, 15))


TELL_MORE = ["listen", "getsockopt", "recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into"]


@pytest.mark.holds("`listen`, `getsockopt` and the methods that receive", "In the original they have none.")
@pytest.mark.parametrize("name", TELL_MORE)
def test_methods_with_a_signature(socket, ours, name):
    assert (parameters(getattr(socket.socket, name)) is not None) is ours


def methods(socket):
    """The methods that are Python functions in the original."""
    written_in_python = [name for name, value in vars(original.socket).items() if inspect.isfunction(value)]
    return [name for name in written_in_python if name not in ("__init__", "__repr__") and hasattr(socket.socket, name)]


@pytest.mark.holds("Its methods are method descriptors.", "They have no `__code__` and no source")
def test_methods_are_not_functions(socket, ours):
    assert len(methods(socket)) > 10
    for name in methods(socket):
        method = getattr(socket.socket, name)
        assert inspect.ismethoddescriptor(method) is ours
        assert inspect.isfunction(method) is hasattr(method, "__code__") is not ours
        if ours:
            with pytest.raises(TypeError):
                inspect.getsource(method)


@pytest.mark.holds(
    "They take `self` by position only",
    "Called on the class with an object that is not a socket",
    "In the original each method works if",
)
def test_methods_take_sockets_only(socket, ours):
    for name in methods(socket):
        method = getattr(socket.socket, name)
        shown = str(inspect.signature(method))
        if name != "makefile":
            assert shown.startswith("(self, /") is ours
        if ours and name not in BORROWED:
            with pytest.raises(TypeError):
                method(SomethingElse())
    other = SomethingElse()
    assert socket.socket.__enter__(other) is other
    if not ours:
        with pytest.raises(AttributeError, match=r"'_closed'|'fileno'"):
            socket.socket.get_inheritable(other)


# Methods that other classes may take: see tests/socket/test_borrowed_methods.py.
BORROWED = {"__enter__", "__exit__", "_decref_socketios", "makefile"}


class SomethingElse:
    """Not a socket."""

    __slots__ = ()


OFTEN_CALLED = ["recv", "recv_into", "recvfrom", "recvfrom_into", "send", "sendall", "sendto"]


@pytest.mark.holds("The methods that are called for each message", "`vars(socket.socket)` contains them")
@pytest.mark.parametrize("name", OFTEN_CALLED)
def test_the_class_that_defines_a_method(socket, ours, name):
    assert (name in vars(socket.socket)) is ours
    assert repr(getattr(socket.socket, name)) == f"<method '{name}' of '{'socket' if ours else '_socket.socket'}' objects>"


@pytest.mark.holds("Setting `family` or `type` fails")
@pytest.mark.parametrize("name", ["family", "type"])
def test_attributes_and_properties(socket, ours, name):
    assert isinstance(inspect.getattr_static(socket.socket, name), property) is not ours
    with socket.socket() as sock, pytest.raises(AttributeError, match="not writable" if ours else "no setter") as caught:
        setattr(sock, name, 1)
    assert name in str(caught.value)


@pytest.mark.holds(
    "`_closed` is always a bool and `_io_refs` always an int", "They cannot be deleted.", "A value that cannot be converted"
)
def test_private_attributes(socket, ours):
    with socket.socket() as sock:
        for name, value, as_ours in ("_closed", [], False), ("_closed", "x", True), ("_io_refs", True, 1), ("_closed", 0, False):
            setattr(sock, name, value)
            found = getattr(sock, name)
            assert (found, type(found)) == ((as_ours, type(as_ours)) if ours else (value, type(value)))
        sock._io_refs = 0
        for name in ("_closed", "_io_refs"):
            if ours:
                with pytest.raises(TypeError):
                    delattr(sock, name)
            else:
                delattr(sock, name)
                setattr(sock, name, 0)
        if ours:
            with pytest.raises(TypeError):
                sock._io_refs = "x"
        else:
            sock._io_refs = "x"
            sock._io_refs = 0


@pytest.mark.holds(
    "The attributes of a `SocketIO` are not in its `__dict__`.", "It cannot be copied.", "When `pickle` refuses it"
)
def test_the_attributes_of_a_file(socket, ours):
    with socket.socket() as sock, sock.makefile("rb", 0) as file:
        assert set(vars(file)) == (set() if ours else {"_sock", "_mode", "_reading", "_writing", "_timeout_occurred"})
        assert (file._sock, file._mode, file._timeout_occurred) == (sock, "rb", False)
        with pytest.raises(TypeError, match="'SocketIO'" if ours else "'socket'"):
            pickle.dumps(file)
        if ours:
            with pytest.raises(TypeError):
                copy.copy(file)
        else:
            twin = copy.copy(file)
            assert twin._sock is sock
            twin._sock = DummySocket()


class DummySocket:
    def _decref_socketios(self):
        pass


@pytest.mark.holds("`__repr__` is a slot")
def test_repr_is_a_slot(socket, ours):
    assert inspect.isfunction(socket.socket.__repr__) is not ours
    with socket.socket() as sock, pytest.raises(TypeError) as caught:
        sock.__repr__(1)
    assert str(caught.value).startswith("expected 0 arguments" if ours else "socket.__repr__() takes 1 positional argument")


@pytest.mark.holds("`__firstlineno__` and `__static_attributes__`")
@pytest.mark.parametrize("name", ["__firstlineno__", "__static_attributes__"])
def test_attributes_of_python_classes(socket, ours, name):
    assert hasattr(socket.socket, name) is (sys.version_info >= (3, 13) and not ours)


@pytest.mark.holds("Tracebacks have no lines of `socket.py`.", "When a method raises an error")
def test_tracebacks(socket, ours):
    with socket.socket() as sock:
        with pytest.raises(ValueError) as caught:
            sock.makefile("r", 0)  # a file object is made, but not returned
        files = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert files == ([__file__] if ours else [__file__, original.__file__])
        assert sock._io_refs == (0 if ours else 1)
        del caught
        gc.collect()
        assert sock._io_refs == 0


@pytest.mark.holds("If a method of the extension is stored first", "The original leaves out the class in the first case.")
def test_methods_without_keywords(socket, ours):
    with socket.socket() as sock:
        recv = sock.recv
        with pytest.raises(TypeError) as looked_up:
            recv(x=1)
        with pytest.raises(TypeError) as at_once:
            sock.recv(x=1)
    assert str(at_once.value) == "socket.recv() takes no keyword arguments"
    assert str(looked_up.value) == ("socket.recv() takes no keyword arguments" if ours else "recv() takes no keyword arguments")


@pytest.mark.holds("If the mode of a `SocketIO` is a tuple", "The original uses the tuple as the arguments of a format")
@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # see test_makefile.py
def test_a_mode_that_is_a_tuple(socket, ours):
    with socket.socket() as sock, pytest.raises(ValueError if ours else TypeError) as caught:
        socket.SocketIO(sock, ("r", "b"))
    assert str(caught.value).startswith(
        "invalid mode: ('r', 'b')" if ours else "not all arguments converted during string formatting"
    )


@pytest.mark.holds("Unless `install()` was called, the classes `socket` and `SocketIO` cannot be pickled")
@pytest.mark.parametrize("name", ["socket", "SocketIO"])
def test_pickled_classes(socket, ours, run, name):
    if not ours:
        assert pickle.loads(pickle.dumps(getattr(socket, name))) is getattr(socket, name)
        return
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(getattr(socket, name))
    code = f"import pickle\nsocket.install()\nprint(pickle.loads(pickle.dumps(socket.{name})) is socket.{name})"
    assert run(code) == "True\n"


def without_docstring(owner, names):
    return [name for name in names if not (getattr(getattr(owner, name, None), "__doc__", None) or "").strip()]


@pytest.mark.holds("Every public function, method and attribute has a docstring.")
def test_documentation(oxisocket):
    """Every public function, method and attribute of ours has a docstring; not all of the original's have."""
    ours = [name for name in oxisocket.__all__ if callable(getattr(oxisocket, name))]
    ours = [name for name in ours if getattr(oxisocket, name) is not getattr(original, name, None)]
    assert without_docstring(oxisocket, ours) == []
    assert without_docstring(oxisocket.socket, [name for name in dir(oxisocket.socket) if not name.startswith("_")]) == []
    assert without_docstring(oxisocket._socket, RAW_FUNCTIONS) == []
    assert without_docstring(oxisocket._socket.socket, RAW_METHODS) == []
    assert without_docstring(oxisocket.SocketIO, RAW_IO_METHODS) == []
    assert oxisocket.__doc__ and oxisocket._socket.__doc__


def test_names_of_functions(both):
    different = []
    for first, second, names in ((*both, FUNCTIONS), (*(each._socket for each in both), RAW_FUNCTIONS)):
        for name in names:
            one, other = getattr(first, name), getattr(second, name)
            if (one.__name__, one.__qualname__) != (other.__name__, other.__qualname__):
                different.append(name)
    assert different == []


def test_capsule_for_other_extensions(both):
    first, second = (each._socket.CAPI for each in both)
    assert type(first) is type(second)
    assert repr(first).split(" at ")[0] == repr(second).split(" at ")[0]


@pytest.mark.holds("The name of the module is `oxisocket`", "Messages of the interpreter show it, and the hint")
def test_the_name_of_the_module(both):
    def told(module):
        with pytest.raises(TypeError) as called:
            module()
        with pytest.raises(AttributeError) as asked:
            module.no_such_name  # noqa: B018
        return module.__name__, str(asked.value), "Did you mean" in str(called.value)

    theirs, ours = map(told, both)
    assert ours == ("oxisocket", "module 'oxisocket' has no attribute 'no_such_name'", False)
    assert theirs == ("socket", "module 'socket' has no attribute 'no_such_name'", sys.version_info >= (3, 12))


def test_annotations_can_be_resolved(both):
    """The standard library's functions have none."""
    functions = [name for name, value in vars(original).items() if inspect.isfunction(value)]
    for module in both:
        values = [getattr(module, name) for name in functions if hasattr(module, name)]
        assert len(values) > 8 and all(typing.get_type_hints(value) == {} for value in values)


def test_modules_of_the_original(both):
    for name in ("array", "selectors"):
        theirs, ours = (getattr(module, name, None) for module in both)
        assert ours is sys.modules[name] and theirs in (ours, None)


@pytest.mark.holds('A mock that `mock.patch.object(socket.socket, "close", autospec=True)`')
def test_mocks_of_methods(socket, ours):
    with socket.socket() as sock, mock.patch.object(socket.socket, "detach", autospec=True) as detach:
        sock.detach()
    detach.assert_called_once_with(*(() if ours else (sock,)))


@pytest.mark.holds(
    "`getaddrinfo` is a built-in function", "It does not call what a program has put in place of `_socket.getaddrinfo`"
)
def test_getaddrinfo_is_built_in(socket, ours, monkeypatch):
    monkeypatch.setattr(socket._socket, "getaddrinfo", lambda *_: [])
    assert bool(socket.getaddrinfo("127.0.0.1", 1)) is ours
    assert inspect.isbuiltin(socket.getaddrinfo) is ours
