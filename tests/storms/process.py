"""The process of one storm: process.py NAME MODULE SECONDS SEED. Prints the counts and what was wrong; exit status 1 if anything was."""

from __future__ import annotations

import faulthandler
import gc
import importlib
import sys
import time

from conditions import Conditions
from descriptors import open_numbers
from threads import closing_threads


def warm(conditions: Conditions) -> None:
    """Use each thing once that opens a descriptor which stays open."""
    left, right = conditions.socket.socketpair()
    left.close()
    right.close()
    open("/dev/urandom").close()


def open_after(before: set[int]) -> set[int]:
    """The descriptors that are open now and were not before. A call that ends late closes its own late."""
    for _ in range(200):
        gc.collect()
        more = open_numbers() - before
        if not more and not closing_threads():
            break
        time.sleep(0.05)
    return more


def main() -> int:
    """Run the storm, and report."""
    name, module, seconds, seed = sys.argv[1:]
    faulthandler.enable()
    conditions = Conditions(importlib.import_module(module), float(seconds), int(seed))
    storm = importlib.import_module(name).storm
    warm(conditions)
    before = open_numbers()
    try:
        storm(conditions)
    except BaseException as error:
        conditions.fail(error)
    if leaked := open_after(before):
        conditions.fail(f"{len(leaked)} descriptors leaked: {sorted(leaked)[:20]}")
    print(", ".join(f"{count:,} {what}" for what, count in conditions.counts.items()))
    for what in conditions.wrong[:5]:
        print("WRONG", what)
    sys.stdout.flush()
    return 1 if conditions.wrong or not conditions.counts else 0


if __name__ == "__main__":
    sys.exit(main())
