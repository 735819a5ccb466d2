"""Measures the stdlib's socket, oxisocket and the bare system calls, in turns."""

from __future__ import annotations

import argparse

from contenders import build_bare
from rounds import measure
from table import TIMED

for_now = argparse.ArgumentParser()
for_now.add_argument("--rounds", type=int, default=30)
for_now.add_argument("--case", action="append")
o = for_now.parse_args()
build_bare()
for case in TIMED:
    if o.case and case.name not in o.case: continue
    m = measure(case, o.rounds)
    b = m.best
    print(f"{case.name:24}", *(f"{n}={x.seconds*1e9:10.0f}" + (f" ({x.kept:.0%})" if x.kept is not None else "") for n, x in b.items()), *(f"{x.shown(x.figure(b))} ({x}) {'ok' if x.held(x.figure(b)) else 'MISSED'}" for x in case.bounds), flush=True)
