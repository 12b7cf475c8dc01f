"""What would cost too much is refused before it is paid for, and what odd laws make of scipy is not seen."""

import itertools
import math

import pytest
import sympy

from sampler_bench.errors import InputError
from sampler_bench.targets import DigitSums, Distribution, Sieved
from sampler_bench.targets.counting.automaton import MAX_STATES, AutomatonTarget


class Endless(AutomatonTarget):
    """An automaton that never comes back to a state; counts how many it was asked for."""

    start = 0

    def __init__(self, digits):
        self.digits, self.asked = digits, set()

    def step(self, state, digit):
        self.asked.add(state)
        return (10 * state + digit + 1) % 10**15

    def accepts(self, state):
        return state > 0


@pytest.mark.parametrize(("digits", "most"), [(1, MAX_STATES), (1000, 5000)])
def test_no_more_states_are_explored_than_may_be(digits, most):
    target = Endless(digits)
    with pytest.raises(InputError, match=f"an automaton of more than {most} states is too large"):
        target.check()
    assert len(target.asked) <= most


@pytest.mark.parametrize("digits", [1001, 10**8])
def test_an_automaton_is_not_explored_for_too_many_digits(digits):
    target = Endless(digits)
    with pytest.raises(InputError, match="up to 1000 digits"):
        target.check()
    assert not target.asked


def test_the_largest_digit_sums_are_counted():
    target = DigitSums(1000, sum=4500)
    # The ways to write s with n digits: the sum over j of (-1)^j C(n, j) C(s - 10 j + n - 1, n - 1).
    ways = sum((-1) ** j * math.comb(997, j) * math.comb(4473 - 10 * j + 996, 996) for j in range(448))
    assert target.count("999") == ways


@pytest.mark.parametrize(
    ("law", "parameters", "reason"),
    [
        ("binom", {"n": 1e300, "p": 0.5}, "falls outside 0..99"),
        ("binom", {"n": math.nan, "p": 0.5}, "n = nan is not a finite number"),
        ("norm", {"loc": math.inf}, "loc = inf is not a finite number"),
        ("norm", {"loc": 1e308, "scale": 1e308}, "falls outside"),
        ("norm", {"scale": 0}, "make no norm law"),
        ("binom", {"n": 20, "p": 2}, "make no binom law"),
        ("poisson", {"mu": 1e308}, "falls outside"),
        ("hypergeom", {"M": 1e300, "n": 1e200, "N": 1e100}, "hypergeom"),
        ("genextreme", {"c": 1e300, "scale": 9}, "genextreme"),
        ("nchypergeom_wallenius", {"M": 1e9, "n": 1e8, "N": 1e7, "odds": 1e9}, "nchypergeom_wallenius"),
        ("x" * 10_000, {}, "is none of scipy.stats"),
        ("norm", {"k" * 10_000: 1}, "loc and scale"),
    ],
)
def test_an_odd_law_is_refused_in_a_sentence_and_without_a_warning(law, parameters, reason, capfd):
    with pytest.raises(InputError) as caught:  # a warning would be an error in these tests
        Distribution(2, law, parameters)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 300
    assert capfd.readouterr() == ("", "")


def test_a_law_that_would_take_hours_is_refused_with_the_figure(monkeypatch):
    clock = itertools.count(step=1000)
    monkeypatch.setattr("sampler_bench.targets.families.distributions.time.perf_counter", lambda: next(clock))
    with pytest.raises(InputError, match="to list 1000000 probabilities would take 10,000,000 s; at most 60"):
        Distribution(6, "norm", {"loc": 5e5, "scale": 1e5})


def test_a_machine_that_is_slow_twice_refuses_no_law(monkeypatch):
    clock = iter([0, 1000, 1000, 2000, 2000, 2000.001])
    monkeypatch.setattr("sampler_bench.targets.families.distributions.time.perf_counter", lambda: next(clock))
    assert Distribution(3, "norm", {"loc": 500, "scale": 50}).probabilities.sum() == pytest.approx(1)


def test_a_law_as_narrow_as_a_point_falls_beside_it():
    target = Distribution(2, "beta", {"a": 1e300, "b": 1e300, "scale": 99})
    assert target.probabilities[49] + target.probabilities[50] == pytest.approx(1)


@pytest.mark.timeout(300)
def test_a_sieve_by_all_primes_to_a_million_leaves_the_twin_primes_themselves():
    """Of 6 digits all members are below y: what passes is what is prime."""
    target = Sieved(4, "twin-primes", 10**5)
    lower = [p for p in sympy.primerange(1000, 10_000) if sympy.isprime(p + 2)]
    assert target.count("") == len(lower)
    assert all(target.contains(str(p)) for p in lower)
