"""When oxisocket is installed, in relation to a library that patches `socket`: the program's first argument."""

import json
import sys

#: "never", "first" (before the library is imported), "between" (before it patches), or "last" (when it has patched).
ORDER = sys.argv[1]
_found = []


def install(at):
    """Install oxisocket if this is the right place in the program; return what was found."""
    if at != ORDER:
        return None
    import oxisocket

    _found.append(oxisocket.install())
    return _found[-1]


def report():
    """Print what install() found at first, as the program's last line."""
    facts = [{"class": found.native_socket, "ssl": found.native_ssl, "kept": sorted(found.kept)} for found in _found]
    print(json.dumps(facts[0] if facts else None))
