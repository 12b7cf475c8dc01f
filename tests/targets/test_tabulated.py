"""Distributions against their textbook formulas, games against playing them."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from sampler_bench.errors import DeadPrefixError, InputError
from sampler_bench.targets import END, Distribution, MontyHall
from tests.targets import direct


def members(target) -> dict[str, float]:
    return dict(target.nth_member(rank) for rank in range(target.count("")))


def poisson(k: int) -> float:
    return math.exp(-4) * 4**k / math.factorial(k)


def gauss(k: int) -> float:
    law = NormalDist(500, 100)
    return law.cdf(k + 0.5) - law.cdf(k - 0.5)


def exponential(k: int) -> float:
    return math.exp(-k / 500) - math.exp(-(k + 1) / 500)


@pytest.mark.parametrize(
    ("target", "formula"),
    [
        (Distribution(2, "poisson", {"mu": 4}), poisson),
        (Distribution(3, "norm", {"loc": 500, "scale": 100}), gauss),
        (Distribution(4, "expon", {"scale": 500}, rounding="down"), exponential),
        (Distribution(1, "bernoulli", {"p": 0.3}), lambda k: {0: 0.7, 1: 0.3}.get(k, 0)),
        (Distribution(2, "randint", {"low": 1, "high": 101 - 1}), lambda k: 1 / 99 if k else 0),
    ],
    ids=lambda value: "" if callable(value) else str(value),
)
def test_probabilities_follow_the_formula_given_that_the_number_fits(target, formula):
    weights = [formula(k) for k in range(10**target.digits)]
    expected = {str(k): w / math.fsum(weights) for k, w in enumerate(weights) if w}
    found = members(target)
    assert {k: p for k, p in found.items() if p > 1e-12} == pytest.approx(
        {k: p for k, p in expected.items() if p > 1e-12}, rel=1e-9
    )
    for prefix, p in list(direct.conditionals(found).items())[::7]:
        assert target.conditional(prefix).p == pytest.approx(p, abs=1e-12)
    assert target.information() == pytest.approx(direct.information(found), abs=1e-11)


def test_leading_zeros_make_all_numbers_as_long():
    target = Distribution(3, "poisson", {"mu": 4}, leading_zeros=True)
    assert target.fixed
    assert target.contains("004")
    assert not target.contains("4")
    assert target.conditional("").p[0] > 0.999
    assert target.conditional("00").p[4] == pytest.approx(poisson(4) / sum(map(poisson, range(10))))
    assert target.information() == pytest.approx(direct.information(members(target)), abs=1e-11)


def test_zero_is_a_number_but_begins_none():
    target = Distribution(2, "poisson", {"mu": 4})
    assert target.conditional("0").p[END] == 1
    assert target.count("0") == 1
    with pytest.raises(DeadPrefixError):
        target.conditional("04")


def play(doors: int, host: str, games: int) -> tuple[int, int]:
    """Games that look like the question, and those among them in which the last door has the car."""
    rng, seen, won = np.random.default_rng(5), 0, 0
    for _ in range(games):
        car = int(rng.integers(1, doors + 1))
        goats = [door for door in range(2, doors + 1) if door != car or host == "stumbles"]
        opened = rng.permutation(goats)[: doors - 2].tolist()
        if doors not in opened and car not in opened and len(opened) == doors - 2:
            seen, won = seen + 1, won + (car == doors)
    return seen, won


@pytest.mark.parametrize("doors", [3, 4, 12])
@pytest.mark.parametrize("host", ["knows", "stumbles"])
def test_the_door_with_the_car_is_where_play_finds_it(doors, host):
    target = MontyHall(doors, host)
    seen, won = play(doors, host, 20_000)
    p = members(target)[str(doors)]
    assert p == pytest.approx((doors - 1) / doors if host == "knows" else 1 / 2)
    assert abs(won - seen * p) < 4 * math.sqrt(seen * p * (1 - p))
    assert members(target)["1"] == pytest.approx(1 - p)
    assert target.count("") == 2


def test_every_course_of_the_game_is_gone_through():
    for host in ("knows", "stumbles"):
        assert sum(p for p, _, _ in MontyHall(5, host).courses()) == 1


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Distribution(2, "normal"), "did you mean norm"),
        (lambda: Distribution(2, "norm", {"mu": 1}), "parameters of norm are loc and scale"),
        (lambda: Distribution(2, "poisson"), "parameters of poisson are mu, loc"),
        (lambda: Distribution(2, "poisson", {"mu": -1}), "make no poisson law"),
        (lambda: Distribution(2, "norm", {"loc": 50, "scale": 50}), r"0.32 of the law falls outside 0\.\.99"),
        (lambda: Distribution(7, "norm"), "up to 6 digits"),
        (lambda: Distribution(0, "norm"), "digits = 0"),
        (lambda: MontyHall(2), "from 3 to 999"),
    ],
)
def test_what_makes_no_sense_is_refused(make, reason):
    with pytest.raises(InputError, match=reason):
        make()
