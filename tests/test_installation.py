"""`oxisocket.install()` and `uninstall()`: in a program that begins with it, in one that has imported much before, and by the command line."""

import copy
import io
import os
import pickle
import subprocess
import sys
import textwrap
import typing
import zipfile

import pytest

STANDS_ON_SOCKETS = (
    "ssl, asyncio, http.client, http.server, multiprocessing.reduction, selectors, socketserver, urllib.request, smtplib, ftplib"
)
LATE = f"import socket, {STANDS_ON_SOCKETS}\nearlier = [socket.socket]  # a reference that install() does not find\n"
BEFORE = {"first": "", "late": LATE}
INSTALL = "import oxisocket\noxisocket.install()\n"
# Installing many times logs one record only.
ONE_RECORD = """\
import logging, oxisocket
records = []
handler = logging.Handler()
handler.emit = records.append
logging.basicConfig(level=logging.DEBUG, handlers=[handler])
for _ in range(3):
    oxisocket.install()
    oxisocket.install()
    oxisocket.uninstall()
record, = records
assert (record.name, record.levelname) == ("oxisocket", "INFO")
"""


def python(*arguments, **settings):
    """Run an interpreter, which must succeed without errors or warnings; return what it printed."""
    settings = {"stdin": subprocess.DEVNULL} if "input" not in settings else settings
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV_")} | {"PYTHON_COLORS": "0"}
    command = [sys.executable, "-P", "-W", "error", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=environment, **settings)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def run(code, before=""):
    return python("-c", before + textwrap.dedent(code))


@pytest.fixture(params=["first", "late", "command"])
def mode(request):
    return request.param


@pytest.fixture
def program(mode):
    """Runs code with oxisocket installed in one of the three ways."""

    def program(code):
        code = textwrap.dedent(code)
        if mode == "command":
            return python("-m", "oxisocket", "-c", "import oxisocket\n" + code)
        return python("-c", BEFORE[mode] + INSTALL + code)

    return program


class TestInstall:
    def test_import_gives_oxisocket(self, program):
        program("""
            import socket, _socket, sys
            import oxisocket, oxisocket._socket
            assert socket is oxisocket and sys.modules["socket"] is oxisocket
            assert _socket is oxisocket._socket
            from socket import socket as taken, create_connection
            assert taken is oxisocket.socket and create_connection is oxisocket.create_connection
        """)

    def test_modules_of_the_standard_library_use_it(self, program):
        program("""
            import http.client, http.server, socketserver, urllib.request, asyncio.selector_events, smtplib, ftplib, ssl, selectors
            for module in http.client, socketserver, urllib.request, asyncio.selector_events, smtplib, ftplib:
                assert module.socket.socket is oxisocket.socket, module
                assert module.socket.getaddrinfo is oxisocket.getaddrinfo, module
            with socketserver.TCPServer(("127.0.0.1", 0), None) as server:
                assert type(server.socket) is oxisocket.socket
        """)

    @pytest.mark.parametrize(("before", "native"), [("", True), ("import socket, selectors\n", True), ("import ssl\n", False)])
    def test_reports_whether_ssl_is_native(self, before, native):
        run(
            f"""
            import oxisocket
            assert oxisocket.install().native_ssl is {native}
            import ssl
            assert issubclass(ssl.SSLSocket, oxisocket.socket) is {native}
            """,
            before,
        )

    def test_stays_native_when_installed_again(self):
        run("""
            import oxisocket
            with oxisocket.installed():
                import ssl
            assert oxisocket.install().native_ssl
        """)

    def test_a_second_installation_does_nothing(self):
        run(
            """
            import oxisocket, sys
            first = oxisocket.install()
            names = dict(vars(sys.modules["ssl"]))
            assert oxisocket.install() is first
            assert vars(sys.modules["ssl"]) == names
            oxisocket.uninstall()
            oxisocket.uninstall()
            import socket
            assert socket.socket is earlier[0]
            """,
            LATE,
        )

    def test_uninstall_without_install(self):
        run("import oxisocket, socket\nbefore = dict(vars(socket))\noxisocket.uninstall()\nassert vars(socket) == before")

    def test_from_many_threads(self):
        run(
            """
            import oxisocket, sys, threading
            original, before = sys.modules["socket"], dict(vars(sys.modules["socket"]))
            barrier, told = threading.Barrier(8), []
            def work():
                barrier.wait()
                told.append(oxisocket.install())
                for _ in range(20):
                    with oxisocket.installed() as installation:
                        import socket
                        assert socket is oxisocket
                        told.append(installation)
                        socket.socketpair()[0].close
            def run_all():
                threads = [threading.Thread(target=work) for _ in range(8)]
                for thread in threads: thread.start()
                for thread in threads: thread.join()
            import warnings
            warnings.simplefilter("ignore", ResourceWarning)
            run_all()
            assert len(told) == 8 * 21 and len(set(map(id, told))) == 1
            oxisocket.uninstall()
            assert sys.modules["socket"] is original and vars(original) == before
            """,
            LATE,
        )

    def test_reports_which_modules_had_taken_names(self):
        assert run("import oxisocket\nprint(oxisocket.install().rebound)", "from socket import socket\nimport ssl\n") == (
            "('__main__', 'ssl')\n"
        )

    def test_names_taken_before_are_bound_again_and_restored(self):
        run(
            """
            import oxisocket, ssl
            theirs = socket, connect, resolve, family, mark
            oxisocket.install()
            assert (socket, connect, resolve) == (oxisocket.socket, oxisocket.create_connection, oxisocket.getaddrinfo)
            assert ssl.socket is oxisocket.socket
            assert mark is theirs[4] and family is theirs[3] and family == oxisocket.AF_INET
            oxisocket.uninstall()
            assert (socket, connect, resolve, family, mark) == theirs
            assert ssl.socket is theirs[0]
            """,
            "from socket import socket, create_connection as connect, getaddrinfo as resolve, AF_INET as family, "
            "_GLOBAL_DEFAULT_TIMEOUT as mark\n",
        )

    def test_lazy_modules_stay_lazy(self):
        run(
            """
            import importlib.util, socket, sys
            spec = importlib.util.find_spec("xmlrpc.client")
            spec.loader = importlib.util.LazyLoader(spec.loader)
            module = sys.modules["xmlrpc.client"] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            import oxisocket
            oxisocket.install()
            assert "ServerProxy" not in object.__getattribute__(module, "__dict__")
            assert module.ServerProxy
            """
        )

    def test_logs_once_what_could_not_be_replaced(self):
        run(f'{ONE_RECORD}assert record.getMessage().startswith("ssl was imported before"), record.getMessage()', LATE)

    def test_logs_nothing_otherwise(self):
        run(
            """
            import sys, logging, oxisocket
            logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
            oxisocket.install()
            import ssl
            """
        )


