"""What repeats is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oxisocket._seeing.cycles import LEAST_TIMES, LONGEST_CYCLE, Repeat, alike, once, repeats


@pytest.mark.parametrize(
    ("sequence", "found"),
    [
        ("", []),
        ("abcabd", []),
        ("aaa", []),
        ("aaaa", [Repeat(0, 1, 4)]),
        ("xababababy", [Repeat(1, 2, 4)]),
        ("aababababab", [Repeat(1, 2, 5)]),
        ("aaabaaabaaabaaab", [Repeat(0, 4, 4)]),
        ("aaaaabbbbb", [Repeat(0, 1, 5), Repeat(5, 1, 5)]),
        ("abcdefghi" * 9, []),
        ("abcdefgh" * 9, [Repeat(0, 8, 9)]),
    ],
)
def test_the_cycles_of_a_sequence(sequence: str, found: list[Repeat]) -> None:
    assert repeats(sequence) == found


@given(st.lists(st.sampled_from("ab"), max_size=60))
def test_what_is_folded_was_said_by_the_first_cycle(sequence: list[str]) -> None:
    end = 0
    for repeat in repeats(sequence):
        assert repeat.start >= end
        assert 1 <= repeat.length <= LONGEST_CYCLE
        assert repeat.times >= LEAST_TIMES
        for place in repeat.rest():
            assert sequence[place] == sequence[repeat.start + (place - repeat.start) % repeat.length]
        end = repeat.rest().stop
    assert end <= len(sequence)


def test_each_cycle_once() -> None:
    assert once("xababababyaaaa") == tuple("xabya")


def test_enough_of_a_kind_are_alike() -> None:
    assert alike(["a", "b", "a", "b", "a", "c", "a", "b"]) == [[0, 2, 4, 6]]
