"""What a user does, in the place where this runs: pip takes the wheel for it from a folder, and programs talk.

    python visit.py DIST ANSWER      writes what was found into the file ANSWER

The Python that runs it is the one that is tried. It takes nothing from the network, and leaves nothing.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "parts"))
from originals import ENVIRONMENT, PROGRAMS, exclusive_port, listening, started

TOP = Path(__file__).resolve().parents[2]

SECONDS = 120  # for one program; where each instruction is translated, Python takes seconds to start
DIALOGUE = ("hello\nhow are you?\ngr\xfc\xdfe \u20ac\nq\n", "first answer\nsecond\n\u20ac 3\n")
# C libraries differ in their constants, and in what they offer to look names up with.
DIFFERING = """
import _socket, importlib, sys
socket = importlib.import_module(sys.argv[1])
constants = [name for name in dir(_socket) if isinstance(getattr(_socket, name), int | str) and not name.startswith("__")]
print("other constants:", [name for name in constants if getattr(socket._socket, name, None) != getattr(_socket, name)])
for call in (
    "getprotobyname('tcp')", "getservbyname('http', 'tcp')", "getservbyport(80)", "gethostbyname_ex('127.0.0.1')", "if_nameindex()",
    "getaddrinfo('127.0.0.1', 80)", "getnameinfo(('127.0.0.1', 80), 3)", "gethostname()", "gethostbyaddr('127.0.0.1')",
):
    try:
        print(call, eval("socket." + call))
    except OSError as error:
        print(call, type(error).__name__, error.args)
"""


def main() -> None:
    """Install, talk, and write down where."""
    dist, answer = map(Path, sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="oxisocket-visit-") as folder:
        python = Path(folder, "venv", "bin", "python")
        _must([sys.executable, "-m", "venv", python.parents[1]])
        _must(
            [python, "-m", "pip", *_quiet(), "install", "--no-index", "--only-binary", ":all:", "--find-links", dist, "oxisocket"]
        )
        wheel = _must(
            [python, "-c", "from importlib import metadata as m; print(m.distribution('oxisocket').read_text('WHEEL'))"]
        )
        _must([python, TOP / "examples" / "demo.py", Path(folder, "demo")])
        _same("a program", *(_must([python, "-c", DIFFERING, module]) for module in ("socket", "oxisocket")))
        talked = _tutorial(python)
    tags = sorted(line.partition(": ")[2] for line in wheel.splitlines() if line.startswith("Tag: "))
    answer.write_text(json.dumps(_here() | {"wheel": tags, "tutorial": talked}))


def _tutorial(python: Path) -> bool:
    """Hold the tutorial's conversation with its programs, unchanged; False if they are not beside the project."""
    if not PROGRAMS.is_dir():
        return False
    on_ours = [str(python), "-m", "oxisocket"]
    for name in ("Create-Socket.py", "Socket-Errors.py"):
        _same(name, _must([python, PROGRAMS / name]), _must([*on_ours, PROGRAMS / name]))
    with exclusive_port():
        original, ours = _conversation([str(python)]), _conversation(on_ours)
    for name, theirs in original.items():
        _same(name, theirs, ours[name])
    return True


def _conversation(python: list[str]) -> dict[str, str]:
    """What the server and the client show, but for the port of the client."""
    with (
        listening([*python, PROGRAMS / "Python-Server.py"]) as server,
        started([*python, PROGRAMS / "Python-Client.py"]) as client,
    ):
        assert server.stdin is not None
        server.stdin.write(DIALOGUE[1])
        server.stdin.flush()
        shown = {
            "Python-Client.py": client.communicate(DIALOGUE[0], timeout=SECONDS),
            "Python-Server.py": server.communicate(timeout=SECONDS),
        }
        if client.returncode or server.returncode:
            sys.exit(f"{python}: exit statuses {client.returncode} and {server.returncode}: {shown}")
    first, _, rest = shown["Python-Server.py"][0].partition("\n")
    return {
        "Python-Client.py": "".join(shown["Python-Client.py"]),
        "Python-Server.py": first.rpartition(", ")[0] + rest + shown["Python-Server.py"][1],
    }


def _same(name: str, original: str, ours: str) -> None:
    if original != ours:
        sys.exit(f"{name} shows {ours!r} on oxisocket, and {original!r} on the original")


def _quiet() -> list[str]:
    return ["--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir"]


def _must(command: list[str | Path]) -> str:
    environment = {**ENVIRONMENT, "PIP_ROOT_USER_ACTION": "ignore"}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10 * SECONDS, check=False)
    if told.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nfailed with exit status {told.returncode}:\n{told.stdout}{told.stderr}")
    return told.stdout


def _here() -> dict[str, str]:
    """The system, the C library, the processor and the Python."""
    release = platform.freedesktop_os_release()
    name, version = platform.libc_ver()
    return {
        "system": f"{release['NAME'].split()[0]} {release.get('VERSION_ID', release.get('VERSION_CODENAME', ''))}".strip(),
        "libc": f"{name} {version}" if name == "glibc" else os.environ.get("OXISOCKET_LIBC", "musl"),
        "processor": platform.machine(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
