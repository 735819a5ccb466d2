"""The same calls do the same on the stdlib's sockets and on oxisocket's: a short run of what `make differential` does for longer,
with Hypothesis, which makes whatever it finds as small as can be."""

import random
import sys
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).with_name("differential")))
from divergence import Comparison
from grammar import GRAMMAR, expand
from play import Play, theatre
from stage import OPENINGS, PATIENCE

SEED = 20261
MACHINES = 430
CALLS = 50  # of each machine, at most: how many there are is for each release of Hypothesis to choose

pytestmark = [
    pytest.mark.timeout(300),
    # Hypothesis counts references to its own generator, and Python 3.15 counts fewer of them.
    pytest.mark.filterwarnings("ignore:It looks like `register_random` was passed:hypothesis.errors.HypothesisWarning"),
]


@st.composite
def calls(draw: st.DrawFn, symbol: str) -> str:
    return expand(symbol, lambda alternatives: draw(st.sampled_from(alternatives)))


def machine(comparison: Comparison, made: list[str]) -> type[RuleBasedStateMachine]:
    """A state machine whose rules are the families of calls. A play is performed as a whole, once with each implementation."""

    class Sockets(RuleBasedStateMachine):
        @initialize(opening=st.sampled_from(tuple(OPENINGS)), patience=st.sampled_from((*["non-blocking"] * 20, *PATIENCE)))
        def lay_out(self, opening: str, patience: str) -> None:
            self.play = Play(opening, patience, ())

        def teardown(self) -> None:
            if hasattr(self, "play"):
                made.extend(self.play.calls)
                found = comparison.compare(self.play)
                if found and (smallest := comparison.confirmed(found)):
                    raise AssertionError(f"seed {SEED}: {smallest}\n\n{smallest.reproduction()}")

    def family(symbol: str) -> None:
        @rule(call=calls(symbol))
        def make(self: Sockets, call: str) -> None:
            self.play = Play(self.play.opening, self.play.patience, (*self.play.calls, call))

        setattr(Sockets, symbol, make)

    for alternative in sorted(set(GRAMMAR["call"])):
        family(alternative[1])
    return Sockets


def test_the_same_calls_do_the_same(both: tuple[ModuleType, ModuleType]) -> None:
    made: list[str] = []
    settings = hypothesis.settings(
        max_examples=MACHINES, stateful_step_count=CALLS, deadline=None, database=None, print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    with theatre() as stage:
        comparison = Comparison(stage, *both)
        run_state_machine_as_test(hypothesis.seed(SEED)(machine(comparison, made)), settings=settings)
    print(f"seed {SEED}: {len(made):,} calls")
    assert len(made) >= MACHINES * CALLS / 2


class Impostor(ModuleType):
    """The stdlib's `socket`, with one function that does something else."""

    def __init__(self, original: ModuleType) -> None:
        super().__init__("impostor")
        self.__dict__.update(vars(original))
        self.htons = lambda number: 7 if number == 80 else original.htons(number)


def test_a_difference_is_found_and_made_small(both: tuple[ModuleType, ModuleType]) -> None:
    chance = random.Random(SEED)
    calls = [expand("call", chance.choice) for _ in range(40)]
    calls.insert(20, "socket.htons(80)")
    with theatre() as stage:
        comparison = Comparison(stage, both[0], Impostor(both[0]))
        found = comparison.compare(Play("UNIX stream", "non-blocking", tuple(calls)))
        assert found
        smallest = comparison.confirmed(found)
    assert smallest
    assert smallest.play.calls == ("socket.htons(80)",)
    assert (smallest.expected, smallest.actual) == (str(both[0].htons(80)), "7")
    compile(smallest.reproduction(), "reproduction", "exec")


def test_descriptors_left_open_are_a_difference(both: tuple[ModuleType, ModuleType]) -> None:
    leaking = Impostor(both[0])
    leaking.htons = lambda number: both[0].socket().detach() and both[0].htons(number)
    with theatre() as stage:
        found = Comparison(stage, both[0], leaking).compare(Play("INET datagram", "non-blocking", ("socket.htons(80)",)))
    assert found
    assert found.expected == "left open: []" != found.actual