class TestUninstall:
    def test_everything_is_as_before(self, mode):
        if mode == "command":
            pytest.skip("a program that was started by oxisocket does not know another time")
        run(
            """
            import copyreg, sys, logging
            import oxisocket, oxisocket._installation
            def everything():
                namespaces = {name: dict(vars(module)) for name, module in sys.modules.items() if not name.startswith("oxisocket")}
                namespaces.pop("__main__")
                namespaces.pop("__mp_main__", None)
                classes = {name: type(module) for name, module in sys.modules.items()}
                reduction = sys.modules.get("multiprocessing.reduction")
                return namespaces, classes, dict(sys.modules), dict(copyreg.dispatch_table), dict(
                    reduction.ForkingPickler._extra_reducers if reduction else ()), dict(vars(oxisocket))
            before = everything()
            for _ in range(2):
                oxisocket.install()
                assert everything() != before
                oxisocket.uninstall()
                for was, now in zip(before, everything()):
                    assert list(was) == list(now) and was == now
            import socket, _socket
            assert socket is not oxisocket and _socket is not oxisocket._socket
            assert socket._socket is _socket
            """,
            BEFORE[mode],
        )

    def test_after_a_failure(self):
        """An installation that fails half-way is undone, and can be tried again."""
        run(
            """
            import sys, oxisocket
            from oxisocket import _installation
            original, before = sys.modules["socket"], dict(vars(sys.modules["socket"]))
            reducers = _installation._reducers
            def fail():
                raise MemoryError
            _installation._reducers = fail
            try:
                oxisocket.install()
            except MemoryError:
                pass
            assert sys.modules["socket"] is original and vars(original) == before
            _installation._reducers = reducers
            oxisocket.install()
            assert sys.modules["socket"] is oxisocket
            """,
            LATE,
        )

    def test_sockets_still_work(self, program):
        assert (
            program("""
            left, right = oxisocket.socketpair()
            oxisocket.uninstall()
            with left, right:
                left.sendall(b"goes on")
                with right.makefile("rb") as file:
                    print(file.read(7))
        """)
            == "b'goes on'\n"
        )

    def test_modules_imported_meanwhile(self):
        """The standard library's modules have executed `import socket`, and have the stdlib's module again."""
        run("""
            import socket
            theirs = socket
            import oxisocket
            with oxisocket.installed():
                import http.client, ftplib, multiprocessing.reduction
                from ftplib import _GLOBAL_DEFAULT_TIMEOUT as mark
                assert http.client.socket is oxisocket
            assert http.client.socket is ftplib.socket is theirs
            assert mark is theirs._GLOBAL_DEFAULT_TIMEOUT
            one, other = theirs.socketpair()
            with one, other:
                multiprocessing.reduction.ForkingPickler.dumps(one)
            multiprocessing.resource_sharer.stop()
        """)

    def test_a_name_that_the_program_set_itself_stays(self):
        run(
            """
            import oxisocket, socket
            theirs, ssl.socket = ssl.socket, None
            oxisocket.install()
            ssl.create_connection = None
            oxisocket.uninstall()
            assert ssl.create_connection is None and ssl.socket is None
            """,
            LATE,
        )

    def test_a_patch_from_before_can_be_undone_meanwhile(self):
        run(
            """
            import oxisocket, unittest.mock
            genuine = socket.getaddrinfo
            with unittest.mock.patch("socket.getaddrinfo"):
                oxisocket.install()
            oxisocket.uninstall()
            import socket
            assert socket.getaddrinfo is genuine
            """,
            LATE,
        )


class TestInstalled:
    def test_during_a_with_statement(self):
        run(
            """
            import oxisocket
            with oxisocket.installed() as installation:
                import socket
                assert socket is oxisocket and not installation.native_ssl
            import socket
            assert socket.socket is earlier[0]
            try:
                with oxisocket.installed():
                    1 / 0
            except ZeroDivisionError:
                pass
            import socket
            assert socket.socket is earlier[0]
            """,
            LATE,
        )

    def test_nested(self):
        run("""
            import socket, sys, oxisocket
            with oxisocket.installed():
                with oxisocket.installed():
                    assert sys.modules["socket"] is oxisocket
                assert sys.modules["socket"] is oxisocket
            assert sys.modules["socket"] is socket
        """)

    def test_the_last_of_two_overlapping_ones_undoes_it(self):
        run("""
            import socket, sys, oxisocket
            one, other = oxisocket.installed(), oxisocket.installed()
            one.__enter__()
            other.__enter__()
            one.__exit__(None, None, None)
            assert sys.modules["socket"] is oxisocket
            other.__exit__(None, None, None)
            assert sys.modules["socket"] is socket
        """)

    def test_an_earlier_installation_stays(self):
        run("""
            import sys, oxisocket
            oxisocket.install()
            with oxisocket.installed():
                pass
            assert sys.modules["socket"] is oxisocket
        """)


class TestPatches:
    """Programs, and above all their tests, replace functions of `socket`: all modules must see the replacement, through both module objects."""

    def test_seen_by_all_modules(self, program):
        program("""
            import socket, http.client, unittest.mock
            def fail(*_):
                raise LookupError("patched")
            for holder in socket, http.client.socket, oxisocket:
                with unittest.mock.patch.object(holder, "getaddrinfo", fail):
                    for call in socket.create_connection, http.client.socket.create_connection, oxisocket.create_connection:
                        try:
                            call(("127.0.0.1", 1))
                        except LookupError:
                            pass
                        else:
                            raise AssertionError("not patched")
                assert socket.getaddrinfo is http.client.socket.getaddrinfo is oxisocket.getaddrinfo is not fail
        """)

    def test_a_class_in_the_place_of_socket(self, program):
        program("""
            import socket, http.client, socketserver, unittest.mock
            class Counting(socket.socket):
                made = 0
                def __init__(self, *arguments, **keywords):
                    Counting.made += 1
                    super().__init__(*arguments, **keywords)
            with unittest.mock.patch("socket.socket", Counting), socketserver.TCPServer(("127.0.0.1", 0), None) as server:
                with http.client.socket.create_connection(server.server_address) as client:
                    assert type(client) is type(server.socket) is Counting
                    assert Counting.made == 2
        """)

    def test_new_names_come_and_go(self, program):
        program("""
            import socket, http.client, oxisocket
            http.client.socket.brand_new = 1
            assert socket.brand_new == oxisocket.brand_new == 1
            del socket.brand_new
            assert not hasattr(http.client.socket, "brand_new") and not hasattr(oxisocket, "brand_new")
            name, file = oxisocket.__name__, oxisocket.__file__
            http.client.socket.__file__ = "elsewhere"
            http.client.socket.__file__ = file
            assert oxisocket.__name__ == name
        """)

    def test_the_default_timeout(self, program):
        program("""
            import socket, http.client
            http.client.socket.setdefaulttimeout(7)
            with socket.socket() as sock, socket.create_server(("127.0.0.1", 0)) as server:
                assert sock.gettimeout() == 7
                with http.client.socket.create_connection(server.getsockname()) as client:
                    assert client.gettimeout() == 7
        """)


