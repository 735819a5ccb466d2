"""`python -m oxisocket` runs a program as plain Python does, with our `socket` in place of the original's."""

import os
import py_compile
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))} | {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHON_COLORS": "0",
    "PYTHONUTF8": "1",
}


class Launcher:
    """The command line that runs programs on one implementation: `python`, or `python -m oxisocket`."""

    def __init__(self, module, directory):
        self.name = module.__name__
        self.is_plain = self.name == "socket"
        self.directory = directory

    def __call__(self, *arguments, options=(), **settings):
        command = [sys.executable, *options, *([] if self.is_plain else ["-m", self.name]), *map(str, arguments)]
        settings = {"stdin": subprocess.DEVNULL, "cwd": self.directory, "env": ENVIRONMENT} | settings
        if "input" in settings:
            settings.pop("stdin")
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **settings)


@pytest.fixture
def launch(socket, tmp_path):
    return Launcher(socket, tmp_path)


@pytest.fixture
def compare(both, tmp_path):
    """Runs the same program on both, and asserts that output and exit status are the same."""

    def compare(*arguments, **settings):
        plain, ours = (Launcher(each, tmp_path)(*arguments, **settings) for each in both)
        assert ours.stdout == plain.stdout
        assert without_runpy(ours.stderr) == without_runpy(plain.stderr)
        assert ours.returncode == plain.returncode
        return ours

    return compare


def without_runpy(text):
    """Removes differences that do not matter: plain `python -m` shows two frames of runpy in a traceback, the recursion depth differs by
    some calls, and what an excepthook raises has one frame more."""
    text = re.sub(r'(?m)^[ |+]*File "<frozen runpy>", line \d+, in \w+\n', "", text)
    text = re.sub(r'(?m)^  File ".*oxisocket/_program.py", line \d+, in show\n    hook\(.*\)\n( +[~^]+\n)?', "", text)
    return re.sub(r"repeated \d+ more times", "repeated N more times", text)


