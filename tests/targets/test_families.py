"""Each family against brute force or an independent method."""

import math
import re
from collections import Counter
from itertools import pairwise, product

import pytest
import sympy
from sympy import isprime

from sampler_bench.errors import InputError
from sampler_bench.targets import (
    DIGITS,
    END,
    Automaton,
    DigitSums,
    Multiples,
    Neighbours,
    Palindromes,
    Pattern,
    Polynomials,
    Powers,
    Sequences,
    TwinPrimes,
)

FACTORIALS = {*map(math.factorial, range(9))}
PRIMORIALS = {*map(sympy.primorial, range(1, 8))}


def all_prefixes(digits: int):
    for length in range(digits + 1):
        yield from map("".join, product(DIGITS, repeat=length))


def test_no_twin_prime_of_two_digits_or_more_ends_in_five():
    target = TwinPrimes(4)
    assert not any(target.contains(f"{prefix}5") for prefix in range(100, 1000))


def test_twin_pairs_below_powers_of_ten_equal_the_published_counts():
    published = [2, 8, 35, 205, 1224, 8169, 58980, 440312, 3424506]  # OEIS A007508
    below = 0
    for digits, expected in enumerate(published, start=1):
        below += TwinPrimes(digits, "lower").count("")
        assert below == expected


def count_by_automaton(digits: int, modulus: int, residue: int, prefix: str) -> int:
    """Members with a prefix, by an automaton over residues: state x mod m, digit d: 10 x + d mod m."""
    states = [0] * modulus
    states[int(prefix or "0") % modulus] = 1
    for position in range(len(prefix), digits):
        following = [0] * modulus
        for state, ways in enumerate(states):
            for digit in range(1 if position == 0 else 0, 10):
                following[(10 * state + digit) % modulus] += ways
        states = following
    return states[residue]


