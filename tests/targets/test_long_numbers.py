"""Families without a limit of their own: the same at 5000 digits as at 5, and up to 100,000 digits."""

import math
from itertools import pairwise

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpz

from sampler_bench.errors import InputError
from sampler_bench.targets import (
    END,
    Distribution,
    Multiples,
    Palindromes,
    Polynomials,
    Powers,
    Range,
    Sequences,
    Target,
)
from sampler_bench.targets.laws import assert_laws
from sampler_bench.targets.registry import make_target
from sampler_bench.targets.values import storable

LONG = 5000
LN10 = math.log(10)


def text(number: int) -> str:
    return mpz(number).digits()


def logarithm(number: int) -> float:
    """By gmpy2 in 200 bits, not by Python."""
    with gmpy2.context(precision=200):
        return float(gmpy2.log(mpz(number)))


TARGETS: list[tuple[Target, object]] = [
    (Multiples(4301, 7, 3), lambda x: x % 7 == 3),
    (Multiples(LONG, 10**2500 + 1, 5), lambda x: x % (10**2500 + 1) == 5),
    (Palindromes(LONG), lambda x: text(x) == text(x)[::-1]),
    (Polynomials(LONG, (0, 0, 1)), gmpy2.is_square),
    (Polynomials(LONG, (0, 1, 1), 2), lambda x: gmpy2.is_square(8 * x + 1)),
    (Polynomials(LONG, (1, 10**2500, 1)), lambda x: gmpy2.is_square(10**5000 + 4 * (x - 1))),
    (Powers(LONG, 3), lambda x: gmpy2.remove(x, 3)[0] == 1),
    (
        Sequences(LONG, "fibonacci"),
        lambda x: gmpy2.is_square(5 * x * x + 4) or gmpy2.is_square(5 * x * x - 4),
    ),
    (Sequences(LONG, "mersenne"), lambda x: x & (x + 1) == 0),
    (Range(10**4999 + 17, 10**5000 - 8), lambda x: 10**4999 + 17 <= x <= 10**5000 - 8),
]


@pytest.mark.parametrize(("target", "belongs"), TARGETS, ids=[str(target) for target, _ in TARGETS])
def test_what_is_drawn_belongs_and_its_neighbour_does_not(target, belongs):
    for number in target.sample(2, np.random.default_rng(1)):
        x = mpz(number)
        assert len(number) == target.digits
        assert belongs(x)
        assert target.contains(number)
        assert target.contains(text(x + 1)) == bool(belongs(x + 1))
        assert not target.contains(number + "0")
        law = target.conditional(number[:-1]).p
        assert law[int(number[-1])] > 0
        assert law.sum() == pytest.approx(1)
        assert target.conditional(number).p[END] == 1
        assert math.isfinite(target.log_probability(number[:100]).value)
    size = target.count("")
    assert (
        target.information()
        == pytest.approx(
            math.log(9) + 4999 / 5000 * 0 + LN10 * (target.digits - 1) - logarithm(size), abs=1e-8
        )
        or not target.fixed
    )


def test_counts_of_long_multiples_are_the_closed_form():
    target = Multiples(4301, 7, 3)
    below = lambda bound: (mpz(bound) - 1 - 3) // 7  # noqa: E731
    assert target.count("") == below(mpz(10) ** 4301) - below(mpz(10) ** 4300)
    assert target.count("12") == below(13 * mpz(10) ** 4299) - below(12 * mpz(10) ** 4299)


@pytest.mark.parametrize("digits", [1, 2, 3, 4])
def test_members_by_rank_are_increasing_and_complete(digits):
    for target in (Multiples(digits, 7, 3), Palindromes(digits)):
        members = [target.unrank(rank) for rank in range(target.count(""))]
        assert members == sorted(set(members))
        assert all(target.contains(member) for member in members)


def test_the_laws_hold_for_a_long_range_and_for_long_powers():
    for target in (Range(7, 10**120 + 5), Range(10**99 - 3, 10**100 + 3), Powers(4400, 9)):
        assert_laws(target, np.random.default_rng(2), walks=1)


