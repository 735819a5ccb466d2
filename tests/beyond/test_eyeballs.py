"""The rules of Happy Eyeballs (RFC 8305), with a clock and a connector of the test's own: which attempt starts when, to the exact time."""

from __future__ import annotations

import asyncio.base_events
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oxisocket._beyond.eyeballs import RESOLUTION_DELAY, Finished, Found, Order, Race

FOUR, SIX = 4, 6
NEVER = math.inf


class Host(NamedTuple):
    """A host that answers so many seconds after an attempt has started. A delay of None: the attempt fails at its start."""

    delay: float | None
    outcome: str = "connected"


class Script:
    """A clock, and a connector to hosts that behave as told. An address is its family and a letter, as "6a"."""

    def __init__(
        self, hosts: dict[str, Host], answers: Iterable[tuple[float, int, Any]] = (), timeout: float | None = None
    ) -> None:
        self.hosts = hosts
        self.timeout = timeout
        self.stall = 0.0  # how long the thread does not run after each start of an attempt
        self.now = 0.0
        self.starts: dict[str, float] = {}
        self.abandoned: dict[str, float] = {}
        self._events: list[tuple[float, int, Finished | Found]] = []
        self._numbers: dict[int, str] = {}
        for when, family, answer in answers:
            error = answer if isinstance(answer, BaseException) else None
            self._events.append((when, -1, Found(family, [] if error else targets(answer), error)))

    def clock(self) -> float:
        return self.now

    def start(self, number: int, target: tuple[int, str]) -> float | None:
        assert number == len(self.starts)
        name = target[1]
        assert name not in self.starts, "tried twice"
        self.starts[name] = self.now
        delay, outcome = self.hosts[name]
        error = None if outcome == "connected" else OSError(name)
        if delay is None:
            raise error or AssertionError
        self._numbers[number] = name
        self._events.append((self.now + delay, number, Finished(number, error)))
        self.now += self.stall
        return self.timeout

    def wait(self, until: float | None) -> list[Finished | Found]:
        times = [when for when, _, _ in self._events if when != NEVER]
        assert times or until is not None, "it waits for nothing"
        assert until is None or until >= self.now
        self.now = wake = max(self.now, min([*times, *([] if until is None else [until])]))
        ready = sorted(event for event in self._events if event[0] <= wake)
        self._events = [event for event in self._events if event not in ready]
        for _, number, event in ready:
            if event.error is not None:
                self._numbers.pop(number, None)
        return [event for _, _, event in ready]

    def abandon(self, number: int) -> None:
        self.abandoned[self._numbers.pop(number)] = self.now
        self._events = [event for event in self._events if event[1] != number]


class Result(NamedTuple):
    """How a race ended."""

    winner: str | None
    end: float
    starts: dict[str, float]
    errors: list[str]
    timed_out: bool
    refusals: list[str]
    abandoned: dict[str, float]


def targets(names: str) -> list[tuple[int, str]]:
    return [(int(name[0]), name) for name in names.split()]


def race(
    hosts: dict[str, Host],
    known: str | None = None,
    *,
    answers: Iterable[tuple[float, int, Any]] = (),
    delay: float = 0.25,
    interleave: int = 1,
    timeout: float | None = None,
    limit: float | None = None,
    stall: float = 0,
) -> Result:
    """Run a race. The addresses are those of the hosts, in this order, unless look-ups are still to be answered."""
    script = Script(hosts, answers, timeout)
    script.stall = stall
    awaited = (SIX, FOUR) if answers else ()
    order = Order(interleave, awaited)
    order.add(targets(" ".join(hosts) if known is None and not answers else known or ""))
    running = Race(script, script.clock, order, delay=delay, limit=limit, awaited=awaited)
    number = running.run()
    result = Result(
        None if number is None else list(script.starts)[number],
        script.now,
        script.starts,
        [str(error) for error, _, _ in running.failures],
        running.timed_out,
        [str(error) for error in running.refusals],
        script.abandoned,
    )
    settled = {result.winner, *script.abandoned, *(name for name in script.starts if name in result.errors)}
    assert settled - {None} == set(script.starts) or "timed out" in result.errors, "an attempt was left open"
    running.forget()
    assert running.failures == running.refusals == []
    return result


