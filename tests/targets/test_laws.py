"""The laws every target obeys, for every family of the registry."""

import numpy as np
import pytest

from sampler_bench.errors import DeadPrefixError, InputError
from sampler_bench.targets import (
    FAMILIES,
    Constellation,
    DigitSums,
    Multiples,
    Neighbours,
    Palindromes,
    Polynomials,
    Powers,
    Sequences,
    TwinPrimes,
)
from sampler_bench.targets.laws import assert_laws

EXAMPLES = [
    *[TwinPrimes(digits, member) for digits in (1, 2, 3, 6) for member in ("either", "lower")],
    TwinPrimes(9),
    TwinPrimes(11),
    TwinPrimes(12, "lower"),
    TwinPrimes(15),
    TwinPrimes(19, "lower"),
    Constellation(1, "primes"),
    Constellation(6, "primes"),
    Constellation(5, "cousin-primes"),
    Constellation(4, "sexy-primes"),
    Constellation(5, "sophie-germain-primes"),
    Constellation(10, "n,n+2,n+6"),
    Constellation(40, "n,n+2,n+6,n+8"),
    DigitSums(1, sum=7),
    DigitSums(6, sum=27),
    DigitSums(100, sum=450),
    DigitSums(100, modulus=9, residue=4),
    Neighbours(2, "different"),
    Neighbours(6, "rising"),
    Neighbours(100, "not-falling"),
    Neighbours(100, "different"),
    Palindromes(1),
    Palindromes(2),
    Palindromes(7),
    Palindromes(100),
    Polynomials(1, (0, 0, 1)),
    Polynomials(6, (0, 1, 1), 2),
    Polynomials(100, (0, 0, 0, 1)),
    Polynomials(100, (3, 2, 7)),
    Sequences(1, "fibonacci"),
    Sequences(100, "fibonacci"),
    Sequences(3, "factorials"),
    Sequences(6, "primorials"),
    Sequences(1000, "mersenne"),
    Multiples(1, 1),
    Multiples(1, 7, 3),
    Multiples(6, 2),
    Multiples(12, 997, 5),
    Multiples(100, 2),
    Multiples(1000, 10**50 + 1, 7),
    Powers(1, 2),
    Powers(6, 2),
    Powers(100, 3),
    Powers(1000, 2),
]
SMALL = [target for target in EXAMPLES if (target.count("") or 100) <= 60]


def test_every_registered_family_has_examples():
    assert {type(target) for target in EXAMPLES} == set(FAMILIES.values())


@pytest.mark.parametrize("target", EXAMPLES, ids=str)
def test_laws_hold(target):
    assert_laws(
        target, np.random.default_rng(1), walks=3 if target.digits > 100 or target.count("") is None else 20
    )


@pytest.mark.parametrize("target", EXAMPLES, ids=str)
def test_the_same_seed_draws_the_same_numbers(target):
    draws = [target.sample(5, np.random.default_rng(7)) for _ in range(2)]
    assert draws[0] == draws[1]


@pytest.mark.parametrize("target", SMALL, ids=str)
def test_draws_are_uniform(target):
    """Pearson's statistic of 20 draws a member against its Monte-Carlo law; p > 0.001 at this seed."""
    members = [target.unrank(rank) for rank in range(target.count(""))]
    size, rng = 20 * len(members), np.random.default_rng(3)
    drawn = target.sample(size, rng)
    counts = np.array([drawn.count(member) for member in members])
    assert counts.sum() == size
    law = rng.multinomial(size, np.full(len(members), 1 / len(members)), size=5000)
    statistic, simulated = ((counts - 20) ** 2).sum(), ((law - 20) ** 2).sum(axis=1)
    assert (simulated >= statistic).mean() > 0.001


@pytest.mark.parametrize("target", EXAMPLES, ids=str)
def test_nothing_but_members_is_contained(target):
    (member,) = target.sample(1, np.random.default_rng(9))
    for stranger in (
        "",
        "0" * target.digits,
        member + "0",
        member[:-1],
        "x" * target.digits,
        "٣" * target.digits,
    ):
        assert not target.contains(stranger)


def test_a_prefix_that_nothing_completes_has_no_conditional():
    with pytest.raises(DeadPrefixError, match="no member of 3-digit twin primes starts with '12'"):
        TwinPrimes(3).conditional("12")


@pytest.mark.parametrize(
    ("prefix", "reason"), [("1a", "holds 'a'"), ("1234", "has 4 digits"), ("²", "holds '²'")]
)
def test_a_malformed_prefix_is_refused(prefix, reason):
    with pytest.raises(InputError, match=reason):
        TwinPrimes(3).count(prefix)


def test_a_rank_outside_the_set_is_refused():
    with pytest.raises(InputError, match=r"outside 0\.\.449999"):
        Multiples(6, 2).unrank(450_000)
    with pytest.raises(InputError, match=r"outside 0\.\.2"):
        Powers(6, 2).unrank(-1)
