"""What is done while calls fail: a file for each part of the library."""

from . import above, beyond, closing, connecting, conversations, datagrams, descriptors, files, lookups, seeing

__all__ = ["above", "beyond", "closing", "connecting", "conversations", "datagrams", "descriptors", "files", "lookups", "seeing"]
