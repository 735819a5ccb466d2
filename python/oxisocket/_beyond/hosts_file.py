"""The names to which the administrator has given addresses in ``/etc/hosts``.

The resolver stops there if it finds an address of either family. Asked for one family only, it goes on to the DNS where the file
has only an address of the other family: a name that the file leads to this machine would also get the addresses that it has in
the DNS. So names in the file are not looked up one family at a time.

``getaddrinfo`` itself also looks into the file, to spare a thread for names that are certainly in it. Here the safe mistake is
the other one: a name that may be in the file counts as one that is.
"""

from __future__ import annotations

from pathlib import Path


class HostsFile:
    """A file of names, read again when it has changed."""

    def __init__(self, path: str = "/etc/hosts") -> None:
        self._path = Path(path)
        # The file in lower case, and what shows whether it has changed since: one object, for threads that read it meanwhile.
        self._last: tuple[tuple[int, ...], bytes] = ((), b"")

    def may_have(self, host: str | bytes) -> bool:
        """Whether the file has this name, or one that it is a part of. It is not parsed: to be wrong there does no harm."""
        try:
            name = host if isinstance(host, bytes) else host.encode("ascii" if host.isascii() else "idna")
        except UnicodeError:
            return True  # The resolver says what is wrong with it.
        return name.lower() in self._text()

    def _text(self) -> bytes:
        try:
            status = self._path.stat()
            state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            last = self._last
            if last[0] != state:
                last = self._last = (state, self._path.read_bytes().lower())
        except OSError:
            return b""
        return last[1]


_installed = HostsFile()


def may_have(host: str | bytes) -> bool:
    """Whether ``/etc/hosts`` may have this name (see ``HostsFile.may_have``)."""
    return _installed.may_have(host)