FAILS = "fails"


class TestTable:
    """Each line: the hosts, who wins and when, and when each attempt starts. The delay is 0.25 unless given."""

    @pytest.mark.parametrize(
        ("hosts", "winner", "end", "starts"),
        [
            # One address.
            ({"4a": Host(0.125)}, "4a", 0.125, {"4a": 0}),
            ({"4a": Host(100)}, "4a", 100, {"4a": 0}),
            ({"4a": Host(0.125, FAILS)}, None, 0.125, {"4a": 0}),
            ({"4a": Host(100, FAILS)}, None, 100, {"4a": 0}),
            ({"4a": Host(None, FAILS)}, None, 0, {"4a": 0}),
            # The next attempt starts after the delay, and the one before goes on.
            ({"4a": Host(1), "4b": Host(1), "4c": Host(0.125)}, "4c", 0.625, {"4a": 0, "4b": 0.25, "4c": 0.5}),
            ({"4a": Host(1), "4b": Host(0.125), "4c": Host(0.125)}, "4b", 0.375, {"4a": 0, "4b": 0.25}),
            ({"4a": Host(0.75), "4b": Host(NEVER), "4c": Host(NEVER)}, "4a", 0.75, {"4a": 0, "4b": 0.25, "4c": 0.5}),
            ({"4a": Host(30), "4b": Host(NEVER)}, "4a", 30, {"4a": 0, "4b": 0.25}),
            # The next attempt starts at once when the last one fails, and only then.
            (
                {"4a": Host(0.125, FAILS), "4b": Host(0.125, FAILS), "4c": Host(10), "4d": Host(0.25)},
                "4d",
                0.75,
                {"4a": 0, "4b": 0.125, "4c": 0.25, "4d": 0.5},
            ),
            (
                {"4a": Host(0.375, FAILS), "4b": Host(1), "4c": Host(0.0625)},
                "4c",
                0.5625,
                {"4a": 0, "4b": 0.25, "4c": 0.5},
            ),
            ({"4a": Host(None, FAILS), "4b": Host(None, FAILS), "4c": Host(0.5)}, "4c", 0.5, {"4a": 0, "4b": 0, "4c": 0}),
            # All fail.
            (
                {"4a": Host(0.125, FAILS), "4b": Host(0.125, FAILS), "4c": Host(10, FAILS), "4d": Host(0.25, FAILS)},
                None,
                10.25,
                {"4a": 0, "4b": 0.125, "4c": 0.25, "4d": 0.5},
            ),
            # Families alternate, and the first address decides which is first.
            ({"4a": Host(10, FAILS), "4b": Host(0.125), "6c": Host(0.125)}, "6c", 0.375, {"4a": 0, "6c": 0.25}),
            (
                {"6a": Host(NEVER), "6b": Host(NEVER), "6c": Host(NEVER), "4d": Host(NEVER), "4e": Host(0)},
                "4e",
                0.75,
                {"6a": 0, "4d": 0.25, "6b": 0.5, "4e": 0.75},
            ),
            # A family that this system lacks: its attempts fail at their start.
            (
                {"6a": Host(None, FAILS), "4b": Host(10), "6c": Host(None, FAILS), "4d": Host(0.125)},
                "4d",
                0.375,
                {"6a": 0, "4b": 0, "6c": 0.25, "4d": 0.25},
            ),
            # Two are connected at the same moment: the one that was started first wins.
            ({"4a": Host(0.5), "4b": Host(0.25)}, "4a", 0.5, {"4a": 0, "4b": 0.25}),
            ({"4a": Host(0.25), "4b": Host(0)}, "4a", 0.25, {"4a": 0}),
        ],
    )
    def test_race(self, hosts, winner, end, starts):
        result = race(hosts)
        assert (result.winner, result.end, result.starts) == (winner, end, starts)
        lost = {name for name in starts if hosts[name].outcome == FAILS and name != winner}
        assert set(result.errors) <= lost
        if winner is None:
            assert result.errors == list(starts), "errors come in the order of the attempts"

    def test_another_delay(self):
        hosts = {"4a": Host(1), "4b": Host(1), "4c": Host(0.25)}
        assert race(hosts, delay=0.5) == ("4a", 1, {"4a": 0, "4b": 0.5}, [], False, [], {"4b": 1})

    def test_a_delay_of_zero_starts_all_at_once(self):
        hosts = {"6a": Host(3), "4b": Host(2), "6c": Host(1)}
        assert race(hosts, delay=0).starts == {"6a": 0, "4b": 0, "6c": 0}

    def test_an_infinite_delay_waits_for_failures(self):
        hosts = {"6a": Host(3, FAILS), "4b": Host(2)}
        assert race(hosts, delay=math.inf).starts == {"6a": 0, "4b": 3}

    def test_losers_are_abandoned_and_failures_are_not(self):
        hosts = {"4a": Host(0.5, FAILS), "4b": Host(NEVER), "4c": Host(NEVER), "4d": Host(0.125)}
        result = race(hosts)
        assert result.winner == "4d"
        assert result.abandoned == {"4b": 0.875, "4c": 0.875}

    def test_no_address(self):
        assert race({}) == (None, 0, {}, [], False, [], {})