@pytest.mark.parametrize(
    ("digits", "modulus", "residue"), [(1, 3, 0), (2, 7, 6), (3, 100, 99), (40, 13, 5), (100, 2, 0)]
)
def test_multiples_equal_an_automaton_over_residues(digits, modulus, residue):
    target = Multiples(digits, modulus, residue)
    for prefix in ["", "1", "9", "10", "123", "98765", target.unrank(target.count("") // 2)]:
        if len(prefix) <= digits:
            assert target.count(prefix) == count_by_automaton(digits, modulus, residue, prefix)


def test_only_the_last_digit_of_an_even_number_is_bound():
    target = Multiples(100, 2)
    assert target.conditional("").p[1:END].tolist() == [1 / 9] * 9
    assert target.conditional("1234567890" * 5).p[:END].tolist() == [0.1] * 10
    assert target.conditional("7" * 99).p[:END].tolist() == [0.2, 0] * 5
    assert target.information() == pytest.approx(math.log(2), abs=1e-12)


def test_100_digit_powers_of_3_start_with_1_or_5_and_are_forced_from_there():
    target = Powers(100, 3)
    first = target.conditional("").p
    assert first[[1, 5]].tolist() == [0.5, 0.5]
    for number in (str(3**208), str(3**209)):
        assert len(number) == 100
        for k in range(1, 100):
            assert target.conditional(number[:k]).p[int(number[k])] == 1
    assert target.information() == pytest.approx(math.log(9 * 10**99 / 2))


def digit_sum(x: int) -> int:
    return sum(map(int, str(x)))


def neighbours(x: int) -> list[tuple[str, str]]:
    return list(pairwise(str(x)))


PARITIES = {
    "even": {"02468": "even", "13579": "odd"},
    "odd": {"02468": "odd", "13579": "even"},
}
PATTERNS = ["", "[13]|7", "[1-4]{2}", "(1|[5-9])[0-9]2", "(12|[3-5]6){2}", "1[03-6][0-9]{3}|7[7-9]{4}"]
FIBONACCI = {sympy.fibonacci(k) for k in range(2, 40)}
POWERS = {2**k for k in range(20)}
RULES = {
    "multiples": (lambda n: Multiples(n, 7, 3), lambda x: x % 7 == 3),
    "powers": (lambda n: Powers(n, 2), lambda x: x in POWERS),
    "twin primes": (TwinPrimes, lambda x: isprime(x) and (isprime(x + 2) or isprime(x - 2))),
    "lower twin primes": (lambda n: TwinPrimes(n, "lower"), lambda x: isprime(x) and isprime(x + 2)),
    "digit-sums sum": (lambda n: DigitSums(n, sum=4 * n), lambda x: digit_sum(x) == 4 * len(str(x))),
    "digit-sums mod": (lambda n: DigitSums(n, modulus=7, residue=2), lambda x: digit_sum(x) % 7 == 2),
    "different": (lambda n: Neighbours(n, "different"), lambda x: all(a != b for a, b in neighbours(x))),
    "rising": (lambda n: Neighbours(n, "rising"), lambda x: all(a < b for a, b in neighbours(x))),
    "not-falling": (lambda n: Neighbours(n, "not-falling"), lambda x: all(a <= b for a, b in neighbours(x))),
    "automaton": (lambda n: Automaton(n, "even", ("odd",), PARITIES), lambda x: digit_sum(x) % 2 == 1),
    "pattern": (lambda n: Pattern(n, PATTERNS[n]), lambda x: re.fullmatch(PATTERNS[len(str(x))], str(x))),
    "palindromes": (Palindromes, lambda x: str(x) == str(x)[::-1]),
    "squares": (lambda n: Polynomials(n, (0, 0, 1)), lambda x: sympy.integer_nthroot(x, 2)[1]),
    "triangular": (lambda n: Polynomials(n, (0, 1, 1), 2), lambda x: sympy.integer_nthroot(8 * x + 1, 2)[1]),
    "fibonacci": (lambda n: Sequences(n, "fibonacci"), lambda x: x in FIBONACCI),
    "factorials": (lambda n: Sequences(n, "factorials"), lambda x: x in FACTORIALS),
    "primorials": (lambda n: Sequences(n, "primorials"), lambda x: x in PRIMORIALS),
    "mersenne": (lambda n: Sequences(n, "mersenne"), lambda x: x & (x + 1) == 0),
}


@pytest.mark.parametrize("digits", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("make", "belongs"), RULES.values(), ids=RULES)
def test_counts_of_all_prefixes_equal_brute_force(make, belongs, digits):
    members = [str(x) for x in range(10 ** (digits - 1), 10**digits) if belongs(x)]
    if not members:
        with pytest.raises(InputError, match="is empty"):
            make(digits)
        return
    target = make(digits)
    counted = Counter(member[:length] for member in members for length in range(digits + 1))
    assert all(target.count(prefix) == counted[prefix] for prefix in all_prefixes(digits))


def test_values_of_a_cubic_at_a_hundred_digits_have_exact_roots():
    target = Polynomials(100, (0, 0, 0, 1))
    first, last = sympy.integer_nthroot(10**99 - 1, 3)[0] + 1, sympy.integer_nthroot(10**100 - 1, 3)[0]
    assert target.count("") == last - first + 1
    assert target.unrank(0) == str(first**3)
    assert target.contains(str(last**3))
    assert not target.contains(str(last**3 - 1))


def test_digit_sums_of_a_hundred_digits_equal_inclusion_and_exclusion():
    target = DigitSums(100, sum=300)

    def ways(free: int, total: int) -> int:
        signed = (
            (-1) ** j * math.comb(free, j) * math.comb(total - 10 * j + free - 1, free - 1) for j in range(31)
        )
        return sum(term for j, term in enumerate(signed) if total - 10 * j >= 0)

    assert target.count("") == sum(ways(99, 300 - first) for first in range(1, 10))
    assert target.count("999") == ways(97, 273)


def test_one_is_a_power_of_every_base():
    assert Powers(1, 5).members == [1, 5]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: TwinPrimes(0), "digits = 0"),
        (lambda: TwinPrimes(1001), "up to 1000 digits"),
        (lambda: Multiples(0, 2), "digits = 0"),
        (lambda: DigitSums(3), "either a sum or a modulus"),
        (lambda: DigitSums(3, sum=5, modulus=2), "either a sum or a modulus"),
        (lambda: DigitSums(3, sum=28), "is empty"),
        (lambda: DigitSums(3, modulus=0), "residue = 0"),
        (lambda: DigitSums(1000, modulus=20_000), "an automaton of .* states is too large"),
        (lambda: DigitSums(1001, sum=3), "up to 1000 digits"),
        (lambda: Neighbours(10, "rising"), "is empty"),
        (lambda: Neighbours(0, "rising"), "digits = 0"),
        (lambda: Palindromes(0), "digits = 0"),
        (lambda: Polynomials(3, (5,)), "two or more natural numbers"),
        (lambda: Polynomials(3, (0, -1, 1)), "two or more natural numbers"),
        (lambda: Polynomials(3, (0, 1, 1), 3), "does not divide every value"),
        (lambda: Polynomials(2, (0, 1000)), "is empty"),
        (lambda: Sequences(0, "factorials"), "digits = 0"),
        (lambda: Automaton(3, "a", ("b",), {"a": {"1": "a"}, "b": {}}), "'a' to accepting b"),
        (lambda: Automaton(3, "a", ("c",), {"a": {"1": "a"}}), "state 'c'"),
        (lambda: Automaton(3, "a", ("a",), {"a": {"11": "a"}}), "'1' stands twice"),
        (lambda: Automaton(3, "a", ("a",), {"a": {"x": "a"}}), "'x' is not a digit"),
        (lambda: Automaton(3, "a", ("a",), {"a": {"0": "a"}}), "is empty"),
        (lambda: Pattern(3, "0[0-9][0-9]"), "is empty"),
        (lambda: Pattern(0, "1"), "digits = 0"),
        (lambda: Multiples(3, 0), "modulus = 0"),
        (lambda: Multiples(3, 7, 7), r"residue = 7: it must lie in 0\.\.6"),
        (lambda: Multiples(1, 100, 50), "is empty"),
        (lambda: Powers(0, 2), "digits = 0"),
        (lambda: Powers(3, 1), "base = 1"),
        (lambda: Powers(2, 1000), "no power of 1000 has 2 digits"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(make, reason):
    with pytest.raises(InputError, match=reason):
        make()
