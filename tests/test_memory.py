"""No memory is an exception: whatever is called, MemoryError is the worst it comes to."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SWEEP = HERE / "memory"

needs_testcapi = pytest.mark.skipif(importlib.util.find_spec("_testcapi") is None, reason="an interpreter without _testcapi")


@needs_testcapi
@pytest.mark.holds("Want of memory is `MemoryError`")
@pytest.mark.parametrize("group", ["transfer", "message", "connection", "state", "file", "names", "conversion"])
def test_each_allocation_of_the_interpreter_may_fail(oxisocket, group, tmp_path):
    """In another process, so that its end is seen. The stdlib is no measure here: it loses connections and descriptors."""
    command = [sys.executable, "-P", str(SWEEP), oxisocket.__name__, group]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=55, check=False, env={"TMPDIR": str(tmp_path), "PATH": ""}
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


LIMITED = """
import resource

left, right = socket.socketpair()

def address_space():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

def leave(size):
    '''Leaves so much of the address space to this process, and forgets what it took.'''
    resource.setrlimit(resource.RLIMIT_AS, (address_space() + size, resource.RLIM_INFINITY))

def lift():
    '''Gives it all of it back.'''
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)

def fill():
    '''Takes what is left, but for a little.'''
    taken = []
    try:
        while True:
            taken.append(bytearray(4096))
    except MemoryError:
        return taken

def says(call, *arguments):
    try:
        call(*arguments)
    except MemoryError:
        return "MemoryError"
    except OSError as error:
        return type(error).__name__
    return "went well"
"""


@pytest.fixture
def limited(run):
    """Runs a program in which the address space can be limited."""
    return lambda code: run(f"{LIMITED}{code}\nleft.close()\nright.close()\n")


def test_a_large_control_message(limited):
    said = limited("""
large = b"x" * (64 << 20)
leave(96 << 20)
print(says(left.sendmsg, [b"x"], [(1, 99, large), (1, 99, large)]))
""")
    assert said == "MemoryError\n"


def test_room_for_a_large_control_message(limited):
    said = limited("""
left.send(b"x")
leave(64 << 20)
print(says(right.recvmsg, 1, 1 << 30), right.recv(1))
""")
    assert said == "MemoryError b'x'\n"


def test_a_large_receive(limited):
    said = limited("""
left.send(b"x")
leave(64 << 20)
print(says(right.recv, 1 << 30), says(right.recvfrom, 1 << 30), says(right.recvmsg, 1 << 30), right.recv(1))
""")
    assert said == "MemoryError MemoryError MemoryError b'x'\n"


def test_a_long_list_of_buffers(limited):
    said = limited("""
buffers = [b"x"] * (1 << 20)
leave(32 << 20)
print(says(left.sendmsg, buffers))
""")
    assert said == "MemoryError\n"


def test_a_long_name(limited):
    said = limited("""
name = "x" * (64 << 20)
as_bytes = name.encode()
with socket.socket() as tcp:
    leave(32 << 20)
    print(says(tcp.connect, (as_bytes, 1)), says(tcp.connect, (name, 1)), says(socket.gethostbyname, name))
""")
    # There is no such name, if there was memory to ask for it.
    assert set(said.split()) <= {"MemoryError", "gaierror"}


def test_a_receive_into_memory_that_is_kept(limited):
    """More is kept than is asked for: without memory for that it is received where it will stay, or not at all."""
    said = limited("""
left.send(b"x" * 10)
leave(64 << 10)
taken = fill()
said = says(right.recv, 65536)
del taken
lift()
if said == "MemoryError":
    assert right.recv(65536) == b"x" * 10
print("survived")
""")
    assert said == "survived\n"


@pytest.mark.skipif(not (HERE.parent / "src").is_dir(), reason="without the sources")
def test_no_name_of_an_attribute_is_made_in_passing():
    """A `&str` in its place makes PyO3 make a string, and panic where there is no memory for it. `clippy.toml` has the others."""
    named = re.compile(r"\.(?:getattr|getattr_opt|setattr|hasattr|delattr|call_method|call_method0|call_method1|import)\(\s*\"")
    sources = (HERE.parent / "src").rglob("*.rs")
    found = [f"{path.name}: {match[0]}" for path in sources for match in named.finditer(path.read_text())]
    assert found == []
