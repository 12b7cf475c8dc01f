"""What families say of residues, against draws and against published counts."""

from math import comb

import numpy as np
import pytest
from scipy.stats import binom

from sampler_bench.targets import (
    Constellation,
    DigitSums,
    Multiples,
    Neighbours,
    Palindromes,
    Range,
    TwinPrimes,
)
from sampler_bench.tasks import Catalog

CATALOG = Catalog()
MODULI = (3, 7, 10, 11, 13)


@pytest.mark.parametrize("task", CATALOG.task_names())
def test_draws_fall_into_residues_as_often_as_the_family_says(task):
    target = CATALOG.task(task).target
    size = 2000 if target.digits <= 12 else 60
    numbers = [int(number) for number in target.sample(size, np.random.default_rng(1))]
    for modulus in MODULI:
        law = target.residues(modulus)
        seen = np.bincount([number % modulus for number in numbers], minlength=modulus)
        low, high = binom.interval(1 - 1e-6, size, np.clip(law, 0, 1))
        assert ((low <= seen) & (seen <= high)).all(), (modulus, law, seen)


@pytest.mark.parametrize(
    ("target", "modulus", "law"),
    [
        (Multiples(digits=2, modulus=3, residue=1), 2, [1 / 2, 1 / 2]),  # 10, 13, ..., 97
        (Multiples(digits=2, modulus=4, residue=2), 6, [7 / 23, 0, 8 / 23, 0, 8 / 23, 0]),  # 10, 14, ..., 98
        (Range(low=1, high=7), 5, [1 / 7, 2 / 7, 2 / 7, 1 / 7, 1 / 7]),
        (Palindromes(digits=4), 11, [1, *[0] * 10]),  # of even length: multiples of 11
        (TwinPrimes(digits=100), 3, [0, 1 / 2, 1 / 2]),
        (TwinPrimes(digits=100, member="lower"), 3, [0, 0, 1]),
        (TwinPrimes(digits=100), 10, [0, 1 / 3, 0, 1 / 6, 0, 0, 0, 1 / 6, 0, 1 / 3]),
        (Constellation(digits=100, forms="safe-primes"), 12, [*[0] * 11, 1]),
        (Constellation(digits=20, forms="primes"), 4, [0, 1 / 2, 0, 1 / 2]),
        (DigitSums(digits=12, sum=54), 9, [1, *[0] * 8]),
    ],
)
def test_residues_that_are_known_beforehand(target, modulus, law):
    assert target.residues(modulus) == pytest.approx(law, abs=1e-12)


def test_the_last_digit_of_a_rising_number():
    """Of 4 digits: with last digit d, the three before are chosen from 1..d-1."""
    law = Neighbours(digits=4, rule="rising").residues(10)
    assert law == pytest.approx([comb(d - 1, 3) / comb(9, 4) if d else 0 for d in range(10)])
