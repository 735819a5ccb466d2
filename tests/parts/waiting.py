"""Sockets on which a call has to wait, and how to know that one does. The programs that tests start import this as well."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET
from typing import Any

PATIENCE = 20  # seconds until a call that should have ended counts as stuck; no test waits for it when all is well

NARROW = 1 << 16
BIG = bytes(range(256)) * (NARROW >> 2)  # many times as much as narrow sockets hold


def narrow(*sockets: Any) -> None:
    """Give them buffers of a size that stays. Those of others are as large as the machine was told to make them, and TCP's grow as
    time goes by, in some places to 64 MiB."""
    for each in sockets:
        each.setsockopt(SOL_SOCKET, SO_SNDBUF, NARROW)
        each.setsockopt(SOL_SOCKET, SO_RCVBUF, NARROW)


def fill(s: Any) -> int:
    """Send till there is no room, not even for a byte, and return how much went. TCP finds room for more after a while: who wants a
    call that waits must send more than that, such as BIG on narrow sockets."""
    timeout = s.gettimeout()
    s.setblocking(False)
    sent = 0
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += s.send(b"x" * size)
    s.settimeout(timeout)
    return sent


def read(s: Any, size: int) -> bytes:
    """Receive so much, or less if the end comes before."""
    parts = []
    while size and (part := s.recv(min(size, 65536))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def crowd(listener: Any, keep: Callable[[Any], Any]) -> None:
    """Connect to a listener till its queue is full and the kernel answers no more; `keep` gets the sockets, the last of which still tries."""
    for _ in patiently():
        client = type(listener)(listener.family, listener.type)
        keep(client)
        client.settimeout(0.1)  # on loopback the answer is there at once, or it does not come
        try:
            client.connect(listener.getsockname())
        except (TimeoutError, BlockingIOError):
            return
    raise AssertionError("the queue never filled")


def patiently() -> Iterator[None]:
    """For a loop that something must end: it goes round till the patience is over."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        yield


def until_blocked(thread: threading.Thread) -> None:
    """Wait until the thread is inside a system call that is not the wait for the interpreter."""
    assert blocks(f"/proc/self/task/{thread.native_id}/syscall", thread.is_alive), "the thread ended instead of blocking"


def blocks(syscall: str, is_alive: Callable[[], bool]) -> bool:
    """Wait until the thread whose `syscall` file this is waits in the kernel for I/O; False if it ends instead."""
    for _ in patiently():
        if not is_alive():
            return False
        try:
            number = current_call(syscall)
        except OSError:  # a kernel that does not tell: nothing better is left than some time
            time.sleep(0.1)
            return is_alive()
        if number is not None and number not in calls_that_wait_for_locks():
            return True
        time.sleep(0.001)
    raise AssertionError("the call never blocked")


def current_call(syscall: str) -> str | None:
    """The number of the system call in which a thread waits; None when it does not wait, or not in a call."""
    number = Path(syscall).read_text().split()[0]
    return None if number in ("running", "-1") else number


@functools.cache
def calls_that_wait_for_locks() -> frozenset[str]:
    """The numbers of the system calls, other ones on each architecture, by which threads wait for a lock; so they do for the interpreter."""
    lock = threading.Lock()
    numbers = set()
    with lock:
        threads = [threading.Thread(target=take, args=(lock, timeout)) for timeout in (-1, PATIENCE)]
        for thread in threads:
            thread.start()
            while (number := current_call(f"/proc/self/task/{thread.native_id}/syscall")) is None:
                time.sleep(0.001)
            numbers.add(number)
    for thread in threads:
        thread.join()
    return frozenset(numbers)


def take(lock: threading.Lock, timeout: float) -> None:
    if lock.acquire(timeout=timeout):
        lock.release()
