"""Sockets on which a call blocks, and how to tell that it does. The programs that tests start import this as well."""

from __future__ import annotations

import array
import contextlib
import fcntl
import functools
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET
from typing import Any

HANG_TIMEOUT = 20  # seconds until a call that should have ended counts as hung; a test that passes never waits this long

BUFFER_SIZE = 1 << 16
BIG = bytes(range(256)) * (BUFFER_SIZE >> 2)  # many times as much as sockets hold after `limit_buffers`


def limit_buffers(*sockets: Any) -> None:
    """Give sockets buffers of a fixed size. By default the size depends on the machine's settings, and the buffers of a TCP socket grow
    with time, on some machines to 64 MiB."""
    for each in sockets:
        each.setsockopt(SOL_SOCKET, SO_SNDBUF, BUFFER_SIZE)
        each.setsockopt(SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE)


def fill(s: Any, *blocks: bytes) -> int:
    """Send until the send buffer is full, and return how many bytes were sent. The default ends with single bytes, so that not even one
    more fits; else each of `blocks` is sent until it would block. TCP has room for more after a while: a call that must block has to
    send more than that, such as BIG after `limit_buffers`."""
    timeout = s.gettimeout()
    s.setblocking(False)
    sent = 0
    for block in blocks or (b"x" * 4096, b"x"):
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += s.send(block)
    s.settimeout(timeout)
    return sent


def recv_all(s: Any, size: int) -> bytes:
    """Receive `size` bytes, or fewer if EOF comes before."""
    parts = []
    while size and (part := s.recv(min(size, 65536))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def fill_backlog(listener: Any, keep: Callable[[Any], Any]) -> None:
    """Connect to a listener until its backlog is full and the kernel does not answer any more. `keep` gets the sockets; the last one is
    still connecting."""
    for _ in until_timeout():
        client = type(listener)(listener.family, listener.type)
        keep(client)
        client.settimeout(0.1)  # on loopback an answer comes at once or not at all
        try:
            client.connect(listener.getsockname())
        except (TimeoutError, BlockingIOError):
            return
    raise AssertionError("the backlog never filled")


def until_timeout() -> Iterator[None]:
    """For a loop that something should end: it goes on until HANG_TIMEOUT is over."""
    deadline = time.monotonic() + HANG_TIMEOUT
    while time.monotonic() < deadline:
        yield


def wait_until(condition: Callable[[], object]) -> None:
    for _ in until_timeout():
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("the condition never became true")


def until_received(sock: Any) -> None:
    """Wait until another thread has received all that came to the socket. (A thread that is to wake up still looks blocked.)"""
    unread = array.array("i", [1])

    def is_empty() -> bool:
        fcntl.ioctl(sock.fileno(), termios.FIONREAD, unread)
        return unread[0] == 0

    wait_until(is_empty)


def until_blocked(thread: threading.Thread) -> None:
    """Wait until the thread is blocked in a system call (see `wait_until_blocked`)."""
    assert wait_until_blocked(f"/proc/self/task/{thread.native_id}/syscall", thread.is_alive), (
        "the thread ended instead of blocking"
    )


def wait_until_blocked(syscall: str, is_alive: Callable[[], bool]) -> bool:
    """Wait until a thread, given by its `syscall` file, is blocked in a system call other than those that wait for a lock, such as the
    GIL. Return False if the thread ends instead."""
    for _ in until_timeout():
        if not is_alive():
            return False
        try:
            number = current_syscall(syscall)
        except OSError:  # this kernel does not tell: the best left to do is to wait a little
            time.sleep(0.1)
            return is_alive()
        if number is not None and number not in lock_syscalls():
            return True
        time.sleep(0.001)
    raise AssertionError("the call never blocked")


def current_syscall(syscall: str) -> str | None:
    """The number of the system call in which a thread is blocked; None if it runs, or is blocked outside of a system call."""
    number = Path(syscall).read_text().split()[0]
    return None if number in ("running", "-1") else number


@functools.cache
def lock_syscalls() -> frozenset[str]:
    """The numbers of the system calls with which threads wait for a lock, and so for the GIL. They differ between architectures."""
    lock = threading.Lock()
    numbers = set()
    with lock:
        threads = [threading.Thread(target=acquire_and_release, args=(lock, timeout)) for timeout in (-1, HANG_TIMEOUT)]
        for thread in threads:
            thread.start()
            while (number := current_syscall(f"/proc/self/task/{thread.native_id}/syscall")) is None:
                time.sleep(0.001)
            numbers.add(number)
    for thread in threads:
        thread.join()
    return frozenset(numbers)


def acquire_and_release(lock: threading.Lock, timeout: float) -> None:
    if lock.acquire(timeout=timeout):
        lock.release()
