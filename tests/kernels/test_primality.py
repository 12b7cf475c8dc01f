"""64-bit primality against sympy, and against the composites that fool weaker tests."""

import gmpy2
import numpy as np
import pytest
from numba import njit
from sympy import isprime

from sampler_bench.kernels import is_prime, primality
from sampler_bench.kernels.small_primes import primes_up_to


def test_every_number_below_20000_is_judged_as_by_sympy():
    assert is_prime(np.arange(20_000)).tolist() == [isprime(n) for n in range(20_000)]


@pytest.mark.parametrize("bits", [20, 32, 33, 48, 63, 64])
def test_random_numbers_are_judged_as_by_sympy(bits):
    rng = np.random.default_rng(bits)
    numbers = rng.integers(2 ** (bits - 1), 2**bits - 1, 3000, dtype=np.uint64, endpoint=True)
    assert is_prime(numbers).tolist() == [isprime(int(n)) for n in numbers]


def test_the_ends_of_the_range():
    top = np.arange(2**64 - 400, 2**64 - 1, dtype=np.uint64)
    assert is_prime(top).tolist() == [isprime(int(n)) for n in top]
    # The largest prime below 2^64 is 2^64 - 59.
    assert int(top[is_prime(top)][-1]) == 2**64 - 59
    assert is_prime(np.array([2**64 - 1], np.uint64)).tolist() == [False]
    assert is_prime([]).tolist() == []
    assert is_prime(7).tolist() is True


def is_strong_probable_prime(n: int, base: int) -> bool:
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    power = pow(base, odd, n)
    return power in (1, n - 1) or any(pow(base, odd << r, n) == n - 1 for r in range(1, twos))


def test_no_strong_pseudoprime_to_base_2_passes():
    """All below 10^8, found by search: the base-2 test itself is right, and what it lets pass falls."""
    composite = np.ones(5 * 10**7, bool)  # 2 i + 1
    composite[0] = False
    composite[primes_up_to(10**8)[1:] // 2] = False
    odd = 2 * np.flatnonzero(composite).astype(np.uint64) + np.uint64(1)
    fooled = odd[primality.pass_base_2(odd)].tolist()
    # Pomerance, Selfridge and Wagstaff, Math. Comp. 35 (1980), table 1
    assert [sum(n < 10**k for n in fooled) for k in (4, 5, 6, 7, 8)] == [5, 16, 46, 162, 488]
    assert all(is_strong_probable_prime(n, 2) and not isprime(n) for n in fooled)
    assert not is_prime(fooled).any()


def test_a_million_random_numbers_are_judged_as_by_gmpy2():
    numbers = np.random.default_rng(5).integers(0, 2**64, 10**6, dtype=np.uint64)
    assert is_prime(numbers).tolist() == [gmpy2.is_prime(n) for n in numbers.tolist()]


def test_the_order_in_which_numbers_come_makes_no_difference():
    numbers = np.random.default_rng(6).integers(0, 10**6, 1000)
    one_by_one = [bool(is_prime([n])[0]) for n in numbers]
    assert is_prime(numbers).tolist() == one_by_one
    assert is_prime(numbers[::-1].reshape(50, 20)).ravel()[::-1].tolist() == one_by_one


def test_composites_made_to_deceive_do_not_pass():
    deceivers = [
        1093**2, 3511**2,  # squares of the Wieferich primes
        341550071728321,  # strong pseudoprime to the bases 2 to 17 (Jaeschke 1993)
        3825123056546413051,  # to the bases 2 to 23 (Zhang 2001)
        18446744066047760377,
    ]  # fmt: skip
    assert all(is_strong_probable_prime(n, 2) and not isprime(n) for n in deceivers)
    large = [4294967291**2, 4294967291 * 4294967279]  # square and product of the largest primes below 2^32
    assert not is_prime(np.array(deceivers + large, np.uint64)).any()


def test_the_compiled_high_product_equals_its_plain_twin():
    compiled = njit(lambda a, b: primality._high_product(a, b))
    rng = np.random.default_rng(0)
    for a, b in rng.integers(0, 2**64, (200, 2), dtype=np.uint64):
        assert compiled(a, b) == (int(a) * int(b)) >> 64 == primality._high_product(a, b)


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ([1.5], "array of float64"),
        ([-3], "-3 is negative"),
        ([2**64], "exceeds"),
        ([7, 1.0], "array of float64"),
    ],
)
def test_what_is_no_64_bit_integer_is_refused(numbers, reason):
    with pytest.raises(ValueError, match=reason):
        is_prime(numbers)
