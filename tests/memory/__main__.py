"""Makes calls without memory: python tests/memory MODULE GROUP [NAME...]

Each call is made over and over, and each time another one of the interpreter's allocations fails, from the first on until there
are no more; then with all of them failing from there on; and once more where the process has no memory left at all. It must come to
`MemoryError`, or to what it comes to with memory, and leave no descriptor behind. A call has a process of its own, in which it was
never made with memory before. Prints what was wrong.
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

from operations import Stage, operations

memory = importlib.import_module("_testcapi")

LIMIT = 100  # of the allocations that are made to fail: a call that runs through much of Python's code makes thousands
TO_THE_END = 0  # as the last allocation that fails
PATIENCE = 30  # seconds till a call counts as one that does not come back
# What the interpreter itself says, whoever calls it, where it has no memory for a lock.
ITS_OWN = ("RuntimeError: can't allocate lock", "RuntimeError: can't allocate read lock")


def call(function, arguments, first, last):
    """What the call comes to without memory, and whether it had ended before the first allocation that was to fail.

    In a short function, and in a frame that is there already: where the interpreter has no memory for a frame, or for the place in
    a long function that it was at, it has faults of its own.
    """
    sys._getframe()
    is_over = False
    memory.set_nomemory(first, last)
    try:
        outcome = function(*arguments)
    except BaseException as error:
        outcome = error
    try:
        bytes(1000)
    except MemoryError:
        is_over = True
    memory.remove_mem_hooks()
    return outcome, is_over


def call_in_the_end(function, arguments):
    """What the call comes to where the process has no memory but the little that the interpreter keeps for small objects."""
    malloc = ctypes.CDLL(None).malloc
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    with open("/proc/self/statm") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken, resource.RLIM_INFINITY))
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
    """All the ways in which there is no memory for one operation."""

    def __init__(self, stage, name, operation):
        self.stage, self.name, self.operation = stage, name, operation
        self.wrong = []
        sys.unraisablehook = self.told

    def told(self, unraisable):
        """PyO3 tells of an exception by itself, and of no object, before it panics."""
        if unraisable.object is None:
            self.wrong.append(f"{self.name}: told of {unraisable.exc_type.__name__}")

    def run(self):
        outcomes = self.sweep("one", lambda first: first + 1)
        if not self.is_python():
            outcomes |= self.sweep("all", lambda first: TO_THE_END)
        expected, _ = self.attempt()
        for when, outcome in outcomes.items():
            if outcome != expected and not outcome.startswith(("MemoryError", *ITS_OWN)):
                self.wrong.append(f"{when}: {outcome}, not {expected}")
        sys.stdout.write("".join(f"{each}\n" for each in self.wrong))
        sys.stdout.flush()
        self.end()

    def end(self):
        """The last call: what was taken for it cannot be given back. That the process comes out of it is what counts: C code that
        asks whether there is such an attribute, or a buffer, takes want of memory for an answer."""
        steps = self.operation(self.stage)
        outcome = call_in_the_end(*next(steps))
        if type(outcome).__name__ == "PanicException":
            print(f"{self.name}, in the end: {outcome}")

    def is_python(self):
        """Whether it calls a Python function. Not all allocations may fail in those: there are exception handlers that the
        interpreter does not come out of then."""
        steps = self.operation(self.stage)
        function, _ = next(steps)
        ended(steps, None)
        function = getattr(function, "func", function)
        return hasattr(getattr(function, "__func__", function), "__code__")

    def sweep(self, mode, last):
        outcomes = {}
        before = descriptors()
        for first in range(LIMIT):
            when = f"{self.name}, {mode} from {first} on"
            outcomes[when], is_over = self.attempt(first, last(first))
            if descriptors() > before:
                gc.collect()  # for what is held by a cycle
            if descriptors() != before:
                self.wrong.append(f"{when}: {descriptors() - before:+} descriptors")
                before = descriptors()
            if is_over:
                break
        return outcomes

    def attempt(self, *span):
        steps = self.operation(self.stage)
        function, arguments = next(steps)
        if span:
            value, is_over = call(function, arguments, *span)
        else:
            try:
                value, is_over = function(*arguments), True
            except Exception as error:
                value, is_over = error, True
        if isinstance(value, BaseException):
            # Its frame holds it: the interpreter would be out of the instances that it keeps for want of memory.
            value.__traceback__ = None
            ended(steps, None)
            return f"{type(value).__name__}: {value}", is_over
        return repr(ended(steps, value)), is_over


def ended(steps, value):
    """Lets an operation tidy up after a call that returned this, and says what it makes of it."""
    try:
        steps.send(value)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("an operation makes one call")


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def in_a_process(function):
    """Makes a call in a child; how that ended where it did not end well."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.alarm(PATIENCE)
            function()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(module, group, *wanted):
    warnings.simplefilter("ignore")
    module = importlib.import_module(module)

    def run(name):
        stage = Stage(module)
        sweep = Sweep(stage, name, operations(group, stage)[name])
        sweep.run()
        stage.folder.cleanup()

    stage = Stage(module)
    names = list(operations(group, stage))
    stage.folder.cleanup()
    del stage
    gc.collect()
    for name in names:
        if not wanted or name in wanted:
            status = in_a_process(lambda name=name: run(name))
            if status:
                print(f"{name}: ended with {status}")


if __name__ == "__main__":
    main(*sys.argv[1:])
