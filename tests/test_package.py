"""The package itself: what it ships, what it loads, how it is called."""

import importlib.metadata
import importlib.util
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def package(oxisocket):
    return Path(oxisocket.__file__).parent


def loaded_by(statement):
    code = (
        f"import sys; before = set(sys.modules); {statement}; import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


def test_ships_type_information(package):
    assert (package / "py.typed").is_file()
    assert (package / "_socket.pyi").is_file()


def test_says_its_version(oxisocket):
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", oxisocket.__version__)
    assert oxisocket.__version__ == importlib.metadata.version("oxisocket")


def test_needs_nothing_else(oxisocket):
    needed = importlib.metadata.requires("oxisocket") or []
    assert [each for each in needed if "extra ==" not in each] == []


def test_extension_is_compiled(oxisocket):
    specification = importlib.util.find_spec("oxisocket._socket")
    assert specification.origin.endswith((".so", ".pyd"))
    assert oxisocket._socket is sys.modules["oxisocket._socket"]


def test_import_loads_no_more_than_the_original(oxisocket):
    theirs, ours = loaded_by("import socket"), loaded_by("import oxisocket")
    extra = {name for name in ours - theirs if not name.startswith("oxisocket")}
    assert extra & {"ssl", "_ssl", "asyncio", "typing", "dataclasses", "re", "ctypes", "threading", "subprocess", "tempfile", "json",
                    "inspect", "importlib.metadata", "http.client", "logging", "runpy", "argparse"} == set()  # fmt: skip


def test_import_of_the_package_leaves_the_original_in_place(oxisocket):
    code = (
        "import socket, oxisocket; import socket as again; assert socket is again; assert socket.socket is not oxisocket.socket"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True, timeout=60)


def test_import_is_silent(oxisocket):
    done = subprocess.run(
        [sys.executable, "-I", "-X", "dev", "-W", "error", "-c", "import oxisocket"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_members_are_pickled_by_name(socket, protocol):
    for member in (socket.AF_INET, socket.SOCK_STREAM, socket.MSG_PEEK, socket.AI_PASSIVE):
        assert pickle.loads(pickle.dumps(member, protocol)) is member


def test_pickles_are_small(socket):
    assert len(pickle.dumps(socket.AF_INET6, 4)) < 100


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_sockets_are_not_pickled(both, protocol):
    texts = []
    for each in both:
        with each.socket() as sock, pytest.raises(TypeError) as caught:
            pickle.dumps(sock, protocol)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_exceptions_are_pickled(socket):
    for error in (socket.gaierror(-2, "unknown"), socket.herror(1, "unknown"), socket.timeout("timed out")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), again.args) == (type(error), error.args)
