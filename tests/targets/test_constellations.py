"""Constellations against sympy where numbers are few, the estimate against counts where they are many."""

import math
from itertools import chain, islice, pairwise, product

import numpy as np
import pytest
from sympy import isprime

from sampler_bench.errors import InputError
from sampler_bench.kernels import count_tuples
from sampler_bench.targets import DIGITS, END, Constellation, TwinPrimes
from sampler_bench.targets.counting import truth_cache
from sampler_bench.targets.counting.proposals import draw_members
from sampler_bench.targets.counting.tuple_names import parse_tuple
from sampler_bench.targets.counting.windows import window

TWINS = parse_tuple("twin-primes")


@pytest.mark.parametrize("digits", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "forms", ["primes", "cousin-primes", "sexy-primes", "sophie-germain-primes", "safe-primes", "n,n+2,n+6"]
)
def test_counts_of_all_prefixes_equal_brute_force(digits, forms):
    def belongs(n):
        if forms == "safe-primes":
            return isprime(n) and n % 2 == 1 and isprime((n - 1) // 2)
        return all(isprime(a * n + b) for a, b in parse_tuple(forms))

    members = [str(n) for n in range(10 ** (digits - 1), 10**digits) if belongs(n)]
    target = Constellation(digits, forms)
    for length in range(digits + 1):
        expected = dict.fromkeys(map("".join, product(DIGITS, repeat=length)), 0)
        for member in members:
            expected[member[:length]] += 1
        assert {prefix: target.count(prefix) for prefix in expected} == expected


@pytest.mark.parametrize("member", ["either", "lower"])
@pytest.mark.parametrize("digits", [10, 12])
def test_counts_from_a_table_equal_fresh_sieving(digits, member):
    target, rng = TwinPrimes(digits, member), np.random.default_rng(digits)
    for length in range(3, digits + 1):
        prefix = str(rng.integers(10 ** (length - 1), 10**length))
        lo, free = int(prefix) * 10 ** (digits - length), 10 ** (digits - length)
        expected = int(count_tuples(TWINS, [lo, lo + free])[0])
        if member == "either":
            expected += int(count_tuples(TWINS, [lo - 2, lo + free - 2])[0])
        assert target.count(prefix) == expected


@pytest.mark.parametrize("digits", [10, 13])
def test_counts_of_primes_by_a_library_equal_sieving(digits):
    target, rng = Constellation(digits, "primes"), np.random.default_rng(digits)
    for length in range(digits - 8, digits + 1):
        prefix = str(rng.integers(10 ** (length - 1), 10**length))
        lo, free = int(prefix) * 10 ** (digits - length), 10 ** (digits - length)
        assert target.count(prefix) == int(count_tuples([(1, 0)], [lo, lo + free])[0])
    assert target.conditional("").method == "exact"


def test_primes_of_10_to_15_digits_equal_the_published_counts():
    below = [455052511, 4118054813, 37607912018, 346065536839, 3204941750802, 29844570422669]  # OEIS A006880
    for digits, (lower, upper) in enumerate(pairwise(below), start=11):
        assert Constellation(digits, "primes").count("") == upper - lower


@pytest.mark.parametrize(
    ("digits", "forms"), [(100, "twin-primes"), (30, "sophie-germain-primes"), (19, "primes")]
)
def test_with_few_digits_left_the_conditional_equals_a_sympy_loop(digits, forms):
    pairs, target = parse_tuple(forms), Constellation(digits, forms)
    (number,) = target.sample(1, np.random.default_rng(5))
    for free in (1, 2, 3, 4):
        prefix = number[: digits - free]
        counts = np.zeros(10)
        for tail in map("".join, product(DIGITS, repeat=free)):
            n = int(prefix + tail)
            counts[int(tail[0])] += all(isprime(a * n + b) for a, b in pairs)
        conditional = target.conditional(prefix)
        assert target.count(prefix) == counts.sum()
        assert conditional.p[:END].tolist() == (counts / counts.sum()).tolist()
        assert (conditional.method, conditional.bound) == ("exact-tail", 0)


@pytest.mark.parametrize("digits", [10, 60])
def test_safe_primes_of_many_digits(digits):
    target = Constellation(digits, "safe-primes")
    (number,) = target.sample(1, np.random.default_rng(2))
    prefix = number[:-3]
    tails = ["".join(tail) for tail in product(DIGITS, repeat=3)]
    members = [t for t in tails if isprime(int(prefix + t)) and isprime((int(prefix + t) - 1) // 2)]
    assert number[-3:] in members
    assert [t for t in tails if target.contains(prefix + t)] == members
    assert target.count(prefix) == len(members)


def test_either_member_of_a_pair_counts_in_a_tail():
    target = TwinPrimes(40)
    (number,) = target.sample(1, np.random.default_rng(2))
    prefix = number[:37]
    tails = ["".join(tail) for tail in product(DIGITS, repeat=3)]
    members = [t for t in tails if target.contains(prefix + t)]
    assert members == [
        t for t in tails
        if isprime(int(prefix + t)) and (isprime(int(prefix + t) + 2) or isprime(int(prefix + t) - 2))
    ]  # fmt: skip
    assert target.count(prefix) == len(members)


def test_the_estimate_is_as_far_from_the_counts_as_its_bound_allows():
    """At 11 digits everything is counted, so the KL of the estimate from the truth can be had exactly."""
    from sampler_bench.kernels import expected_tuples

    target, rng = TwinPrimes(11, "lower"), np.random.default_rng(8)
    ratios = []
    for prefix in map(str, rng.integers(10**3, 10**4, 200)):
        exact = target.conditional(prefix).p[:END]
        spans = [(int(prefix + d) * 10**6, (int(prefix + d) + 1) * 10**6) for d in DIGITS]
        logs = np.array([expected_tuples(TWINS, lo, hi).log for lo, hi in spans])
        estimate = np.exp(logs - np.logaddexp.reduce(logs))
        ratios.append(2 * np.exp(np.logaddexp.reduce(logs)) * np.sum(exact * np.log(exact / estimate)))
    # 2 mu KL is chi-squared with 9 degrees of freedom if counts scatter like Poisson's; they scatter less.
    assert 5 < np.mean(ratios) < 9.5
    assert max(ratios) < 27.88


def test_a_hundred_digit_profile_is_bound_to_a_thousandth_of_a_nat():
    target = TwinPrimes(100)
    (number,) = target.sample(1, np.random.default_rng(1))
    above = [target.conditional(number[:k]) for k in range(92)]
    assert {conditional.method for conditional in above} == {"hardy-littlewood"}
    assert sum(conditional.bound for conditional in above) < 1e-3
    assert target.information() == pytest.approx(9.9009, abs=1e-4)
    assert target.count(number[:91]) is None


def test_the_chain_rule_holds_over_estimate_and_tail():
    """The mean over draws of the information along a number is I(S)."""
    target, rng, total = TwinPrimes(14), np.random.default_rng(3), []
    for number in target.sample(40, rng):
        along = 0.0
        for k in range(14):
            p = target.conditional(number[:k]).p[:END]
            p = p[p > 0]
            along += math.log(9 if k == 0 else 10) + float(p @ np.log(p))
        total.append(along)
    assert abs(np.mean(total) - target.information()) < 3 * np.std(total) / math.sqrt(len(total))


@pytest.mark.parametrize(("lo", "hi"), [(10**9, 10**9 + 3000), (10**30 + 17, 10**30 + 20_000)])
def test_proposals_draw_every_member_alike(lo, hi):
    members = [n for n in range(lo, hi) if isprime(n) and isprime(n + 2)]
    size, rng = 50 * len(members), np.random.default_rng(4)
    drawn = list(islice(chain.from_iterable(draw_members(TWINS, lo, hi, rng)), size))
    counts = np.array([drawn.count(member) for member in members])
    assert counts.sum() == size
    law = rng.multinomial(size, np.full(len(members), 1 / len(members)), size=5000)
    statistic, simulated = ((counts - 50) ** 2).sum(), ((law - 50) ** 2).sum(axis=1)
    assert (simulated >= statistic).mean() > 0.001


def test_drawn_numbers_are_members_with_either_end_of_a_pair():
    for digits in (10, 15, 60):
        drawn = TwinPrimes(digits).sample(40, np.random.default_rng(digits))
        lower = [isprime(int(x) + 2) for x in drawn]
        assert all(len(x) == digits and isprime(int(x)) for x in drawn)
        assert all(low or isprime(int(x) - 2) for x, low in zip(drawn, lower, strict=True))
        assert 5 < sum(lower) < 35


def test_large_windows_are_computed_once_and_read_afterwards(monkeypatch):
    start = 10**50 + 12_345
    window.cache_clear()
    computed = window("twin-primes", start, 10**6)
    origins = truth_cache.ORIGINS.copy()
    window.cache_clear()
    monkeypatch.setattr("sampler_bench.kernels.tuples_in", None)
    assert window("twin-primes", start, 10**6).tolist() == computed.tolist()
    assert truth_cache.ORIGINS["read"] == origins["read"] + 1
    assert truth_cache.ORIGINS["computed"] == origins["computed"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Constellation(3, "n,n+1"), "inadmissible: 2 always divides one"),
        (lambda: Constellation(1001, "primes"), "up to 1000 digits"),
        (lambda: Constellation(0, "primes"), "digits = 0"),
        (lambda: Constellation(1, "n,n+2,n+8000"), "is empty"),
        (lambda: Constellation(5, "prime"), "did you mean primes"),
        (lambda: Constellation(12, "cousin-primes").count("1"), "table cousin-primes --digits 12 --depth 4"),
        (lambda: TwinPrimes(20).unrank(0), "are not counted"),
    ],
)
def test_what_makes_no_sense_is_refused(make, reason):
    with pytest.raises(InputError, match=reason):
        make()