@pytest.fixture
def script(tmp_path):
    def script(text, name="script.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return script


def same_modules(name):
    return f"""
import socket, _socket, sys
import {name} as wanted
assert socket.socket is wanted.socket, socket
assert _socket is wanted._socket, _socket
assert sys.modules["socket"] is socket and sys.modules["_socket"] is _socket
from socket import socket as from_socket, create_connection
assert from_socket is wanted.socket
assert create_connection is wanted.create_connection
import http.client, socketserver, urllib.request, selectors
assert http.client.socket.socket is wanted.socket
assert socketserver.socket.socket is wanted.socket
with socket.socket() as sock:
    assert type(sock) is wanted.socket
left, right = socket.socketpair()
with left, right:
    left.sendall(b"hello")
    print(right.recv(5))
"""


class TestImports:
    """Inside the program `import socket` and `import _socket` give the module under test."""

    def test_in_a_script(self, launch, script):
        done = launch(script(same_modules(launch.name)))
        assert (done.stdout, done.stderr, done.returncode) == ("b'hello'\n", "", 0)

    def test_in_a_module(self, launch, script):
        script(same_modules(launch.name), "program.py")
        done = launch("-m", "program")
        assert (done.stdout, done.stderr, done.returncode) == ("b'hello'\n", "", 0)

    def test_in_a_command(self, launch):
        done = launch("-c", same_modules(launch.name))
        assert (done.stdout, done.stderr, done.returncode) == ("b'hello'\n", "", 0)

    def test_in_a_module_that_the_script_imports(self, launch, script):
        script("import socket\nfrom socket import *\n", "part.py")
        text = f"import part, {launch.name} as wanted\nprint(part.socket is wanted.socket, part.AF_INET is wanted.AF_INET)"
        assert launch(script(text)).stdout == "True True\n"

    def test_a_server_and_a_client(self, compare, script):
        compare(
            script("""
import socket, threading
with socket.create_server(("127.0.0.1", 0)) as server:
    def serve():
        connection, _ = server.accept()
        with connection, connection.makefile("rw", encoding="utf-8") as file:
            for line in file:
                file.write(line.upper())
                file.flush()
    thread = threading.Thread(target=serve)
    thread.start()
    with socket.create_connection(server.getsockname()) as client, client.makefile("rw", encoding="utf-8") as file:
        for word in "one", "two":
            print(word, file=file, flush=True)
            print(file.readline(), end="")
    thread.join()
""")
        )


SHOW = """
import sys
print(sys.argv)
print(sys.path)
print(__name__, __file__ if "__file__" in globals() else None, __package__, __doc__)
print(__spec__ and (__spec__.name, __spec__.origin, __spec__.parent), type(__loader__).__name__ if __loader__ else None)
print(sys.modules["__main__"].__dict__ is globals(), sys.modules["__main__"].__name__, type(sys.modules["__main__"]).__name__)
print(type(__builtins__).__name__, sorted(name for name in globals() if name.startswith("__")))
print(sys.flags, sys.executable, sys.dont_write_bytecode, sys.warnoptions)
print(sorted(name for name in globals() if not name.startswith("__")))
class Here: pass
print(Here.__module__, Here)
import pickle
print(pickle.loads(pickle.dumps(Here)) is Here)
"""


def imported_by_socket():
    """The modules that `-m` and `import socket` import themselves, which may not be shadowed in plain Python either."""
    code = "import runpy, socket, sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


class TestProgramEnvironment:
    """What a program can see of how it was started."""

    @pytest.mark.parametrize("arguments", [(), ("one",), ("-x", "--help", "-m", "--", "", "a b")], ids=repr)
    def test_script(self, compare, script, arguments):
        compare(script('"""Says what it sees."""\n' + SHOW), *arguments)

    def test_script_by_a_relative_name(self, compare, script):
        script(SHOW, "folder/script.py")
        for name in ("folder/script.py", "./folder/script.py", "folder/../folder/script.py"):
            compare(name, "argument")

    def test_script_through_a_link(self, compare, script, tmp_path):
        script(SHOW, "folder/script.py")
        (tmp_path / "link.py").symlink_to("folder/script.py")
        compare("link.py")

    @pytest.mark.parametrize("options", [(), ("-P",)], ids=repr)
    def test_folder_and_zip_file(self, compare, script, tmp_path, options):
        script(SHOW + "import os; os.chdir('/'); import part; print(part.__file__)", "folder/__main__.py")
        script("", "folder/part.py")
        with zipfile.ZipFile(tmp_path / "program.zip", "w") as file:
            for name in ("__main__.py", "part.py"):
                file.write(tmp_path / "folder" / name, name)
        for name in (
            "folder",
            "folder/",
            "./folder",
            tmp_path / "folder",
            "program.zip",
            "./program.zip",
            tmp_path / "program.zip",
        ):
            compare(name, "argument", options=options)

    def test_script_without_a_suffix(self, compare, script):
        compare(script(SHOW, "program"))

    @pytest.mark.parametrize("arguments", [(), ("one", "-c", "--help")], ids=repr)
    def test_module(self, compare, script, arguments):
        script(SHOW, "program.py")
        compare("-m", "program", *arguments)

    def test_package(self, compare, script):
        script("print('package', __name__)", "parcel/__init__.py")
        script(SHOW, "parcel/__main__.py")
        script(SHOW, "parcel/part.py")
        compare("-m", "parcel", "x")
        compare("-m", "parcel.part", "x")

    @pytest.mark.parametrize("arguments", [(), ("one", "-m", "--help")], ids=repr)
    def test_command(self, compare, arguments):
        compare("-c", SHOW, *arguments)

    def test_sibling_modules_are_found(self, compare, script):
        script("name = 'sibling'", "folder/sibling.py")
        script("import sibling; print(sibling.name, sibling.__file__)", "folder/script.py")
        compare("folder/script.py")

    @pytest.mark.parametrize("options", [("-O",), ("-W", "error"), ("-X", "dev"), ("-u",), ("-B",), ("-s",), ("-P",)], ids=repr)
    def test_options_of_the_interpreter(self, compare, script, options):
        compare(script(SHOW), options=options)

    def test_standard_input(self, compare):
        compare("-", "argument", input=SHOW.replace("import pickle", "").replace("print(pickle", "#"))

    def test_standard_streams(self, compare, script):
        text = "import sys\nprint(input(' ? '))\nprint(sys.stdin.read())\nprint('gr\xfc\xdfe \u20ac', file=sys.stderr)\n"
        compare(script(text), input="first\nsecond\nthird")

    @pytest.mark.parametrize("damage", [lambda code: code, lambda code: b"what" + code[4:], lambda code: code[:16] + b"N"])
    def test_compiled_script(self, compare, script, tmp_path, damage):
        made = Path(py_compile.compile(script("print('compiled', __file__, type(__loader__).__name__)"), tmp_path / "made.pyc"))
        made.write_bytes(damage(made.read_bytes()))
        compare("made.pyc", "argument")

    def test_code_and_module_in_one_word(self, compare, script):
        script("import sys; print(sys.argv[1:])", "program.py")
        compare("-cimport sys; print(sys.argv)", "argument")
        compare("-mprogram", "argument")

    def test_script_in_another_encoding(self, compare, tmp_path):
        (tmp_path / "old.py").write_bytes(b"# coding: latin-1\nprint(ascii('gr\xfc\xdfe'))\n")
        compare("old.py")
        (tmp_path / "marked.py").write_bytes(b"\xef\xbb\xbfprint('marked')\r\nprint('twice')\r\n")
        compare("marked.py")

    @pytest.mark.parametrize(
        "text",
        [
            b"x = 1\nprint('gr\xfc\xdfe')\n",
            b"#!/usr/bin/python\n\n# gr\xfc\xdfe\n",
            b"x = = 1\nprint('gr\xfc\xdfe')\n",
            b"# coding: utf-8\nprint('gr\xfc\xdfe')\n",
        ],
        ids=["text", "comment", "after another error", "declared"],
    )
    def test_script_that_is_not_in_utf_8(self, compare, both, tmp_path, text):
        (tmp_path / "old.py").write_bytes(text)
        if sys.version_info < (3, 14):
            assert compare("old.py").returncode == 1
        else:  # which counts the lines of a file in another way than those of a text
            both_say = [Launcher(each, tmp_path)("old.py").stderr for each in both]
            assert all("'utf-8'" in said or "but no encoding declared" in said for said in both_say)

    @pytest.mark.parametrize("place", ["in it", "beside it"])
    def test_files_that_are_called_as_modules_of_the_standard_library(self, compare, script, tmp_path, place):
        """As a beginner's token.py and copy.py are, beside a client."""
        here = tmp_path / "here"
        for name in sorted(sys.stdlib_module_names - imported_by_socket() - {"__future__"}):
            script(f"print({name!r})", f"here/{name}.py")
        script("import socket, token, copy\nprint(socket.inet_aton('127.0.0.1'))", "there/client.py")
        script("import socket, token, copy\nprint(socket.inet_aton('127.0.0.1'))", "here/client.py")
        compare("client.py" if place == "in it" else "../there/client.py", cwd=here)
        if place == "in it":
            compare("-m", "client", cwd=here)
            compare("-c", "import socket, token", cwd=here)

    def test_what_is_imported_before_the_program(self, both, script, tmp_path):
        """What plain Python and `import socket` import, and modules that no file can stand in for."""
        script("import socket, sys\nprint(*sys.modules)", "program.py")
        plain, ours = (set(Launcher(each, tmp_path)("-m", "program").stdout.split()) for each in both)
        more = {name for name in ours - plain if name.partition(".")[0] != "oxisocket"}
        assert more <= {"__future__", *sys.builtin_module_names}

    def test_at_exit_and_threads(self, compare, script):
        compare(
            script("""
import atexit, threading, time
atexit.register(print, "at exit")
event = threading.Event()
threading.Thread(target=lambda: (event.wait(), print("thread"))).start()
event.set()
print("main")
""")
        )

    def test_child_processes_of_multiprocessing(self, compare, script):
        compare(
            script("""
import multiprocessing
def work(number):
    return number * 2
if __name__ == "__main__":
    for way in ("fork", "spawn"):
        import warnings
        warnings.simplefilter("ignore")
        with multiprocessing.get_context(way).Pool(1) as pool:
            print(pool.map(work, [1, 2, 3]))
""")
        )


ENDINGS = {
    "end": "print('done')",
    "exit 0": "import sys; sys.exit(0)",
    "exit 3": "import sys; sys.exit(3)",
    "exit None": "import sys; sys.exit()",
    "exit text": "import sys; sys.exit('a complaint')",
    "exit list": "import sys; sys.exit([1, 2])",
    "exit True": "import sys; sys.exit(True)",
    "exit -1": "import sys; sys.exit(-1)",
    "exit 256": "import sys; sys.exit(256)",
    "raise SystemExit": "raise SystemExit(4)",
    "exit in a function": "import sys\ndef leave():\n    sys.exit(5)\nleave()",
    "quick exit": "import os; os._exit(6)",
    "exception": "1 / 0",
    "exception in a function": "def one():\n    two()\n\ndef two():\n    raise ValueError('deep down')\n\none()",
    "chained": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise RuntimeError('then this') from error",
    "while handling": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    [][1]",
    "exception with a note": "error = ValueError('text')\nerror.add_note('a note')\nraise error",
    "group": "raise ExceptionGroup('several', [ValueError(1), TypeError(2)])",
    "recursion": "def again(): again()\nagain()",
    "import error": "import no_such_module",
    "syntax error": "print('never'\nx = = 1",
    "indentation error": "if True:\nprint(1)",
    "interrupt": "raise KeyboardInterrupt",
    "interrupt in a function": "def wait():\n    raise KeyboardInterrupt('now')\nwait()",
    "interrupt by signal": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nfor _ in range(10**8): pass",
    "terminated": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
    "an excepthook that fails": "import sys\ndef hook(*_):\n    raise ValueError('in the hook')\nsys.excepthook = hook\n1/0",
    "no excepthook": "import sys\ndel sys.excepthook\nraise SystemExit(3)",
    "own excepthook": "import sys\nsys.excepthook = lambda kind, value, trace: print('hook', kind, trace.tb_frame.f_code.co_filename)\n1/0",
    "traceback in the program": "import traceback\ntry:\n    1/0\nexcept ZeroDivisionError:\n    traceback.print_exc()\n",
    "closed stdout": "import sys\nsys.stdout.close()",
    "socket error": "import socket\nsocket.socket().connect(('127.0.0.1', 'port'))",
    "resolver error": "import socket\nsocket.gethostbyname('\\udcff')",
}


class TestEndings:
    """Exit status, messages and tracebacks show nothing of oxisocket's own frames."""

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_script(self, compare, script, ending):
        done = compare(script(ENDINGS[ending] + "\n"))
        assert "oxisocket" not in without_runpy(done.stderr).replace(sys.executable, "")

    @pytest.mark.parametrize("ending", [name for name in ENDINGS if name != "own excepthook"])  # it sees the frames of runpy
    def test_module(self, compare, script, ending):
        script(ENDINGS[ending] + "\n", "program.py")
        compare("-m", "program")

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_command(self, compare, ending):
        compare("-c", ENDINGS[ending])

    def test_interrupt_ends_by_the_signal(self, launch, script):
        """A shell that runs the program in a loop stops the loop only if the signal killed the program."""
        done = launch(script("raise KeyboardInterrupt"))
        assert done.returncode == -signal.SIGINT
        assert done.stderr.rstrip().endswith("KeyboardInterrupt")

    def test_interrupt_of_a_blocked_accept(self, socket, tmp_path, script, until_blocked):
        path = script(
            "import socket\nserver = socket.create_server(('127.0.0.1', 0))\nprint('ready', flush=True)\nserver.accept()\n"
        )
        command = [sys.executable, *([] if socket.__name__ == "socket" else ["-m", socket.__name__]), str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
            try:
                assert process.stdout.readline() == "ready\n"
                until_blocked(process)
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=30)
            finally:
                process.kill()
        assert process.returncode == -signal.SIGINT
        assert errors.rstrip().endswith("KeyboardInterrupt")


class TestCommandLine:
    """Errors in the command line itself."""

    def test_missing_script(self, both, tmp_path):
        plain, ours = (Launcher(each, tmp_path)("missing.py") for each in both)
        assert ours.returncode == plain.returncode == 2
        assert ours.stdout == plain.stdout == ""
        assert "missing.py" in ours.stderr and "[Errno 2] No such file or directory" in ours.stderr
        assert "Traceback" not in ours.stderr

    def test_script_without_permission(self, both, tmp_path):
        (tmp_path / "secret.py").touch(mode=0)
        if os.access(tmp_path / "secret.py", os.R_OK):
            pytest.skip("this user may read everything")
        plain, ours = (Launcher(each, tmp_path)("secret.py") for each in both)
        assert ours.returncode == plain.returncode == 2
        assert "Permission denied" in ours.stderr

    def test_empty_name(self, both, tmp_path):
        plain, ours = (Launcher(each, tmp_path)("") for each in both)
        assert (ours.returncode, ours.stderr.rstrip("'/\n")) == (plain.returncode, plain.stderr.rstrip("'/\n"))

    def test_missing_module(self, both, tmp_path):
        plain, ours = (Launcher(each, tmp_path)("-m", "no_such_module") for each in both)
        assert ours.returncode == plain.returncode == 1
        assert ours.stdout == plain.stdout == ""
        assert "No module named no_such_module" in plain.stderr
        assert "No module named no_such_module" in ours.stderr
        assert "Traceback" not in ours.stderr

    def test_package_without_main(self, both, script, tmp_path):
        script("", "parcel/__init__.py")
        plain, ours = (Launcher(each, tmp_path)("-m", "parcel") for each in both)
        assert ours.returncode == plain.returncode == 1
        assert "'parcel' is a package and cannot be directly executed" in ours.stderr
        assert "Traceback" not in ours.stderr

    @pytest.mark.parametrize("arguments", [("--no-such-option",), ("-Z",), ("-m",), ("-c",)], ids=repr)
    def test_wrong_options(self, both, tmp_path, arguments):
        plain, ours = (Launcher(each, tmp_path)(*arguments) for each in both)
        assert ours.returncode == plain.returncode == 2
        assert ours.stdout == ""
        assert "--help" in ours.stderr or "usage" in ours.stderr  # says where to find help
        assert "Traceback" not in ours.stderr

    @pytest.mark.parametrize("option", ["--help", "-h"])
    def test_help(self, launch, option):
        done = launch(option)
        assert done.returncode == 0
        assert "usage" in done.stdout.lower()
        assert done.stderr == ""

    def test_no_arguments(self, launch):
        done = launch()
        assert done.returncode in (0, 2)  # plain Python executes the empty standard input
        assert "Traceback" not in done.stderr


def test_module_can_be_imported_without_running(socket):
    code = "import importlib.util; assert importlib.util.find_spec('oxisocket.__main__')"
    if socket.__name__ == "socket":
        pytest.skip("the original has no such module")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=Path(__file__).parent)