class TestTimeouts:
    """The timeout of each attempt, and the one of the whole race."""

    def test_an_attempt_that_times_out_is_abandoned_and_the_next_one_starts(self):
        hosts = {"4a": Host(NEVER), "4b": Host(0.125)}
        result = race(hosts, delay=1, timeout=0.5)
        assert (result.winner, result.starts, result.errors) == ("4b", {"4a": 0, "4b": 0.5}, ["timed out"])
        assert result.abandoned == {"4a": 0.5}

    def test_all_time_out(self):
        result = race({"4a": Host(NEVER), "4b": Host(0.125, FAILS), "4c": Host(NEVER)}, timeout=0.5)
        assert result.starts == {"4a": 0, "4b": 0.25, "4c": 0.375}
        assert (result.winner, result.end, result.errors) == (None, 0.875, ["timed out", "4b", "timed out"])
        assert not result.timed_out

    def test_a_longer_timeout_than_the_delay_is_not_cut_short(self):
        """What Node.js did: it gave each attempt no longer than its delay, so that no distant host could be reached."""
        hosts = {f"4{letter}": Host(0.75) for letter in "abc"}
        assert race(hosts, timeout=5)[:2] == ("4a", 0.75)

    def test_the_limit_ends_the_race(self):
        result = race({"4a": Host(0.125, FAILS), "4b": Host(NEVER), "4c": Host(NEVER), "4d": Host(NEVER)}, limit=0.5)
        assert result.starts == {"4a": 0, "4b": 0.125, "4c": 0.375}
        assert (result.winner, result.end, result.errors, result.timed_out) == (None, 0.5, ["4a"], True)
        assert result.abandoned == {"4b": 0.5, "4c": 0.5}

    def test_a_limit_of_zero_starts_nothing(self):
        result = race({"4a": Host(0)}, limit=0)
        assert (result.starts, result.timed_out) == ({}, True)

    def test_when_nothing_is_left_to_try_the_limit_does_not_count(self):
        result = race({"4a": Host(0.5, FAILS)}, limit=0.5)
        assert (result.errors, result.timed_out) == (["4a"], False)

    def test_a_connection_at_the_very_limit_counts(self):
        assert race({"4a": Host(0.5)}, limit=0.5).winner == "4a"

    @pytest.mark.parametrize("times", [{"timeout": 1}, {"limit": 1}, {"timeout": 1, "limit": 1}])
    def test_a_connection_that_was_made_in_time_counts_however_late_it_is_seen(self, times):
        """The machine is busy, and the thread does not run for a while."""
        assert race({"4a": Host(0.5), "4b": Host(NEVER)}, stall=10, **times).winner == "4a"
        assert race({"4a": Host(NEVER), "4b": Host(NEVER)}, stall=10, **times).winner is None

    def test_the_limit_ends_a_look_up(self):
        result = race({}, answers=[(NEVER, SIX, ""), (NEVER, FOUR, "")], limit=3)
        assert (result.end, result.timed_out) == (3, True)


