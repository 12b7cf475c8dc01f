"""Primality of 64-bit integers: trial division, then the Baillie-PSW test, which is exact below 2^64.

A strong test to base 2 and an almost extra strong Lucas test (Baillie and Wagstaff, Math. Comp. 35, 1980;
Baillie, Fiori and Wagstaff, Math. Comp. 90, 2021). No composite below 2^64 passes both: others have checked
the complete list of base-2 pseudoprimes (Feitsma). Arithmetic mod n is Montgomery's (Math. Comp. 44, 1985).
"""

import numpy as np
from llvmlite import ir
from numba import njit, types, uint64
from numba.extending import intrinsic, overload

from sampler_bench.kernels.small_primes import primes_up_to

TRIAL_PRIMES = primes_up_to(113)[1:].astype(np.uint64)
TRIAL_INVERSES = np.array([pow(int(q), -1, 2**64) for q in TRIAL_PRIMES], np.uint64)
TRIAL_QUOTIENTS = np.array([(2**64 - 1) // int(q) for q in TRIAL_PRIMES], np.uint64)


def is_prime(numbers: np.ndarray) -> np.ndarray:
    """Which of the numbers are prime.

    Parameters
    ----------
    numbers : array_like of int, each from 0 to 2^64 - 1

    Returns
    -------
    ndarray of bool, of the same shape

    Raises
    ------
    ValueError
        If the numbers are not integers, or one is negative or too large.
    """
    given = np.asarray(numbers)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"integers from 0 to 2**64 - 1 are wanted, got an array of {given.dtype}")
    if given.size and given.min() < 0:
        raise ValueError(f"{given.min()} is negative")
    return _all_prime(given.astype(np.uint64).ravel()).reshape(given.shape)


def _high_product(a: int, b: int) -> int:
    """The upper 64 bits of a 64 x 64 bit product."""
    return np.uint64((int(a) * int(b)) >> 64)


@intrinsic
def _multiply_high(typing, a, b):
    def codegen(context, builder, signature, arguments):
        wide = ir.IntType(128)
        x, y = (builder.zext(argument, wide) for argument in arguments)
        product = builder.lshr(builder.mul(x, y), ir.Constant(wide, 64))
        return builder.trunc(product, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


@overload(_high_product, inline="always")
def _compiled_high_product(a, b):
    return lambda a, b: _multiply_high(a, b)


@njit(nogil=True)
def _product(a, b, n, inverse):
    """a b / 2^64 mod n, for a, b < n and ``inverse`` = n^-1 mod 2^64."""
    high = _high_product(a, b)
    back = _high_product(a * b * inverse, n)
    return high - back if high >= back else high - back + n


@njit(nogil=True)
def _sum(a, b, n):
    total = a + b
    return total - n if total < a or total >= n else total


@njit(nogil=True)
def _difference(a, b, n):
    return a - b if a >= b else a - b + n


@njit(nogil=True)
def _inverse(n):
    """n^-1 mod 2^64 for odd n, by Newton's iteration: each step doubles the correct bits."""
    x = n * uint64(3) ^ uint64(2)  # 5 bits
    for _ in range(4):
        x *= uint64(2) - n * x
    return x


@njit(nogil=True)
def _split(n):
    """n = odd 2^twos, and the highest bit of odd."""
    odd, twos = n, 0
    while odd & uint64(1) == 0:
        odd >>= uint64(1)
        twos += 1
    bit = uint64(1) << uint64(63)
    while odd & bit == 0:
        bit >>= uint64(1)
    return odd, twos, bit


@njit(nogil=True)
def _is_strong_probable_prime(n, inverse, one):
    """To base 2, for odd n > 2; ``one`` is 2^64 mod n."""
    odd, twos, bit = _split(n - uint64(1))
    power = _sum(one, one, n)
    while bit > uint64(1):
        bit >>= uint64(1)
        power = _product(power, power, n, inverse)
        if odd & bit:
            power = _sum(power, power, n)
    minus_one = n - one
    if power in (one, minus_one):
        return True
    for _ in range(twos - 1):
        power = _product(power, power, n, inverse)
        if power == minus_one:
            return True
    return False


@njit(nogil=True)
def _jacobi(a, n):
    """(a / n) for 0 <= a, odd n > 0."""
    sign = 1
    a %= n
    while a:
        while a & uint64(1) == 0:
            a >>= uint64(1)
            if n & uint64(7) == 3 or n & uint64(7) == 5:
                sign = -sign
        a, n = n, a
        if a & uint64(3) == 3 and n & uint64(3) == 3:
            sign = -sign
        a %= n
    return sign if n == 1 else 0


@njit(nogil=True)
def _is_square(n):
    root = uint64(np.sqrt(np.float64(n)))
    below, above = root - uint64(1), root + uint64(1)  # the root of a float may be one off
    return root * root == n or below * below == n or above * above == n


@njit(nogil=True)
def _is_lucas_probable_prime(n, inverse, one):
    """Almost extra strong: V_k(P, 1) for the first P >= 3 with (P^2 - 4 / n) = -1."""
    if _is_square(n):
        return False
    p = uint64(3)
    while True:
        symbol = _jacobi(p * p - uint64(4), n)
        if symbol == -1:
            break
        if symbol == 0 and (p * p - uint64(4)) % n != 0:
            return False
        p += uint64(1)
    two = _sum(one, one, n)
    seed = two  # P in Montgomery's form, by adding
    for _ in range(p - uint64(2)):
        seed = _sum(seed, one, n)
    odd, twos, bit = _split(n + uint64(1))
    v, following = seed, _difference(_product(seed, seed, n, inverse), two, n)
    while bit > uint64(1):
        bit >>= uint64(1)
        both = _difference(_product(v, following, n, inverse), seed, n)
        if odd & bit:
            v, following = both, _difference(_product(following, following, n, inverse), two, n)
        else:
            v, following = _difference(_product(v, v, n, inverse), two, n), both
    if v == two or v == n - two:
        return True
    for _ in range(twos - 1):
        if v == 0:
            return True
        v = _difference(_product(v, v, n, inverse), two, n)
    return False


@njit(nogil=True)
def _is_prime(n):
    if n & uint64(1) == 0:
        return n == uint64(2)
    for i in range(len(TRIAL_PRIMES)):
        if n * TRIAL_INVERSES[i] <= TRIAL_QUOTIENTS[i]:  # q divides n: no division is needed to know
            return n == TRIAL_PRIMES[i]
    if n < uint64(127 * 127):
        return n > uint64(1)
    inverse = _inverse(n)
    one = (uint64(0) - n) % n
    return _is_strong_probable_prime(n, inverse, one) and _is_lucas_probable_prime(n, inverse, one)


@njit(nogil=True, cache=True)
def _all_prime(numbers):
    answers = np.empty(len(numbers), np.bool_)
    for i in range(len(numbers)):
        answers[i] = _is_prime(numbers[i])
    return answers
