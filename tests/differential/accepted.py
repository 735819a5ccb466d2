"""The differences that are intended, each with its reason. docs/conformance.md describes them for users."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """Three patterns. A call whose expression and two outcomes they match (as `re.search` does) is not a divergence."""

    reason: str
    call: str
    expected: str
    actual: str

    def covers(self, call: str, expected: str, actual: str) -> bool:
        """Whether this is the reason for the difference."""
        found = zip((self.call, self.expected, self.actual), (call, expected, actual), strict=True)
        return all(re.search(pattern, text) for pattern, text in found)


ACCEPTED = (
    Difference(
        "getaddrinfo takes a timeout",
        r"\bgetaddrinfo\(.*timeout=",
        r"^raised builtins\.TypeError.*unexpected keyword argument 'timeout'",
        r"",
    ),
    Difference(
        "a call on a non-blocking socket, or with a timeout, does not block where O_NONBLOCK was cleared through a duplicate",
        r"",
        r"^hung$",
        r"^raised builtins\.BlockingIOError",
    ),
    Difference(
        "the same, where a child process has cleared it: a receive that then blocks sees the end of what was shut down",
        r"^aside\(1\.5, .*in_child\(.*\b(aside|interrupted)\(None",
        r"",
        r"TimeoutError\('timed out'",
    ),
    Difference(
        "a call waits for its whole timeout: the original has lost the high bits of the milliseconds, and does not wait",
        r"settimeout\((2\*\*\d\d|1e\d\d)\)",
        r"TimeoutError\('timed out'",
        r"",
    ),
    Difference(
        "close() ends the calls of other threads with EBADF: in the original they stay blocked until something arrives",
        r"\b(aside|interrupted)\(.*\b([al]\.(close|_real_close)|os\.close)\(",
        r"made to end|raised|\[",
        r"OSError\(9,",
    ),
    Difference(
        "a descriptor number that fits no C int is refused, not truncated or reported as another error",
        r"\b(socket|fromfd|close|dup|__init__)\(",
        r"^raised builtins\.(ValueError|OSError)|^\(?<socket",
        r"^raised builtins\.OverflowError.*int too",
    ),
    Difference(
        "a path with a NUL in it is refused, not silently truncated there",
        r"",
        r"",
        r"^raised builtins\.ValueError.*embedded null byte in AF_UNIX path",
    ),
    Difference(
        "with MSG_TRUNC, a message longer than the buffer gives the bytes that fit, and over TCP zeros: not memory past the end",
        r"\.recv(from)?\(\w+, socket\.MSG_TRUNC\)",
        r"^\(?b['\"]|^raised builtins\.ValueError.*size larger than allocated size",  # 3.15 notices
        r"^\(?b['\"]",
    ),
    Difference(
        "a call is tried before it waits: one that can succeed at once, or whose error waiting would not fix, does not end as a timeout",
        r"",
        r"^raised builtins\.TimeoutError\('timed out',\)",
        r"",
    ),
    Difference(
        "methods that are Python functions in the stdlib are built in here: the call itself refuses an argument of the wrong type, with its own text",
        r"\b(sendfile|_check_sendfile_params)\(",
        r"^raised builtins\.TypeError",
        r"",
    ),
    Difference(
        "sendfile refuses an offset that is not a number before it sends, not after it has sent",
        r"\bsendfile\(",
        r"",
        r"^raised builtins\.TypeError.*cannot be interpreted as an integer",
    ),
    Difference(
        "the text of the error shows a mode that is a tuple as it is, and does not take it for the arguments of a format",
        r"\bSocketIO\(",
        r"^raised builtins\.(TypeError|ValueError)",
        r"^raised builtins\.ValueError.*invalid mode: \(",
    ),
    Difference(
        "an address of another family than the socket's (its number was closed and reused) is read to its end and no further",
        r"",
        r"\('[0-9a-f]*:[0-9a-f:]{8,}'|family=(2|10),.*addr=[/\0]",
        r"\('::|family=(2|10),.*addr=[/\0]",
    ),
    Difference(
        "a refused file object has nothing to close: since 3.13 the finalizer of the stdlib's raises an error that nobody can catch",
        r"\b(SocketIO|makefile)\(",
        r"^raised.* lost AttributeError.*'_sock'",
        r"^raised",
    ),
    Difference(
        "a call on a closed socket fails with EBADF, whatever else is wrong with the call",
        r"-1|2\*\*31",
        r"^raised builtins\.OSError\(22,",
        r"^raised builtins\.OSError\(9,",
    ),
    Difference(
        "create_connection leaves no reference cycle behind: the ResourceWarning for a socket that an error left open comes at once, not when the collector runs",
        r"\bcreate_connection\(",
        r"^raised",
        r"^raised.* warned ResourceWarning: unclosed",
    ),
    Difference(
        "__repr__ is a slot of the type, not a Python function: the text that refuses arguments is a slot's",
        r"\.__repr__\(",
        r"^raised builtins\.TypeError.*__repr__\(\)",
        r"^raised builtins\.TypeError",
    ),
    Difference(
        "family and type are attributes of a built-in type, not Python properties: the text that refuses to set them is such an attribute's",
        r"(set|del)attr\(",
        r"^raised builtins\.AttributeError.*(setter|deleter)",
        r"^raised builtins\.AttributeError.*(not writable|cannot be deleted)",
    ),
)

# Nothing says how much was sent before the timeout, so later calls in the two environments cannot be compared.
SENDS = re.compile(r"\.(send|sendall|sendto|sendmsg|sendfile|write|writelines|flush)\(")

# A call during a call, which may have been made to end.
MEANWHILE = re.compile(r"\b(aside|interrupted|race)\(")

# When such a call fails, oxisocket closes the duplicate that it made; the stdlib leaves it open, so its next descriptor number differs.
DUPLICATES = re.compile(r"\b(fromfd|dup|socketpair)\(")


def is_last_comparable(call: str, outcome: str) -> bool:
    """Whether the two environments may differ after this call although its two outcomes are the same."""
    if outcome.startswith("raised builtins.TimeoutError") and SENDS.search(call):
        return True
    if "sendall(big)" in call and MEANWHILE.search(call):
        return True
    return outcome.startswith("raised") and DUPLICATES.search(call) is not None


def is_accepted(call: str, expected: str, actual: str) -> bool:
    """Whether one of ACCEPTED covers this difference."""
    return any(difference.covers(call, expected, actual) for difference in ACCEPTED)
