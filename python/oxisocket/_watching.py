"""The options of ``python -m oxisocket`` that let a program be seen: ``--trace``, ``--table``."""

from __future__ import annotations

import atexit

TYPE_CHECKING = False  # see `_program` on what is imported before a program runs
if TYPE_CHECKING:
    from oxisocket._beyond.open_sockets import Table
    from oxisocket._beyond.tracing import trace


# A number of bytes has no more digits; and int() refuses very long ones.
_MOST_DIGITS = 18


class Refused(Exception):
    """An option that cannot be carried out; the text says why."""


class Watching:
    """What is to be seen of the program."""

    def __init__(self) -> None:
        #: Where the trace goes: None for standard error.
        self.targets: list[str | None] = []
        self.bytes: int | None = None
        self.filter = ""
        self.callers = False
        self.table = False
        self._last_option = ""

    def take(self, option: str) -> bool:
        """Take an option, if it is one of these."""
        name, equals, value = option.partition("=")
        match name, bool(equals):
            case "--trace", False:
                self.targets.append(None)
            case "--trace", True:
                self.targets.append(_given(name, value))
            case "--trace-bytes", True:
                self.bytes = _number(name, value)
            case "--trace-filter", True:
                self.filter = _given(name, value)
            case "--trace-callers", False:
                self.callers = True
            case "--table", False:
                self.table = True
            case (("--trace-bytes" | "--trace-filter"), False):
                raise Refused(f"argument expected: {name}={'N' if name == '--trace-bytes' else 'TEXT'}")
            case _:
                return False
        self._last_option = option
        return True

    def check_program(self, arguments: list[str]) -> None:
        """Refuse options without a program, and the file of ``--trace`` in the place of the program."""
        if self._last_option and not arguments:
            raise Refused("no program is given")
        if self._last_option == "--trace":
            from oxisocket._beyond.tracing import is_file_of_trace

            if is_file_of_trace(arguments[0]):
                raise Refused(f"a file is given as --trace={arguments[0]}")

    def start(self) -> None:
        """Begin, and end when the interpreter ends. Raises Refused."""
        all_of_them: list[trace | Table] = [*self._traces(), *self._tables()]
        for each in all_of_them:
            try:
                each.start()
            except (ValueError, OSError) as error:
                raise Refused(str(error)) from None
            # Registered before the program registers anything, and so called after all of that.
            atexit.register(each.stop)

    def _traces(self) -> list[trace]:
        wants_trace = self.callers or self.filter or self.bytes is not None
        targets = self.targets or ([None] if wants_trace else [])
        if not targets:
            return []
        from oxisocket._beyond.tracing import trace

        try:
            return [trace(target, bytes=self.bytes, filter=self.filter, callers=self.callers) for target in targets]
        except ValueError as error:
            raise Refused(str(error)) from None

    def _tables(self) -> list[Table]:
        if not self.table:
            return []
        from oxisocket._beyond.open_sockets import Table

        return [Table()]


def _given(name: str, value: str) -> str:
    if not value:
        raise Refused(f"{name}= needs a value")
    return value


def _number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise Refused(f"{name} needs a number of bytes, not {value!r}")
    if len(value) > _MOST_DIGITS:
        raise Refused(f"{name} is too large")
    return int(value)
