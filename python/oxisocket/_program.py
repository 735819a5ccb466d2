"""Runs a program as ``python`` runs it: as ``__main__``, with its own argv, path and tracebacks."""

from __future__ import annotations

import builtins
import importlib.machinery
import os
import runpy
import sys
import types
from collections.abc import Callable
from typing import NoReturn


def run_script(path: str, arguments: list[str]) -> None:
    """Run a file, or a folder or zip file with a ``__main__.py`` in it."""
    sys.argv[:] = [path, *arguments]
    if _holds_modules(path):
        # Needed under `-P` too, since `__main__` is found there.
        sys.path[: 0 if _is_path_safe() else 1] = [path]
        _as_main(lambda: runpy._run_module_as_main("__main__", alter_argv=False))  # type: ignore[attr-defined]
        return
    absolute = os.path.join(os.getcwd(), path)
    try:
        with open(absolute, "rb") as file:
            source = file.read()
    except OSError as error:
        _cannot_open(absolute, error)
    _replace_path(os.path.dirname(os.path.realpath(absolute)))
    main = _new_main()
    main.__file__ = absolute
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", absolute)
    if sys.version_info < (3, 15):
        main.__dict__["__cached__"] = None
    _as_main(lambda: exec(compile(source, absolute, "exec", dont_inherit=True), main.__dict__))


def run_module(name: str, arguments: list[str]) -> None:
    """Run a module or package as ``python -m`` does."""
    sys.argv[:] = ["-m", *arguments]
    _new_main()
    _as_main(lambda: runpy._run_module_as_main(name))  # type: ignore[attr-defined]


def run_code(code: str, arguments: list[str]) -> None:
    """Run a piece of program text as ``python -c`` does."""
    sys.argv[:] = ["-c", *arguments]
    _replace_path("")
    main = _new_main()
    main.__loader__ = importlib.machinery.BuiltinImporter
    _remember_lines("<string>", code)
    _as_main(lambda: exec(compile(code, "<string>", "exec", dont_inherit=True), main.__dict__))


def run_stdin(arguments: list[str]) -> None:
    """Run the program text from standard input."""
    sys.argv[:] = ["-", *arguments]
    _replace_path("")
    main = _new_main()
    main.__loader__ = importlib.machinery.BuiltinImporter
    source = sys.stdin.read()
    _remember_lines("<stdin>", source)
    _as_main(lambda: exec(compile(source, "<stdin>", "exec", dont_inherit=True), main.__dict__))


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


def _replace_path(first: str) -> None:
    """Put the program's folder in place of the current folder in ``sys.path``. Under ``-P`` and ``-I`` there is no such place."""
    if not _is_path_safe():
        sys.path[0] = first


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


def _as_main(run: Callable[[], object]) -> None:
    """Run a program, and show an uncaught exception without our own frames."""
    try:
        run()
    except SystemExit:
        raise
    except BaseException as error:
        _show(error)
        # The interpreter must still exit because of the exception (for a KeyboardInterrupt by the signal), but it was shown
        # already.
        sys.excepthook = _shown
        raise


def _show(error: BaseException) -> None:
    traceback = error.__traceback__
    while traceback is not None and _is_ours(traceback.tb_frame.f_code.co_filename):
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    sys.excepthook(type(error), error, traceback)


def _is_ours(filename: str) -> bool:
    return filename in (__file__, runpy.__file__) or filename == "<frozen runpy>"


def _shown(kind: type[BaseException], error: BaseException, traceback: types.TracebackType | None) -> None:
    """An excepthook that shows nothing."""