REFUSED = OSError("no address")
UNKNOWN = OSError("unknown")


class TestLookUps:
    """The families are looked up apart (RFC 8305, section 3)."""

    @pytest.mark.parametrize(
        ("answers", "starts"),
        [
            # The preferred family is there first: it starts at once, and the other joins.
            ([(1, SIX, "6a 6b"), (1.125, FOUR, "4a 4b")], {"6a": 1, "4a": 1.25, "6b": 1.5, "4b": 1.75}),
            ([(1, SIX, "6a"), (1.5, FOUR, "4a")], {"6a": 1, "4a": 1.5}),
            ([(1, SIX, "6a 6b"), (1.375, FOUR, "4a")], {"6a": 1, "6b": 1.25, "4a": 1.5}),
            # The other family waits for it, at most for the resolution delay.
            ([(1, FOUR, "4a 4b"), (1.03125, SIX, "6a 6b")], {"6a": 1.03125, "4a": 1.28125, "6b": 1.53125, "4b": 1.78125}),
            (
                [(1, FOUR, "4a 4b"), (1.125, SIX, "6a 6b")],
                {
                    "4a": 1 + RESOLUTION_DELAY,
                    "6a": 1.25 + RESOLUTION_DELAY,
                    "4b": 1.5 + RESOLUTION_DELAY,
                    "6b": 1.75 + RESOLUTION_DELAY,
                },
            ),
            ([(1, FOUR, "4a"), (NEVER, SIX, "")], {"4a": 1 + RESOLUTION_DELAY}),
            # A preferred family without addresses is not waited for.
            ([(1, SIX, REFUSED), (2, FOUR, "4a")], {"4a": 2}),
            ([(1, FOUR, "4a 4b"), (1.03125, SIX, REFUSED)], {"4a": 1.03125, "4b": 1.28125}),
            ([(1, FOUR, "4a"), (1.03125, SIX, "")], {"4a": 1.03125}),
            # Nor does the other family's failure start anything.
            ([(1, FOUR, REFUSED), (2, SIX, "6a 6b")], {"6a": 2, "6b": 2.25}),
            # Both at the same moment, in either order of arrival.
            ([(1, FOUR, "4a"), (1, SIX, "6a")], {"6a": 1, "4a": 1.25}),
            ([(1, SIX, "6a"), (1, FOUR, "4a")], {"6a": 1, "4a": 1.25}),
        ],
    )
    def test_starts(self, answers, starts):
        result = race({name: Host(10) for name in ("6a", "6b", "4a", "4b")}, answers=answers)
        assert result.starts == pytest.approx(starts, abs=1e-12)
        assert list(result.starts) == list(starts)

    def test_an_answer_that_comes_after_all_attempts_failed_continues_the_race(self):
        hosts = {"4a": Host(0.125, FAILS), "6a": Host(0.5)}
        result = race(hosts, answers=[(0, FOUR, "4a"), (7, SIX, "6a")])
        assert (result.winner, result.end, result.errors) == ("6a", 7.5, ["4a"])

    def test_an_answer_that_comes_later_than_the_delay_starts_at_once(self):
        result = race({"6a": Host(10), "4a": Host(1)}, answers=[(0, SIX, "6a"), (2, FOUR, "4a")])
        assert (result.winner, result.starts) == ("4a", {"6a": 0, "4a": 2})

    def test_a_winner_does_not_wait_for_answers(self):
        result = race({"6a": Host(0.125)}, answers=[(1, SIX, "6a"), (NEVER, FOUR, "")])
        assert (result.winner, result.end) == ("6a", 1.125)

    @pytest.mark.parametrize("first", [FOUR, SIX])
    def test_one_look_up_fails(self, first):
        answers = [(0, first, REFUSED), (1, FOUR + SIX - first, "4a" if first == SIX else "6a")]
        result = race({"4a": Host(1), "6a": Host(1)}, answers=answers)
        assert (result.end, result.refusals) == (2, ["no address"])
        assert result.winner

    def test_both_look_ups_fail(self):
        result = race({}, answers=[(1, FOUR, REFUSED), (2, SIX, UNKNOWN)])
        assert (result.winner, result.end, result.errors) == (None, 2, [])
        assert (result.refusals, result.timed_out) == (["no address", "unknown"], False)

    def test_an_error_that_is_no_oserror_ends_the_race(self):
        with pytest.raises(MemoryError):
            race({"6a": Host(NEVER)}, answers=[(1, SIX, "6a"), (2, FOUR, MemoryError())])


