"""When there is no memory, each call raises MemoryError or succeeds; it never crashes or panics."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from shim import compile_shim, preloaded, why_not

HERE = Path(__file__).parent
SWEEP = HERE / "memory"

needs_testcapi = pytest.mark.skipif(importlib.util.find_spec("_testcapi") is None, reason="an interpreter without _testcapi")


GROUPS = ["beyond", "connection", "conversion", "file", "message", "names", "state", "transfer", "watching"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """For a program in which the library's own allocations fail too, where that is possible."""
    return dict(os.environ) if why_not() else preloaded(compile_shim(tmp_path_factory.mktemp("shim")))


@needs_testcapi
@pytest.mark.holds("When there is no memory, a call raises `MemoryError`")
@pytest.mark.parametrize("traced", ["", "1"], ids=["", "traced"])
@pytest.mark.parametrize("group", GROUPS)
def test_each_allocation_may_fail(oxisocket, group, traced, tmp_path, environment):
    """The first ones of each call; `make nomemory` has all. In another process, so that a crash is noticed. Only on oxisocket: without
    memory, the stdlib loses connections and descriptors."""
    command = [sys.executable, "-P", str(SWEEP), "--short", "--module", oxisocket.__name__, "--group", group]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
        env=environment | {"TMPDIR": str(tmp_path), "OXISOCKET_TRACE": traced},
    )
    wrong = [line for line in done.stdout.splitlines() if not line.startswith("\t")]  # the other lines count what was tried
    assert (done.returncode, wrong, done.stderr) == (0, [], "")


@needs_testcapi
def test_every_function_has_an_operation(oxisocket, tmp_path):
    """The functions of the module and the methods of its classes are called without memory, each by an operation at least."""
    done = subprocess.run(
        [sys.executable, "-P", str(SWEEP), "--missing"], capture_output=True, text=True, timeout=55, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


LIMITED = """
import resource

left, right = socket.socketpair()

def address_space():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

def limit(size):
    '''Limits the address space to `size` more bytes than are in use.'''
    resource.setrlimit(resource.RLIMIT_AS, (address_space() + size, resource.RLIM_INFINITY))

def unlimit():
    '''Removes the limit.'''
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)

def use_up():
    '''Allocates nearly all that is left.'''
    taken = []
    try:
        while True:
            taken.append(bytearray(4096))
    except MemoryError:
        return taken

def outcome(call, *arguments):
    try:
        call(*arguments)
    except MemoryError:
        return "MemoryError"
    except OSError as error:
        return type(error).__name__
    return "succeeded"
"""


@pytest.fixture
def limited(run):
    """Runs a program in which the address space can be limited."""
    return lambda code: run(f"{LIMITED}{code}\nleft.close()\nright.close()\n")


def test_a_finalizer_as_the_first_call_of_a_thread(run):
    """It cannot fail: it closes the descriptor without the data that a thread has."""
    said = run("""
import ctypes, os, resource, threading, warnings
warnings.simplefilter("ignore", ResourceWarning)
malloc = ctypes.CDLL(None).malloc
malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
kept = [socket.socket()]
number = kept[0].fileno()
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()

def forget():
    resource.setrlimit(resource.RLIMIT_AS, (used, resource.RLIM_INFINITY))
    for size in 1 << 16, 1 << 12, 1 << 9, 1 << 6, 1 << 3:
        while malloc(size) is not None:
            pass
    try:
        kept.clear()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)

thread = threading.Thread(target=forget)
thread.start()
thread.join()
try:
    os.fstat(number)
    print("open")
except OSError:
    print("closed")
""")
    assert said == "closed\n"


def test_a_large_control_message(limited):
    said = limited("""
large = b"x" * (64 << 20)
limit(96 << 20)
print(outcome(left.sendmsg, [b"x"], [(1, 99, large), (1, 99, large)]))
""")
    assert said == "MemoryError\n"


def test_a_large_ancillary_buffer(limited):
    said = limited("""
left.send(b"x")
limit(64 << 20)
print(outcome(right.recvmsg, 1, 1 << 30), right.recv(1))
""")
    assert said == "MemoryError b'x'\n"


def test_a_large_receive(limited):
    said = limited("""
left.send(b"x")
limit(64 << 20)
print(outcome(right.recv, 1 << 30), outcome(right.recvfrom, 1 << 30), outcome(right.recvmsg, 1 << 30), right.recv(1))
""")
    assert said == "MemoryError MemoryError MemoryError b'x'\n"


def test_a_long_list_of_buffers(limited):
    said = limited("""
buffers = [b"x"] * (1 << 20)
limit(32 << 20)
print(outcome(left.sendmsg, buffers))
""")
    assert said == "MemoryError\n"


def test_a_long_name(limited):
    said = limited("""
name = "x" * (64 << 20)
as_bytes = name.encode()
with socket.socket() as tcp:
    limit(32 << 20)
    print(outcome(tcp.connect, (as_bytes, 1)), outcome(tcp.connect, (name, 1)), outcome(socket.gethostbyname, name))
""")
    # gaierror where there was enough memory for the look-up: no such name exists.
    assert set(said.split()) <= {"MemoryError", "gaierror"}


def test_a_receive_into_the_kept_buffer(limited):
    """The thread keeps a buffer larger than the call asks for. Without memory for it, the data goes straight into the result, or the call fails."""
    said = limited("""
left.send(b"x" * 10)
limit(64 << 10)
taken = use_up()
said = outcome(right.recv, 65536)
del taken
unlimit()
if said == "MemoryError":
    assert right.recv(65536) == b"x" * 10
print("survived")
""")
    assert said == "survived\n"


@pytest.mark.skipif(not (HERE.parent / "src").is_dir(), reason="the sources are not here")
def test_no_attribute_is_named_by_a_rust_string():
    """For an attribute named by a `&str`, PyO3 makes a Python string, and panics when there is no memory. `clippy.toml` has the other such calls."""
    named = re.compile(r"\.(?:getattr|getattr_opt|setattr|hasattr|delattr|call_method|call_method0|call_method1|import)\(\s*\"")
    sources = (HERE.parent / "src").rglob("*.rs")
    found = [f"{path.name}: {match[0]}" for path in sources for match in named.finditer(path.read_text())]
    assert found == []
