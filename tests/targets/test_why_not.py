"""Why a number is no member: each claim is looked at again, by other means than the target's own."""

import re
from itertools import product

import numpy as np
import pytest
import sympy

from sampler_bench.targets import (
    DIGITS,
    Automaton,
    Constellation,
    DigitSums,
    Distribution,
    Mixture,
    MontyHall,
    Multiples,
    Neighbours,
    Palindromes,
    Pattern,
    Polynomials,
    Powers,
    PrimeRange,
    Range,
    Sequences,
    Sieved,
    Target,
    TwinPrimes,
)
from sampler_bench.tasks import Catalog
from tests.targets.reasons import holds

TASKS = Catalog().task_names()


def others(target: Target, members: list[str], rng: np.random.Generator) -> set[str]:
    """Numbers that may be none of a target's: of random digits, near to members, too short and too long."""
    found = {"0", "7", "12", "0" * target.digits, "9" * target.digits, "9" * (target.digits + 1), "5" * 9}
    for member in members:
        place = int(rng.integers(len(member)))
        found |= {
            f"{member[:place]}{rng.integers(10)}{member[place + 1 :]}",
            str(int(member) + 2),
            f"0{member}",
            member[:-1] or "8",
            "".join(map(str, rng.integers(10, size=target.digits))),
        }
    return found


@pytest.mark.parametrize("name", TASKS)
def test_of_every_task_members_have_no_reason_and_others_a_true_one(name):
    target, rng = Catalog().task(name).target, np.random.default_rng(1)
    members = target.sample(20, rng)
    assert [target.why_not(member) for member in members] == [None] * len(members)
    checked = 0
    for number in sorted(others(target, members, rng)):
        reason = target.why_not(number)
        assert (reason is None) == target.contains(number)
        if reason is not None and not (
            target.digits > 6 and (PREFIX.fullmatch(reason) or OF_ALL.match(reason))
        ):
            assert holds(target, number, reason), (number, reason)
            checked += 1
    assert checked


OF_ALL = re.compile(r"it is no member of .*: after \d+ no member goes on")  # of a mixture's components, as
PREFIX = re.compile("(after .* )?no member (begins|goes on) with .")  # brute force at a few digits, below

SMALL = [
    Automaton(4, "even", ("odd",), {"even": {"02468": "even", "13": "odd"}, "odd": {"0": "odd"}}),
    Pattern(4, "(12|[3-5]6){2}"),
    Pattern(3, "1[0-9]7|44[0-4]"),
    DigitSums(3, sum=20),
    DigitSums(3, modulus=7, residue=2),
    Neighbours(3, "different"),
    Neighbours(3, "rising"),
    Neighbours(3, "not-falling"),
    Palindromes(4),
    Polynomials(4, (0, 1, 1), 2),
    Polynomials(1, (3, 2, 1)),
    Powers(4, 3),
    Powers(1, 5),
    Sequences(3, "fibonacci"),
    Sequences(3, "factorials"),
    Sequences(3, "mersenne"),
    Sequences(1, "primorials"),
    Multiples(3, 7, 3),
    Range(7, 120),
    Range(0, 99),
    PrimeRange(0, 200),
    PrimeRange(3, 999, "twin-primes"),
    Distribution(2, "binom", {"n": 12, "p": 0.5}),
    Distribution(3, "binom", {"n": 12, "p": 0.5, "loc": 20}),
    Distribution(3, "randint", {"low": 95, "high": 120}, leading_zeros=True),
    MontyHall(12),
    Constellation(3, "primes"),
    Constellation(3, "safe-primes"),
    Constellation(3, "sophie-germain-primes"),
    Constellation(3, "n,n+2,n+6"),
    TwinPrimes(1),
    TwinPrimes(3),
    TwinPrimes(3, "lower"),
    Sieved(3, "twin-primes", 13, (0, 2)),
    Sieved(1, "primes", 7),
    Mixture((0.5, 0.5), (Powers(3, 2), Multiples(3, 7))),
    Mixture((0.5, 0.5), (Range(1, 9), TwinPrimes(3))),
]


@pytest.mark.parametrize("target", SMALL, ids=str)
def test_of_all_numbers_of_up_to_four_digits_each_has_a_true_reason_or_is_a_member(target):
    for length in range(1, min(target.digits, 3) + 2):
        for number in map("".join, product(DIGITS, repeat=length)):
            reason = target.why_not(number)
            assert (reason is None) == target.contains(number)
            assert reason is None or holds(target, number, reason), (number, reason)


@pytest.mark.parametrize(
    ("target", "number", "reason"),
    [
        (TwinPrimes(2), "91", "91 is no prime: it is 7 * 13"),
        (
            TwinPrimes(2),
            "67",
            "67 + 2 = 69 is no prime: it is 3 * 23, and 67 - 2 = 65 is no prime: it is 5 * 13",
        ),
        (TwinPrimes(2, "lower"), "73", "73 + 2 = 75 is no prime: it is 3 * 5^2"),
        (Constellation(2, "sophie-germain-primes"), "17", "2 * 17 + 1 = 35 is no prime: it is 5 * 7"),
        (Constellation(2, "safe-primes"), "31", "(31 - 1) / 2 = 15 is no prime: it is 3 * 5"),
        (Powers(3, 2), "333", "it lies between 2^8 = 256 and 2^9 = 512"),
        (Multiples(3, 7), "101", "divided by 7 it leaves 3, not 0"),
        (Pattern(3, "12[0-4]"), "129", "after 12 no member goes on with 9"),
        (Pattern(3, "12[0-4]"), "١٢٣", "only the digits 0-9 may stand in it"),
        (Pattern(3, "12[0-4]"), "", "it has 0 digits; members have 3"),
    ],
)
def test_a_reason_reads_as_a_person_would_say_it(target, number, reason):
    assert target.why_not(number) == reason


def test_a_composite_of_two_large_primes_is_known_to_be_one_without_its_factors():
    p, q = (int(sympy.nextprime(10**49 + k)) for k in (0, 10**30))
    reason = Constellation(99, "primes").why_not(str(p * q))
    assert reason.endswith(" is composite, with no factor below 1,000,000")
    assert Constellation(50, "primes").why_not(str(p)) is None
