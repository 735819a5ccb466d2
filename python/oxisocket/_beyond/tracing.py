"""``trace`` and ``observe``: a program tells what it does with its sockets."""

from __future__ import annotations

import base64
import builtins
import json
import os
import platform
import sys
from errno import EIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxisocket import _socket
from oxisocket._beyond import standard_error, tls

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Self, SupportsIndex

# The suffixes of what is written while the program runs. Everything else is made from a record in the end.
_WRITTEN_AT_ONCE = (".jsonl", ".txt")
_MADE_FROM_A_RECORD = (".html", ".json", ".mmd", ".pcapng", ".svg")

# How many bytes of the data of each call are kept if nobody says otherwise; more for programs that look into the data.
_BYTES = 32
_BYTES_FOR_PACKETS = 65536

# The flag of a function with *arguments: inspect.CO_VARARGS.
_TAKES_MORE = 4


class _Recording:
    """A recording that runs from ``start`` to ``stop``, or within a ``with`` statement."""

    def __init__(self) -> None:
        self._handle: int | None = None

    def start(self) -> None:
        """Begin. Raises RuntimeError if it has begun already."""
        raise NotImplementedError

    def _begin(self, target: Any, path: str | None, form: str, limit: int, filter: str, colour: bool, callers: bool) -> None:
        if self._handle is not None:
            raise RuntimeError("this recording runs already: make one for each with statement")
        tls.tell_calls()
        encoded = None if path is None else os.fsencode(path)
        self._handle = _socket._trace_begin(target, encoded, form, limit, filter, _program(), colour, callers)

    def stop(self) -> None:
        """End. Does nothing if it does not run."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._stopped(_socket._trace_end(handle))

    def _stopped(self, ended: tuple[int, int, bytes | None] | None) -> None:
        """It has ended, and lost so many events for the reason with this errno; its record is there."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()


def _program() -> str:
    """What the record says of this program: JSON, without the braces."""
    import oxisocket

    program, arguments = _command(sys.orig_argv)
    facts = {
        "program": program,
        "arguments": arguments,
        "python": platform.python_version(),
        "oxisocket": oxisocket.__version__,
    }
    return json.dumps(facts)[1:-1]


def _command(argv: list[str]) -> tuple[str, list[str]]:
    """What is run, ``server.py`` or ``-m http.server``, and its arguments, from the command line of the interpreter."""
    rest = argv[1:]
    if "oxisocket" in rest and rest[rest.index("oxisocket") - 1] == "-m":
        rest = rest[rest.index("oxisocket") + 1 :]
    while rest and rest[0].startswith("-") and rest[0] not in ("-", "-c", "-m"):
        # -W and -X take an argument.
        del rest[: 2 if rest[0] in ("-W", "-X") else 1]
    match rest:
        case ["-m", module, *arguments]:
            return f"-m {module}", arguments
        case ["-c", _, *arguments]:
            return "-c", arguments
        case [program, *arguments]:
            return program, arguments
        case _:
            return "", []


def _number_of_bytes(value: SupportsIndex) -> int:
    import operator

    number = operator.index(value)
    if not 0 <= number <= sys.maxsize:
        raise ValueError(f"bytes must be how many bytes are kept, 0 or more, not {number}")
    return number


def _text(filter: str) -> str:
    if not isinstance(filter, str):
        raise TypeError(f"filter must be a str, not {type(filter).__name__!r}")
    return filter


