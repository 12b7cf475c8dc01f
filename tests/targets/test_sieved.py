"""The sieve ladder against trial division."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from sympy import primerange

from sampler_bench.errors import InputError
from sampler_bench.targets import DIGITS, Constellation, Sieved, TwinPrimes, sieved
from sampler_bench.targets.tuple_names import parse_tuple
from tests.targets.direct import divergence

LADDER = (2, 3, 5, 7, 11, 13)


def passes(value: int, y: int) -> bool:
    return value != 0 and all(value % p or value == p for p in primerange(2, y + 1))


def members(digits: int, forms: str, y: int, shifts: tuple[int, ...]) -> list[str]:
    pairs = parse_tuple(forms)
    return [
        str(x)
        for x in range(10 ** (digits - 1), 10**digits)
        if any(x >= s and all(passes(a * (x - s) + b, y) for a, b in pairs) for s in shifts)
    ]


@pytest.mark.parametrize("listed", [True, False], ids=["sieved", "inclusion and exclusion"])
@pytest.mark.parametrize("y", [*LADDER, 31])
@pytest.mark.parametrize(
    ("forms", "shifts"),
    [
        ("primes", (0,)),
        ("twin-primes", (0,)),
        ("twin-primes", (0, 2)),
        ("sophie-germain-primes", (0,)),
        ("n,n+2,n+6", (0,)),
        ("n,n-2", (0,)),
    ],
)
def test_counts_of_all_prefixes_equal_trial_division(forms, shifts, y, listed, monkeypatch):
    if not listed:
        monkeypatch.setattr(sieved, "SIEVED_DIGITS", 0)
    for digits in (1, 2, 3, 4):
        expected = members(digits, forms, y, shifts)
        if not expected:
            with pytest.raises(InputError, match="is empty"):
                Sieved(digits, forms, y, shifts)
            continue
        target = Sieved(digits, forms, y, shifts)
        counted = Counter(number[:length] for number in expected for length in range(digits + 1))
        for length in range(digits + 1):
            for prefix in map("".join, product(DIGITS, repeat=length)):
                assert target.count(prefix) == counted[prefix], f"{target}, {prefix!r}"


@pytest.mark.parametrize("y", LADDER)
def test_the_divergence_from_a_rung_is_the_logarithm_of_a_ratio(y):
    """KL(P || W_y) = ln|W_y| - ln|S|, against the sum over all prefixes of all members."""
    for digits in range(1, 7):
        for member, shifts in (("either", (0, 2)), ("lower", (0,))):
            truth, rung = TwinPrimes(digits, member), Sieved(digits, "twin-primes", y, shifts)
            size = truth.count("")
            members = {truth.unrank(rank): 1 / size for rank in range(size)}
            found = divergence(members, lambda u, rung=rung: rung.conditional(u).p)
            assert found == pytest.approx(math.log(rung.count("")) - math.log(size), abs=1e-10)


@pytest.mark.parametrize(("digits", "y"), [(1, 2), (3, 31), (5, 31), (6, 997)])
def test_all_members_of_the_constellation_pass(digits, y):
    truth, rung = Constellation(digits, "primes"), Sieved(digits, "primes", y)
    assert all(rung.contains(truth.unrank(rank)) for rank in range(0, truth.count(""), 97))


def test_a_sieve_as_far_as_the_root_leaves_the_primes_and_one():
    assert Sieved(4, "primes", 97).count("") == Constellation(4, "primes").count("")
    rung = Sieved(1, "primes", 7)
    assert [x for x in range(10) if rung.contains(str(x))] == [1, 2, 3, 5, 7]


def test_draws_of_a_hundred_digits_pass_and_strangers_do_not():
    rung = Sieved(100, "twin-primes", 31, (0, 2))
    for number in rung.sample(20, np.random.default_rng(2)):
        x = int(number)
        assert any(all(passes(x - s + b, 31) for b in (0, 2)) for s in (0, 2))
    assert not rung.contains("1" * 99 + "4")
    # Of n mod p, p - 2 classes pass; 2 has one.
    share = math.prod((p - 2) / p for p in primerange(3, 32)) / 2
    assert Sieved(100, "twin-primes", 31).information() == pytest.approx(-math.log(share), abs=1e-12)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Sieved(0, "primes", 5), "digits = 0"),
        (lambda: Sieved(1001, "primes", 5), "up to 1000 digits"),
        (lambda: Sieved(5, "primes", 1), "the first prime is 2"),
        (lambda: Sieved(5, "prime", 5), "did you mean primes"),
        (lambda: Sieved(5, "primes", 5, ()), "shifts"),
        (lambda: Sieved(5, "primes", 5, (0, 0)), "shifts"),
        (lambda: Sieved(5, "n,n+1", 2), "is empty"),
        (lambda: Sieved(20, "primes", 53), "y up to 47"),
        (lambda: Sieved(20, "n,n+2,n+6,n+8", 47), "at most 10,000,000 residue classes"),
    ],
)
def test_what_makes_no_sense_is_refused(make, reason):
    with pytest.raises(InputError, match=reason):
        make()
