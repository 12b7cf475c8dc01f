"""Primality of 64-bit integers: trial division, then the Baillie-PSW test, which is exact below 2^64.

A strong test to base 2 and an almost extra strong Lucas test (Baillie and Wagstaff, Math. Comp. 35, 1980;
Baillie, Fiori and Wagstaff, Math. Comp. 90, 2021). No composite below 2^64 passes both: others have checked
the complete list of base-2 pseudoprimes (Feitsma). Arithmetic mod n is Montgomery's (Math. Comp. 44, 1985).
"""

import numpy as np
from llvmlite import ir
from numba import njit, types, uint64
from numba.extending import intrinsic, overload

from sampler_bench.kernels.compiled import compiled_once
from sampler_bench.kernels.small_primes import primes_up_to

GROUP = 32  # numbers tested at once: their arrays stay in the L1 cache
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
        given = np.asarray(numbers, object)  # NumPy makes floats of [2, 2**64 - 59]
        if not all(isinstance(number, int | np.integer) for number in given.flat):
            raise ValueError(
                f"integers from 0 to 2**64 - 1 are wanted, got an array of {np.asarray(numbers).dtype}"
            )
    if given.size and given.min() < 0:
        raise ValueError(f"{given.min()} is negative")
    if given.size and given.max() >= 2**64:
        raise ValueError(f"{given.max()} exceeds 2**64 - 1; is_probable_prime takes integers of any size")
    flat = given.astype(np.uint64).ravel()
    verdicts = _by_trials(flat)
    prime, left = verdicts == 1, np.flatnonzero(verdicts == 2)
    for test in (pass_base_2, pass_lucas):
        left = left[test(flat[left])]
    prime[left] = True
    return prime.reshape(given.shape)


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
def _mask(condition):
    """All ones where it holds: what is chosen so needs no branch, and random numbers make branches costly."""
    return uint64(0) - uint64(condition)


@njit(nogil=True)
def _product(a, b, n, inverse):
    """a b / 2^64 mod n, for a, b < n and ``inverse`` = n^-1 mod 2^64."""
    high = _high_product(a, b)
    back = _high_product(a * b * inverse, n)
    return high - back + (_mask(high < back) & n)


@njit(nogil=True)
def _sum(a, b, n):
    return _difference(a, n - b, n)


@njit(nogil=True)
def _difference(a, b, n):
    return a - b + (_mask(a < b) & n)


@njit(nogil=True)
def _inverse(n):
    """n^-1 mod 2^64 for odd n, by Newton's iteration: each step doubles the correct bits."""
    x = n * uint64(3) ^ uint64(2)  # 5 bits
    for _ in range(4):
        x *= uint64(2) - n * x
    return x


@njit(nogil=True)
def _twos(n):
    """How often two divides n > 0: the bits below its lowest, counted in pairs, then fours, eights, bytes."""
    x = (n & (uint64(0) - n)) - uint64(1)
    x = x - ((x >> uint64(1)) & uint64(0x5555555555555555))
    x = (x & uint64(0x3333333333333333)) + ((x >> uint64(2)) & uint64(0x3333333333333333))
    x = (x + (x >> uint64(4))) & uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * uint64(0x0101010101010101)) >> uint64(56))


@njit(nogil=True)
def _bits(numbers):
    """Bits of the largest."""
    rest, bits = uint64(0), 0
    for n in numbers:
        rest |= n
    while rest:
        rest >>= uint64(1)
        bits += 1
    return bits


@njit(nogil=True)
def _set_up(n, inverse, one):
    """n^-1 and 2^64 mod n: what Montgomery's arithmetic needs."""
    for k in range(len(n)):
        inverse[k] = _inverse(n[k])
        one[k] = (uint64(0) - n[k]) % n[k]


@njit(nogil=True)
def _pass_base_2(n, passed, inverse, one, odd, power):
    """The strong test to base 2 of odd n > 2; all behind ``passed`` is scratch."""
    _set_up(n, inverse, one)
    for k in range(len(n)):
        odd[k] = (n[k] - uint64(1)) >> uint64(_twos(n[k] - uint64(1)))
        power[k] = one[k]
    for shift in range(_bits(odd) - 1, -1, -1):
        for k in range(len(n)):
            square = _product(power[k], power[k], n[k], inverse[k])
            double = _sum(square, square, n[k])
            power[k] = square ^ ((square ^ double) & _mask((odd[k] >> uint64(shift)) & uint64(1)))
    for k in range(len(n)):
        minus_one = n[k] - one[k]
        passed[k] = power[k] == one[k] or power[k] == minus_one
        for _ in range(_twos(n[k] - uint64(1)) - 1):
            power[k] = _product(power[k], power[k], n[k], inverse[k])
            passed[k] = passed[k] or power[k] == minus_one


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


