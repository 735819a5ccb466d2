"""Two performances of one play, compared; and what is left of a play that parts them when all that can go has gone."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from types import ModuleType

from accepted import is_accepted, parts
from play import Play, Theatre
from stage import PROLOGUE, lay_out

CONFIRMATIONS = 4
AT_THE_END = "nothing, at the end"


@dataclass(frozen=True)
class Divergence:
    """The first call of a play whose outcomes differ: it is the play's last call, or the play ends after it."""

    play: Play
    call: str
    expected: str
    actual: str

    def reproduction(self) -> str:
        """A program that shows it."""
        before = self.play.calls[: -1 if self.call != AT_THE_END else None]
        attempts = "".join(f"with contextlib.suppress(Exception):\n    {call}\n" for call in before)
        last = (
            f"print({self.call})\n"
            if self.call != AT_THE_END
            else "del a, b, l, x, c, g, f, t\nprint(os.listdir('/proc/self/fd'))\n"
        )
        return (
            "import contextlib, importlib, sys, tempfile\n"
            "socket = importlib.import_module(sys.argv[1])  # socket or oxisocket\n"
            "_socket = socket._socket\n"
            "d = tempfile.mkdtemp()\n"
            "with open(d + '/data', 'wb') as file:\n    file.write(b'0123456789')\n"
            f"{PROLOGUE}{lay_out(self.play.opening, self.play.patience)}\n{attempts}"
            f"{last}# stdlib:    {self.expected}\n# oxisocket: {self.actual}\n"
        )

    def __str__(self) -> str:
        return textwrap.dedent(f"""
            {self.play.opening}, {self.play.patience}
            {"; ".join(self.play.calls)}
            stdlib:    {self.expected[:600]}
            oxisocket: {self.actual[:600]}""")


class Comparison:
    """The two implementations, on one stage after the other."""

    def __init__(self, theatre: Theatre, expected: ModuleType, actual: ModuleType) -> None:
        self.theatre, self.expected, self.actual = theatre, expected, actual
        self.outcomes: list[str] = []
        self.unsteady: list[Divergence] = []
        self.accepted = 0

    def compare(self, play: Play, *, actual_first: bool = False) -> Divergence | None:
        """The first difference that is not accepted. After one that is, the two stages are no longer alike: the rest is not compared."""
        if actual_first:
            actual = self.theatre.perform(play, self.actual)
            expected = self.theatre.perform(play, self.expected)
        else:
            expected = self.theatre.perform(play, self.expected)
            actual = self.theatre.perform(play, self.actual)
        self.outcomes = expected
        if expected == actual:
            return None
        for at, (call, one, other) in enumerate(zip((*play.calls, AT_THE_END), expected, actual, strict=True)):
            if one != other:
                self.outcomes = expected[: at + 1]
                if is_accepted(call, one, other):
                    self.accepted += 1
                    return None
                return Divergence(replace(play, calls=play.calls[: at + 1]), call, one, other)
            if parts(call, one):
                self.outcomes = expected[: at + 1]
                return None
        raise AssertionError("two lists differ, and none of their items")

    def confirmed(self, found: Divergence) -> Divergence | None:
        """The smallest form of a divergence that comes again and again. What does not is the kernel's timing, and is noted."""
        outcomes = self.outcomes
        try:
            # In both orders: what the kernel has left to do after one performance is met by the next.
            if not all(self._recurs(found.play, found, actual_first=bool(time % 2)) for time in range(CONFIRMATIONS)):
                self.unsteady.append(found)
                return None
            return self._smallest(found)
        finally:
            self.outcomes = outcomes

    def _recurs(self, play: Play, found: Divergence, *, actual_first: bool = False) -> Divergence | None:
        again = self.compare(play, actual_first=actual_first)
        return again if again and again.call == found.call else None

    def _smallest(self, found: Divergence) -> Divergence:
        """Leave out calls, by halves, quarters and so on, as long as the last one still differs."""
        length = len(found.play.calls)
        while length := length // 2:
            at = 0
            while at < len(found.play.calls) - (found.call != AT_THE_END):
                calls = found.play.calls
                fewer = calls[:at] + calls[min(at + length, len(calls) - (found.call != AT_THE_END)) :]
                smaller = self._recurs(replace(found.play, calls=fewer), found)
                found, at = (smaller, at) if smaller else (found, at + length)
        return found
