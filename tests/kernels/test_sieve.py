"""The twin sieve against sympy and published counts."""

import numpy as np
import pytest
from sympy import isprime

from sampler_bench.kernels import sieve

# Twin-prime pairs below 10**n, n = 1..9: OEIS A007508.
PAIRS_BELOW_POWER_OF_TEN = [2, 8, 35, 205, 1224, 8169, 58980, 440312, 3424506]


def lowers_by_sympy(lo: int, hi: int) -> list[int]:
    return [p for p in range(lo, hi) if isprime(p) and isprime(p + 2)]


def test_pairs_below_powers_of_ten_equal_the_published_counts():
    counts = np.cumsum([len(sieve.twin_lowers(10**n // 10, 10**n)) for n in range(1, 10)])
    assert counts.tolist() == PAIRS_BELOW_POWER_OF_TEN


@pytest.mark.parametrize("lo", [0, 1, 2, 3, 4, 5, 6, 10**6 - 7, 10**9 - 100, 10**12 - 300])
@pytest.mark.parametrize("width", [0, 1, 2, 3, 4, 97, 300])
def test_every_lower_member_in_a_window_is_found(lo, width):
    assert sieve.twin_lowers(lo, lo + width).tolist() == lowers_by_sympy(lo, lo + width)


def test_windows_cut_anywhere_hold_the_same_pairs_as_one_window(monkeypatch):
    whole = sieve.twin_lowers(0, 20_000)
    monkeypatch.setattr(sieve, "SEGMENT", 37)
    assert np.array_equal(sieve.twin_lowers(0, 20_000), whole)
    cut = [sieve.twin_lowers(lo, lo + 77) for lo in range(0, 20_000, 77)]
    assert np.concatenate(cut)[: len(whole)].tolist() == whole.tolist()


def test_members_have_a_prime_neighbour_on_either_side():
    expected = [p for p in range(5_000) if isprime(p) and (isprime(p - 2) or isprime(p + 2))]
    assert sieve.twin_members(0, 5_000).tolist() == expected


def test_a_member_whose_partner_lies_outside_the_window_is_found():
    assert sieve.twin_members(30, 32).tolist() == [31]  # of the pair 29, 31


@pytest.mark.parametrize(("lo", "hi"), [(-1, 5), (7, 6), (0, 10**12 + 1)])
def test_bounds_out_of_range_are_refused(lo, hi):
    with pytest.raises(ValueError, match="bounds must satisfy"):
        sieve.twin_lowers(lo, hi)