class TestUnusualModules:
    """Any object can be in `sys.modules`, and in the names of a module."""

    def test_objects_that_are_not_modules(self):
        run("""
            import sys, types
            class CffiLib:  # like the `lib` of an extension made by cffi
                __slots__ = ()
                __class__ = property(lambda self: types.ModuleType)
            class Hostile:
                def __getattribute__(self, name):
                    raise LookupError(name)
            class HostileModule(types.ModuleType):
                def __getattribute__(self, name):
                    raise LookupError(name)
            import socket
            strange = {"a.lib": CffiLib(), "b": Hostile(), "c": HostileModule("c"), "d": None, "e": 5, "f": object(), 7: types,
                       None: None, "g": types.SimpleNamespace(socket=socket.socket), "h": types.ModuleType("h")}
            for name, module in strange.items():
                sys.modules[name] = module
            strange["h"].__dict__.update({1: socket.socket, "socket": socket.socket, "hostile": Hostile(), "lib": CffiLib()})
            object.__getattribute__(strange["c"], "__dict__")["socket"] = socket.socket
            theirs, before = [socket.socket], dict(vars(strange["h"]))
            import oxisocket, oxisocket._installation
            for _ in range(2):
                assert oxisocket.install().rebound == ("c", "h")
                import socket
                assert socket is oxisocket and strange["h"].socket is strange["h"].__dict__[1] is oxisocket.socket
                assert strange["g"].socket is theirs[0]
                oxisocket.uninstall()
                assert all(vars(strange["h"])[name] is value for name, value in before.items())
                assert all(sys.modules[name] is module for name, module in strange.items())
            for name in strange:
                del sys.modules[name]
        """)

    @pytest.mark.parametrize("other", ["types.ModuleType('elsewhere')", "None", "object()", "unittest.mock.MagicMock()"])
    def test_another_module_in_the_place_of_socket(self, other):
        run(f"""
            import socket, sys, types, unittest.mock
            theirs, base, before = socket, sys.modules["_socket"], dict(vars(socket))
            other = sys.modules["socket"] = {other}
            import oxisocket, oxisocket._installation
            with oxisocket.installed() as found:
                assert found[:3] == (False, (), {{"socket": other}}) and not found.native_socket
                assert sys.modules["socket"] is other and sys.modules["_socket"] is base and vars(theirs) == before
            assert sys.modules["socket"] is other
            sys.modules["socket"] = theirs
            assert not oxisocket.install().kept and theirs.socket is oxisocket.socket
        """)

    @pytest.mark.parametrize("other", ["types.ModuleType('elsewhere')", "None", "object()"])
    def test_another_module_in_the_place_of_the_extension(self, other):
        run(f"""
            import socket, sys, types
            import oxisocket
            theirs, base = socket.socket, sys.modules["_socket"]
            other = sys.modules["_socket"] = {other}
            found = oxisocket.install()
            assert found.kept == {{"_socket": other}} and not found.native_socket and not found.native_ssl
            assert oxisocket.socket is socket.socket is theirs and sys.modules["_socket"] is other
            assert socket.getaddrinfo is oxisocket.getaddrinfo is oxisocket._socket._public_getaddrinfo
            sys.modules["_socket"] = base
            assert oxisocket.install().native_socket and sys.modules["_socket"] is oxisocket._socket
            assert issubclass(socket.socket, oxisocket._socket.socket)
        """)

    def test_a_lazy_socket(self):
        run("""
            import importlib.util, sys
            import oxisocket, oxisocket._installation
            for name in "socket", "_socket":
                sys.modules.pop(name, None)
            spec = importlib.util.find_spec("socket")
            spec.loader = importlib.util.LazyLoader(spec.loader)
            module = sys.modules["socket"] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            ours = oxisocket.AddressFamily
            assert not oxisocket.install().kept
            assert module.socket is oxisocket.socket and module.AddressFamily is oxisocket.AddressFamily is ours
            oxisocket.uninstall()
            assert module.socket is not oxisocket.socket and module.AddressFamily is not oxisocket.AddressFamily is ours
        """)


# PySocks, gevent and the like put their own class and functions in place of the standard library's.
LIBRARY = """
import sys, types
library = sys.modules["library"] = types.ModuleType("library")
exec('''
import socket as module
from socket import socket, getaddrinfo, create_server
def guard(*_, **__):
    raise LookupError("guarded")
class PatchedSocket(module.socket):
    made = 0
    def __init__(self, *arguments, **keywords):
        PatchedSocket.made += 1
        super().__init__(*arguments, **keywords)
def patch():
    global saved
    saved = module.socket, module.getaddrinfo
    module.socket, module.getaddrinfo = PatchedSocket, guard
def unpatch():
    module.socket, module.getaddrinfo = saved
''', vars(library))
"""