class TestInterruption:
    """Whatever ends the race, all attempts are abandoned."""

    @pytest.mark.parametrize("where", ["start", "wait", "clock"])
    @pytest.mark.parametrize("turn", [2, 3, 4])
    def test_all_attempts_are_abandoned(self, where, turn):
        script = Script({name: Host(5) for name in ("4a", "4b", "4c", "4d")})
        order = Order(1)
        order.add(targets("4a 4b 4c 4d"))
        calls = 0
        original: Callable[..., Any] = getattr(script, where)

        def interrupted(*args: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == turn * (3 if where == "clock" else 1):
                raise KeyboardInterrupt
            return original(*args)

        setattr(script, where, interrupted)
        with pytest.raises(KeyboardInterrupt):
            Race(script, script.clock, order, delay=0.25).run()
        assert script.starts
        assert script.abandoned.keys() == script.starts.keys()


class TestOrder:
    """In which order addresses are tried."""

    @pytest.mark.parametrize(
        ("interleave", "names", "expected"),
        [
            (0, "6a 6b 4c 4d", "6a 6b 4c 4d"),
            (1, "6a 6b 4c 4d", "6a 4c 6b 4d"),
            (2, "6a 6b 6c 4d 4e", "6a 6b 4d 6c 4e"),
            (3, "6a 6b 4c 4d", "6a 6b 4c 4d"),
            (5, "6a 6b 4c 4d", "6a 6b 4c 4d"),
            (1, "4a 6b 6c 6d", "4a 6b 6c 6d"),
            (1, "4a 4b 4c", "4a 4b 4c"),
            (1, "6a 4b 9c 6d 9e", "6a 4b 9c 6d 9e"),
            (1, "", ""),
        ],
    )
    def test_interleave(self, interleave, names, expected):
        assert ordered(Order(interleave), names) == expected.split()

    def test_a_preferred_family_is_first_whenever_it_comes(self):
        assert ordered(Order(1, (SIX, FOUR)), "4a 4b 6a 6b") == ["6a", "4a", "6b", "4b"]

    def test_what_comes_later_takes_its_turn(self):
        order = Order(1, (SIX, FOUR))
        order.add(targets("4a 4b 4c"))
        assert order.pop()[1] == "4a"
        order.add(targets("6a 6b"))
        assert [order.pop()[1] for _ in range(4)] == ["6a", "4b", "6b", "4c"]
        assert not order

    @given(st.lists(st.sampled_from([4, 6, 9]), max_size=8), st.integers(-1, 9))
    def test_the_order_is_that_of_asyncio(self, families, interleave):
        infos = [(family, f"{family}{index}") for index, family in enumerate(families)]
        expected = asyncio.base_events._interleave_addrinfos(infos, interleave) if interleave and infos else infos
        assert ordered(Order(interleave), " ".join(name for _, name in infos)) == [name for _, name in expected]


def ordered(order: Order, names: str) -> list[str]:
    order.add(targets(names))
    popped = []
    while order:
        popped.append(order.pop()[1])
    return popped
