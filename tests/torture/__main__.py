"""Fails each call in turn: python tests/torture [--scenario NAME] [--call KIND] [--error ERRNO] [--case CASE] [--sample N --seed N]

Scenarios (scenarios/) are run again and again, and each time one call of the C library fails: the first `socket(2)` with each error that its
man page names, the second one, until there are no more; then the same with `bind(2)`, and so on. Each run has a process of its own. Whatever
fails: no crash, no hang, no leaked descriptor and no lost byte. And the program sees what it would see on the stdlib's module if the same
call failed there; where the stdlib makes other calls, ours has an outcome that the stdlib has in some such case, or none at all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "parts"))
import scenarios  # noqa: F401  they add themselves
from calls import NAMES
from case import Case, Counts, Run, cases, sample
from environment import ONLY_OURS, SCENARIOS, VARYING, WATCHED
from judge import Counterparts, Verdict, judge
from known import DIFFERENCES, LEFT_OPEN
from shim import compile_shim, preloaded, why_not

HERE = Path(__file__).parent
BATCH = 200  # cases that a server is asked at once: their text fits into a pipe
MOST_OTHERS = 8  # runs of the stdlib that one case is compared with


class Server:
    """One implementation, in a process that runs cases."""

    def __init__(self, implementation: str, library: Path) -> None:
        command = [sys.executable, "-P", str(HERE / "server.py"), implementation]
        environment = preloaded(library) | {"PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent / "parts")))}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, text=True, env=environment, **pipes)  # type: ignore[call-overload]

    def run(self, wanted: Iterable[Case]) -> Iterator[Run]:
        """Run cases; each run is there as soon as it has ended."""
        asked = list(wanted)
        for start in range(0, len(asked), BATCH):
            batch = asked[start : start + BATCH]
            writer = threading.Thread(target=self._ask, args=(batch,))
            writer.start()
            for case in batch:
                line = self._process.stdout.readline()
                if not line:
                    raise SystemExit(f"{case}: the server has ended with {self._process.wait()}")
                yield Run.of(json.loads(line))
            writer.join()

    def _ask(self, batch: list[Case]) -> None:
        self._process.stdin.writelines(json.dumps(case.request()) + "\n" for case in batch)
        self._process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()


class Servers:
    """Both implementations. Each of its threads has servers of its own."""

    def __init__(self, library: Path, stack: ExitStack) -> None:
        self._library, self._stack, self._local = library, stack, threading.local()

    def __getitem__(self, implementation: str) -> Server:
        servers = self._local.__dict__
        if implementation not in servers:
            servers[implementation] = Server(implementation, self._library)
            self._stack.callback(servers[implementation].close)
        return servers[implementation]


class Recording:
    """A scenario in which nothing fails, on both."""

    def __init__(self, servers: Servers, scenario: str, only_ours: bool) -> None:
        quiet = Case(scenario)
        self.ours = next(servers["oxisocket"].run([quiet]))
        self.stdlib = None if only_ours else self._of_stdlib(servers, quiet)

    @staticmethod
    def _of_stdlib(servers: Servers, quiet: Case) -> Run:
        """A run of the stdlib that has not hung: with TLS it does in one of thousands, and then its calls are not all there."""
        for _ in range(3):
            run = next(servers["socket"].run([quiet]))
            if run.status >= 0:
                break
        return run

    def wrong(self) -> list[str]:
        """What is wrong although nothing has failed."""
        runs = [self.ours] if self.stdlib is None else [self.ours, self.stdlib]
        return [
            f"without a failure: {run}" for run in runs if run.wrong or run.leaked or run.status or run.stderr or run.unexpected
        ]

    def counterparts(self, case: Case) -> tuple[bool, list[Case]]:
        """Whether the stdlib's call of the same number is the same call; and the stdlib's cases to compare with."""
        if self.stdlib is None:
            return False, []
        there: Counts = self.stdlib.counts
        count = there[case.step, case.kind]
        # Ours waits in fewer places: as many waits are not the same ones.
        differs = case.kind == "poll" or case.scenario in VARYING | WATCHED
        if count == self.ours.counts[case.step, case.kind] and not differs:
            return True, [case]
        return False, [replace(case, nth=nth) for nth in range(1, min(count, MOST_OTHERS) + 1)]

    def judge(self, case: Case, ours: Run, same: bool, stdlib: list[Run]) -> Verdict:
        """Judge our run of a case by the stdlib's."""
        reached = tuple(run for run in stdlib if run.hits or run.status)
        counterparts = Counterparts(
            self.ours, reached[0] if same and reached else None, reached, self.stdlib is None, case.scenario in VARYING
        )
        return judge(case, ours, counterparts, DIFFERENCES, LEFT_OPEN)


