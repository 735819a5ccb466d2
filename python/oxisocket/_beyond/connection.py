"""``create_connection`` with attempts that overlap (Happy Eyeballs, RFC 8305), and with one time for everything."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

from oxisocket import _socket
from oxisocket._beyond import attempts, hosts_file, lookup
from oxisocket._beyond.eyeballs import Order, Race, Target
from oxisocket._beyond.waiting import Budget, seconds

_Socket = TypeVar("_Socket")
_Resolver: TypeAlias = Callable[..., list[Target]]
_Maker: TypeAlias = Callable[[Target], Any]

# A shorter timeout might be taken for 0, which makes a socket non-blocking.
_SHORTEST = 1e-6


def connect(
    address: Any,
    timeout: Any,
    source_address: Any,
    *,
    make: Callable[..., _Socket],
    getaddrinfo: _Resolver,
    failure: Callable[[list[OSError], bool], Exception],
    all_errors: bool,
    happy_eyeballs_delay: float | None,
    default_delay: float | None,
    interleave: int | None,
    total_timeout: float | None,
) -> _Socket:
    """Connect to ``(host, port)`` as ``oxisocket.create_connection`` says.

    ``make`` and ``getaddrinfo`` are what the package has now by the names ``socket`` and ``getaddrinfo``: a program may have put
    its own there. ``failure`` makes what is raised from the errors of all attempts. ``default_delay`` is the delay of a caller
    that gives neither this nor ``interleave``.
    """
    host, port = address
    budget = Budget(seconds(total_timeout, "total_timeout"))
    delay = seconds(happy_eyeballs_delay, "happy_eyeballs_delay")
    if delay is None and interleave is None:
        delay = default_delay
    count = int(delay is not None) if interleave is None else operator.index(interleave)
    if not attempts.can_overlap(make) or _has_port(source_address):
        delay = None
    prepare = partial(attempts.prepare, make, timeout, source_address)
    errors: list[OSError] = []
    sock: _Socket | None
    try:
        # Targets that do not alternate have the order that one look-up of all families gives them.
        targets, answers = _look_up(host, port, getaddrinfo, budget, errors, apart=delay is not None and count != 0)
        if delay is not None and (answers is not None or len(targets) > 1):
            sock = _race(prepare, (host, port), targets, answers, count, delay, budget, errors)
        else:
            sock = _one_by_one(prepare, host, targets, count, budget, errors)
        if sock is not None:
            return sock
        raise failure(errors, all_errors)
    finally:
        # Avoid reference cycles: an error refers to this frame, and the frame would refer to the error.
        errors.clear()


def _has_port(source_address: Any) -> bool:
    """Whether an address to connect from has a port. Two sockets cannot be bound to it at the same time."""
    return isinstance(source_address, tuple) and len(source_address) > 1 and source_address[1] != 0


def _look_up(
    host: Any, port: Any, getaddrinfo: _Resolver, budget: Budget, errors: list[OSError], *, apart: bool
) -> tuple[list[Target], lookup.Answers | None]:
    """The targets of a host; or, for a name whose families are to be looked up apart, the answers that will come."""
    if not lookup.is_asked_by(getaddrinfo):
        # A function that a program has put there is called as the standard library calls it, in the thread of the caller.
        return getaddrinfo(host, port, 0, _socket.SOCK_STREAM), None
    left = budget.left()
    if apart:
        targets = lookup.without_resolver(host, port)
        if targets is not None:
            return targets, None
        answers = None if hosts_file.may_have(host) else lookup.Answers.of(host, port, *lookup.FAMILIES, seconds=left)
        if answers is not None:
            return [], answers
    if left is None:
        return lookup.ask(host, port, 0), None
    try:
        return lookup.ask_within(left, host, port), None
    except TimeoutError as error:
        _socket._note_look_up(error, host, port, budget.used(), budget.cause)
        errors.append(error)
        return [], None


def _race(
    prepare: _Maker,
    address: tuple[Any, Any],
    targets: list[Target],
    answers: lookup.Answers | None,
    count: int,
    delay: float,
    budget: Budget,
    errors: list[OSError],
) -> Any:
    """The socket that is connected first; or None, and the errors of all."""
    awaited = () if answers is None else lookup.FAMILIES
    order = Order(count, awaited)
    order.add(targets)
    with attempts.Attempts(prepare, answers) as running:
        race = Race(running, time.monotonic, order, delay=delay, limit=budget.limit, awaited=awaited)
        try:
            winner = race.run()
            if winner is not None:
                return running.take(winner)
            errors += _noted(running, race.failures, address[0])
            if race.timed_out:
                errors += _late(running, race.under_way, address, budget)
            elif race.refusals and not errors:
                raise _refusal(race.refusals, address, budget)
            return None
        finally:
            race.forget()


def _noted(running: attempts.Attempts, failures: list[tuple[OSError, int, Target]], host: Any) -> list[OSError]:
    """The errors of attempts, with notes that name the host.

    Functions of their own, because the frame of the race must not refer to an error: that would be a cycle.
    """
    for error, number, target in failures:
        if error.args == ("timed out",):
            _socket._note_attempt(error, target[4], host, None, running.timeout(number), "timeout")
        else:
            _socket._note_attempt(error, target[4], host)
    return [error for error, _, _ in failures]


def _late(
    running: attempts.Attempts, under_way: list[tuple[int, Target]], address: tuple[Any, Any], budget: Budget
) -> list[OSError]:
    """The errors of the attempts that were under way when the time was over; or of the look-up, if there were none."""
    errors: list[OSError] = []
    for number, target in under_way:
        errors.append(TimeoutError("timed out"))
        _socket._note_attempt(errors[-1], target[4], address[0], None, running.seconds(number), budget.cause)
    if not errors:
        errors.append(TimeoutError("timed out"))
        _socket._note_look_up(errors[-1], *address, budget.used(), budget.cause)
    return errors


def _refusal(refusals: list[OSError], address: tuple[Any, Any], budget: Budget) -> OSError:
    """The error of a name that has no address of any family."""
    error = lookup.most_telling(refusals)
    _socket._note_look_up(error, *address, budget.used())
    return error


def _one_by_one(prepare: _Maker, host: Any, targets: list[Target], count: int, budget: Budget, errors: list[OSError]) -> Any:
    """The socket that is connected to the first target that accepts; or None, and the errors of all."""
    order = Order(count)
    order.add(targets)
    while order:
        target = order.pop()
        if budget.left() == 0:
            # The last attempt may have ended for this reason, and said so.
            if not errors or errors[-1].args != ("timed out",):
                errors.append(TimeoutError("timed out"))
                _socket._note_attempt(errors[-1], target[4], host, None, None, budget.cause)
            break
        try:
            return _connected(prepare, target, budget)
        except OSError as error:
            _socket._note_attempt(error, target[4], host)
            errors.append(error)
    return None


def _connected(prepare: _Maker, target: Target, budget: Budget) -> Any:
    sock = prepare(target)
    try:
        left = budget.left()
        timeout = None if left is None else sock.gettimeout()
        if left is None or (timeout is not None and timeout <= left):
            sock.connect(target[4])
        else:
            sock.settimeout(max(left, _SHORTEST))
            try:
                sock.connect(target[4])
            except TimeoutError as error:
                _socket._note_attempt(error, target[4], None, None, None, budget.cause)
                raise
            sock.settimeout(timeout)
    except BaseException:
        sock.close()
        raise
    return sock