class TestKept:
    """What other libraries have put in place of the standard library's own names stays."""

    def test_nothing_is_kept_in_an_ordinary_program(self):
        run(
            """
            found = oxisocket.install()
            assert found.kept == {} and found.native_socket, found
            assert all(vars(socket)[name] is vars(oxisocket)[name] for name in oxisocket.__all__ if name in vars(socket))
            """,
            LATE + "import oxisocket\n",
        )

    @pytest.mark.parametrize("before", ["", LATE], ids=["alone", "late"])
    def test_a_class_and_a_function(self, before):
        run(
            """
            library.patch()
            import oxisocket, oxisocket._installation
            theirs, names, patched = library.saved, dict(vars(library)), dict(vars(library.module))
            ours = dict(vars(oxisocket))
            found = oxisocket.install()
            assert found.kept == {"socket.socket": library.PatchedSocket, "socket.getaddrinfo": library.guard}, found
            assert not found.native_socket and not found.native_ssl
            import socket
            assert socket is oxisocket
            for module in socket, library.module:
                assert module.socket is library.PatchedSocket and module.getaddrinfo is library.guard
                assert module.create_connection is ours["create_connection"] and module.AddressFamily is ours["AddressFamily"]
            assert vars(library) == {**names, "create_server": ours["create_server"]}
            assert library.PatchedSocket.__base__ is library.socket is theirs[0]

            with socket.create_server(("127.0.0.1", 0)) as server:
                assert type(server) is library.PatchedSocket
                try:
                    socket.create_connection(server.getsockname())
                except LookupError:
                    pass
                else:
                    raise AssertionError("not guarded")
            left, right = socket.socketpair()
            with left, right, left.dup() as copy:
                assert type(left) is type(copy) is library.PatchedSocket
                with left.makefile("rwb") as file:
                    right.sendall(b"a line\\n")
                    assert file.readline() == b"a line\\n"
            assert library.PatchedSocket.made >= 3

            oxisocket.uninstall()
            assert vars(library) == names and vars(library.module) == patched and vars(oxisocket) == ours
            assert type(library.module) is type(oxisocket) is types.ModuleType
            library.unpatch()
            assert (library.module.socket, library.module.getaddrinfo) == theirs
            assert vars(oxisocket) == ours
            """,
            before + LIBRARY,
        )

    def test_names_that_belong_to_a_kept_class_stay_too(self):
        run(
            """
            library.patch()
            import _socket as base
            import oxisocket, oxisocket._installation
            oxisocket.install()
            import socket, _socket, ssl
            assert _socket is base
            left, right = socket.socketpair()
            with left, right:
                assert isinstance(left, socket.SocketType) and isinstance(left, _socket.socket)
                assert isinstance(left.family, socket.AddressFamily)
                context = ssl.create_default_context()
                with context.wrap_socket(left, server_hostname="localhost", do_handshake_on_connect=False) as wrapped:
                    assert isinstance(wrapped, socket.socket)
                    wrapped.setblocking(False)
                    try:
                        wrapped.do_handshake()
                    except ssl.SSLWantReadError:
                        pass
                    assert right.recv(1) == b"\\x16"
            socket.setdefaulttimeout(7)
            with socket.socket() as sock:
                assert sock.gettimeout() == socket.getdefaulttimeout() == 7
            """,
            LIBRARY,
        )

    @pytest.mark.parametrize("guard", ["wraps", "proxy", "MagicMock()", "create_autospec(socket.create_connection)", "copied"])
    def test_a_function_in_disguise(self, guard):
        run(f"""
            import functools, socket, types
            from unittest.mock import MagicMock, create_autospec
            @functools.wraps(socket.create_connection)
            def wraps(*arguments, **keywords):
                return socket.socket()
            class Proxy:  # like wrapt's
                def __call__(self, *arguments):
                    return socket.socket()
                __getattr__ = lambda self, name: getattr(socket.create_connection, name)
                __class__ = property(lambda self: types.FunctionType)
            proxy = Proxy()
            theirs = socket.create_connection
            copied = types.FunctionType(theirs.__code__, dict(vars(socket)), theirs.__name__, theirs.__defaults__)
            guard = socket.create_connection = {guard}
            import oxisocket, oxisocket._installation
            found = oxisocket.install()
            assert list(found.kept) == ["socket.create_connection"] and found.kept["socket.create_connection"] is guard
            assert found.native_socket and socket.create_connection is oxisocket.create_connection is guard
        """)

    @pytest.mark.parametrize(
        "name", ["gethostbyname", "SocketType", "AddressFamily", "gaierror", "inet_aton", "SocketIO", "CAPI"]
    )
    def test_a_name_of_any_kind(self, name):
        run(f"""
            import socket
            class {name}:
                __module__ = "socket"
            socket.{name} = {name}
            import oxisocket, oxisocket._installation
            assert oxisocket.install().kept == {{"socket.{name}": {name}}}
            assert oxisocket.{name} is socket.{name} is {name}
            assert socket.socket is oxisocket.socket and socket.socket.__base__ is oxisocket._socket.socket
            oxisocket.uninstall()
            assert socket.{name} is {name} is not oxisocket.{name}
        """)

    def test_a_class_in_disguise(self):
        """The class comes from a second copy of the standard library's module, as eventlet has one."""
        run("""
            import socket as theirs, sys
            del sys.modules["socket"]
            import socket as copy
            sys.modules["socket"], sys.modules["copy of socket"] = theirs, copy
            theirs.socket, before = copy.socket, dict(vars(copy))
            import oxisocket, oxisocket._installation
            assert oxisocket.install().kept == {"socket.socket": copy.socket}
            assert theirs.gethostbyname is oxisocket.gethostbyname and vars(copy) == before
        """)

    @pytest.mark.parametrize("name", ["connect", "accept", "family", "__init__", "brand_new"])
    def test_a_method_replaced_in_the_class(self, name):
        run(f"""
            import socket, _socket
            theirs, names = [socket.socket], dict(vars(socket.socket))
            def guard(*_):
                raise LookupError("guarded")
            socket.socket.{name} = guard
            import oxisocket, oxisocket._installation
            found = oxisocket.install()
            assert found.kept == {{"socket.socket.{name}": guard}} and not found.native_socket and not found.native_ssl
            assert socket.socket is oxisocket.socket is theirs[0] and _socket is socket._socket
            assert socket.create_server is oxisocket.create_server
            if {name!r} in names:
                theirs[0].{name} = names[{name!r}]
            else:
                del theirs[0].{name}
            assert oxisocket.install().native_socket
            assert socket.socket is oxisocket.socket is not theirs[0]
            oxisocket.uninstall()
            assert socket.socket is theirs[0] is not oxisocket.socket
        """)

    def test_a_restored_method_is_the_stdlibs_own(self):
        run("""
            import socket, unittest.mock
            with unittest.mock.patch.object(socket.socket, "accept"):
                pass
            socket.socket.connect = socket.socket.connect
            import oxisocket, oxisocket._installation
            assert not oxisocket.install().kept
        """)

    def test_numbers(self):
        run("""
            import socket
            socket.has_ipv6, socket.SOMAXCONN, socket.AF_INET = False, 3, 2
            before = dict(vars(socket))
            import oxisocket, oxisocket._installation
            assert oxisocket.install().kept == {"socket.SOMAXCONN": 3, "socket.has_ipv6": False}
            assert oxisocket.SOMAXCONN == 3 and not oxisocket.has_dualstack_ipv6() and not socket.has_dualstack_ipv6()
            assert isinstance(socket.AF_INET, oxisocket.AddressFamily)
            oxisocket.uninstall()
            assert vars(socket) == before and oxisocket.has_ipv6 is True and oxisocket.SOMAXCONN != 3
        """)

    def test_names_that_were_added(self):
        run("""
            import socket
            socket.brand_new, socket._original = 1, socket.getaddrinfo
            import oxisocket, oxisocket._installation
            with oxisocket.installed() as found:
                assert oxisocket.brand_new == 1 and oxisocket._original is socket._original and not found.kept
                socket.brand_new = 2
            assert socket.brand_new == 2
            socket.brand_new = 1
            assert not hasattr(oxisocket, "_original") and not hasattr(oxisocket, "brand_new")
        """)

    def test_logged_once(self):
        said = 'assert record.getMessage().endswith("socket.getaddrinfo, socket.socket"), record.getMessage()'
        run(f"library.patch()\n{ONE_RECORD}{said}", LATE + LIBRARY)

    def test_installing_again_replaces_restored_names(self):
        run(
            """
            before = dict(vars(library))
            library.patch()
            import _socket as base
            import oxisocket, oxisocket._installation
            module, theirs, ours = library.module, library.saved, dict(vars(oxisocket))
            first = oxisocket.install()
            assert oxisocket.install() is first
            module.getaddrinfo = theirs[1]
            second = oxisocket.install()
            assert second.kept == {"socket.socket": library.PatchedSocket} and not second.native_socket
            assert module.getaddrinfo is oxisocket.getaddrinfo is library.getaddrinfo is ours["getaddrinfo"]
            module.socket = theirs[0]
            third = oxisocket.install()
            import socket, _socket
            assert third.kept == {} and third.native_socket and third.native_ssl and _socket is oxisocket._socket
            assert module.socket is oxisocket.socket is ours["socket"]
            assert oxisocket.install() is third
            oxisocket.uninstall()
            import _socket
            assert (module.socket, module.getaddrinfo, module.SocketType, _socket) == (*theirs, base.socket, base)
            assert vars(oxisocket) == ours and vars(library) == {**before, "saved": theirs}
            """,
            LIBRARY,
        )

    def test_restored_meanwhile(self):
        """A library that undoes its patch restores the name as it found it, and `uninstall()` leaves that."""
        run(
            """
            before = dict(vars(library.module))
            library.patch()
            import oxisocket, oxisocket._installation
            ours = dict(vars(oxisocket))
            oxisocket.install()
            library.unpatch()
            assert oxisocket.socket is library.module.socket is library.saved[0]
            oxisocket.uninstall()
            assert vars(library.module) == before and vars(oxisocket) == ours
            assert type(library.module) is type(oxisocket) is types.ModuleType
            """,
            LATE + LIBRARY,
        )

    def test_another_patch_over_it(self):
        run(
            """
            library.patch()
            import oxisocket, oxisocket._installation, unittest.mock
            before, ours = dict(vars(library.module)), dict(vars(oxisocket))
            oxisocket.install()
            with unittest.mock.patch("socket.getaddrinfo") as mock:
                oxisocket.install()
                assert library.module.getaddrinfo is oxisocket.getaddrinfo is mock
                oxisocket.uninstall()
                assert library.module.getaddrinfo is mock
            assert vars(library.module) == before and vars(oxisocket) == ours
            """,
            LATE + LIBRARY,
        )


