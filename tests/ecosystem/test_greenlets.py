"""Greenlets switch in the middle of a call, where the arguments run code, and end calls in any order."""

import pytest

greenlet = pytest.importorskip("greenlet", reason="greenlet is not installed (`make ecosystem` does that)")
oxisocket = pytest.importorskip("oxisocket")


class Switching:
    """A number that lets another greenlet run before it says which."""

    def __init__(self, number, other):
        self.number = number
        self.other = other

    def __index__(self):
        self.other().switch()
        return self.number


def test_traced_calls_that_end_in_another_order():
    pairs = [oxisocket.socketpair() for _ in range(2)]
    ended = []

    def receive(index, call, size, other):
        ended.append((index, getattr(pairs[index][1], call)(Switching(size, other))))

    try:
        for index, pair in enumerate(pairs):
            pair[0].sendall(b"01234567"[: 4 * (index + 1)])
        events = []
        main = greenlet.getcurrent()
        second = greenlet.greenlet(lambda: receive(1, "recvfrom", 8, lambda: first))
        first = greenlet.greenlet(lambda: receive(0, "recv", 4, lambda: second if not ended else main))
        with oxisocket.observe(events.append):
            first.switch()  # begins, lets the second begin, ends; then the second ends
            second.switch()
    finally:
        for sock in (*pairs[0], *pairs[1]):
            sock.close()
    assert ended == [(0, b"0123"), (1, (b"01234567", None))]
    calls = [event for event in events if event["event"] == "call"]
    assert [(each["call"], each["in"], each["data"]) for each in calls] == [
        ("recv", 4, b"0123"),
        ("recvfrom", 8, b"01234567"),
    ]
    assert calls[0]["socket"] != calls[1]["socket"]
