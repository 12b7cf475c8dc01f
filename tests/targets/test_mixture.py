"""Mixtures against sums over all their members."""

import math

import numpy as np
import pytest

from sampler_bench.errors import DeadPrefixError, InputError
from sampler_bench.targets import (
    Constellation,
    DigitSums,
    Distribution,
    Mixture,
    MontyHall,
    Multiples,
    Neighbours,
    Palindromes,
    Pattern,
    Powers,
    PrimeRange,
    Range,
    Sequences,
    Target,
    TwinPrimes,
)
from sampler_bench.targets.counting import mixture_information
from sampler_bench.targets.families import mixtures
from sampler_bench.targets.registry import make_target
from tests.targets import direct

TWIN_OR_ANY = Mixture((0.1, 0.9), (TwinPrimes(4), Range(1000, 9999)))
EXAMPLES = [
    TWIN_OR_ANY,
    Mixture((0.25, 0.75), (Distribution(2, "poisson", {"mu": 4}), Range(1, 100))),
    Mixture((0.2, 0.3, 0.5), (Multiples(3, 2), Multiples(3, 3), Powers(3, 2))),
    Mixture((0.2, 0.3, 0.5), (Multiples(3, 1), Multiples(3, 3), Powers(3, 2))),
    Mixture((1.0, 3.0), (Multiples(3, 2), Multiples(3, 2, 1)), normalise=True),
    Mixture((0.0, 1.0), (Powers(3, 2), Powers(2, 2))),
]


def uniform_law(target: Range | Multiples) -> dict[str, float]:
    """By going through all numbers; to ask for each rank takes ten seconds of a hundred thousand."""
    if isinstance(target, Range):
        members = range(target.low, target.high + 1)
    else:
        numbers = range(10 ** (target.digits - 1), 10**target.digits)
        members = [x for x in numbers if x % target.modulus == target.residue]
    return {str(x): 1 / len(members) for x in members}


def law(target: Target) -> dict[str, float]:
    """The members and their probabilities; of a mixture, however deep, summed over its components."""
    if isinstance(target, Range | Multiples):
        return uniform_law(target)
    if not isinstance(target, Mixture):
        return dict(target.nth_member(rank) for rank in range(target.count("")))
    found: dict[str, float] = {}
    for weight, component in zip(target.weights, target.components, strict=True):
        for number, p in law(component).items() if weight else ():
            found[number] = found.get(number, 0) + weight * p / sum(target.weights)
    return found


@pytest.mark.parametrize("listed", [10_000, 1], ids=["listed", "not listed"])
@pytest.mark.parametrize("target", EXAMPLES, ids=str)
def test_conditionals_equal_sums_over_all_members(target, listed, monkeypatch):
    for module in (mixtures, mixture_information):
        monkeypatch.setattr(module, "LISTED", listed)
    target = Mixture(target.weights, target.components, target.normalise)
    members = law(target)
    for prefix, p in list(direct.conditionals(members).items())[::5]:
        assert target.conditional(prefix).p == pytest.approx(p, abs=1e-12)
    assert target.count("") == (len(members) if listed > 1 else None)
    if listed > 1:
        assert dict(target.nth_member(r) for r in range(len(members))) == pytest.approx(members)
    assert target.information() == pytest.approx(direct.information(members), abs=1e-11)
    assert target.information_error == 0


SMALL = [
    *[TwinPrimes(digits) for digits in (1, 2, 3, 4)],
    *[Multiples(3, 1), Multiples(3, 7), Multiples(4, 7, 3), Multiples(2, 3), Multiples(1, 2)],
    *[Range(1, 9), Range(0, 9), Range(0, 120), Range(5, 1234), Range(100, 999), Range(7, 70)],
    *[Powers(3, 2), Powers(4, 3), Powers(2, 5), Palindromes(3), Palindromes(4)],
    *[
        DigitSums(3, sum=9),
        DigitSums(4, modulus=9, residue=2),
        Neighbours(3, "rising"),
        Neighbours(4, "different"),
    ],
    *[PrimeRange(1, 500), Pattern(3, "(12|3[0-4])[5-9]"), Sequences(3, "fibonacci"), MontyHall(12)],
    *[
        Distribution(2, "poisson", {"mu": 4}),
        Distribution(3, "beta", {"a": 2, "b": 5, "scale": 999}, "down", True),
    ],
]


