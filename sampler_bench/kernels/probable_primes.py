"""Primality of integers of any size: a base-2 test for many at once, then Baillie-PSW for what is left.

The first is Euler's criterion 2^((n - 1) / 2) = +-1 (mod n), which every prime meets and few composites do:
the full test, GMP's, is left with little more than primes. No composite is known that passes it.
"""

import math
from collections.abc import Sequence

import gmpy2
import numpy as np
from numba import njit, uint64

from sampler_bench.kernels.compiled import compiled_once
from sampler_bench.kernels.montgomery import LANES, LIMBS, limb_width, places_of, square, to_limbs
from sampler_bench.kernels.primality import is_prime
from sampler_bench.kernels.small_primes import primes_up_to

LARGEST_BATCHED = 1024  # bits; larger integers are tested one by one
GMP_BPSW = 24  # rounds: GMP's test is Baillie-PSW and as many rounds of Miller-Rabin as this is above 24
TRIAL = math.prod(primes_up_to(97)[1:].tolist())


def is_probable_prime(numbers: Sequence[int]) -> np.ndarray:
    """Which of the integers are prime: certain below 2^64, by the Baillie-PSW test above.

    Raises
    ------
    ValueError
        If one is negative or not an integer.
    """
    for number in numbers:
        if not isinstance(number, int | np.integer) or isinstance(number, bool):
            raise ValueError(f"{number!r} is not an integer")
        if number < 0:
            raise ValueError(f"{number} is negative")
    given = [int(number) for number in numbers]
    prime = np.zeros(len(given), bool)
    small = np.array([number < 2**64 for number in given], bool)
    prime[small] = is_prime(np.array([given[i] for i in np.flatnonzero(small)], np.uint64))
    large = [i for i in np.flatnonzero(~small) if given[i] & 1 and math.gcd(given[i], TRIAL) == 1]
    prime[large] = passes_base_2([given[i] for i in large])
    for i in large:
        prime[i] = prime[i] and gmpy2.is_prime(given[i], GMP_BPSW)
    return prime


def passes_base_2(numbers: list[int]) -> np.ndarray:
    """False only for composites. Odd integers; those below 2^64 or beyond LARGEST_BATCHED bits all pass."""
    passed = np.ones(len(numbers), bool)
    lengths = np.array([number.bit_length() for number in numbers], np.int64)
    for bits in np.unique(lengths[(lengths > 64) & (lengths <= LARGEST_BATCHED)]).tolist():
        chosen = np.flatnonzero(lengths == bits)
        limbs = limbs_for(bits)
        columns = to_limbs([numbers[i] for i in chosen], limbs)
        squarings = bits - (limbs * limb_width(limbs)).bit_length()
        passed[chosen] = _meet_euler(columns, bits, squarings, places_of(limbs))
    return passed


def limbs_for(bits: int) -> int:
    """Limbs in which integers of so many bits are tested: 16 n <= R, and the first power below 2 n."""
    for limbs in LIMBS:
        r = limbs * limb_width(limbs)
        if r - 2 ** (r.bit_length() - 2) <= bits <= r - 4:
            return limbs
    raise LookupError(f"there is no code for integers of {bits} bits")


@compiled_once(nogil=True)
def _meet_euler(numbers, bits, m, places):
    """Which columns n of ``numbers``, odd and of ``bits`` bits, have 2^((n - 1) / 2) = +-1 (mod n).

    With E = (n - 1) / 2, 2^-E is 2 * 2^-(E + 1), and -(E + 1) has the bits of E turned round: it is
    -v 2^m + (~E mod 2^m), v = (E >> m) + 1. Squaring m times, from 2^-v on, and doubling at each 1 among
    those bits gives 2^-(E + 1). m is such that T / 2 < v <= T, T the largest power of two up to log2 R: then
    2^-v is a power of two below 2 n in Montgomery's form.
    """
    limbs, width, count = len(places), places[1], numbers.shape[1]
    passed = np.empty(count, np.bool_)
    n, x = np.empty((limbs, LANES), np.uint64), np.empty((limbs, LANES), np.uint64)
    inverse, doubling = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
    for first in range(0, count, LANES):
        x[:] = uint64(0)
        doubling[:] = uint64(0)
        for lane in range(LANES):
            n[:, lane] = numbers[:, min(first + lane, count - 1)]
            inverse[lane] = _minus_inverse(n[0, lane], width)
            v = 1
            for bit in range(bits - 1, m, -1):
                v += ((n[bit // width, lane] >> uint64(bit % width)) & uint64(1)) << uint64(bit - m - 1)
            power = limbs * width - v
            x[power // width, lane] = uint64(1) << uint64(power % width)
        for bit in range(m, 0, -1):
            square(x, n, inverse, doubling, places)
            limb, shift = bit // width, uint64(bit % width)
            for lane in range(LANES):
                doubling[lane] = uint64(1) - ((n[limb, lane] >> shift) & uint64(1))
        for lane in range(min(LANES, count - first)):
            x[:, lane] <<= doubling[lane] + uint64(1)
            if width > 32:  # a product of limbs and what is added to it would not fit 64 bits
                halves, of_n = _halves(x[:, lane], width // 2), _halves(n[:, lane], width // 2)
                passed[first + lane] = _is_plus_or_minus_one(halves, of_n, inverse[lane], width // 2)
            else:
                passed[first + lane] = _is_plus_or_minus_one(x[:, lane], n[:, lane], inverse[lane], width)
    return passed


@njit(nogil=True)
def _minus_inverse(n, width):
    """-n^-1 mod 2^width for odd n, by Newton's iteration."""
    x = n * uint64(3) ^ uint64(2)
    for _ in range(4):
        x *= uint64(2) - n * x
    return (uint64(0) - x) & ((uint64(1) << uint64(width)) - uint64(1))


@njit(nogil=True)
def _is_plus_or_minus_one(x, n, inverse, width):
    """Whether x / R = +-1 mod n, for x < 8 n not carried yet."""
    mask, limbs = (uint64(1) << uint64(width)) - uint64(1), len(n)
    for _ in range(limbs):  # divides by 2^width
        multiple = ((x[0] & mask) * (inverse & mask)) & mask
        carry = uint64(0)
        for j in range(limbs):
            total = x[j] + multiple * n[j] + carry
            carry = total >> uint64(width)
            if j > 0:
                x[j - 1] = total & mask
        x[limbs - 1] = carry
    one, minus_one = x[0] == uint64(1), x[0] == n[0] - uint64(1)
    for j in range(1, limbs):
        one = one and x[j] == uint64(0)
        minus_one = minus_one and x[j] == n[j]
    return one or minus_one


@njit(nogil=True)
def _halves(limbs, width):
    halves = np.empty(2 * len(limbs), np.uint64)
    halves[::2] = limbs & ((uint64(1) << uint64(width)) - uint64(1))
    halves[1::2] = limbs >> uint64(width)
    return halves
