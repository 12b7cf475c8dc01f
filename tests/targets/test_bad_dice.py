"""The fifteen laws of Bad Dice Players against their distribution functions in closed form."""

import math

import numpy as np
import pytest

from sampler_bench.errors import InputError
from sampler_bench.targets import Distribution
from sampler_bench.tasks import Catalog

CATALOG = Catalog()


def student_t_3(x: float) -> float:
    at = x / math.sqrt(3)
    return 0.5 + (at / (1 + at**2) + math.atan(at)) / math.pi


def chi_squared_5(x: float) -> float:
    return math.erf(math.sqrt(x / 2)) - math.sqrt(2 * x / math.pi) * math.exp(-x / 2) * (1 + x / 3)


def f_5_10(x: float) -> float:
    """The incomplete beta function with 5/2 and 5, summed over the whole one."""
    at = 5 * x / (5 * x + 10)
    terms = (math.gamma(2.5 + k) / math.gamma(2.5) / math.factorial(k) * (1 - at) ** k for k in range(5))
    return at**2.5 * math.fsum(terms)


def laplace(x: float) -> float:
    return math.exp(x) / 2 if x < 0 else 1 - math.exp(-x) / 2


# The distribution function as given there, what is added to a value, and by what the sum is multiplied.
CONTINUOUS = {
    "uniform": (lambda x: x, 0, 1000),
    "beta": (lambda x: 3 * x**2 - 2 * x**3, 0, 1000),
    "exponential": (lambda x: 1 - math.exp(-x), 0, 100),
    "chi-squared": (chi_squared_5, 0, 100),
    "f": (f_5_10, 0, 100),
    "gamma": (lambda x: 1 - math.exp(-x / 2) * (1 + x / 2), 0, 100),
    "weibull": (lambda x: 1 - math.exp(-(x**1.5)), 0, 100),
    "gaussian": (lambda x: math.erfc(-x / math.sqrt(2)) / 2, 50, 100),
    "cauchy": (lambda x: 0.5 + math.atan(x) / math.pi, 50, 100),
    "student-t": (student_t_3, 50, 100),
    "laplace": (laplace, 50, 100),
    "logistic": (lambda x: 1 / (1 + math.exp(-x)), 50, 100),
}
DISCRETE = {
    "bernoulli": lambda k: [0.3, 0.7][k] if k < 2 else 0.0,
    "binomial": lambda k: math.comb(10, k) / 2**10,
    "poisson": lambda k: math.exp(-5) * 5**k / math.factorial(k),
}


def probabilities(name: str) -> np.ndarray:
    return CATALOG.task(f"bad-dice-{name}").target.probabilities


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_number_has_what_lies_between_it_and_the_next(name):
    cumulative, added, times = CONTINUOUS[name]
    found = probabilities(name)
    edges = [cumulative(k / times - added) for k in range(len(found) + 1)]
    assert found == pytest.approx(np.diff(edges) / (edges[-1] - edges[0]), abs=1e-12)


@pytest.mark.parametrize("name", DISCRETE)
def test_whole_numbers_are_asked_for_as_they_are(name):
    found = probabilities(name)
    assert found == pytest.approx([DISCRETE[name](k) for k in range(len(found))], abs=1e-12)


def test_the_suite_holds_all_fifteen_and_the_phrases_say_the_scale():
    suite = CATALOG.suite("dice-peers")
    assert sorted(suite.tasks) == sorted(f"bad-dice-{name}" for name in (*CONTINUOUS, *DISCRETE))
    assert suite.samples == 100  # as in UnpredictaBench's KS@100
    for name, (_, added, times) in CONTINUOUS.items():
        phrase = CATALOG.task(f"bad-dice-{name}").phrase
        assert f"multiplied by {times} and rounded down" in phrase
        assert ("plus 50, " in phrase) == (added == 50)


def test_a_law_with_heavy_tails_is_taken_where_it_is_said_to_be_truncated():
    outside = 2 / math.pi * math.atan(1 / 50)  # of a Cauchy law: 50 from the middle, on either side
    with pytest.raises(InputError, match=r"0\.013 of the law falls outside 0\.\.9999; .* truncated = true"):
        Distribution(4, "cauchy", {"loc": 5000, "scale": 100}, "down")
    truncated = Distribution(4, "cauchy", {"loc": 5000, "scale": 100}, "down", truncated=True)
    assert truncated.probabilities[5000] == pytest.approx(math.atan(0.01) / math.pi / (1 - outside))
    with pytest.raises(InputError, match=r"0\.64 of the law falls outside 0\.\.9; at most 0\.5 may$"):
        Distribution(1, "cauchy", {"loc": 5, "scale": 5 * math.tan(0.32 * math.pi)}, "down", truncated=True)
