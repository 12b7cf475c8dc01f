"""What is said of a law to a model, against the law by other means."""

import math
import re

import pytest
import sympy
from scipy import stats

from sampler_bench.targets.registry import make_target
from sampler_bench.tasks import Catalog, load_task

PAIR = re.compile(r"(\d+)(?: to (\d+))?: (\d+(?:\.\d+)?)")


def said(sentence: str) -> list[tuple[int, int, float]]:
    """(first, last, probability) of each number or range."""
    return [(int(lo), int(hi or lo), float(p)) for lo, hi, p in PAIR.findall(sentence)]


def test_of_a_set_it_is_said_how_many_there_are():
    evens = sum(n % 2 == 0 for n in range(100_000, 10**6))
    assert load_task("even-6").target.law_in_words() == f"All {evens} such numbers are equally likely."
    assert load_task("twin-primes-100").target.law_in_words() == "All such numbers are equally likely."


def test_of_few_members_each_is_named():
    found = said(load_task("dice-binomial").target.law_in_words())
    assert [(lo, hi) for lo, hi, _ in found] == [(k, k) for k in range(21)]
    for k, _, p in found:
        assert p == pytest.approx(math.comb(20, k) * 0.4**k * 0.6 ** (20 - k), rel=1e-3)


def test_of_many_members_ranges_are_named_which_hold_all_of_them():
    found = said(load_task("dice-beta").target.law_in_words())
    assert [lo for lo, _, _ in found][1:] == [hi + 1 for _, hi, _ in found][:-1]
    assert (found[0][0], found[-1][1]) == (0, 999)
    for lo, hi, p in found:
        exact = stats.beta.cdf((hi + 1) / 1000, 2, 5) - stats.beta.cdf(lo / 1000, 2, 5)
        assert p == pytest.approx(exact, rel=1e-3)
    assert 8 <= len(found) <= 10


def test_of_others_the_first_digit_is_spoken_of():
    primes = {"family": "constellation", "digits": 4, "forms": "primes"}
    even = {"family": "multiples", "digits": 4, "modulus": 2}
    mixture = make_target({"family": "mixture", "weights": [0.25, 0.75], "components": [primes, even]})
    prime = [sum(map(sympy.isprime, range(d * 1000, (d + 1) * 1000))) for d in range(1, 10)]
    for (digit, _, p), count in zip(said(mixture.law_in_words()), prime, strict=True):
        assert p == pytest.approx(0.25 * count / sum(prime) + 0.75 / 9, rel=1e-3), digit


@pytest.mark.parametrize("name", Catalog().task_names())
def test_every_task_has_a_sentence_without_exponents_that_sums_to_one(name):
    sentence = load_task(name).target.law_in_words()
    assert sentence.endswith(".")
    assert "e-" not in sentence
    if not sentence.startswith("All "):
        assert sum(p for _, _, p in said(sentence)) == pytest.approx(1, abs=2e-3)
