"""Ranges, where numbers differ in length, against lists."""

import math

import numpy as np
import pytest
from sympy import isprime

from sampler_bench.errors import DeadPrefixError, InputError
from sampler_bench.targets import END, PrimeRange, Range
from tests.targets import direct


@pytest.mark.parametrize(
    "target",
    [
        *[
            Range(*ends)
            for ends in [(1, 100), (0, 9), (0, 100), (5, 5), (0, 0), (99, 101), (37, 1234), (7, 70)]
        ],
        PrimeRange(0, 999),
        PrimeRange(2, 7),
        PrimeRange(10, 5000),
        PrimeRange(3, 3000, "twin-primes"),
    ],
    ids=str,
)
def test_everything_equals_the_list(target):
    def belongs(x):
        if isinstance(target, Range):
            return True
        return isprime(x) and (target.forms == "primes" or isprime(x + 2))

    members = [str(x) for x in range(target.low, target.high + 1) if belongs(x)]
    law = dict.fromkeys(members, 1 / len(members))
    assert [target.unrank(rank) for rank in range(target.count(""))] == sorted(members)
    for prefix, p in direct.conditionals(law).items():
        assert target.count(prefix) == sum(member.startswith(prefix) for member in members)
        assert target.conditional(prefix).p == pytest.approx(p, abs=1e-12)
    assert target.information() == pytest.approx(direct.information(law), abs=1e-12)
    assert [str(x) for x in range(target.high + 5) if target.contains(str(x))] == members


def test_between_one_and_a_hundred_ten_may_go_on_to_a_hundred():
    target = Range(1, 100)
    assert target.conditional("10").p[[0, END]].tolist() == [0.5, 0.5]
    assert target.conditional("1").p[END] == pytest.approx(1 / 12)  # 1, 10, ..., 19, 100
    assert not target.fixed
    assert not target.contains("007")
    with pytest.raises(DeadPrefixError):
        target.conditional("0")


def test_a_range_of_many_digits():
    target = Range(1, 10**100)
    assert target.conditional("").p[1] == pytest.approx(1 / 9)
    assert 0 < target.information() < 1e-12
    drawn = target.sample(300, np.random.default_rng(1))
    assert {len(number) for number in drawn} <= {96, 97, 98, 99, 100}
    assert sum(len(number) == 100 for number in drawn) > 240


def test_primes_below_a_hundred_million_equal_the_published_count():
    target = PrimeRange(0, 10**8)
    assert target.count("") == 5_761_455  # OEIS A006880
    assert target.conditional("2").p[END] == pytest.approx(1 / target.count("2"))
    assert math.isfinite(target.information())


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Range(5, 3), "low <= high"),
        (lambda: Range(-1, 3), "low <= high"),
        (lambda: PrimeRange(24, 28), "is empty"),
        (lambda: PrimeRange(0, 10**9), "listed up to 100000000"),
        (lambda: PrimeRange(0, 100, "n,n+1"), "2 always divides one"),
        (lambda: PrimeRange(0, 100, "prime"), "did you mean primes"),
        (lambda: Range(1, 100).conditional("1234"), "3 at most"),
        (lambda: Range(1, 100).unrank(100), r"outside 0\.\.99"),
    ],
)
def test_what_makes_no_sense_is_refused(make, reason):
    with pytest.raises(InputError, match=reason):
        make()
