"""What every program here is measured with: the time of its work without that of its imports, and on what it ran."""

import contextlib
import json
import socket
import time


@contextlib.contextmanager
def stopwatch():
    start = time.perf_counter()
    yield
    print(json.dumps({"seconds": time.perf_counter() - start, "socket": socket.__name__}))
