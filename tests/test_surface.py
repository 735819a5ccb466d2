"""What the package and its extension show to the outside: the names of the installed interpreter's modules, the same values,
classes and signatures, and nothing less."""

import _socket
import inspect
import re
import socket as original

import pytest

PUBLIC = sorted(
    {*original.__all__, *(name for name in dir(original) if not name.startswith("_") and name[0].isupper()), "SocketIO"}
)
PUBLIC_RAW = sorted(name for name in dir(_socket) if not name.startswith("_"))
# Where programs and the standard library look although no documentation names it: ssl, asyncio, urllib3, test suites
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
    """A function for a function, a class for a class."""
    kinds = [inspect.isclass, inspect.isroutine, inspect.ismodule, callable]
    different = []
    for first, second, names in ((*both, PUBLIC), (*(each._socket for each in both), PUBLIC_RAW)):
        for name in names:
            one, other = getattr(first, name), getattr(second, name, None)
            if [kind(one) for kind in kinds] != [kind(other) for kind in kinds]:
                different.append(name)
    assert different == []


def parameters(function):
    """Names, kinds and defaults; a default that is an object without a value of its own only counts as there."""
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
        if expected is not None and expected != found:  # where the original tells nothing, anything is more
            different[name] = (expected, found)
    return different


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


def test_no_free_attributes(both):
    """`__slots__` of the original: an attribute with a typing mistake is an error."""
    for each in both:
        with each.socket() as sock:
            with pytest.raises(AttributeError):
                sock.time_out = 5
            assert not hasattr(sock, "__dict__")


def test_a_static_method_more(oxisocket):
    assert kind_of(oxisocket.socket, "gethostname") == "staticmethod" or callable(oxisocket.socket.gethostname)
    assert oxisocket.socket.gethostname() == original.gethostname()


def without_words(owner, names):
    return [name for name in names if not (getattr(getattr(owner, name, None), "__doc__", None) or "").strip()]


def test_documentation(oxisocket):
    """Every public function, method and attribute of ours says what it does; the original's are not all that polite."""
    ours = [name for name in oxisocket.__all__ if callable(getattr(oxisocket, name))]
    ours = [name for name in ours if getattr(oxisocket, name) is not getattr(original, name, None)]
    assert without_words(oxisocket, ours) == []
    assert without_words(oxisocket.socket, [name for name in dir(oxisocket.socket) if not name.startswith("_")]) == []
    assert without_words(oxisocket._socket, RAW_FUNCTIONS) == []
    assert without_words(oxisocket._socket.socket, RAW_METHODS) == []
    assert without_words(oxisocket.SocketIO, RAW_IO_METHODS) == []
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
