"""Where ours and the stdlib need not have the same outcome, each with its reason, and which descriptors are left open on purpose. All
else that must hold holds there all the same."""

from __future__ import annotations

from case import Case
from judge import Known


def _is(case: Case, scenarios: str = "", kinds: str = "", errors: str = "", step: int = 0) -> bool:
    """Whether a case is of these scenarios, kinds and errors; none given means all."""
    given = ((case.scenario, scenarios), (case.kind, kinds), (case.error, errors))
    return all(not names or value in names.split() for value, names in given) and step in (0, case.step)


DIFFERENCES = [
    Known(
        "a first attempt that would block is made again as a call that waits",
        lambda case: _is(case, "", "send recv", "EAGAIN"),
    ),
    Known(
        "an error that waiting cannot fix is raised at once; the stdlib waits first, until the time is over",
        lambda case: _is(case, "nothing_to_receive", "recv accept"),
    ),
    Known(
        "connect to a path continues after EINTR; the stdlib's returns without a connection",
        lambda case: _is(case, "connected_by_path unix_datagrams", "connect", "EINTR"),
    ),
    Known(
        "a race makes its sockets non-blocking and waits for all of them; the stdlib waits for none that connects at once",
        lambda case: _is(case, "raced raced_by_name total_timeout", "ioctl poll"),
    ),
    Known(
        "connect_ex returns the errno of a poll that fails; the stdlib's raises it",
        lambda case: _is(case, "refused", "poll", step=4) or _is(case, "refused", "poll", step=2),
    ),
    Known(
        "a race closes its losers, whatever close(2) says; the stdlib raises it in the place of the connection",
        lambda case: _is(case, "raced raced_by_name total_timeout", "close"),
    ),
    Known(
        "the families of a name are looked up apart, and one answer is enough",
        lambda case: _is(case, "raced_by_name", "getaddrinfo"),
    ),
    Known(
        "what looks like an address is looked up at once, and if that fails, as any name is",
        lambda case: _is(case, "hosts addresses_by_name names_in_another_thread", "getaddrinfo"),
    ),
]

LEFT_OPEN = [
    Known(
        "a number that is said to name no file (EBADF) is not closed later: the program may have closed it, and opened another",
        lambda case: _is(
            case, "closed_under_recv closed_under_recv_with_timeout closed_under_accept closed_under_many", "fstat", "EBADF"
        ),
    ),
    Known(
        "a record whose number was closed (EBADF) is opened again; here the number was not",
        lambda case: case.scenario.startswith("traced") and _is(case, "", "fstat", "EBADF"),
    ),
]
