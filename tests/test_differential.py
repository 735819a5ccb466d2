"""The same calls have the same outcomes on the stdlib's sockets and on oxisocket's: a short form of `make differential`, with
Hypothesis, which shrinks what it finds."""

import random
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).with_name("differential")))
from divergence import Comparison
from environment import BLOCKING_MODES, TRANSPORTS
from executor import Program, temporary_executor
from grammar import GRAMMAR, expand

SEED = 20261
MACHINES = 430
CALLS = 50  # at most, of each machine: how many it makes depends on the release of Hypothesis

pytestmark = [
    pytest.mark.timeout(300),
    # Hypothesis checks the reference count of its own generator, and Python 3.15 has fewer references there.
    pytest.mark.filterwarnings("ignore:It looks like `register_random` was passed:hypothesis.errors.HypothesisWarning"),
]


@st.composite
def calls(draw: st.DrawFn, symbol: str) -> str:
    return expand(symbol, lambda alternatives: draw(st.sampled_from(alternatives)))


def machine(comparison: Comparison, made: list[str]) -> type[RuleBasedStateMachine]:
    """A state machine with a rule for each family of calls. It executes a program as a whole at its end, once with each implementation."""

    class Sockets(RuleBasedStateMachine):
        @initialize(
            transport=st.sampled_from(tuple(TRANSPORTS)), blocking_mode=st.sampled_from((*["non-blocking"] * 20, *BLOCKING_MODES))
        )
        def set_up(self, transport: str, blocking_mode: str) -> None:
            self.program = Program(transport, blocking_mode, ())

        def teardown(self) -> None:
            if hasattr(self, "program"):
                made.extend(self.program.calls)
                found = comparison.compare(self.program)
                if found and (smallest := comparison.confirm(found)):
                    raise AssertionError(f"seed {SEED}: {smallest}\n\n{smallest.reproduction()}")

    def family(symbol: str) -> None:
        # A thread, a signal or a child process takes a thousand times as long as other calls.
        @precondition(lambda self: symbol != "meanwhile" or len(self.program.calls) % 8 == 0)
        @rule(call=calls(symbol))
        def make(self: Sockets, call: str) -> None:
            self.program = replace(self.program, calls=(*self.program.calls, call))

        setattr(Sockets, symbol, make)

    for alternative in sorted(set(GRAMMAR["call"])):
        family(alternative[1])
    return Sockets


def test_the_same_calls_have_the_same_outcomes(both: tuple[ModuleType, ModuleType]) -> None:
    made: list[str] = []
    settings = hypothesis.settings(
        max_examples=MACHINES, stateful_step_count=CALLS, deadline=None, database=None, print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    with temporary_executor() as executor:
        comparison = Comparison(executor, *both)
        run_state_machine_as_test(hypothesis.seed(SEED)(machine(comparison, made)), settings=settings)
    print(f"seed {SEED}: {len(made):,} calls")
    assert len(made) >= MACHINES * CALLS / 2


class Impostor(ModuleType):
    """The stdlib's `socket`, with one function that behaves differently."""

    def __init__(self, original: ModuleType) -> None:
        super().__init__("impostor")
        self.__dict__.update(vars(original))
        self.htons = lambda number: 7 if number == 80 else original.htons(number)


def test_a_difference_is_found_and_shrunk(both: tuple[ModuleType, ModuleType]) -> None:
    rng = random.Random(SEED)
    calls = [expand("receive", rng.choice) for _ in range(40)]
    calls.insert(20, "socket.htons(80)")
    with temporary_executor() as executor:
        comparison = Comparison(executor, both[0], Impostor(both[0]))
        found = comparison.compare(Program("UNIX stream", "non-blocking", tuple(calls)))
        assert found
        smallest = comparison.confirm(found)
    assert smallest
    assert smallest.program.calls == ("socket.htons(80)",)
    assert (smallest.expected, smallest.actual) == (str(both[0].htons(80)), "7")
    compile(smallest.reproduction(), "reproduction", "exec")


def test_descriptors_left_open_are_a_difference(both: tuple[ModuleType, ModuleType]) -> None:
    leaking = Impostor(both[0])
    leaking.htons = lambda number: both[0].socket().detach() and both[0].htons(number)
    with temporary_executor() as executor:
        found = Comparison(executor, both[0], leaking).compare(Program("INET datagram", "non-blocking", ("socket.htons(80)",)))
    assert found
    assert found.expected == "left open: []" != found.actual


DURING = {
    "aside(None, lambda: a.recv(9), lambda: a.getsockname(), lambda: b.send(b'x'))": "[waits, '', waits, 1, ended, b'x']",
    "aside(1.5, lambda: a.recv(9, socket.MSG_WAITALL), lambda: b.send(b'x'))": "[waits, 1, ended, b'x']",
    "aside(None, lambda: a.recv(9), lambda: 1)": "[waits, 1, waits, made to end: b'']",
    "aside(None, lambda: a.fileno() >= 0)": "[ended, True]",
    "interrupted(None, lambda: a.recv(9), lambda: b.send(b'x'))": "[handled, b'x']",
    "interrupted(1.5, lambda: a.recv(9), lambda: 1 / 0)": "[handled, raised builtins.ZeroDivisionError('division by zero',): division by zero]",
    "interrupted(None, lambda: a.recv(9), lambda: None, lambda: b.send(b'x'), lambda: 1 / 0)": "[handled, 1, b'x']",
    "(b.send(b'12345678'), race(lambda: a.recv(4), lambda: a.recv(4)))": "(8, [b'1234', b'5678'])",
    "(in_child(lambda: a.send(b'x')), b.recv(9))": "(1, b'x')",
    "(in_child(lambda: a.close()), a.send(b'x'))": "(None, 1)",
    "in_child(lambda: aside(None, lambda: a.recv(9), lambda: b.send(b'x')))": "[waits, 1, ended, b'x']",
    "(brief(a), b.send(b'x'), a.recv(9, socket.MSG_WAITALL))": "(None, 1, b'x')",
}


@pytest.mark.parametrize("call", DURING)
def test_calls_during_calls(socket: ModuleType, call: str) -> None:
    with temporary_executor() as executor:
        outcomes = executor.execute(Program("UNIX stream", "non-blocking", (call,)), socket)
    assert outcomes == [DURING[call], "left open: []"]


def test_what_close_ends_is_accepted_and_nothing_else(both: tuple[ModuleType, ModuleType]) -> None:
    def compared(*calls: str) -> tuple[object, int]:
        with temporary_executor() as executor:
            comparison = Comparison(executor, *both)
            return comparison.compare(Program("UNIX stream", "non-blocking", calls)), comparison.accepted

    assert compared("aside(None, lambda: a.recv(9), lambda: a._real_close())") == (None, int(both[0] is not both[1]))
    assert compared("aside(None, lambda: a.recv(9), lambda: b.close())", "a.recv(9)") == (None, 0)


def test_a_race_is_no_difference_if_both_can_have_its_outcome(both: tuple[ModuleType, ModuleType]) -> None:
    program = Program("UNIX stream", "non-blocking", ("race(lambda: socket.htons(80))",))
    tossing, other = Impostor(both[0]), Impostor(both[0])
    tossing.htons = lambda number: random.choice((7, both[0].htons(number)))
    other.htons = lambda number: 8
    with temporary_executor() as executor:
        for actual, differ in ((both[0], False), (other, True)):
            comparison = Comparison(executor, tossing, actual)
            while not (found := comparison.compare(program)):
                pass
            assert comparison._sets_differ(found) is differ
