"""Makes calls without memory: python tests/memory [--module NAME] [--group NAME] [--name NAME] [--short]

With OXISOCKET_TRACE=1 in the environment, a trace and a callback watch the calls.

Each call is repeated, and in each repetition another allocation of the interpreter fails: the first one, the second one, until there
are no more. Then again, where all later allocations fail too. The same with the allocations of oxisocket's own library, where the C
library is glibc and there is a C compiler. And once more where the process has no memory left at all, also as the first call of a
thread, for which the C library allocates the data of threads. The outcome must be `MemoryError` or the same as with memory, and no
descriptor may leak, and no memory. Each call has a process of its own, so that it was never made with
memory before. Prints what was wrong, and how many allocations failed.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import gc
import importlib
import inspect
import io
import json
import mmap
import os
import resource
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "parts"))
import group_programs
import watching  # its operations add themselves
from heap import heap
from operations import GROUPS, TABLES, Environment, operations
from shim import Shim, compile_shim, preloaded, why_not

memory = importlib.import_module("_testcapi")

FEW_ALLOCATIONS = 100  # that are made to fail in a short run: a call that runs much Python code makes thousands
MANY_ALLOCATIONS = 3000
ALL_LATER = 0  # as the last allocation that fails
HANG_TIMEOUT = 30  # seconds until a call counts as hung
LONG_HANG_TIMEOUT = 600  # the same where thousands of allocations fail
STEP = 1
# How often the same failure is repeated. What grows in each of these rounds leaks: the interpreter's caches are full in the last.
WINDOWS = (10, 10, 10, 1000)
RUNS_PYTHON = 3  # the exit status of a child that has found out that a call runs Python code
SMALLEST = 16  # bytes that malloc gives out at least
# Functions that an operation calls by another name, in a lambda or with `with`, or that run in the interpreter's code only.
NOT_CALLED = {
    "_intenum_converter", "_close_received", "_forget_annotations", "_connection_failure", "_fallback_socketpair", "_with_address",
    "install", "installed", "uninstall",
    # Those for the package, which their public ones call.
    "_getifaddrs", "_hand_over", "_note_attempt", "_note_attempts", "_note_look_up", "_public_getaddrinfo", "_reader_class", "_register",
    "_remaining_time", "_switch_notes", "_trace_facts",
}  # fmt: skip
# The interpreter's own errors when it has no memory for a lock.
INTERPRETERS_OWN = ("RuntimeError: can't allocate lock", "RuntimeError: can't allocate read lock")


def call(function, arguments, first, last):
    """The outcome of the call without memory, and whether it ended before the first allocation that should fail.

    This is a short function whose frame object exists already: the interpreter has bugs of its own where it has no memory for a
    frame object, or for the instruction offset in a long function.
    """
    sys._getframe()
    ended_before = False
    memory.set_nomemory(first, last)
    try:
        outcome = function(*arguments)
    except BaseException as error:
        outcome = error
    try:
        bytes(1000)
    except MemoryError:
        ended_before = True
    memory.remove_mem_hooks()
    return outcome, ended_before


def call_with_memory_used_up(function, arguments):
    """The outcome of the call in a process whose only memory is the little that the interpreter keeps for small objects."""
    malloc = ctypes.CDLL(None).malloc
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used, resource.RLIM_INFINITY))
    for size in 1 << 16, 1 << 12, 1 << 9, 1 << 6, 1 << 3:
        while malloc(size) is not None:
            pass
    try:
        return function(*arguments)
    except BaseException as error:
        return error
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def first_call_of_a_thread(function, arguments):
    """The same as the first call that a thread makes."""
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(call_with_memory_used_up(function, arguments)))
    thread.start()
    thread.join()
    return outcomes[0]


class Interpreters:
    """The allocations of the interpreter."""

    name = "the interpreter's"

    def call(self, function, arguments, first, onwards):
        """The outcome of a call, and whether it ended before this allocation."""
        return call(function, arguments, first, ALL_LATER if onwards else first + 1)


class Librarys:
    """The allocations that oxisocket's library makes itself."""

    name = "the library's"

    def __init__(self, module):
        self._shim = Shim()
        self._shim.count_allocations_of(module._socket.__file__)

    def call(self, function, arguments, first, onwards):
        """The outcome of a call, and whether it ended before this allocation."""
        self._shim.forget()
        hits = self._shim.hits
        self._shim.fail("alloc", STEP, first + 1, "ENOMEM", onwards)
        try:
            with self._shim.step(STEP):
                outcome = function(*arguments)
        except BaseException as error:
            outcome = error
        return outcome, self._shim.hits == hits


