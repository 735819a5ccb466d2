"""The options of `python -m oxisocket` that let a program be seen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from told import Told
from waiting import HANG_TIMEOUT, wait_until

WATCHES = True

PROGRAM = """
import socket
left, right = socket.socketpair()
left.sendall(b"x" * 100)
right.recv(1000)
right.setblocking(False)
try:
    right.recv(1)
except BlockingIOError:
    pass
left.close()
right.close()
"""


def test_the_file_of_a_trace_in_the_place_of_the_program(command, tmp_path):
    """A record is no program."""
    (tmp_path / "t.jsonl").write_text("{}")
    status, output, errors = command("--trace", "t.jsonl", "program.py")
    assert (status, output) == (2, "") and errors.startswith("oxisocket: a file is given as --trace=t.jsonl\n")


@pytest.mark.parametrize("option", ["--trace", "--table", "--trace-callers"])
def test_options_without_a_program(command, option):
    status, output, errors = command(option)
    assert (status, output) == (2, "") and errors.startswith("oxisocket: no program is given\n")


@pytest.fixture
def command(oxisocket, tmp_path):
    """`command(*arguments)` runs `python -m oxisocket`: its status, standard output and standard error."""
    (tmp_path / "program.py").write_text(PROGRAM)

    def command(*arguments, **options):
        whole = [sys.executable, "-W", "error", "-m", "oxisocket", *map(str, arguments)]
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | options.pop("env", {})
        done = subprocess.run(
            whole, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=HANG_TIMEOUT, check=False, **options
        )
        return done.returncode, done.stdout, done.stderr

    return command


@pytest.fixture
def shell(oxisocket, tmp_path):
    """Starts `python -m oxisocket`."""
    processes = []

    def shell(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "oxisocket", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        processes.append(process)
        return process

    yield shell
    for each in processes:
        each.kill()
        each.communicate()


def test_lines_on_standard_error(command):
    status, output, errors = command("--trace", "program.py")
    lines = errors.splitlines()
    assert (status, output) == (0, "")
    assert ["socketpair(" in lines[0], "sendall(b'xxxx" in lines[1], "recv(1000) = b'xxxx" in lines[2]] == [True] * 3
    assert "(100 bytes)" in lines[1] and "program.py:" not in errors
    assert "✗ BlockingIOError" in lines[4] and "close()" in lines[-1]
    assert "\x1b" not in errors


def test_callers(command):
    _, _, errors = command("--trace", "--trace-callers", "program.py")
    assert "  program.py:4\n" in errors and "  program.py:5\n" in errors
    assert command("--trace-callers", "program.py")[2].count("program.py:") == errors.count("program.py:")


def test_a_record(command, tmp_path):
    assert command("--trace=t.jsonl", "program.py", "one", "--table") == (0, "", "")
    told = Told.read(tmp_path / "t.jsonl")
    assert (told.events[0]["program"], told.events[0]["arguments"]) == ("program.py", ["one", "--table"])
    assert told.names() == ["socketpair", "sendall", "recv", "setblocking", "recv", "close", "close"]
    assert told.call("sendall")["caller"] == "program.py:4" and told.socket(1)["opened"] == "program.py:3"
    assert told.events[-1]["open"] == []


@pytest.mark.parametrize(
    ("arguments", "program"),
    [(("-c", PROGRAM, "x"), "-c"), (("-m", "program", "x"), "-m program"), (("./program.py", "x"), "./program.py")],
)
def test_what_was_run(command, tmp_path, arguments, program):
    assert command("--trace=t.jsonl", *arguments)[0] == 0
    process = Told.read(tmp_path / "t.jsonl").events[0]
    assert (process["program"], process["arguments"]) == (program, ["x"])


def test_how_many_bytes(command, tmp_path):
    for limit, shown in (0, "<100 bytes>"), (3, "b'xxx'… (100 bytes)"), (500, "b'" + "x" * 100 + "'"):
        assert f"sendall({shown})" in command("--trace", f"--trace-bytes={limit}", "program.py")[2]
        assert f"sendall({shown})" in command(f"--trace-bytes={limit}", "program.py")[2]


def test_a_filter(command):
    _, _, errors = command("--trace-filter=call recv and not error", "program.py")
    assert len(errors.splitlines()) == 1 and "recv(1000)" in errors


def test_several_traces(command, tmp_path):
    status, _, errors = command("--trace=a.jsonl", "--trace", "--trace=b.txt", "--trace=c.mmd", "--trace=d.svg", "program.py")
    assert status == 0 and "sendall(" in errors and "sendall(" in (tmp_path / "b.txt").read_text()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.jsonl", "b.txt", "c.mmd", "d.svg", "program.py"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--trace="], "--trace= needs a value"),
        (["--trace=t.pdf"], ".jsonl, .txt, .html"),
        (["--trace=no/t.jsonl"], "No such file or directory"),
        (["--trace-bytes=x"], "--trace-bytes needs a number of bytes, not 'x'"),
        (["--trace-bytes=-1"], "--trace-bytes needs a number of bytes, not '-1'"),
        (["--trace-bytes=٣"], "--trace-bytes needs a number of bytes"),
        (["--trace-bytes=" + "9" * 30], "--trace-bytes is too large"),
        (["--trace-bytes=" + "9" * 5000], "--trace-bytes is too large"),
        (["--trace-bytes"], "argument expected: --trace-bytes=N"),
        (["--trace-filter"], "argument expected: --trace-filter=TEXT"),
        (["--trace-filter="], "--trace-filter= needs a value"),
        (["--trace-filter=prot 1"], "the filter: 'prot' is not known. Known are: host, port"),
        (["--trace-callers=yes"], "unknown option --trace-callers=yes"),
        (["--table=x"], "unknown option --table=x"),
        (["--tracing"], "unknown option --tracing"),
    ],
)
def test_wrong_options(command, arguments, words):
    status, output, errors = command(*arguments, "program.py")
    assert (status, output) == (2, "")
    assert words in errors and errors.startswith("oxisocket: ") and errors.endswith("try `python -m oxisocket --help`\n")


def test_options_after_the_program_are_its_own(command):
    assert command("-c", "import sys; print(sys.argv)", "--trace=x", "--table") == (0, "['-c', '--trace=x', '--table']\n", "")


def test_colours_on_a_terminal(command, tmp_path):
    for name, colours in ("", True), ("1", False):
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "oxisocket", "--trace", "program.py"],
            stderr=theirs,
            cwd=tmp_path,
            env={each: value for each, value in os.environ.items() if each != "NO_COLOR"} | {"NO_COLOR": name},
        )
        os.close(theirs)
        seen = b""
        try:
            while data := os.read(ours, 4096):
                seen += data
        except OSError:  # the end of a terminal
            pass
        os.close(ours)
        assert process.wait() == 0
        assert b"sendall" in seen and (b"\x1b[" in seen) == colours


def test_a_program_that_hangs_says_where(shell):
    process = shell("--trace-callers", "-c", "import socket; socket.create_server(('127.0.0.1', 0)).accept()")
    for line in process.stderr:
        if "waits …" in line:
            break
    assert "accept() waits …" in line and "<string>:1" in line
    assert process.poll() is None


@pytest.mark.parametrize(("ending", "status"), [("import sys; sys.exit(5)", 5), ("1 / 0", 1), ("import os; os._exit(4)", 4)])
def test_how_the_program_ends(command, tmp_path, ending, status):
    code = f"import socket; a, b = socket.socketpair(); a.send(b'x')\n{ending}"
    assert command("--trace=t.jsonl", "-c", code)[0] == status
    told = Told.read(tmp_path / "t.jsonl")
    assert told.names() == ["socketpair", "send"]
    assert [each["open"] for each in told.of("exit")] == ([] if "_exit" in ending else [[1]])


@pytest.mark.parametrize("suffix", ["jsonl", "txt", "svg", "html", "mmd", "pcapng", "json"])
def test_ctrl_c_ends_the_program_as_without_a_trace(command, tmp_path, suffix):
    """By the signal. What draws runs after that, and must not make the interpreter forget it."""
    code = "import os, signal, socket; socket.socket().close(); os.kill(os.getpid(), signal.SIGINT)"
    handled = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    assert command("-c", code, **handled)[0] == -signal.SIGINT
    assert command(f"--trace=t.{suffix}", "-c", code, **handled)[0] == -signal.SIGINT
    assert (tmp_path / f"t.{suffix}").stat().st_size


def test_what_is_open_at_the_end(command):
    code = "import socket\nkept = socket.socket()\ndef lose():\n    socket.socket()\nlose()"
    errors = command("--trace", "-c", code, env={"PYTHONWARNINGS": "ignore"})[2].splitlines()
    told = [line for line in errors if "✗" in line or "still" in line]
    assert [line.partition("  ")[2].strip() for line in told] == [
        "4  ✗ nobody closed this socket, which was opened at <string>:4",
        "3  is still open: it was opened at <string>:2",
    ]


def test_a_picture_that_cannot_be_made(command, tmp_path):
    """It is told in a sentence, and the program ends as it would have."""
    (tmp_path / "sub").mkdir()
    code = "import shutil, socket, sys; socket.socket().close(); shutil.rmtree('sub'); sys.exit(3)"
    status, output, errors = command("--trace=sub/t.svg", "-c", code)
    assert (status, output) == (3, "")
    assert errors.splitlines() == [
        f"oxisocket: {tmp_path / 'sub' / 't.svg'} could not be made from {tmp_path / 'sub' / 't.svg.jsonl'}: No such file or directory"
    ]


@pytest.mark.parametrize("option", ["--table", "--trace=sub/t.svg"])
def test_a_program_without_standard_error(oxisocket, tmp_path, option):
    """Descriptor 2 is a file of the program then: what would be told there is told nowhere."""
    (tmp_path / "sub").mkdir()
    ours, theirs = oxisocket.socketpair()
    code = f"import os, shutil, socket; os.dup2({theirs.fileno()}, 2); socket.socket().close(); shutil.rmtree('sub')"
    with ours, theirs:
        done = subprocess.run(
            [sys.executable, "-m", "oxisocket", option, "-c", code],
            stdout=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            preexec_fn=lambda: os.close(2),
            cwd=tmp_path,
            timeout=HANG_TIMEOUT,
            check=False,
        )
        theirs.close()
        assert (done.returncode, done.stdout, ours.recv(1000)) == (0, b"", b"")


def test_no_trace_goes_to_a_file_that_is_not_standard_error(oxisocket, tmp_path):
    code = """
