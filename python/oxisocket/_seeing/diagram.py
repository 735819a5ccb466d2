"""``python -m oxisocket diagram``: draws the conversation that some records are of."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from . import terminal
from .conversation import Conversation, match
from .record import HOW_TO_RECORD, Record, RecordError, read

USAGE = """\
usage: python -m oxisocket diagram [option ...] RECORD.jsonl ...

Draws who talked to whom, from the records of one or more programs. A record is made by
`python -m oxisocket --trace=FILE.jsonl program.py`; it may still be being written.

  -o, --output FILE  where to, and as what, by the suffix; can be given several times:
                       -        a drawing for the terminal (also without -o, and without any)
                       .txt     the same, in a file
                       .svg     a picture
                       .html    a page to look around in, one file
                       .mmd     a Mermaid sequence diagram
                       .pcapng  packets, for Wireshark
                       .json    Chrome's trace format, for Perfetto
  -f, --follow       draw again whenever a program has made a call, until all have ended
  -h, --help         show this and exit

Colours are left out where NO_COLOR is set.
"""

#: The module that makes a file with this suffix.
_WRITERS = {".svg": "svg", ".html": "html", ".mmd": "mermaid", ".txt": "terminal", ".pcapng": "pcapng", ".json": "chrome"}
SUFFIXES = tuple(_WRITERS)

WIDTH_OF_FILE = 100  # cells

# How long --follow waits before it looks again, in seconds. It never draws for more than a part of the time.
PAUSE = 0.3
SHARE = 4


class _Refused(Exception):
    """The command line cannot be carried out; the text says why, and what to do."""


@dataclass
class _Options:
    records: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    follow: bool = False
    help: bool = False

    def take(self, name: str) -> None:
        """Take a name without an option: a record, or ``-`` for the terminal."""
        (self.targets if name == "-" else self.records).append(name)


def main(arguments: list[str]) -> None:
    """Carry out the command line. Exits with status 2, and says what to do, where it cannot be carried out."""
    try:
        options = _options(arguments)
        if options.help:
            print(USAGE, end="")
            return
        _check(options)
        if options.follow:
            _follow(options)
        else:
            _write_all(_read_all(options.records), options.targets)
    except (_Refused, RecordError) as error:
        _exit(str(error))
    except BrokenPipeError:
        # Who reads the drawing has seen enough. What is still buffered must not fail again at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        _exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def prepare(target_path: str) -> None:
    """Import all that `convert` needs for such a file. Raises ValueError for a suffix that is not known."""
    _writer(_suffix(target_path))


def convert(record_path: str, target_path: str) -> None:
    """Make the file that the suffix of `target_path` asks for from one record.

    Raises ValueError for another suffix, RecordError, or OSError.
    """
    _suffix(target_path)
    records = [read(record_path)]
    _write_file(records, match(records), target_path)


def _suffix(target_path: str) -> str:
    suffix = Path(target_path).suffix
    if suffix not in SUFFIXES:
        raise ValueError(_wrong_suffix(target_path))
    return suffix


def _options(arguments: list[str]) -> _Options:
    options = _Options()
    rest = list(arguments)
    while rest:
        match rest.pop(0):
            case "-h" | "--help":
                options.help = True
            case "-f" | "--follow":
                options.follow = True
            case "-o" | "--output" as option:
                if not rest:
                    raise _Refused(f"argument expected for the {option} option")
                options.targets.append(rest.pop(0))
            case "--":
                options.records += rest
                break
            case option if option.startswith("--output="):
                options.targets.append(option.removeprefix("--output="))
            case option if option.startswith("-o"):
                options.targets.append(option[2:])
            case option if option.startswith("-") and option != "-":
                raise _Refused(f"unknown option {option}")
            case name:
                options.take(name)
    options.targets = options.targets or ["-"]
    return options


def _check(options: _Options) -> None:
    if not options.records:
        raise _Refused(f"no record is given; {HOW_TO_RECORD}")
    sources: dict[str, str] = {}
    for path in options.records:
        sources.setdefault(os.path.realpath(path), path)
    options.records = list(sources.values())
    for target in options.targets:
        if target != "-" and Path(target).suffix not in SUFFIXES:
            raise _Refused(_wrong_suffix(target))
        if os.path.realpath(target) in sources:
            raise _Refused(f"{target} is a record; give the drawing another name")


def _wrong_suffix(target: str) -> str:
    return f"what to draw is told by the suffix, and {target} has none of {', '.join(SUFFIXES)}"


def _read_all(paths: list[str]) -> list[Record]:
    return [_read(path) for path in paths]


def _read(path: str) -> Record:
    try:
        return read(path)
    except FileNotFoundError:
        raise _Refused(f"there is no file {path}; {HOW_TO_RECORD}") from None
    except IsADirectoryError:
        raise _Refused(f"{path} is a folder; give the records in it, {Path(path) / '*.jsonl'}") from None


def _write_all(records: list[Record], targets: list[str]) -> None:
    conversation = match(records)
    for target in targets:
        if target == "-":
            _print(_for_terminal(conversation))
        else:
            _write_file(records, conversation, target)


def _for_terminal(conversation: Conversation) -> str:
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return terminal.draw(conversation, shutil.get_terminal_size().columns, colour)


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def _write_file(records: list[Record], conversation: Conversation, target: str) -> None:
    """Write a file whole: who looks at it meanwhile sees the one before."""
    data = _made(Path(target).suffix, records, conversation)
    path = Path(os.path.realpath(target))
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = target, None
        raise


def _made(suffix: str, records: list[Record], conversation: Conversation) -> bytes:
    writer = _writer(suffix)
    match suffix:
        case ".txt":
            return terminal.draw(conversation, WIDTH_OF_FILE, False).encode()
        case ".mmd" | ".svg":
            return str(writer.draw(conversation)).encode()
        case ".html":
            return str(writer.page(conversation)).encode()
        case ".json":
            return str(writer.trace(records)).encode()
        case _:
            file = io.BytesIO()
            writer.write(records, file)
            return file.getvalue()


def _writer(suffix: str):  # type: ignore[no-untyped-def]
    """The module that makes a file with this suffix: imported when it is needed."""
    return importlib.import_module(f".{_WRITERS[suffix]}", __package__)


def _follow(options: _Options) -> None:
    """Draw again and again, until all programs have ended or Ctrl-C. Only a terminal is drawn to before the end."""
    seen: list[tuple[int, int] | None] = []
    records: list[Record] = []
    files = [target for target in options.targets if target != "-"]
    on_screen = "-" in options.targets and sys.stdout.isatty()
    with contextlib.suppress(KeyboardInterrupt):
        while len(records) < len(options.records) or not all(record.ended for record in records):
            now = [_state(path) for path in options.records]
            began = time.monotonic()
            if now != seen:
                seen = now
                records = _read_all([path for path, state in zip(options.records, now, strict=True) if state])
                conversation = match(records)
                for target in files:
                    _write_file(records, conversation, target)
                if on_screen:
                    _show(conversation, [path for path, state in zip(options.records, now, strict=True) if not state])
            time.sleep(max(PAUSE, SHARE * (time.monotonic() - began)))
    if on_screen:
        _print("\x1b[H\x1b[2J")
    _write_all(records, options.targets)


def _state(path: str) -> tuple[int, int] | None:
    """What changes when something is written to a file; None if nothing is in it yet."""
    try:
        state = Path(path).stat()
    except FileNotFoundError:
        return None
    return (state.st_size, state.st_mtime_ns) if state.st_size else None


def _show(conversation: Conversation, missing: list[str]) -> None:
    """Show the end of the drawing, as much as the terminal has lines for."""
    lines = _for_terminal(conversation).splitlines()
    lines += [f"Waiting for {path}" for path in missing]
    height = shutil.get_terminal_size().lines - 1
    _print("\x1b[H\x1b[2J" + "\n".join(lines[-height:]))


def _exit(reason: str) -> NoReturn:
    print(f"oxisocket: {reason}\ntry `python -m oxisocket diagram --help`", file=sys.stderr)
    raise SystemExit(2)