def some_mixtures(size: int) -> list[Mixture]:
    """Of two to four small components, some without weight, some the same, some mixtures themselves."""
    rng = np.random.default_rng(11)
    found: list[Mixture] = []
    for _ in range(size):
        among = [*SMALL, *found[-2:]]
        components = tuple(among[k] for k in rng.integers(len(among), size=rng.integers(2, 5)))
        weights = rng.integers(0, 4, size=len(components)) + 0.0
        weights[rng.integers(len(weights))] += 1
        found.append(Mixture(tuple(weights.tolist()), components, normalise=True))
    return found


@pytest.fixture(scope="module")
def informed() -> list[float]:
    """Of the mixtures below, each from a list of its members."""
    return [direct.information(law(target)) for target in some_mixtures(60)]


@pytest.mark.parametrize("ways", ["listed", "walked", "one and lists"])
def test_information_equals_the_sum_over_all_prefixes(ways, informed, monkeypatch):
    """Whatever the lengths, first digits and overlaps: 60 mixtures, each against a list of its members."""
    if ways != "listed":
        monkeypatch.setattr(mixtures, "LISTED", 0)
    if ways == "walked":
        monkeypatch.setattr(mixture_information, "LISTED", 0)
    for target, expected in zip(some_mixtures(60), informed, strict=True):
        assert target.information() == pytest.approx(expected, abs=1e-9), str(target)
        assert target.information_error == 0


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ((Range(1, 9), TwinPrimes(6)), 2.084527),  # by going through all members, outside of this project
        ((Multiples(5, 7), Multiples(5, 6, 3)), None),
        ((Range(3, 1234), Multiples(5, 6), Powers(6, 2)), None),
        ((Range(1, 12_345), Multiples(5, 9), Range(40, 700)), None),
        ((DigitSums(5, modulus=7), Neighbours(5, "not-falling"), Palindromes(5)), None),
        ((PrimeRange(1, 99), Range(1, 10_099)), None),
    ],
)
def test_information_of_large_components_that_can_be_told_apart_or_counted_is_exact(components, expected):
    target = Mixture((1.0,) * len(components), components, normalise=True)
    assert target.information() == pytest.approx(direct.information(law(target)), abs=1e-9)
    assert target.information_error == 0
    if expected:
        assert target.information() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "components",
    [
        (TwinPrimes(5), Constellation(5, "primes")),  # draws, and whether the other component holds them
        (TwinPrimes(4), Range(1, 99_999)),  # draws, and conditionals along them
    ],
)
def test_information_from_draws_is_right_but_for_its_error(components, monkeypatch):
    """Within 3.3 standard errors, 999 in 1000; and the error is no excuse."""
    monkeypatch.setattr(mixtures, "LISTED", 0)
    monkeypatch.setattr(mixture_information, "LISTED", 0)
    monkeypatch.setattr(mixture_information, "VISITED", 5)
    target = Mixture((0.4, 0.6), components)
    expected = direct.information(law(target))
    assert 0 < target.information_error < 0.03
    assert abs(target.information() - expected) < 3.3 * target.information_error
    again = Mixture((0.4, 0.6), components)
    assert (again.information(), again.information_error) == (target.information(), target.information_error)


def test_draws_that_agree_do_not_prove_that_all_would():
    """A hundred draws that give 2 where 5 was possible: as if one more had."""
    error = mixture_information._standard_error([2.0] * 100, [2.0, 5.0])
    assert error == pytest.approx(3.0 * math.sqrt(101 / 102 / 101) / 10, rel=0.01)


