"""``python -m oxisocket program.py``: run a program in which ``import socket`` gives oxisocket."""

from __future__ import annotations

import sys

import oxisocket
from oxisocket import _program, _watching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

USAGE = """\
usage: python -m oxisocket [option ...] [-c code | -m module | script | -] [argument ...]

Runs a Python program that says `import socket` on oxisocket, unchanged.

  script      a file, or a folder or zip file with a __main__.py in it
  -           the program is read from standard input
  -c code     the program is the text `code`
  -m module   the program is a module or package

  -h, --help  show this and exit
  --check     show what programs would run on, and exit
  --version   show the version and exit

  --trace              tell each call on a socket on standard error
  --trace=FILE         write a record (.jsonl), lines (.txt), a picture (.svg, .html,
                       .mmd), packets (.pcapng) or a trace for Perfetto (.json)
  --trace-bytes=N      keep N bytes of the data of each call (32; packets 65536)
  --trace-filter=TEXT  only some calls: 'port 5432 and not call recv'
  --trace-callers      tell who has called
  --table              show the sockets that are open, at the end and at SIGUSR1

  diagram     draw a conversation that was recorded; see `python -m oxisocket diagram --help`

What follows the program is its own: sys.argv is as `python` sets it.
"""


def main(arguments: list[str]) -> None:  # noqa: C901 - a case for each form of the command line
    """Carry out the command line."""
    folder = _program.leave_current_folder()
    watching = _watching.Watching()
    try:
        while arguments and watching.take(arguments[0]):
            arguments = arguments[1:]
        watching.check_program(arguments)
        arguments = _apart(arguments)
    except _watching.Refused as error:
        _refuse(str(error))
    match arguments:
        case [] | ["-h" | "--help", *_]:
            print(USAGE, end="")
        case ["--version", *_]:
            print(f"oxisocket {oxisocket.__version__}")
        case ["--check", *_]:
            _check()
        case ["diagram", *rest]:
            from oxisocket._seeing import diagram

            diagram.main(rest)
        case ["-c" | "-m" as option]:
            _refuse(f"argument expected for the {option} option")
        case ["-c", code, *rest]:
            _run(watching, _program.run_code, code, rest)
        case ["-m", module, *rest]:
            _run(watching, _program.run_module, module, rest, folder)
        case ["-", *rest]:
            _run(watching, _program.run_stdin, rest)
        case [option, *_] if option.startswith("-"):
            _refuse(f"unknown option {option}")
        case [script, *rest]:
            _run(watching, _program.run_script, script, rest)


def _apart(arguments: list[str]) -> list[str]:
    """The arguments with `-cCODE` and `-mMODULE` as two words."""
    first = arguments[0] if arguments else ""
    return [first[:2], first[2:], *arguments[1:]] if first[:2] in ("-c", "-m") and first[2:] else arguments


def _run(watching: _watching.Watching, run: Callable[..., None], *arguments: object) -> None:
    oxisocket.install()
    try:
        watching.start()
    except _watching.Refused as error:
        _refuse(str(error))
    run(*arguments)


def _check() -> None:
    import platform
    import sysconfig

    found = oxisocket.install()
    try:
        import ssl
    except ImportError as error:
        tls = f"not there ({error})"
    else:
        native = found.native_ssl and issubclass(ssl.SSLSocket, oxisocket.socket)
        tls = f"{'native' if native else 'wrapping'}, {ssl.OPENSSL_VERSION}"
    threading = "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "with the GIL"
    for name, value in (
        ("oxisocket", oxisocket.__version__),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}, {threading}"),
        ("platform", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("ssl", tls),
        ("kept", ", ".join(found.kept)),
    ):
        if value:
            print(f"{name:<10} {value}")


def _refuse(reason: str) -> None:
    print(f"oxisocket: {reason}\ntry `python -m oxisocket --help`", file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