import os, oxisocket
one, other = oxisocket.socketpair()
os.dup2(one.fileno(), 2)
other.setblocking(False)
for _ in range(2):
    try:
        with oxisocket.trace():
            pass
    except OSError as error:
        print(error)
try:
    print(other.recv(100))
except BlockingIOError:
    print("nothing")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.close(2),
        timeout=HANG_TIMEOUT,
        check=False,
    )
    assert done.stdout.splitlines() == ["[Errno 9] there is no standard error"] * 2 + ["nothing"]


def test_what_the_program_does_at_its_end_is_told(command, tmp_path):
    code = "import atexit, socket; a, b = socket.socketpair(); atexit.register(lambda: (a.send(b'x'), a.close(), b.close()))"
    assert command("--trace=t.jsonl", "-c", code)[0] == 0
    told = Told.read(tmp_path / "t.jsonl")
    assert told.names() == ["socketpair", "send", "close", "close"] and told.events[-1]["open"] == []


def test_a_folder_that_changes(command, tmp_path):
    (tmp_path / "sub").mkdir()
    code = "import os, socket; os.chdir('sub'); socket.socket().close()"
    assert command("--trace=t.mmd", "-c", code)[0] == 0
    assert (tmp_path / "t.mmd").exists() and not list((tmp_path / "sub").iterdir())