def _symbol_tables(most):
    """(P^2 - 4 / r) for 3 <= P <= most and odd r < 4 (P^2 - 4), table after table; where each starts."""
    jacobi = getattr(_jacobi, "py_func", _jacobi)  # importing compiles nothing
    tables, starts = [], [0] * 3
    for p in range(3, most + 1):
        d = p * p - 4
        starts.append(sum(map(len, tables)))
        tables.append([jacobi(uint64(d), uint64(r)) if r % 2 else 0 for r in range(4 * d)])
    return np.concatenate(tables).astype(np.int8), np.array(starts)


SYMBOLS, SYMBOLS_START = _symbol_tables(8)


@njit(nogil=True)
def _discriminant_symbol(p, n):
    """(P^2 - 4 / n): as long as P is small, from the rest of n mod 4 (P^2 - 4)."""
    d = p * p - uint64(4)
    if p < uint64(len(SYMBOLS_START)):
        return np.int64(SYMBOLS[SYMBOLS_START[p] + np.int64(n % (uint64(4) * d))])
    return _jacobi(d, n)


@njit(nogil=True)
def _is_square(n):
    root = uint64(np.sqrt(np.float64(n)))
    below, above = root - uint64(1), root + uint64(1)  # the root of a float may be one off
    return root * root == n or below * below == n or above * above == n


@njit(nogil=True)
def _lucas_parameter(n):
    """The first P >= 3 with (P^2 - 4 / n) = -1; 0 for a composite n that shows itself before."""
    if _is_square(n):
        return uint64(0)
    p = uint64(3)
    while True:
        symbol = _discriminant_symbol(p, n)
        if symbol == -1:
            return p
        if symbol == 0 and (p * p - uint64(4)) % n != 0:
            return uint64(0)
        p += uint64(1)


@njit(nogil=True)
def _pass_lucas(n, passed, inverse, two, odd, seed, v):
    """The almost extra strong test, V_k(P, 1) with k from n + 1; all behind ``passed`` is scratch."""
    _set_up(n, inverse, two)
    for k in range(len(n)):
        p = _lucas_parameter(n[k])
        passed[k] = p > uint64(0)
        one = two[k]
        two[k] = _sum(one, one, n[k])
        seed[k] = two[k]  # P in Montgomery's form, by adding
        for _ in range(np.int64(p) - 2):
            seed[k] = _sum(seed[k], one, n[k])
        v[0, k], v[1, k] = two[k], seed[k]
        odd[k] = (n[k] + uint64(1)) >> uint64(_twos(n[k] + uint64(1)))
    for shift in range(_bits(odd) - 1, -1, -1):
        for k in range(len(n)):
            bit = (odd[k] >> uint64(shift)) & uint64(1)
            both = _difference(_product(v[0, k], v[1, k], n[k], inverse[k]), seed[k], n[k])
            chosen = v[bit, k]
            v[bit, k] = _difference(_product(chosen, chosen, n[k], inverse[k]), two[k], n[k])
            v[uint64(1) - bit, k] = both
    for k in range(len(n)):
        last = v[0, k]
        found = last == two[k] or last == n[k] - two[k]
        for _ in range(_twos(n[k] + uint64(1)) - 1):
            found = found or last == 0
            last = _difference(_product(last, last, n[k], inverse[k]), two[k], n[k])
        passed[k] = passed[k] and found


@njit(nogil=True)
def _by_trial(n):
    if n & uint64(1) == 0:
        return int(n == uint64(2))
    for i in range(len(TRIAL_PRIMES)):
        if n * TRIAL_INVERSES[i] <= TRIAL_QUOTIENTS[i]:  # q divides n: no division is needed to know
            return int(n == TRIAL_PRIMES[i])
    if n < uint64(127 * 127):
        return int(n > uint64(1))
    return 2


@compiled_once(nogil=True)
def _by_trials(numbers):
    """Whether each number is prime, 0 or 1, where small primes can tell, else 2; ndarray of int8."""
    verdicts = np.empty(len(numbers), np.int8)
    for i in range(len(numbers)):
        verdicts[i] = _by_trial(numbers[i])
    return verdicts


@compiled_once(nogil=True)
def pass_base_2(numbers):
    """Which numbers (uint64, odd, above 2) pass the strong test to base 2; ndarray of bool.

    A group is tested at a time: its members do not wait for each other, so the processor works on several.
    """
    passed = np.empty(len(numbers), np.bool_)
    a, b, c, d = np.empty((4, GROUP), np.uint64)
    for first in range(0, len(numbers), GROUP):
        n = numbers[first : first + GROUP]
        _pass_base_2(n, passed[first : first + GROUP], a, b, c[: len(n)], d)
    return passed


@compiled_once(nogil=True)
def pass_lucas(numbers):
    """Which numbers (uint64, odd, above 3) pass the almost extra strong Lucas test; ndarray of bool."""
    passed = np.empty(len(numbers), np.bool_)
    a, b, c, d = np.empty((4, GROUP), np.uint64)
    v = np.empty((2, GROUP), np.uint64)
    for first in range(0, len(numbers), GROUP):
        n = numbers[first : first + GROUP]
        _pass_lucas(n, passed[first : first + GROUP], a, b, c[: len(n)], d, v)
    return passed