class Tally:
    """What was tried."""

    def __init__(self) -> None:
        self.by_kind: Counter[str] = Counter()
        self.by_scenario: Counter[str] = Counter()
        self.compared: Counter[str] = Counter()
        self.why_not: Counter[str] = Counter()
        self.runs_of_the_stdlib = 0
        self.wrong: list[tuple[Case, Verdict]] = []
        self.not_repeated: list[Case] = []

    def repeat(self, again: Callable[[Case], Verdict]) -> None:
        """Run what was not as on the stdlib once more, with no other case beside it: threads and timeouts may have come in another order.
        A crash, a hang, a leak and a lost byte are wrong although they do not come again."""
        for case, verdict in list(self.wrong):
            if verdict.only_differs and not again(case).wrong:
                self.wrong.remove((case, verdict))
                self.not_repeated.append(case)

    def add(self, case: Case, verdict: Verdict) -> None:
        """Count a case."""
        self.by_kind[case.kind] += 1
        self.by_scenario[case.scenario] += 1
        if verdict.compared:
            self.compared[verdict.compared] += 1
        else:
            self.why_not[verdict.why_not] += 1
        if verdict.wrong:
            self.wrong.append((case, verdict))

    def __str__(self) -> str:
        lines = ["cases by call:", *_columns(self.by_kind), "cases by scenario:", *_columns(self.by_scenario)]
        lines += [f"compared {how}: {count:,}" for how, count in self.compared.most_common()]
        lines += [
            f"not compared, but held to what must always hold: {count:,}, because {why}"
            for why, count in self.why_not.most_common()
        ]
        lines += [f"not as the stdlib the first time, but when it was repeated: {case}" for case in self.not_repeated]
        return "\n".join(lines)


def _columns(counts: Counter[str]) -> Iterator[str]:
    cells = [f"{name} {count:,}" for name, count in counts.most_common()]
    width = max(map(len, cells), default=0) + 2
    for start in range(0, len(cells), 4):
        yield "  " + "".join(cell.ljust(width) for cell in cells[start : start + 4]).rstrip()


def torture(servers: Servers, recording: Recording, wanted: list[Case], tally: Tally, lock: threading.Lock) -> None:
    """Run the cases of one scenario, and judge them."""
    asked = {case: recording.counterparts(case) for case in wanted}
    there = list(dict.fromkeys(each for _, others in asked.values() for each in others))
    with ThreadPoolExecutor(1) as beside:
        future = beside.submit(list, servers["socket"].run(there)) if there else None
        ours = list(servers["oxisocket"].run(wanted))
        stdlib = dict(zip(there, future.result() if future else [], strict=True))
    with lock:
        tally.runs_of_the_stdlib += len(there)
        for case, run in zip(wanted, ours, strict=True):
            same, others = asked[case]
            tally.add(case, recording.judge(case, run, same, [stdlib[other] for other in others]))


def main() -> int:
    """Torture, and say what was tried and what was wrong."""
    options = _options()
    if reason := why_not():
        print(f"skipped: {reason}")
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = Servers(compile_shim(Path(folder)), stack)
        if options.case:
            return _repeat(servers, Case.parse(options.case))
        tally, status = Tally(), 0
        recordings = {name: Recording(servers, name, name in ONLY_OURS) for name in SCENARIOS if options.scenario in ("", name)}
        for name, recording in recordings.items():
            for wrong in recording.wrong():
                print(f"{name}: {wrong}")
                status = 1
        found = [case for name, each in recordings.items() for case in cases(name, each.ours.counts) if _is_wanted(case, options)]
        if options.sample:
            found = sample(found, options.sample, options.seed)
        by_scenario = defaultdict(list)
        for case in found:
            by_scenario[case.scenario].append(case)
        lock = threading.Lock()
        with ThreadPoolExecutor(options.jobs) as pool:
            longest_first = sorted(by_scenario, key=lambda name: -len(by_scenario[name]))
            pieces = [
                (name, by_scenario[name][n : n + BATCH])
                for name in longest_first
                for n in range(0, len(by_scenario[name]), BATCH)
            ]
            futures = [pool.submit(torture, servers, recordings[name], piece, tally, lock) for name, piece in pieces]
            for future in futures:
                future.result()
        tally.repeat(lambda case: _again(servers, recordings[case.scenario], case))
    print(tally)
    for case, verdict in sorted(tally.wrong, key=lambda each: str(each[0])):
        print(f"WRONG {case}: {'; '.join(verdict.wrong)}")
    seconds = time.monotonic() - began
    print(
        f"{sum(tally.by_kind.values()):,} cases of {len(by_scenario)} scenarios, and {tally.runs_of_the_stdlib:,} runs of the stdlib, "
        f"in {seconds:,.0f} s; wrong: {len(tally.wrong)}"
    )
    return 1 if tally.wrong else status


def _is_wanted(case: Case, options: argparse.Namespace) -> bool:
    return options.call in ("", case.kind) and options.error in ("", case.error)


def _again(servers: Servers, recording: Recording, case: Case) -> Verdict:
    same, others = recording.counterparts(case)
    ours = next(servers["oxisocket"].run([case]))
    return recording.judge(case, ours, same, list(servers["socket"].run(others)) if others else [])


def _repeat(servers: Servers, case: Case) -> int:
    """One case, in full."""
    recording = Recording(servers, case.scenario, case.scenario in ONLY_OURS)
    same, others = recording.counterparts(case)
    ours = next(servers["oxisocket"].run([case]))
    runs = list(servers["socket"].run(others)) if others else []
    print(f"nothing fails: {recording.ours}\n\nours: {ours}\n")
    for other, run in zip(others, runs, strict=True):
        print(f"stdlib, {other}: {run}\n")
    verdict = recording.judge(case, ours, same, runs)
    print(verdict)
    return 1 if verdict.wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python tests/torture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario", default="", choices=["", *SCENARIOS], metavar="NAME", help="only this one")
    parser.add_argument("--call", default="", choices=["", *NAMES], metavar="KIND", help="only calls of this kind")
    parser.add_argument("--error", default="", metavar="ERRNO", help="only this error")
    parser.add_argument("--case", default="", help="repeat one case, as it was printed, and show everything")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="only so many cases")
    parser.add_argument("--seed", type=int, default=20261, help="the same seed takes the same sample")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), help="how many cases run at the same time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