# The table.


def test_the_table_at_the_end(command):
    code = "import socket\nkept = socket.create_server(('127.0.0.1', 0))\na, b = socket.socketpair()\na.send(b'x')\nb.close()"
    status, output, errors = command("--table", "-c", code, env={"PYTHONWARNINGS": "ignore"})
    head, *rows = [line for line in errors.splitlines() if "ResourceWarning" not in line and "ignored" not in line]
    assert (status, output) == (0, "") and head.split()[:2] == ["fd", "kind"]
    assert len(rows) == 2
    assert "tcp" in rows[0] and "listen" in rows[0] and "<string>:2" in rows[0]
    assert "unix stream" in rows[1] and "<string>:3" in rows[1] and rows[1].split().count("1") >= 2


def test_no_socket_is_open(command):
    assert command("--table", "program.py")[2] == "no socket is open\n"


HELD = """
import os, socket, sys, signal, time
{before}
kept = socket.create_server(("127.0.0.1", 0))
print("ready", flush=True)
sys.stdin.read()
kept.close()
"""


def test_the_table_at_a_signal(shell, until_blocked):
    process = shell("--table", "-c", HELD.format(before=""))
    assert process.stdout.readline() == "ready\n"
    until_blocked(process)
    process.send_signal(signal.SIGUSR1)
    lines = [process.stderr.readline() for _ in range(2)]
    assert lines[0].startswith("fd  kind") and "listen" in lines[1]
    output, errors = process.communicate("", timeout=HANG_TIMEOUT)
    assert (process.returncode, errors) == (0, "no socket is open\n")


