"""Mixtures against sums over all their members."""

import math

import numpy as np
import pytest

from sampler_bench.errors import DeadPrefixError, InputError
from sampler_bench.targets import (
    Distribution,
    Mixture,
    Multiples,
    Powers,
    Range,
    TwinPrimes,
    mixture,
    mixture_information,
)
from sampler_bench.targets.definitions import make_target
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


def law(target: Mixture) -> dict[str, float]:
    found: dict[str, float] = {}
    for weight, component in zip(target.weights, target.components, strict=True):
        for number, p in (component.nth_member(rank) for rank in range(component.count(""))):
            found[number] = found.get(number, 0) + weight * p / sum(target.weights)
    return {number: p for number, p in found.items() if p}


@pytest.mark.parametrize("listed", [10_000, 1], ids=["listed", "not listed"])
@pytest.mark.parametrize("target", EXAMPLES, ids=str)
def test_conditionals_equal_sums_over_all_members(target, listed, monkeypatch):
    for module in (mixture, mixture_information):
        monkeypatch.setattr(module, "LISTED", listed)
    target = Mixture(target.weights, target.components, target.normalise)
    members = law(target)
    for prefix, p in list(direct.conditionals(members).items())[::5]:
        assert target.conditional(prefix).p == pytest.approx(p, abs=1e-12)
    assert target.count("") == (len(members) if listed > 1 else None)
    if listed > 1:
        assert dict(target.nth_member(r) for r in range(len(members))) == pytest.approx(members)
    if target.fixed or listed > 1:  # else from draws, as below
        exact = listed > 1 or target in (TWIN_OR_ANY, EXAMPLES[4])
        expected = direct.information(members)
        assert target.information() == pytest.approx(expected, abs=1e-11 if exact else 0.05)


def test_information_from_draws_is_near():
    target = EXAMPLES[1]
    assert mixture_information.information_from_draws(target) == pytest.approx(target.information(), abs=0.05)


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
