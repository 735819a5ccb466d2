"""The differences that are meant, each with its reason; docs/conformance.md tells them to the users."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A call and its two outcomes that match are not a divergence. The patterns are searched for; `call` in the expression."""

    reason: str
    call: str
    expected: str
    actual: str

    def covers(self, call: str, expected: str, actual: str) -> bool:
        """Whether this is the reason why these two outcomes differ."""
        found = zip((self.call, self.expected, self.actual), (call, expected, actual), strict=True)
        return all(re.search(pattern, text) for pattern, text in found)


ACCEPTED = (
    Difference(
        "a descriptor number that fits no C int is refused, not cut or taken for another mistake",
        r"\b(socket|fromfd|close|dup|__init__)\(",
        r"^raised builtins\.(ValueError|OSError)|^\(?<socket",
        r"^raised builtins\.OverflowError.*int too",
    ),
    Difference(
        "a path with a NUL in it is refused, not silently cut there",
        r"",
        r"",
        r"^raised builtins\.ValueError.*embedded null byte in AF_UNIX path",
    ),
    Difference(
        "with MSG_TRUNC, a message longer than asked for gives the bytes there was room for, and TCP zeros: not memory past the end",
        r"\.recv(from)?\(\w+, socket\.MSG_TRUNC\)",
        r"^\(?b['\"]|^raised builtins\.ValueError.*size larger than allocated size",  # 3.15 has noticed
        r"^\(?b['\"]",
    ),
    Difference(
        "a call is tried before it is waited for: what can be done, or cannot be mended by waiting, does not end as a timeout",
        r"",
        r"^raised builtins\.TimeoutError\('timed out',\)",
        r"",
    ),
    Difference(
        "methods that are Python functions in the stdlib are built in here: an argument of the wrong type is refused by the call, in its words",
        r"\b(sendfile|_check_sendfile_params)\(",
        r"^raised builtins\.TypeError",
        r"",
    ),
    Difference(
        "sendfile refuses an offset that is no number before it sends, not after it has sent",
        r"\bsendfile\(",
        r"",
        r"^raised builtins\.TypeError.*cannot be interpreted as an integer",
    ),
    Difference(
        "a mode that is a tuple is shown whole in the error's text, not taken for the arguments of a format",
        r"\bSocketIO\(",
        r"^raised builtins\.(TypeError|ValueError)",
        r"^raised builtins\.ValueError.*invalid mode: \(",
    ),
    Difference(
        "an address that belongs to another family than the socket's, whose number was closed and given to another, is read to its end only",
        r"",
        r"\('[0-9a-f]*:[0-9a-f:]{8,}'|family=(2|10),.*addr=[/\0]",
        r"\('::|family=(2|10),.*addr=[/\0]",
    ),
    Difference(
        "a file that was refused has nothing to close: from 3.13 on the stdlib's loses an error in its end",
        r"\b(SocketIO|makefile)\(",
        r"^raised.* lost AttributeError.*'_sock'",
        r"^raised",
    ),
    Difference(
        "a closed socket is a bad descriptor, whatever else is wrong with the call",
        r"-1|2\*\*31",
        r"^raised builtins\.OSError\(22,",
        r"^raised builtins\.OSError\(9,",
    ),
    Difference(
        "create_connection leaves no reference cycle behind: a socket that an error leaves unclosed is told of at once, not when the collector runs",
        r"\bcreate_connection\(",
        r"^raised",
        r"^raised.* warned ResourceWarning: unclosed",
    ),
    Difference(
        "the representation is a slot of the type, not a Python function, and refuses arguments in a slot's words",
        r"\.__repr__\(",
        r"^raised builtins\.TypeError.*__repr__\(\)",
        r"^raised builtins\.TypeError",
    ),
    Difference(
        "family and type are the type's own attributes, not Python properties, and refuse to be set in such an attribute's words",
        r"(set|del)attr\(",
        r"^raised builtins\.AttributeError.*(setter|deleter)",
        r"^raised builtins\.AttributeError.*(not writable|cannot be deleted)",
    ),
)

# How much was sent before time was up is nobody's promise: what comes later on the two stages cannot be compared.
UNTOLD = re.compile(r"\.(send|sendall|sendto|sendmsg|sendfile|write|writelines|flush)\(")


# What refuses a descriptor closes the duplicate that was made for it; the stdlib leaves it open, and its next number is another.
DUPLICATED = re.compile(r"\b(fromfd|dup|socketpair)\(")


def parts(call: str, outcome: str) -> bool:
    """Whether the two stages may be different after a call although its outcomes are the same."""
    if outcome.startswith("raised builtins.TimeoutError") and UNTOLD.search(call):
        return True
    return outcome.startswith("raised") and DUPLICATED.search(call) is not None


def is_accepted(call: str, expected: str, actual: str) -> bool:
    """Whether one of ACCEPTED covers it."""
    return any(difference.covers(call, expected, actual) for difference in ACCEPTED)