class TestPatchedMeanwhile:
    """Libraries that are imported when oxisocket is installed already."""

    def test_patch_and_unpatch(self, program):
        program(
            LIBRARY
            + textwrap.dedent("""
            ours = oxisocket.socket, oxisocket.getaddrinfo
            import socket, http.client
            library.patch()
            assert library.saved == ours
            with socket.create_server(("127.0.0.1", 0)) as server, http.client.socket.socket() as sock:
                assert type(server) is type(sock) is library.PatchedSocket and isinstance(sock, ours[0])
            library.unpatch()
            assert (socket.socket, http.client.socket.getaddrinfo) == (oxisocket.socket, oxisocket.getaddrinfo) == ours
            """)
        )

    @pytest.mark.parametrize("holder", ["socket", "oxisocket", "theirs"])
    def test_a_patch_that_outlives_the_installation(self, holder):
        """Such as the patch of a fixture that was set up before the fixture that installs."""
        run(
            f"""
            import socket as theirs
            import types, oxisocket, oxisocket._installation
            from unittest.mock import patch
            before, ours = dict(vars(theirs)), dict(vars(oxisocket))
            class Mine(theirs.socket): pass
            for _ in range(2):
                oxisocket.install()
                import socket
                patches = [patch.object({holder}, "socket", Mine), patch.object({holder}, "getaddrinfo", len),
                           patch.object({holder}, "brand_new", 1, create=True)]
                for each in patches:
                    each.start()
                oxisocket.uninstall()
                import socket
                assert socket is theirs and theirs.socket is oxisocket.socket is Mine and theirs.getaddrinfo is len
                assert theirs.create_connection is before["create_connection"]
                theirs.untouched = 1
                assert not hasattr(oxisocket, "untouched")
                del theirs.untouched
                for each in patches:
                    each.stop()
                assert vars(theirs) == before and vars(oxisocket) == ours
                assert type(theirs) is type(oxisocket) is types.ModuleType
            """,
            LATE,
        )

    def test_installed_again_before_the_patch_is_undone(self):
        run(
            """
            import socket as theirs
            import oxisocket, oxisocket._installation
            from unittest.mock import patch
            before, ours = dict(vars(theirs)), dict(vars(oxisocket))
            with oxisocket.installed():
                mock = patch("socket.getaddrinfo", len)
                mock.start()
            with oxisocket.installed() as found:
                assert found.kept == {"socket.getaddrinfo": len}
                mock.stop()
            assert vars(oxisocket) == ours
            assert vars(theirs) == before
            """,
            LATE,
        )

    def test_names_taken_before_for_a_later_patch(self):
        """pytest-socket saves the class and its method when it is loaded, and restores both after each test."""
        run(
            """
            import oxisocket, oxisocket._installation
            theirs = true_socket, true_connect
            oxisocket.install()
            import socket
            def guarded(inst, *arguments):
                seen.append(arguments)
                return true_connect(inst, *arguments)
            seen = []
            with socket.create_server(("127.0.0.1", 0)) as server:
                for _ in range(2):
                    socket.socket.connect = guarded
                    socket.create_connection(server.getsockname()).close()
                    socket.socket = true_socket
                    socket.socket.connect = true_connect
                    with socket.create_connection(server.getsockname()) as client:
                        assert type(client) is true_socket is oxisocket.socket
                assert len(seen) == 2
            oxisocket.uninstall()
            assert (true_socket, true_connect) == theirs
            """,
            "import socket\ntrue_socket = socket.socket\ntrue_connect = socket.socket.connect\n",
        )

    def test_a_class_that_calls_its_base_by_a_taken_name(self):
        """PySocks has such classes: they derive from the standard library's class, and must find it by its name."""
        run(
            """
            import oxisocket, oxisocket._installation
            theirs, before = [socket.socket], dict(vars(library))
            found = oxisocket.install()
            assert library.base is theirs[0] and library.other is oxisocket.socket and "library" in found.rebound
            with library.Derived() as derived:
                derived.bind(("127.0.0.1", 0))
                derived.listen()
                with socket.create_connection(derived.getsockname()), derived.accept()[0]:
                    pass
            oxisocket.uninstall()
            assert vars(library) == before
            """,
            """
import socket, sys, types
library = sys.modules["library"] = types.ModuleType("library")
exec('''
import functools, socket
base = other = socket.socket
accept = base.accept
def decorated(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)
    return wrapper
class Derived(socket.socket):
    def __init__(self, *arguments):
        base.__init__(self, *arguments)
    @decorated
    def accept(self):
        return accept(self)
''', vars(library))
""",
        )

    def test_tls_of_a_class_derived_from_the_base(self):
        """gevent passes such sockets to `_ssl`, which accepts them only if it was imported with their base class."""
        run("""
            import _socket
            class Raw(_socket.socket): pass
            import oxisocket, oxisocket._installation
            found = oxisocket.install()
            assert found.native_socket and not found.native_ssl
            import ssl, socket
            left, right = socket.socketpair()
            with left, right:
                raw = Raw(fileno=left.detach())
                assert ssl.create_default_context()._wrap_socket(raw, server_side=False, server_hostname="localhost")
                raw.close()
        """)

    def test_a_module_of_the_package_itself(self):
        run("""
            import socket as theirs, sys
            import oxisocket
            with oxisocket.installed():
                import oxisocket._program
                assert not hasattr(theirs, "_program")
            assert oxisocket._program is sys.modules["oxisocket._program"] and type(oxisocket) is type(sys)
        """)

    def test_the_default_timeout_from_before(self):
        run("""
            import socket
            socket.setdefaulttimeout(7)
            import oxisocket, oxisocket._installation
            with oxisocket.installed():
                with socket.socket() as sock:
                    assert type(sock) is oxisocket.socket and sock.gettimeout() == 7
                assert socket.getdefaulttimeout() == 7
            assert oxisocket.getdefaulttimeout() is None and socket.getdefaulttimeout() == 7
            oxisocket.setdefaulttimeout(3)
            with oxisocket.installed():
                assert socket.getdefaulttimeout() == 3
            assert oxisocket.getdefaulttimeout() == 3 and socket.getdefaulttimeout() == 7
        """)

    def test_a_module_with_a_class_of_its_own(self):
        run("""
            import socket, types
            class Mine(types.ModuleType):
                answer = 42
            socket.__class__ = Mine
            theirs = socket.getaddrinfo
            import oxisocket, oxisocket._installation
            oxisocket.install()
            ours, socket.getaddrinfo = socket.getaddrinfo, len
            assert oxisocket.getaddrinfo is len and socket.answer == 42
            socket.getaddrinfo = ours
            oxisocket.uninstall()
            assert type(socket) is Mine and socket.answer == 42 and socket.getaddrinfo is theirs
        """)