def test_a_program_that_has_its_own_use_for_the_signal(shell, until_blocked):
    before = "signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b'mine\\n'))"
    process = shell("--table", "-c", HELD.format(before=before))
    assert process.stdout.readline() == "ready\n"
    until_blocked(process)
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == "mine\n"
    assert process.communicate("", timeout=HANG_TIMEOUT)[1] == "no socket is open\n"


def test_a_signal_in_the_middle_of_writing(shell, until_blocked):
    """The program is writing to standard error when the signal comes; or has closed it."""
    before = """
class Busy:
    def write(self, text):
        raise RuntimeError("reentrant call")
    def flush(self):
        pass
sys.stderr = Busy() if len(sys.argv) == 1 else None
"""
    for arguments in (), ("none",):
        process = shell("--table", "-c", HELD.format(before=before), *arguments)
        assert process.stdout.readline() == "ready\n"
        until_blocked(process)
        process.send_signal(signal.SIGUSR1)
        assert process.stderr.readline().startswith("fd  kind")
        output, _ = process.communicate("", timeout=HANG_TIMEOUT)
        assert (process.returncode, output) == (0, "")


def test_a_signal_that_is_ignored_stays_ignored(oxisocket, tmp_path):
    code = "import signal; print(signal.getsignal(signal.SIGUSR1))"
    done = subprocess.run(
        [sys.executable, "-m", "oxisocket", "--table", "-c", code],
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN),
        timeout=HANG_TIMEOUT,
        check=True,
    )
    assert done.stdout == "1\n" or "SIG_IGN" in done.stdout


def test_trace_and_table_together(command, tmp_path):
    _, _, errors = command("--table", "--trace=t.jsonl", "program.py")
    assert errors == "no socket is open\n" and Told.read(tmp_path / "t.jsonl").names()[0] == "socketpair"


def test_the_help_names_every_option(command):
    _, output, _ = command("--help")
    for option in "--trace ", "--trace=FILE", "--trace-bytes=N", "--trace-filter=TEXT", "--trace-callers", "--table":
        assert option in output


def test_a_trace_of_perfetto_and_of_packets(command, tmp_path):
    pytest.importorskip("oxisocket._seeing.pcapng")
    assert command("--trace=t.pcapng", "--trace=t.json", "program.py")[0] == 0
    assert json.loads((tmp_path / "t.json").read_text())
    assert (tmp_path / "t.pcapng").read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    wait_until(lambda: not list(tmp_path.glob("*.jsonl")))
