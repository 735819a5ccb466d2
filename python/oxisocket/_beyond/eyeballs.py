"""Happy Eyeballs (RFC 8305): which connection attempt starts when.

This module makes no sockets, reads no clock and asks no resolver: a ``Connector`` and a clock are passed in. So each rule of the
RFC can be tested with exact times. Times are seconds of that clock.

An attempt is never given up because the next one starts: a distant host may need longer than the delay. An attempt ends with its
own outcome, with its own timeout, or with the race.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

#: An entry of the list that ``getaddrinfo`` returns. Its first item is the address family; this module reads no other.
Target: TypeAlias = tuple[Any, ...]

#: How long the addresses of the other family wait for those of the preferred one (RFC 8305, section 3).
RESOLUTION_DELAY = 0.05


class Finished(NamedTuple):
    """The end of an attempt: it is connected; or it failed, and there is nothing left of it to abandon."""

    number: int
    error: OSError | None


class Found(NamedTuple):
    """The answer to a look-up: the targets of one family, or why there are none."""

    family: int
    targets: Sequence[Target]
    error: BaseException | None


class Connector(Protocol):
    """Makes attempts, and waits for them and for look-ups."""

    def start(self, number: int, target: Target, /) -> float | None:
        """Start an attempt. Return how many seconds it may take, None for no limit. Raise OSError if it failed at once."""

    def wait(self, until: float | None, /) -> Sequence[Finished | Found]:
        """Wait until something happens, at most until this time; return what happened, attempts in the order of their numbers."""
        ...

    def abandon(self, number: int, /) -> None:
        """End an attempt that has not failed."""


class Order:
    """The targets that were not tried yet, in the order in which to try them (RFC 8305, section 4).

    Families alternate, after ``interleave`` targets of the first one; with 0 the targets keep the order in which they were added.
    Families come in the order of ``preferred``, others after them as they were added.
    """

    def __init__(self, interleave: int, preferred: Iterable[int] = ()) -> None:
        self._alternates = interleave != 0
        self._left_of_first = max(interleave, 1)
        self._queues: dict[int, deque[Target]] = {family: deque() for family in preferred}
        self._last: int | None = None

    def __bool__(self) -> bool:
        return any(self._queues.values())

    def add(self, targets: Iterable[Target]) -> None:
        """Add targets. They may come while others have been tried already."""
        for target in targets:
            self._queues.setdefault(target[0] if self._alternates else 0, deque()).append(target)

    def pop(self) -> Target:
        """The target to try next."""
        family = self._next_family()
        if self._last not in (None, family):
            self._left_of_first = 0
        self._left_of_first -= 1
        self._last = family
        return self._queues[family].popleft()

    def _next_family(self) -> int:
        """The family whose turn it is among those that have targets: the one after the last, going round."""
        families = list(self._queues)
        if self._last is not None:
            start = families.index(self._last) + (self._left_of_first <= 0)
            families = families[start:] + families[:start]
        return next(family for family in families if self._queues[family])


class Race:
    """Connection attempts that overlap; the first to be connected wins.

    The next attempt starts ``delay`` seconds after the last, or at once when the last one fails. ``limit`` is the time at which
    the race ends without a winner, None for no such time. ``awaited`` are the families whose look-ups are still running. The
    first of them is preferred: the first attempt waits for its answer, but at most RESOLUTION_DELAY after another family's.
    """

    def __init__(
        self,
        connector: Connector,
        clock: Callable[[], float],
        order: Order,
        *,
        delay: float,
        limit: float | None = None,
        awaited: Sequence[int] = (),
    ) -> None:
        self._connector = connector
        self._clock = clock
        self._order = order
        self._delay = delay
        self._limit = math.inf if limit is None else limit
        self._awaited = list(awaited)
        self._preferred = next(iter(awaited), None)
        self._first_start = -math.inf  # the first attempt does not wait for the preferred family after this time
        self._last_start = -math.inf
        self._expiries: dict[int, float] = {}  # when each attempt that is under way has used up its own timeout
        self._targets: list[Target] = []  # of the attempts that were started
        self._errors: dict[int, OSError] = {}
        #: Why look-ups found nothing, in the order of the answers.
        self.refusals: list[OSError] = []
        #: Whether the race ended because its time was over.
        self.timed_out = False

    @property
    def failures(self) -> list[tuple[OSError, int, Target]]:
        """The attempts that failed, in the order in which they were started: their errors, numbers and targets."""
        return [(self._errors[number], number, self._targets[number]) for number in sorted(self._errors)]

    @property
    def under_way(self) -> list[tuple[int, Target]]:
        """The attempts that were under way when the race ended without a winner: their numbers and targets."""
        return [(number, self._targets[number]) for number in sorted(self._expiries)]

    def run(self) -> int | None:
        """Run the race; return the number of the attempt that won, or None. All others are abandoned, whatever happens."""
        try:
            winner = self._run()
            self._expiries.pop(-1 if winner is None else winner, None)
            return winner
        finally:
            for number in list(self._expiries):
                self._connector.abandon(number)

    def forget(self) -> None:
        """Drop all errors: they refer to frames that may refer to this race."""
        self._errors.clear()
        self.refusals.clear()

    def _run(self) -> int | None:
        while self._may_continue() and not self.timed_out:
            if self._may_start():
                self._start()
                continue
            events = self._connector.wait(self._next_time())
            winner: int | None = None
            # All of them, also after the winner: of an attempt that has failed there is nothing left to abandon.
            for event in events:
                if isinstance(event, Found):
                    self._add(event)
                elif event.error is not None:
                    self._fail(event.number, event.error)
                elif winner is None:
                    winner = event.number
            if winner is not None:
                return winner
            # Time is over only where nothing has happened: a thread that was not running for a while finds its connection made.
            if not events:
                self._expire(self._clock())
        return None

    def _may_continue(self) -> bool:
        return bool(self._expiries or self._order or self._awaited)

    def _expire(self, now: float) -> None:
        for number in [number for number, expiry in self._expiries.items() if expiry <= now]:
            self._connector.abandon(number)
            self._fail(number, TimeoutError("timed out"))
        self.timed_out = now >= self._limit and self._may_continue()

    def _fail(self, number: int, error: OSError) -> None:
        del self._expiries[number]
        self._errors[number] = error

    def _add(self, found: Found) -> None:
        self._awaited.remove(found.family)
        if isinstance(found.error, OSError):
            self.refusals.append(found.error)
        elif found.error is not None:
            raise found.error
        elif not self._order:
            self._first_start = self._clock() + RESOLUTION_DELAY
        self._order.add(found.targets)

    def _may_start(self) -> bool:
        return bool(self._order) and self._earliest_start() <= self._clock() < self._limit

    def _earliest_start(self) -> float:
        """When the next attempt may start."""
        if not self._targets:
            return self._first_start if self._preferred in self._awaited else -math.inf
        last = len(self._targets) - 1
        return self._last_start + self._delay if last in self._expiries else -math.inf

    def _start(self) -> None:
        number, target = len(self._targets), self._order.pop()
        self._targets.append(target)
        self._last_start = self._clock()
        try:
            seconds = self._connector.start(number, target)
        except OSError as error:
            self._errors[number] = error
        else:
            self._expiries[number] = math.inf if seconds is None else self._last_start + seconds

    def _next_time(self) -> float | None:
        """The next time at which there is something to do although nothing has happened."""
        times = [self._limit, *self._expiries.values()]
        if self._order:
            times.append(self._earliest_start())
        earliest = min(times)
        return None if earliest == math.inf else max(earliest, self._clock())
