"""The stopwatch of all programs here: it measures their work without their imports, and records the implementation they ran on."""

import contextlib
import json
import socket
import time


@contextlib.contextmanager
def stopwatch():
    start = time.perf_counter()
    yield
    print(json.dumps({"seconds": time.perf_counter() - start, "socket": socket.__name__}))