@pytest.mark.parametrize(
    ("low", "high"), [(3, 10**60 + 12345), (10**50 - 7, 10**90), (99, 10**52), (0, 10**45)]
)
def test_information_of_a_long_range_is_the_sum_over_all_its_lengths(low, high):
    """I = ln(first digits) + E[later digits] ln 10 - ln|S| + entropy of stopping, all in 60 digits."""
    import mpmath

    size, digits = high - low + 1, len(str(high))

    def completions(stem: int) -> int:
        ends = [
            (max(stem * 10**k, low), min((stem + 1) * 10**k, high + 1))
            for k in range(digits - len(str(stem)) + 1)
        ]
        return sum(max(hi - lo, 0) for lo, hi in ends)

    with mpmath.workdps(60):
        total = mpmath.log(10 if low == 0 else 9) - mpmath.log(size)
        for length in range(1, digits):
            total += mpmath.mpf(high + 1 - max(low, 10**length)) / size * mpmath.log(10)
            cuts = {10 ** (length - 1), 10**length}
            for limit in (str(low), str(high)):
                if len(limit) >= length and limit != "0":
                    cuts |= {int(limit[:length]), int(limit[:length]) + 1}
            edges = sorted(cuts)
            for first, end in pairwise(edges):
                many = completions(first)
                if low <= first <= high and many > 1:
                    stop = mpmath.mpf(1) / many
                    entropy = -stop * mpmath.log(stop) - (1 - stop) * mpmath.log(1 - stop)
                    total += mpmath.mpf((end - first) * many) / size * entropy
        assert Range(low, high).information() == pytest.approx(float(total), abs=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: Multiples(n, 7),
        Palindromes,
        lambda n: Powers(n, 2),
        lambda n: Sequences(n, "mersenne"),
        lambda n: Polynomials(n, (3, 2, 7)),
        lambda n: Range(10 ** (n - 1) - 5, 10**n - 1),
    ],
)
def test_a_hundred_thousand_digits_are_counted_and_more_are_refused(make):
    target = make(100_000)
    number = target.sample(1, np.random.default_rng(3))[0]
    assert target.contains(number)
    assert target.conditional(number[:50_000]).p.sum() == pytest.approx(1)
    assert math.isfinite(target.information())
    with pytest.raises(InputError, match="up to 100000 digits"):
        make(100_001)


def test_sequences_have_their_terms():
    terms = {
        "fibonacci": [1, 2, 3, 5, 8],
        "factorials": [1, 2, 6],
        "primorials": [2, 6],
        "mersenne": [1, 3, 7],
    }
    for of, members in terms.items():
        assert Sequences(1, of).members == members
    assert Sequences(2, "primorials").members == [30]
    assert Sequences(1001, "factorials").members == [
        math.factorial(450)
    ]  # 450! has 1001 digits (OEIS A034886)


def test_a_definition_keeps_long_numbers_in_a_form_that_any_reader_of_json_takes():
    definition = {"family": "range", "low": 1, "high": 10**5000}
    kept = storable(definition)
    assert kept == {"family": "range", "low": 1, "high": {"integer": text(10**5000)}}
    assert make_target(kept) == make_target(definition) == Range(1, 10**5000)
    short = {"family": "range", "low": 1, "high": 10**4299}
    assert storable(short) == short


def test_short_text_is_no_number():
    with pytest.raises(InputError, match="high = '10'"):
        make_target({"family": "range", "low": 1, "high": "10"})


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Range(3, 10**100_000), "have up to 100000 digits"),
        (lambda: Multiples(10**8, 7), "digits = 100000000: this family"),
        (lambda: Multiples(10**5000, 7), r"digits = 1000000000\.\.\.0000000000 \(5001 digits\)"),
        (lambda: Multiples(3, 10**5000, 10**5000), r"it must lie in 0\.\.9999999999\.\.\."),
        (lambda: Multiples(3, 10**5000).conditional("1"), "is empty"),
        (lambda: Palindromes(4400).count("1" * 4401), r"1111111111\.\.\.1111111111 \(4401 digits\)"),
        (lambda: Multiples(4400, 2).conditional("1" * 4399 + "3"), "no member of .* starts with"),
        (lambda: Multiples(4400, 2).unrank(10**4400), r"is outside 0\.\.4499999999\.\.\."),
        (lambda: Polynomials(9, (0,) * 101 + (1,)), "102 coefficients: polynomials are of degree 1 to 100"),
        (lambda: Polynomials(50, (0, 0, 1), 10**12), "does not divide every value"),
        (lambda: Polynomials(50, (0, 0, 1), 10**5000), r"divisor = 1000000000\.\.\."),
        (lambda: Powers(3, 10**5000), "is empty"),
        (lambda: Sequences(100_000, "factorials"), "no term has 100000 digits"),
        (lambda: Distribution(10**5000, "norm"), "up to 6 digits"),
    ],
)
def test_what_is_out_of_range_is_refused_in_a_short_sentence(make, reason):
    with pytest.raises(InputError, match=reason) as caught:
        make()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("divisor", [1, 2, 3, 6, 24, 120, 7])
def test_a_divisor_is_taken_if_it_divides_every_value(divisor):
    """x(x+1)(x+2)(x+3): divisible by 24 and what divides it, by no more (checked at 500 values)."""
    coefficients = (0, 6, 11, 6, 1)
    divides = all(x * (x + 1) * (x + 2) * (x + 3) % divisor == 0 for x in range(500))
    if divides:
        assert Polynomials(9, coefficients, divisor).count("") > 0
    else:
        with pytest.raises(InputError, match="does not divide every value"):
            Polynomials(9, coefficients, divisor)


def test_values_below_a_bound_equal_a_list_for_two_hundred_random_polynomials():
    rng = np.random.default_rng(5)
    for _ in range(200):
        coefficients = (*rng.integers(0, 60, rng.integers(1, 5)).tolist(), int(rng.integers(1, 9)))
        values = [sum(c * x**k for k, c in enumerate(coefficients)) for x in range(1, 1100)]
        members = [value for value in values if 100 <= value < 1000]
        if members:
            target = Polynomials(3, coefficients)
            assert [target.unrank(rank) for rank in range(target.count(""))] == list(map(str, members))
