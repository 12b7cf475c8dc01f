"""The laws every target obeys, for every family of the registry."""

import numpy as np
import pytest

from sampler_bench.errors import DeadPrefixError, InputError
from sampler_bench.targets import (
    Automaton,
    Constellation,
    DigitSums,
    Distribution,
    Mixture,
    MontyHall,
    Multiples,
    Neighbours,
    Palindromes,
    Pattern,
    Polynomials,
    Powers,
    PrimeRange,
    Range,
    Sequences,
    Sieved,
    Target,
    TwinPrimes,
)
from sampler_bench.targets.laws import assert_laws
from sampler_bench.targets.registry import registered

EVEN_SUMS = {
    "even": {"02468": "even", "13579": "odd"},
    "odd": {"02468": "odd", "13579": "even"},
}
EXAMPLES: list[Target] = [
    Automaton(1, "even", ("even",), EVEN_SUMS),
    Automaton(5, "even", ("odd",), EVEN_SUMS),
    Automaton(100, "even", ("even",), EVEN_SUMS),
    Pattern(1, "[3-7]"),
    Pattern(6, "(12|[7-9][0-9])3[0-9]{3}|[1-4]{6}"),
    Pattern(100, "1[01]{4}((00){2}|[2-9]{4})[0-9]{91}"),
    Sieved(1, "primes", 5),
    Sieved(4, "twin-primes", 13, (0, 2)),
    Sieved(12, "n,n+2,n+6", 31),
    Sieved(100, "twin-primes", 13, (0, 2)),
    Sieved(100, "twin-primes", 101, (0, 2)),
    Sieved(20, "primes", 101),
    Range(0, 9),
    Range(1, 6),
    Range(1, 100),
    Range(37, 12_345),
    Range(10**99, 10**100 - 1),
    Range(1, 10**100),
    PrimeRange(0, 100),
    PrimeRange(2, 99_999),
    PrimeRange(1, 5000, "twin-primes"),
    Distribution(1, "bernoulli", {"p": 0.3}),
    Distribution(2, "poisson", {"mu": 4}),
    Distribution(3, "norm", {"loc": 500, "scale": 100}),
    Distribution(3, "beta", {"a": 2, "b": 5, "scale": 999}, leading_zeros=True),
    Distribution(4, "expon", {"scale": 500}, rounding="down"),
    MontyHall(),
    MontyHall(3, "stumbles"),
    MontyHall(12, "knows"),
    MontyHall(100, "stumbles"),
    Mixture((0.1, 0.9), (TwinPrimes(12), Range(10**11, 10**12 - 1))),
    Mixture((0.1, 0.9), (TwinPrimes(100), Multiples(100, 1))),
    Mixture((0.25, 0.75), (Distribution(2, "poisson", {"mu": 4}), Range(1, 100))),
    Mixture((0.5, 0.5), (Mixture((0.5, 0.5), (Powers(3, 2), Range(1, 9))), Multiples(3, 7))),
    Mixture((0.5, 0.5, 0.0), (Range(1, 10**30), Powers(100, 3), Powers(3, 2))),
    Constellation(4, "safe-primes"),
    Constellation(10, "safe-primes"),
    Constellation(40, "safe-primes"),
    Constellation(12, "primes"),
    Constellation(13, "primes"),
    *[TwinPrimes(digits, member) for digits in (1, 2, 3, 6) for member in ("either", "lower")],
    TwinPrimes(9),
    TwinPrimes(11),
    TwinPrimes(12, "lower"),
    TwinPrimes(15),
    TwinPrimes(19, "lower"),
    TwinPrimes(100),
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
SMALL = [target for target in EXAMPLES if (target.count("") or 1000) <= 60]


def test_every_registered_family_has_examples():
    assert {type(target) for target in EXAMPLES} == set(registered().values())


@pytest.mark.parametrize("target", EXAMPLES, ids=str)
def test_laws_hold(target):
    sieves = isinstance(target, Constellation | Mixture | Sieved | TwinPrimes) and target.digits > 9
    assert_laws(target, np.random.default_rng(1), walks=2 if sieves or target.digits > 100 else 20)


@pytest.mark.parametrize("target", EXAMPLES, ids=str)
def test_the_same_seed_draws_the_same_numbers(target):
    draws = [target.sample(5, np.random.default_rng(7)) for _ in range(2)]
    assert draws[0] == draws[1]


@pytest.mark.parametrize(
    "target",
    [
        TwinPrimes(15),
        TwinPrimes(60),
        Constellation(30, "primes"),
        Sieved(20, "twin-primes", 101, (0, 2)),
        Mixture((0.2, 0.8), (TwinPrimes(20), Range(1, 10**30))),
    ],
    ids=str,
)
def test_few_draws_are_the_beginning_of_many_however_many_batches_these_take(target):
    many = target.sample(300, np.random.default_rng(2))
    for few in (1, 2, 7, 40, 299):
        assert target.sample(few, np.random.default_rng(2)) == many[:few]


@pytest.mark.parametrize("target", SMALL, ids=str)
def test_draws_follow_the_probabilities(target):
    """Pearson's statistic of draws against its Monte-Carlo law; p > 0.001 at this seed."""
    members = dict(target.nth_member(rank) for rank in range(target.count("")))
    law, size, rng = np.array(list(members.values())), 20 * len(members), np.random.default_rng(3)
    assert law.sum() == pytest.approx(1)
    drawn = target.sample(size, rng)
    counts = np.array([drawn.count(member) for member in members])
    assert counts.sum() == size
    simulated = rng.multinomial(size, law / law.sum(), size=5000)

    def statistic(counts):
        return ((counts - size * law) ** 2 / law).sum(axis=-1)

    assert (statistic(simulated) >= statistic(counts)).mean() > 0.001


@pytest.mark.parametrize("target", EXAMPLES, ids=str)
def test_nothing_but_members_is_contained(target):
    (member,) = target.sample(1, np.random.default_rng(9))
    strangers = ["", "00" + member, "x" * target.digits, "٣" * target.digits, "1" * (target.digits + 1)]
    if target.fixed:
        strangers += [member + "0", member[:-1]]
    assert not any(map(target.contains, strangers))


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
