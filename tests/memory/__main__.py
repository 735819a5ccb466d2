"""Makes calls without memory: python tests/memory MODULE GROUP [NAME...]

With OXISOCKET_TRACE=1 in the environment, a trace and a callback watch the calls.

Each call is repeated, and in each repetition another allocation of the interpreter fails: the first one, the second one, until there
are no more. Then again, where all later allocations fail too. And once more where the process has no memory left at all. The outcome
must be `MemoryError` or the same as with memory, and no descriptor may leak. Each call has a process of its own, so that it was never
made with memory before. Prints what was wrong.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import resource
import signal
import sys
import traceback
import warnings

from operations import Environment, operations

memory = importlib.import_module("_testcapi")

MOST_ALLOCATIONS = 100  # that are made to fail: a call that runs much Python code makes thousands
ALL_LATER = 0  # as the last allocation that fails
HANG_TIMEOUT = 30  # seconds until a call counts as hung
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


class Sweep:
    """Runs one operation in all the ways in which there is no memory."""

    def __init__(self, env, name, operation):
        self.env, self.name, self.operation = env, name, operation
        self.wrong = []
        sys.unraisablehook = self.unraisable

    def unraisable(self, unraisable):
        """Before PyO3 panics, it reports an unraisable exception without an object and without a message. The interpreter's own have one or
        the other: its import looks for entries of `sys`, and ignores that there is no memory."""
        if unraisable.object is None and unraisable.err_msg is None:
            self.wrong.append(f"{self.name}: unraisable {unraisable.exc_type.__name__}")

    def run(self):
        outcomes = self.sweep("one", lambda first: first + 1)
        if not self.is_python():
            outcomes |= self.sweep("all", lambda first: ALL_LATER)
        expected, _ = self.attempt()
        for when, outcome in outcomes.items():
            if outcome != expected and not outcome.startswith(("MemoryError", *INTERPRETERS_OWN)):
                self.wrong.append(f"{when}: {outcome}, not {expected}")
        sys.stdout.write("".join(f"{each}\n" for each in self.wrong))
        sys.stdout.flush()
        self.use_up_memory()

    def use_up_memory(self):
        """The last call of the process, since the memory used up for it cannot be freed. Only a crash or a panic counts: C code that
        looks up an attribute or a buffer may mistake a lack of memory for its absence."""
        steps = self.operation(self.env)
        outcome = call_with_memory_used_up(*next(steps))
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

    def sweep(self, mode, last):
        outcomes = {}
        before = descriptors()
        for first in range(MOST_ALLOCATIONS):
            when = f"{self.name}, {mode} from {first} on"
            outcomes[when], ended_before = self.attempt(first, last(first))
            if descriptors() > before:
                gc.collect()  # for descriptors in a reference cycle
            if descriptors() != before:
                self.wrong.append(f"{when}: {descriptors() - before:+} descriptors")
                before = descriptors()
            if ended_before:
                break
        return outcomes

    def attempt(self, *span):
        steps = self.operation(self.env)
        function, arguments = next(steps)
        if span:
            value, ended_before = call(function, arguments, *span)
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


def run_in_child(function):
    """Calls a function in a child process, and returns the exit status."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.alarm(HANG_TIMEOUT)
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


def main(module, group, *wanted):
    warnings.simplefilter("ignore")
    module = importlib.import_module(module)

    def run(name):
        watch(module)
        env = Environment(module)
        sweep = Sweep(env, name, operations(group, env)[name])
        sweep.run()
        env.folder.cleanup()

    env = Environment(module)
    names = list(operations(group, env))
    env.folder.cleanup()
    del env
    gc.collect()
    for name in names:
        if not wanted or name in wanted:
            status = run_in_child(lambda name=name: run(name))
            if status:
                print(f"{name}: ended with {status}")


if __name__ == "__main__":
    main(*sys.argv[1:])