class Place:
    """The point that a child has reached, which its parent sees after a crash."""

    def __init__(self):
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self.set(0, 0)

    def set(self, *point):
        """The way of failing, and the allocation."""
        said = json.dumps(point).encode()
        self._memory[: len(said) + 1] = said + b"\n"

    def get(self):
        """What was set."""
        return json.loads(self._memory[:].split(b"\n")[0])


class Sweep:
    """Runs one operation in all the ways in which there is no memory."""

    def __init__(self, env, name, operation, options, place):
        self.env, self.name, self.operation, self.options, self.place = env, name, operation, options, place
        self.wrong = []
        self.failed = Counter()
        sys.unraisablehook = self.unraisable

    def unraisable(self, unraisable):
        """Before PyO3 panics, it reports an unraisable exception without an object and without a message. The interpreter's own have one or
        the other: its import looks for entries of `sys`, and ignores that there is no memory."""
        if unraisable.object is None and unraisable.err_msg is None:
            self.wrong.append(f"{self.name}: unraisable {unraisable.exc_type.__name__}")

    def ways(self):
        """The ways of failing: whose allocations, and whether all later ones too."""
        ways = [] if self.name in watching.CRASHING else [(Interpreters(), False)]
        if not self.is_python():
            ways.append((Interpreters(), True))
        if os.environ.get("LD_PRELOAD"):
            ways += [(Librarys(self.env.module), onwards) for onwards in (False, True)]
        return ways

    def run(self, way, first):
        """All ways from this one on, the first of them from an allocation on: where another child has crashed before."""
        ways = self.ways()
        for number in range(way, len(ways)):
            self.sweep(number, *ways[number], first if number == way else 0)
            self.report()
        self.place.set(len(ways), 0)
        self.use_up_memory()

    def report(self):
        """Say what was wrong, and how many allocations have failed."""
        sys.stdout.write("".join(f"{each}\n" for each in self.wrong))
        sys.stdout.write("".join(f"\t{name}\t{count}\n" for name, count in self.failed.items()))
        sys.stdout.flush()
        self.wrong.clear()
        self.failed.clear()

    def use_up_memory(self, call=call_with_memory_used_up):
        """The last call of the process, since the memory used up for it cannot be freed. Only a crash or a panic counts: C code that
        looks up an attribute or a buffer may mistake a lack of memory for its absence."""
        steps = self.operation(self.env)
        outcome = call(*next(steps))
        if type(outcome).__name__ == "PanicException":
            print(f"{self.name}, with memory used up: {outcome}")

    def is_python(self):
        """Whether the operation calls a Python function. There, not all allocations may fail: the interpreter loops for ever in some
        exception handlers then."""
        steps = self.operation(self.env)
        function, _ = next(steps)
        finish(steps, None)
        function = getattr(function, "func", function)
        return hasattr(getattr(function, "__func__", function), "__code__")

    @functools.cached_property
    def leaks_may_be_the_interpreters(self):
        """Whether the operation runs Python code: where that has no memory, the interpreter itself leaks, as list(tuple) does. Another
        child finds out, so that the call is still made for the first time in this one."""
        return run_in_child(lambda: os._exit(RUNS_PYTHON if self.runs_python() else 0), HANG_TIMEOUT) == RUNS_PYTHON

    def runs_python(self):
        """Whether the operation runs Python code."""
        events = []
        steps = self.operation(self.env)
        function, arguments = next(steps)
        sys.setprofile(lambda frame, event, argument: events.append(event))
        try:
            value = function(*arguments)
        except Exception:
            value = None
        finally:
            sys.setprofile(None)
        finish(steps, value)
        return "call" in events

    def sweep(self, number, allocator, onwards, start):
        """One way, from an allocation on."""
        outcomes = {}
        before = descriptors()
        finds_leaks = not self.options.short and not self.is_python()
        for first in range(start, FEW_ALLOCATIONS if self.options.short else MANY_ALLOCATIONS):
            when = f"{self.name}, {allocator.name} {'all' if onwards else 'one'} from {first} on"
            self.place.set(number, first)
            outcomes[when], ended_before = self.attempt(allocator, first, onwards)
            if descriptors() > before:
                gc.collect()  # for descriptors in a reference cycle
            if descriptors() != before:
                self.wrong.append(f"{when}: {descriptors() - before:+} descriptors")
                before = descriptors()
            if ended_before:
                break
            self.failed[allocator.name] += 1
            if finds_leaks:
                self.look_for_leaks(when, allocator, first, onwards)
        self.place.set(number + 1, 0)
        expected, _ = self.attempt()
        for when, outcome in outcomes.items():
            if outcome != expected and not outcome.startswith(("MemoryError", *INTERPRETERS_OWN)):
                self.wrong.append(f"{when}: {outcome}, not {expected}")

    def look_for_leaks(self, when, *failure):
        """Repeat the same failure. What grows with each repetition, again and again, leaks; a cache does not."""
        for repetitions in WINDOWS:
            blocks, size = measure()
            for _ in range(repetitions):
                self.attempt(*failure)
            now_blocks, now_size = measure()
            blocks, size = now_blocks - blocks, now_size - size
            if (blocks < repetitions and size < repetitions * SMALLEST) or self.leaks_may_be_the_interpreters:
                return
        self.wrong.append(f"{when}: {blocks} blocks of the interpreter and {size} bytes leak in {repetitions} calls")

    def attempt(self, allocator=None, first=0, onwards=False):
        steps = self.operation(self.env)
        function, arguments = next(steps)
        if allocator is not None:
            value, ended_before = allocator.call(function, arguments, first, onwards)
        else:
            try:
                value, ended_before = function(*arguments), True
            except Exception as error:
                value, ended_before = error, True
        if isinstance(value, BaseException):
            # The frame refers to the exception: the interpreter would run out of the MemoryError instances that it keeps.
            value.__traceback__ = None
            finish(steps, None)
            return f"{type(value).__name__}: {value}", ended_before
        return repr(finish(steps, value)), ended_before