class TestSocketsFromBefore:
    """Sockets that the stdlib made, and its classes, still work beside ours."""

    BEFORE = (
        LATE
        + "class Mine(socket.socket): pass\nold, peer = socket.socketpair()\nserver = socket.create_server(('127.0.0.1', 0))\n"
    )

    def run(self, code):
        return run(INSTALL + textwrap.dedent(code), self.BEFORE)

    def test_send_to_each_other(self):
        self.run("""
            import socket
            with old, peer, server, socket.create_connection(server.getsockname()) as client:
                connection, address = server.accept()
                with connection:
                    assert address == client.getsockname()
                    assert type(client) is oxisocket.socket
                    client.sendall(b"to the old")
                    assert connection.recv(100) == b"to the old"
                    connection.sendall(b"to the new")
                    assert client.recv(100) == b"to the new"
        """)

    def test_in_one_select(self):
        self.run("""
            import select, selectors, socket
            new, other = socket.socketpair()
            with old, peer, server, new, other:
                peer.send(b"x")
                other.send(b"x")
                assert set(select.select([old, new, server], [], [], 5)[0]) == {old, new}
                with selectors.DefaultSelector() as selector:
                    for each in old, new, server:
                        selector.register(each, selectors.EVENT_READ)
                    assert {key.fileobj for key, _ in selector.select(5)} == {old, new}
        """)

    def test_files_of_them(self):
        self.run("""
            with old, peer, server:
                with old.makefile("rw", encoding="ascii") as writing, peer.makefile("r", encoding="ascii") as reading:
                    print("a line", file=writing, flush=True)
                    assert reading.readline() == "a line\\n"
        """)

    def test_sendfile(self):
        self.run("""
            import tempfile
            with old, peer, server, tempfile.TemporaryFile() as file:
                file.write(b"content")
                file.seek(0)
                assert old.sendfile(file) == 7 and peer.recv(100) == b"content"
        """)

    def test_their_class_and_its_subclasses_can_be_instantiated(self):
        self.run("""
            import socket
            with old, peer, server, earlier[0]() as plain, Mine(socket.AF_INET, socket.SOCK_DGRAM) as mine, old.dup() as copy:
                assert type(plain) is type(copy) is earlier[0] and type(mine) is Mine
                assert mine.family is socket.AF_INET and mine.type is socket.SOCK_DGRAM
                repr(mine)
        """)

    def test_descriptors_sent_by_one_to_the_other(self):
        self.run("""
            import os, socket
            with old, peer, server:
                socket.send_fds(old, [b"x"], [server.fileno()])
                data, (fd,), *_ = socket.recv_fds(peer, 10, 1)
                with socket.socket(fileno=fd) as copy:
                    assert copy.getsockname() == server.getsockname()
        """)


