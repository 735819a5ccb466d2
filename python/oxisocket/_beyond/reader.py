"""The class ``oxisocket.Reader``, which is made in Rust: a method in Python takes longer than a line does."""

from __future__ import annotations

from oxisocket import _socket

Reader = _socket._reader_class()