class trace(_Recording):  # noqa: N801 - it is used like a function
    """Tell each call on a socket as it ends: ``with oxisocket.trace():``, or with ``start()`` and ``stop()``.

    ``file`` is where to: None for standard error, an object whose method ``write`` takes a text, or a path, whose suffix says
    what is written. ``.txt`` is for people, ``.jsonl`` the record that docs/trace-format.md describes. These two are written
    as the program runs. The others are made from a record when the trace ends: ``.svg``, ``.html`` and ``.mmd`` are pictures,
    ``.pcapng`` is for Wireshark, ``.json`` for Perfetto. Until then the record is beside the file, and stays there if the program
    is killed.

    ``bytes`` is how many bytes of the data of each call are kept: without it 32, and 65536 for ``.pcapng``. ``filter`` is which
    calls, such as ``'port 5432 and not error'``. ``callers`` adds to each line who has called. All threads are traced. A forked
    child has a file of its own.

    Raises ValueError for a filter or a suffix that is not known, and OSError. What cannot be written later does not disturb the
    program: it is counted, and told on standard error in the end.
    """

    def __init__(self, file: Any = None, *, bytes: SupportsIndex | None = None, filter: str = "", callers: bool = False) -> None:
        super().__init__()
        self._file = file
        self._filter = _text(filter)
        self._callers = callers
        self._target: str | None = None
        if isinstance(file, (str, builtins.bytes, os.PathLike)):
            self._target = str(Path(os.fsdecode(file)).absolute())
            _check_suffix(self._target)
        elif file is not None and not callable(getattr(file, "write", None)):
            raise TypeError(f"trace() takes a path, an object with a method write(), or None, not {type(file).__name__!r}")
        default = _BYTES_FOR_PACKETS if self._target is not None and self._target.endswith(".pcapng") else _BYTES
        self._bytes = default if bytes is None else _number_of_bytes(bytes)

    def start(self) -> None:
        """Begin. Raises RuntimeError if it has begun already, ValueError for a filter that cannot be parsed, and OSError."""
        if self._target is not None:
            self._prepare()
            self._start_in_file(self._record_path())
        elif self._file is None:
            colour = os.isatty(2) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
            self._begin(standard_error.number(), None, "text", self._bytes, self._filter, colour, self._callers)
        else:
            self._begin(self._file.write, None, "text", self._bytes, self._filter, False, self._callers)

    def _start_in_file(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        fd = os.open(path, flags, 0o666)
        try:
            form = "text" if path.endswith(".txt") else "json"
            self._begin(fd, path, form, self._bytes, self._filter, False, self._callers)
        finally:
            os.close(fd)

    def _record_path(self) -> str:
        """The file that is written to while the program runs. In a forked child, it is another one."""
        assert self._target is not None
        return self._target if self._is_written_at_once() else f"{self._target}.jsonl"

    def _stopped(self, ended: tuple[int, int, bytes | None] | None) -> None:
        count, errno, path = ended or (0, 0, None)
        if count:
            is_written_by_object = self._file is not None and self._target is None
            reason = "write() has raised" if is_written_by_object and errno == EIO else os.strerror(errno)
            standard_error.tell(f"oxisocket: events of the trace were lost: {reason} ({count} in all)\n")
        if path is not None and self._target is not None and not self._is_written_at_once():
            self._make_target(os.fsdecode(path), self._target)

    def _prepare(self) -> None:
        """Import what draws.

        At the end of the program it could be too late for that. And an import runs ``exec``, which makes the interpreter forget
        that a KeyboardInterrupt ends the program: it would not end by the signal.
        """
        if self._target is not None and not self._is_written_at_once():
            from oxisocket._seeing import diagram

            diagram.prepare(self._target)

    def _is_written_at_once(self) -> bool:
        return self._target is None or self._target.endswith(_WRITTEN_AT_ONCE)

    def _make_target(self, record: str, target: str) -> None:
        from oxisocket._seeing import diagram

        if record != self._record_path():
            target = _with_process(target, os.getpid())
        try:
            diagram.convert(record, target)
            Path(record).unlink()
        except Exception as error:
            # The program may have removed the folder, or filled the disk. It goes on, or ends, as it would without a trace.
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            standard_error.tell(f"oxisocket: {target} could not be made from {record}: {reason}\n")


def is_file_of_trace(path: str) -> bool:
    """Whether the suffix is one of what a trace writes."""
    return path.endswith((*_WRITTEN_AT_ONCE, *_MADE_FROM_A_RECORD))


def _check_suffix(path: str) -> None:
    if not is_file_of_trace(path):
        known = (*_WRITTEN_AT_ONCE, *_MADE_FROM_A_RECORD)
        names = f"{', '.join(known[:-1])} or {known[-1]}"
        raise ValueError(f"a trace is written to a file whose name ends with {names}: not {path!r}")


def _with_process(path: str, process: int) -> str:
    """The name of a child's file: ``trace.svg`` becomes ``trace.1234.svg``."""
    whole = Path(path)
    return str(whole.with_name(f"{whole.stem}.{process}{whole.suffix}"))


class observe(_Recording):  # noqa: N801 - it is used like a function
    """Call ``callback(event)`` for each event of a trace: ``with oxisocket.observe(print):``, or with ``start()`` and ``stop()``.

    An event is a dict, as docs/trace-format.md describes it, with the ``data`` as bytes. It comes in the thread whose call it
    tells, when that call has ended or begins to wait. What the callback itself does with sockets is not traced. An exception of
    the callback does not reach the program that called: ``sys.unraisablehook`` is told; a KeyboardInterrupt comes after the call.

    ``bytes`` and ``filter`` are those of ``trace``. Raises TypeError for what cannot be called, and ValueError.
    """

    def __init__(
        self, callback: Callable[[dict[str, Any]], object], *, bytes: SupportsIndex | None = None, filter: str = ""
    ) -> None:
        super().__init__()
        if not callable(callback):
            raise TypeError(f"observe() takes a function that is called with each event, not {type(callback).__name__!r}")
        self._callback = callback
        self._bytes = _BYTES if bytes is None else _number_of_bytes(bytes)
        self._filter = _text(filter)

    def start(self) -> None:
        """Begin. Raises RuntimeError if it has begun already, and ValueError for a filter that cannot be parsed."""
        self._begin(self._tell, None, "json", self._bytes, self._filter, False, True)

    def _tell(self, lines: str) -> None:
        for line in lines.rstrip("\n").split("\n"):
            event = json.loads(line)
            if "data" in event:
                event["data"] = base64.b64decode(event["data"])
            self._callback(event)


def comes_from_signal(error: BaseException, traceback: TracebackType | None) -> bool:
    """Whether a signal handler has raised an exception, while it ran in the middle of a function of a trace.

    The interpreter calls a handler between two instructions of any function, with that function's frame as the last argument.
    """
    import signal

    if isinstance(error, KeyboardInterrupt):
        return True
    handlers = {getattr(signal.getsignal(number), "__code__", None) for number in signal.valid_signals()} - {None}
    step = traceback
    while step is not None:
        frame, step = step.tb_frame, step.tb_next
        if frame.f_code in handlers or (frame.f_back is not None and _is_last_argument(frame.f_back, frame)):
            return True
    return False


def _is_last_argument(value: object, frame: FrameType) -> bool:
    code = frame.f_code
    count = code.co_argcount + bool(code.co_flags & _TAKES_MORE)
    values = [frame.f_locals.get(name) for name in code.co_varnames[:count]]
    return bool(values) and (values[-1] is value or (isinstance(values[-1], tuple) and values[-1][-1:] == (value,)))