SEND = """
import multiprocessing, {more} sys
def work(connection):
    sock = connection.recv()
    with connection, sock:
        assert type(sock) is __import__("socket").socket, type(sock)
        connection.send((type(sock).__module__, sock.getpeername() or "", sock.recv(100)))
        sock.sendall(b"from the child")
if __name__ == "__main__":
    {install}
    import socket
    context = multiprocessing.get_context({way!r})
    here, there = context.Pipe()
    left, right = socket.socketpair()
    process = context.Process(target=work, args=(there,))
    process.start()
    with left, right, here, there:
        assert type(left) is {kind}
        here.send(right)
        left.sendall(b"to the child")
        print(here.recv())
        print(left.recv(100))
    process.join()
    sys.exit(process.exitcode)
"""


class TestMultiprocessing:
    @pytest.mark.parametrize("way", ["fork", "spawn"])
    @pytest.mark.parametrize("more", ["", "multiprocessing.reduction,"], ids=["", "reduction imported before"])
    def test_sends_sockets(self, tmp_path, way, more):
        # The parent's thread that serves descriptors exists before the fork: 3.12 and later warn of that, whatever the socket.
        script = tmp_path / "script.py"
        script.write_text(
            SEND.format(way=way, more=more, install="import oxisocket; oxisocket.install()", kind="oxisocket.socket")
        )
        assert python(script) == "('socket', '', b'to the child')\nb'from the child'\n"

    @pytest.mark.parametrize("way", ["fork", "spawn"])
    def test_sends_sockets_of_a_program(self, tmp_path, way):
        script = tmp_path / "script.py"
        script.write_text(SEND.format(way=way, more="oxisocket,", install="pass", kind="oxisocket.socket"))
        assert python("-m", "oxisocket", script) == "('socket', '', b'to the child')\nb'from the child'\n"

    def test_a_module_that_installs_does_so_in_its_children(self, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(
            textwrap.dedent("""
                import oxisocket
                oxisocket.install()
                import multiprocessing, socket
                def work():
                    return socket is oxisocket
                if __name__ == "__main__":
                    with multiprocessing.get_context("spawn").Pool(1) as pool:
                        print(pool.apply(work))
                        pool.close()
                        pool.join()
            """)
        )
        assert python(script) == "True\n"

    def test_sends_sockets_from_before(self):
        run(
            """
            from multiprocessing import reduction
            import multiprocessing.resource_sharer, pickle
            with peer:
                sent = reduction.ForkingPickler.dumps(old)
                with old:
                    with pickle.loads(sent) as copy:
                        assert type(copy) is oxisocket.socket
                        copy.send(b"x")
                        assert peer.recv(1) == b"x"
            multiprocessing.resource_sharer.stop()
            """,
            LATE + "old, peer = socket.socketpair()\n" + INSTALL,
        )

    def test_reducers_that_were_registered_before(self):
        run(
            """
            import copy, pickle
            import socket
            with socket.socket() as sock:
                assert pickle.loads(pickle.dumps(sock)) == "reduced"
            oxisocket.uninstall()
            assert oxisocket.socket not in copyreg.dispatch_table
            """,
            "import socket, copyreg\ncopyreg.pickle(socket.socket, lambda sock: (str, ('reduced',)))\n" + INSTALL,
        )


class TestIntrospection:
    """`isinstance`, `inspect`, `help`, `copy` and `pickle`, as programs use them."""

    def test_isinstance(self, program):
        program("""
            import socket, _socket
            with socket.socket() as sock:
                assert isinstance(sock, socket.socket) and isinstance(sock, _socket.socket) and isinstance(sock, socket.SocketType)
                assert issubclass(socket.socket, _socket.socket)
                assert isinstance(sock.family, socket.AddressFamily)
        """)

    def test_isinstance_of_a_tls_socket(self, program, mode):
        if mode == "late":
            pytest.skip("ssl's own class was made on the standard library's")
        program("""
            import socket, ssl
            left, right = socket.socketpair()
            with right, ssl.create_default_context().wrap_socket(
                left, server_hostname="localhost", do_handshake_on_connect=False) as wrapped:
                assert isinstance(wrapped, socket.socket) and isinstance(wrapped, ssl.SSLSocket)
        """)

    def test_the_same_for_programs(self, agree_in_programs):
        agree_in_programs("""
            import socket, inspect, copy, pickle
            print(socket.socket, socket.socket.__module__, socket.socket.__qualname__, inspect.isclass(socket.socket))
            print(inspect.ismodule(socket), inspect.isfunction(socket.create_connection), callable(socket.getaddrinfo))
            for function in socket.socket, socket.create_connection, socket.create_server, socket.fromfd:
                added = "happy_eyeballs_delay", "interleave", "total_timeout"  # see tests/test_surface.py
                print([(each.name, each.kind) for each in inspect.signature(function).parameters.values() if each.name not in added])
            with socket.socket() as sock:
                print(type(sock), repr(sock) == f"<socket.socket fd={sock.fileno()}, family={sock.family:d}, type={sock.type:d}, proto=0, laddr=('0.0.0.0', 0)>")
                for way in copy.copy, copy.deepcopy, pickle.dumps:
                    try:
                        way(sock)
                    except TypeError as error:
                        print(error)
            for value in socket.AF_INET, socket.SOCK_STREAM, socket.MSG_PEEK, socket.AI_PASSIVE:
                print(repr(pickle.loads(pickle.dumps(value))), copy.copy(value) is value, pickle.dumps(value, 0))
            print(socket.AddressFamily, socket.AddressFamily.__module__, pickle.dumps(socket.create_server, 0))
            for error in socket.error, socket.timeout, socket.gaierror, socket.herror:
                print(error, pickle.loads(pickle.dumps(error(1, "text"))))
        """)

    def test_help(self, program):
        text = program("""
            import socket
            help(socket.socket)
            help(socket.create_connection)
        """)
        assert "class socket(" in text and "create_connection(" in text and "recv_into" in text

    def test_source(self, program):
        program("""
            import inspect, socket
            assert inspect.getsource(socket.create_connection).startswith("def create_connection(")
            assert inspect.getdoc(socket.socket.recv)
        """)


@pytest.fixture
def agree_in_programs(mode):
    """Runs code on the stdlib, and with oxisocket installed in one of the three ways. Both must print the same."""

    def agree_in_programs(code):
        code = textwrap.dedent(code)
        plain = python("-c", code)
        if mode == "command":
            assert python("-m", "oxisocket", "-c", code) == plain
        else:
            assert python("-c", BEFORE[mode] + INSTALL + code) == plain

    return agree_in_programs


class TestDefaultTimeouts:
    """The object that means "no timeout given" is a default value of functions defined earlier, and is compared by identity."""

    SERVE = """
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
thread = threading.Thread(target=server.serve_forever, daemon=True)
thread.start()
host, port = server.server_address
"""

    def test_http(self, program):
        output = program(
            self.SERVE
            + textwrap.dedent("""
                import http.client, urllib.request
                for timeout in (), (10,):
                    client = http.client.HTTPConnection(host, port, *timeout)
                    client.request("GET", "/")
                    print(client.getresponse().read(), client.sock.gettimeout(), type(client.sock) is oxisocket.socket)
                    client.close()
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                with opener.open(f"http://{host}:{port}/") as response:
                    print(response.read())
                server.shutdown()
                thread.join()
                server.server_close()
            """)
        )
        assert output == "b'ok' None True\nb'ok' 10.0 True\nb'ok'\n"

    def test_functions_that_compare_with_it(self, program):
        program("""
            import ftplib, smtplib, socket, threading
            with socket.create_server(("127.0.0.1", 0)) as server:
                def serve():
                    for greeting in b"220 here\\r\\n", b"220 here\\r\\n":
                        connection, _ = server.accept()
                        with connection:
                            connection.sendall(greeting)
                            connection.recv(100)
                            connection.sendall(b"221 bye\\r\\n")
                thread = threading.Thread(target=serve, daemon=True)
                thread.start()
                host, port = server.getsockname()
                ftp = ftplib.FTP()
                ftp.connect(host, port)
                assert ftp.sock.gettimeout() is None
                ftp.quit()
                smtp = smtplib.SMTP(host, port, local_hostname="localhost")
                smtp.quit()
                thread.join()
        """)

    def test_lmtp_over_a_unix_socket(self, program, tmp_path):
        program(f"""
            import smtplib, socket, threading
            with socket.socket(socket.AF_UNIX) as server:
                server.bind({str(tmp_path / "s")!r})
                server.listen()
                def serve():
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(b"220 here\\r\\n")
                        connection.recv(100)
                        connection.sendall(b"221 bye\\r\\n")
                thread = threading.Thread(target=serve, daemon=True)
                thread.start()
                lmtp = smtplib.LMTP({str(tmp_path / "s")!r}, local_hostname="localhost")
                lmtp.quit()
                thread.join()
        """)


class TestCommandLine:
    def test_version(self, oxisocket):
        assert python("-m", "oxisocket", "--version") == f"oxisocket {oxisocket.__version__}\n"

    @pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",)], ids=str)
    def test_help(self, arguments):
        text = python("-m", "oxisocket", *arguments)
        assert text.startswith("usage: python -m oxisocket")
        assert all(f" {option}" in text for option in ("-c code", "-m module", "-h, --help", "--check", "--version"))

    def test_check(self, oxisocket):
        lines = dict(line.split(maxsplit=1) for line in python("-m", "oxisocket", "--check").splitlines())
        version = ".".join(map(str, sys.version_info[:3]))
        free_threaded = "free-threaded" if "free-threading" in sys.version else "with the GIL"
        assert lines["oxisocket"] == oxisocket.__version__
        assert lines["Python"].startswith(f"CPython {version}") and lines["Python"].endswith(free_threaded)
        assert lines["platform"].startswith("Linux") and os.uname().machine in lines["platform"]
        assert lines["ssl"].startswith("native, OpenSSL")

    def test_check_reports_what_is_kept(self):
        check = "sys.argv[1:] = ['--check']; runpy.run_module('oxisocket', run_name='__main__', alter_sys=True)"
        assert "kept" not in python("-c", f"import runpy, socket, sys; {check}")
        lines = python("-c", f"import runpy, socket, sys; socket.getaddrinfo = socket.gethostbyname = len; {check}").splitlines()
        assert lines[-1].split(maxsplit=1) == ["kept", "socket.getaddrinfo, socket.gethostbyname"]

    def test_ssl_is_native(self):
        assert (
            python("-m", "oxisocket", "-c", "import ssl, oxisocket; print(issubclass(ssl.SSLSocket, oxisocket.socket))")
            == "True\n"
        )

    MAIN = "import socket, sys, oxisocket, beside\nprint(socket is oxisocket, sys.argv[1:], __name__, beside.word, sys.path[0] in sys.argv[0])\n"

    def test_folder(self, tmp_path):
        (tmp_path / "program").mkdir()
        (tmp_path / "program" / "__main__.py").write_text(self.MAIN)
        (tmp_path / "program" / "beside.py").write_text("word = 'found'\n")
        assert python("-m", "oxisocket", tmp_path / "program", "-x", "y") == "True ['-x', 'y'] __main__ found True\n"

    def test_zip(self, tmp_path):
        content = io.BytesIO(b"#!/usr/bin/env python3\n")
        content.seek(0, io.SEEK_END)
        with zipfile.ZipFile(content, "a") as archive:
            archive.writestr("__main__.py", self.MAIN)
            archive.writestr("beside.py", "word = 'zipped'\n")
        (tmp_path / "program.pyz").write_bytes(content.getvalue())
        assert python("-m", "oxisocket", tmp_path / "program.pyz", "y") == "True ['y'] __main__ zipped True\n"

    def test_standard_input(self):
        text = "import socket, sys, oxisocket\nprint(socket is oxisocket, sys.argv, __name__)\n"
        assert python("-m", "oxisocket", "-", "-x", input=text) == "True ['-', '-x'] __main__\n"


def test_what_install_returns_is_a_named_tuple(oxisocket):
    with oxisocket.installed() as found:
        native_ssl, rebound, kept, happy_eyeballs = found
        assert (native_ssl, rebound, kept, happy_eyeballs) == (found.native_ssl, found.rebound, found.kept, found.happy_eyeballs)
        assert repr(found).startswith(f"Installation(native_ssl={native_ssl}, rebound=(")
        assert found._replace(rebound=()) == (native_ssl, (), kept, happy_eyeballs) and type(found._replace()) is type(found)
        assert pickle.loads(pickle.dumps(found._replace(kept={}))).rebound == rebound
        assert copy.copy(found) == found and found._asdict()["happy_eyeballs"] is happy_eyeballs
        assert type(found)._make(found) == found and found.__match_args__ == found._fields
        for wrong in (found[:2], (*found, None)):
            with pytest.raises(TypeError, match=f"^Expected 4 arguments, got {len(wrong)}$"):
                type(found)._make(wrong)
        with pytest.raises((TypeError, ValueError), match=r"^Got unexpected field names: \['self', 'other'\]$"):
            found._replace(self=1, other=2)
        missing = set(dir(typing.NamedTuple("AnyOther", []))) - set(dir(found))
        assert not {name for name in missing if "__annot" not in name and name != "__orig_bases__"}
