"""Runs a program as ``python`` runs it: as ``__main__``, with its own argv, path and tracebacks."""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import marshal
import os
import runpy
import sys
import types

# What is imported here, the program can no longer have its own module for: it is no more than `-m` and `import socket` import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def leave_current_folder() -> str:
    """Take the current folder from ``sys.path``, where ``python -m`` has put it, and return it.

    Until it runs, no file of the user's may stand in for a module of the standard library.
    """
    # Where there is no current folder any more, nothing was put there.
    return "" if _is_path_safe() or not _absolute("") else sys.path.pop(0)


def run_script(path: str, arguments: list[str]) -> None:
    """Run a file, or a folder or zip file with a ``__main__.py`` in it."""
    sys.argv[:] = [path, *arguments]
    absolute = _absolute(path)
    if _holds_modules(absolute):
        # Needed under `-P` too, since `__main__` is found there.
        sys.path.insert(0, absolute)
        _new_main()
        _as_main(lambda: runpy._run_module_as_main("__main__", alter_argv=False))  # type: ignore[attr-defined]
        return
    try:
        with open(absolute, "rb") as file:
            source = file.read()
    except OSError as error:
        _cannot_open(absolute, error)
    _put_first(os.path.dirname(os.path.realpath(absolute)))
    main = _new_main()
    main.__file__ = absolute
    _set_cached(main)
    if path.endswith(".pyc"):
        main.__loader__ = importlib.machinery.SourcelessFileLoader("__main__", absolute)
        _as_main(lambda: exec(_load_code(source), main.__dict__))
    else:
        main.__loader__ = importlib.machinery.SourceFileLoader("__main__", absolute)
        _as_main(lambda: exec(_compile_file(source, absolute), main.__dict__))


def run_module(name: str, arguments: list[str], folder: str) -> None:
    """Run a module or package as ``python -m`` does in this folder."""
    sys.argv[:] = ["-m", *arguments]
    if folder:
        _put_first(folder)
    _new_main()
    _as_main(lambda: runpy._run_module_as_main(name))  # type: ignore[attr-defined]


def run_code(code: str, arguments: list[str]) -> None:
    """Run a piece of program text as ``python -c`` does."""
    sys.argv[:] = ["-c", *arguments]
    _put_first("")
    main = _new_main()
    main.__loader__ = importlib.machinery.BuiltinImporter
    _remember_lines("<string>", code)
    _as_main(lambda: exec(compile(code, "<string>", "exec", dont_inherit=True), main.__dict__))


def run_stdin(arguments: list[str]) -> None:
    """Run the program text from standard input."""
    sys.argv[:] = ["-", *arguments]
    _put_first("")
    main = _new_main()
    main.__loader__ = importlib.machinery.BuiltinImporter
    main.__file__ = "<stdin>"
    _set_cached(main)
    source = sys.stdin.read()
    _remember_lines("<stdin>", source)
    _as_main(lambda: exec(compile(source, "<stdin>", "exec", dont_inherit=True), main.__dict__))


def _load_code(compiled: bytes) -> types.CodeType:
    """The code in a compiled file: four words, of which the first says for which Python it is, come before it."""
    if compiled[:4] != importlib.util.MAGIC_NUMBER:
        raise RuntimeError("Bad magic number in .pyc file")
    code = marshal.loads(compiled[16:])
    if not isinstance(code, types.CodeType):
        raise RuntimeError("Bad code object in .pyc file")
    return code


def _compile_file(source: bytes, path: str) -> types.CodeType:
    """Compile a file. Before 3.14 Python explains better what is wrong with the encoding of a file than with that of a text."""
    undeclared = None if sys.version_info >= (3, 14) else _undeclared_byte(source)
    if undeclared is None:
        return compile(source, path, "exec", dont_inherit=True)
    byte, line = undeclared
    raise SyntaxError(
        f"Non-UTF-8 code starting with '\\x{byte:02x}' in file {path} on line {line}, but no encoding declared; "
        "see https://peps.python.org/pep-0263/ for details"
    )


def _undeclared_byte(source: bytes) -> tuple[int, int] | None:
    """The first byte that is not UTF-8, and its line, in a file that does not say that its encoding is another one."""
    try:
        source.decode()
    except UnicodeDecodeError as error:
        # PEP 263: in a comment of the first two lines.
        declared = any(line.lstrip().startswith(b"#") and b"coding" in line for line in source.splitlines()[:2])
        return None if declared else (source[error.start], source.count(b"\n", 0, error.start) + 1)
    return None


def _remember_lines(name: str, source: str) -> None:
    """Let tracebacks show the lines of a program text without a file, as newer Pythons do."""
    if sys.version_info >= (3, 13):
        import linecache

        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)


def _holds_modules(path: str) -> bool:
    """Whether the import system can find modules in this path: it is a folder or a zip file."""
    if os.path.isdir(path):
        return True
    try:
        import zipimport

        zipimport.zipimporter(path)
    except (ImportError, OSError):
        return False
    return True


def _cannot_open(path: str, error: OSError) -> NoReturn:
    """Exit as plain Python does for a file that does not exist."""
    print(
        f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}",
        file=sys.stderr,
    )
    raise SystemExit(2)


def _put_first(path: str) -> None:
    """Put the program's folder first in ``sys.path``. Under ``-P`` and ``-I`` it is not there."""
    if not _is_path_safe():
        sys.path.insert(0, path)


def _absolute(path: str) -> str:
    """The path from the root; as it is, if there is no current folder any more."""
    try:
        return os.path.join(os.getcwd(), path) if path else os.getcwd()
    except OSError:
        return path


def _is_path_safe() -> bool:
    return getattr(sys.flags, "safe_path", False)


def _new_main() -> types.ModuleType:
    """Replace our ``__main__`` by an empty one."""
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    if sys.version_info < (3, 14):  # since 3.14 the annotations are made on demand
        main.__annotations__ = {}
    sys.modules["__main__"] = main
    return main


def _set_cached(main: types.ModuleType) -> None:
    if sys.version_info < (3, 15):
        main.__dict__["__cached__"] = None


def _as_main(run: Callable[[], object]) -> None:
    """Run a program, and show an uncaught exception without our own frames."""
    try:
        run()
    except SystemExit:
        raise
    except BaseException:
        # The interpreter shows it, but for our own frames, by the hook that the program has now; and exits because of it, for a
        # KeyboardInterrupt by the signal.
        if hasattr(sys, "excepthook"):
            sys.excepthook = _without_our_frames(sys.excepthook)
        raise


def _without_our_frames(hook: Callable[..., object]) -> Callable[..., object]:
    """An excepthook that calls this one with the program's part of the traceback."""

    def show(kind: type[BaseException], error: BaseException, traceback: types.TracebackType | None) -> None:
        while traceback is not None and _is_ours(traceback.tb_frame.f_code.co_filename):
            traceback = traceback.tb_next
        error.__traceback__ = traceback
        hook(kind, error, traceback)

    return show


def _is_ours(filename: str) -> bool:
    main = os.path.join(os.path.dirname(__file__), "__main__.py")
    return filename in (main, __file__, runpy.__file__, "<frozen runpy>")
