"""The sieve ladder against trial division."""

import math
from collections import Counter
from functools import cache
from itertools import product

import numpy as np
import pytest
from sympy import primerange

from sampler_bench.errors import InputError
from sampler_bench.targets import DIGITS, Constellation, Sieved, TwinPrimes
from sampler_bench.targets.counting.tuple_names import parse_tuple
from sampler_bench.targets.families import sieved
from tests.targets.direct import divergence

LADDER = (2, 3, 5, 7, 11, 13)


def passes(value: int, y: int) -> bool:
    return value != 0 and all(value % p or value == p for p in primerange(2, y + 1))


def pass_at(values: np.ndarray, y: int) -> np.ndarray:
    """The same of many values at once."""
    return np.logical_and.reduce(
        [values != 0, *((values % p != 0) | (values == p) for p in primerange(y + 1))]
    )


@cache
def members(digits: int, forms: str, y: int, shifts: tuple[int, ...]) -> list[str]:
    pairs, x = parse_tuple(forms), np.arange(10 ** (digits - 1), 10**digits)
    belongs = [np.all([pass_at(a * (x - s) + b, y) for a, b in pairs], axis=0) for s in shifts]
    return [str(number) for number in x[np.any(belongs, axis=0)]]


@pytest.mark.parametrize("listed", [True, False], ids=["sieved", "inclusion and exclusion"])
@pytest.mark.parametrize("y", [*LADDER, 19])
@pytest.mark.parametrize(
    ("forms", "shifts"),
    [
        ("primes", (0,)),
        ("twin-primes", (0,)),
        ("twin-primes", (0, 2)),
        ("twin-primes", (2,)),
        ("sophie-germain-primes", (0,)),
        ("n,n+2,n+6", (0,)),
        ("n,n-2", (0,)),
    ],
)
def test_counts_of_all_prefixes_equal_trial_division(forms, shifts, y, listed, monkeypatch):
    if not listed:
        monkeypatch.setattr(sieved, "LISTED_DIGITS", 0)
    for digits in (1, 2, 3, 4, 5) if listed else (1, 2, 3, 4):
        expected = members(digits, forms, y, shifts)
        if not expected:
            with pytest.raises(InputError, match="is empty"):
                Sieved(digits, forms, y, shifts)
            continue
        target = Sieved(digits, forms, y, shifts)
        assert all(target.contains(number) for number in expected[:200])
        counted = Counter(number[:length] for number in expected for length in range(digits + 1))
        for length in range(digits + 1):
            right = {prefix: counted[prefix] for prefix in map("".join, product(DIGITS, repeat=length))}
            assert {prefix: target.count(prefix) for prefix in right} == right, target


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


def test_expected_counts_equal_the_exact_ones_where_both_can_be_had(monkeypatch):
    exact = Sieved(20, "twin-primes", 31, (0, 2))
    monkeypatch.setattr(sieved, "MAX_CLASSES", 0)
    estimated = Sieved(20, "twin-primes", 31, (0, 2))
    assert (exact.counted, estimated.counted) == (True, False)
    assert estimated.information() == pytest.approx(exact.information(), abs=1e-12)
    for prefix in ("1", "12345", "98765432101"):
        found, error = estimated.log_probability(prefix), exact.log_probability(prefix)
        assert abs(found.value - error.value) < found.error
        p, q = exact.conditional(prefix).p[:10], estimated.conditional(prefix)
        assert q.method == "hardy-littlewood"
        assert float(p @ np.log(p / q.p[:10])) < q.bound
    assert estimated.count("987654321012") == exact.count("987654321012")


def test_a_rung_that_is_too_high_to_count_is_sieved_at_its_end_and_estimated_above():
    rung = Sieved(40, "twin-primes", 997, (0, 2))
    (number,) = rung.sample(1, np.random.default_rng(3))
    tails = ["".join(tail) for tail in product(DIGITS, repeat=3)]

    def belongs(x):
        return any(all(math.gcd(x - s + b, math.prod(primerange(998))) == 1 for b in (0, 2)) for s in (0, 2))

    members = [tail for tail in tails if belongs(int(number[:37] + tail))]
    assert number[37:] in members
    assert rung.count(number[:37]) == len(members)
    assert [tail for tail in tails if rung.contains(number[:37] + tail)] == members
    assert rung.conditional(number[:35]).method == "exact-tail"
    above = rung.conditional(number[:20])
    assert (above.method, rung.count(number[:20])) == ("hardy-littlewood", None)
    assert 0 < above.bound < 1e-15
    # One n in two passes 2, p - 2 in p pass p; pairs overlap in 5 alone, so that two numbers come of each n.
    share = 1 / 2 * math.prod(1 - 2 / p for p in primerange(3, 998)) * 2
    assert rung.information() == pytest.approx(-math.log(share), abs=1e-12)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Sieved(0, "primes", 5), "digits = 0"),
        (lambda: Sieved(1001, "primes", 5), "up to 1000 digits"),
        (lambda: Sieved(5, "primes", 1), "from 2, the first prime, to 1000000"),
        (lambda: Sieved(100, "n,n+1", 101), "is empty"),
        (lambda: Sieved(5, "prime", 5), "did you mean primes"),
        (lambda: Sieved(5, "primes", 5, ()), "shifts"),
        (lambda: Sieved(5, "primes", 5, (0, 0)), "shifts"),
        (lambda: Sieved(5, "n,n+1", 2), "is empty"),
        (lambda: Sieved(12, "primes", 53), r"y = 53: .* \(y up to 23 would do\)"),
        (lambda: Sieved(20, "n,n+2,n+6,n+8", 997), "too many residue classes"),
    ],
)
def test_what_makes_no_sense_is_refused(make, reason):
    with pytest.raises(InputError, match=reason):
        make()