def test_information_of_a_thousand_digits_does_not_overflow():
    """P / U is 0.5 exp(I) on the powers, where half the draws fall, and 0.5 elsewhere."""
    target = Mixture((0.5, 0.5), (Powers(1000, 3), Multiples(1000, 1)))
    assert target.information() == pytest.approx(0.5 * Powers(1000, 3).information() + math.log(0.5))


def test_the_posterior_is_that_of_bayes():
    twins = {TwinPrimes(4).unrank(rank) for rank in range(TwinPrimes(4).count(""))}
    for prefix in ("", "1", "10", "101", "1019", "1000"):
        likely = sum(number.startswith(prefix) for number in twins) / len(twins)
        anything = sum(str(x).startswith(prefix) for x in range(1000, 10_000)) / 9000
        expected = 0.1 * likely / (0.1 * likely + 0.9 * anything)
        assert TWIN_OR_ANY.posterior(prefix) == pytest.approx([expected, 1 - expected], abs=1e-12)


def test_one_time_in_ten_a_twin_prime_of_a_hundred_digits():
    target = Mixture((0.1, 0.9), (TwinPrimes(100), Multiples(100, 1)))
    (number,) = TwinPrimes(100).sample(1, np.random.default_rng(4))
    along = [target.posterior(number[:k])[0] for k in (0, 50, 95, 99, 100)]
    assert along[0] == pytest.approx(0.1)
    assert along[1] == pytest.approx(0.1, abs=2e-3)  # primes thin out upwards
    assert along[2] < along[3] < along[4]
    assert along[4] > 0.999
    # |any| / |twins| = exp(I), so that a twin prime is 0.1 exp(I) + 0.9 times as likely as under any.
    ratio = 0.1 * math.exp(TwinPrimes(100).information())
    share = math.exp(-TwinPrimes(100).information())
    expected = (0.1 + 0.9 * share) * math.log(ratio + 0.9) + 0.9 * (1 - share) * math.log(0.9)
    assert target.information() == pytest.approx(expected, rel=1e-9)
    conditional = target.conditional(number[:40])
    assert conditional.method == "hardy-littlewood"
    assert 0 < conditional.bound < 1e-6
    assert target.count("") is None
    assert target.contains("1" * 100)


def test_components_are_drawn_as_often_as_they_weigh():
    target = Mixture((0.3, 0.7), (Multiples(5, 2), Multiples(5, 2, 1)))
    drawn = target.sample(2000, np.random.default_rng(6))
    even = sum(int(number) % 2 == 0 for number in drawn)
    assert abs(even - 600) < 4 * math.sqrt(2000 * 0.3 * 0.7)
    assert len(set(drawn)) > 1900


def test_a_prefix_of_no_component_is_dead():
    with pytest.raises(DeadPrefixError):
        Mixture((0.5, 0.5), (Powers(3, 2), Powers(2, 2))).posterior("9")


TWO = [{"family": "twin-primes", "digits": 3}, {"family": "range", "low": 1, "high": 100}]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"weights": [0.1, 0.8]}, "sum to 0.9, not to 1; normalise = true"),
        ({"weights": [-0.1, 1.1]}, "not negative"),
        ({"weights": [0.0, 0.0], "normalise": True}, "not all 0"),
        ({"weights": [1.0]}, "1 weights for 2 components"),
        ({"weights": [], "components": []}, "0 weights for 0 components"),
        ({"components": [3, 4]}, "neither a target nor the definition of one"),
        ({"components": [TWO[0], {"family": "ranges"}]}, "family = 'ranges' is not known"),
        ({"components": [TWO[0], {"family": "range", "low": 1, "hi": 2}]}, "unknown key 'hi'"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, reason):
    with pytest.raises(InputError, match=reason):
        make_target({"family": "mixture", "weights": [0.1, 0.9], "components": TWO, **changes})
