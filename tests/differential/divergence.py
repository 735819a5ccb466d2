"""Compares two executions of one program, and shrinks a program whose executions differ."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from types import ModuleType

from accepted import is_accepted, is_last_comparable
from environment import PRELUDE, setup_code
from executor import Executor, Program

CONFIRMATIONS = 4
MEMBERS = 25  # executions to find out which outcomes a race can have
AT_THE_END = "nothing, at the end"


@dataclass(frozen=True)
class Divergence:
    """The first call of a program whose two outcomes differ. `program` ends with this call."""

    program: Program
    call: str
    expected: str
    actual: str

    def reproduction(self) -> str:
        """The source of a script that shows the divergence."""
        before = self.program.calls[: -1 if self.call != AT_THE_END else None]
        attempts = "".join(f"with contextlib.suppress(Exception):\n    {call}\n" for call in before)
        last = (
            f"print({self.call})\n"
            if self.call != AT_THE_END
            else "del a, b, l, x, c, g, f, t\nprint(os.listdir('/proc/self/fd'))\n"
        )
        return (
            "# With tests/differential and tests/parts in PYTHONPATH.\n"
            "import contextlib, importlib, sys, tempfile\n"
            "socket = importlib.import_module(sys.argv[1])  # socket or oxisocket\n"
            "_socket = socket._socket\n"
            "d = tempfile.mkdtemp()\n"
            "with open(d + '/data', 'wb') as file:\n    file.write(b'0123456789')\n"
            f"{PRELUDE}{setup_code(self.program.transport, self.program.blocking_mode)}\n{attempts}"
            f"{last}# stdlib:    {self.expected}\n# oxisocket: {self.actual}\n"
        )

    def __str__(self) -> str:
        return textwrap.dedent(f"""
            {self.program.transport}, {self.program.blocking_mode}
            {"; ".join(self.program.calls)}
            stdlib:    {self.expected[:600]}
            oxisocket: {self.actual[:600]}""")


class Comparison:
    """Compares two implementations, program by program."""

    def __init__(self, executor: Executor, expected: ModuleType, actual: ModuleType) -> None:
        self.executor, self.expected, self.actual = executor, expected, actual
        self.outcomes: list[str] = []
        self.flaky: list[Divergence] = []
        self.accepted = 0
        self.matters_of_time = 0

    def compare(self, program: Program, *, actual_first: bool = False) -> Divergence | None:
        """The first difference, unless it is accepted. After an accepted one the two environments differ: the rest is not compared."""
        if actual_first:
            actual = self.executor.execute(program, self.actual)
            expected = self.executor.execute(program, self.expected)
        else:
            expected = self.executor.execute(program, self.expected)
            actual = self.executor.execute(program, self.actual)
        self.outcomes = expected
        if expected == actual:
            return None
        for at, (call, one, other) in enumerate(zip((*program.calls, AT_THE_END), expected, actual, strict=True)):
            if one != other:
                self.outcomes = expected[: at + 1]
                if is_accepted(call, one, other):
                    self.accepted += 1
                    return None
                return Divergence(replace(program, calls=program.calls[: at + 1]), call, one, other)
            if is_last_comparable(call, one):
                self.outcomes = expected[: at + 1]
                return None
        raise AssertionError("two lists differ, but none of their items")

    def confirm(self, found: Divergence) -> Divergence | None:
        """The shrunk form of a divergence that recurs each time. One that does not comes from the kernel's timing, and is noted as flaky."""
        outcomes = self.outcomes
        try:
            # In both orders: the work that one execution leaves to the kernel can change the outcomes of the next one.
            if not all(self._recurs(found.program, found, actual_first=bool(attempt % 2)) for attempt in range(CONFIRMATIONS)):
                self.flaky.append(found)
                return None
            if any("race(" in call for call in found.program.calls) and not self._sets_differ(found):
                self.matters_of_time += 1
                return None
            return self._shrink(found)
        finally:
            self.outcomes = outcomes

    def _sets_differ(self, found: Divergence) -> bool:
        """Whether no outcome of the last call is one that both implementations can have."""
        possible: list[set[str]] = []
        for module in (self.expected, self.actual):
            outcomes = [self.executor.execute(found.program, module) for _ in range(MEMBERS)]
            possible.append({each[len(found.program.calls) - 1] for each in outcomes})
        return possible[0].isdisjoint(possible[1])

    def _recurs(self, program: Program, found: Divergence, *, actual_first: bool = False) -> Divergence | None:
        again = self.compare(program, actual_first=actual_first)
        return again if again and again.call == found.call else None

    def _shrink(self, found: Divergence) -> Divergence:
        """Leave out halves of the calls, then quarters and so on, as long as the last call still differs."""
        length = len(found.program.calls)
        while length := length // 2:
            at = 0
            while at < len(found.program.calls) - (found.call != AT_THE_END):
                calls = found.program.calls
                fewer = calls[:at] + calls[min(at + length, len(calls) - (found.call != AT_THE_END)) :]
                smaller = self._recurs(replace(found.program, calls=fewer), found)
                found, at = (smaller, at) if smaller else (found, at + length)
        return found
