"""Pieces of exact draws: integers of any size, and sums of many."""

import numpy as np
import pytest

from sampler_bench.targets.counting.proposals import _combined
from sampler_bench.targets.uniform import random_below, random_integers_below


def one_by_one(bound: int, rng: np.random.Generator) -> int:
    """A number of random bits, and another one while it is too large."""
    bits = (bound - 1).bit_length()
    while True:
        value = int.from_bytes(rng.bytes((bits + 7) // 8), "big") >> (-bits % 8)
        if value < bound:
            return value


@pytest.mark.parametrize("bound", [1, 2, 3, 255, 256, 257, 2**32, 2**32 + 1, 10**9, 10**100 // 3])
def test_integers_drawn_together_are_those_drawn_one_by_one(bound):
    """And leave the generator where those do: a seed gives the numbers that it always gave."""
    together, each, single, again = (np.random.default_rng(7) for _ in range(4))
    assert random_integers_below(bound, 50, together) == [one_by_one(bound, each) for _ in range(50)]
    assert [random_below(bound, single) for _ in range(50)] == [one_by_one(bound, again) for _ in range(50)]
    assert together.bytes(8) == each.bytes(8) == single.bytes(8)


@pytest.mark.parametrize("digits", [1, 9, 100, 1000])
def test_sums_in_limbs_are_those_of_whole_integers(digits):
    rng = np.random.default_rng(digits)
    units = random_integers_below(10**digits, 90, rng)
    choices = rng.integers(2**32, size=(90, 40))
    choices[:, 0], choices[:, 1] = 0, 2**32 - 1
    expected = [sum(map(int.__mul__, units, choice)) for choice in choices.T.tolist()]
    assert _combined(units, choices) == expected