def finish(steps, value):
    """Lets an operation clean up after its call returned this value, and returns the value to compare."""
    try:
        steps.send(value)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("an operation makes one call")


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def measure():
    """The blocks of the interpreter, and the bytes that malloc has given out."""
    gc.collect()
    return sys.getallocatedblocks(), heap() or 0


def run_in_child(function, timeout):
    """Calls a function in a child process, and returns the exit status."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.alarm(timeout)
            function()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def watch(module):
    """Begins a trace, and has a callback see the events, if that is asked for."""
    if os.environ.get("OXISOCKET_TRACE"):
        module.trace("/dev/full.jsonl", callers=True)._start_in_file("/dev/null")
        # Not `observe`: it runs Python code for each event, and without memory the interpreter crashes in a `raise` of its own there.
        module._socket._trace_begin(len, None, "json", 32, "", '"program":""', False, True)


def run_group(options):
    """Run the operations of one group, each in a child; after a crash another child goes on behind it."""
    warnings.simplefilter("ignore")
    module = importlib.import_module(options.module)
    env = Environment(module)
    names = list(operations(options.group, env))
    env.folder.cleanup()
    del env
    gc.collect()
    gc.freeze()  # the children's collections look only at what they have made
    for name in names:
        if options.name in ("", name):
            run_operation(module, name, options)


def run_operation(module, name, options):
    place = Place()
    way, first = 0, 0
    while True:

        def run(way=way, first=first):
            watch(module)
            env = Environment(module)
            Sweep(env, name, operations(options.group, env)[name], options, place).run(way, first)
            env.folder.cleanup()

        status = run_in_child(run, HANG_TIMEOUT if options.short else LONG_HANG_TIMEOUT)
        if not status:
            run_first_call_of_a_thread(module, name, options)
            return
        reached, allocation = place.get()
        ways = ("one of the interpreter's", "all of the interpreter's", "one of the library's", "all of the library's", "")
        print(f"{name}: ended with {status}, where {ways[min(reached, 4)] or 'no memory was left'} from {allocation} on failed")
        if status != -signal.SIGABRT or (reached, allocation) < (way, first):
            return
        way, first = reached, allocation + 1


def run_first_call_of_a_thread(module, name, options):
    """In one more child, which the others have not given any data of threads."""

    def run():
        watch(module)
        env = Environment(module)
        Sweep(env, name, operations(options.group, env)[name], options, Place()).use_up_memory(first_call_of_a_thread)
        env.folder.cleanup()

    if status := run_in_child(run, HANG_TIMEOUT):
        print(f"{name}: ended with {status}, where no memory was left for the first call of a thread")


def list_missing(module):
    """The functions of the module and the methods of its classes that no operation calls."""
    warnings.simplefilter("ignore")
    env = Environment(module)
    called = set()
    for group in groups():
        for made in operations(group, env).values():
            steps = made(env)
            function, _ = next(steps)
            with contextlib.suppress(StopIteration):
                steps.send(None)
            while isinstance(function, functools.partial):
                function = function.func
            called.add(getattr(function, "__name__", ""))
    env.folder.cleanup()
    for owner in (module, module._socket, module.socket, module.SocketIO, module.Reader):
        functions = {name for name in dir(owner) if inspect.isroutine(getattr(owner, name)) and not name.startswith("__")}
        for name in sorted(functions - called - NOT_CALLED - set(dir(io.RawIOBase))):
            print(f"{getattr(owner, '__name__', owner)}.{name}")


def groups():
    """The names of all groups of operations."""
    return sorted({*GROUPS, *TABLES})


def main():
    """Run all groups, each in a program of its own, and say what was tried."""
    options = parse()
    if options.missing:
        return list_missing(importlib.import_module(options.module))
    if options.group:
        return run_group(options)
    failed, status = Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ)
        if reason := why_not():
            print(f"without the library's own allocations: {reason}")
        else:
            environment = preloaded(compile_shim(Path(folder)))

        def command(group, traced):
            words = ["--module", options.module, "--group", group, *(["--short"] if options.short else [])]
            return [sys.executable, "-P", str(Path(__file__).parent), *words]

        def traced_environment(traced):
            return environment | {"OXISOCKET_TRACE": "1" if traced else ""}

        for program in group_programs.run_groups(groups(), command, traced_environment):
            for name, count in program.counts:
                failed[name] += int(count)
            print(f"{program.name}: {sum(int(count) for _, count in program.counts):,} allocations failed")
            program.print_wrong()
            status |= bool(program.wrong or program.status)
    print("; ".join(f"{name} {count:,}" for name, count in failed.items()), "" if status else "; nothing wrong", sep="")
    return status


def parse():
    parser = argparse.ArgumentParser(
        prog="python tests/memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--module", default="oxisocket", metavar="NAME", help="the implementation (oxisocket)")
    parser.add_argument(
        "--group", default="", choices=["", *groups()], metavar="NAME", help="only this group of operations, in this process"
    )
    parser.add_argument("--name", default="", help="only this operation of the group")
    parser.add_argument("--missing", action="store_true", help="only list the functions and methods that no operation calls")
    parser.add_argument(
        "--short", action="store_true", help=f"at most {FEW_ALLOCATIONS} allocations of a call, and no search for leaks"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
