"""Tests of evenness against values worked by hand, and a biased sampler that one of them must catch."""

import math
from itertools import product

import numpy as np
import pytest

from sampler_bench import load_task
from sampler_bench.score.uniformity import REPEATS, distance, duplicates, holm, uniformity
from sampler_bench.targets import Multiples, Powers


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_holm_adjusts_as_in_the_textbook():
    # 0.01 x 4; 0.02 x 3; then 0.03 x 2 and 0.04 x 1 stay at least as large
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]).tolist() == [1.0, 1.0]


def test_p_values_equal_the_exact_multinomial_test():
    """All 3^6 sequences of six draws: the share of those at least as far by Pearson's statistic."""
    law, seen = np.array([0.5, 0.3, 0.2]), np.array([2, 2, 2, 1, 1, 2])

    def statistic(draws) -> float:
        expected = 6 * law
        return float(((np.bincount(draws, minlength=3) - expected) ** 2 / expected).sum())

    exact = sum(
        math.prod(law[list(draws)])
        for draws in product(range(3), repeat=6)
        if statistic(draws) >= statistic(seen) - 1e-9
    )
    found = distance("x", seen, law, rng())
    assert found.p == pytest.approx(exact, abs=4 * math.sqrt(exact / REPEATS))
    assert found.value == pytest.approx(0.5)  # shares 0, 1/3, 2/3


def test_what_cannot_happen_is_noticed_at_once():
    found = distance("x", np.array([0] * 99 + [1]), np.array([1.0, 0.0]), rng())
    assert found.p == 1 / (1 + REPEATS)


def test_one_class_alone_tells_nothing():
    assert distance("x", np.zeros(50, int), np.array([1.0]), rng()).p == 1


def test_duplicates_are_held_against_birthdays():
    """23 people, 365 days: the expected number of those who share an earlier one's birthday."""
    target = Multiples(digits=4, modulus=25)  # 360 members
    people = [str(1000 + 25 * k) for k in range(22)] + ["1000"]
    (found,) = duplicates(people, target, 0.0, rng())
    expected = 23 - 360 * (1 - (1 - 1 / 360) ** 23)
    assert found.value == 1 / 23
    assert found.floor * 23 == pytest.approx(expected, abs=4 * math.sqrt(expected / REPEATS))
    assert found.p > 0.5
    (stuck,) = duplicates(["1000"] * 23, target, 0.0, rng())
    assert stuck.p == pytest.approx(2 / (1 + REPEATS))
    assert stuck.value == 22 / 23


def test_duplicates_do_not_hang_on_how_many_draws_are_held_at_once(monkeypatch):
    target, people = Multiples(digits=4, modulus=25), [str(1000 + 25 * (k % 19)) for k in range(23)]
    at_once = [*duplicates(people, target, 0.0, rng())]
    monkeypatch.setattr("sampler_bench.score.uniformity.DRAWN_AT_ONCE", 100)
    assert [*duplicates(people, target, 0.0, rng())] == at_once


def test_never_to_repeat_oneself_is_no_chance_either():
    target = Powers(digits=2, base=2)  # 16, 32, 64
    (found,) = duplicates(["16", "32", "64"] * 10, target, 0.0, rng())
    assert found.p == 1  # 30 draws from three cannot repeat themselves less
    many = Multiples(digits=3, modulus=10)  # 90 members
    (never,) = duplicates([str(100 + 10 * k) for k in range(60)], many, 0.0, rng())
    assert never.p == pytest.approx(2 / (1 + REPEATS))


def test_two_draws_from_a_huge_set_are_never_alike():
    task = load_task("twin-primes-100")
    information = math.log(9) + 99 * math.log(10) - 220.0  # exp(220) members
    (found,) = duplicates(["1" * 100] * 2, task.target, information, rng())
    assert (found.floor, found.p) == (0, pytest.approx(2 / (1 + REPEATS)))


def test_an_answer_of_five_thousand_digits_is_an_answer():
    scores = uniformity(["1" * 5000, "123456"], Multiples(digits=6, modulus=1), 0.0, seed=0)
    assert scores[0].n == 2


def benford(size: int) -> list[str]:
    """Six digits, the leading one by Benford's law, the others uniform: residues are as they should be."""
    generator = np.random.default_rng(11)
    first = generator.choice(np.arange(1, 10), size, p=np.log10(1 + 1 / np.arange(1, 10)))
    return [
        f"{digit}{rest:05d}" for digit, rest in zip(first, generator.integers(10**5, size=size), strict=True)
    ]


def test_a_biased_leading_digit_is_flagged_by_its_test_and_by_no_other():
    target = Multiples(digits=6, modulus=1)
    scores = uniformity(benford(1000), target, 0.0, seed=3)
    flagged = [score.metric for score in scores if not score.like_oracle]
    assert {score.metric for score in scores} == {
        "leading-digit", "last-digit", "mod-3", "mod-7", "mod-11", "mod-13", "duplicates"
    }  # fmt: skip
    assert flagged == ["leading-digit"]
    even = uniformity(target.sample(1000, np.random.default_rng(13)), target, 0.0, seed=3)
    assert all(score.like_oracle for score in even)
